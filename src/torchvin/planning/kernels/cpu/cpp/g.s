	.file	"graph_update_avx512.cpp"
	.text
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1518:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	vmovq	%rsi, %xmm6
	movq	%rsp, %rbp
	.cfi_def_cfa_register 6
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	.cfi_offset 15, -24
	.cfi_offset 14, -32
	.cfi_offset 13, -40
	.cfi_offset 12, -48
	movq	%rdx, %r12
	pushq	%rbx
	.cfi_offset 3, -56
	movq	%rcx, %rbx
	movq	%r9, %rcx
	andq	$-32, %rsp
	movq	16(%rdi), %rax
	movq	(%rsi), %r11
	vmovss	40(%rsi), %xmm2
	movq	(%rax,%rdx,8), %r10
	movq	8(%rax,%rdx,8), %rax
	movq	%rax, -8(%rsp)
	cmpq	%rax, %r10
	jl	.L28
	jne	.L14
	movq	32(%rsi), %rdx
	testq	%rdx, %rdx
	je	.L29
	imulq	%r12, %r11
	vpcmpeqd	%ymm4, %ymm4, %ymm4
	leaq	(%r11,%rbx), %rax
	vmovdqu	(%rdx,%rax,4), %ymm3
.L11:
	movq	16(%rbp), %rax
	vmovdqu	%ymm3, (%rcx)
	vmovdqu	%ymm4, (%rax)
	vzeroupper
	leaq	-40(%rbp), %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa 7, 8
	ret
	.p2align 4,,10
	.p2align 3
.L28:
	.cfi_restore_state
	vmovq	%xmm6, %rax
	movq	32(%rdi), %rsi
	leaq	0(,%r11,4), %r9
	vpbroadcastd	%r10d, %ymm5
	movq	16(%rax), %rdx
	movq	%r10, %rax
	vmovq	%r12, %xmm9
	vmovq	%rcx, %xmm10
	imulq	%r11, %rax
	movq	%rdi, %rcx
	movq	%r9, %rdi
	vbroadcastss	.LC1(%rip), %ymm3
	movq	%rsi, %r9
	vmovdqa	%ymm5, %ymm4
	vbroadcastss	%xmm2, %ymm8
	movq	%rdx, %r12
	addq	%rbx, %rax
	leaq	(%rdx,%rax,4), %r15
	movq	%r15, %rsi
	jmp	.L8
	.p2align 4,,10
	.p2align 3
.L30:
	movq	24(%rcx), %rax
	movslq	(%rax,%r10,4), %rax
	imulq	%r11, %rax
	addq	%rbx, %rax
	vmulps	(%r8,%rax,4), %ymm8, %ymm1
.L4:
	testq	%r12, %r12
	je	.L6
	vmovq	%xmm6, %rax
	cmpb	$0, 24(%rax)
	je	.L7
	vaddps	(%r12,%r10,4){1to8}, %ymm1, %ymm1
.L6:
	vcmpps	$14, %ymm3, %ymm1, %k1
	addq	$1, %r10
	addq	%rdi, %rsi
	vmovdqa32	%ymm5, %ymm4{%k1}
	vmovaps	%ymm1, %ymm3{%k1}
	cmpq	%r10, -8(%rsp)
	je	.L23
	vpbroadcastd	%r10d, %ymm5
.L8:
	testq	%r9, %r9
	je	.L30
	movq	(%r9,%r10,8), %r13
	movq	8(%r9,%r10,8), %r14
	cmpq	%r14, %r13
	jge	.L13
	movq	40(%rcx), %rdx
	movq	48(%rcx), %r15
	vxorps	%xmm1, %xmm1, %xmm1
	.p2align 4,,10
	.p2align 3
.L5:
	movslq	(%rdx,%r13,4), %rax
	vmulss	(%r15,%r13,4), %xmm2, %xmm0
	addq	$1, %r13
	imulq	%r11, %rax
	addq	%rbx, %rax
	vbroadcastss	%xmm0, %ymm0
	vmulps	(%r8,%rax,4), %ymm0, %ymm0
	vaddps	%ymm0, %ymm1, %ymm1
	cmpq	%r14, %r13
	jne	.L5
	jmp	.L4
	.p2align 4,,10
	.p2align 3
.L7:
	vaddps	(%rsi), %ymm1, %ymm1
	jmp	.L6
	.p2align 4,,10
	.p2align 3
.L23:
	vmovq	%xmm6, %rax
	vmovq	%xmm9, %r12
	vmovq	%xmm10, %rcx
	movq	8(%rax), %rdx
	testq	%rdx, %rdx
	je	.L9
	movq	%r11, %rax
	imulq	%r12, %rax
	addq	%rbx, %rax
	vaddps	(%rdx,%rax,4), %ymm3, %ymm3
.L9:
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	je	.L11
.L12:
	imulq	%r12, %r11
	vpcmpeqd	%ymm1, %ymm1, %ymm1
	leaq	(%r11,%rbx), %rax
	vmovups	(%rdx,%rax,4), %ymm0
	vcmpps	$2, %ymm0, %ymm3, %k1
	vmovdqa32	%ymm1, %ymm4{%k1}
	vmovaps	%ymm0, %ymm3{%k1}
	jmp	.L11
	.p2align 4,,10
	.p2align 3
.L13:
	vxorps	%xmm1, %xmm1, %xmm1
	jmp	.L4
.L14:
	vbroadcastss	.LC1(%rip), %ymm3
	movl	$-2, %eax
	vpbroadcastd	%eax, %ymm4
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	jne	.L12
	jmp	.L11
.L29:
	movl	$-2, %eax
	vpxor	%xmm3, %xmm3, %xmm3
	vpbroadcastd	%eax, %ymm4
	jmp	.L11
	.cfi_endproc
.LFE1518:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1519:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	vmovq	%rsi, %xmm6
	movq	%rsp, %rbp
	.cfi_def_cfa_register 6
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	.cfi_offset 15, -24
	.cfi_offset 14, -32
	.cfi_offset 13, -40
	.cfi_offset 12, -48
	movq	%rdx, %r12
	pushq	%rbx
	.cfi_offset 3, -56
	movq	%rcx, %rbx
	movq	%r9, %rcx
	andq	$-64, %rsp
	movq	16(%rdi), %rax
	movq	(%rsi), %r11
	vmovss	40(%rsi), %xmm2
	movq	(%rax,%rdx,8), %r10
	movq	8(%rax,%rdx,8), %rax
	movq	%rax, -8(%rsp)
	cmpq	%rax, %r10
	jl	.L57
	jne	.L44
	movq	32(%rsi), %rdx
	testq	%rdx, %rdx
	je	.L58
	imulq	%r12, %r11
	vpternlogd	$0xFF, %zmm4, %zmm4, %zmm4
	leaq	(%r11,%rbx), %rax
	vmovdqu64	(%rdx,%rax,4), %zmm3
.L41:
	movq	16(%rbp), %rax
	vmovdqu64	%zmm3, (%rcx)
	vmovdqu32	%zmm4, (%rax)
	vzeroupper
	leaq	-40(%rbp), %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa 7, 8
	ret
	.p2align 4,,10
	.p2align 3
.L57:
	.cfi_restore_state
	vmovq	%xmm6, %rax
	movq	32(%rdi), %rsi
	leaq	0(,%r11,4), %r9
	vpbroadcastd	%r10d, %zmm5
	movq	16(%rax), %rdx
	movq	%r10, %rax
	vmovq	%r12, %xmm9
	vmovq	%rcx, %xmm10
	imulq	%r11, %rax
	movq	%rdi, %rcx
	movq	%r9, %rdi
	vbroadcastss	.LC1(%rip), %zmm3
	movq	%rsi, %r9
	vmovdqa32	%zmm5, %zmm4
	vbroadcastss	%xmm2, %zmm8
	movq	%rdx, %r12
	addq	%rbx, %rax
	leaq	(%rdx,%rax,4), %r15
	movq	%r15, %rsi
	jmp	.L38
	.p2align 4,,10
	.p2align 3
.L59:
	movq	24(%rcx), %rax
	movslq	(%rax,%r10,4), %rax
	imulq	%r11, %rax
	addq	%rbx, %rax
	vmulps	(%r8,%rax,4), %zmm8, %zmm1
.L34:
	testq	%r12, %r12
	je	.L36
	vmovq	%xmm6, %rax
	cmpb	$0, 24(%rax)
	je	.L37
	vaddps	(%r12,%r10,4){1to16}, %zmm1, %zmm1
.L36:
	vcmpps	$14, %zmm3, %zmm1, %k1
	addq	$1, %r10
	addq	%rdi, %rsi
	vmovdqa32	%zmm5, %zmm4{%k1}
	vmovaps	%zmm1, %zmm3{%k1}
	cmpq	%r10, -8(%rsp)
	je	.L53
	vpbroadcastd	%r10d, %zmm5
.L38:
	testq	%r9, %r9
	je	.L59
	movq	(%r9,%r10,8), %r13
	movq	8(%r9,%r10,8), %r14
	cmpq	%r14, %r13
	jge	.L43
	movq	40(%rcx), %rdx
	movq	48(%rcx), %r15
	vxorps	%xmm1, %xmm1, %xmm1
	.p2align 4,,10
	.p2align 3
