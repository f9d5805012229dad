"""How a map is cut up for the programs of a GPU, and how a program is launched."""

import functools
import importlib
import math
from typing import Any, NamedTuple

import torch

from torchvin.planning.kernels.kernel import Problem

# Cells that one program holds: a map of up to so many is planned in one launch, a larger one in tiles.
MOST_CELLS = 64 * 64
TILE = 32  # side of a tile without its halo
HALO = 8  # cells: 1.25 times the work in each direction, against 1/8 of the launches
# By the longest side of what a program works on: rows and columns of the cells worked on at once, and its warps, which
# give each thread one cell. Each is compiled for itself, so there are few.
BLOCKS = ((8, (8, 8, 2)), (16, (16, 16, 8)), (math.inf, (8, 32, 8)))
MOST_HELD = 144  # weights, or sums of the kernel's gradient, in the registers of a thread: 16 actions of 3x3
FUSED = {"enable_fp_fusion": True}  # multiply-adds; the default differs between versions of Triton


class Launch(NamedTuple):
    """How a map of some size is cut up, and the constants of the programs."""

    tile: int  # side, without the halo
    halo: int
    tiles: int  # of a map
    reach: int  # updates that a launch can make; more than any plan has if the map is not cut
    plane: int  # numbers of one plane of the scratch
    options: dict[str, Any]


@functools.lru_cache(maxsize=256)
def cut(height: int, width: int, orientations: int, actions: int, size: int, untied: bool) -> Launch:
    """How maps of a size are cut up, for a kernel of some size."""
    pad = size // 2
    tile, halo, tiles, reach = max(height, width), 0, 1, 1 << 62
    if height * width > MOST_CELLS:
        tile, tiles = TILE, -(-height // TILE) * -(-width // TILE)
        if pad:
            reach = max(HALO // pad, 1)
            halo = reach * pad
    sides = min(height, tile + 2 * halo), min(width, tile + 2 * halo)
    rows, cols, warps = next(block for longest, block in BLOCKS if max(sides) <= longest)
    options = {
        "ORIENTATIONS": orientations,
        "ACTIONS": actions,
        "SIZE": size,
        "UNTIED": untied,
        "ROWS": rows,
        "COLS": cols,
        "num_warps": warps,
        **FUSED,
    }
    return Launch(tile, halo, tiles, reach, (sides[0] + 2 * pad) * (sides[1] + 2 * pad), options)


def cut_of(problem: Problem) -> Launch:
    """How the maps of a call are cut up."""
    kernels = problem.kernels
    orientations = kernels.shape[2]
    actions = kernels.shape[1] // orientations
    return cut(*problem.q_reward.shape[2:], orientations, actions, kernels.shape[-1], len(kernels) > 1)


def groups(launch: Launch) -> tuple[int, int]:
    """Actions whose kernel's gradient one program sums, and how many programs of a map that takes."""
    options = launch.options
    orientations, actions = options["ORIENTATIONS"], options["ACTIONS"]
    portions = -(-actions // max(MOST_HELD // (orientations * options["SIZE"] ** 2), 1))
    return -(-actions // portions), orientations * portions


@functools.cache
def programs() -> Any:
    """Imported when first needed: Triton takes half a second, and on a CPU nobody needs it."""
    return importlib.import_module("torchvin.planning.kernels.triton.programs")


def run(program: Any, grid: tuple[int, ...], device: torch.device, arguments: tuple[Any, ...], **options: Any) -> None:
    """Launch on the device of the tensors, which need not be the current one."""
    if device.type != "cuda" or device.index == torch.cuda.current_device():
        program[grid](*arguments, **options)
        return
    with torch.cuda.device(device):
        program[grid](*arguments, **options)
