"""The page of the overhead images: its sets of maps, rows and files, from the shipped weights."""

from dataclasses import replace

import pytest
import torch

from torchvin.data.draw import draw_maps
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.policies.encoders import PatchEncoder
from torchvin.policies.obstacle_planner import ObstaclePlanner
from torchvin.reproduce import mars, mars_figures, mars_maps, mars_text
from torchvin.reproduce.book import Training
from torchvin.reproduce.mars import Mars, with_caution
from torchvin.reproduce.mars_maps import SPLITS
from torchvin.reproduce.mars_tables import MarsScore, aims_table, split_table
from torchvin.training.presets import preset


@pytest.fixture
def _few_maps_in_figures(monkeypatch):
    monkeypatch.setattr(mars_figures, "_MAPS", 4)
    monkeypatch.setattr(mars_figures, "_SHOWN", 2)
    monkeypatch.setattr(mars_figures, "_CAUTIONS", (1.0, 10.0))


@pytest.mark.usefixtures("_few_maps_in_figures")
def test_quick_scores_the_shipped_weights_and_writes_page_table_and_figures(tmp_path):
    outcome = Mars(out=tmp_path, maps=8).run()
    splits = {row.split for row in outcome.rows}
    assert splits == set(SPLITS)
    success = {row.policy: row for row in outcome.rows if (row.split, row.metric) == ("test", "success_rate")}
    assert {"vin", "vin-without-caution", "straight-line"} <= set(success)
    assert success["vin"].n == 8
    assert all(row.published is None for row in outcome.rows)
    assert [path.name for path in outcome.files][:2] == ["mars.md", "mars.csv"]
    assert all(path.is_file() for path in outcome.files)
    page = (tmp_path / "mars.md").read_text()
    assert "as recalled, not verified" in page
    assert "Rank correlation" in page
    assert "not at the scale of a rover" in page


def test_the_sets_of_maps_are_one_ground_seen_otherwise():
    drawn = {split: draw() for split, draw in mars_maps.held_out_maps(8, 0).items()}
    ground = drawn["test"].blocked[:2]
    assert drawn["32x32"].size == (32, 32)
    assert torch.equal(drawn["turned"].blocked, ground.rot90(1, (1, 2)))
    assert torch.equal(drawn["not turned"].image, drawn["test"].image[:2])
    for split in ("low sun", "wrong image"):
        assert torch.equal(drawn[split].blocked, ground)
        assert not torch.equal(drawn[split].image, drawn["test"].image[:2])


@pytest.mark.slow
@pytest.mark.usefixtures("_few_maps_in_figures")
def test_full_trains_every_seed_once_also_on_a_planet(tmp_path, monkeypatch):
    def tiny(name):
        config = preset(name)
        return replace(
            config,
            policy=replace(config.policy, encoder_channels=4, encoder_blocks=1),
            data=replace(config.data, maps=10, height=16, width=16),
            training=replace(config.training, epochs=1),
        )

    def a_planet(name, folder, *, maps, split, seed=0):
        return replace(draw_maps("terrain", min(maps, 10), 16, 16, seed=(9, seed)), source=name)

    monkeypatch.setattr(mars, "preset", tiny)
    monkeypatch.setattr(mars, "SEEDS", (0, 1))
    monkeypatch.setattr(mars, "NETWORKS", {"VIN": ""})
    monkeypatch.setattr(mars, "draw_planet", a_planet)
    monkeypatch.setattr(mars, "held_out_maps", lambda maps, seed: {"test": lambda: draw_maps("terrain", maps, 16, 16)})
    monkeypatch.setattr(
        mars,
        "planet_maps",
        lambda folder, maps, seed: {"moon": lambda: a_planet("moon", folder, maps=maps, split="test")},
    )
    page = Mars(out=tmp_path, maps=4, budget="full", planets=tmp_path)
    rows = page.run().rows
    assert {(row.task, row.policy, row.seeds) for row in rows if row.metric == "success_rate"} >= {
        ("terrain", "vin", 2),
        ("moon", "vin-without-caution", 2),
    }
    assert (tmp_path / "moon-train.npz").is_file()
    monkeypatch.setattr(mars, "train_run", None)  # nothing is trained again
    assert [row.value for row in page.run().rows] == [row.value for row in rows]
    assert "`moon-16-s1`" in (tmp_path / "mars.md").read_text()


def score(policy, split, success):
    return MarsScore(policy, split, None, Scores(100, 700, success, 0.5, 0.1, 0.1, 0.1, success, 0.5, 0.1))


def test_aims_are_differences_of_what_was_measured_and_those_that_failed_say_so():
    measured = [score("VIN", "test", 0.95), score("VIN", "test", 0.97), score("reactive CNN", "test", 0.90)]
    lines = {line[0]: line[1:] for line in aims_table(measured).lines}
    assert lines["VIN, 16x16 cells"] == ("95", "96.00", "yes")
    assert lines["VIN over reactive CNN, 16x16"] == ("15", "6.00", "**no**")
    assert not any("Mars" in what for what in lines)
    assert [line[1] for line in split_table(measured, "test").lines] == ["96.00 %", "90.00 %"]


def test_a_comparison_that_is_not_equal_says_so():
    def training(name, blocks, epochs):
        policy = {"encoder_channels": 16, "encoder_blocks": blocks}
        return Training(name, {"config": {"policy": policy, "training": {"epochs": epochs}, "seed": 0}, "maps": 9})

    alike = [training("terrain-16", 2, 10), training("terrain-16-cnn", 2, 10), training("mars-16", 2, 5)]
    assert mars_text._unequal(alike) == ""
    assert "(terrain)" in mars_text._unequal([*alike, training("terrain-16-classifier", 0, 10)])
    assert "(mars)" in mars_text._unequal([*alike, training("mars-16-cnn", 2, 6)])


def test_caution_of_a_classifier_weighs_probabilities_and_without_it_a_threshold_decides():
    planner = ObstaclePlanner(PatchEncoder(num_features=1, hidden_channels=4))
    likely = torch.tensor([[[-9.0, -9.0, -9.0], [-9.0, -0.5, -9.0], [9.0, 9.0, 9.0]]])  # 38 % in the middle
    planner.obstacle_logits = lambda seen: likely
    observation = torch.zeros(1, 65, 3, 3)
    observation[0, 64, 1, 2] = 10.0
    east, north_east = 2, 4
    assert planner(observation).logits[0, :, 1, 0].argmax() == east
    assert with_caution(planner, 10.0)(observation).logits[0, :, 1, 0].argmax() == north_east


def test_nothing_to_score_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no finished run of terrain-16; leave out"):
        Mars(out=tmp_path, budget="full", train=False).run()
    with pytest.raises(InputError, match="--maps must be at least 4, got 3"):
        Mars(out=tmp_path, maps=3).run()


def test_shipped_weights_see_more_than_a_straight_line_and_nothing_in_a_wrong_image():
    from torchvin import load_policy
    from torchvin.evaluation.scorer import evaluate
    from torchvin.policies.obstacle_planner import straight_line

    drawn = mars_maps.held_out_maps(60, 5)
    test = drawn["test"]()
    wrong = mars_maps.wrong_images(test)
    policy = load_policy("terrain-16")
    seeing, blind = (evaluate(each, test).scores.success_rate for each in (policy, straight_line()))
    assert seeing > blind + 0.2
    assert evaluate(policy, wrong).scores.success_rate < blind + 0.05
