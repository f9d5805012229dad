"""From data to its task: what `torchvin.train` takes beside a task of the caller's own."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torchvin.architectures.registry import WEB_MODULES, architecture_of
from torchvin.errors import InputError
from torchvin.maps.generators.arena_config import ARENA
from torchvin.tasks.task import Task
from torchvin.training.config import RunConfig

Wrapper = Callable[[Any, RunConfig], Task]
#: Modules of this package that register what they wrap; imported when first needed.
MODULES = ("gridworld", "reinforcement", "terrain", "control", "web_reinforcement")
_WRAPPERS: dict[type, Wrapper] = {}


def register_task(data: type, wrap: Wrapper) -> None:
    """Let `torchvin.train` take data of a class: `wrap(data, config)` makes its task."""
    _WRAPPERS[data] = wrap


def as_task(data: Any, config: RunConfig) -> Task:
    """The task of `data`; a task as it is.

    Raises: InputError for data that no task takes.
    """
    if isinstance(data, Task):
        return data
    for module in MODULES:
        importlib.import_module(f"torchvin.tasks.{module}")
    for kind in type(data).__mro__:  # the most special first
        if kind in _WRAPPERS:
            return _WRAPPERS[kind](data, config)
    raise InputError(f"expected a data set or a Task to learn from, got {type(data).__name__}.")


def training_data(config: RunConfig, path: Path | None) -> Any:
    """What a run of this configuration learns from: a data set (imitation), a source of maps (reinforcement), or a web.

    Args:
        config: of the run.
        path: of a file or folder of maps, or of the folder of a web; fresh ones by the configuration if not given.

    Raises: InputError.
    """
    if architecture_of(config.policy).name in WEB_MODULES:
        from torchvin.tasks.webnav import training_web

        return training_web(config, path)
    from torchvin.tasks.gridworld import training_maps
    from torchvin.tasks.reinforcement import map_source

    if config.data.kind == ARENA:
        if path is not None:
            raise InputError(f"arenas are drawn, not read: leave out --data {path}.")
        from torchvin.tasks.control import training_arenas

        return training_arenas(config)
    if config.training.method == "imitation":
        return training_maps(config, path)
    return map_source(config, None if path is None else training_maps(config, path))
