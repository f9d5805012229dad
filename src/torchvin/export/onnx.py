"""ONNX: the plan unrolled, K updates after one another, in the operations of the reference kernel."""

import os
import warnings
from pathlib import Path

import torch

from torchvin.errors import InputError
from torchvin.export.frozen import frozen
from torchvin.io.files import replacing
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.policy import ReactivePolicy


def to_onnx(
    policy: Policy,
    path: str | os.PathLike[str],
    *,
    num_iterations: int | None = None,
    size: tuple[int, int] = (16, 16),
) -> int | None:
    """Write a policy as an ONNX model: input `observation` [B, C, H, W], output `logits` [B, A, H, W], float32.

    Batch, height and width are free for a policy that takes any size. K is fixed: the updates are written out one by
    one. A policy that solves exactly makes K updates in ONNX, which gives the same logits wherever the goal is at most
    K moves away.

    Args:
        policy: in any mode.
        path: of the file, which appears whole or not at all.
        num_iterations: K; by `size` if not given.
        size: (height, width) of the maps that K is chosen for; of a reactive policy its own size is taken.

    Returns: K, or None for a policy that does not plan.
    Raises: InputError if the exporter is not installed, or `path` cannot be written.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(f"ONNX export needs the package {error.name}: pip install 'torchvin[onnx]'.") from error
    any_size = not isinstance(policy, ReactivePolicy)
    k: int | None = None
    if isinstance(policy, ReactivePolicy):
        size = (policy.height, policy.width)
    elif policy.planner is not None:
        k = num_iterations or policy.planner.iterations_for(*size)
    module = frozen(policy, num_iterations=k, iterate=True)
    channels = policy.config.num_terrains + policy.config.num_orientations if policy.config is not None else 2
    observation = torch.zeros(2, channels, *size)
    observation[:, -1, size[0] // 2, size[1] // 2] = 10.0
    axes = {0: torch.export.Dim("batch", min=1)}
    if any_size:
        axes |= {2: torch.export.Dim("height", min=2), 3: torch.export.Dim("width", min=2)}
    with replacing(Path(path)) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        torch.onnx.export(
            module,
            (observation,),
            temporary,
            dynamo=True,
            verbose=False,
            external_data=False,
            input_names=["observation"],
            output_names=["logits"],
            dynamic_shapes={"observation": axes},
        )
    return k