.L35:
	movslq	(%rdx,%r13,4), %rax
	vmulss	(%r15,%r13,4), %xmm2, %xmm0
	addq	$1, %r13
	imulq	%r11, %rax
	addq	%rbx, %rax
	vbroadcastss	%xmm0, %zmm0
	vmulps	(%r8,%rax,4), %zmm0, %zmm0
	vaddps	%zmm0, %zmm1, %zmm1
	cmpq	%r14, %r13
	jne	.L35
	jmp	.L34
	.p2align 4,,10
	.p2align 3
.L37:
	vaddps	(%rsi), %zmm1, %zmm1
	jmp	.L36
	.p2align 4,,10
	.p2align 3
.L53:
	vmovq	%xmm6, %rax
	vmovq	%xmm9, %r12
	vmovq	%xmm10, %rcx
	movq	8(%rax), %rdx
	testq	%rdx, %rdx
	je	.L39
	movq	%r11, %rax
	imulq	%r12, %rax
	addq	%rbx, %rax
	vaddps	(%rdx,%rax,4), %zmm3, %zmm3
.L39:
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	je	.L41
.L42:
	imulq	%r12, %r11
	vpternlogd	$0xFF, %zmm1, %zmm1, %zmm1
	leaq	(%r11,%rbx), %rax
	vmovups	(%rdx,%rax,4), %zmm0
	vcmpps	$2, %zmm0, %zmm3, %k1
	vmovdqa32	%zmm1, %zmm4{%k1}
	vmovaps	%zmm0, %zmm3{%k1}
	jmp	.L41
	.p2align 4,,10
	.p2align 3
.L43:
	vxorps	%xmm1, %xmm1, %xmm1
	jmp	.L34
.L44:
	vbroadcastss	.LC1(%rip), %zmm3
	movl	$-2, %eax
	vpbroadcastd	%eax, %zmm4
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	jne	.L42
	jmp	.L41
.L58:
	movl	$-2, %eax
	vpxor	%xmm3, %xmm3, %xmm3
	vpbroadcastd	%eax, %zmm4
	jmp	.L41
	.cfi_endproc
.LFE1519:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1520:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	vmovq	%rsi, %xmm5
	movq	%rdx, %rsi
	movq	%rcx, %r10
	vmovq	%xmm5, %rax
	movq	%rsp, %rbp
	.cfi_def_cfa_register 6
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	andq	$-64, %rsp
	subq	$8, %rsp
	.cfi_offset 15, -24
	.cfi_offset 14, -32
	.cfi_offset 13, -40
	.cfi_offset 12, -48
	.cfi_offset 3, -56
	movq	(%rax), %rdx
	movq	16(%rdi), %rax
	movq	(%rax,%rsi,8), %rcx
	movq	8(%rax,%rsi,8), %r15
	vmovq	%xmm5, %rax
	vmovss	40(%rax), %xmm6
	cmpq	%r15, %rcx
	jl	.L126
	jne	.L96
	movq	32(%rax), %rcx
	testq	%rcx, %rcx
	je	.L127
	imulq	%rdx, %rsi
	movl	$-1, %r12d
	leaq	(%rsi,%r10), %rax
	movl	(%rcx,%rax,4), %eax
.L89:
	movl	%eax, (%r9)
	movq	16(%rbp), %rax
	movl	%r12d, (%rax)
	leaq	-40(%rbp), %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa 7, 8
	ret
	.p2align 4,,10
	.p2align 3
.L126:
	.cfi_restore_state
	vmovq	%xmm5, %rax
	vmovq	32(%rdi), %xmm9
	vmovq	%rdi, %xmm10
	movl	%ecx, %r12d
	vmovq	16(%rax), %xmm7
	vmovq	%r8, %xmm13
	cmpq	$1, %rdx
	jne	.L128
	leaq	0(,%r10,4), %rdi
	vmovq	%xmm7, %rbx
	movq	%r8, %rax
	movq	%rdx, -88(%rsp)
	leaq	(%rbx,%rdi), %r8
	vmovdqa	%xmm10, %xmm8
	vmovq	%rsi, %xmm12
	vmovss	.LC1(%rip), %xmm4
	movq	%r8, -80(%rsp)
	addq	%rdi, %rax
	vbroadcastss	%xmm6, %ymm14
	vbroadcastss	%xmm6, %zmm11
	movq	%r15, %rsi
	vmovdqa	%xmm13, %xmm10
	vmovq	%r9, %xmm16
	jmp	.L87
	.p2align 4,,10
	.p2align 3
.L130:
	vmovq	%xmm8, %rbx
	movq	24(%rbx), %rdi
	vmovq	%xmm10, %rbx
	movslq	(%rdi,%rcx,4), %rdi
	addq	%r10, %rdi
	vmulss	(%rbx,%rdi,4), %xmm6, %xmm0
.L75:
	vmovq	%xmm7, %rbx
	testq	%rbx, %rbx
	je	.L81
	vmovq	%xmm5, %rbx
	cmpb	$0, 24(%rbx)
	je	.L82
	vmovq	%xmm7, %rbx
	vaddss	(%rbx,%rcx,4), %xmm0, %xmm0
.L81:
	vcomiss	%xmm4, %xmm0
	vmaxss	%xmm4, %xmm0, %xmm4
	cmova	%ecx, %r12d
	addq	$1, %rcx
	cmpq	%rcx, %rsi
	je	.L129
.L87:
	vmovq	%xmm9, %rbx
	testq	%rbx, %rbx
	je	.L130
	movq	(%rbx,%rcx,8), %r11
	movq	8(%rbx,%rcx,8), %r8
	cmpq	%r11, %r8
	jle	.L94
	vmovq	%xmm8, %rbx
	movq	%r11, %r15
	vmovq	40(%rbx), %xmm19
	movq	48(%rbx), %r9
	movq	%r8, %rbx
	subq	%r11, %rbx
	leaq	-1(%rbx), %rdi
	cmpq	$14, %rdi
	jbe	.L95
	leaq	0(,%r11,4), %r13
	vmovq	%xmm19, %rdi
	movq	%rbx, %r14
	movq	%rsi, -16(%rsp)
	leaq	(%rdi,%r13), %rdx
	shrq	$4, %r14
	movq	%r11, -24(%rsp)
	xorl	%edi, %edi
	vmovq	%rdx, %xmm13
	salq	$6, %r14
	leaq	(%r9,%r13), %rdx
	movq	%rcx, -32(%rsp)
	movq	%rdx, (%rsp)
	vxorps	%xmm0, %xmm0, %xmm0
	vmovq	%r9, %xmm21
	movq	%r14, -8(%rsp)
	movq	%r11, -40(%rsp)
	movq	%rbx, -48(%rsp)
	movq	%r8, -56(%rsp)
	movl	%r12d, -60(%rsp)
	movq	%r10, -72(%rsp)
	.p2align 4,,10
	.p2align 3
