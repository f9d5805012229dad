"""Weights by name, by folder or from the Hugging Face Hub: safetensors and JSON, never pickle.

A folder holds `model.safetensors` and `config.json`, which says what was really used (format 2): architecture, solver,
task (motion model, observation, data) and the record of the training.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

import torchvin
from torchvin.architectures.registry import (
    build_policy,
    build_with,
    config_from_json,
    config_to_json,
    known_builder,
)
from torchvin.errors import InputError, unknown_name
from torchvin.io.files import replacing
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy
from torchvin.pretrained import format_1, hub
from torchvin.pretrained.shipped import missing_package, shipped_folders

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
FORMAT = 2
Build = Callable[[Any], Policy]


def available() -> list[str]:
    """Names of the installed weights, the shortest first."""
    return list(shipped_folders())


def save_policy(
    folder: str | os.PathLike[str],
    policy: Policy,
    *,
    task: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Write weights and configuration; each file appears whole or not at all.

    Args:
        folder: to write into.
        policy: built from a configuration.
        task: what it was trained for; the policy's own if not given.
        record: how it was trained; the policy's own if not given.
        dtype: to store the weights in, as they are if not given. They are loaded in float32 whatever it is.

    Raises: InputError if `folder` cannot be written, or the policy was composed by hand, without a configuration.
    """
    from safetensors.torch import save_file

    if policy.config is None:
        raise InputError(
            "only a policy with a configuration can be loaded again: build it with torchvin.build_policy, or register "
            "it (torchvin.register_architecture) and set its `config`."
        )
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in policy.state_dict().items()}
    if dtype is not None:
        tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    content = {
        "format": FORMAT,
        "torchvin": torchvin.__version__,
        "policy": config_to_json(policy.config),
        **({"builder": policy.builder} if policy.builder else {}),
        "solver": {} if policy.planner is None else policy.planner.solver,
        "task": dict(policy.task if task is None else task),
        "record": dict(policy.record if record is None else record),
    }
    folder = Path(folder)
    with replacing(folder / WEIGHTS_FILE) as temporary:
        save_file(tensors, temporary)
    with replacing(folder / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def load_policy(name: str | os.PathLike[str], *, revision: str | None = None, build: Build | None = None) -> Policy:
    """Load weights by the name of shipped ones, a folder (a run of `torchvin train`), or `owner/repository` on the Hub.

    Only an `owner/repository` that is no folder here touches the network.

    Args:
        name: of the weights.
        revision: branch, tag or commit on the Hub.
        build: builds the network in place of its architecture's own builder; needed for weights of a training with a
            `build` of its own, in a process that has not used that function.

    Returns: the policy in evaluation mode; its `config`, `task` and `record` are what the folder says.
    Raises: InputError if there is no such thing, or it does not hold weights for its own configuration.

    >>> load_policy("gridworld-16").config.hidden_channels
    64
    """
    folder = _find(os.fspath(name), revision)
    content, former = _read_config(folder)
    try:
        config = config_from_json(content["policy"])
        chosen = build or (known_builder(content["builder"]) if content.get("builder") else build_policy)
        with torch.random.fork_rng(devices=[]):  # loading draws no numbers that a caller would miss
            policy = build_with(chosen, config)
        tensors = _read_weights(folder / WEIGHTS_FILE, policy, config, former)
        policy.load_state_dict(tensors)
        if policy.planner is not None:
            policy.planner.set_solver(content.get("solver", {}))
    except (TypeError, RuntimeError) as error:
        raise InputError(f"{folder}: its config does not build a policy: {error}") from error
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    policy.task, policy.record = content["task"], content["record"]
    policy.eval()
    return policy


def load_record(name: str | os.PathLike[str]) -> dict[str, Any]:
    """What `load_policy` gives as `record`, without reading the weights.

    Raises: InputError as there.

    >>> load_record("gridworld-16")["config"]["seed"]
    0
    """
    record: dict[str, Any] = _read_config(_find(os.fspath(name), None))[0]["record"]
    return record


def load_config(name: str | os.PathLike[str]) -> ArchitectureConfig:
    """The configuration of weights, without building the network.

    Raises: InputError as `load_policy`.
    """
    return config_from_json(_read_config(_find(os.fspath(name), None))[0]["policy"])


def _read_config(folder: Path) -> tuple[dict[str, Any], bool]:
    """The content of the configuration in format 2, and whether the file is of format 1."""
    try:
        content = json.loads((folder / CONFIG_FILE).read_text())
        version = content["format"]
        if version == 1:
            return format_1.upgrade(content), True
        if version == FORMAT and all(isinstance(content[part], dict) for part in ("policy", "task", "record")):
            return content, False
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder}: no readable {CONFIG_FILE} of torchvin ({error!r}); expected a run folder."
        ) from error
    raise InputError(
        f"{folder}: written by another version of torchvin (format {version!r:.40}, this one reads 1 and {FORMAT}); "
        "upgrade torchvin or train again."
    )


def _find(name: str, revision: str | None) -> Path:
    folders = shipped_folders()
    shipped = name.replace("normalised", "normalized")  # as version 0.1 spelled it
    if shipped in folders:
        return folders[shipped]
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise InputError(f"{folder}: expected a folder with {CONFIG_FILE} and {WEIGHTS_FILE}, got a file.")
    owner, _, repository = name.partition("/")
    if owner and repository and "/" not in repository and not name.startswith(("./", "../", "~")):
        return hub.fetch(name, [WEIGHTS_FILE, CONFIG_FILE], revision=revision, shipped=list(folders))
    raise missing_package(name) or unknown_name("weights (or folder)", name, folders)


def _read_weights(path: Path, policy: Policy, config: ArchitectureConfig, former: bool) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read as safetensors ({error}).") from error
    if former:
        name = config_to_json(config)["architecture"]
        tensors = {format_1.upgrade_names(old, name): tensor for old, tensor in tensors.items()}
    expected = {name: list(tensor.shape) for name, tensor in policy.state_dict().items()}
    got = {name: list(tensor.shape) for name, tensor in tensors.items()}
    if expected != got:
        wrong = next(name for name in {**expected, **got} if expected.get(name) != got.get(name))
        raise InputError(
            f"{path.name} holds weights of another architecture: {wrong} should be {expected.get(wrong, 'absent')}, "
            f"got {got.get(wrong, 'none')}."
        )
    if bad := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise InputError(f"{path.name}: {bad[0]} holds NaN or infinity; the training that wrote it diverged.")
    return tensors
