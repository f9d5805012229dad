"""`torchvin list`: what there is, by name. Nothing here imports torch, which takes seconds."""

from dataclasses import dataclass

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
    from torchvin.architectures.registry import WEB_MODULES, architecture_of, architectures
    from torchvin.cli.output import percent, print_entries, print_json
    from torchvin.data.generators import GENERATORS
    from torchvin.mdp.environment_ids import IDS, WEB_IDS
    from torchvin.mdp.motion import MOTION_MODELS
    from torchvin.pretrained.config_file import read_config
    from torchvin.pretrained.shipped import shipped_folders
    from torchvin.training.config import PRESETS

    weights = {}
    for name, folder in shipped_folders().items():
        described, _ = read_config(folder)
        rate = described["record"]["validation"]["all_states_success_rate"]
        kind = described["policy"]["architecture"]
        of_what = "walks to its validation pages" if kind in WEB_MODULES else "all states of its validation maps"
        weights[name] = f"{kind}, {percent(rate)} of {of_what}"
    presets = {
        name: f"{architecture_of(config.policy).name}, pages of a web, {config.training.epochs} epochs"
        if architecture_of(config.policy).name in WEB_MODULES
        else f"{architecture_of(config.policy).name}, "
        f"{config.data.maps if config.training.method == 'imitation' else 'fresh'} maps of "
        f"{config.data.height}x{config.data.width} "
        f"({config.data.kind}, {config.data.motion}), {config.training.epochs} epochs"
        for name, config in PRESETS.items()
    }
    content = {
        "environments": {
            name: ", ".join(f"{key} {value}" for key, value in given.items()) for name, given in (IDS | WEB_IDS).items()
        },
        "presets": presets,
        "weights": weights,
        "architectures": {name: kind.summary for name, kind in architectures().items()},
        "generators": {name: generator.summary for name, generator in GENERATORS.items()},
        "motion models": {name: ", ".join(moves.names) for name, moves in MOTION_MODELS.items()},
        "map formats": MAP_FORMATS,
        "kernels": KERNELS,
    }
    if arguments.json:
        print_json(content)
        return
    for kind, entries in content.items():
        print_entries(kind, entries)
