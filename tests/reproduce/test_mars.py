"""The page of the overhead images: its sets of maps, rows and files, from the shipped weights."""

import pytest
import torch

from torchvin.errors import InputError
from torchvin.reproduce import mars, mars_figures
from torchvin.reproduce.mars import SPLITS, Mars


@pytest.fixture
def _few_maps_in_figures(monkeypatch):
    monkeypatch.setattr(mars_figures, "_MAPS", 4)
    monkeypatch.setattr(mars_figures, "_SHOWN", 2)


@pytest.mark.usefixtures("_few_maps_in_figures")
def test_quick_scores_the_shipped_weights_and_writes_page_table_and_figures(tmp_path):
    outcome = Mars(out=tmp_path, maps=8).run()
    splits = {row.split for row in outcome.rows}
    assert splits == set(SPLITS)
    success = {row.policy: row for row in outcome.rows if (row.split, row.metric) == ("test", "success_rate")}
    assert {"vin", "classifier", "straight"} <= set(success)
    assert success["vin"].n == 8
    assert all(row.published is None for row in outcome.rows)
    assert [path.name for path in outcome.files][:2] == ["mars.md", "mars.csv"]
    assert all(path.is_file() for path in outcome.files)
    page = (tmp_path / "mars.md").read_text()
    assert "as recalled, not verified" in page
    assert "Rank correlation" in page
    assert "It is not Mars" in page


def test_the_sets_of_maps_are_one_ground_seen_otherwise():
    drawn = {split: draw() for split, draw in mars.held_out_maps(8, 0).items()}
    ground = drawn["test"].blocked[:2]
    assert drawn["32x32"].size == (32, 32)
    assert torch.equal(drawn["turned"].blocked, ground.rot90(1, (1, 2)))
    for split in ("low sun", "wrong image"):
        assert torch.equal(drawn[split].blocked, ground)
        assert not torch.equal(drawn[split].image, drawn["test"].image[:2])


def test_nothing_to_score_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no finished run; leave out --no-train"):
        Mars(out=tmp_path, budget="full", train=False).run()
    with pytest.raises(InputError, match="--maps must be at least 4, got 3"):
        Mars(out=tmp_path, maps=3).run()


def test_shipped_weights_see_more_than_a_straight_line_and_nothing_in_a_wrong_image():
    from torchvin import load_policy
    from torchvin.evaluation.scorer import evaluate
    from torchvin.policies.obstacle_planner import straight_line

    drawn = mars.held_out_maps(60, 5)
    test = drawn["test"]()
    wrong = mars._wrong_images(test)
    policy = load_policy("terrain-16")
    seeing, blind = (evaluate(each, test).scores.success_rate for each in (policy, straight_line()))
    assert seeing > blind + 0.2
    assert evaluate(policy, wrong).scores.success_rate < blind + 0.05
