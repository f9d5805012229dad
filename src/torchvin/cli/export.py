"""`torchvin export`: weights as an ONNX model, for a robot or a browser that has no PyTorch."""

from dataclasses import dataclass
from pathlib import Path

from torchvin.errors import InputError


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin export`."""

    weights: str
    """Name of shipped weights, or the folder of a run."""
    out: Path
    """File to write, .onnx."""
    iterations: int | None = None
    """K, which the model holds fixed; chosen for --size if not given."""
    size: tuple[int, int] = (16, 16)
    """Rows and columns of the largest maps that K must suffice for; the model takes other sizes as well."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Load, export, print."""
    from torchvin.cli.output import print_json
    from torchvin.export import to_onnx
    from torchvin.io.files import check_writable
    from torchvin.pretrained.store import load_policy

    if arguments.out.suffix != ".onnx":
        raise InputError(f"--out must end in .onnx, got {arguments.out}.")
    if arguments.iterations is not None and arguments.iterations < 1:
        raise InputError(f"--iterations must be at least 1, got {arguments.iterations}.")
    if min(arguments.size) < 2:
        raise InputError(f"--size must be at least 2 2, got {arguments.size[0]} {arguments.size[1]}.")
    check_writable(arguments.out)
    policy = load_policy(arguments.weights)
    iterations = to_onnx(policy, arguments.out, num_iterations=arguments.iterations, size=arguments.size)
    size = arguments.out.stat().st_size
    if arguments.json:
        print_json({"out": str(arguments.out), "iterations": iterations, "bytes": size})
        return
    plan = f"K = {iterations}, any size of map" if iterations else "no plan, one size of map"
    print(f"{arguments.out}: {plan}, {size / 1e3:.0f} kB; observation [B, C, H, W] -> logits [B, A, H, W]")
