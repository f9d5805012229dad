"""Value iteration on arbitrary directed graphs, as a function and as a layer.

"Our approach can be extended to general discrete state spaces, for example, a graph" (Tamar et al. 2016, section 6).
"""

from dataclasses import dataclass
from types import ModuleType
from typing import get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from torchvin.errors import InputError, check_shape, unknown_name
from torchvin.planning.gradient import Gradient
from torchvin.planning.graph import Graph
from torchvin.planning.kernels.graph import cpu, reference, triton
from torchvin.planning.kernels.graph.options import Options
from torchvin.planning.kernels.reference import segment_length
from torchvin.planning.value_iteration import check_num_iterations

_KERNELS: dict[str, ModuleType] = {"cpu": cpu, "triton": triton}
BACKENDS = ("auto", *_KERNELS, "reference")


@dataclass(frozen=True)
class GraphPlan:
    """A plan of B queries for every node of a graph.

    Attributes:
        value: V_K, [B, N].
        num_iterations: K, the number of value updates made.
        residual: largest change that the last update made to each query, [B]; carries no gradient.
        solved: whether the values are known to be the fixed point.
    """

    value: Float[Tensor, "B N"]
    num_iterations: int
    residual: Float[Tensor, "B"]
    solved: bool
    _model: tuple[Graph, Tensor | None, Tensor | None, float]

    @property
    def q_values(self) -> Float[Tensor, "B E"]:
        """Q of every edge: the look-ahead at `value`, computed when it is asked for."""
        graph, node_reward, edge_reward, discount = self._model
        return reference.look_ahead(graph, node_reward, edge_reward, discount, self.value)


def graph_value_iteration(
    graph: Graph,
    *,
    num_iterations: int | Int[Tensor, "B"],
    node_reward: Float[Tensor, "B N"] | None = None,
    edge_reward: Float[Tensor, "#B E"] | None = None,
    stop_reward: Float[Tensor, "B N"] | None = None,
    discount: float = 1.0,
    initial_value: Float[Tensor, "B N"] | None = None,
    gradient: Gradient = "unroll",
    tolerance: float = 1e-6,
    backend: str = "auto",
) -> GraphPlan:
    """Run exactly `num_iterations` value updates on a directed graph, of B queries at once.

    Q_k(s, e) = node_reward(s) + edge_reward(e) + discount * E[V_k(where e leads)], and
    V_{k+1}(s) = max(stop_reward(s), max over the edges e of s of Q_k(s, e)). Information travels K edges at most. At a
    tie the first edge is taken, stopping before all. Only what is taken carries gradient. A node without edges where
    one cannot stop has the value 0. Rewards may be -inf (what must not be done), but not NaN or +inf.

    Args:
        graph: of N nodes and E edges; `Graph.union` puts a batch of different graphs side by side.
        num_iterations: K; a tensor [B] gives each query its own.
        node_reward: reward of leaving a node by any edge, [B, N].
        edge_reward: reward of each edge, [B, E], or [1, E] for all queries.
        stop_reward: reward of stopping in a node, after which nothing follows, [B, N].
        discount: of the value behind an edge, in (0, 1].
        initial_value: V_0, [B, N]; if not given 0, or -inf where `stop_reward` is given, so that V_K is the best of
            stopping after at most K - 1 edges.
        gradient: "unroll" keeps the choice of every update (4 bytes per node and update). "checkpoint" keeps about
            sqrt(K) values and computes the others again. "implicit" goes to the fixed point, or makes `num_iterations`
            updates if they do not reach it, and keeps one choice per node; V_0 has no gradient then.
        tolerance: of "implicit": a query has converged when an update changes it by at most this times its largest |V|.
        backend: "cpu" (compiled), "triton" (on a GPU), "reference" (plain PyTorch, any device) or "auto".

    Raises: InputError for a K or a discount out of range, rewards that are NaN or +inf, an unknown name, a backend that
        cannot run, or no rewards at all; ShapeError.

    >>> graph = Graph.from_edge_index(torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
    >>> goal = torch.tensor([[-torch.inf, -torch.inf, 0.0]])  # one can stop in node 2
    >>> graph_value_iteration(graph, num_iterations=3, edge_reward=-torch.ones(1, 2), stop_reward=goal).value.tolist()
    [[-2.0, -1.0, 0.0]]
    """
    most, limits = _iterations(num_iterations)
    if gradient not in get_args(Gradient):
        raise unknown_name("gradient mode", gradient, get_args(Gradient))
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    if not 0 < discount <= 1:
        raise InputError(f"discount must lie in (0, 1], got {discount}.")
    if not tolerance >= 0:
        raise InputError(f"tolerance must not be negative, got {tolerance}.")
    given = {"node_reward": node_reward, "edge_reward": edge_reward, "stop_reward": stop_reward}
    rewards = {name: part for name, part in given.items() if part is not None}
    if not rewards:
        raise InputError("nothing to plan for: give node_reward, edge_reward or stop_reward.")
    batch = max(part.shape[0] for part in (*rewards.values(), *([] if limits is None else [limits])))
    if initial_value is not None:
        batch = max(batch, initial_value.shape[0])
    _check_parts(graph, rewards, batch)
    device = next(iter(rewards.values())).device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        rewards = {name: part.float() for name, part in rewards.items()}
        initial_value = None if initial_value is None else initial_value.float()
    like = next(iter(rewards.values()))
    if initial_value is None:
        initial_value = like.new_full((batch, graph.num_nodes), 0.0 if stop_reward is None else -torch.inf)
    check_shape("initial_value", initial_value, f"{batch} {graph.num_nodes}")
    if len({part.dtype for part in (*rewards.values(), initial_value)}) > 1:
        raise InputError("rewards and initial_value must have one dtype.")
    if limits is not None:
        check_shape("num_iterations", limits, f"{batch}")
        limits = limits.to(initial_value.device)
    node, edge, stop = (rewards.get(name) for name in given)
    kernel = _choose(backend, initial_value)
    options = Options(float(discount), most, limits, tolerance, gradient == "implicit")
    parts = (graph, node, edge, stop, initial_value, options)
    answer = _by_kernel(kernel, *parts, gradient) if kernel else _by_reference(*parts, gradient)
    value, residual, made = answer
    solved = (
        bool((residual <= 0).all())
        if made and gradient != "implicit"
        else reference.is_solved(value, residual, tolerance)
    )
    return GraphPlan(value, made, residual, solved and made > 0, (graph, node, edge, float(discount)))


