"""Values and policies written out by hand, on maps small enough for it."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

from torchvin.planning.value_iteration import value_iteration

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())["maps"]
NAMES = ["N", "S", "E", "W", "NE", "NW", "SE", "SW"]


def cost_of(text: str) -> float:
    """`2+3d` to a number."""
    total = 0.0
    for term in text.split("+"):
        number, diagonal = re.fullmatch(r"(\d*)(d?)", term).groups()
        total += float(number or 1) * (math.sqrt(2) if diagonal else 1.0)
    return total


@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["name"] for entry in GOLDEN])
def test_values_and_policies_written_by_hand(entry, draw, true_model):
    rows = entry["map"]
    blocked = draw(*rows)[None]
    goal = torch.tensor([next((row, line.index("G")) for row, line in enumerate(rows) if "G" in line)])
    model = true_model(blocked, goal, num_actions=entry["num_actions"], corner_cutting=entry["corner_cutting"])
    plan = value_iteration(model.q_reward, model.kernel, num_iterations=entry["num_iterations"])
    names = [*NAMES[: entry["num_actions"]], "stay"]
    checked = 0
    for row, (costs, policies) in enumerate(zip(entry["cost"], entry["actions"], strict=True)):
        for col, (cost, policy) in enumerate(zip(costs.split(), policies.split(), strict=True)):
            q_values = plan.q_values[0, :, row, col]
            value = plan.value[0, 0, row, col].item()
            if cost in ("#", "x"):
                assert (rows[row][col] == "#") == (cost == "#")
                assert value < -1e5, (row, col)
                continue
            assert value == pytest.approx(-cost_of(cost), abs=1e-12), (row, col)
            best = {name for name, q in zip(names, q_values.tolist(), strict=True) if q > q_values.max() - 1e-9}
            assert best == set(policy.split(",")), (row, col)
            checked += 1
    assert checked >= 1
