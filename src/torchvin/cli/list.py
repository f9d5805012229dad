"""`torchvin list`: what there is, by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin list`."""

    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Gather the registries and print them."""
    from torchvin.architectures.registry import architecture_of, architectures
    from torchvin.cli.output import percent, print_entries, print_json
    from torchvin.data.draw import GENERATORS
    from torchvin.envs import IDS
    from torchvin.maps.formats.map_file import FORMATS
    from torchvin.mdp.motion import MOTION_MODELS
    from torchvin.planning.kernels.registry import BACKENDS
    from torchvin.pretrained.store import available, load_config, load_record
    from torchvin.training.config import PRESETS

    weights = {}
    for name in available():
        config, record = load_config(name), load_record(name)
        rate = record["validation"]["all_states_success_rate"]
        weights[name] = f"{architecture_of(config).name}, {percent(rate)} of all states of its validation maps"
    presets = {
        name: f"{architecture_of(config.policy).name}, "
        f"{config.data.maps if config.training.method == 'imitation' else 'fresh'} maps of "
        f"{config.data.height}x{config.data.width} "
        f"({config.data.kind}, {config.data.motion}), {config.training.epochs} epochs"
        for name, config in PRESETS.items()
    }
    content = {
        "environments": {
            name: ", ".join(f"{key} {value}" for key, value in given.items()) for name, given in IDS.items()
        },
        "presets": presets,
        "weights": weights,
        "architectures": {name: kind.summary for name, kind in architectures().items()},
        "generators": {name: generator.summary for name, generator in GENERATORS.items()},
        "motion models": {name: ", ".join(moves.names) for name, moves in MOTION_MODELS.items()},
        "map formats": {name: format.summary for name, format in FORMATS.items()},
        "kernels": {name: backend.summary for name, backend in BACKENDS.items()},
    }
    if arguments.json:
        print_json(content)
        return
    for kind, entries in content.items():
        print_entries(kind, entries)