.L77:
	vmovq	%xmm13, %rdx
	leaq	(%rdx,%rdi), %r13
	movslq	48(%r13), %rdx
	movslq	36(%r13), %rcx
	movslq	0(%r13), %rsi
	movslq	4(%r13), %r9
	vmovq	%rdx, %xmm1
	movslq	52(%r13), %rdx
	vmovq	%rcx, %xmm20
	movslq	40(%r13), %rcx
	movslq	8(%r13), %r10
	movslq	12(%r13), %r8
	vmovq	%rdx, %xmm30
	movslq	56(%r13), %rdx
	movslq	16(%r13), %rbx
	vmovq	%rcx, %xmm29
	movslq	20(%r13), %r11
	movslq	44(%r13), %rcx
	movslq	24(%r13), %r15
	movslq	28(%r13), %r12
	movslq	32(%r13), %r14
	vmovd	(%rax,%rdx,4), %xmm3
	vmovq	%xmm1, %rdx
	movslq	60(%r13), %r13
	vmovd	(%rax,%rdx,4), %xmm1
	vmovq	%xmm30, %rdx
	vpinsrd	$1, (%rax,%rdx,4), %xmm1, %xmm1
	vmovq	%xmm29, %rdx
	vmovd	(%rax,%rbx,4), %xmm2
	vpinsrd	$1, (%rax,%r13,4), %xmm3, %xmm3
	vmovd	(%rax,%rdx,4), %xmm15
	vpinsrd	$1, (%rax,%rcx,4), %xmm15, %xmm15
	vmovq	%xmm20, %rcx
	vpinsrd	$1, (%rax,%r11,4), %xmm2, %xmm2
	vpunpcklqdq	%xmm3, %xmm1, %xmm3
	vmovd	(%rax,%r14,4), %xmm1
	vpinsrd	$1, (%rax,%rcx,4), %xmm1, %xmm1
	vpunpcklqdq	%xmm15, %xmm1, %xmm15
	vmovd	(%rax,%r15,4), %xmm1
	vpinsrd	$1, (%rax,%r12,4), %xmm1, %xmm1
	vinserti128	$0x1, %xmm3, %ymm15, %ymm15
	vmovd	(%rax,%rsi,4), %xmm3
	vpinsrd	$1, (%rax,%r9,4), %xmm3, %xmm3
	vpunpcklqdq	%xmm1, %xmm2, %xmm2
	vmovd	(%rax,%r10,4), %xmm1
	vpinsrd	$1, (%rax,%r8,4), %xmm1, %xmm1
	movq	(%rsp), %rsi
	vpunpcklqdq	%xmm1, %xmm3, %xmm3
	vmulps	(%rsi,%rdi), %zmm11, %zmm1
	vinserti128	$0x1, %xmm2, %ymm3, %ymm3
	addq	$64, %rdi
	vinserti64x4	$0x1, %ymm15, %zmm3, %zmm3
	vmulps	%zmm3, %zmm1, %zmm2
	vshufps	$85, %xmm2, %xmm2, %xmm1
	vshufps	$255, %xmm2, %xmm2, %xmm15
	valignd	$7, %ymm2, %ymm2, %ymm3
	vaddss	%xmm2, %xmm0, %xmm0
	vaddss	%xmm1, %xmm0, %xmm0
	vunpckhps	%xmm2, %xmm2, %xmm1
	vaddss	%xmm1, %xmm0, %xmm0
	vextractf32x4	$1, %ymm2, %xmm1
	vaddss	%xmm15, %xmm0, %xmm0
	vaddss	%xmm1, %xmm0, %xmm0
	valignd	$5, %ymm2, %ymm2, %ymm1
	vaddss	%xmm1, %xmm0, %xmm0
	valignd	$6, %ymm2, %ymm2, %ymm1
	vaddss	%xmm1, %xmm0, %xmm0
	vextractf32x8	$0x1, %zmm2, %ymm1
	vshufps	$255, %xmm1, %xmm1, %xmm2
	vaddss	%xmm3, %xmm0, %xmm0
	vshufps	$85, %xmm1, %xmm1, %xmm3
	vaddss	%xmm1, %xmm0, %xmm0
	vaddss	%xmm3, %xmm0, %xmm0
	vunpckhps	%xmm1, %xmm1, %xmm3
	vaddss	%xmm3, %xmm0, %xmm0
	vaddss	%xmm2, %xmm0, %xmm0
	vextractf32x4	$1, %ymm1, %xmm2
	vaddss	%xmm2, %xmm0, %xmm0
	valignd	$5, %ymm1, %ymm1, %ymm2
	vaddss	%xmm2, %xmm0, %xmm0
	valignd	$6, %ymm1, %ymm1, %ymm2
	valignd	$7, %ymm1, %ymm1, %ymm1
	vaddss	%xmm2, %xmm0, %xmm0
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%rdi, -8(%rsp)
	jne	.L77
	movq	-48(%rsp), %rbx
	movq	-24(%rsp), %r11
	vmovq	%xmm21, %r9
	movq	-16(%rsp), %rsi
	movq	-32(%rsp), %rcx
	movq	%rbx, %rdi
	movq	-40(%rsp), %r15
	movq	-56(%rsp), %r8
	andq	$-16, %rdi
	movl	-60(%rsp), %r12d
	movq	-72(%rsp), %r10
	addq	%rdi, %r11
	testb	$15, %bl
	je	.L75
.L76:
	subq	%rdi, %rbx
	leaq	-1(%rbx), %r13
	cmpq	$6, %r13
	jbe	.L79
	leaq	(%r15,%rdi), %r13
	vmovq	%xmm19, %rdx
	leaq	(%rdx,%r13,4), %rdi
	movslq	8(%rdi), %rdx
	movslq	(%rdi), %r15
	movslq	4(%rdi), %r14
	vmovq	%rdx, %xmm3
	movslq	12(%rdi), %rdx
	vmovq	%rdx, %xmm15
	movslq	16(%rdi), %rdx
	vmovq	%rdx, %xmm18
	movslq	20(%rdi), %rdx
	vmovq	%rdx, %xmm17
	movslq	24(%rdi), %rdx
	movslq	28(%rdi), %rdi
	vmovd	(%rax,%rdx,4), %xmm2
	vpinsrd	$1, (%rax,%rdi,4), %xmm2, %xmm2
	vmovq	%xmm18, %rdi
	vmovq	%xmm15, %rdx
	vmovd	(%rax,%rdi,4), %xmm1
	vmovq	%xmm17, %rdi
	vpinsrd	$1, (%rax,%rdi,4), %xmm1, %xmm1
	vmovq	%xmm3, %rdi
	vmovd	(%rax,%rdi,4), %xmm3
	vpinsrd	$1, (%rax,%rdx,4), %xmm3, %xmm3
	movq	%rbx, %rdi
	vpunpcklqdq	%xmm2, %xmm1, %xmm2
	vmovd	(%rax,%r15,4), %xmm1
	andq	$-8, %rdi
	vpinsrd	$1, (%rax,%r14,4), %xmm1, %xmm1
	addq	%rdi, %r11
	andl	$7, %ebx
	vpunpcklqdq	%xmm3, %xmm1, %xmm1
	vinserti128	$0x1, %xmm2, %ymm1, %ymm1
	vmulps	(%r9,%r13,4), %ymm14, %ymm2
	vmulps	%ymm1, %ymm2, %ymm2
	vaddss	%xmm2, %xmm0, %xmm0
	vshufps	$85, %xmm2, %xmm2, %xmm1
	vshufps	$255, %xmm2, %xmm2, %xmm3
	vaddss	%xmm1, %xmm0, %xmm0
	vunpckhps	%xmm2, %xmm2, %xmm1
	vaddss	%xmm1, %xmm0, %xmm0
	vextractf32x4	$1, %ymm2, %xmm1
	vaddss	%xmm3, %xmm0, %xmm0
	vaddss	%xmm1, %xmm0, %xmm0
	valignd	$5, %ymm2, %ymm2, %ymm1
	vaddss	%xmm1, %xmm0, %xmm0
	valignd	$6, %ymm2, %ymm2, %ymm1
	valignd	$7, %ymm2, %ymm2, %ymm2
	vaddss	%xmm1, %xmm0, %xmm0
	vaddss	%xmm2, %xmm0, %xmm0
	je	.L75
.L79:
	vmovq	%xmm19, %rdi
	vmovq	%xmm10, %rdx
	leaq	0(,%r11,4), %rbx
	movslq	(%rdi,%r11,4), %rdi
	vmulss	(%r9,%r11,4), %xmm6, %xmm1
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	leaq	1(%r11), %rdi
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%r8, %rdi
	jge	.L75
	vmulss	4(%r9,%rbx), %xmm6, %xmm1
	vmovq	%xmm19, %rdi
	movslq	4(%rdi,%rbx), %rdi
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	leaq	2(%r11), %rdi
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%rdi, %r8
	jle	.L75
	vmulss	8(%r9,%rbx), %xmm6, %xmm1
	vmovq	%xmm19, %rdi
	movslq	8(%rdi,%rbx), %rdi
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	leaq	3(%r11), %rdi
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%rdi, %r8
	jle	.L75
	vmulss	12(%r9,%rbx), %xmm6, %xmm1
	vmovq	%xmm19, %rdx
	movslq	12(%rdx,%rbx), %rdi
	vmovq	%xmm10, %rdx
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	leaq	4(%r11), %rdi
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%rdi, %r8
	jle	.L75
	vmulss	16(%r9,%rbx), %xmm6, %xmm1
	vmovq	%xmm19, %rdi
	movslq	16(%rdi,%rbx), %rdi
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	leaq	5(%r11), %rdi
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%rdi, %r8
	jle	.L75
	vmovq	%xmm19, %rdi
	addq	$6, %r11
	movslq	20(%rdi,%rbx), %rdi
	vmulss	20(%r9,%rbx), %xmm6, %xmm1
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	vaddss	%xmm1, %xmm0, %xmm0
	cmpq	%r11, %r8
	jle	.L75
	vmulss	24(%r9,%rbx), %xmm6, %xmm1
	vmovq	%xmm19, %rdi
	movslq	24(%rdi,%rbx), %rdi
	addq	%r10, %rdi
	vmulss	(%rdx,%rdi,4), %xmm1, %xmm1
	vaddss	%xmm1, %xmm0, %xmm0
	jmp	.L75
	.p2align 4,,10
	.p2align 3
.L82:
	movq	-80(%rsp), %rbx
	vaddss	(%rbx,%rcx,4), %xmm0, %xmm0
	jmp	.L81
	.p2align 4,,10
	.p2align 3
.L129:
	movq	-88(%rsp), %rdx
	vmovq	%xmm12, %rsi
	vmovq	%xmm16, %r9
	vzeroupper
.L73:
	vmovq	%xmm5, %rax
	movq	8(%rax), %rcx
	testq	%rcx, %rcx
	je	.L88
	movq	%rdx, %rax
	imulq	%rsi, %rax
	addq	%r10, %rax
	vaddss	(%rcx,%rax,4), %xmm4, %xmm4
.L88:
	vmovq	%xmm5, %rax
	movq	32(%rax), %rcx
	vmovd	%xmm4, %eax
	testq	%rcx, %rcx
	je	.L89
	imulq	%rdx, %rsi
	movl	$-1, %edx
	leaq	(%rsi,%r10), %rax
	vmovd	%xmm4, %esi
	movl	(%rcx,%rax,4), %eax
	vmovd	%eax, %xmm0
	vcomiss	%xmm4, %xmm0
	cmovnb	%eax, %esi
	cmovnb	%edx, %r12d
	movl	%esi, %eax
	jmp	.L89
.L94:
	vxorps	%xmm0, %xmm0, %xmm0
	jmp	.L75
.L95:
	xorl	%edi, %edi
	vxorps	%xmm0, %xmm0, %xmm0
	jmp	.L76
