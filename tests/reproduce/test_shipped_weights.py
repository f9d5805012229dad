"""One bar over all shipped weights: each still does what it did when it was trained."""

import pytest

from torchvin import evaluate, load_policy
from torchvin.data.draw import draw_maps
from torchvin.pretrained.store import available

#: Share of the success on the validation maps of its training. On these maps the lowest is 0.988 (gridworld-8-fcn).
BAR = 0.95
MAPS, CNN_MAPS = 16, 4  # each state of a CNN is a forward pass of its own


@pytest.mark.parametrize("name", available())
def test_shipped_weights_solve_fresh_maps_of_their_kind(name):
    policy = load_policy(name)
    data = policy.task["data"]
    maps = draw_maps(
        policy.record["config"]["data"].get("kind", "gridworld"),
        CNN_MAPS if name.endswith("-cnn") else MAPS,
        data["height"],
        data["width"],
        seed=(77, 9),
        moves=policy.motion,
    )
    success = evaluate(policy, maps).scores.all_states_success_rate
    assert success > BAR * policy.record["validation"]["all_states_success_rate"]
