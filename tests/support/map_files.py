"""Map files to read: one map and one scenario, maps of ROS, and files with whatever content one likes."""

import io
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from torchvin.maps.formats import MapFile, Scenario

# asymmetric under every flip and transposition, and not square: no mix-up of axes can go unseen
BLOCKED = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]], dtype=torch.bool)
MAP = MapFile(BLOCKED, resolution=0.05, origin=(-1.5, 2.25, 0.1))
OCTILE = "type octile\nheight 3\nwidth 4\nmap\n@@..\n...@\n@...\n"
ROS = {
    "image": "map.pgm",
    "resolution": 0.1,
    "origin": [-1.0, 2.0, 0.0],
    "negate": 0,
    "occupied_thresh": 0.65,
    "free_thresh": 0.196,
}
SCENARIO = Scenario(3, "a map.map", 3, 4, start=(2, 1), goal=(0, 3), optimal_length=3.41421356)
SCENARIO_LINE = "3\ta map.map\t4\t3\t1\t2\t3\t0\t3.41421356\n"  # width 4, height 3; x 1, y 2 -> x 3, y 0


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def picture(path: Path, pixels: list | np.ndarray, mode: str | None = None) -> Path:
    image = Image.fromarray(np.array(pixels, dtype=np.uint8))
    (image.convert(mode) if mode else image).save(path)
    return path


def ros(folder: Path, pixels: list | np.ndarray, image: str = "map.pgm", **entries: object) -> Path:
    """A ROS map in `folder`; an entry given as `...` is left out."""
    picture(folder / image, pixels)
    given = {key: value for key, value in (ROS | {"image": image} | entries).items() if value is not ...}
    return put(folder / "map.yaml", yaml.safe_dump(given))


def cells(map_file: MapFile) -> list[list[int]]:
    return map_file.blocked.int().tolist()


def npy(array: np.ndarray, **keywords: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **keywords)
    return buffer.getvalue()