.L96:
	vmovss	.LC1(%rip), %xmm4
	movl	$-2, %r12d
	jmp	.L88
.L128:
	movq	%rcx, %rax
	vmovq	%xmm7, %rbx
	leaq	0(,%rdx,4), %r8
	vmovss	.LC1(%rip), %xmm4
	imulq	%rdx, %rax
	vmovq	%rsi, %xmm3
	vmovq	%r8, %xmm2
	vmovq	%xmm7, %rsi
	vmovq	%r9, %xmm7
	movq	%rdi, %r9
	addq	%r10, %rax
	leaq	(%rbx,%rax,4), %r13
	vmovq	%xmm9, %rax
	vmovq	%xmm13, %rbx
	jmp	.L72
	.p2align 4,,10
	.p2align 3
.L132:
	movq	24(%r9), %rdi
	movslq	(%rdi,%rcx,4), %rdi
	imulq	%rdx, %rdi
	addq	%r10, %rdi
	vmulss	(%rbx,%rdi,4), %xmm6, %xmm1
.L64:
	testq	%rsi, %rsi
	je	.L66
	vmovq	%xmm5, %rdi
	cmpb	$0, 24(%rdi)
	je	.L67
	vaddss	(%rsi,%rcx,4), %xmm1, %xmm1
.L66:
	vcomiss	%xmm4, %xmm1
	vmovq	%xmm2, %rdi
	vmaxss	%xmm4, %xmm1, %xmm4
	cmova	%ecx, %r12d
	addq	$1, %rcx
	addq	%rdi, %r13
	cmpq	%rcx, %r15
	je	.L131
.L72:
	testq	%rax, %rax
	je	.L132
	movq	(%rax,%rcx,8), %rdi
	movq	8(%rax,%rcx,8), %r11
	cmpq	%rdi, %r11
	jle	.L93
	movq	40(%r9), %r8
	movq	48(%r9), %r14
	movq	%r13, (%rsp)
	vxorps	%xmm1, %xmm1, %xmm1
	movl	%r12d, %r13d
	movq	%rcx, %r12
	movq	%rdx, %rcx
	movq	%r11, %rdx
	movq	%rdi, %r11
	.p2align 4,,10
	.p2align 3
.L65:
	movslq	(%r8,%r11,4), %rdi
	vmulss	(%r14,%r11,4), %xmm6, %xmm0
	addq	$1, %r11
	imulq	%rcx, %rdi
	addq	%r10, %rdi
	vmulss	(%rbx,%rdi,4), %xmm0, %xmm0
	vaddss	%xmm0, %xmm1, %xmm1
	cmpq	%r11, %rdx
	jne	.L65
	movq	%rcx, %rdx
	movq	%r12, %rcx
	movl	%r13d, %r12d
	movq	(%rsp), %r13
	jmp	.L64
	.p2align 4,,10
	.p2align 3
.L67:
	vaddss	0(%r13), %xmm1, %xmm1
	jmp	.L66
.L131:
	vmovq	%xmm3, %rsi
	vmovq	%xmm7, %r9
	jmp	.L73
.L127:
	xorl	%eax, %eax
	movl	$-2, %r12d
	jmp	.L89
.L93:
	vxorps	%xmm1, %xmm1, %xmm1
	jmp	.L64
	.cfi_endproc
.LFE1520:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1521:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	vmovq	%rsi, %xmm6
	movq	%rsp, %rbp
	.cfi_def_cfa_register 6
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	.cfi_offset 15, -24
	.cfi_offset 14, -32
	.cfi_offset 13, -40
	.cfi_offset 12, -48
	movq	%rdx, %r12
	pushq	%rbx
	.cfi_offset 3, -56
	movq	%rcx, %rbx
	movq	%r9, %rcx
	andq	$-64, %rsp
	movq	16(%rdi), %rax
	movq	(%rsi), %r11
	vmovsd	40(%rsi), %xmm2
	movq	(%rax,%rdx,8), %r10
	movq	8(%rax,%rdx,8), %rax
	movq	%rax, -8(%rsp)
	cmpq	%rax, %r10
	jl	.L159
	jne	.L146
	movq	32(%rsi), %rdx
	testq	%rdx, %rdx
	je	.L160
	imulq	%r12, %r11
	vpternlogd	$0xFF, %zmm4, %zmm4, %zmm4
	leaq	(%r11,%rbx), %rax
	vmovdqu64	(%rdx,%rax,8), %zmm3
.L143:
	movq	16(%rbp), %rax
	vmovdqa	%ymm4, %ymm1
	vmovdqa	.LC9(%rip), %ymm0
	vextracti64x4	$0x1, %zmm4, %ymm4
	vmovdqu64	%zmm3, (%rcx)
	vpermi2d	%ymm4, %ymm1, %ymm0
	vmovdqu	%ymm0, (%rax)
	vzeroupper
	leaq	-40(%rbp), %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa 7, 8
	ret
	.p2align 4,,10
	.p2align 3
.L159:
	.cfi_restore_state
	vmovq	%xmm6, %rax
	movq	32(%rdi), %rsi
	leaq	0(,%r11,8), %r9
	vpbroadcastq	%r10, %zmm5
	movq	16(%rax), %rdx
	movq	%r10, %rax
	vmovq	%r12, %xmm9
	vmovq	%rcx, %xmm10
	imulq	%r11, %rax
	movq	%rdi, %rcx
	movq	%r9, %rdi
	vbroadcastsd	.LC7(%rip), %zmm3
	movq	%rsi, %r9
	vmovdqa64	%zmm5, %zmm4
	vbroadcastsd	%xmm2, %zmm8
	movq	%rdx, %r12
	addq	%rbx, %rax
	leaq	(%rdx,%rax,8), %r15
	movq	%r15, %rsi
	jmp	.L140
	.p2align 4,,10
	.p2align 3
.L161:
	movq	24(%rcx), %rax
	movslq	(%rax,%r10,4), %rax
	imulq	%r11, %rax
	addq	%rbx, %rax
	vmulpd	(%r8,%rax,8), %zmm8, %zmm1
.L136:
	testq	%r12, %r12
	je	.L138
	vmovq	%xmm6, %rax
	cmpb	$0, 24(%rax)
	je	.L139
	vaddpd	(%r12,%r10,8){1to8}, %zmm1, %zmm1
.L138:
	vcmppd	$14, %zmm3, %zmm1, %k1
	addq	$1, %r10
	addq	%rdi, %rsi
	vmovdqa64	%zmm5, %zmm4{%k1}
	vmovapd	%zmm1, %zmm3{%k1}
	cmpq	%r10, -8(%rsp)
	je	.L155
	vpbroadcastq	%r10, %zmm5
.L140:
	testq	%r9, %r9
	je	.L161
	movq	(%r9,%r10,8), %r13
	movq	8(%r9,%r10,8), %r14
	cmpq	%r14, %r13
	jge	.L145
	movq	40(%rcx), %rdx
	movq	48(%rcx), %r15
	vxorpd	%xmm1, %xmm1, %xmm1
	.p2align 4,,10
	.p2align 3
.L137:
	movslq	(%rdx,%r13,4), %rax
	vmulsd	(%r15,%r13,8), %xmm2, %xmm0
	addq	$1, %r13
	imulq	%r11, %rax
	addq	%rbx, %rax
	vbroadcastsd	%xmm0, %zmm0
	vmulpd	(%r8,%rax,8), %zmm0, %zmm0
	vaddpd	%zmm0, %zmm1, %zmm1
	cmpq	%r14, %r13
	jne	.L137
	jmp	.L136
	.p2align 4,,10
	.p2align 3
.L139:
	vaddpd	(%rsi), %zmm1, %zmm1
	jmp	.L138
	.p2align 4,,10
	.p2align 3
.L155:
	vmovq	%xmm6, %rax
	vmovq	%xmm9, %r12
	vmovq	%xmm10, %rcx
	movq	8(%rax), %rdx
	testq	%rdx, %rdx
	je	.L141
	movq	%r11, %rax
	imulq	%r12, %rax
	addq	%rbx, %rax
	vaddpd	(%rdx,%rax,8), %zmm3, %zmm3
.L141:
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	je	.L143
.L144:
	imulq	%r12, %r11
	vpternlogd	$0xFF, %zmm1, %zmm1, %zmm1
	leaq	(%r11,%rbx), %rax
	vmovupd	(%rdx,%rax,8), %zmm0
	vcmppd	$2, %zmm0, %zmm3, %k1
	vmovdqa64	%zmm1, %zmm4{%k1}
	vmovapd	%zmm0, %zmm3{%k1}
	jmp	.L143
	.p2align 4,,10
	.p2align 3
.L145:
	vxorpd	%xmm1, %xmm1, %xmm1
	jmp	.L136
.L146:
	movq	$-2, %rax
	vbroadcastsd	.LC7(%rip), %zmm3
	vpbroadcastq	%rax, %zmm4
	vmovq	%xmm6, %rax
	movq	32(%rax), %rdx
	testq	%rdx, %rdx
	jne	.L144
	jmp	.L143
.L160:
	movq	$-2, %rax
	vpxor	%xmm3, %xmm3, %xmm3
	vpbroadcastq	%rax, %zmm4
	jmp	.L143
	.cfi_endproc
