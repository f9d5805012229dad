"""Weights by name: those of the package, and the baselines' from a package of their own."""

import importlib.util
from pathlib import Path

import pytest

from torchvin import InputError, load_policy
from torchvin.cli.main import main
from torchvin.pretrained import shipped
from torchvin.pretrained.shipped import shipped_folders

PIXELS = {"terrain": 8, "mars": 4, "moon": 8}  # per side of a cell
ON_IMAGES = {f"{world}-16-{kind}": side for world, side in PIXELS.items() for kind in ("classifier", "cnn")}
PUSHING = {"control-cnn", "control-mlp"}
ON_WEBS = {f"webnav-{kind}{learned}" for kind in ("reactive", "categories") for learned in ("", "-rl")}
BASELINES = {f"gridworld-{side}-{kind}" for side in (8, 16, 28) for kind in ("cnn", "fcn")} | set(ON_IMAGES)
BASELINES |= PUSHING | ON_WEBS


@pytest.fixture
def _without_baselines(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_the_baselines_weights_lie_outside_the_package():
    folders = shipped_folders()
    inside = Path(shipped.__file__).parent
    assert {name for name, folder in folders.items() if not folder.is_relative_to(inside)} == BASELINES


@pytest.mark.usefixtures("_without_baselines")
def test_without_their_package_the_error_says_what_to_install(capsys):
    assert not BASELINES & set(shipped_folders())
    with pytest.raises(InputError, match=r"which is not installed: pip install torchvin\[baselines\]"):
        load_policy("gridworld-8-cnn")
    assert main(["eval", "--weights", "gridworld-28-fcn", "--data", "maps.npz"]) == 2
    assert "'gridworld-28-fcn' come in a package of their own" in capsys.readouterr().err
    assert load_policy("gridworld-8").config is not None


@pytest.mark.usefixtures("_without_baselines")
def test_a_name_that_is_no_baseline_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown weights .* Did you mean 'gridworld-8-paper'"):
        load_policy("gridworld-8-papr")


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_a_baseline_is_loaded_by_name(name):
    policy = load_policy(name)
    if name in PUSHING:
        assert policy.config.num_actions == 2
        return
    if name in ON_WEBS:
        assert policy.config.vectors == "glove"
        return
    if name in ON_IMAGES:
        assert policy.config.cell_pixels == ON_IMAGES[name]
        return
    assert policy.config.height == int(name.split("-")[1])


def test_the_names_of_the_baselines_are_known_without_their_package():
    """`missing_package` has a pattern of names, and cannot see the package."""
    assert {name for name in shipped_folders() if shipped._BASELINE_NAME.fullmatch(name)} == BASELINES


def test_the_weights_in_the_package_stay_small():
    """The wheel is under 2 MB: 1.4 MB, of which the compiled kernel has a third, and what sees images another."""
    weights = Path(shipped.__file__).parent / "weights"
    assert sum(path.stat().st_size for path in weights.rglob("*") if path.is_file()) < 1_200_000
