"""The Triton kernel (triton/programs/graph.py): one launch per update, and one per step of the gradient.

`TRITON_INTERPRET=1` runs the same code on a CPU, slowly, for tests.
"""

import functools
import importlib
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from torchvin.planning.graph import Graph
from torchvin.planning.kernels import recording
from torchvin.planning.kernels.graph import reference
from torchvin.planning.kernels.graph.options import Options
from torchvin.planning.kernels.triton import kernel, launches

_NODES = 128  # of a program: one thread each of four warps


def why_not(value: Tensor) -> str | None:
    """Why this kernel cannot run, or None if it can."""
    return recording.why_not(value) or kernel.why_not(value)


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


@functools.cache
def _programs() -> Any:
    return importlib.import_module("torchvin.planning.kernels.triton.programs.graph")


def _launch(
    program: Any, like: Tensor, arguments: tuple[Any, ...], graph: Graph, given: tuple[Any, ...], **more: bool
) -> None:
    batch, nodes = like.shape
    launches.run(
        program,
        (-(-nodes // _NODES), batch),
        like.device,
        arguments,
        UNCERTAIN=graph.outcomes is not None,
        NODE_REWARD=given[0] is not None,
        EDGE_REWARD=given[1] is not None,
        STOP_REWARD=given[2] is not None,
        NODES=_NODES,
        num_warps=4,
        enable_fp_fusion=False,  # rounded as the reference rounds, so that ties are the same
        **more,
    )


class _Iterate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, int]:
        *rewards, value, graph, options = inputs
        rewards = [None if part is None else part.detach().contiguous() for part in rewards]
        wanted = any(ctx.needs_input_grad[:4])
        keep_all = wanted and not options.implicit
        count = options.num_iterations if keep_all else int(wanted)
        choices = value.new_empty((count, *value.shape), dtype=torch.int32)
        discount = value.new_full((1,), options.discount)
        final = value.detach().contiguous()
        residual, made = value.new_zeros(len(value)), 0
        before = final
        while made < options.num_iterations:
            before, after = final, torch.empty_like(final)
            _update(graph, rewards, discount, options, before, after, choices[made] if keep_all else choices, made)
            final, made = after, made + 1
            if options.implicit:
                residual = reference.change(final, before)
                if reference.is_solved(final, residual, options.tolerance):
                    break
        if made and not options.implicit:
            residual = reference.change(final, before)
        final = final if made else final.clone()
        ctx.graph, ctx.options, ctx.made = graph, options, made
        ctx.shapes = [None if part is None else part.shape for part in rewards]
        ctx.save_for_backward(choices, discount)
        ctx.mark_non_differentiable(residual)
        return final, residual, made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        choices, discount = ctx.saved_tensors
        options, flow = ctx.options, grad.contiguous()
        # Of rewards that all queries share, each query first has a gradient of its own.
        grads = [
            flow.new_zeros(len(flow), shape[1]) if shape is not None and needed else None
            for shape, needed in zip(ctx.shapes, ctx.needs_input_grad, strict=False)
        ]
        enough = options.tolerance * flow.abs().sum() if options.implicit else None
        for k in reversed(range(max(ctx.made, 1) if options.implicit else ctx.made)):
            if enough is not None and not flow.abs().sum() > enough:
                break
            before = torch.empty_like(flow)
            _back(ctx.graph, discount, choices[0 if options.implicit else k], flow, before, grads)
            flow = before
        pairs = zip(grads, ctx.shapes, strict=True)
        given = [
            None if part is None else part if len(part) == shape[0] else part.sum(0, keepdim=True)
            for part, shape in pairs
        ]
        return *given, torch.zeros_like(grad) if options.implicit else flow, None, None


def _update(
    graph: Graph,
    rewards: list[Tensor | None],
    discount: Tensor,
    options: Options,
    value: Tensor,
    after: Tensor,
    choices: Tensor,
    k: int,
) -> None:
    node, edge, stop = rewards
    certain, outcome_targets = graph.narrow
    targets = certain if outcome_targets is None else outcome_targets
    outcomes = graph.offsets if graph.outcomes is None else graph.outcomes
    share = value if graph.outcome_probabilities is None else graph.outcome_probabilities.to(value)
    parts = [value if part is None else part for part in (node, edge, stop)]  # what is not given is not read
    limits = graph.offsets if options.limits is None else options.limits
    stride = 0 if edge is None or len(edge) == 1 else graph.num_edges
    _launch(
        _programs().update_kernel,
        value,
        (
            graph.offsets,
            targets,
            outcomes,
            share,
            *parts,
            discount,
            limits,
            value,
            after,
            choices,
            k,
            graph.num_nodes,
            stride,
        ),
        graph,
        (node, edge, stop),
        LIMITED=options.limits is not None,
        KEEP=choices.numel() > 0,
    )


def _back(
    graph: Graph, discount: Tensor, choices: Tensor, flow: Tensor, before: Tensor, grads: list[Tensor | None]
) -> None:
    offsets, sources, numbers = graph.predecessors
    edges = numbers if graph.outcomes is None else graph.outcome_edges
    share = flow if graph.outcome_probabilities is None else graph.outcome_probabilities.to(flow)
    parts = [flow if part is None else part for part in grads]
    _launch(
        _programs().gradient_kernel,
        flow,
        (
            offsets,
            sources,
            numbers,
            edges,
            share,
            discount,
            choices,
            flow,
            before,
            *parts,
            graph.num_nodes,
            graph.num_edges,
        ),
        graph,
        tuple(grads),
    )
