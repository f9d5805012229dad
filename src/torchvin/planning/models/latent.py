"""The cost model of a latent MDP: from an observation to the costs of moves and of stopping.

In the exponential domain a plan is U_a = g_a exp(-c_a) (P_a * V), V = max(t, max_a U_a). g_a in (0, 1) is the
availability of a move, c_a > 0 its cost, and t in [0, 1) says whether a state is a goal. The logarithm of this plan is
a shortest path with move costs c_a - log g_a and goal costs -log t. This module computes these costs.

The structure rules out two bad solutions that a loss alone would allow. The goal head sees the goal planes only, and
its weights are positive: t is 0 where there is no goal, and increases with the goal plane. It cannot learn a low goal
with reversed moves. The gates see the terrain only, and start open: every state has a path to learn from at the first
step.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError

_BAND = 1 << 14  # number of cells whose hidden channels fit in a cache: 2 MB with 32 channels


def inverse_softplus(value: float) -> float:
    """The number whose softplus is `value`."""
    return math.log(math.expm1(value))


def positive(value: Float[Tensor, "*shape"], least: float = 0.05) -> Float[Tensor, "*shape"]:
    """The identity above `least`; below it, a smooth function that decays to 0.

    >>> positive(torch.tensor([0.7, 0.05, -10.0])).tolist() == [torch.tensor(0.7), torch.tensor(0.05), 0.0]
    True
    """
    return torch.where(value > least, value, least * (value.clamp(max=least) / least - 1).exp())


def _note_state(module: nn.Module, *_: object) -> None:
    """Copy the buffer `calibrated` to a Python bool. It is called whenever the buffer changes, also by loading."""
    assert isinstance(module, LatentModel)
    if not module.calibrated.is_meta:
        module.is_calibrated = bool(module.calibrated)


class LatentModel(nn.Module):
    """Availability and cost of each move, and the goals, from an FxF neighbourhood of each cell.

    Args:
        num_actions: A, actions of each orientation.
        num_orientations: O.
        terrain_channels: number of planes before the goal planes. The first is the obstacle plane; cells off the map
            count as obstacles.
        goal_channels: number of goal planes, which are the last planes: one per orientation, or 1 for all.
        hidden_channels: number of hidden channels of the gates' network.
        kernel_size: F, odd.
        state_costs: whether costs depend on the terrain around a cell and not on the action alone. The dependence is
            linear, so that costs add up along a path whichever of two cells pays for the step between them.

    Raises: InputError for a number of goal planes that is neither 1 nor the number of orientations.

    >>> model = LatentModel(num_actions=4)
    >>> cost, goal_cost = model(torch.zeros(2, 2, 8, 5))
    >>> cost.shape, goal_cost.shape
    (torch.Size([2, 4, 8, 5]), torch.Size([2, 1, 8, 5]))
    """

    gate_threshold: Tensor
    goal_threshold: Tensor
    correction: Tensor
    calibrated: Tensor

    def __init__(
        self,
        *,
        num_actions: int,
        num_orientations: int = 1,
        terrain_channels: int = 1,
        goal_channels: int = 1,
        hidden_channels: int = 32,
        kernel_size: int = 3,
        state_costs: bool = False,
    ) -> None:
        super().__init__()
        if goal_channels not in (1, num_orientations):
            raise InputError(f"goal_channels must be 1 or num_orientations = {num_orientations}, got {goal_channels}.")
        channels = num_orientations * num_actions
        self.goal_channels = goal_channels
        self.padding = kernel_size // 2
        last = nn.Conv2d(hidden_channels, channels, 1)
        assert last.bias is not None
        nn.init.constant_(last.bias, 4.0)  # open: availability 0.98
        self.gates = nn.Sequential(nn.Conv2d(terrain_channels, hidden_channels, kernel_size), nn.ReLU(), last)
        self.cost = nn.Parameter(torch.full((channels,), 0.3))
        self.terrain_cost: nn.Conv2d | None = None
        if state_costs:
            self.terrain_cost = nn.Conv2d(terrain_channels - 1, channels, kernel_size, bias=False)
            nn.init.zeros_(self.terrain_cost.weight)
        # After the softplus, a goal plane of 10 gives t = 0.95 in the cell itself, and t = 0.05 in a neighbour.
        goal = torch.full((num_orientations, goal_channels, kernel_size, kernel_size), inverse_softplus(0.005))
        for orientation in range(num_orientations):
            goal[orientation, orientation % goal_channels, self.padding, self.padding] = inverse_softplus(0.3)
        self.goal = nn.Parameter(goal)
        # Set by `training.phases.calibration`. The hardened model must not be used before.
        self.register_buffer("gate_threshold", torch.tensor(0.0))
        self.register_buffer("goal_threshold", torch.tensor(0.5))
        # In float64: costs made equal by calibration must stay equal to the last bit, or long sums break ties.
        self.register_buffer("correction", torch.zeros(channels, dtype=torch.float64))
        self.register_buffer("calibrated", torch.tensor(False))
        self.is_calibrated = False  # as a Python bool, because a traced program cannot branch on a tensor
        self.register_load_state_dict_post_hook(_note_state)  # type: ignore[no-untyped-call]

    @property
    def sees_obstacles_only(self) -> bool:
        """Whether the terrain is one obstacle plane, and costs depend on the action alone."""
        first = self.gates[0]
        assert isinstance(first, nn.Conv2d)
        return first.in_channels == 1 and self.terrain_cost is None and self.goal_channels == 1

    def set_calibrated(self, calibrated: bool = True) -> None:
        """Record whether thresholds and correction have been found. The hardened model may be used only then."""
        self.calibrated.fill_(calibrated)
        _note_state(self)

    def gate(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        """Logits of the availability g, so that -log g = softplus(-gate)."""
        terrain = self._terrain(planes)
        rows = max(1, _BAND // planes.shape[3])
        if torch.is_grad_enabled() or rows >= planes.shape[2]:
            return self._logits(terrain)
        # A large map is processed in bands of rows, whose hidden channels fit in a cache. This is 9 times as fast.
        bands = [
            self._logits(terrain[:, :, row : row + rows + 2 * self.padding]) for row in range(0, planes.shape[2], rows)
        ]
        return torch.cat(bands, dim=2)

    def move_cost(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        """Cost c of an available move."""
        cost = self.cost[:, None, None]
        if self.terrain_cost is None:
            return positive(cost).expand(planes.shape[0], -1, *planes.shape[2:])
        return positive(cost + self.terrain_cost(self._terrain(planes)[:, 1:]))

    def goal_cost(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"]:
        """-log t, where t = 1 - exp(-(positive weights * goal planes)); infinite where no goal is near."""
        goal = planes[:, -self.goal_channels :]
        pull = functional.conv2d(goal, functional.softplus(self.goal), padding=self.padding)
        near = pull > 0
        # The inner `where` keeps the gradient finite in cells for which the outer one returns the constant.
        return torch.where(near, -torch.log(-torch.expm1(-torch.where(near, pull, 1.0))), torch.inf)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"]]:
        """The soft model, for training: the costs of moves, c - log g, and of stopping, -log t."""
        return self.move_cost(planes) + functional.softplus(-self.gate(planes)), self.goal_cost(planes)

    def harden(self, planes: Float[Tensor, "B C H W"]) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"]]:
        """The hardened model, for deployment: a move is available or not, and a state is a goal or not.

        An available move costs c plus the correction of its action (from calibration). Stopping at a goal is free.
        """
        # Without terrain costs, one number per action is enough here.
        cost = positive(self.cost)[:, None, None] if self.terrain_cost is None else self.move_cost(planes)
        cost = (cost + self.correction[:, None, None]).clamp(min=1e-6).to(planes.dtype)
        cost = torch.where(self.gate(planes) > self.gate_threshold, cost, torch.inf)
        goal_cost = self.goal_cost(planes)
        return cost, torch.where(goal_cost < -self.goal_threshold.log(), 0.0, torch.inf)

    def _logits(self, terrain: Tensor) -> Tensor:
        logits: Tensor = self.gates(terrain)
        return logits

    def _terrain(self, planes: Tensor) -> Tensor:
        around = (self.padding,) * 4
        obstacles, rest = planes[:, :1], planes[:, 1 : -self.goal_channels]
        return torch.cat([functional.pad(obstacles, around, value=1.0), functional.pad(rest, around)], dim=1)
