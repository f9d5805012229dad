"""The interface of every policy: from an observation to action logits, for all states or for given ones."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.types import PolicyOutput

if TYPE_CHECKING:
    from torchvin.mdp.motion import MotionModel
    from torchvin.planning.planners.planner import Planner
    from torchvin.policies.config import ArchitectureConfig


class Policy(nn.Module, ABC):
    """A network that is called with an observation, and returns action logits.

    This is the full interface that the trainer and the scorer use.

    Attributes:
        planner: the planner; None in a reactive policy.
        config: the configuration from which `build_policy` built the policy; None if it was composed by hand.
        builder: name of the user's function that built the policy; empty if its architecture's own builder did.
        task: what the weights were trained for, as JSON: motion model, observation, data.
        record: how the weights were trained, and their scores, as JSON.
    """

    planner: "Planner | None"

    def __init__(self) -> None:
        super().__init__()
        self.planner = None
        self.config: ArchitectureConfig | None = None
        self.builder = ""
        self.task: Mapping[str, Any] = {}
        self.record: Mapping[str, Any] = {}

    @abstractmethod
    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Return action logits.

        Args:
            observation: from `maps.observe`, [B, C, H, W].
            states: states (row, col), [B, S, 2]; with O > 1 orientations (orientation, row, col), [B, S, 3].
            num_iterations: K of a policy that iterates; chosen by the size of the map if not given.
            initial_value: V_0 of a resumable planner.

        Returns: logits [B, S, A] for `states`. Without `states`, logits of every cell: [B, A, H, W], or [B, O*A, H, W]
            with channels o * A + a.
        """

    def default_iterations(self, height: int, width: int) -> int:
        """The K of a call without `num_iterations`, for a map of this size; 0 for a policy that does not iterate."""
        return 0 if self.planner is None else self.planner.default_iterations(height, width)

    @property
    def follows_plan(self) -> bool:
        """Whether the greedy policy takes the best action of the planner's plan in every state."""
        return False

    @property
    def traceable(self) -> bool:
        """Whether the policy is torch from observation to logits, so that a program of it can be exported."""
        return True

    @property
    def capturable(self) -> bool:
        """Whether a CUDA graph can hold the network in training mode (`Planner.capturable`)."""
        return self.planner is None or self.planner.capturable

    @property
    def motion(self) -> "MotionModel | None":
        """The motion model that the weights were trained for; None if that is not known.

        Raises: InputError if the weights describe none that this version knows.
        """
        from torchvin.mdp.motion import motion_from_json

        described = self.task.get("motion")
        if described is None:
            return None
        try:
            return motion_from_json(described)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"the weights describe no known motion model: {described!r:.80} ({error!r}).") from error

    @property
    def policy(self) -> "Policy":
        """The policy itself. Version 0.1 wrote `load_policy(name).policy`."""
        return self

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str], *, revision: str | None = None) -> "Policy":
        """Load weights as `load_policy` does: by shipped name, by folder, or from the Hugging Face Hub.

        Raises: InputError as there; if the weights are of another class than the one asked.

        >>> from torchvin import VIN
        >>> VIN.from_pretrained("gridworld-16").record["config"]["seed"]
        0
        """
        import torchvin

        policy = torchvin.load_policy(name, revision=revision)
        if not isinstance(policy, cls):
            raise InputError(f"{name}: expected weights of a {cls.__name__}, got a {type(policy).__name__}.")
        return policy

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write weights and configuration; `from_pretrained(folder)` reads them again.

        Raises: InputError if the folder cannot be written, or the policy was not built from a configuration.
        """
        import torchvin

        torchvin.save_policy(folder, self)

    def push_to_hub(self, repo_id: str, *, revision: str | None = None, **options: Any) -> str:
        """Upload weights and configuration to the Hugging Face Hub.

        Args:
            repo_id: `owner/repository`; created if it does not exist.
            revision: branch; created if it does not exist.
            options: options of `huggingface_hub.HfApi.upload_folder`, such as `token` and `commit_message`.

        Returns: the address of the commit.
        Raises: InputError if the policy was not built from a configuration; the errors of the Hub's client.
        """
        import torchvin

        return torchvin.push_policy(self, repo_id, revision=revision, **options)
