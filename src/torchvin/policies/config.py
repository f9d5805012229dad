"""What the configuration of every architecture is."""

from dataclasses import dataclass

from torchvin.policies.fields import check_fields


@dataclass(frozen=True)
class ArchitectureConfig:
    """Base of every configuration: a frozen dataclass whose fields are numbers, names, and tuples of these.

    The docstring of a field is its `--help`.

    Raises: InputError for a field of another type, or out of its range.
    """

    num_actions: int = 8
    """Actions of the environment, in each orientation."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def num_orientations(self) -> int:
        """Orientations of the agent that the network knows."""
        return 1

    @property
    def num_terrains(self) -> int:
        """Classes of terrain that the network knows."""
        return 1
