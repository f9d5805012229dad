"""The compiled kernel (cpu/cpp/graph_iteration.cpp): all queries and updates in one call, forward or backward.

Inside, arrays are [N, B] and [E, B]: the queries of a node lie side by side, so that one look at an edge serves them
all.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from torchvin.planning.graph import Graph
from torchvin.planning.kernels import recording
from torchvin.planning.kernels.cpu import kernel as cpu


class Options(NamedTuple):
    """What decides a call beside its tensors.

    Attributes:
        discount: of the values.
        num_iterations: K.
        limits: K of each query, int64 [B]; None if all have the same.
        tolerance: see `implicit`.
        implicit: stop at the fixed point, and differentiate it.
    """

    discount: float
    num_iterations: int
    limits: Tensor | None
    tolerance: float
    implicit: bool

    def limits_after(self, done: int) -> Tensor | None:
        """What is left of `limits` after some updates."""
        return None if self.limits is None else (self.limits - done).clamp(min=0)


def why_not(value: Tensor) -> str | None:
    """Why this kernel cannot run, or None if it can."""
    if recording.is_recorded() or recording.is_traced():
        return "programs that are traced or exported hold the reference"
    if type(value) not in recording.PLAIN:
        return f"the tensor is a {type(value).__name__}"
    return cpu.why_not(value)


def iterate(
    graph: Graph,
    node_reward: Tensor | None,
    edge_reward: Tensor | None,
    stop_reward: Tensor | None,
    value: Tensor,
    options: Options,
) -> tuple[Tensor, Tensor, int]:
    """(V [B, N], residual [B], updates made)."""
    answer: tuple[Tensor, Tensor, int] = _Iterate.apply(  # type: ignore[no-untyped-call]
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


def _web(graph: Graph, like: Tensor) -> tuple[tuple[int, int], tuple[int, ...], list[Any]]:
    """Sizes and addresses of the graph, and what must stay alive while they are used."""
    narrow, outcome_targets = graph.narrow
    share = None if graph.outcome_probabilities is None else graph.outcome_probabilities.to(like)
    parts = [graph.offsets, narrow, graph.outcomes, outcome_targets, share, *graph.predecessors]
    alive = [None if part is None else part.contiguous() for part in parts]
    return (graph.num_nodes, graph.num_edges), tuple(map(_at, alive)), alive


class _Iterate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, int]:
        *tensors, value, graph, options = inputs
        assert cpu.extension is not None
        node, edge, stop = tensors
        width, shared = _width(len(value)), edge is not None and len(edge) == 1
        node, stop = _columns(node, width), _columns(stop, width)
        edge = _columns(edge, 1 if shared else width)
        final = _columns(value, width)
        assert final is not None
        final = final.clone() if final.data_ptr() == value.data_ptr() else final
        limits = options.limits
        if limits is not None:
            limits = torch.cat([limits, limits[-1:].expand(width - len(limits))])
        wanted = any(ctx.needs_input_grad[:4])
        keep_all = wanted and not options.implicit
        nodes, queries = final.shape
        kept = torch.empty(0, dtype=torch.int32)
        if wanted:
            kept = cpu.empty((options.num_iterations if keep_all else 1, nodes, queries), torch.int32)
        residual = final.new_zeros(queries)
        sizes, addresses, alive = _web(graph, final)
        run = getattr(cpu.extension, f"graph_iterate_{_name(final)}")
        made = run(
            sizes,
            addresses,
            queries,
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
            kept.data_ptr() if wanted else 0,
            keep_all,
            residual.data_ptr(),
        )
        del alive
        ctx.graph, ctx.options, ctx.made, ctx.shared = graph, options, made, shared
        ctx.shapes = [None if tensor is None else tensor.shape for tensor in tensors]
        ctx.save_for_backward(kept)
        ctx.limits = limits
        batch = len(value)
        residual = residual[:batch]
        ctx.mark_non_differentiable(residual)
        return final.T[:batch].contiguous(), residual, made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        assert cpu.extension is not None
        (kept,) = ctx.saved_tensors
        options, graph = ctx.options, ctx.graph
        batch, width = len(grad), _width(len(grad))
        flow = grad.new_zeros(grad.shape[1], width)
        flow[:, :batch] = grad.T
        grads = [
            None if shape is None or not needed else flow.new_zeros(shape[1], 1 if index == 1 and ctx.shared else width)
            for index, (shape, needed) in enumerate(zip(ctx.shapes, ctx.needs_input_grad, strict=False))
        ]
        sizes, addresses, alive = _web(graph, flow)
        run = getattr(cpu.extension, f"graph_backward_{_name(flow)}")

        def back(made: int, limits: Tensor | None) -> None:
            run(
                sizes,
                addresses,
                flow.shape[1],
                (0, 0, 0),
                ctx.shared,
                options.discount,
                made,
                _at(limits),
                kept.data_ptr(),
                torch.get_num_threads(),
                (flow.data_ptr(), *map(_at, grads)),
            )

        if options.implicit:
            # The adjoint of the fixed point: the gradient runs down the chosen edges until nothing of it is left.
            enough = options.tolerance * flow.abs().sum()
            for _step in range(max(ctx.made, 1)):
                if not flow.abs().sum() > enough:
                    break
                back(1, None)
        else:
            back(ctx.made, ctx.limits)
        del alive
        given = [
            None if part is None or shape is None else part.T[: shape[0]].contiguous()
            for part, shape in zip(grads, ctx.shapes, strict=True)
        ]
        initial = torch.zeros_like(grad) if options.implicit else flow.T[:batch].contiguous()
        return *given, initial, None, None


def _name(tensor: Tensor) -> str:
    return "float64" if tensor.dtype == torch.float64 else "float32"
