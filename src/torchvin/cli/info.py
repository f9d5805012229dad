"""`torchvin info`: versions, devices, threads, and which kernels work here and why others do not."""

import platform
from dataclasses import dataclass
from importlib import metadata

_LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "accelerate",
    "safetensors",
    "matplotlib",
    "tensorboard",
    "gymnasium",
    "stable-baselines3",
)


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin info`."""

    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Look and print."""
    import torch

    import torchvin
    from torchvin.cli.output import print_json, print_table
    from torchvin.planning.kernels.registry import BACKENDS

    versions = {"torchvin": torchvin.__version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = "not installed"
    devices = [f"cpu ({platform.processor() or platform.machine()})"]
    devices += [f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())]
    kernels = {name: backend.why_not(None) or "works" for name, backend in BACKENDS.items()}
    if arguments.json:
        print_json({"versions": versions, "devices": devices, "threads": torch.get_num_threads(), "kernels": kernels})
        return
    print_table(("library", "version"), list(versions.items()))
    print(f"devices: {', '.join(devices)}\nthreads: {torch.get_num_threads()}")
    rows = [(name, kernels[name], backend.summary) for name, backend in BACKENDS.items()]
    print_table(("kernel", "here", "what it is"), rows)
