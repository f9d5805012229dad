"""from_pretrained, save_pretrained and push_to_hub. The Hub is a folder here; nothing touches the network."""

import shutil

import huggingface_hub
import pytest
import torch

from torchvin import CNN, VIN, InputError, PaperConfig, Policy, build_policy, load_policy, save_policy

PLANES = torch.rand(1, 2, 6, 7).round()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub of folders; `calls` holds what it was asked for."""
    calls = []

    def snapshot_download(name, *, revision=None, allow_patterns=None):
        calls.append(("download", name, revision, allow_patterns))
        folder = tmp_path / "hub" / name
        if not folder.is_dir():
            raise OSError("404")
        return str(folder)

    class Api:
        def __init__(self, token=None):
            calls.append(("token", token))

        def create_repo(self, repo_id, **options):
            calls.append(("create_repo", repo_id, options))

        def create_branch(self, repo_id, **options):
            calls.append(("create_branch", repo_id, options))

        def upload_folder(self, *, repo_id, folder_path, revision, **options):
            calls.append(("upload", repo_id, revision, options))
            shutil.copytree(folder_path, tmp_path / "hub" / repo_id)
            return f"https://hub/{repo_id}/commit/1"

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    return calls


@pytest.fixture
def policy():
    torch.manual_seed(0)
    policy = build_policy(PaperConfig())
    policy.task, policy.record = {"name": "gridworld"}, {"seed": 7}
    return policy


def test_what_is_saved_comes_back(tmp_path, policy):
    policy.save_pretrained(tmp_path / "w")
    for name in (tmp_path / "w", str(tmp_path / "w")):
        loaded = VIN.from_pretrained(name)
        assert (loaded.config, loaded.task, loaded.record) == (PaperConfig(), {"name": "gridworld"}, {"seed": 7})
        assert torch.equal(loaded(PLANES).logits, policy(PLANES).logits)


def test_what_is_pushed_comes_back(hub, policy):
    assert policy.push_to_hub("me/planner", commit_message="first", token="t") == "https://hub/me/planner/commit/1"
    assert hub[0] == ("token", "t")
    assert hub[1] == ("create_repo", "me/planner", {"exist_ok": True})
    assert hub[2] == ("upload", "me/planner", None, {"commit_message": "first", "token": "t"})
    loaded = Policy.from_pretrained("me/planner")
    assert torch.equal(loaded(PLANES).logits, policy(PLANES).logits)


def test_a_revision_is_handed_on(hub, policy):
    policy.push_to_hub("me/planner", revision="next")
    assert ("create_branch", "me/planner", {"branch": "next", "exist_ok": True}) in hub
    assert ("upload", "me/planner", "next", {}) in hub
    load_policy("me/planner", revision="v1.0")
    VIN.from_pretrained("me/planner", revision="abc123")
    files = ["model.safetensors", "config.json"]
    downloads = [call for call in hub if call[0] == "download"]
    assert downloads == [("download", "me/planner", "v1.0", files), ("download", "me/planner", "abc123", files)]


def test_a_repository_that_does_not_exist_is_one_line(hub):
    with pytest.raises(InputError, match=r"weights 'me/none': no such folder here, and the Hugging Face Hub gave none"):
        load_policy("me/none")


@pytest.mark.parametrize("name", ["gridworld-8", "./me/planner", "../me", "a/b/c", "nothing"])
def test_only_owner_and_repository_ask_the_hub(hub, name):
    try:
        load_policy(name)
    except InputError as error:
        assert "Hub" not in str(error)  # one of the names loads
    assert hub == []


def test_a_folder_comes_before_the_hub(hub, policy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_policy("me/planner", policy)
    assert load_policy("me/planner").record == {"seed": 7}
    assert hub == []


def test_weights_of_another_class_are_refused():
    with pytest.raises(InputError, match="gridworld-8: expected weights of a CNN, got a VIN"):
        CNN.from_pretrained("gridworld-8")


def test_a_policy_composed_by_hand_is_not_pushed(hub, policy):
    policy.config = None
    with pytest.raises(InputError, match="only a policy with a configuration can be loaded again"):
        policy.push_to_hub("me/planner")
    assert not [call for call in hub if call[0] == "upload"]
