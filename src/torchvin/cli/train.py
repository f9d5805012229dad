"""`torchvin train`: a preset, a file of maps or fresh ones, a folder for the run."""

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from torchvin.architectures.registry import architecture
from torchvin.policies.config import ArchitectureConfig
from torchvin.training.config import RunConfig
from torchvin.training.presets import preset


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin train`."""

    out: Path
    """Folder of the run: weights, config, history, checkpoint, figures."""
    config: Annotated[RunConfig, tyro.conf.arg(name="")]
    preset: str = "gridworld-16"
    """Where the other options take their defaults; `torchvin list` names the presets."""
    architecture: str | None = None
    """Architecture in place of the preset's, with its own --policy options; `torchvin list` names them."""
    data: Path | None = None
    """Our .npz, that of another project (GPPN, Neural A*, kentsommer: its training split), the authors' training .mat
    (its first 6/7), a folder of map files, or (webnav) the folder of a web; fresh maps if not given."""
    resume: bool = False
    """Go on with the run in --out, bit for bit; begin it if there is none."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs: cpu, cuda, or auto (the GPU if there is one)."""
    json: bool = False
    """Print one JSON object on the last line."""


def defaults(rest: Sequence[str]) -> Arguments:
    """The defaults of all options: those of the preset and the architecture that `rest` names."""
    named = {"--preset": Arguments.preset, "--architecture": ""}
    for index, token in enumerate(rest):
        flag, _, value = token.partition("=")
        if flag in named:
            named[flag] = value or (rest[index + 1] if index + 1 < len(rest) else named[flag])
    config = preset(named["--preset"])
    if named["--architecture"]:
        config = replace(config, policy=_for_the_task(architecture(named["--architecture"]).config, config))
    arguments = Arguments(out=Path(), config=config, preset=named["--preset"])
    object.__setattr__(arguments, "out", tyro.MISSING)  # tyro's mark of an option without a default, which is no Path
    return arguments


def _for_the_task(chosen: type[ArchitectureConfig], preset: RunConfig) -> ArchitectureConfig:
    """The defaults of an architecture, with the actions, orientations, terrains and sizes of a preset's task."""
    task = {name: getattr(preset.policy, name) for name in ("num_actions", "num_orientations", "num_terrains")}
    task |= {"height": preset.data.height, "width": preset.data.width}
    return chosen(**{field.name: task[field.name] for field in fields(chosen) if field.name in task})


def run(arguments: Arguments) -> None:
    """Train and say how well it went."""
    from torchvin.cli.output import print_json
    from torchvin.devices import choose_device
    from torchvin.io.files import check_writable
    from torchvin.plotting.curves import plot_history
    from torchvin.tasks.registry import training_data
    from torchvin.training.run import CHECKPOINT_FILE
    from torchvin.training.trainer import train

    choose_device(arguments.device)  # before the maps are drawn
    check_writable(arguments.out / CHECKPOINT_FILE)
    began = time.perf_counter()
    data = training_data(arguments.config, arguments.data)
    data_seconds = time.perf_counter() - began
    record = {
        "command": shlex.join(["torchvin", *sys.argv[1:]]),
        "data": arguments.data.name if arguments.data else "generated",
    }
    trained = train(
        arguments.config, data, arguments.out, resume=arguments.resume, record=record, device=arguments.device
    )
    if not trained.main_process:
        return
    plot_history(trained.history, arguments.out / "history.png")
    if arguments.json:
        print_json(
            {
                "maps": len(data) if hasattr(data, "__len__") else trained.policy.record["maps"],
                "epochs": len(trained.history),
                "seconds": trained.seconds,
                "data_seconds": data_seconds,
                **trained.outcome,
                "weights": str(arguments.out),
            }
        )
    else:
        print(
            f"{arguments.out}: data in {data_seconds:.0f} s, {len(trained.history)} epochs in {trained.seconds:.0f} s; "
            f"{trained.sentence}"
        )
