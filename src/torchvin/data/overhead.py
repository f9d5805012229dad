"""Overhead images with their demonstrations: the maps are hidden, the images are what a network sees."""

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.maps.observe import encode_image

MOST_CELL_PIXELS = 64


@dataclass(frozen=True, kw_only=True)
class OverheadDataset(MapDataset):
    """Maps that a network sees through overhead images only.

    `blocked` and `optimal_actions` come from elevation. They score a policy and draw the demonstrations; no plane that
    a network sees is made from them.

    Attributes:
        image: brightness, [M, P, Q] uint8, with the same whole number of pixels per cell along both sides.

    Raises: InputError for an image of another size.
    """

    image: UInt8[Tensor, "M P Q"]

    def __post_init__(self) -> None:
        height, width = self.size
        _, rows, cols = self.image.shape
        pixels = rows // height
        if not 1 <= pixels <= MOST_CELL_PIXELS or (rows, cols) != (pixels * height, pixels * width):
            raise InputError(
                f"images of {rows}x{cols} pixels do not fit maps of {height}x{width} cells: a cell must have the same "
                f"number of pixels along both sides, 1 to {MOST_CELL_PIXELS}."
            )
        if self.moves.num_orientations > 1 or self.terrain is not None:
            raise InputError("overhead images have no orientations and no classes of terrain.")

    @property
    def cell_pixels(self) -> int:
        """Pixels per side of a cell."""
        return self.image.shape[1] // self.size[0]

    def planes(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "M C H W"]:
        """Network input: pixels and goal (`maps.observe.encode_image`)."""
        return encode_image(self.image, self.goal, self.cell_pixels, dtype=dtype)

    def description(self) -> dict[str, Any]:
        """See `MapDataset.description`."""
        described = super().description()
        described["observation"] = {"planes": ["image", "goal"], "cell_pixels": self.cell_pixels}
        return {**described, "name": "terrain"}

    def image_digest(self) -> str:
        """SHA-256 of all pixels."""
        return hashlib.sha256(self.image.cpu().numpy().tobytes()).hexdigest()


def with_images(maps: MapDataset, image: UInt8[Tensor, "M P Q"]) -> OverheadDataset:
    """The maps, seen through images.

    Raises: InputError if the images do not fit the maps.
    """
    content = {name: value for name, value in vars(maps).items() if name != "image"}
    return OverheadDataset(**content, image=image)
