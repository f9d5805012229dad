"""Walks in arrays: what the environment does, states that hold a walk, and where walks begin."""

import gymnasium
import numpy as np
import pytest
import torch

import torchvin.envs  # noqa: F401 - registers
from torchvin.evaluation.web import EXTRA_STEPS, FARTHEST
from torchvin.mdp.web_walks import Moment, WebWalks


def walks_of(env, goal):
    corpus = env.web.corpus
    distance = torch.from_numpy(env.web.distances(goal))
    steps = distance.where(distance <= FARTHEST, -1)
    offsets, targets = (torch.from_numpy(np.array(part)) for part in (corpus.offsets, corpus.targets))
    return WebWalks(offsets, targets, steps, torch.tensor(goal), farthest=FARTHEST, extra=EXTRA_STEPS)


def test_it_does_what_the_environment_does():
    env = gymnasium.make("torchvin/WebNav-v0").unwrapped
    rng = np.random.default_rng(0)
    ends = set()
    for seed in range(60):
        observation, _ = env.reset(seed=seed)
        walks = walks_of(env, [env.target])
        state = walks.encode(Moment(torch.tensor([env.page]), torch.tensor([0]), torch.tensor([env.steps_left])))
        over = False
        while not over:
            row = env.web.distances([env.target])[0]
            links = observation["links"][observation["links"] >= 0]
            nearer = np.flatnonzero(row[links] < row[env.page])
            # a way nearer half of the time, else any link, also one that the page does not have
            action = int(nearer[0]) if len(nearer) and rng.random() < 0.5 else int(rng.integers(env.most_links))
            observation, reward, terminated, truncated, _ = env.step(action)
            state, paid, over = (
                part[0] for part in walks.step(state[None] if state.dim() == 0 else state, torch.tensor([action]))
            )
            assert int(walks.decode(state).page) == env.page
            assert float(paid) == reward
            assert bool(over) == (terminated or truncated)
            ends.add((terminated, truncated))
    assert {(True, False), (False, True)} <= ends


@pytest.fixture
def line():
    """0 -> 1 -> 2 -> 3, and 3 has no link; two walkers, to page 3 and to page 2."""
    offsets, targets = torch.tensor([0, 1, 2, 3, 3]), torch.tensor([1, 2, 3])
    steps = torch.tensor([[3, 2, 1, 0], [2, 1, 0, -1]])
    return WebWalks(offsets, targets, steps, torch.tensor([3, 2]), farthest=3, extra=2)


def test_a_page_without_links_ends_a_walk(line):
    state = line.encode(Moment(torch.tensor([2, 2]), torch.tensor([1, 1]), torch.tensor([2, 2])))
    _, reward, end = line.step(state, torch.tensor([0, 0]))
    assert reward.tolist() == [1.0, 0.0]
    assert end.tolist() == [True, True]


def test_possible_are_the_links_of_the_page(line):
    state = line.encode(Moment(torch.tensor([2, 3]), torch.tensor([0, 0]), torch.tensor([1, 1])))
    assert line.possible(state, 2).tolist() == [[True, False], [False, False]]


def test_a_state_holds_the_page_and_both_counts(line):
    moment = Moment(torch.tensor([0, 3]), torch.tensor([4, 0]), torch.tensor([1, 5]))
    again = line.decode(line.encode(moment))
    assert [part.tolist() for part in (again.page, again.made, again.left)] == [[0, 3], [4, 0], [1, 5]]


def test_walks_begin_within_reach_and_with_two_links_to_spare(line):
    random = torch.Generator().manual_seed(0)
    for _ in range(20):
        moment = line.decode(line.draw_starts(random))
        steps = line.steps.gather(1, moment.page[:, None])[:, 0]
        assert (steps > 0).all()
        assert torch.equal(moment.left, steps + 2)
        assert not moment.made.any()
        near = line.decode(line.draw_starts(random, torch.tensor([1]), longest=1))
        assert near.page.tolist() == [1]


def test_trails_are_the_pages_of_the_walk_so_far(line):
    page = torch.tensor([[0, 1, 2, 1, 2]])
    made = torch.tensor([[0, 1, 2, 0, 1]])  # the second walk begins on page 1
    states = line.encode(Moment(page, made, torch.full_like(page, 3)))
    trails = line.trails(states)
    assert trails.shape == (1, 5, 6)
    assert [[number for number in trail if number >= 0] for trail in trails[0].tolist()] == [
        [0],
        [1, 0],
        [2, 1, 0],
        [1],
        [2, 1],
    ]
    trail = torch.full((1, 6), -1)
    for step in range(5):
        trail = line.followed(trail, states[:, step])
        assert torch.equal(trail, trails[:, step])
