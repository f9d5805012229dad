"""From numbers to networks: the only code that sees a policy's configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from torchvin.errors import InputError, unknown_name
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.reward import ActionReward, ImageReward
from torchvin.planning.models.transition import FreeTransition, LearnedMoves, NormalizedTransition
from torchvin.planning.planners.dynamic import DynamicPlanner, DynamicTransition
from torchvin.planning.planners.gated import GatedPlanner
from torchvin.planning.planners.hierarchical import HierarchicalVIN
from torchvin.planning.planners.latent_graph import ShortestPathPlanner
from torchvin.planning.value_iteration import Gradient, ValueIteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.heads import AdvantageHead, LinearHead, ScaleHead
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.cnn import CNN
from torchvin.policies.reactive.fcn import FCN
from torchvin.policies.shortest_path import ShortestPathPolicy
from torchvin.policies.vin import VIN

Design = Literal["normalized", "shortest_path", "paper", "hierarchical", "gppn", "dynamic", "cnn", "fcn"]
DESIGNS: dict[str, str] = {
    "normalized": "transitions are distributions over neighbours, a reward an action: stable at any K (ours)",
    "shortest_path": "a learned graph, trained and solved by exact shortest paths: any size, any distance (ours)",
    "paper": "free kernels and one reward image (Tamar et al. 2016)",
    "hierarchical": "the paper's at two scales: a coarse plan, up-sampled, is a plane of the fine one (its appendix)",
    "gppn": "gated path planning: an LSTM in every cell in place of the maximum (Lee et al. 2018)",
    "dynamic": "a transition kernel per cell, made from the map; adaptive highway loss (DT-VIN, ICML 2025)",
    "cnn": "the paper's CNN baseline: no planner, one size of map",
    "fcn": "the paper's FCN baseline: no planner, one size of map",
}
REACTIVE = ("cnn", "fcn")
WITHOUT_ORIENTATIONS = ("hierarchical", "dynamic", *REACTIVE)  # nor terrain: they take the paper's two planes
Reward = Literal["auto", "image", "action"]


@dataclass(frozen=True)
class PolicyConfig:
    """A policy in numbers. The defaults are the normalized design's; `PAPER` holds the paper's."""

    design: Design = "normalized"
    """normalized (ours, stable at any K), shortest_path (ours, any distance), paper, hierarchical, gppn, dynamic, cnn
    or fcn; `torchvin list` says more."""
    num_actions: int = 8
    """Actions of the environment."""
    num_q: int = 9
    """Q channels of the planner, in each orientation; the normalized design has one an action and one for giving up.
    Not of gppn and dynamic, which have one an action."""
    hidden_channels: int = 32
    """Channels of the reward network's first convolution; of the design gppn also of its LSTM (the paper: 150)."""
    kernel_size: int = 3
    """F: side of the neighbourhood that an action can reach, odd."""
    discount: float = 0.99
    """Discount of the normalized design; free kernels learn theirs."""
    iterations_per_side: float = 2.0
    """K as a multiple of the map's longer side, where K is not given."""
    gradient: Gradient = "unroll"
    """How the planner keeps its iterations for the backward pass: unroll or checkpoint; implicit (normalized design)
    plans to the fixed point and keeps none."""
    tolerance: float = 1e-6
    """Gradient implicit only: the residual, relative to the largest value of a map, that counts as the fixed point."""
    max_iterations: int = 10_000
    """Gradient implicit only: the most value updates, in place of iterations_per_side."""
    temperature: float = 0.0
    """Designs normalized, paper and hierarchical: temperature of the soft maximum; 0: the maximum."""
    reward: Reward = "auto"
    """image (one reward image, the paper's), action (a reward an action), auto: as the design has it."""
    untied: int = 0
    """Design paper only: K + 1 different kernels, one an iteration and one for the look-ahead; 0: one for all. Such
    a network plans with its own K only."""
    layer_every: int = 10
    """Design dynamic only: J, every how many value updates a layer takes part in the adaptive highway loss (the paper:
    10); 0: none does."""
    height: int = 0
    """Rows of the maps, for the designs that know one size only (cnn, fcn)."""
    width: int = 0
    """Columns of the maps, for the same."""
    num_orientations: int = 1
    """Orientations of the agent (differential drive: 4), each a value channel of the planner."""
    num_terrains: int = 1
    """Classes of terrain on the maps; all but the first have a plane."""

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise unknown_name("design", self.design, DESIGNS)
        if self.gradient not in get_args(Gradient):
            raise unknown_name("gradient mode", self.gradient, get_args(Gradient))
        if self.reward not in get_args(Reward):
            raise unknown_name("reward", self.reward, get_args(Reward))
        if self.gradient == "implicit" and self.design != "normalized":
            raise InputError(
                f"gradient implicit needs a fixed point, which only the normalized design is sure to have, got "
                f"{self.design}; choose unroll or checkpoint."
            )
        if self.temperature and self.design not in ("normalized", "paper", "hierarchical"):
            raise InputError(f"a temperature is of the designs that take a maximum, not of {self.design}.")
        for name in ("tolerance", "temperature", "layer_every"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must not be negative, got {getattr(self, name)}.")
        if self.max_iterations < 1:
            raise InputError(f"max_iterations must be at least 1, got {self.max_iterations}.")
        if self.design == "normalized" and self.num_q != self.num_actions + 1:
            raise InputError(
                f"the normalized design has one Q channel an action and one for giving up: num_q must be "
                f"{self.num_actions + 1}, got {self.num_q}."
            )
        if not 0 < self.discount < 1:
            raise InputError(f"discount must lie between 0 and 1, got {self.discount}.")
        if self.design in WITHOUT_ORIENTATIONS and (self.num_orientations, self.num_terrains) != (1, 1):
            raise InputError(f"the design {self.design!r} knows neither orientations nor terrain; choose another.")
        for name in ("num_actions", "num_q", "hidden_channels", "num_orientations", "num_terrains"):
            if getattr(self, name) < 1 + (name == "hidden_channels"):
                raise InputError(f"{name} is too small: {getattr(self, name)}.")
        if self.kernel_size % 2 == 0 or self.kernel_size < 1:
            raise InputError(f"kernel_size must be odd and positive, got {self.kernel_size}.")
        if self.iterations_per_side <= 0:
            raise InputError(f"iterations_per_side must be positive, got {self.iterations_per_side}.")
        if self.untied < 0 or (self.untied and self.design != "paper"):
            raise InputError(f"untied kernels are an option of the design 'paper', got {self.untied} in {self.design}.")
        if self.design in REACTIVE and min(self.height, self.width) < 4:
            raise InputError(
                f"the design {self.design!r} knows one size of map: set height and width, at least 4, "
                f"got {self.height}x{self.width}."
            )


#: The paper's numbers: K = 10, 20 and 36 at 8x8, 16x16 and 28x28.
PAPER = PolicyConfig(design="paper", num_q=10, hidden_channels=150, iterations_per_side=1.25)
PAPER_28 = PolicyConfig(design="paper", num_q=10, hidden_channels=150, iterations_per_side=36 / 28 - 1e-6)
#: The numbers of GPPN's table (ICML 2018) for 10,000 mazes of 15x15 with 4 moves: its network and the VIN beside it.
GPPN_15 = PolicyConfig(
    design="gppn", num_actions=4, hidden_channels=150, kernel_size=9, iterations_per_side=20 / 15 - 1e-6
)
VIN_OF_GPPN_15 = PolicyConfig(design="paper", num_actions=4, num_q=600, hidden_channels=150, kernel_size=5)
#: DT-VIN (ICML 2025; second-hand, unverified): F = 3, J = 10. K = 4 a side is ours.
DYNAMIC = PolicyConfig(design="dynamic", num_actions=4, hidden_channels=150, iterations_per_side=4.0)
#: Ours for any distance, with 4 moves; K counts only where it iterates.
SHORTEST_PATH_4 = PolicyConfig(design="shortest_path", num_actions=4, num_q=4, iterations_per_side=8.0)
SHORTEST_PATH_8 = PolicyConfig(design="shortest_path", num_actions=8, num_q=8, iterations_per_side=8.0)


def build_policy(config: PolicyConfig) -> Policy:
    """Build a policy with fresh weights, drawn from torch's global generator.

    >>> sum(parameter.numel() for parameter in build_policy(PAPER).parameters())
    3260
    """
    return _BUILDERS[config.design](config)


def _normalized(config: PolicyConfig) -> VIN:
    transition = NormalizedTransition(
        num_actions=config.num_actions,
        kernel_size=config.kernel_size,
        discount=config.discount,
        termination=True,
        num_orientations=config.num_orientations,
    )
    head = ScaleHead(num_actions=config.num_actions, num_orientations=config.num_orientations)
    return _vin(config, reward=_reward(config, "action"), transition=transition, head=head)


def _shortest_path(config: PolicyConfig) -> ShortestPathPolicy:
    sizes = {"num_actions": config.num_actions, "num_orientations": config.num_orientations}
    return ShortestPathPolicy(
        model=LatentModel(
            **sizes,
            terrain_channels=config.num_terrains,
            goal_channels=config.num_orientations,
            hidden_channels=config.hidden_channels,
            kernel_size=config.kernel_size,
            state_costs=config.num_terrains > 1,
        ),
        transition=LearnedMoves(**sizes, kernel_size=config.kernel_size),
        planner=ShortestPathPlanner(),
        attention=StateAttention(num_orientations=config.num_orientations),
        head=AdvantageHead(num_actions=config.num_actions),
        iterations_per_side=config.iterations_per_side,
    )


def _paper(config: PolicyConfig) -> VIN:
    reward = _reward(config, "image")
    return _vin(config, reward=reward, transition=_free(config), head=_linear(config))


def _hierarchical(config: PolicyConfig) -> HierarchicalVIN:
    return HierarchicalVIN(
        coarse_reward=_reward(config, "image"),
        coarse_planner=_planner(config, _free(config)),
        reward=_reward(config, "image", extra_planes=1),
        planner=_planner(config, _free(config)),
        attention=StateAttention(),
        head=_linear(config),
        iterations_per_side=config.iterations_per_side,
    )


def _gppn(config: PolicyConfig) -> VIN:
    planner = GatedPlanner(
        in_channels=config.hidden_channels,
        num_actions=config.num_orientations * config.num_actions,
        hidden_channels=config.hidden_channels,
        kernel_size=config.kernel_size,
        gradient=config.gradient,
    )
    features = nn.Conv2d(config.num_terrains + config.num_orientations, config.hidden_channels, 3, padding=1)
    return _around(config, reward=features, planner=planner, head=nn.Identity())


def _dynamic(config: PolicyConfig) -> VIN:
    reward = nn.Sequential(
        nn.Conv2d(2, config.hidden_channels, 3, padding=1), nn.Conv2d(config.hidden_channels, 1, 1, bias=False)
    )
    transition = DynamicTransition(num_actions=config.num_actions, kernel_size=config.kernel_size)
    planner = DynamicPlanner(
        reward=reward, transition=transition, layer_every=config.layer_every, gradient=config.gradient
    )
    head = ScaleHead(num_actions=config.num_actions)
    return _around(config, reward=nn.Identity(), planner=planner, head=head)


def _cnn(config: PolicyConfig) -> CNN:
    return CNN(height=config.height, width=config.width, num_actions=config.num_actions)


def _fcn(config: PolicyConfig) -> FCN:
    return FCN(height=config.height, width=config.width, num_actions=config.num_actions)


_BUILDERS: dict[str, Callable[[PolicyConfig], Policy]] = {
    "normalized": _normalized,
    "shortest_path": _shortest_path,
    "paper": _paper,
    "hierarchical": _hierarchical,
    "gppn": _gppn,
    "dynamic": _dynamic,
    "cnn": _cnn,
    "fcn": _fcn,
}


def _reward(config: PolicyConfig, of_design: str, extra_planes: int = 0) -> nn.Module:
    if (of_design if config.reward == "auto" else config.reward) == "image":
        return ImageReward(
            num_actions=config.num_q,
            in_channels=config.num_terrains + config.num_orientations + extra_planes,
            hidden_channels=config.hidden_channels,
            kernel_size=config.kernel_size,
            num_orientations=config.num_orientations,
        )
    return ActionReward(
        num_actions=config.num_q - 1,
        terrain_channels=config.num_terrains,
        hidden_channels=config.hidden_channels,
        num_orientations=config.num_orientations,
    )


def _free(config: PolicyConfig) -> FreeTransition:
    return FreeTransition(
        num_actions=config.num_q,
        kernel_size=config.kernel_size,
        num_kernels=config.untied,
        num_orientations=config.num_orientations,
    )


def _linear(config: PolicyConfig) -> LinearHead:
    return LinearHead(num_q=config.num_q, num_actions=config.num_actions)


def _planner(config: PolicyConfig, transition: nn.Module) -> ValueIteration:
    return ValueIteration(
        transition=transition,
        num_iterations=config.max_iterations,
        gradient=config.gradient,
        tolerance=config.tolerance,
        temperature=config.temperature,
    )


def _vin(config: PolicyConfig, *, reward: nn.Module, transition: nn.Module, head: nn.Module) -> VIN:
    return _around(config, reward=reward, planner=_planner(config, transition), head=head)


def _around(config: PolicyConfig, *, reward: nn.Module, planner: nn.Module, head: nn.Module) -> VIN:
    return VIN(
        reward=reward,
        planner=planner,
        attention=StateAttention(num_orientations=config.num_orientations),
        head=head,
        iterations_per_side=None if config.gradient == "implicit" else config.iterations_per_side,
    )
