"""Weights by name, by folder or from the Hugging Face Hub: safetensors and JSON, never pickle."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

import torchvin
from torchvin.errors import InputError, unknown_name
from torchvin.io.files import replacing
from torchvin.policies.builders import PolicyConfig, build_policy
from torchvin.policies.policy import Policy

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
FORMAT = 1
_SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy with what its folder says of it.

    Attributes:
        policy: in evaluation mode.
        config: that built it.
        record: how it was trained and how it scored: command, data, seed, scores, as `config.json` has them.
    """

    policy: Policy
    config: PolicyConfig
    record: dict[str, Any] = field(default_factory=dict)


def available() -> list[str]:
    """Names of the weights in the package."""
    return sorted(
        (folder.name for folder in _SHIPPED.iterdir() if (folder / CONFIG_FILE).is_file()),
        key=lambda name: (len(name), name),
    )


def save_policy(
    folder: Path,
    policy: nn.Module,
    config: PolicyConfig,
    record: Mapping[str, Any],
    *,
    dtype: torch.dtype | None = None,
) -> None:
    """Write weights and config; each file appears whole or not at all.

    Args:
        folder: to write into.
        policy, config: the network and what built it.
        record: how it was trained.
        dtype: to store the weights in, as they are if not given. They are loaded in float32 whatever it is.

    Raises: InputError if `folder` cannot be written.
    """
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in policy.state_dict().items()}
    if dtype is not None:
        tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    with replacing(folder / WEIGHTS_FILE) as temporary:
        save_file(tensors, temporary)
    content = {
        "format": FORMAT,
        "torchvin": torchvin.__version__,
        "policy": dataclasses.asdict(config),
        "record": dict(record),
    }
    with replacing(folder / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def load_policy(name: str | Path) -> LoadedPolicy:
    """Load weights by the name of shipped ones, a folder (a run of `torchvin train`), or `owner/repository` on the Hub.

    Only an `owner/repository` that is no folder here touches the network.

    Raises: InputError if there is no such thing, or it does not hold weights for its own config.

    >>> load_policy("gridworld-16").config.design
    'normalized'
    """
    folder = _find(str(name))
    fields, record = _read_config(folder)
    try:
        config = PolicyConfig(**fields)
        policy = build_policy(config)
    except (TypeError, RuntimeError, InputError) as error:
        raise InputError(f"{folder}: its config does not build a policy: {error}") from error
    policy.load_state_dict(_read_weights(folder / WEIGHTS_FILE, policy))
    policy.eval()
    return LoadedPolicy(policy=policy, config=config, record=record)


def load_record(name: str | Path) -> dict[str, Any]:
    """What `load_policy` gives as `record`, without reading the weights.

    Raises: InputError as there.

    >>> load_record("gridworld-16")["config"]["seed"]
    0
    """
    return _read_config(_find(str(name)))[1]


def _read_config(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of the policy's config, and the record."""
    try:
        content = json.loads((folder / CONFIG_FILE).read_text())
        fields = content["policy"]
        fields["design"] = fields["design"].replace("normalised", "normalized")
        version, record = content["format"], content["record"]
        unknown = set(fields) - {field.name for field in dataclasses.fields(PolicyConfig)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder}: no readable {CONFIG_FILE} of torchvin ({error!r}); expected a run folder."
        ) from error
    if version != FORMAT or unknown:
        raise InputError(
            f"{folder}: written by another version of torchvin (format {version}, this one reads {FORMAT}"
            + (f"; unknown fields {', '.join(sorted(unknown))}" if unknown else "")
            + "); upgrade torchvin or train again."
        )
    return fields, record


def _find(name: str) -> Path:
    if (_SHIPPED / name / CONFIG_FILE).is_file() and Path(name).name == name:
        return _SHIPPED / name
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise InputError(f"{folder}: expected a folder with {CONFIG_FILE} and {WEIGHTS_FILE}, got a file.")
    owner, _, repository = name.partition("/")
    if owner and repository and "/" not in repository and not name.startswith(("./", "../", "~")):
        return _download(name)
    raise unknown_name("weights (or folder)", name, available())


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[WEIGHTS_FILE, CONFIG_FILE]))
    except Exception as error:  # the hub client raises its own, requests' and the operating system's errors
        raise InputError(
            f"weights {name!r}: no such folder here, and the Hugging Face Hub gave none ({type(error).__name__}). "
            f"Shipped weights: {', '.join(available())}."
        ) from error


def _read_weights(path: Path, policy: Policy) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
        tensors = {
            name.replace(".share.", ".q_conv.").replace(".settled", ".deterministic"): tensor
            for name, tensor in tensors.items()
        }
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}).") from error
    expected = {name: list(tensor.shape) for name, tensor in policy.state_dict().items()}
    got = {name: list(tensor.shape) for name, tensor in tensors.items()}
    if expected != got:
        wrong = next(name for name in {**expected, **got} if expected.get(name) != got.get(name))
        raise InputError(
            f"{path}: weights of another architecture: {wrong} should be {expected.get(wrong, 'absent')}, "
            f"got {got.get(wrong, 'none')}."
        )
    if bad := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise InputError(f"{path}: {bad[0]} holds NaN or infinity; the training that wrote it diverged.")
    return tensors
