"""One path on an overhead image, by weights that have learned to see: what `torchvin plan --image` does."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from torchvin.errors import InputError, check_shape
from torchvin.evaluation.path import check_task
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.observe import encode_image
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rollout import rollout
from torchvin.policies.policy import Policy

Pixel = tuple[int, int]


@dataclass(frozen=True)
class ImagePath:
    """A path on an image, in cells of the planning grid.

    Attributes:
        found: whether it ends at the goal: on the true map if obstacles were given, else by its moves.
        cells: (row, col) of each state from the start on, [T, 2]; where not found, as far as the policy came.
        cost: of the path by the moves of the agent, in cells; inf where not found.
        learned_cost: what the network holds each cell to cost, [H, W], without the caution of the plan; None of a
            network that learned no costs.
        cell_pixels: pixels per side of a cell.
        optimal_cells: of the optimal path on the true map, [N, 2]; None if obstacles were not given.
        optimal_cost: of that path.
        seconds: from the image to the path: network, plan and rollout.
    """

    found: bool
    cells: Int[np.ndarray, "T 2"]
    cost: float
    learned_cost: Float[np.ndarray, "H W"] | None
    cell_pixels: int
    optimal_cells: Int[np.ndarray, "N 2"] | None
    optimal_cost: float | None
    seconds: float

    @property
    def pixels(self) -> Float[np.ndarray, "T 2"]:
        """(row, col) of the centres of the cells, in pixels; whole numbers are the centres of pixels."""
        centres: np.ndarray = self.cells * self.cell_pixels + (self.cell_pixels - 1) / 2
        return centres


@torch.no_grad()
def plan_on_image(
    image: UInt8[np.ndarray, "P Q"],
    start: Pixel,
    goal: Pixel,
    policy: Policy,
    *,
    blocked: Bool[np.ndarray, "H W"] | None = None,
) -> ImagePath:
    """Plan from pixel to pixel; the path runs through the cells that hold them.

    Args:
        image: brightness, [P, Q]. Cells at the lower and the right edge that are not whole are filled up with the last
            pixel.
        start, goal: (row, col) of pixels.
        policy: of an architecture that sees images (`terrain`, `terrain_classifier`, `terrain_cnn`).
        blocked: the true obstacles, [H, W], to follow the path on; they are not shown to the policy.

    Raises: InputError for a policy that sees maps, a pixel off the image, an image without contrast, or a start or goal
        on an obstacle.

    >>> from torchvin.pretrained.store import load_policy
    >>> image = np.random.default_rng(0).integers(90, 110, (64, 96)).astype(np.uint8)
    >>> plan_on_image(image, (3, 3), (60, 90), load_policy("terrain-16")).found
    True
    """
    side = _check(image, start, goal, policy)
    moves = policy.motion or GridMotion(policy.config.num_actions if policy.config else 8)
    began = time.perf_counter()
    rows, cols = image.shape
    filled = np.pad(image, ((0, -rows % side), (0, -cols % side)), mode="edge")
    begin, end = ((row // side, col // side) for row, col in (start, goal))
    device = next(policy.parameters()).device
    planes = encode_image(torch.from_numpy(filled)[None], torch.tensor([end]), side).to(device)
    actions = policy(planes).logits.argmax(dim=1).cpu()
    walked = _walk(actions, torch.zeros_like(actions, dtype=torch.bool), begin, end, moves)
    seconds = time.perf_counter() - began
    optimal = optimal_cost = None
    if blocked is not None:
        check_shape("blocked", torch.from_numpy(blocked), " ".join(map(str, actions.shape[1:])))
        truth = torch.from_numpy(blocked)
        optimal_cost = check_task(truth, begin, end, moves)
        best = preferred_action(shortest_paths(truth[None], torch.tensor([end]), moves).optimal_actions, moves)
        optimal = _walk(best, truth[None], begin, end, moves)[1]
        walked = _walk(actions, truth[None], begin, end, moves)
    reward = None if policy.planner is None else policy.planner.reward_image(planes)
    return ImagePath(
        found=walked[0],
        cells=walked[1],
        cost=walked[2],
        learned_cost=None if reward is None else -reward[0, 0].double().cpu().numpy(),
        cell_pixels=side,
        optimal_cells=optimal,
        optimal_cost=optimal_cost,
        seconds=seconds,
    )


def _check(image: UInt8[np.ndarray, "P Q"], start: Pixel, goal: Pixel, policy: Policy) -> int:
    """The pixels per side of a cell."""
    side = 0 if policy.config is None else policy.config.cell_pixels
    if not side:
        raise InputError("these weights see maps, not images; choose weights of an image, such as terrain-16.")
    rows, cols = image.shape
    if min(rows, cols) < side:
        raise InputError(f"the image has {rows}x{cols} pixels, fewer than one cell of {side}x{side}.")
    for name, (row, col) in (("start", start), ("goal", goal)):
        if not (0 <= row < rows and 0 <= col < cols):
            raise InputError(
                f"the {name} ({row}, {col}) lies outside the {rows}x{cols} image; give the row and column of a pixel, "
                f"from 0,0 to {rows - 1},{cols - 1}."
            )
    if image.min() == image.max():
        raise InputError(f"all pixels of the image have the level {image[0, 0]}: there is nothing to see.")
    return side


def _walk(
    actions: Int[torch.Tensor, "1 H W"] | UInt8[torch.Tensor, "1 H W"],
    blocked: Bool[torch.Tensor, "1 H W"],
    begin: Pixel,
    end: Pixel,
    moves: MotionModel,
) -> tuple[bool, Int[np.ndarray, "T 2"], float]:
    """Whether the actions lead to the goal, the cells on the way, and their cost."""
    space = moves.states(*actions.shape[1:])
    first = space.flatten(torch.tensor([[begin]]))
    limit = torch.full_like(first, space.num_states)
    walked = rollout(actions, blocked, torch.tensor([end]), first, limit=limit, moves=moves, record=True)
    assert walked.path is not None  # recorded
    states = walked.path[0, 0]
    states = states[states >= 0]
    reached = bool(walked.reached)
    if not reached:  # it stays before an obstacle, or goes round and round: every state once is enough to see
        states = torch.tensor(list(dict.fromkeys(states.tolist())))
    return reached, space.unflatten(states).numpy(), float(walked.cost) if reached else math.inf
