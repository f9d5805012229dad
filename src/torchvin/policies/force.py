"""Policies that push: from the image of an arena and the state of a body to a force."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from torchvin.errors import InputError, check_shape
from torchvin.maps.arenas import cell_centres
from torchvin.planning.planners.planner import Planner
from torchvin.policies.attention import PatchAttention
from torchvin.policies.policy import Policy
from torchvin.types import PlannerOutput, PolicyOutput

#: Numbers that describe a body to a policy: see `describe`.
NUM_FEATURES, NUM_LOCAL_FEATURES = 8, 4
_NEAR = 0.25  # offsets to the goal up to this are seen at full resolution


def describe(states: Float[Tensor, "B S 6"], *, local: bool = False) -> Float[Tensor, "B S F"]:
    """What the layers are told of states (x, y, vx, vy, goal x - x, goal y - y).

    Args:
        states: position, velocity, offset to the goal.
        local: only the velocity, and the offset to the goal within reach of a patch, for a policy whose plan says the
            rest: what it learns then holds in any place. Otherwise the whole state too.

    >>> describe(torch.zeros(1, 1, 6)).shape, describe(torch.zeros(1, 1, 6), local=True).shape
    (torch.Size([1, 1, 8]), torch.Size([1, 1, 4]))
    """
    near = (states[..., 4:] / _NEAR).clamp(-1.0, 1.0)
    return torch.cat([states[..., 2:4] if local else states, near], dim=-1)


class MapFeatures(nn.Module):
    """The reactive baseline's view of the map: two convolutions with poolings (Tamar et al. 2016, section 5.3).

    Args:
        height, width: cells of the map; its weights fit no other size.
        channels: of the two convolutions.

    >>> MapFeatures(height=16, width=16)(torch.zeros(3, 2, 16, 16)).shape
    torch.Size([3, 320])
    """

    def __init__(self, *, height: int, width: int, channels: tuple[int, int] = (20, 20)) -> None:
        super().__init__()
        self.height, self.width = height, width
        first, second = channels
        self.layers = nn.Sequential(
            *(nn.Conv2d(2, first, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(first, second, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()),
        )
        self.num_features = second * (height // 4) * (width // 4)

    def forward(self, observation: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B F"]:
        if tuple(observation.shape[2:]) != (self.height, self.width):
            raise InputError(
                f"this network was built for maps of {self.height}x{self.width} cells and knows no other size, got "
                f"{observation.shape[2]}x{observation.shape[3]}; a VIN takes any."
            )
        features: Tensor = self.layers(observation).flatten(1)
        return features


class ForcePolicy(Policy):
    """A Gaussian policy over forces: what is seen of the map, the state of the body, and three linear layers.

    A plan serves a map for all its steps: `look` once, then `force` in every step.

    Args:
        planner: of a VIN; None of a policy that does not plan.
        eyes: with a planner, the attention from values and positions; without, what sees the image, or None for a
            policy that sees no map.
        num_features: of what the eyes return per state.
        hidden: units of the two hidden layers.
        num_actions: components of the force.

    >>> policy = ForcePolicy(planner=None, eyes=None, num_features=0)
    >>> policy(torch.zeros(3, 2, 16, 16), torch.zeros(3, 7, 6)).logits.shape
    torch.Size([3, 7, 2])
    """

    def __init__(
        self,
        *,
        planner: Planner | None,
        eyes: nn.Module | None,
        num_features: int,
        hidden: int = 64,
        num_actions: int = 2,
    ) -> None:
        super().__init__()
        self.planner = planner
        self.eyes = eyes
        told = NUM_FEATURES if planner is None else NUM_LOCAL_FEATURES
        self.head = nn.Sequential(
            *(nn.Linear(num_features + told, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
            nn.Linear(hidden, num_actions),
        )
        self.log_std = nn.Parameter(torch.full((num_actions,), -1.0))

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Float[Tensor, "B S 6"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Mean forces in place of logits.

        Args:
            observation: from `maps.arenas.encode_arenas`, [B, 2, H, W].
            states: position, velocity and offset to the goal, [B, S, 6]. Without states: the forces on a body at rest
                in the middle of each cell, [B, 2, H, W].
            num_iterations: K of a planner that iterates.
            initial_value: V_0 of a resumable planner.

        Raises: ShapeError; InputError for iterations or values where there is no planner.
        """
        if self.planner is None and (num_iterations or initial_value is not None):
            raise InputError("this policy does not plan: it takes neither a number of iterations nor an initial value.")
        seen, plan = self.look(observation, num_iterations=num_iterations, initial_value=initial_value)
        if states is not None:
            return PolicyOutput(logits=self.force(seen, states), plan=plan)
        batch, _, height, width = observation.shape
        everywhere = self.force(seen, resting_states(observation))
        return PolicyOutput(logits=everywhere.mT.reshape(batch, -1, height, width), plan=plan)

    def look(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> tuple[Tensor | None, PlannerOutput | None]:
        """What `force` needs of the map, and the plan behind it."""
        if self.planner is not None:
            plan: PlannerOutput = self.planner(observation, num_iterations=num_iterations, initial_value=initial_value)
            return plan.value, plan
        return None if self.eyes is None else self.eyes(observation), None

    def force(self, seen: Tensor | None, states: Float[Tensor, "B S 6"]) -> Float[Tensor, "B S 2"]:
        """The mean force of states on maps that were looked at."""
        check_shape("states", states, "B S 6")
        features = [describe(states, local=self.planner is not None)]
        if seen is not None and self.planner is not None:
            assert isinstance(self.eyes, PatchAttention)
            features.append(self.eyes(seen, states[..., :2]))
        elif seen is not None:
            features.append(seen[:, None].expand(-1, states.shape[1], -1))
        mean: Tensor = self.head(torch.cat(features, dim=-1))
        return mean


def resting_states(observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B S 6"]:
    """Bodies at rest in the middle of each cell, whose goal is in the middle of the goal's cell."""
    batch, _, height, width = observation.shape
    if height == width:
        middles = cell_centres(height, dtype=observation.dtype).to(observation.device)
    else:  # pictures of maps that are not square fill the arena
        rows = 1 - (torch.arange(height, dtype=observation.dtype, device=observation.device) + 0.5) * (2 / height)
        cols = (torch.arange(width, dtype=observation.dtype, device=observation.device) + 0.5) * (2 / width) - 1
        middles = torch.stack([cols.expand(height, -1), rows[:, None].expand(-1, width)], dim=-1)
    middles = middles.flatten(0, 1)
    goal = middles[observation[:, -1].flatten(1).argmax(dim=1)]
    offsets = goal[:, None] - middles
    place = middles.expand(batch, -1, -1)
    return torch.cat([place, torch.zeros_like(place), offsets], dim=-1)
