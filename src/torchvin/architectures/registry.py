"""Architectures by name: from a configuration to a network, and from JSON to a configuration.

A user's own architecture is registered in the same way as ours. The command line and weight files then know it.
"""

import dataclasses
import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from torchvin.errors import InputError, unknown_name
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.fields import check_hints

if TYPE_CHECKING:  # names and configurations need no torch
    from torchvin.policies.policy import Policy

Config = TypeVar("Config", bound=ArchitectureConfig)


@dataclass(frozen=True)
class Architecture:
    """One architecture.

    Attributes:
        name: in weight files and on the command line.
        config: class of its configuration, a frozen dataclass.
        build: from a configuration to a network with fresh weights, drawn from torch's global generator.
        summary: one line for `torchvin list`.
    """

    name: str
    config: type[ArchitectureConfig]
    build: Callable[[Any], "Policy"]
    summary: str


#: Our own architectures that see maps. Each is in the module of its name, which is imported when it is first needed.
MODULES = ("normalized", "shortest_path", "paper", "hierarchical", "gppn", "dynamic", "cnn", "fcn")
#: Those that see overhead images.
IMAGE_MODULES = ("terrain", "terrain_cnn", "terrain_classifier")
#: Those that push a body through an arena.
CONTROL_MODULES = ("control", "control_cnn", "control_mlp")
#: Those that see webs of pages.
WEB_MODULES = ("webnav", "webnav_reactive")
_OURS = (*MODULES, *IMAGE_MODULES, *CONTROL_MODULES, *WEB_MODULES)
_REGISTERED: dict[str, Architecture] = {}
#: The users' functions that have built a policy in this process, by name.
_BUILDERS: dict[str, Callable[[Any], "Policy"]] = {}


def register_architecture(
    name: str, config: type[Config], build: Callable[[Config], "Policy"], *, summary: str = ""
) -> None:
    """Register an architecture, so that `torchvin.train` and `torchvin.load_policy` can build it by name.

    Args:
        name: in weight files; a name that another configuration has is refused.
        config: class of the configuration: a frozen dataclass derived from `ArchitectureConfig`, whose fields are
            numbers, texts, and tuples of these, because weight files hold them as JSON.
        build: from such a configuration to a network.
        summary: one line for `torchvin list`.

    Raises: InputError if another configuration has this name, or the class is no such dataclass.

    >>> @dataclass(frozen=True)
    ... class LinearConfig(ArchitectureConfig):
    ...     scale: float = 1.0
    >>> register_architecture("linear", LinearConfig, lambda config: Linear(config.scale))  # doctest: +SKIP
    """
    # Without the decorator a subclass has the fields of its base only, and its own would not be stored.
    own_fields = isinstance(config, type) and issubclass(config, ArchitectureConfig) and vars(config)
    if not own_fields or "__dataclass_fields__" not in own_fields:
        raise InputError(
            f"architecture {name!r}: its configuration must be a dataclass derived from ArchitectureConfig; decorate "
            "the class with @dataclass(frozen=True)."
        )
    check_hints(config)
    module = f"{__package__}.{name}"
    if name in _OURS and config.__module__ != module:
        importlib.import_module(module)  # registers ours, if it was not needed yet
    known = _REGISTERED.get(name)
    if known is not None and _where(known.config) != _where(config):  # a module may be loaded a second time
        raise InputError(
            f"the architecture {name!r} is registered already, with {known.config.__name__}; choose another name."
        )
    _REGISTERED[name] = Architecture(name, config, build, summary)


def _where(config: type) -> tuple[str, str]:
    """File and name of a class: one file may be loaded under two module names, for example as a script."""
    module = sys.modules.get(config.__module__)
    return getattr(module, "__file__", None) or config.__module__, config.__qualname__


def architectures() -> dict[str, Architecture]:
    """All architectures by name, ours first.

    >>> list(architectures())[:2]
    ['normalized', 'shortest_path']
    """
    for module in _OURS:
        importlib.import_module(f"torchvin.architectures.{module}")
    names = [*_OURS, *(name for name in _REGISTERED if name not in _OURS)]
    return {name: _REGISTERED[name] for name in names}


def architecture(name: str) -> Architecture:
    """The architecture of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in _REGISTERED:
        if name not in _OURS:
            raise unknown_name("architecture", name, architectures())
        importlib.import_module(f"torchvin.architectures.{name}")
    return _REGISTERED[name]


def architecture_of(config: ArchitectureConfig) -> Architecture:
    """The architecture that a configuration belongs to.

    Raises: InputError if it is not registered.
    """
    for known in architectures().values():
        if known.config is type(config):
            return known
    raise InputError(
        f"{type(config).__name__} belongs to no architecture; make it known with torchvin.register_architecture."
    )


def build_policy(config: ArchitectureConfig) -> "Policy":
    """Build a policy with fresh weights, drawn from torch's global generator.

    Raises: InputError if the configuration belongs to no architecture.

    >>> from torchvin.architectures.paper import PaperConfig
    >>> sum(parameter.numel() for parameter in build_policy(PaperConfig()).parameters())
    3260
    """
    policy = architecture_of(config).build(config)
    policy.config = config
    return policy


def build_with(build: Callable[[Any], "Policy"], config: ArchitectureConfig) -> "Policy":
    """Build a policy by a user's function. The weight file then holds its name.

    To load such weights, give the function again (`load_policy(folder, build=build)`), unless this process has used it.
    """
    if build is build_policy:
        return build_policy(config)
    policy = build(config)
    policy.config = config
    policy.builder = name_of(build)
    _BUILDERS[policy.builder] = build
    return policy


def known_builder(name: str) -> Callable[[Any], "Policy"]:
    """The user's function of this name.

    Raises: InputError if it has built no policy in this process.
    """
    if name not in _BUILDERS:
        raise InputError(
            f"these weights are of a network that {name} built; give that function, load_policy(..., build={name}), or "
            "register the network as an architecture (torchvin.register_architecture)."
        )
    return _BUILDERS[name]


def name_of(build: Callable[[Any], "Policy"]) -> str:
    """Module and name of a function; of the inner function for a `functools.partial`.

    >>> name_of(build_policy)
    'torchvin.architectures.registry.build_policy'
    """
    function = getattr(build, "func", build)
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def config_to_json(config: ArchitectureConfig) -> dict[str, Any]:
    """The configuration as JSON, with the name of its architecture.

    >>> from torchvin.architectures.cnn import CNNConfig
    >>> config_to_json(CNNConfig(height=8, width=8))
    {'architecture': 'cnn', 'num_actions': 8, 'height': 8, 'width': 8}
    """
    return {"architecture": architecture_of(config).name, **dataclasses.asdict(config)}


def config_from_json(content: Mapping[str, Any]) -> ArchitectureConfig:
    """The configuration that `config_to_json` wrote.

    Raises: InputError for an unknown architecture or field, or a value that the architecture refuses.
    """
    values = dict(content)
    kind = architecture(str(values.pop("architecture", "")))
    known = {entry.name: entry for entry in dataclasses.fields(kind.config)}
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"the architecture {kind.name!r} has no field {', '.join(unknown)}.")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind.config(**values)
