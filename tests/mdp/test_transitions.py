"""The transition table, and motion models with more actions than fit into a byte."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchvin.data.dataset import solve_maps
from torchvin.data.npz import read_npz, write_npz
from torchvin.errors import InputError
from torchvin.experts.grid import action_set, preferred_action, set_dtype, shortest_paths
from torchvin.mdp.motion import DifferentialDrive, Effects, GridMotion, MotionModel, motion_from_json
from torchvin.mdp.rollout import rollout
from torchvin.mdp.transitions import transitions


@dataclass(frozen=True)
class KnightMotion(MotionModel):
    """The 8 moves of a king and the 8 of a knight: 16 actions, half of which leap."""

    kind: ClassVar[str] = "test-knight"
    leap_cost: float = 2.5

    num_actions = 16
    num_orientations = 1
    corner_cutting = True
    reversible = True
    tie_break_order = tuple(range(15, -1, -1))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{row:+d}{col:+d}" for _, row, col in self.effects[0])

    @property
    def effects(self) -> Effects:
        near, far = (-1, 0, 1), (-2, -1, 1, 2)
        king = [(0, row, col) for row in near for col in near if row or col]
        knight = [(0, row, col) for row in far for col in far if abs(row) != abs(col)]
        return (tuple(king + knight),)

    @property
    def costs(self) -> tuple[float, ...]:
        return (1.0,) * 8 + (self.leap_cost,) * 8


def random_map(seed, height=7, width=9):
    random = torch.Generator().manual_seed(seed)
    blocked = torch.rand(1, height, width, generator=random) < 0.35
    goal = torch.tensor([[seed % height, seed % width]])
    blocked[0, goal[0, 0], goal[0, 1]] = False
    return blocked, goal


MODELS = [KnightMotion(), KnightMotion(1.5), GridMotion(8, False, 1.9), DifferentialDrive()]


@pytest.mark.parametrize("motion", MODELS, ids=lambda motion: str(motion)[:30])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_expert_of_any_number_of_actions_is_bellman_and_its_rollouts_cost_its_distances(motion, seed):
    blocked, goal = random_map(seed)
    goal = torch.cat([torch.tensor([[seed % 4]]), goal], dim=1) if motion.num_orientations > 1 else goal
    table = transitions(blocked, motion)
    solution = shortest_paths(blocked, goal, motion)
    distance = solution.distance.flatten(1)
    # Bellman's equation, from the table itself
    through = torch.where(table.allowed, table.cost + distance[0][table.successor], torch.inf)
    at_goal = table.space.flatten(goal)
    best = through.amin(dim=1)
    best[0, at_goal] = 0.0
    assert torch.allclose(best, distance)
    # the sets hold every best action, from the ninth on too
    sets = action_set(solution.optimal_actions, motion.num_actions).flatten(1, -2).transpose(1, 2)
    ties = through.isfinite() & (through <= best[:, None] + 1e-6)
    ties[0, :, at_goal] = False
    assert torch.equal(sets, ties)
    # the preferred action of each set leads to the goal at the cost that the expert promised
    actions = preferred_action(solution.optimal_actions, motion)
    starts = torch.where(distance.isfinite(), torch.arange(distance.shape[1]), -1)
    walked = rollout(actions, blocked, goal, starts, limit=torch.full_like(starts, 500), moves=motion)
    assert torch.equal(walked.reached, distance.isfinite())
    assert torch.allclose(walked.cost[walked.reached], distance[distance.isfinite()])


def test_actions_from_the_ninth_on_are_needed_for_the_test_above_to_mean_something():
    blocked, goal = random_map(3)
    sets = shortest_paths(blocked, goal, KnightMotion(1.0)).optimal_actions
    assert sets.dtype == torch.int64
    assert (sets >= 256).any()


def test_under_a_policy_the_table_has_the_same_successors_and_costs():
    blocked, _ = random_map(5)
    terrain = 1.0 + torch.rand(1, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    table = transitions(blocked, KnightMotion(), terrain)
    actions = torch.randint(16, (1, 63), generator=torch.Generator().manual_seed(1))
    successor, cost = table.under(actions)
    assert torch.equal(successor, table.successor.gather(1, actions[:, None])[:, 0])
    assert torch.equal(cost, table.cost.gather(1, actions[:, None])[:, 0])
    moved = successor != torch.arange(63)
    assert torch.equal(moved, cost > 0)
    stay, free = table.under(torch.full((1, 63), 255))
    assert torch.equal(stay[0], torch.arange(63))
    assert not free.any()


def test_sets_of_more_than_63_actions_are_refused():
    assert [set_dtype(8), set_dtype(9), set_dtype(63)] == [torch.uint8, torch.int64, torch.int64]
    with pytest.raises(InputError, match="at most 63 actions, got a motion model with 64"):
        set_dtype(64)


@pytest.mark.parametrize(
    ("motion", "version"), [(GridMotion(4, False), 1), (DifferentialDrive(), 2), *((model, 3) for model in MODELS[:3])]
)
def test_a_data_set_keeps_its_whole_motion_model(tmp_path, motion, version):
    import numpy as np

    drawn = [random_map(seed) for seed in (1, 4)]
    blocked, goal = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    goal = torch.cat([torch.zeros(2, 1, dtype=torch.long), goal], dim=1) if motion.num_orientations > 1 else goal
    dataset = solve_maps(blocked, goal, moves=motion)
    write_npz(tmp_path / "maps.npz", dataset)
    assert np.load(tmp_path / "maps.npz")["version"] == version
    read = read_npz(tmp_path / "maps.npz")
    assert read.moves == motion
    assert torch.equal(read.optimal_actions, dataset.optimal_actions)
    assert read.optimal_actions.dtype == dataset.optimal_actions.dtype
    assert torch.equal(read.demonstrated, dataset.demonstrated)


@pytest.mark.parametrize("motion", [*MODELS, GridMotion(4)])
def test_a_motion_model_comes_back_from_its_json(motion):
    import json

    assert motion_from_json(json.loads(json.dumps(motion.to_json()))) == motion


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ({"kind": "hovercraft"}, "unknown motion model .*hovercraft.*expected kind grid"),
        ({"kind": ["grid"]}, "unknown motion model"),
        ({"kind": "grid", "num_actions": 4, "wings": 2}, "no field wings"),
        ({"kind": "grid", "num_actions": True}, "num_actions must be 4 or 8"),
        ({"kind": "grid", "num_actions": "8"}, "num_actions must be 4 or 8"),
        ({"kind": "grid", "num_actions": [8]}, "num_actions must be 4 or 8"),
        ({"kind": "grid", "corner_cutting": 1}, "corner_cutting must be True or False"),
        ({"kind": "grid", "diagonal_cost": 0}, "diagonal_cost must be a finite number above 0"),
        ({"kind": "grid", "diagonal_cost": float("nan")}, "diagonal_cost must be a finite number above 0"),
        ({"kind": "grid", "diagonal_cost": "2"}, "diagonal_cost must be a finite number above 0"),
    ],
)
@pytest.mark.usefixtures("_unchecked_shapes")  # wrong types on purpose
def test_a_damaged_motion_model_is_refused_by_field(described, says):
    with pytest.raises(InputError, match=says):
        motion_from_json(described)


def test_a_motion_model_without_a_kind_cannot_be_stored(tmp_path):
    class Anonymous(KnightMotion):
        pass

    with pytest.raises(InputError, match="Anonymous cannot be stored"):
        Anonymous().to_json()
