"""Examples by states: every demonstrated state comes, in rows, with its own label."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from torchvin import PaperConfig, build_policy, generate_gridworld, solve_maps
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.mdp.motion import OFFSETS
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import MapExamples, StateExamples, build_examples, state_rows
from torchvin.training.presets import AUTHORS


@pytest.fixture(scope="module")
def dataset():
    return solve_maps(*generate_gridworld(20, 8, seed=3))


@pytest.mark.parametrize("size", [1, 4, 10, 100])
def test_the_rows_hold_every_visit_but_for_the_filling(size):
    visits = torch.randint(0, 4, (6, 5, 4), generator=torch.Generator().manual_seed(size))
    maps, cells = state_rows(visits, size, seed=0)
    assert cells.shape == (len(maps), size)
    for index in range(len(visits)):
        shown = torch.arange(20).repeat_interleave(visits[index].flatten())
        rows = cells[maps == index]
        assert len(rows) == -(-len(shown) // size)
        assert rows.flatten()[: len(shown)].sort().values.equal(shown)
        assert (rows.flatten()[len(shown) :] == rows.flatten()[len(shown) - 1]).all()


def test_the_order_of_the_states_is_that_of_the_seed(dataset):
    first, again, other = (StateExamples(dataset, AUTHORS, seed).states for seed in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(other)


def test_a_state_counts_as_often_as_paths_pass_it_or_once(dataset):
    one_a_row = dataclasses.replace(AUTHORS, states_per_example=1)
    states = walked = 0
    for goal, start, label in zip(dataset.goal, dataset.starts, dataset.demonstrated, strict=True):
        for row, col in start[start[:, 0] >= 0].tolist():
            while (row, col) != tuple(goal.tolist()):  # by hand, along the labels
                down, right = OFFSETS[label[row, col]]
                row, col, walked = row + down, col + right, walked + 1
        states += int((label != NOT_SHOWN).sum())
    assert len(StateExamples(dataset, one_a_row, seed=0)) == walked
    assert len(StateExamples(dataset, dataclasses.replace(one_a_row, repeat_states=False), seed=0)) == states
    assert walked > states


def test_a_map_without_demonstrations_has_no_rows():
    visits = torch.zeros(3, 2, 2, dtype=torch.int64)
    visits[1, 0, 1] = 1
    maps, cells = state_rows(visits, 2, seed=0)
    assert maps.tolist() == [1]
    assert cells.tolist() == [[1, 1]]


def test_the_loss_of_states_is_that_of_the_same_cells_of_whole_maps(dataset):
    torch.manual_seed(0)
    policy = build_policy(PaperConfig())
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    examples = StateExamples(dataset, AUTHORS, seed=0)
    chosen = torch.tensor([0, 3, 7])
    loss, count = examples.loss(policy, chosen, torch.device("cpu"))
    assert count == 30
    expected = 0.0
    for row in chosen:
        index = examples.maps[row]
        logits = policy(dataset[index[None]].planes()).logits[0]
        for state in examples.states[row]:
            label = dataset.demonstrated[index, state[0], state[1]].long()
            expected += functional.cross_entropy(logits[:, state[0], state[1]], label)
    torch.testing.assert_close(loss, expected)


def test_the_supervision_chooses_the_examples(dataset):
    assert isinstance(build_examples(dataset, TrainingConfig(), 0), MapExamples)
    assert isinstance(build_examples(dataset, TrainingConfig(supervision="demonstrations"), 0), MapExamples)
    assert isinstance(build_examples(dataset, AUTHORS, 0), StateExamples)


def test_states_may_be_scored_against_the_set(dataset):
    options = dataclasses.replace(AUTHORS, loss="optimal-set")
    policy = build_policy(PaperConfig())
    loss, count = StateExamples(dataset, options, 0).loss(policy, torch.arange(5), torch.device("cpu"))
    label, _ = StateExamples(dataset, AUTHORS, 0).loss(policy, torch.arange(5), torch.device("cpu"))
    assert 0 < loss < label  # a set is at least as probable as one of its actions
    assert count == 50
