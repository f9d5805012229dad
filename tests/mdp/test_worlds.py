"""What a step does and pays, by hand and against the transition table."""

import dataclasses

import pytest
import torch

from torchvin import DifferentialDrive, GridMotion, InputError, transitions
from torchvin.mdp.rewards import RewardConfig
from torchvin.mdp.worlds import make_worlds

EAST, WEST, NORTH_EAST = 2, 3, 4
SQRT2 = 2**0.5


def one(draw, text, goal, **options):
    return make_worlds(draw(text)[None], torch.tensor([goal]), **options)


def stepped(worlds, state, action):
    after, reward, end = worlds.step(torch.tensor([state]), torch.tensor([action]))
    return after.item(), round(reward.item(), 6), end.item()


def test_the_papers_rewards(draw):
    worlds = one(draw, "..#/...", (0, 0))
    assert stepped(worlds, 4, WEST) == (3, -0.01, False)
    assert stepped(worlds, 1, WEST) == (0, 1.0, True)
    assert stepped(worlds, 1, EAST) == (1, -1.0, True)  # an obstacle
    assert stepped(worlds, 5, EAST) == (5, -1.0, True)  # off the map


def test_a_refused_move_may_leave_the_agent_where_it_is(draw):
    worlds = one(draw, "..#/...", (0, 0), rewards=RewardConfig(collisions="stays"))
    assert stepped(worlds, 1, EAST) == (1, -0.01, False)


def test_a_step_may_cost_its_length_and_the_terrain(draw):
    rewards = RewardConfig(step_cost="length", collisions="stays")
    assert stepped(one(draw, "..#/...", (0, 0), rewards=rewards), 3, NORTH_EAST) == (1, round(-0.01 * SQRT2, 6), False)
    rough = torch.tensor([[[1.0, 3.0, 1.0], [1.0, 1.0, 1.0]]], dtype=torch.float64)
    worlds = one(draw, "..#/...", (0, 0), rewards=rewards, entry_cost=rough)
    assert stepped(worlds, 3, NORTH_EAST) == (1, round(-0.03 * SQRT2, 6), False)
    assert stepped(worlds, 1, EAST) == (1, -0.01, False)  # a refused move has no length: it costs one step


@pytest.mark.parametrize("moves", [GridMotion(4), GridMotion(8, corner_cutting=False), DifferentialDrive()], ids=repr)
def test_the_dynamics_are_those_of_the_transition_table(random_maps, moves):
    blocked, goal = random_maps(1, 6, 5, 8)
    if moves.num_orientations > 1:
        goal = torch.cat([torch.zeros(6, 1, dtype=torch.int64), goal], dim=1)
    worlds, table = make_worlds(blocked, goal, moves=moves), transitions(blocked, moves)
    for state in range(table.space.num_states):
        for action in range(moves.num_actions):
            states = torch.full((6,), state)
            after, reward, end = worlds.step(states, torch.full((6,), action))
            assert torch.equal(after, table.successor[:, action, state])
            refused = ~table.allowed[:, action, state]
            reached = (after == table.space.flatten(goal)) & ~refused
            assert torch.equal(end, refused | reached)
            assert torch.equal(reward == -1.0, refused)
            assert torch.equal(reward == 1.0, reached)


def test_starts_are_drawn_evenly_among_the_states_that_reach_the_goal(draw):
    worlds = one(draw, "...#.", (0, 0))
    random = torch.Generator().manual_seed(0)
    drawn = torch.cat([worlds.draw_starts(random) for _ in range(400)])
    counts = drawn.bincount(minlength=5)
    assert counts[[0, 3, 4]].sum() == 0
    assert (counts[1] - 200).abs() < 50
    assert worlds.draw_starts(random, longest=1).item() == 1


def test_worlds_can_be_chosen_and_replaced(draw):
    worlds = make_worlds(torch.zeros(3, 1, 4, dtype=torch.bool), torch.tensor([[0, 0]] * 3))
    other = one(draw, ".#..", (0, 3))
    worlds.put(torch.tensor([1]), other)
    for field in dataclasses.fields(worlds):
        assert torch.equal(getattr(worlds[torch.tensor([1])], field.name), getattr(other, field.name))
    assert worlds.goal.tolist() == [[0, 0], [0, 3], [0, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"goal": float("nan")}, "the reward goal must be a finite number, got nan"),
        ({"step": True}, "the reward step must be a finite number"),
        ({"collisions": "bounces"}, "unknown collisions 'bounces'"),
        ({"step_cost": "time"}, "unknown step_cost 'time'"),
    ],
)
@pytest.mark.usefixtures("_unchecked_shapes")
def test_bad_rewards_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        RewardConfig(**options)
