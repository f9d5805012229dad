"""Architectures by name: ours, a user's own, and names that do not exist or are taken."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from torchvin import (
    ArchitectureConfig,
    InputError,
    NormalizedConfig,
    Policy,
    PolicyOutput,
    build_policy,
    load_policy,
    register_architecture,
    save_policy,
)
from torchvin.architectures import registry
from torchvin.architectures.registry import architecture, architectures, config_from_json


@dataclass(frozen=True)
class PatchConfig(ArchitectureConfig):
    """A user's own: fields of every type that a configuration may have."""

    hidden_channels: int = 3
    scale: float = 0.5
    padded: bool = True
    title: str = "patch"
    widths: tuple[int, ...] = (2, 3)
    limit: float | None = None


class PatchPolicy(Policy):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.Conv2d(2, config.num_actions, 3, padding=1)
        self.scale = config.scale

    def forward(self, observation, states=None, *, num_iterations=None, initial_value=None):
        return PolicyOutput(logits=self.scale * self.layer(observation), plan=None)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))


def test_ours_come_first_and_each_has_a_summary():
    known = architectures()
    ours = ["normalized", "shortest_path", "paper", "hierarchical", "gppn", "dynamic", "cnn", "fcn"]
    ours += ["terrain", "terrain_cnn", "terrain_classifier", "control", "control_cnn", "control_mlp"]
    assert list(known)[: len(ours)] == ours
    assert all(known[name].name == name and known[name].summary for name in ours)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("normalised", "normalized"), ("shortest-path", "shortest_path"), ("gpn", "gppn"), ("hierarchic", "hierarchical")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(InputError, match=f"unknown architecture '{name}'. Did you mean '{nearest}'"):
        architecture(name)
    with pytest.raises(InputError, match=f"Did you mean '{nearest}'"):
        config_from_json({"architecture": name})


def test_a_configuration_without_a_name():
    with pytest.raises(InputError, match=r"unknown architecture ''\. Choose one of: normalized"):
        config_from_json({"num_actions": 8})


def test_a_users_own_registers_builds_saves_and_loads(tmp_path):
    register_architecture("patch", PatchConfig, PatchPolicy, summary="one layer")
    config = PatchConfig(num_actions=4, scale=0.25, padded=False, title="mine", widths=(5,), limit=2)
    policy = build_policy(config)
    save_policy(tmp_path, policy, task={"name": "mine"}, record={"seed": 3})
    loaded = load_policy(tmp_path)
    assert type(loaded) is PatchPolicy
    assert loaded.config == config
    assert (loaded.task, loaded.record) == ({"name": "mine"}, {"seed": 3})
    planes = torch.rand(2, 2, 5, 6)
    assert torch.equal(loaded(planes).logits, policy(planes).logits)
    assert "patch" in architectures()


def test_a_users_own_is_needed_where_its_weights_are_loaded(tmp_path, monkeypatch):
    register_architecture("patch", PatchConfig, PatchPolicy)
    save_policy(tmp_path, build_policy(PatchConfig()))
    monkeypatch.delitem(registry._REGISTERED, "patch")
    with pytest.raises(InputError, match="unknown architecture 'patch'"):
        load_policy(tmp_path)


def test_a_name_taken_twice_is_refused():
    register_architecture("patch", PatchConfig, PatchPolicy)
    register_architecture("patch", PatchConfig, PatchPolicy)  # the same once more, as where a module is reloaded

    @dataclass(frozen=True)
    class OtherConfig(ArchitectureConfig):
        pass

    with pytest.raises(InputError, match="'patch' is registered already, with PatchConfig; choose another name"):
        register_architecture("patch", OtherConfig, PatchPolicy)
    assert architecture("patch").config is PatchConfig


def test_our_names_are_taken_before_ours_are_imported():
    """In a process of its own: a user who registers `cnn` first is told so, and ours still works."""
    program = """
from dataclasses import dataclass
from torchvin import ArchitectureConfig, InputError, register_architecture
@dataclass(frozen=True)
class Mine(ArchitectureConfig):
    pass
try:
    register_architecture("cnn", Mine, print)
except InputError as error:
    print(error)
from torchvin import CNNConfig, build_policy
print(type(build_policy(CNNConfig(height=8, width=8))).__name__)
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "'cnn' is registered already, with CNNConfig" in output
    assert output.splitlines()[-1] == "CNN"


def test_a_class_of_the_same_name_is_another_class():
    @dataclass(frozen=True)
    class NormalizedConfig(ArchitectureConfig):
        pass

    NormalizedConfig.__qualname__ = "NormalizedConfig"
    with pytest.raises(InputError, match="registered already"):
        register_architecture("normalized", NormalizedConfig, PatchPolicy)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_configuration_must_be_a_dataclass_of_ours():
    class Forgotten(ArchitectureConfig):  # without the decorator: its field would not be stored
        depth: int = 3

    @dataclass(frozen=True)
    class Stranger:
        num_actions: int = 8

    for config in (Forgotten, Stranger, dict, PatchConfig(), None):
        with pytest.raises(InputError, match="must be a dataclass derived from ArchitectureConfig"):
            register_architecture("odd", config, PatchPolicy)
    assert "odd" not in registry._REGISTERED


@pytest.mark.parametrize("hint", [dict[str, int], list[int], Any, int | str, tuple[tuple[int, ...], ...], torch.dtype])
def test_a_field_that_json_would_change_is_refused(hint):
    config = type("OddConfig", (ArchitectureConfig,), {"__annotations__": {"field": hint}, "field": None})
    with pytest.raises(InputError, match=r"OddConfig\.field: a field of a configuration is an int, a float"):
        register_architecture("odd", dataclass(frozen=True)(config), PatchPolicy)


def test_a_configuration_of_no_architecture_is_not_built():
    with pytest.raises(InputError, match="PatchConfig belongs to no architecture; make it known with"):
        build_policy(PatchConfig())


def test_a_policy_knows_what_it_was_built_from():
    config = NormalizedConfig(hidden_channels=8)
    assert build_policy(config).config is config
    assert build_policy(config).builder == ""
