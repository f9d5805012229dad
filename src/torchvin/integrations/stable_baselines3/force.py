"""A policy that pushes, for Stable-Baselines3: fine-tune trained weights from reward."""

from os import PathLike
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, MlpExtractor
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.policies.force import NUM_FEATURES, ForcePolicy, describe
from torchvin.pretrained.store import load_policy

_NUM_FORCES = 2
_FARTHEST = 100.0  # moves to the goal, for cells from which no way leads there


class ForceExtractor(BaseFeaturesExtractor):  # type: ignore[misc]
    """The mean force of a policy that pushes, and for the critic the state and the length of the way that is planned.

    Args:
        observation_space: with `planes` and `state`, as `torchvin/PointMass-v0` has it.
        weights: name or folder of weights of an architecture `control...`.

    Raises: InputError for another observation, or weights that do not push.
    """

    def __init__(self, observation_space: spaces.Space, weights: str | PathLike[str] = "control") -> None:
        parts = getattr(observation_space, "spaces", {})
        if set(parts) != {"planes", "state"} or parts["state"].shape != (6,):
            raise InputError(
                "a policy that pushes sees planes and a state of six numbers, as torchvin/PointMass-v0 gives them."
            )
        super().__init__(observation_space, _NUM_FORCES + NUM_FEATURES + 1)
        policy = load_policy(weights)
        if not isinstance(policy, ForcePolicy):
            raise InputError(f"{weights}: a {type(policy).__name__} chooses moves; give weights that push: control.")
        self.policy = policy.eval()

    def train(self, mode: bool = True) -> "ForceExtractor":
        """The policy stays in evaluation mode: its plans are as cautious as when it acts, and gradients flow there too.

        Otherwise PPO would collect actions of one policy and compare them with another.
        """
        super().train(mode)
        self.policy.eval()
        return self

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        state = observation["state"][:, None]
        seen, plan = self.policy.look(observation["planes"])
        parts = [self.policy.force(seen, state)[:, 0], describe(state)[:, 0]]
        way = state.new_zeros(len(state), 1) if plan is None else _way_left(plan.value, state[:, 0, :2])
        return torch.cat([*parts, way], dim=1)


def _way_left(value: Tensor, position: Tensor) -> Tensor:
    """How far the plan is from the goal at positions [B, 2], as a share of the longest way; [B, 1]."""
    places = (position * position.new_tensor([1.0, -1.0]))[:, None, None]
    bounded = (value[:, :1].clamp(min=-_FARTHEST) / _FARTHEST).to(position.dtype)
    return functional.grid_sample(bounded, places, padding_mode="border", align_corners=False)[:, :, 0, 0]


class OwnCritic(MlpExtractor):  # type: ignore[misc]
    """Layers of actor and critic, where the critic's errors do not reach the policy.

    They are large in the beginning, and through the features that both share they would undo what was imitated.
    """

    def forward_critic(self, features: Tensor) -> Tensor:
        """The critic's layers."""
        hidden: Tensor = self.value_net(features.detach())
        return hidden


class ForceActorCriticPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """PPO on a policy that pushes: it begins with the forces of trained weights, and a small standard deviation.

    Args:
        observation_space, action_space, lr_schedule: from the algorithm.
        weights: see `ForceExtractor`.
        options: of SB3's `ActorCriticPolicy`.

    Raises: InputError: see `ForceExtractor`.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any,
        *,
        weights: str | PathLike[str] = "control",
        log_std_init: float = -2.0,
        **options: Any,
    ) -> None:
        self.weights = weights
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch={"pi": [], "vf": [64, 64]},
            features_extractor_class=ForceExtractor,
            features_extractor_kwargs={"weights": weights},
            log_std_init=log_std_init,
            ortho_init=False,
            **options,
        )

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = OwnCritic(self.features_dim, self.net_arch, self.activation_fn, self.device)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        assert isinstance(self.action_net, nn.Linear)
        with torch.no_grad():  # the force itself, to begin with
            self.action_net.weight.zero_()
            self.action_net.bias.zero_()
            self.action_net.weight[:, :_NUM_FORCES] = torch.eye(_NUM_FORCES)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        """What a saved model is built from again; the weights' place is among it, and their numbers are replaced."""
        data: dict[str, Any] = super()._get_constructor_parameters()
        for name in ("net_arch", "features_extractor_class", "features_extractor_kwargs", "ortho_init"):
            data.pop(name, None)
        return {**data, "weights": self.weights, "log_std_init": self.log_std_init}
