"""The task on overhead images: what teaches, what does not, resuming, and the labels that only the classifier learns."""

import dataclasses

import pytest
import torch

from torchvin.architectures.registry import build_policy
from torchvin.architectures.terrain import TerrainConfig
from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
from torchvin.architectures.terrain_cnn import TerrainCNNConfig
from torchvin.data.draw import draw_maps
from torchvin.data.overhead import with_images
from torchvin.errors import InputError
from torchvin.evaluation.scorer import evaluate
from torchvin.policies.obstacle_planner import straight_line
from torchvin.pretrained.store import load_policy
from torchvin.tasks.registry import as_task, training_data
from torchvin.tasks.terrain import ObstacleTask, TerrainTask, random_symmetry
from torchvin.training.config import RunConfig, TrainingConfig
from torchvin.training.presets import preset
from torchvin.training.trainer import train

OPTIONS = TrainingConfig(
    supervision="demonstrations", loss="tied-label", epochs=2, batch_size=4, tensorboard=False, checkpoint_seconds=0.0
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def terrain():
    return draw_maps("terrain", 12, 6, 6, seed=8)


def config(policy=None, **options):
    return RunConfig(
        policy=policy or TerrainConfig(encoder_channels=4), training=dataclasses.replace(OPTIONS, **options)
    )


def test_nothing_but_images_goals_and_demonstrated_actions_teaches(terrain):
    """The hidden map may be replaced by rubbish: the same loss and the same gradient, to the last bit."""
    rubbish = dataclasses.replace(
        terrain, blocked=torch.rand(terrain.blocked.shape) < 0.5, optimal_actions=255 - terrain.optimal_actions
    )
    results = []
    for data in (terrain, rubbish):
        torch.manual_seed(0)
        policy = build_policy(config().policy)
        task = as_task(data, config())
        assert type(task) is TerrainTask
        loss, terms = task.loss(policy, torch.arange(5), CPU)
        loss.backward()
        results.append([loss.detach(), terms, *(each.grad for each in policy.parameters())])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_the_best_epoch_is_chosen_by_demonstrations_and_not_by_the_hidden_map(terrain):
    task = as_task(terrain, config())
    policy = build_policy(config().policy)
    validation = task.validate(policy)
    assert validation.key == (-validation.metrics["held_out_loss"],)
    task.validation = dataclasses.replace(task.validation, optimal_actions=255 - task.validation.optimal_actions)
    assert task.validate(policy).key == validation.key
    assert policy.training


def test_caution_takes_no_part_in_what_is_learned_or_chosen(terrain):
    keys = []
    for caution in (1.0, 50.0):
        torch.manual_seed(0)
        policy = build_policy(TerrainConfig(encoder_channels=4, encoder_blocks=1, caution=caution))
        task = as_task(terrain, config())
        loss, _ = task.loss(policy, torch.arange(5), CPU)
        keys.append((loss.item(), task.validate(policy).key))
    assert keys[0] == keys[1]


def test_maps_of_a_planet_come_from_a_file(tmp_path):
    with pytest.raises(InputError, match="make them with `torchvin data --kind moon --from FOLDER --split train`"):
        training_data(preset("moon-16"), None)


def test_it_resumes_to_the_same_bits_with_its_random_symmetries(terrain, tmp_path):
    whole = train(config(), terrain, tmp_path / "whole").policy.state_dict()

    class Interrupted(TerrainTask):
        left = 4

        def loss(self, *arguments):
            Interrupted.left -= 1
            if Interrupted.left < 0:
                raise KeyboardInterrupt
            return super().loss(*arguments)

    with pytest.raises(KeyboardInterrupt):
        train(config(), Interrupted(terrain, config().training), tmp_path / "cut")
    resumed = train(config(), TerrainTask(terrain, config().training), tmp_path / "cut", resume=True).policy
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.items())
    loaded = load_policy(tmp_path / "cut")
    assert loaded.task["observation"] == {"planes": ["image", "goal"], "cell_pixels": 8}


def test_other_images_are_another_run(terrain):
    task = as_task(terrain, config())
    other = as_task(with_images(terrain, terrain.image.roll(1, dims=0)), config())
    assert task.identity() != other.identity()


def test_the_baselines_train(terrain, tmp_path):
    for name, policy, options in (
        ("classifier", TerrainClassifierConfig(encoder_channels=4), {}),
        ("cnn", TerrainCNNConfig(encoder_channels=4, hidden_channels=6), {"loss": "single-label"}),
    ):
        trained = train(config(policy, **options), terrain, tmp_path / name)
        assert 0 <= trained.validation.scores.success_rate <= 1
    assert isinstance(as_task(terrain, config(TerrainClassifierConfig())), ObstacleTask)


def test_a_map_that_is_not_square_keeps_its_size():
    maps = draw_maps("terrain", 1, 5, 7)
    assert {random_symmetry(maps).size for _ in range(20)} == {(5, 7)}


def test_cells_that_no_demonstration_passes_do_not_teach(terrain, tmp_path):
    with pytest.raises(InputError, match="all-cells would teach from cells that no demonstration passes"):
        train(config(supervision="all-cells", loss="single-label"), terrain, tmp_path / "run")


def test_the_presets_see_images():
    for world, kind, pixels in (("terrain-16", "terrain", 8), ("mars-16", "mars", 4), ("moon-16", "moon", 8)):
        for ending in ("", "-classifier", "-cnn"):
            config = preset(f"{world}{ending}")
            assert (config.policy.cell_pixels, config.data.kind) == (pixels, kind)
            assert config.training.supervision == "demonstrations"
            assert config.training.epochs == preset(world).training.epochs


@pytest.mark.slow
def test_paths_teach_what_is_steep(tmp_path):
    """Half a minute of training: better than straight, and no better than blind where images are of other maps."""
    maps = draw_maps("terrain", 1500, 16, 16, seed=(0, 1))
    options = dataclasses.replace(preset("terrain-16").training, epochs=3, tensorboard=False)
    trained = train(dataclasses.replace(preset("terrain-16"), training=options), maps, tmp_path / "run").policy
    test = draw_maps("terrain", 200, 16, 16, seed=77)
    blind = evaluate(straight_line(), test).scores.success_rate
    seeing = evaluate(trained, test).scores.success_rate
    shuffled = evaluate(trained, with_images(test, test.image.roll(1, dims=0))).scores.success_rate
    assert seeing > blind + 0.1
    assert shuffled < blind + 0.03
