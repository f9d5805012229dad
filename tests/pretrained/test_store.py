"""Weights of format 2: what is written comes back, and what is damaged or absurd is refused with one line."""

import copy
import functools
import json
import os
import struct

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from torchvin import (
    CNNConfig,
    FCNConfig,
    GPPNConfig,
    InputError,
    NormalizedConfig,
    PaperConfig,
    ShortestPathConfig,
    build_policy,
    load_policy,
    save_policy,
)
from torchvin.architectures.registry import MODULES, architecture, build_with, config_to_json
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.pretrained.store import available, load_config, load_record

TASK = {"name": "gridworld", "motion": GridMotion(num_actions=8, corner_cutting=False).to_json()}
RECORD = {"command": "torchvin train", "maps": 60, "validation": {"success_rate": 0.5}}


@pytest.fixture
def folder(tmp_path):
    """Weights of a small network."""
    torch.manual_seed(0)
    save_policy(tmp_path / "w", build_policy(NormalizedConfig(hidden_channels=4)), task=TASK, record=RECORD)
    return tmp_path / "w"


def rewrite(folder, change):
    path = folder / "config.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# What is written comes back


@pytest.mark.parametrize("name", MODULES)
def test_every_architecture_comes_back_with_all_that_is_known_of_it(tmp_path, name):
    torch.manual_seed(1)
    policy = build_policy(architecture(name).config()).train()
    save_policy(tmp_path, policy, task=TASK, record=RECORD)
    loaded = load_policy(tmp_path)
    assert type(loaded) is type(policy)
    assert (loaded.config, loaded.task, loaded.record) == (policy.config, TASK, RECORD)
    assert (loaded.builder, loaded.training) == ("", False)
    assert loaded.motion == GridMotion(num_actions=8, corner_cutting=False)
    assert {name: str(value) for name, value in loaded.state_dict().items()} == {
        name: str(value) for name, value in policy.state_dict().items()
    }
    planes = torch.rand(2, 2, 16, 16).round()
    assert torch.equal(loaded(planes).logits, policy.eval()(planes).logits)


def test_a_policy_saved_again_keeps_task_and_record(folder, tmp_path):
    save_policy(tmp_path / "again", load_policy(folder))
    again = load_policy(tmp_path / "again")
    assert (again.task, again.record) == (TASK, RECORD)


@pytest.mark.parametrize("solve", ["exact", "iterate"])
def test_the_way_to_solve_is_kept(tmp_path, solve):
    policy = build_policy(ShortestPathConfig(hidden_channels=4))
    policy.planner.transition.make_deterministic()
    policy.planner.set_solver({"solve": solve})
    save_policy(tmp_path, policy)
    loaded = load_policy(tmp_path)
    assert loaded.planner.solver == {"solve": solve}
    assert loaded.planner.exact == (solve == "exact")


@pytest.mark.parametrize("motion", [GridMotion(4), GridMotion(8, corner_cutting=False), DifferentialDrive()])
def test_the_motion_model_is_kept(tmp_path, motion):
    save_policy(tmp_path, build_policy(PaperConfig()), task={"motion": motion.to_json()})
    assert load_policy(tmp_path).motion == motion


def test_a_motion_model_that_is_not_known_is_none(tmp_path):
    save_policy(tmp_path, build_policy(PaperConfig()))
    assert load_policy(tmp_path).motion is None


def wider(config, times=1):
    """A user's own network in place of an architecture's."""
    policy = build_policy(config)
    policy.head.scale = times
    policy.extra = torch.nn.Linear(3, times)
    return policy


def test_a_builder_of_the_users_own_is_named_and_asked_for(tmp_path):
    twice = functools.partial(wider, times=2)
    policy = build_with(twice, PaperConfig())
    save_policy(tmp_path, policy)
    assert load_policy(tmp_path).extra.out_features == 2  # this process has used it
    assert load_policy(tmp_path, build=twice).builder.endswith("test_store.wider")
    rewrite(tmp_path, lambda content: content.update(builder="elsewhere.wider"))
    with pytest.raises(InputError, match=r"a network that elsewhere\.wider built; give that function"):
        load_policy(tmp_path)
    with pytest.raises(InputError, match=r"another architecture: extra\.bias should be absent, got \[2\]"):
        load_policy(tmp_path, build=build_policy)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_stored_in_less_precision_are_loaded_in_float32(tmp_path, dtype):
    policy = build_policy(PaperConfig())
    save_policy(tmp_path, policy, dtype=dtype)
    for name, value in load_policy(tmp_path).state_dict().items():
        assert value.dtype is torch.float32
        assert torch.equal(value, policy.state_dict()[name].to(dtype).float())


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path], ids=["str", "fspath", "Path"])
def test_a_folder_is_a_string_or_a_path(tmp_path, kind):
    save_policy(kind(tmp_path / "w"), build_policy(PaperConfig()), record=RECORD)
    assert load_policy(kind(tmp_path / "w")).config == load_config(kind(tmp_path / "w")) == PaperConfig()
    assert load_record(kind(tmp_path / "w")) == RECORD


def test_loading_leaves_the_random_numbers_of_the_caller_alone(folder):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for name in (folder, "maze-15", "gridworld-8-paper"):
        load_policy(name)
    assert torch.equal(torch.rand(3), expected)