.LFE1521:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1522:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	movq	%rsi, %r10
	movq	%rsp, %rbp
	.cfi_def_cfa_register 6
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	.cfi_offset 15, -24
	.cfi_offset 14, -32
	.cfi_offset 13, -40
	.cfi_offset 12, -48
	movq	%rdx, %r12
	pushq	%rbx
	andq	$-128, %rsp
	subq	$904, %rsp
	.cfi_offset 3, -56
	movq	%r9, -24(%rsp)
	movq	(%rsi), %rdx
	movq	16(%rdi), %rsi
	vmovsd	40(%r10), %xmm26
	movq	8(%rsi,%r12,8), %rbx
	movq	(%rsi,%r12,8), %rax
	movq	%rbx, -16(%rsp)
	cmpq	%rbx, %rax
	jl	.L163
	movq	$-2, %rax
	vpbroadcastq	%rax, %zmm0
	movq	32(%r10), %rax
	vmovdqa64	%zmm0, 264(%rsp)
	vmovdqa64	%zmm0, 328(%rsp)
	jne	.L304
	testq	%rax, %rax
	je	.L305
	movq	$-1, 264(%rsp)
	imulq	%r12, %rdx
	movq	$-1, 272(%rsp)
	movq	$-1, 280(%rsp)
	movq	$-1, 288(%rsp)
	addq	%rcx, %rdx
	vmovdqu64	(%rax,%rdx,8), %zmm6
	vmovdqu64	64(%rax,%rdx,8), %zmm7
	movq	$-1, 296(%rsp)
	movq	$-1, 304(%rsp)
	movq	$-1, 312(%rsp)
	movq	$-1, 320(%rsp)
	movq	$-1, 328(%rsp)
	movq	$-1, 336(%rsp)
	movq	$-1, 344(%rsp)
	movq	$-1, 352(%rsp)
	movq	$-1, 360(%rsp)
	movq	$-1, 368(%rsp)
	movq	$-1, 376(%rsp)
	movq	$-1, 384(%rsp)
	vmovdqa64	%zmm6, 520(%rsp)
	vmovdqa64	%zmm7, 584(%rsp)
.L223:
	vmovdqa64	520(%rsp), %zmm4
	movq	-24(%rsp), %rax
	vmovdqa64	584(%rsp), %zmm6
	vmovdqa32	264(%rsp), %zmm7
	vmovdqa32	.LC10(%rip), %zmm0
	vmovdqu64	%zmm4, (%rax)
	vmovdqu64	%zmm6, 64(%rax)
	movq	16(%rbp), %rax
	vpermi2d	328(%rsp), %zmm7, %zmm0
	vmovdqu32	%zmm0, (%rax)
	vzeroupper
	leaq	-40(%rbp), %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa 7, 8
	ret
	.p2align 4,,10
	.p2align 3
.L163:
	.cfi_restore_state
	movq	%rax, %rsi
	vmovq	%rax, %xmm6
	movq	16(%r10), %r11
	movq	%rax, %r13
	imulq	%rdx, %rsi
	movq	%r12, -32(%rsp)
	movq	32(%rdi), %r9
	movq	%rdi, %rax
	vpbroadcastq	%xmm6, %zmm0
	leaq	0(,%rdx,8), %rbx
	vbroadcastsd	%xmm26, %zmm3
	movq	%r10, %r12
	vmovdqa64	%zmm0, 264(%rsp)
	movq	%rbx, %r10
	movq	%r11, %rbx
	vmovdqa64	%zmm0, 328(%rsp)
	addq	%rcx, %rsi
	vmovdqa64	%zmm0, 392(%rsp)
	leaq	(%r11,%rsi,8), %rsi
	vmovdqa64	%zmm0, 456(%rsp)
	movq	%rsi, %rdi
	vmovsd	.LC7(%rip), %xmm0
	vmovapd	%zmm3, -120(%rsp)
	vmovsd	%xmm0, 520(%rsp)
	vmovsd	%xmm0, 528(%rsp)
	vmovsd	%xmm0, 536(%rsp)
	vmovsd	%xmm0, 544(%rsp)
	vmovsd	%xmm0, 552(%rsp)
	vmovsd	%xmm0, 560(%rsp)
	vmovsd	%xmm0, 568(%rsp)
	vmovsd	%xmm0, 576(%rsp)
	vmovsd	%xmm0, 584(%rsp)
	vmovsd	%xmm0, 592(%rsp)
	vmovsd	%xmm0, 600(%rsp)
	vmovsd	%xmm0, 608(%rsp)
	vmovsd	%xmm0, 616(%rsp)
	vmovsd	%xmm0, 624(%rsp)
	vmovsd	%xmm0, 632(%rsp)
	vmovsd	%xmm0, 640(%rsp)
	jmp	.L220
	.p2align 4,,10
	.p2align 3
.L307:
	movq	24(%rax), %rsi
	vmovapd	-120(%rsp), %zmm3
	movslq	(%rsi,%r13,4), %rsi
	imulq	%rdx, %rsi
	addq	%rcx, %rsi
	leaq	(%r8,%rsi,8), %rsi
	vmulpd	(%rsi), %zmm3, %zmm0
	vmovapd	%zmm0, 136(%rsp)
	vmulpd	64(%rsi), %zmm3, %zmm0
	vmovdqa64	136(%rsp), %zmm5
	vmovdqa64	%zmm5, 648(%rsp)
	vmovapd	%zmm0, 200(%rsp)
	vmovdqa64	%zmm0, 712(%rsp)
.L166:
	testq	%rbx, %rbx
	je	.L168
	cmpb	$0, 24(%r12)
	je	.L169
	vbroadcastsd	(%rbx,%r13,8), %zmm0
	vaddpd	648(%rsp), %zmm0, %zmm1
	vaddpd	712(%rsp), %zmm0, %zmm0
	vmovdqa64	%zmm1, 648(%rsp)
	vmovdqa64	%zmm0, 712(%rsp)
.L168:
	vmovsd	648(%rsp), %xmm3
	movq	%r13, %r14
	vmovsd	520(%rsp), %xmm29
	vmovsd	632(%rsp), %xmm0
	vmovsd	656(%rsp), %xmm31
	vcomisd	%xmm29, %xmm3
	vmovsd	528(%rsp), %xmm24
	vmovsd	664(%rsp), %xmm30
	vmovsd	%xmm0, (%rsp)
	vmovsd	536(%rsp), %xmm23
	vmovsd	672(%rsp), %xmm28
	vmovsd	544(%rsp), %xmm22
	vmovsd	680(%rsp), %xmm27
	vmovsd	552(%rsp), %xmm20
	vmovsd	688(%rsp), %xmm18
	vmovsd	560(%rsp), %xmm21
	vmovsd	696(%rsp), %xmm16
	vmovsd	568(%rsp), %xmm19
	vmovsd	704(%rsp), %xmm14
	vmovsd	576(%rsp), %xmm17
	vmovsd	712(%rsp), %xmm12
	vmovsd	584(%rsp), %xmm15
	vmovsd	720(%rsp), %xmm10
	vmovsd	592(%rsp), %xmm13
	vmovsd	728(%rsp), %xmm8
	vmovsd	600(%rsp), %xmm11
	vmovsd	736(%rsp), %xmm6
	vmovsd	608(%rsp), %xmm9
	vmovsd	744(%rsp), %xmm4
	vmovsd	616(%rsp), %xmm7
	vmovsd	752(%rsp), %xmm2
	vmovsd	624(%rsp), %xmm5
	vmovsd	760(%rsp), %xmm1
	vmovsd	768(%rsp), %xmm0
	vmovsd	640(%rsp), %xmm25
	vmovsd	%xmm25, -8(%rsp)
	ja	.L171
	movq	392(%rsp), %r14
.L171:
	vcomisd	%xmm24, %xmm31
	movq	%r14, 8(%rsp)
	movq	%r13, %r14
	ja	.L174
	movq	400(%rsp), %r14
.L174:
	vcomisd	%xmm23, %xmm30
	movq	%r14, 16(%rsp)
	movq	%r13, %r14
	ja	.L177
	movq	408(%rsp), %r14
.L177:
	vcomisd	%xmm22, %xmm28
	movq	%r14, 24(%rsp)
	movq	%r13, %r14
	ja	.L180
	movq	416(%rsp), %r14
.L180:
	vcomisd	%xmm20, %xmm27
	movq	%r14, 32(%rsp)
	movq	%r13, %r14
	ja	.L183
	movq	424(%rsp), %r14
.L183:
	vcomisd	%xmm21, %xmm18
	movq	%r14, 40(%rsp)
	movq	%r13, %r14
	ja	.L186
	movq	432(%rsp), %r14
