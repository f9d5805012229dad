"""Where the planes of an observation and the state of the agent lie, in either form of an environment."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from gymnasium import spaces
from torch import Tensor

from torchvin.errors import InputError


@dataclass(frozen=True)
class GridSpace:
    """The grid that an observation space describes.

    Attributes:
        planes: C, without the plane of an agent.
        height, width: of the maps.
        num_orientations: O.
        image: whether the agent is a plane, and not the entry `state`.
    """

    planes: int
    height: int
    width: int
    num_orientations: int
    image: bool

    @classmethod
    def of(cls, space: spaces.Space) -> "GridSpace":
        """The grid of an observation space.

        Raises: InputError if it has no planes, or neither a state nor a plane for the agent.
        """
        if isinstance(space, spaces.Dict):
            for name in ("planes", "state"):
                if name not in space.spaces:
                    raise InputError(
                        f"the observation has no entry {name!r}, only {', '.join(space.spaces)}; a planning policy "
                        "needs planes [C, H, W] and state (row, col)."
                    )
            planes, state = space["planes"], space["state"]
            _check_box("planes", planes, 3)
            _check_box("state", state, 1)
            length = int(state.shape[0])
            if length not in (2, 3):
                raise InputError(f"state must be (row, col) or (orientation, row, col), got {length} numbers.")
            orientations = int(state.high[0]) + 1 if length == 3 else 1
            number, height, width = planes.shape
            return cls(number, height, width, orientations, image=False)._checked()
        _check_box("an observation", space, 3)
        number, height, width = space.shape
        return cls(number - 1, height, width, 1, image=True)._checked()

    def _checked(self) -> "GridSpace":
        if self.planes < 1 + self.num_orientations:
            raise InputError(
                f"expected at least {1 + self.num_orientations} planes, obstacles first and goal last, got "
                f"{self.planes}."
            )
        return self

    def split(self, observation: Tensor | Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Planes [B, C, H, W] and states [B, D] of an observation.

        Raises: InputError for numbers that are not finite.
        """
        if isinstance(observation, Tensor):
            planes, agent = observation[:, : self.planes], observation[:, self.planes :]
            flat = agent.flatten(1).argmax(dim=1)
            state = torch.stack([flat // self.width, flat % self.width], dim=1)
        else:
            planes, state = observation["planes"], observation["state"].long()
        if not torch.isfinite(planes).all():
            raise InputError("the planes of an observation hold NaN or infinity; look at the environment.")
        return planes.float(), state


def _check_box(name: str, space: spaces.Space, axes: int) -> None:
    if not isinstance(space, spaces.Box) or len(space.shape) != axes:
        shape = getattr(space, "shape", None)
        raise InputError(
            f"{name} must be a Box with {axes} axes, got {type(space).__name__} of shape {shape}; the policies take a "
            "Dict of planes [C, H, W] and state, or an image [C + 1, H, W]."
        )
