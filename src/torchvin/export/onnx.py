"""ONNX: K updates one after another, in the operations of the reference kernel."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from torchvin.errors import InputError
from torchvin.export.frozen import frozen
from torchvin.io.files import replacing
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.policy import ReactivePolicy

#: Updates that a model may hold: its size, and the time to write it, grow with them.
_MOST_UPDATES = 4096


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress warnings and log lines of the exporter, which are not about the user's model."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _updates(policy: Policy, num_iterations: int | None, size: tuple[int, int]) -> int | None:
    """K of the model: the given one, or that of maps of `size`.

    Raises: InputError if the model would be too large.
    """
    k = num_iterations
    if k is None and policy.planner is not None:
        k = policy.planner.iterations_for(*size)
    if k is not None and k > _MOST_UPDATES:
        raise InputError(
            f"the model would hold {k:,} updates one after another, more than {_MOST_UPDATES:,}; give a smaller number "
            "of iterations."
        )
    return k


def _channels(policy: Policy) -> int:
    """Number of planes of an observation."""
    if policy.config is None:
        return 2
    if pixels := policy.config.cell_pixels:
        return pixels**2 + 1
    return policy.config.num_terrains + policy.config.num_orientations


def to_onnx(
    policy: Policy,
    path: str | os.PathLike[str],
    *,
    num_iterations: int | None = None,
    size: tuple[int, int] = (16, 16),
) -> int | None:
    """Write a policy as an ONNX model: input `observation` [B, C, H, W], output `logits` [B, A, H, W], float32.

    Batch, height and width are free for a policy that takes any size. K is fixed, because the model holds the updates
    one after another. A policy that solves exactly makes K updates in ONNX. Its logits are then the same in every state
    whose goal is at most K moves away.

    Args:
        policy: policy to export, on any device and in any mode; it is not changed.
        path: file to write. It appears whole or not at all.
        num_iterations: K; chosen by `size` if not given.
        size: (height, width) of the maps for which K is chosen. A reactive policy has its own size.

    Returns: K, or None for a policy that does not plan.
    Raises: InputError if the exporter is not installed, if `path` cannot be written, or for a K that the policy does
        not take or that makes the model too large.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(f"ONNX export needs the package {error.name}: pip install 'torchvin[onnx]'.") from error
    any_size = not isinstance(policy, ReactivePolicy)
    if isinstance(policy, ReactivePolicy):
        size = (policy.height, policy.width)
    k = _updates(policy, num_iterations, size)
    module = frozen(policy, num_iterations=k, iterate=True).cpu()
    channels = _channels(policy)
    observation = torch.zeros(2, channels, *size)
    observation[:, -1, size[0] // 2, size[1] // 2] = 10.0
    axes = {0: torch.export.Dim("batch", min=1)}
    if any_size:
        axes |= {2: torch.export.Dim("height", min=2), 3: torch.export.Dim("width", min=2)}
    module(observation)  # a K that the policy does not take is an error of ours, not of the exporter
    with replacing(Path(path)) as temporary, _quiet():
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
