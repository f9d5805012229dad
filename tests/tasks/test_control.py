"""Learning to push: lessons, corrections, resuming, and that a small training learns."""

import json
from dataclasses import replace

import pytest
import torch

from torchvin import load_policy, train
from torchvin.architectures.control_mlp import ControlMLPConfig
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.cli.main import main
from torchvin.data.control import correct, demonstrate
from torchvin.errors import InputError
from torchvin.evaluation.control import evaluate_policy, free_places, observed, roll_out, score
from torchvin.experts.trajectory import TrajectoryOptimizer, at_rest
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.mdp.point_mass import PointMass, clearance
from torchvin.tasks.control import ControlTask, training_arenas
from torchvin.tasks.registry import training_data
from torchvin.training.presets import preset

TINY = replace(
    preset("control"),
    policy=ControlMLPConfig(hidden_units=8),
    data=replace(preset("control").data, maps=3),
    training=replace(preset("control").training, epochs=2, batch_size=3, tensorboard=False, checkpoint_seconds=0.0),
    control=replace(
        preset("control").control, starts=1, passes=2, states_per_step=16, aggregations=1, rollouts=1, corrections=2
    ),
)


@pytest.fixture(scope="module")
def expert():
    return TrajectoryOptimizer(generate_arenas(3, seed=1))


def test_lessons_are_states_and_forces_of_the_expert(expert):
    lessons, found = demonstrate(expert, 2, torch.Generator().manual_seed(0), steps=30)
    assert lessons.states.shape == (3, 60, 6)
    arenas = expert.arenas
    assert torch.equal(lessons.states[:, 0, :2], arenas.start.float())  # the first trajectory begins at the start
    assert torch.equal(lessons.force[1, :30], found.force[2, :30].float())
    torch.testing.assert_close(
        lessons.states[..., :2] + lessons.states[..., 4:], arenas.goal[:, None].expand(-1, 60, -1).float()
    )
    assert (clearance(lessons.states[:, 30, :2].double(), arenas.obstacles) >= 0.079).all()


def test_corrections_begin_where_the_policy_came(expert):
    visited = at_rest(expert.arenas.start)[:, None].repeat(1, 2, 1)
    visited[:, 1, 2:] = 0.3
    lessons = correct(expert, visited, steps=5)
    assert lessons.states.shape == (3, 10, 6)
    assert torch.equal(lessons.states[:, 5, :4], visited[:, 1].float())
    assert torch.allclose(lessons.force[:, :5], expert.from_start().force[:, :5].float(), atol=1e-4)


def test_corrections_come_at_their_epochs():
    longer = replace(TINY, training=replace(TINY.training, epochs=8), control=replace(TINY.control, aggregations=2))
    task, due = ControlTask(training_arenas(TINY), longer), []
    for epoch in range(8):
        order = task.order(0, epoch)
        assert sorted(order.tolist()) == sorted([*range(3)] * 2)
        due.append(task.due)
    assert due == [0, 0, 1, 1, 2, 2, 2, 2]


def test_it_adds_corrections_and_resumes_to_the_same_bits(tmp_path):
    task = training_data(TINY, None)
    whole = train(TINY, task := ControlTask(task, TINY), tmp_path / "whole").policy.state_dict()
    assert task.rounds == 1
    assert task.lessons.states.shape[1] == 80 + 2 * TINY.control.correction_steps

    class Interrupted(ControlTask):
        left = 4  # after the correction

        def loss(self, *arguments):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().loss(*arguments)

    with pytest.raises(KeyboardInterrupt):
        train(TINY, Interrupted(training_arenas(TINY), TINY), tmp_path / "cut")
    resumed = train(TINY, training_data(TINY, None), tmp_path / "cut", resume=True).policy.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_weights_say_what_they_are_for(tmp_path):
    config = replace(TINY, training=replace(TINY.training, epochs=1))
    trained = train(config, training_data(config, None), tmp_path)
    loaded = load_policy(tmp_path)
    assert loaded.task["name"] == "control"
    assert loaded.task["body"]["radius"] == 0.05
    assert loaded.task["data"] == {**loaded.task["data"], "maps": 3, "height": 16, "kind": "obstacles"}
    assert loaded.record["validation"]["success_rate"] == trained.validation.success_rate
    assert loaded.record["validation"]["expert_success_rate"] == 1.0