def test_shipped_weights_answer_to_the_former_spelling():
    for former in ("maze-15-normalised", "maze-15-drive-normalised"):
        assert load_policy(former).config == load_policy(former.replace("normalised", "normalized")).config


# What cannot be written


def test_a_policy_without_a_configuration_is_not_written(tmp_path):
    policy = build_policy(PaperConfig())
    policy.config = None
    with pytest.raises(InputError, match="only a policy with a configuration can be loaded again"):
        save_policy(tmp_path / "w", policy)
    assert not (tmp_path / "w").exists()


def test_a_record_that_json_cannot_hold_changes_no_file(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TypeError):
        save_policy(folder, build_policy(PaperConfig()), record={"when": object()})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# What is not believed


@pytest.mark.parametrize("version", [0, 3, "2", None, 2.5, [2]])
def test_an_unknown_format_is_refused(folder, version):
    rewrite(folder, lambda content: content.update(format=version))
    with pytest.raises(InputError, match=r"written by another version of torchvin \(format .*upgrade torchvin"):
        load_policy(folder)


@pytest.mark.parametrize("part", ["format", "policy", "task", "record"])
def test_a_config_that_lacks_a_part_is_refused(folder, part):
    rewrite(folder, lambda content: content.pop(part))
    with pytest.raises(InputError, match=r"no readable config\.json of torchvin"):
        load_policy(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": 2}', "\x00", '{"format": ' + "9" * 5000 + "}"])
def test_a_config_that_is_none_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match="torchvin"):
        load_policy(folder)


def leaves(content, path=()):
    if isinstance(content, dict):
        yield path
        for name, value in content.items():
            yield from leaves(value, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("odd", [None, -1, 1e308, float("nan"), True, "x", [], [[1]], {}, {"a": []}, 10**400])
@pytest.mark.usefixtures("_unchecked_shapes")
def test_no_value_in_a_config_ends_in_another_error(tmp_path, odd):
    """Each value of a config replaced by an odd one: it loads, or one line says why not."""
    policy = build_policy(ShortestPathConfig(hidden_channels=4))
    policy.task, policy.record = TASK, RECORD
    save_policy(tmp_path, policy)
    content = json.loads((tmp_path / "config.json").read_text())
    for path in list(leaves(content))[1:]:
        changed = copy.deepcopy(content)
        inner = changed
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = odd
        (tmp_path / "config.json").write_text(json.dumps(changed))
        try:
            _ = load_policy(tmp_path).motion
        except InputError as error:
            assert "\n" not in str(error)  # which errors come differs from value to value


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, number):
    policy = build_policy(PaperConfig())
    with torch.no_grad():
        policy.head.weight[3, 2] = number
    save_policy(tmp_path, policy)
    with pytest.raises(InputError, match=r"head\.weight holds NaN or infinity; the training that wrote it diverged"):
        load_policy(tmp_path)


def test_weights_of_another_size_are_refused(folder):
    rewrite(folder, lambda content: content["policy"].update(hidden_channels=6))
    with pytest.raises(InputError, match=r"another architecture: planner\.reward\..* should be \[3, .*got \[2,"):
        load_policy(folder)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_a_file_that_was_cut_off_is_refused(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"model\.safetensors cannot be read as safetensors"):
        load_policy(folder)


def test_a_header_that_promises_more_than_the_file_holds_is_refused(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(struct.pack("<Q", 2**62) + content[8:])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        load_policy(folder)


def test_missing_files_and_names_are_told_apart(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        load_policy(folder)
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match="expected a run folder"):
        load_policy(folder)
    with pytest.raises(InputError, match=r"unknown weights .*Did you mean 'gridworld-8'"):
        load_policy("gridwrld-8")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"expected a folder with config\.json and model\.safetensors, got a file"):
        load_policy(tmp_path / "file")


class LargestTensor(TorchDispatchMode):
    """How many numbers the largest tensor has that an operation returned."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        made = [leaf.numel() for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor)]
        self.numbers = max([self.numbers, *made])
        return output


LARGE = [
    CNNConfig(height=512, width=512),
    FCNConfig(height=512, width=512),
    GPPNConfig(hidden_channels=4096),
    NormalizedConfig(num_actions=1024, num_orientations=64, kernel_size=63),
]


@pytest.mark.parametrize("config", LARGE, ids=lambda config: type(config).__name__)
def test_a_small_file_with_a_large_config_allocates_nothing(tmp_path, config):
    """Each of these numbers is in its range; the network would take 0.2 to 66 GB."""
    save_policy(tmp_path, build_policy(PaperConfig()))
    rewrite(tmp_path, lambda content: content.update(policy=config_to_json(config)))
    with (
        LargestTensor() as made,
        pytest.raises(InputError, match="asks for a network many times larger than the 3,260 weights in the file"),
    ):
        load_policy(tmp_path)
    assert made.numbers < 1 << 21


def test_every_shipped_name_is_of_format_2_and_says_its_motion_model():
    for name in available():
        policy = load_policy(name)
        assert policy.motion is not None or policy.task["name"] in ("control", "webnav")