def _choose(backend: str, value: Tensor) -> ModuleType | None:
    """The kernel to run, or None for the reference."""
    if backend == "reference":
        return None
    if backend == "auto":
        kernel = _KERNELS["triton" if value.device.type == "cuda" else "cpu"]
        return None if kernel.why_not(value) else kernel
    if reason := _KERNELS[backend].why_not(value):
        raise InputError(f"backend {backend!r} cannot run: {reason}.")
    return _KERNELS[backend]


def _by_kernel(
    kernel: ModuleType,
    graph: Graph,
    node: Tensor | None,
    edge: Tensor | None,
    stop: Tensor | None,
    value: Tensor,
    options: Options,
    gradient: str,
) -> tuple[Tensor, Tensor, int]:
    def run(value: Tensor, count: int, done: int) -> tuple[Tensor, Tensor, int]:
        rest = options._replace(num_iterations=count, limits=options.limits_after(done))
        answer: tuple[Tensor, Tensor, int] = kernel.iterate(graph, node, edge, stop, value, rest)
        return answer

    if gradient != "checkpoint" or not torch.is_grad_enabled():
        return run(value, options.num_iterations, 0)
    stride = segment_length(options.num_iterations)
    residual = value.new_zeros(value.shape[0])
    for first in range(0, options.num_iterations, stride):
        count = min(stride, options.num_iterations - first)
        value, residual, _ = checkpoint(run, value, count, first, use_reentrant=False, preserve_rng_state=False)
    return value, residual, options.num_iterations


