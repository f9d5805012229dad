"""Weights on the Hugging Face Hub. Its client is imported when it is first needed."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchvin.errors import InputError

if TYPE_CHECKING:
    from torchvin.policies.policy import Policy


def fetch(name: str, files: list[str], *, revision: str | None, shipped: list[str]) -> Path:
    """The folder of a repository's files, from the cache or downloaded.

    Raises: InputError if the Hub has no such repository or cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except Exception as error:  # the hub client raises its own, requests' and the operating system's errors
        raise InputError(
            f"weights {name!r}: no such folder here, and the Hugging Face Hub gave none ({type(error).__name__}). "
            f"Shipped weights: {', '.join(shipped)}."
        ) from error


def push_policy(policy: "Policy", repo_id: str, *, revision: str | None = None, **options: Any) -> str:
    """Upload a policy; returns the address of the commit. Repository and branch are made if they do not exist.

    Raises: InputError if the policy has no configuration; what the Hub's client raises.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=options.get("token"))
    with tempfile.TemporaryDirectory() as folder:
        policy.save_pretrained(folder)
        api.create_repo(repo_id, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        return str(api.upload_folder(repo_id=repo_id, folder_path=folder, revision=revision, **options))
