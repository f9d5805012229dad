"""Compiles the graph programs for an H100, which needs no GPU, and prints their names; run by test_graph_triton.py."""

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from torchvin.planning.kernels.triton.programs import graph as graph_programs

TYPES = {
    **dict.fromkeys(("k", "nodes", "edge_stride"), "i32"),
    **dict.fromkeys(("targets", "choices", "in_sources", "in_edges"), "*i32"),
    **dict.fromkeys(("offsets", "outcomes", "limits", "in_offsets", "outcome_edges"), "*i64"),
}


def main() -> None:
    """Compile both programs, for certain edges and for uncertain ones."""
    for uncertain in (False, True):
        for program in (graph_programs.update_kernel, graph_programs.gradient_kernel):
            names = program.arg_names
            constants = {name: name != "UNCERTAIN" or uncertain for name in names if name.isupper()}
            constants["NODES"] = 128
            signature = {name: "constexpr" if name in constants else TYPES.get(name, "*fp64") for name in names}
            source = ASTSource(program, signature, {(names.index(name),): value for name, value in constants.items()})
            built = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"enable_fp_fusion": False})
            assert "st.global" in built.asm["ptx"]
            print(program.__name__)


if __name__ == "__main__":
    main()
