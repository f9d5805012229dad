"""A policy that pushes, for Stable-Baselines3: fine-tune trained weights from reward."""

from os import PathLike
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.policies.force import NUM_FEATURES, ForcePolicy, describe
from torchvin.pretrained.store import load_policy

_NUM_FORCES = 2


class ForceExtractor(BaseFeaturesExtractor):  # type: ignore[misc]
    """The mean force of a policy that pushes, and the state for the critic.

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
        super().__init__(observation_space, _NUM_FORCES + NUM_FEATURES)
        policy = load_policy(weights)
        if not isinstance(policy, ForcePolicy):
            raise InputError(f"{weights}: a {type(policy).__name__} chooses moves; give weights that push: control.")
        self.policy = policy.train()

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        state = observation["state"][:, None]
        seen, _ = self.policy.look(observation["planes"])
        return torch.cat([self.policy.force(seen, state), describe(state)], dim=-1)[:, 0]


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
