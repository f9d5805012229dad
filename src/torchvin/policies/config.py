"""The base class of every architecture's configuration."""

from dataclasses import dataclass

from torchvin.policies.fields import check_fields


@dataclass(frozen=True)
class ArchitectureConfig:
    """Base of every configuration: a frozen dataclass whose fields are numbers, texts, and tuples of these.

    The docstring of a field becomes its `--help`.

    Raises: InputError for a field of another type, or out of its range (`policies.fields`).

    >>> from torchvin import NormalizedConfig
    >>> NormalizedConfig(num_actions=4).num_orientations
    1
    """

    num_actions: int = 8
    """Actions of the environment, in each orientation."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def num_orientations(self) -> int:
        """Number of orientations of the agent."""
        return 1

    @property
    def num_terrains(self) -> int:
        """Number of terrain classes on the maps."""
        return 1

    @property
    def cell_pixels(self) -> int:
        """Pixels per side of a cell; 0 of a network that sees maps, not images."""
        return 0