.L186:
	movq	%r14, 48(%rsp)
	vcomisd	%xmm19, %xmm16
	movq	%r13, %r14
	cmovbe	440(%rsp), %r14
	vcomisd	%xmm17, %xmm14
	movq	%r14, 56(%rsp)
	movq	%r13, %r14
	cmovbe	448(%rsp), %r14
	vcomisd	%xmm15, %xmm12
	movq	%r14, 64(%rsp)
	movq	%r13, %r14
	vmovdqa64	8(%rsp), %zmm25
	cmovbe	456(%rsp), %r14
	vcomisd	%xmm13, %xmm10
	vmovdqa64	%zmm25, 392(%rsp)
	movq	%r14, 72(%rsp)
	movq	%r13, %r14
	cmovbe	464(%rsp), %r14
	vcomisd	%xmm11, %xmm8
	movq	%r14, 80(%rsp)
	movq	%r13, %r14
	cmovbe	472(%rsp), %r14
	vcomisd	%xmm9, %xmm6
	movq	%r14, 88(%rsp)
	movq	%r13, %r14
	cmovbe	480(%rsp), %r14
	vcomisd	%xmm7, %xmm4
	movq	%r14, 96(%rsp)
	movq	%r13, %r14
	cmovbe	488(%rsp), %r14
	vcomisd	%xmm5, %xmm2
	movq	%r14, 104(%rsp)
	movq	%r13, %r14
	cmovbe	496(%rsp), %r14
	vcomisd	(%rsp), %xmm1
	movq	%r14, 112(%rsp)
	movq	%r13, %r14
	cmovbe	504(%rsp), %r14
	vcomisd	-8(%rsp), %xmm0
	movq	%r14, 120(%rsp)
	movq	%r13, %r14
	cmovbe	512(%rsp), %r14
	addq	$1, %r13
	addq	%r10, %rdi
	movq	%r14, 128(%rsp)
	vmovdqa64	72(%rsp), %zmm25
	vmovdqa64	%zmm25, 456(%rsp)
	vmaxsd	%xmm29, %xmm3, %xmm25
	vmovsd	%xmm25, 136(%rsp)
	vmaxsd	%xmm24, %xmm31, %xmm25
	vmaxsd	%xmm23, %xmm30, %xmm24
	vmaxsd	%xmm22, %xmm28, %xmm23
	vmaxsd	%xmm20, %xmm27, %xmm22
	vmaxsd	%xmm21, %xmm18, %xmm20
	vmaxsd	%xmm17, %xmm14, %xmm18
	vmovsd	%xmm25, 144(%rsp)
	vmaxsd	%xmm13, %xmm10, %xmm14
	vmaxsd	%xmm9, %xmm6, %xmm10
	vmovsd	%xmm24, 152(%rsp)
	vmaxsd	%xmm5, %xmm2, %xmm6
	vmovsd	%xmm23, 160(%rsp)
	vmovsd	%xmm22, 168(%rsp)
	vmovsd	%xmm20, 176(%rsp)
	vmovsd	(%rsp), %xmm25
	vmaxsd	%xmm19, %xmm16, %xmm20
	vmaxsd	%xmm15, %xmm12, %xmm16
	vmaxsd	%xmm11, %xmm8, %xmm12
	vmaxsd	%xmm7, %xmm4, %xmm8
	vmovsd	%xmm18, 192(%rsp)
	vmaxsd	%xmm25, %xmm1, %xmm4
	vmovsd	-8(%rsp), %xmm25
	vmovsd	%xmm14, 208(%rsp)
	vmovsd	%xmm20, 184(%rsp)
	vmovdqa64	136(%rsp), %zmm5
	vmaxsd	%xmm25, %xmm0, %xmm2
	vmovsd	%xmm16, 200(%rsp)
	vmovsd	%xmm12, 216(%rsp)
	vmovsd	%xmm10, 224(%rsp)
	vmovsd	%xmm8, 232(%rsp)
	vmovsd	%xmm6, 240(%rsp)
	vmovsd	%xmm4, 248(%rsp)
	vmovsd	%xmm2, 256(%rsp)
	vmovdqa64	200(%rsp), %zmm7
	vmovdqa64	%zmm5, 520(%rsp)
	vmovdqa64	%zmm7, 584(%rsp)
	cmpq	%r13, -16(%rsp)
	je	.L306
.L220:
	testq	%r9, %r9
	je	.L307
	movq	(%r9,%r13,8), %r14
	movq	8(%r9,%r13,8), %r15
	cmpq	%r15, %r14
	jge	.L274
	vpxor	%xmm7, %xmm7, %xmm7
	movq	40(%rax), %r11
	movq	48(%rax), %rsi
	movq	%r13, (%rsp)
	vmovdqa64	%zmm7, 648(%rsp)
	movq	%rdi, %r13
	movq	%rcx, %rdi
	movq	%r14, %rcx
	vmovdqa64	%zmm7, 712(%rsp)
	.p2align 4,,10
	.p2align 3
.L167:
	movslq	(%r11,%rcx,4), %r14
	vmulsd	(%rsi,%rcx,8), %xmm26, %xmm0
	addq	$1, %rcx
	imulq	%rdx, %r14
	addq	%rdi, %r14
	vbroadcastsd	%xmm0, %zmm0
	leaq	(%r8,%r14,8), %r14
	vmulpd	(%r14), %zmm0, %zmm1
	vmulpd	64(%r14), %zmm0, %zmm0
	vaddpd	648(%rsp), %zmm1, %zmm1
	vaddpd	712(%rsp), %zmm0, %zmm0
	vmovapd	%zmm1, 136(%rsp)
	vmovapd	%zmm0, 200(%rsp)
	vmovdqa64	%zmm1, 648(%rsp)
	vmovdqa64	%zmm0, 712(%rsp)
	cmpq	%r15, %rcx
	jne	.L167
	movq	%rdi, %rcx
	movq	%r13, %rdi
	movq	(%rsp), %r13
	jmp	.L166
	.p2align 4,,10
	.p2align 3
.L169:
	vmovupd	(%rdi), %zmm5
	vmovupd	64(%rdi), %zmm2
	vaddpd	648(%rsp), %zmm5, %zmm1
	vaddpd	712(%rsp), %zmm2, %zmm0
	vmovdqa64	%zmm1, 648(%rsp)
	vmovdqa64	%zmm0, 712(%rsp)
	jmp	.L168
	.p2align 4,,10
	.p2align 3
.L306:
	vmovdqa64	392(%rsp), %zmm5
	movq	%r12, %r10
	vmovdqa64	456(%rsp), %zmm4
	movq	8(%r10), %rax
	movq	-32(%rsp), %r12
	vmovdqa64	%zmm5, 264(%rsp)
	vmovdqa64	%zmm4, 328(%rsp)
	testq	%rax, %rax
	je	.L303
	movq	%rdx, %rsi
	imulq	%r12, %rsi
	addq	%rcx, %rsi
	leaq	(%rax,%rsi,8), %rax
	vmovupd	(%rax), %zmm7
	vaddpd	520(%rsp), %zmm7, %zmm0
	vmovapd	%zmm0, 136(%rsp)
	vmovupd	64(%rax), %zmm0
	vaddpd	584(%rsp), %zmm0, %zmm0
	vmovdqa64	136(%rsp), %zmm4
	vmovapd	%zmm0, 200(%rsp)
	vmovdqa64	%zmm4, 520(%rsp)
	vmovdqa64	%zmm0, 584(%rsp)
.L303:
	movq	32(%r10), %rax
