"""Weights by name, by folder or from the Hugging Face Hub: safetensors and JSON, never pickle.

A folder holds `model.safetensors` and `config.json`. In format 2 the latter holds architecture, solver, task (motion
model, observation, data) and the record of the training.
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
from torchvin.pretrained.config_file import CONFIG_FILE, FORMAT, read_config
from torchvin.pretrained.shipped import missing_package, shipped_folders
from torchvin.pretrained.weights_file import (
    Rename,
    SizeLimit,
    check_same_shapes,
    shapes_of,
    stored_shapes,
    stored_tensors,
)

WEIGHTS_FILE = "model.safetensors"
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
        folder: folder to write into; created if it does not exist.
        policy: a policy that was built from a configuration.
        task: what it was trained for, as JSON; `policy.task` if not given.
        record: how it was trained, as JSON; `policy.record` if not given.
        dtype: type in which weights are stored; their own if not given. They are always loaded in the type of the
            network.

    Raises: InputError if `folder` cannot be written, or the policy was composed by hand, without a configuration.
        TypeError if task or record are not JSON; no file is changed then.
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
    text = json.dumps(content, indent=2) + "\n"  # before anything is written: a record may hold what JSON cannot
    folder = Path(folder)
    with replacing(folder / WEIGHTS_FILE) as temporary:
        save_file(tensors, temporary)
    with replacing(folder / CONFIG_FILE) as temporary:
        temporary.write_text(text)


def load_policy(name: str | os.PathLike[str], *, revision: str | None = None, build: Build | None = None) -> Policy:
    """Load weights: shipped ones by name, those of a folder, or those of a repository on the Hugging Face Hub.

    Args:
        name: name of shipped weights; a folder, such as a run of `torchvin train`; or `owner/repository` on the Hub.
            Only an `owner/repository` that is no local folder uses the network.
        revision: branch, tag or commit on the Hub.
        build: function that builds the network instead of its architecture's own builder. It is needed for weights of
            a training with a `build` of its own, in a process that has not used that function.

    Returns: the policy in evaluation mode, with `config`, `task` and `record` as stored. torch's random state is not
        changed.
    Raises: InputError if there are no such weights, if they are damaged, or if they do not fit their configuration.

    >>> load_policy("gridworld-16").config.hidden_channels
    64
    """
    folder = _find(os.fspath(name), revision)
    content, former = read_config(folder)
    path = folder / WEIGHTS_FILE
    try:
        config = config_from_json(content["policy"])
        rename = _renamed(content["policy"]["architecture"], former)
        stored = stored_shapes(path, rename)
        chosen = build or (known_builder(content["builder"]) if content.get("builder") else build_policy)
        with torch.random.fork_rng(devices=[]), SizeLimit(stored):  # loading leaves the caller's random state alone
            policy = build_with(chosen, config)
        check_same_shapes(path, shapes_of(policy), stored)
        policy.load_state_dict(stored_tensors(path, rename))
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
    """The `record` of weights, without building the network.

    Raises: InputError as there.

    >>> load_record("gridworld-16")["config"]["seed"]
    0
    """
    record: dict[str, Any] = read_config(_find(os.fspath(name), None))[0]["record"]
    return record


def load_config(name: str | os.PathLike[str]) -> ArchitectureConfig:
    """The configuration of weights, without building the network.

    Raises: InputError as `load_policy`.
    """
    return config_from_json(read_config(_find(os.fspath(name), None))[0]["policy"])


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


def _renamed(architecture_name: str, former: bool) -> Rename:
    """From tensor names in a file to those of today's network; `former` says that the file is of format 1."""
    return lambda name: format_1.upgrade_names(name, architecture_name) if former else name
