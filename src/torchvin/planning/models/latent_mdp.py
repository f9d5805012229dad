"""The latent MDP: what the shortest-path planner plans in, as plain tensors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchvin.errors import InputError, check_shape

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

#: For each channel o * A + a: the orientation that it leads to, rows down, columns right.
Steps = tuple[tuple[int, int, int], ...]


def likeliest_steps(weights: Float[Tensor, "OA O F F"]) -> Steps:
    """Where each channel most likely leads, from probabilities or logits.

    >>> import torch
    >>> kernel = torch.zeros(1, 1, 3, 3)
    >>> kernel[0, 0, 1, 0] = 1.0  # to the left
    >>> likeliest_steps(kernel)
    ((0, 0, -1),)
    """
    size, half = weights.shape[-1], weights.shape[-1] // 2
    indices = weights.detach().flatten(1).argmax(dim=1).tolist()
    return tuple((index // size**2, index // size % size - half, index % size - half) for index in indices)


@dataclass(frozen=True)
class LatentMDP:
    """An undiscounted MDP on each map of a batch: moves that cost, and states where one may stop.

    Attributes:
        cost: of each move, not negative, infinite where it is not available, [B, O*A, H, W], channel o * A + a for
            action a in orientation o.
        goal_cost: of stopping, infinite where it is no goal, [B, O, H, W].
        kernel: probability that a move leads to a neighbour, [O*A, O, F, F], each row a distribution; one-hot where the
            MDP is deterministic.
        known_steps: where each channel leads, (orientation, rows down, columns right), where that is known beforehand;
            it saves a look at the kernel, whose numbers a traced program does not have.

    Raises: ShapeError for tensors that do not fit.
    """

    cost: Float[Tensor, "B OA H W"]
    goal_cost: Float[Tensor, "B O H W"]
    kernel: Float[Tensor, "OA O F F"]
    known_steps: Steps | None = None

    def __post_init__(self) -> None:
        check_shape("kernel", self.kernel, "OA O F F")
        channels, orientations = self.kernel.shape[:2]
        check_shape("cost", self.cost, f"B {channels} H W")
        batch, _, height, width = self.cost.shape
        check_shape("goal_cost", self.goal_cost, f"{batch} {orientations} {height} {width}")

    @property
    def available(self) -> Bool[Tensor, "B OA H W"]:
        """Where each move exists."""
        return self.cost < torch.inf

    @property
    def goal(self) -> Bool[Tensor, "B O H W"]:
        """Where one may stop."""
        return self.goal_cost < torch.inf

    @property
    def deterministic(self) -> bool:
        """Whether every move leads to one neighbour for certain: then its plan is a shortest path in a graph."""
        if self.known_steps is not None or torch.compiler.is_compiling():  # a traced program knows no numbers
            return self.known_steps is not None
        return bool((self.kernel.flatten(1).amax(dim=1) == 1).all())

    @property
    def steps(self) -> Steps:
        """Where each channel leads: (orientation, rows down, columns right).

        Raises: InputError if moves are not certain.
        """
        if self.known_steps is not None:
            return self.known_steps
        if not self.deterministic:
            raise InputError("the moves of this latent MDP are not certain, so it is no graph; plan with 'iterate'.")
        return likeliest_steps(self.kernel)

    def double(self) -> "LatentMDP":
        """The same in float64."""
        return LatentMDP(self.cost.double(), self.goal_cost.double(), self.kernel.double(), self.known_steps)

    def graph(self, index: int = 0) -> "tuple[csr_matrix, np.ndarray]":
        """Map `index` as a sparse graph of costs, and the cost of stopping in each state.

        Returns: [S, S] from row to column, S = O * H * W, states numbered o * H * W + row * W + col, of parallel moves
            the cheapest; goal costs [S].
        Raises: InputError if moves are not certain.

        >>> import torch
        >>> kernel = torch.zeros(1, 1, 3, 3)
        >>> kernel[0, 0, 1, 0] = 1.0  # one action, to the left
        >>> mdp = LatentMDP(torch.full((1, 1, 1, 3), 0.5), torch.tensor([[[[0.0, torch.inf, torch.inf]]]]), kernel)
        >>> mdp.graph()[0].toarray().tolist()
        [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]
        """
        import numpy as np
        from scipy.sparse import csr_matrix

        from torchvin.planning.kernels.graph_search import edges

        orientations, states = self.goal_cost.shape[1], self.goal_cost[index].numel()
        source, target, _, cost = edges(self.cost[index].detach().cpu(), self.steps, orientations)
        rank = np.lexsort((cost, target, source))
        source, target, cost = source[rank], target[rank], cost[rank]
        first = np.ones(len(rank), dtype=bool)
        first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
        graph = csr_matrix((cost[first], (source[first], target[first])), shape=(states, states))
        return graph, self.goal_cost[index].detach().cpu().double().flatten().numpy()
