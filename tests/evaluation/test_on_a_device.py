"""Scores on a device: maps go there once, counts come back at the end. The device is the meta device."""

import dataclasses

import pytest
import torch

from torchvin import InputError, TrainingConfig, build_policy, evaluate, load_policy
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.data.draw import draw_maps
from torchvin.data.overhead import with_images
from torchvin.evaluation import scorer
from torchvin.evaluation.control import evaluate_policy
from torchvin.evaluation.expected_return import evaluate_return
from torchvin.evaluation.metrics import Tally
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.motion import motion_model
from torchvin.mdp.worlds import make_worlds
from torchvin.policies.force import ForcePolicy
from torchvin.policies.policy import Policy
from torchvin.tasks.gridworld import GridWorldTask
from torchvin.types import PolicyOutput
from watch import Watch


def test_a_watch_sees_what_makes_the_host_wait():
    with Watch() as watch:
        torch.zeros(3, device="meta").copy_(torch.zeros(3))
        torch.zeros(3).sum().item()
    assert watch.found == ["aten::copy_", "aten::_local_scalar_dense"]
    assert watch.copied == [3]


@pytest.mark.parametrize(
    ("motion", "terrain_costs"), [("octile", (1.0,)), ("octile", (1.0, 3.0)), ("differential-drive", (1.0,))]
)
def test_maps_that_lie_on_a_device_are_scored_there(motion, terrain_costs, monkeypatch):
    """Per batch only the table of moves goes there, and nothing comes back before the end.

    Mutants: planes are made on the host; actions are read after each batch.
    """
    moves = motion_model(motion)
    maps = draw_maps("gridworld", 6, 8, 8, seed=0, demonstration_seed=0, moves=moves, terrain_costs=terrain_costs).to(
        "meta"
    )
    config = NormalizedConfig(
        num_actions=moves.num_actions, num_orientations=moves.num_orientations, num_terrains=len(terrain_costs)
    )
    policy = build_policy(config).to("meta")
    monkeypatch.setattr(scorer, "_STATES_AT_ONCE", 3 * maps.space.num_states)  # two batches
    watch, batches = Watch(), []

    def read(tally):
        raise StopIteration

    monkeypatch.setattr(Tally, "scores", read)
    monkeypatch.setattr(scorer, "_check_finite", lambda is_finite, num_iterations: None)
    with pytest.raises(StopIteration), watch:
        evaluate(policy, maps, on_progress=batches.append)
    assert batches == [3, 3]
    assert set(watch.found) == {"aten::_to_copy"}
    table = {moves.num_actions, len(terrain_costs), moves.num_actions * maps.space.num_states}
    assert set(watch.copied) <= table
    assert watch.calls > 100


def test_the_maps_of_an_evaluation_are_copied_in_the_first_epoch_only():
    task = GridWorldTask(
        draw_maps("gridworld", 6, 8, 8, seed=0, demonstration_seed=0), TrainingConfig(validation_maps=2)
    )
    first = task._held_out(torch.device("meta"))
    assert first.blocked.device.type == "meta"
    assert task._held_out(torch.device("meta")).blocked is first.blocked
    task.validation = dataclasses.replace(task.validation, source="others")
    assert task._held_out(torch.device("meta")).source == "others"


def test_a_data_set_moves_with_all_its_tensors():
    maps = draw_maps("gridworld", 2, 8, 8, seed=0, demonstration_seed=0, terrain_costs=(1.0, 2.0))
    there = maps.to("meta")
    tensors = [part for part in vars(there).values() if isinstance(part, torch.Tensor)]
    assert len(tensors) == 6
    assert all(tensor.is_meta for tensor in tensors)
    assert maps.to("cpu").blocked is maps.blocked
    plain = draw_maps("gridworld", 2, 8, 8, seed=0, demonstration_seed=0)
    images = with_images(plain, torch.zeros(2, 64, 64, dtype=torch.uint8))
    assert images.to("meta").image.is_meta


def test_logits_that_are_not_finite_in_one_batch_are_an_error(monkeypatch):
    maps = draw_maps("gridworld", 4, 8, 8, seed=0, demonstration_seed=0)
    monkeypatch.setattr(scorer, "_STATES_AT_ONCE", 2 * maps.space.num_states)
    policy, calls = load_policy("gridworld-8"), []
    forward = type(policy).forward

    def diverging(self, *arguments, **options):
        calls.append(1)
        output = forward(self, *arguments, **options)
        return dataclasses.replace(output, logits=output.logits / 0) if len(calls) == 1 else output

    monkeypatch.setattr(type(policy), "forward", diverging)
    with pytest.raises(InputError, match="logits are not finite at K = 16"):
        evaluate(policy, maps)


class Elsewhere(ForcePolicy):
    """Its weights are on the meta device; it answers from the host, as tensors of meta hold no numbers."""

    def __init__(self):
        super().__init__(planner=None, eyes=None, num_features=0)
        self.to("meta")
        self.told = []

    def look(self, observation, *, num_iterations=None, initial_value=None):
        self.told.append(observation)
        return None, None

    def force(self, seen, states):
        self.told.append(states)
        return torch.ones(len(states), 1, 2)


def test_a_policy_of_forces_is_told_on_its_device_and_acts_where_the_bodies_are():
    policy = Elsewhere()
    _, found = evaluate_policy(policy, generate_arenas(3, seed=0), steps=2)
    assert len(policy.told) == 3
    assert all(tensor.is_meta for tensor in policy.told)
    assert found.state.is_cpu
    assert found.force.eq(1).all()


def test_expected_returns_are_of_worlds_on_the_host_and_a_policy_on_a_device():
    class Still(Policy):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1, device="meta"))
            self.told = []

        def forward(self, observation, states=None, *, num_iterations=None, initial_value=None):
            self.told.append(observation)
            return PolicyOutput(torch.zeros(len(observation), 8, *observation.shape[2:]), None)

    policy = Still()
    scores = evaluate_return(policy, make_worlds(*generate_gridworld(2, 8, seed=3)))
    assert policy.told[0].is_meta
    assert scores.maps == 2
