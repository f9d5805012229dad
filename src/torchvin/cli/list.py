"""`torchvin list`: what there is, by name. Nothing here imports torch, which takes seconds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchvin.training.config import RunConfig

#: The summaries of `maps.formats.map_file.FORMATS` and of `planning.kernels.registry.BACKENDS`, whose modules import
#: torch; a test compares them.
MAP_FORMATS = {
    ".map": "MovingAI map",
    ".yaml": "ROS map_server map",
    ".yml": "ROS map_server map",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".pgm", ".bmp"), "image"),
    ".npy": "NumPy array",
}
KERNELS = {
    "cpu": "C++ with SIMD, all iterations in cache, 5 bytes per cell and iteration kept",
    "triton": "all iterations of a small map in one launch, 5 bytes per cell and iteration kept",
    "reference": "plain PyTorch, any device and dtype; defines the semantics",
}


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin list`."""

    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Gather the registries and print them."""
    from torchvin.architectures.registry import architectures
    from torchvin.cli.output import print_entries, print_json
    from torchvin.data.generators import FROM_FILES, GENERATORS
    from torchvin.mdp.environment_ids import IDS
    from torchvin.mdp.motion import MOTION_MODELS
    from torchvin.pretrained.config_file import read_config
    from torchvin.pretrained.shipped import shipped_folders
    from torchvin.training.presets import PRESETS

    weights = {name: _of_weights(read_config(folder)[0]) for name, folder in shipped_folders().items()}
    presets = {name: _of_preset(config) for name, config in PRESETS.items()}
    content = {
        "environments": {
            name: ", ".join(f"{key} {value}" for key, value in given.items()) for name, given in IDS.items()
        },
        "presets": presets,
        "weights": weights,
        "architectures": {name: kind.summary for name, kind in architectures().items()},
        "generators": {name: generator.summary for name, generator in GENERATORS.items()},
        "maps from files": dict.fromkeys(
            FROM_FILES, "overhead images of a global mosaic (torchvin data --from FOLDER)"
        ),
        "motion models": {name: ", ".join(moves.names) for name, moves in MOTION_MODELS.items()},
        "map formats": MAP_FORMATS,
        "kernels": KERNELS,
    }
    if arguments.json:
        print_json(content)
        return
    for kind, entries in content.items():
        print_entries(kind, entries)


def _of_weights(described: dict[str, Any]) -> str:
    """Architecture and success of weights, from their `config.json`."""
    from torchvin.architectures.registry import CONTROL_MODULES, WEB_MODULES
    from torchvin.cli.output import percent

    kind, scores = described["policy"]["architecture"], described["record"]["validation"]
    if kind in CONTROL_MODULES:
        return f"{kind}, {percent(scores['success_rate'])} of its training arenas"
    of_what = "walks to its validation pages" if kind in WEB_MODULES else "all states of its validation maps"
    rate = scores.get("all_states_success_rate", scores["success_rate"])
    return f"{kind}, {percent(rate)} of {of_what}"


def _of_preset(config: "RunConfig") -> str:
    """Architecture, data and length of a training."""
    from torchvin.architectures.registry import WEB_MODULES, architecture_of

    name, data = architecture_of(config.policy).name, config.data
    if name in WEB_MODULES:
        return f"{name}, pages of a web, {config.training.epochs} epochs"
    number = data.maps if config.training.method == "imitation" else "fresh"
    return (
        f"{name}, {number} maps of {data.height}x{data.width} ({data.kind}, {data.motion}), "
        f"{config.training.epochs} epochs"
    )
