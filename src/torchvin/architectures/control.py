"""The VIN that pushes a body: a plan on a coarse grid, a patch of its values, and layers that make a force of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.planning.planners.planner import Planner
    from torchvin.policies.force import ForcePolicy

_DISCOUNT = 0.95  # of the paper's planner, at the start


@dataclass(frozen=True)
class ControlConfig(ArchitectureConfig):
    """Sizes of the VIN that pushes (Tamar et al. 2016, section 5.3)."""

    num_actions: int = 2
    """Components of the force."""
    planner: Literal["shortest_path", "normalized", "paper"] = "shortest_path"
    """shortest_path: exact paths, with 8 known moves; what each cell costs is learned. normalized, paper: K value
    updates; of paper the moves are set to those of the grid, discounted, as the authors did here."""
    patch_size: int = 5
    """Side of the patch of values that is seen, in cells, odd."""
    cost_gain: float = 3.0
    """Cost of a cell per unit of its logit (shortest_path): a larger one makes cells dearer from the start."""
    caution: float = 1.0
    """Factor on the learned costs once trained (shortest_path): a larger one keeps farther from what the body may
    touch."""
    hidden_channels: int = 32
    """Number of channels of the first convolution of the reward, or of the cost."""
    hidden_units: int = 64
    """Units of the two hidden layers that make the force."""
    iterations_per_side: float = 2.0
    """K per cell of the map's longer side, for calls that give no K; not used by shortest_path, which is exact."""


def build(config: ControlConfig) -> "ForcePolicy":
    """Build the network with fresh weights."""
    from torchvin.policies.attention import PatchAttention
    from torchvin.policies.force import ForcePolicy

    return ForcePolicy(
        planner=_PLANNERS[config.planner](config),
        eyes=PatchAttention(size=config.patch_size),
        num_features=config.patch_size**2,
        hidden=config.hidden_units,
        num_actions=config.num_actions,
    )


def _shortest_path(config: ControlConfig) -> "Planner":
    from torchvin.mdp.motion import GridMotion
    from torchvin.planning.planners.cell_cost import CellCostPlanner
    from torchvin.planning.planners.encoded import EncodedPlanner
    from torchvin.policies.encoders import ObstacleEncoder

    planner = CellCostPlanner(GridMotion(), caution=config.caution, gain=config.cost_gain)
    return EncodedPlanner(ObstacleEncoder(hidden_channels=config.hidden_channels), planner)


def _normalized(config: ControlConfig) -> "Planner":
    from torchvin.architectures.normalized import NormalizedConfig
    from torchvin.architectures.normalized import build as build_on_grid

    return build_on_grid(
        NormalizedConfig(hidden_channels=config.hidden_channels, iterations_per_side=config.iterations_per_side)
    ).planner


def _paper(config: ControlConfig) -> "Planner":
    from torchvin.architectures.paper import PaperConfig
    from torchvin.architectures.paper import build as build_on_grid
    from torchvin.planning.models.reward import ImageReward
    from torchvin.planning.models.transition import FreeTransition, set_to_moves
    from torchvin.planning.planners.grid import GridPlanner

    planner = build_on_grid(
        PaperConfig(hidden_channels=config.hidden_channels, iterations_per_side=config.iterations_per_side)
    ).planner
    assert isinstance(planner, GridPlanner)
    assert isinstance(planner.reward, ImageReward)
    assert isinstance(planner.iteration.transition, FreeTransition)
    set_to_moves(planner.reward.q_conv.weight, 1.0)
    set_to_moves(planner.iteration.transition.weight, _DISCOUNT)
    return planner


_PLANNERS: "dict[str, Callable[[ControlConfig], Planner]]" = {
    "shortest_path": _shortest_path,
    "normalized": _normalized,
    "paper": _paper,
}

register_architecture(
    "control", ControlConfig, build, summary="a VIN that pushes a body: a patch of the plan's values to a force"
)
