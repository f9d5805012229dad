"""What runs on the GPU: the programs behind `triton`, in Triton's language. Arrays are contiguous.

A program plans one map, or one tile of a large map with a halo around it. V lies in the program's scratch, one plane
for each orientation, with a border of zeros: neighbours are loaded without a question. O, A and F are the reference's.

Sizes are run-time numbers that Triton must not specialize on: a program is compiled once for A, O, F and the size of
a block. Numbers that a program holds for all its cells, such as the weights of the kernel, are tuples of registers.

`programs.graph` is for plans on graphs, and is loaded by these alone.
"""

from torchvin.planning.kernels.triton.programs.backward import backward_kernel as backward_kernel
from torchvin.planning.kernels.triton.programs.backward import reduction_kernel as reduction_kernel
from torchvin.planning.kernels.triton.programs.forward import forward_kernel as forward_kernel
