"""`torchvin bench images`: a path on an overhead image, from pixels to cells, by the side of the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import UInt8

from torchvin.bench.machine import peak_megabytes
from torchvin.bench.timer import Timer
from torchvin.bench.timing import median_seconds
from torchvin.errors import InputError
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.generators.overhead import CELL_PIXELS, generate_overhead
from torchvin.navigation.image_path import plan_on_image
from torchvin.pretrained.store import load_policy


@dataclass(frozen=True)
class Images(Timer):
    """A path on an overhead image: network, exact plan and walk, and the memory of the process."""

    name: ClassVar[str] = "images"

    sides: tuple[int, ...] = (128, 512, 2048)
    """Pixels per side of the images; the smallest first, because memory is the most that the process has had."""
    weights: str = "terrain-16"
    """Name of shipped weights, or the folder of a run."""

    def check(self) -> None:
        """See `Timer.check`."""
        super().check()
        if not self.sides or min(self.sides) < 4 * CELL_PIXELS or any(side % CELL_PIXELS for side in self.sides):
            raise InputError(f"--sides must be multiples of {CELL_PIXELS} from {4 * CELL_PIXELS} on, got {self.sides}.")

    def measure(self) -> dict[str, Any]:
        """One row per side."""
        policy = load_policy(self.weights)
        rows = []
        for side in self.sides:
            first, last = CELL_PIXELS, side - CELL_PIXELS
            plan = partial(plan_on_image, _image(side), (first, first), (last, last), policy)
            milliseconds = 1e3 * median_seconds(plan)
            cells = (side // CELL_PIXELS) ** 2
            rows.append({"side": side, "cells": cells, "ms": milliseconds, "peak_mb": peak_megabytes()})
        return {"weights": self.weights, "rows": rows}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per side."""
        columns: list[Column[Mapping[str, Any]]] = [
            Column("image, pixels", lambda row: f"{row['side']}x{row['side']}"),
            Column("cells", lambda row: f"{row['cells']:,}"),
            Column("ms", lambda row: f"{row['ms']:,.1f}"),
            Column("peak memory of the process, MB", lambda row: f"{row['peak_mb']:,.0f}"),
        ]
        return [table_of(columns, content["rows"], title=f"corner to corner, {content['weights']}")]


def _image(side: int) -> UInt8[np.ndarray, "P Q"]:
    image: np.ndarray = generate_overhead(1, side // CELL_PIXELS, seed=3)[2][0].numpy()
    return image