def test_a_network_that_chooses_moves_is_refused():
    with pytest.raises(InputError, match="a NormalizedConfig chooses among moves, and a body in an arena is pushed"):
        ControlTask(training_arenas(TINY), TINY).check(NormalizedConfig())


def test_arenas_are_drawn_and_not_read(tmp_path):
    with pytest.raises(InputError, match="arenas are drawn, not read: leave out --data"):
        training_data(TINY, tmp_path / "maps.npz")


def test_scores_count_arrivals_without_a_touch(expert):
    arenas, body = expert.arenas, PointMass()
    perfect = score(expert.from_start(), arenas.goal)
    assert perfect.success_rate == perfect.arrival_rate == 1.0
    assert 20 < perfect.mean_steps < 90
    still = score(roll_out(lambda state: state[:, :2] * 0, arenas, at_rest(arenas.start), body=body), arenas.goal)
    assert still.success_rate == still.collision_rate == 0.0
    assert still.final_distance == pytest.approx((arenas.start - arenas.goal).norm(dim=1).mean().item())
    assert still.mean_steps != still.mean_steps  # there is no success
    wild = roll_out(lambda state: state[:, :2] * 0 + 5.0, arenas, at_rest(arenas.start), body=body)
    assert score(wild, arenas.goal).collision_rate == 1.0
    assert wild.force.max() == 1.0


def test_success_is_arrival_without_a_touch(expert):
    found = expert.from_start()
    touched = found.touched.clone()
    touched[0, 3] = True
    scores = score(replace(found, touched=touched), expert.arenas.goal)
    assert scores.arrival_rate == 1.0
    assert scores.success_rate == pytest.approx(2 / 3)


def test_places_are_free_and_states_are_told_as_the_environment_tells_them(expert):
    arenas = expert.arenas
    place = free_places(arenas, torch.tensor([0, 1, 2, 0]), torch.Generator().manual_seed(0), room=0.08)
    assert (clearance(place, arenas.obstacles[[0, 1, 2, 0]]) > 0.08).all()
    from torchvin.envs.point_mass import PointMassEnv

    env = PointMassEnv(arenas=arenas[:1])
    told = env.reset(seed=0)[0]["state"]
    assert told.tolist() == observed(at_rest(arenas.start[:1]), arenas.goal[:1])[0].tolist()


@pytest.mark.slow
def test_the_command_trains_and_says_how_well_it_went(tmp_path, capsys):
    few = ["--data.maps", "2", "--training.epochs", "1", "--training.no-tensorboard"]
    few += ["--control.starts", "1", "--control.passes", "1", "--control.aggregations", "0"]
    assert main(["train", "--preset", "control-mlp", *few, "--out", str(tmp_path / "run"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["maps"] == 2
    assert {"training_success_rate", "training_final_distance"} <= set(told)
    assert (tmp_path / "run" / "history.png").is_file()
    assert (
        main(["train", "--preset", "control-mlp", "--architecture", "normalized", "--out", str(tmp_path / "other")])
        == 2
    )
    assert "is pushed by a force" in capsys.readouterr().err


@pytest.mark.slow
def test_a_vin_learns_to_push_past_obstacles_it_has_not_seen(tmp_path):
    """80 arenas and a minute: most of the unseen arenas, and far more than without a map."""
    data = replace(TINY.data, maps=80)
    training = replace(preset("control").training, epochs=8, tensorboard=False)
    config = replace(preset("control"), data=data, training=training)
    arenas = generate_arenas(50, ArenaConfig(), seed=99)
    success = {}
    for name, policy in (("vin", config.policy), ("mlp", ControlMLPConfig())):
        trained = train(replace(config, policy=policy), training_data(config, None), tmp_path / name)
        success[name] = evaluate_policy(trained.policy, arenas)[0].success_rate
    assert success["vin"] > 0.75
    assert success["vin"] > success["mlp"] + 0.25
