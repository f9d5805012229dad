"""The compiled kernels: all queries and updates in one call, forward or backward.

- Updates of all queries at once (cpu/cpp/graph_iteration.cpp). Arrays are [N, B] and [E, B] there: the queries of a
  node lie side by side, so that one look at an edge serves them all.
- The fixed point, best values first, and its adjoint, each query alone (cpu/cpp/graph_solve.cpp). Arrays are [B, N].
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from torchvin.planning.graph import Graph
from torchvin.planning.kernels import recording
from torchvin.planning.kernels.cpu import kernel as cpu
from torchvin.planning.kernels.graph.options import Options


def why_not(value: Tensor) -> str | None:
    """Why this kernel cannot run, or None if it can."""
    return recording.why_not(value) or cpu.why_not(value)


def iterate(
    graph: Graph,
    node_reward: Tensor | None,
    edge_reward: Tensor | None,
    stop_reward: Tensor | None,
    value: Tensor,
    options: Options,
) -> tuple[Tensor, Tensor, int]:
    """(V [B, N], residual [B], updates made)."""
    function = _FixedPoint if options.implicit else _Unrolled
    answer: tuple[Tensor, Tensor, int] = function.apply(  # type: ignore[no-untyped-call]
        node_reward, edge_reward, stop_reward, value, graph, options
    )
    return answer


def _columns(tensor: Tensor | None, width: int) -> Tensor | None:
    """[B, X] as [X, width] in one run; the last query is repeated until the width is reached."""
    if tensor is None:
        return None
    tensor = tensor.detach()
    if len(tensor) < width:
        tensor = torch.cat([tensor, tensor[-1:].expand(width - len(tensor), -1)])
    return tensor.T.contiguous()


def _width(queries: int) -> int:
    """Queries side by side, as the kernel takes them: 1, 8 or a multiple of 16."""
    return queries if queries == 1 else 8 if queries <= 8 else -(-queries // 16) * 16


def _at(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


class _Web:
    """The graph as the kernels take it; what the addresses point to lives as long as this."""

    def __init__(self, graph: Graph, like: Tensor) -> None:
        narrow, outcome_targets = graph.narrow
        share = None if graph.outcome_probabilities is None else graph.outcome_probabilities.to(like)
        parts = [graph.offsets, narrow, graph.outcomes, outcome_targets, share, *graph.predecessors]
        self._alive = [None if part is None else part.contiguous() for part in parts]
        self.sizes = graph.num_nodes, graph.num_edges
        self.addresses = tuple(map(_at, self._alive))


def _function(name: str, like: Tensor) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(
        cpu.extension, f"graph_{name}_{'float64' if like.dtype == torch.float64 else 'float32'}"
    )
    return function


class _Updated(NamedTuple):
    value: Tensor  # [N, width]
    choices: Tensor  # [K, N, width] if all are kept, [1, N, width] if the last are, else empty
    residual: Tensor  # [width]
    made: int


def _update(inputs: tuple[Any, ...], keep: Literal["none", "last", "all"]) -> _Updated:
    node, edge, stop, value, graph, options = inputs
    width, shared = _width(len(value)), edge is not None and len(edge) == 1
    node, stop = _columns(node, width), _columns(stop, width)
    edge = _columns(edge, 1 if shared else width)
    final = _columns(value, width)
    assert final is not None
    final = final.clone() if final.data_ptr() == value.data_ptr() else final
    limits = _wide_limits(options.limits, width)
    kept = torch.empty(0, dtype=torch.int32)
    if keep != "none":
        kept = cpu.empty((options.num_iterations if keep == "all" else 1, *final.shape), torch.int32)
    residual = final.new_zeros(width)
    web = _Web(graph, final)
    made = _function("iterate", final)(
        web.sizes,
        web.addresses,
        width,
        (_at(node), _at(edge), _at(stop)),
        shared,
        options.discount,
        options.num_iterations,
        _at(limits),
        options.tolerance,
        options.implicit,
        torch.get_num_threads(),
        cpu.instruction_set(),
        final.data_ptr(),
        0 if keep == "none" else kept.data_ptr(),
        keep == "all",
        residual.data_ptr(),
    )
    return _Updated(final, kept, residual, made)


def _wide_limits(limits: Tensor | None, width: int) -> Tensor | None:
    return None if limits is None else torch.cat([limits, limits[-1:].expand(width - len(limits))])


def solve(inputs: tuple[Any, ...], *, keep: bool) -> tuple[Tensor, Tensor, int] | None:
    """The fixed point: V [B, N], choices [B, N] (empty if not kept), updates that it stands for.

    None where updates have to be made one by one (see graph_solve.h).
    """
    node, edge, stop, value, graph, options = inputs
    if stop is None or graph.outcomes is not None or not bool((value == -torch.inf).all()):
        return None
    node, edge, stop = (None if part is None else part.detach().contiguous() for part in (node, edge, stop))
    final = torch.empty_like(value, memory_format=torch.contiguous_format)
    choices = cpu.empty(tuple(value.shape) if keep else (0,), torch.int32)
    web = _Web(graph, value)
    made = _function("solve", value)(
        web.sizes,
        web.addresses,
        len(value),
        (_at(node), _at(edge), _at(stop)),
        edge is not None and len(edge) == 1,
        options.discount,
        options.num_iterations,
        _at(options.limits),
        torch.get_num_threads(),
        cpu.instruction_set(),
        final.data_ptr(),
        _at(choices) if keep else 0,
    )
    return (final, choices, made) if made else None


def _wanted(ctx: Any) -> list[Any]:
    """Shapes of the rewards whose gradient is wanted, None for the others."""
    pairs = zip(ctx.shapes, ctx.needs_input_grad, strict=False)
    return [shape if needed else None for shape, needed in pairs]


class _Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, int]:
        *tensors, value, graph, options = inputs
        updated = _update(inputs, "all" if any(ctx.needs_input_grad[:4]) else "none")
        ctx.graph, ctx.options, ctx.made = graph, options, updated.made
        ctx.shapes = [None if tensor is None else tensor.shape for tensor in tensors]
        ctx.save_for_backward(updated.choices)
        residual = updated.residual[: len(value)]
        ctx.mark_non_differentiable(residual)
        return updated.value.T[: len(value)].contiguous(), residual, updated.made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        (kept,) = ctx.saved_tensors
        flow = _flow(grad)
        grads = _column_grads(ctx, flow)
        limits = _wide_limits(ctx.options.limits, flow.shape[1])
        _run_back(ctx, flow, grads, kept, ctx.made, limits)
        return *_rows(ctx, grads), flow.T[: len(grad)].contiguous(), None, None


class _FixedPoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, int]:
        *tensors, value, graph, options = inputs
        wanted = any(ctx.needs_input_grad[:4])
        batch = len(value)
        solved = solve(inputs, keep=wanted)
        if solved:
            final, choices, made = solved
            residual = final.new_zeros(batch)
        else:
            updated = _update(inputs, "last" if wanted else "none")
            final, residual, made = updated.value.T[:batch].contiguous(), updated.residual[:batch], updated.made
            choices = updated.choices
            if wanted and graph.outcomes is None:
                choices = choices[0].T[:batch].contiguous()
        ctx.graph, ctx.options, ctx.made = graph, options, made
        ctx.shapes = [None if tensor is None else tensor.shape for tensor in tensors]
        ctx.save_for_backward(choices)
        ctx.mark_non_differentiable(residual)
        return final, residual, made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        (choices,) = ctx.saved_tensors
        if ctx.graph.outcomes is None:
            flow = grad.clone(memory_format=torch.contiguous_format)
            grads = [None if shape is None else flow.new_zeros(shape) for shape in _wanted(ctx)]
            web = _Web(ctx.graph, flow)
            _function("solve_backward", flow)(
                web.sizes,
                web.addresses,
                len(flow),
                _shares_edges(ctx),
                ctx.options.discount,
                choices.data_ptr(),
                torch.get_num_threads(),
                (flow.data_ptr(), *map(_at, grads)),
            )
            return *grads, torch.zeros_like(grad), None, None
        # The gradient runs down the chosen edges until nothing of it is left.
        flow = _flow(grad)
        grads = _column_grads(ctx, flow)
        enough = ctx.options.tolerance * flow.abs().sum()
        for _step in range(max(ctx.made, 1)):
            if not flow.abs().sum() > enough:
                break
            _run_back(ctx, flow, grads, choices, 1, None)
        return *_rows(ctx, grads), torch.zeros_like(grad), None, None


def _shares_edges(ctx: Any) -> bool:
    return ctx.shapes[1] is not None and ctx.shapes[1][0] == 1


def _flow(grad: Tensor) -> Tensor:
    """The gradient of V [B, N] as [N, width]; queries that only fill up have none."""
    flow = grad.new_zeros(grad.shape[1], _width(len(grad)))
    flow[:, : len(grad)] = grad.T
    return flow


def _column_grads(ctx: Any, flow: Tensor) -> list[Tensor | None]:
    """Zeros for the gradients of the rewards, [X, width] or [E, 1]."""
    widths = flow.shape[1], 1 if _shares_edges(ctx) else flow.shape[1], flow.shape[1]
    pairs = zip(_wanted(ctx), widths, strict=True)
    return [None if shape is None else flow.new_zeros(shape[1], width) for shape, width in pairs]


def _rows(ctx: Any, grads: list[Tensor | None]) -> list[Tensor | None]:
    """Gradients [X, width] as the rewards are, [B, X]."""
    pairs = zip(grads, ctx.shapes, strict=True)
    return [None if part is None else part.T[: shape[0]].contiguous() for part, shape in pairs]


def _run_back(
    ctx: Any, flow: Tensor, grads: list[Tensor | None], kept: Tensor, made: int, limits: Tensor | None
) -> None:
    web = _Web(ctx.graph, flow)
    _function("backward", flow)(
        web.sizes,
        web.addresses,
        flow.shape[1],
        (0, 0, 0),
        _shares_edges(ctx),
        ctx.options.discount,
        made,
        _at(limits),
        kept.data_ptr(),
        torch.get_num_threads(),
        (flow.data_ptr(), *map(_at, grads)),
    )
