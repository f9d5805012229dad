"""Configurations from a stranger's file: absurd numbers are refused before anything is built or allocated."""

import json

import pytest

from torchvin import (
    CNNConfig,
    DynamicConfig,
    FCNConfig,
    GPPNConfig,
    HierarchicalConfig,
    InputError,
    NormalizedConfig,
    PaperConfig,
    ShortestPathConfig,
    build_policy,
    load_policy,
    save_policy,
)
from torchvin.architectures import registry
from torchvin.architectures.registry import config_from_json, config_to_json
from torchvin.policies.fields import check_type

# Wrong on purpose: our own checks must refuse, not those of the test run.
pytestmark = pytest.mark.usefixtures("_unchecked_shapes")

CONFIGS = (
    NormalizedConfig,
    ShortestPathConfig,
    PaperConfig,
    HierarchicalConfig,
    GPPNConfig,
    DynamicConfig,
    CNNConfig,
    FCNConfig,
)
OF_NO_WHOLE_NUMBER = [float("nan"), float("inf"), "8", True, None, 8.0, [8], {}, 0, -1, 10**9, 10**400]
OF_NO_NUMBER = [float("nan"), float("inf"), -float("inf"), "2.0", True, None, [2.0], {}, -1.0, 1e308, 10**400]
WHOLE = ("num_actions", "hidden_channels", "kernel_size", "num_q", "num_orientations", "num_terrains", "height")
REAL = ("iterations_per_side", "discount", "temperature", "tolerance")


@pytest.mark.parametrize("config", CONFIGS)
def test_a_value_of_another_type_or_out_of_range_is_refused_by_name(config):
    refused = [(name, value) for name in WHOLE for value in OF_NO_WHOLE_NUMBER]
    refused += [(name, value) for name in REAL for value in OF_NO_NUMBER]
    for name, value in refused:
        if name in config.__dataclass_fields__:
            with pytest.raises(InputError, match=rf"^{name} must (be|lie between) "):
                config(**{name: value})


@pytest.mark.parametrize("config", [*CONFIGS[:6]])
@pytest.mark.parametrize("size", [2, 4, 62])
def test_an_even_kernel_has_no_centre(config, size):
    with pytest.raises(InputError, match=f"kernel_size must be odd, got {size}"):
        config(kernel_size=size)


@pytest.mark.parametrize("config", [CNNConfig, FCNConfig])
@pytest.mark.parametrize("name", ["height", "width"])
@pytest.mark.parametrize("size", [3, 513, 100_000])
def test_a_map_of_an_absurd_size(config, name, size):
    with pytest.raises(InputError, match=f"{name} must lie between 4 and 512, got {size}"):
        config(**{name: size})


@pytest.mark.parametrize(("name", "value"), [("gradient", "unrol"), ("reward", 3), ("gradient", None)])
def test_a_name_that_is_no_choice(name, value):
    with pytest.raises(InputError, match=f"unknown {name} '{value}'.*Choose one of"):
        NormalizedConfig(**{name: value})


@pytest.mark.parametrize(
    ("value", "hint", "message"),
    [
        (3, tuple[int, ...], "x must be a list, got 3"),
        ((1, "2"), tuple[int, ...], "x must be a whole number, got '2'"),
        ((1, 2, 3), tuple[int, int], "x must have 2 entries, got 3"),
        ((1, 2), tuple[int, str], "x must be a text, got 2"),
        ("yes", bool | None, "x must be true or false, got 'yes'"),
        ("c" * 5000, int, "x must be a whole number, got 'ccc"),
    ],
)
def test_tuples_and_optional_values(value, hint, message):
    with pytest.raises(InputError, match=message) as caught:
        check_type("x", value, hint)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "hint"), [((), tuple[int, ...]), ((1, "2"), tuple[int, str]), (None, bool | None), (3, float)]
)
def test_what_fits_is_let_through(value, hint):
    check_type("x", value, hint)


@pytest.fixture
def never_built(monkeypatch):
    """Every builder of ours fails the test if it is called."""
    registry.architectures()

    def build(config):
        pytest.fail(f"{config} was built")

    for name, known in list(registry._REGISTERED.items()):
        monkeypatch.setitem(registry._REGISTERED, name, registry.Architecture(name, known.config, build, known.summary))


ABSURD = [
    (NormalizedConfig, {"iterations_per_side": 1e308}, "iterations_per_side must lie between"),
    (NormalizedConfig, {"iterations_per_side": float("nan")}, "iterations_per_side must be a finite number"),
    (NormalizedConfig, {"iterations_per_side": "many"}, "iterations_per_side must be a finite number, got 'many'"),
    (NormalizedConfig, {"hidden_channels": 10**9}, "hidden_channels must lie between 2 and 4096, got 1000000000"),
    (PaperConfig, {"hidden_channels": -5}, "hidden_channels must lie between"),
    (GPPNConfig, {"num_actions": True}, "num_actions must be a whole number, got True"),
    (DynamicConfig, {"kernel_size": 4}, "kernel_size must be odd"),
    (CNNConfig, {"height": 10**6}, "height must lie between"),
    (FCNConfig, {"width": 10**6}, "width must lie between"),
    (NormalizedConfig, {"max_iterations": 10**12}, "max_iterations must lie between"),
    (PaperConfig, {"untied": 10**9}, "untied must lie between"),
]


@pytest.mark.parametrize(
    ("config", "changed", "message"), ABSURD, ids=[f"{next(iter(row[1].items()))!r:.40}" for row in ABSURD]
)
def test_absurd_numbers_in_a_weights_config_are_refused_before_anything_is_built(
    tmp_path, request, config, changed, message
):
    save_policy(tmp_path, build_policy(config()))
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    content["policy"] |= changed
    path.write_text(json.dumps(content))
    request.getfixturevalue("never_built")
    with pytest.raises(InputError, match=message) as caught:
        load_policy(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_field_that_an_architecture_does_not_have_is_refused():
    described = config_to_json(PaperConfig()) | {"colour": "red", "depth": 3}
    with pytest.raises(InputError, match="the architecture 'paper' has no field colour, depth"):
        config_from_json(described)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_configuration_survives_json(config):
    given = config(num_actions=5)
    assert config_from_json(json.loads(json.dumps(config_to_json(given)))) == given