def _by_reference(
    graph: Graph,
    node: Tensor | None,
    edge: Tensor | None,
    stop: Tensor | None,
    value: Tensor,
    options: Options,
    gradient: str,
) -> tuple[Tensor, Tensor, int]:
    def step(value: Tensor, done: int) -> Tensor:
        return reference.iterate(graph, node, edge, stop, options.discount, value, 1, options.limits_after(done))

    change = value.new_zeros(value.shape[0])
    made = 0
    if gradient == "implicit":
        with torch.no_grad():
            while made < options.num_iterations:
                after, made = step(value, made), made + 1
                change, value = reference.change(after, value), after
                if reference.is_solved(value, change, options.tolerance):
                    break
        # With V at its fixed point, updates from it are the backward pass of the adjoint equation.
        value = value.detach()
        if torch.is_grad_enabled():
            for done in range(made):
                value = step(value, done)
        return value, change, made
    for made in range(1, options.num_iterations + 1):
        before = value
        if gradient == "checkpoint" and torch.is_grad_enabled():
            value = checkpoint(step, value, made - 1, use_reentrant=False, preserve_rng_state=False)
        else:
            value = step(value, made - 1)
        change = reference.change(value, before)
    return value, change, options.num_iterations


def _iterations(num_iterations: int | Tensor) -> tuple[int, Tensor | None]:
    if not isinstance(num_iterations, Tensor) or num_iterations.dim() == 0:
        return check_num_iterations(int(num_iterations) if isinstance(num_iterations, Tensor) else num_iterations), None
    if num_iterations.is_floating_point() or num_iterations.dim() != 1 or not len(num_iterations):
        raise InputError(f"num_iterations must be one whole number, or one per query, got {num_iterations!r:.60}.")
    if int(num_iterations.min()) < 0:
        raise InputError(f"num_iterations must not be negative, got {int(num_iterations.min())}.")
    return check_num_iterations(int(num_iterations.max())), num_iterations.long().contiguous()


def _check_parts(graph: Graph, rewards: dict[str, Tensor], batch: int) -> None:
    for name, part in rewards.items():
        size = graph.num_edges if name == "edge_reward" else graph.num_nodes
        check_shape(name, part, f"{1 if name == 'edge_reward' and part.shape[0] == 1 else batch} {size}")
        if not part.is_floating_point():
            raise InputError(f"{name} must hold floating-point numbers, got {part.dtype}.")
        if part.numel() and not bool(part.detach().amax() < torch.inf):
            raise InputError(f"{name} must not be NaN or +inf; -inf forbids an edge or a stop.")


class GraphValueIteration(nn.Module):
    """Value iteration on graphs as a layer: K and the discount, any graph at call time.

    Args:
        num_iterations: K of a call that gives none.
        discount, gradient, tolerance, backend: as in `graph_value_iteration`.

    >>> graph = Graph.from_edge_index(torch.tensor([[0, 1, 2], [1, 2, 0]]), num_nodes=3)
    >>> plan = GraphValueIteration(num_iterations=20, discount=0.9)
    >>> plan(graph, node_reward=torch.randn(4, 3)).value.shape
    torch.Size([4, 3])
    """

    def __init__(
        self,
        *,
        num_iterations: int,
        discount: float = 1.0,
        gradient: Gradient = "unroll",
        tolerance: float = 1e-6,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        self.num_iterations = num_iterations
        self.discount = discount
        self.gradient: Gradient = gradient
        self.tolerance = tolerance
        self.backend = backend

    def extra_repr(self) -> str:
        """What is shown between the brackets of the module."""
        return f"num_iterations={self.num_iterations}, discount={self.discount}, gradient={self.gradient!r}"

    def forward(
        self,
        graph: Graph,
        *,
        node_reward: Float[Tensor, "B N"] | None = None,
        edge_reward: Float[Tensor, "#B E"] | None = None,
        stop_reward: Float[Tensor, "B N"] | None = None,
        num_iterations: int | Int[Tensor, "B"] | None = None,
        initial_value: Float[Tensor, "B N"] | None = None,
    ) -> GraphPlan:
        """Plan; see `graph_value_iteration`."""
        return graph_value_iteration(
            graph,
            num_iterations=self.num_iterations if num_iterations is None else num_iterations,
            node_reward=node_reward,
            edge_reward=edge_reward,
            stop_reward=stop_reward,
            discount=self.discount,
            initial_value=initial_value,
            gradient=self.gradient,
            tolerance=self.tolerance,
            backend=self.backend,
        )