.L221:
	testq	%rax, %rax
	je	.L223
	vmovsd	528(%rsp), %xmm14
	imulq	%r12, %rdx
	vmovsd	536(%rsp), %xmm13
	vmovsd	544(%rsp), %xmm12
	vmovsd	552(%rsp), %xmm11
	vmovsd	560(%rsp), %xmm10
	vmovsd	568(%rsp), %xmm9
	vmovsd	576(%rsp), %xmm8
	addq	%rcx, %rdx
	vmovsd	584(%rsp), %xmm7
	vmovsd	592(%rsp), %xmm6
	leaq	(%rax,%rdx,8), %rax
	vmovsd	600(%rsp), %xmm5
	vmovsd	104(%rax), %xmm18
	vmovsd	88(%rax), %xmm20
	vmovsd	72(%rax), %xmm22
	vmovsd	96(%rax), %xmm19
	vmovsd	80(%rax), %xmm21
	vmovsd	64(%rax), %xmm23
	vmovsd	56(%rax), %xmm24
	vmovsd	48(%rax), %xmm25
	vmovsd	40(%rax), %xmm26
	vmovsd	32(%rax), %xmm27
	vmovsd	24(%rax), %xmm28
	vmovsd	16(%rax), %xmm29
	vmovsd	8(%rax), %xmm30
	vmovsd	608(%rsp), %xmm4
	vmovsd	(%rax), %xmm31
	vmovsd	120(%rax), %xmm16
	vmovsd	112(%rax), %xmm17
	movq	$-1, %rax
	vmovsd	616(%rsp), %xmm3
	vcomisd	%xmm14, %xmm30
	movq	%rax, %r15
	movq	%rax, %r14
	movq	%rax, %r13
	movq	%rax, %r12
	movq	%rax, %rbx
	movq	%rax, %r11
	movq	%rax, %r10
	movq	%rax, %r9
	movq	%rax, %r8
	movq	%rax, %rdi
	movq	%rax, %rsi
	movq	%rax, %rcx
	movq	%rax, %rdx
	vmovsd	%xmm31, %xmm31, %xmm0
	vmovsd	624(%rsp), %xmm2
	cmovb	272(%rsp), %r15
	vcomisd	%xmm13, %xmm29
	vmovsd	%xmm31, %xmm31, %xmm1
	cmovb	280(%rsp), %r14
	vcomisd	%xmm12, %xmm28
	cmovb	288(%rsp), %r13
	vcomisd	%xmm11, %xmm27
	cmovb	296(%rsp), %r12
	movq	%r15, 272(%rsp)
	vcomisd	%xmm10, %xmm26
	movq	%r14, 280(%rsp)
	cmovb	304(%rsp), %rbx
	vcomisd	%xmm9, %xmm25
	movq	%r13, 288(%rsp)
	cmovb	312(%rsp), %r11
	vcomisd	%xmm8, %xmm24
	movq	%r12, 296(%rsp)
	cmovb	320(%rsp), %r10
	vcomisd	%xmm7, %xmm23
	movq	%rbx, 304(%rsp)
	cmovb	328(%rsp), %r9
	vcomisd	%xmm6, %xmm22
	movq	%r11, 312(%rsp)
	cmovb	336(%rsp), %r8
	vcomisd	%xmm5, %xmm21
	movq	%r10, 320(%rsp)
	cmovb	344(%rsp), %rdi
	vcomisd	%xmm4, %xmm20
	movq	%r9, 328(%rsp)
	cmovb	352(%rsp), %rsi
	vcomisd	%xmm3, %xmm19
	movq	%r8, 336(%rsp)
	cmovb	360(%rsp), %rcx
	vcomisd	%xmm2, %xmm18
	movq	%rdi, 344(%rsp)
	cmovb	368(%rsp), %rdx
	vcomisd	632(%rsp), %xmm17
	movq	%rsi, 352(%rsp)
	movq	%rdx, (%rsp)
	movq	%rax, %rdx
	cmovb	376(%rsp), %rdx
	vcomisd	640(%rsp), %xmm16
	movq	%rcx, 360(%rsp)
	movq	%rdx, -8(%rsp)
	movq	%rax, %rdx
	cmovb	384(%rsp), %rdx
	vcomisd	520(%rsp), %xmm31
	cmovb	264(%rsp), %rax
	movq	%rax, 264(%rsp)
	movq	(%rsp), %rax
	movq	%rax, 368(%rsp)
	movq	-8(%rsp), %rax
	vmovsd	520(%rsp), %xmm15
	movq	%rdx, 384(%rsp)
	movq	%rax, 376(%rsp)
	vcmplesd	%xmm0, %xmm15, %xmm15
	vmovsd	520(%rsp), %xmm0
	vblendvpd	%xmm15, %xmm1, %xmm0, %xmm15
	vmovsd	%xmm30, %xmm30, %xmm1
	vmovsd	%xmm15, 136(%rsp)
	vcmplesd	%xmm1, %xmm14, %xmm15
	vblendvpd	%xmm15, %xmm1, %xmm14, %xmm14
	vmovsd	%xmm29, %xmm29, %xmm1
	vmovsd	%xmm14, 144(%rsp)
	vcmplesd	%xmm1, %xmm13, %xmm14
	vblendvpd	%xmm14, %xmm1, %xmm13, %xmm13
	vmovsd	%xmm28, %xmm28, %xmm1
	vmovsd	%xmm13, 152(%rsp)
	vcmplesd	%xmm1, %xmm12, %xmm13
	vblendvpd	%xmm13, %xmm1, %xmm12, %xmm12
	vmovsd	%xmm27, %xmm27, %xmm1
	vmovsd	%xmm12, 160(%rsp)
	vcmplesd	%xmm1, %xmm11, %xmm12
	vblendvpd	%xmm12, %xmm1, %xmm11, %xmm11
	vmovsd	%xmm26, %xmm26, %xmm1
	vmovsd	%xmm11, 168(%rsp)
	vcmplesd	%xmm1, %xmm10, %xmm11
	vblendvpd	%xmm11, %xmm1, %xmm10, %xmm10
	vmovsd	%xmm25, %xmm25, %xmm1
	vmovsd	%xmm10, 176(%rsp)
	vcmplesd	%xmm1, %xmm9, %xmm10
	vblendvpd	%xmm10, %xmm1, %xmm9, %xmm9
	vmovsd	%xmm24, %xmm24, %xmm1
	vmovsd	%xmm9, 184(%rsp)
	vcmplesd	%xmm1, %xmm8, %xmm9
	vblendvpd	%xmm9, %xmm1, %xmm8, %xmm8
	vmovsd	%xmm23, %xmm23, %xmm1
	vmovsd	%xmm8, 192(%rsp)
	vcmplesd	%xmm1, %xmm7, %xmm8
	vblendvpd	%xmm8, %xmm1, %xmm7, %xmm7
	vmovsd	%xmm22, %xmm22, %xmm1
	vmovsd	%xmm7, 200(%rsp)
	vmovsd	%xmm22, %xmm22, %xmm7
	vcmplesd	%xmm7, %xmm6, %xmm7
	vblendvpd	%xmm7, %xmm1, %xmm6, %xmm6
	vmovsd	%xmm21, %xmm21, %xmm7
	vmovsd	%xmm6, 208(%rsp)
	vcmplesd	%xmm7, %xmm5, %xmm6
	vblendvpd	%xmm6, %xmm7, %xmm5, %xmm5
	vmovsd	%xmm20, %xmm20, %xmm7
	vmovsd	%xmm5, 216(%rsp)
	vmovsd	%xmm20, %xmm20, %xmm5
	vcmplesd	%xmm5, %xmm4, %xmm5
	vblendvpd	%xmm5, %xmm7, %xmm4, %xmm4
	vmovsd	%xmm19, %xmm19, %xmm5
	vmovsd	632(%rsp), %xmm7
	vmovsd	%xmm4, 224(%rsp)
	vcmplesd	%xmm5, %xmm3, %xmm4
	vblendvpd	%xmm4, %xmm5, %xmm3, %xmm3
	vmovsd	%xmm18, %xmm18, %xmm5
	vmovsd	%xmm3, 232(%rsp)
	vmovsd	%xmm18, %xmm18, %xmm3
	vcmplesd	%xmm3, %xmm2, %xmm3
	vblendvpd	%xmm3, %xmm5, %xmm2, %xmm2
	vmovsd	%xmm17, %xmm17, %xmm3
	vmovsd	640(%rsp), %xmm5
	vmovsd	%xmm2, 240(%rsp)
	vcmplesd	%xmm3, %xmm7, %xmm2
	vblendvpd	%xmm2, %xmm3, %xmm7, %xmm1
	vmovsd	%xmm16, %xmm16, %xmm3
	vmovdqa64	136(%rsp), %zmm7
	vmovsd	%xmm1, 248(%rsp)
	vcmplesd	%xmm3, %xmm5, %xmm1
	vmovdqa64	%zmm7, 520(%rsp)
	vblendvpd	%xmm1, %xmm3, %xmm5, %xmm0
	vmovsd	%xmm0, 256(%rsp)
	vmovdqa64	200(%rsp), %zmm5
	vmovdqa64	%zmm5, 584(%rsp)
	jmp	.L223
	.p2align 4,,10
	.p2align 3
.L274:
	vpxor	%xmm0, %xmm0, %xmm0
	vmovdqa64	%zmm0, 648(%rsp)
	vmovdqa64	%zmm0, 712(%rsp)
	jmp	.L166
.L304:
	vmovsd	.LC7(%rip), %xmm0
	vmovsd	%xmm0, 520(%rsp)
	vmovsd	%xmm0, 528(%rsp)
	vmovsd	%xmm0, 536(%rsp)
	vmovsd	%xmm0, 544(%rsp)
	vmovsd	%xmm0, 552(%rsp)
	vmovsd	%xmm0, 560(%rsp)
	vmovsd	%xmm0, 568(%rsp)
	vmovsd	%xmm0, 576(%rsp)
	vmovsd	%xmm0, 584(%rsp)
	vmovsd	%xmm0, 592(%rsp)
	vmovsd	%xmm0, 600(%rsp)
	vmovsd	%xmm0, 608(%rsp)
	vmovsd	%xmm0, 616(%rsp)
	vmovsd	%xmm0, 624(%rsp)
	vmovsd	%xmm0, 632(%rsp)
	vmovsd	%xmm0, 640(%rsp)
	jmp	.L221
.L305:
	vpxor	%xmm0, %xmm0, %xmm0
	vmovdqa64	%zmm0, 520(%rsp)
	vmovdqa64	%zmm0, 584(%rsp)
	jmp	.L223
	.cfi_endproc
.LFE1522:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi,"axG",@progbits,_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.type	_ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, @function
_ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi:
.LFB1523:
	.cfi_startproc
	pushq	%r15
	.cfi_def_cfa_offset 16
	.cfi_offset 15, -16
	movq	%rdx, %rax
	movq	%rcx, %r11
	pushq	%r14
	.cfi_def_cfa_offset 24
	.cfi_offset 14, -24
	pushq	%r13
	.cfi_def_cfa_offset 32
	.cfi_offset 13, -32
	pushq	%r12
	.cfi_def_cfa_offset 40
	.cfi_offset 12, -40
	pushq	%rbp
	.cfi_def_cfa_offset 48
	.cfi_offset 6, -48
	movq	%r9, %rbp
	pushq	%rbx
	.cfi_def_cfa_offset 56
	.cfi_offset 3, -56
	movq	16(%rdi), %rdx
	movq	(%rsi), %rcx
	vmovsd	40(%rsi), %xmm2
	movq	(%rdx,%rax,8), %r12
	movq	8(%rdx,%rax,8), %r13
	cmpq	%r13, %r12
	jl	.L361
	jne	.L338
	movq	32(%rsi), %rdx
	testq	%rdx, %rdx
	je	.L362
	imulq	%rcx, %rax
	movl	$-1, %r12d
	addq	%r11, %rax
	movq	(%rdx,%rax,8), %rax
	jmp	.L331
	.p2align 4,,10
	.p2align 3
