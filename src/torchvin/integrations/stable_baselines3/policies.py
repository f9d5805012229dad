"""The policies: VIN and CNN for actor-critic algorithms, VIN for DQN."""

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.integrations.stable_baselines3.grid_space import GridSpace
from torchvin.integrations.stable_baselines3.networks import (
    Logits,
    QOfPlan,
    ValueOfPlan,
    number_of,
    of_plan,
    own_parameters,
    plan_options,
    without_ours,
)
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.cnn import CNN


class VINPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """A planning policy for PPO, A2C and TRPO.

    The head of the network gives the logits, nothing is put behind it. The value is an affine function of the planner's
    V. sb3-contrib's TRPO leaves parameters out of the actor whose name contains "value": here these are exactly the two
    of `value_net`, because no parameter of a planner has such a name.

    Args:
        observation_space, action_space, lr_schedule: from the algorithm.
        architecture: name of a design that plans (`torchvin list`).
        architecture_kwargs: its options: `{"hidden_channels": 64}`.
        num_iterations: K; chosen by the size of the map if not given.
        weights: name or folder of weights to begin with.
        options: of SB3's `ActorCriticPolicy`, such as `optimizer_kwargs`.

    Raises: InputError: see `PlanExtractor`, and for actions that are not `Discrete`.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any,
        *,
        architecture: str = "normalized",
        architecture_kwargs: Mapping[str, Any] | None = None,
        num_iterations: int | None = None,
        weights: str | None = None,
        **options: Any,
    ) -> None:
        self.plan_options = plan_options(architecture, architecture_kwargs, num_iterations, weights)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            ortho_init=False,
            **of_plan(action_space, self.plan_options),
            **without_ours(options),
        )

    @property
    def network(self) -> Policy:
        """The network, for `torchvin.save_policy` and everything that takes a policy."""
        network: Policy = self.features_extractor.network
        return network

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net, self.value_net = Logits(), ValueOfPlan()
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**own_parameters(super()._get_constructor_parameters()), **self.plan_options}


class CNNPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """The paper's CNN for PPO, A2C and TRPO: logits and value are linear in the features of its last layer.

    Args:
        observation_space, action_space, lr_schedule: from the algorithm.
        options: of SB3's `ActorCriticPolicy`.

    Raises: InputError for an observation space that is no grid, and actions that are not `Discrete`.
    """

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Space, lr_schedule: Any, **options: Any
    ) -> None:
        number_of(action_space)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=CNNExtractor,
            net_arch=[],
            ortho_init=False,
            normalize_images=False,
            **without_ours(options),
        )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return own_parameters(super()._get_constructor_parameters())


class CNNExtractor(BaseFeaturesExtractor):  # type: ignore[misc]
    """What the last layer of the paper's CNN sees of the agent's state."""

    def __init__(self, observation_space: spaces.Space) -> None:
        grid = GridSpace.of(observation_space)
        if grid.num_orientations > 1:
            raise InputError("the CNN has no orientations; use VINPolicy for an agent with a heading.")
        network = CNN(height=grid.height, width=grid.width, in_channels=grid.planes)
        super().__init__(observation_space, features_dim=network.head.in_features)
        self.grid = grid
        network.head = nn.Identity()  # type: ignore[assignment] # the policy has its own
        self.network = network

    def forward(self, observation: Tensor | Mapping[str, Tensor]) -> Tensor:
        planes, state = self.grid.split(observation)
        return self.network.state_features(planes, state[:, None])[:, 0]


class VINQPolicy(DQNPolicy):  # type: ignore[misc]
    """A planning policy for DQN: the planner's Q values, in a learned scale, are the Q values of the environment.

    Args:
        observation_space, action_space, lr_schedule, architecture, architecture_kwargs, num_iterations, weights: as in
            `VINPolicy`.
        options: of SB3's `DQNPolicy`.

    Raises: InputError as there.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any,
        *,
        architecture: str = "normalized",
        architecture_kwargs: Mapping[str, Any] | None = None,
        num_iterations: int | None = None,
        weights: str | None = None,
        **options: Any,
    ) -> None:
        self.plan_options = plan_options(architecture, architecture_kwargs, num_iterations, weights)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            **of_plan(action_space, self.plan_options),
            **without_ours(options),
        )

    @property
    def network(self) -> Policy:
        """The network, for `torchvin.save_policy` and everything that takes a policy."""
        network: Policy = self.q_net.features_extractor.network
        return network

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        # The library averages weights into the target through `parameter.data`, which leaves no trace.
        self.q_net_target.features_extractor.keeps_plans = False

    def make_q_net(self) -> Any:
        """A Q network without layers behind the plan."""
        q_net = super().make_q_net()
        q_net.q_net = QOfPlan().to(self.device)
        return q_net

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**own_parameters(super()._get_constructor_parameters()), **self.plan_options}