.L361:
	movq	32(%rdi), %r15
	movq	16(%rsi), %rdx
	cmpq	$1, %rcx
	jne	.L363
	leaq	(%rdx,%r11,8), %r9
	movq	%rdi, %r14
	movq	%rcx, -8(%rsp)
	movq	%r12, %r10
	vmovq	%r9, %xmm4
	movq	%r13, %rdi
	movq	%rdx, %r9
	movq	%r12, %rdx
	vmovsd	.LC7(%rip), %xmm3
	jmp	.L329
	.p2align 4,,10
	.p2align 3
.L365:
	movq	24(%r14), %rcx
	movslq	(%rcx,%r10,4), %rbx
	addq	%r11, %rbx
	vmulsd	(%r8,%rbx,8), %xmm2, %xmm1
.L321:
	testq	%r9, %r9
	je	.L323
	cmpb	$0, 24(%rsi)
	je	.L324
	vaddsd	(%r9,%r10,8), %xmm1, %xmm1
.L323:
	vcomisd	%xmm3, %xmm1
	vmaxsd	%xmm3, %xmm1, %xmm3
	cmova	%r10, %rdx
	addq	$1, %r10
	cmpq	%r10, %rdi
	je	.L364
.L329:
	testq	%r15, %r15
	je	.L365
	movq	(%r15,%r10,8), %rbx
	movq	8(%r15,%r10,8), %r13
	cmpq	%rbx, %r13
	jle	.L337
	movq	40(%r14), %r12
	movq	48(%r14), %rcx
	movq	%rdx, -16(%rsp)
	movq	%r13, %rdx
	vxorpd	%xmm1, %xmm1, %xmm1
	.p2align 4,,10
	.p2align 3
.L322:
	movslq	(%r12,%rbx,4), %r13
	vmulsd	(%rcx,%rbx,8), %xmm2, %xmm0
	addq	$1, %rbx
	addq	%r11, %r13
	vmulsd	(%r8,%r13,8), %xmm0, %xmm0
	vaddsd	%xmm0, %xmm1, %xmm1
	cmpq	%rdx, %rbx
	jne	.L322
	movq	-16(%rsp), %rdx
	jmp	.L321
	.p2align 4,,10
	.p2align 3
.L324:
	vmovq	%xmm4, %rcx
	vaddsd	(%rcx,%r10,8), %xmm1, %xmm1
	jmp	.L323
	.p2align 4,,10
	.p2align 3
.L364:
	movq	-8(%rsp), %rcx
	movq	%rdx, %r12
.L319:
	movq	8(%rsi), %rdi
	testq	%rdi, %rdi
	je	.L330
	movq	%rcx, %rdx
	imulq	%rax, %rdx
	addq	%r11, %rdx
	vaddsd	(%rdi,%rdx,8), %xmm3, %xmm3
.L330:
	movq	32(%rsi), %rdx
	testq	%rdx, %rdx
	je	.L366
.L334:
	imulq	%rcx, %rax
	vmovq	%xmm3, %rdi
	addq	%r11, %rax
	movq	(%rdx,%rax,8), %rax
	movl	$-1, %edx
	vmovq	%rax, %xmm0
	vcomisd	%xmm3, %xmm0
	cmovnb	%rax, %rdi
	cmovnb	%edx, %r12d
	movq	%rdi, %rax
.L331:
	movq	%rax, 0(%rbp)
	movq	56(%rsp), %rax
	movl	%r12d, (%rax)
	popq	%rbx
	.cfi_remember_state
	.cfi_def_cfa_offset 48
	popq	%rbp
	.cfi_def_cfa_offset 40
	popq	%r12
	.cfi_def_cfa_offset 32
	popq	%r13
	.cfi_def_cfa_offset 24
	popq	%r14
	.cfi_def_cfa_offset 16
	popq	%r15
	.cfi_def_cfa_offset 8
	ret
.L337:
	.cfi_restore_state
	vxorpd	%xmm1, %xmm1, %xmm1
	jmp	.L321
.L366:
	vmovq	%xmm3, %rax
	jmp	.L331
.L338:
	movq	32(%rsi), %rdx
	movq	$-2, %r12
	vmovsd	.LC7(%rip), %xmm3
	testq	%rdx, %rdx
	jne	.L334
	jmp	.L366
.L363:
	movq	%r12, %r10
	vmovq	%rsi, %xmm4
	movq	%r15, %r9
	movq	%rdi, %rsi
	imulq	%rcx, %r10
	vmovq	%rbp, %xmm6
	movq	%r13, %rdi
	vmovsd	.LC7(%rip), %xmm3
	leaq	0(,%rcx,8), %rbx
	vmovq	%rbx, %xmm5
	movq	%r12, %rbx
	addq	%r11, %r10
	vmovq	%xmm5, %rbp
	vmovq	%rax, %xmm5
	movq	%rdx, %rax
	leaq	(%rdx,%r10,8), %r14
	movq	%r12, %rdx
	movq	%r14, %r12
	jmp	.L318
	.p2align 4,,10
	.p2align 3
.L368:
	movq	24(%rsi), %r10
	movslq	(%r10,%rbx,4), %r10
	imulq	%rcx, %r10
	addq	%r11, %r10
	vmulsd	(%r8,%r10,8), %xmm2, %xmm1
.L312:
	testq	%rax, %rax
	je	.L314
	vmovq	%xmm4, %r14
	cmpb	$0, 24(%r14)
	je	.L315
	vaddsd	(%rax,%rbx,8), %xmm1, %xmm1
.L314:
	vcomisd	%xmm3, %xmm1
	vmaxsd	%xmm3, %xmm1, %xmm3
	cmova	%rbx, %rdx
	addq	$1, %rbx
	addq	%rbp, %r12
	cmpq	%rbx, %rdi
	je	.L367
.L318:
	testq	%r9, %r9
	je	.L368
	movq	(%r9,%rbx,8), %r10
	movq	8(%r9,%rbx,8), %r14
	cmpq	%r14, %r10
	jge	.L335
	movq	40(%rsi), %r15
	movq	48(%rsi), %r13
	movq	%rdx, -16(%rsp)
	movq	%r10, %rdx
	vxorpd	%xmm1, %xmm1, %xmm1
	.p2align 4,,10
	.p2align 3
.L313:
	movslq	(%r15,%rdx,4), %r10
	vmulsd	0(%r13,%rdx,8), %xmm2, %xmm0
	addq	$1, %rdx
	imulq	%rcx, %r10
	addq	%r11, %r10
	vmulsd	(%r8,%r10,8), %xmm0, %xmm0
	vaddsd	%xmm0, %xmm1, %xmm1
	cmpq	%r14, %rdx
	jne	.L313
	movq	-16(%rsp), %rdx
	jmp	.L312
	.p2align 4,,10
	.p2align 3
.L315:
	vaddsd	(%r12), %xmm1, %xmm1
	jmp	.L314
.L367:
	movq	%rdx, %r12
	vmovq	%xmm4, %rsi
	vmovq	%xmm5, %rax
	vmovq	%xmm6, %rbp
	jmp	.L319
.L362:
	xorl	%eax, %eax
	movl	$-2, %r12d
	jmp	.L331
.L335:
	vxorpd	%xmm1, %xmm1, %xmm1
	jmp	.L312
	.cfi_endproc
.LFE1523:
	.size	_ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi, .-_ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi
	.section	.text._ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,"axG",@progbits,_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.weak	_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi
	.type	_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi, @function
_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi:
.LFB1419:
	.cfi_startproc
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIfLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rax
	cmpl	$1, %edi
	je	.L369
	cmpl	$8, %edi
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIfLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rax
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIfLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rdx
	cmove	%rdx, %rax
.L369:
	ret
	.cfi_endproc
.LFE1419:
	.size	_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi, .-_ZN8torchvin18update_node_avx512IfEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi
	.section	.text._ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,"axG",@progbits,_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi,comdat
	.p2align 4
	.weak	_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi
	.type	_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi, @function
_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi:
.LFB1420:
	.cfi_startproc
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIdLi1EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rax
	cmpl	$1, %edi
	je	.L374
	cmpl	$8, %edi
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIdLi16EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rax
	leaq	_ZN8torchvin12_GLOBAL__N_16updateIdLi8EEEvRKNS_3WebIT_EERKNS_7RewardsIS3_EEllPKS3_PS3_Pi(%rip), %rdx
	cmove	%rdx, %rax
.L374:
	ret
	.cfi_endproc
.LFE1420:
	.size	_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi, .-_ZN8torchvin18update_node_avx512IdEEPFvRKNS_3WebIT_EERKNS_7RewardsIS2_EEllPKS2_PS2_PiEi
	.section	.rodata.cst4,"aM",@progbits,4
	.align 4
.LC1:
	.long	-8388608
	.section	.rodata.cst8,"aM",@progbits,8
	.align 8
.LC7:
	.long	0
	.long	-1048576
	.set	.LC9,.LC10
	.section	.rodata
	.align 64
.LC10:
	.long	0
	.long	2
	.long	4
	.long	6
	.long	8
	.long	10
	.long	12
	.long	14
	.long	16
	.long	18
	.long	20
	.long	22
	.long	24
	.long	26
	.long	28
	.long	30
	.ident	"GCC: (Debian 12.2.0-14+deb12u1) 12.2.0"
	.section	.note.GNU-stack,"",@progbits
