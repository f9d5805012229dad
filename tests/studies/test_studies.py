"""Every study runs at a tiny size: its rows come out and are kept."""

import json
from dataclasses import replace

import pytest
import torch

from studies import pictures, shortest_path, shortest_path_ablations, study
from torchvin.maps.formats.contract import MapFile
from torchvin.maps.formats.map_file import write_map
from torchvin.training.config import CurriculumConfig


def tiny(config):
    training = replace(
        config.training,
        epochs=1,
        cost_steps=2,
        validation_maps=4,
        curriculum=CurriculumConfig(steps=min(5, config.training.curriculum.steps)),
    )
    return replace(config, data=replace(config.data, maps=16), training=training)


@pytest.fixture
def small(monkeypatch):
    """Few maps, short trainings."""
    fit, training_maps = shortest_path.fit, shortest_path.training_maps

    def short_fit(config, dataset=None, **options):
        return fit(tiny(config), dataset, **options)

    for module in (shortest_path, shortest_path_ablations):
        monkeypatch.setattr(module, "fit", short_fit)
    monkeypatch.setattr(
        shortest_path,
        "training_maps",
        lambda config, path: training_maps(
            replace(config, data=replace(config.data, maps=min(32, config.data.maps))), path
        ),
    )
    for name in ("MAZES", "SMALL_MAZES"):
        monkeypatch.setattr(shortest_path, name, (("maze", 9, 2),))
    for name in ("PAPER_SIZES", "LARGE_GRIDWORLDS", "GRIDWORLDS"):
        monkeypatch.setattr(shortest_path, name, (("gridworld", 8, 2),))
    monkeypatch.setattr(shortest_path, "LARGER_TERRAINS", ())
    monkeypatch.setattr(shortest_path, "LARGE", (("maze-15", "perfect-maze", 9, 4),))
    monkeypatch.setattr(shortest_path, "MEMORY_SIDE", 9)
    monkeypatch.setattr(shortest_path_ablations, "FRESH", (("maze", 9, 2),))


def run(experiments, name, out):
    study.main(experiments, "A study.", [name, "--seed", "3", "--out", str(out)])
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", shortest_path.EXPERIMENTS)
def test_every_experiment_of_the_shortest_path_study_runs(name, tmp_path):
    rows = run(shortest_path.EXPERIMENTS, name, tmp_path)
    assert rows
    assert {(row["experiment"], row["seed"]) for row in rows} == {(name, 3)}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", shortest_path_ablations.ABLATIONS)
def test_every_ablation_runs(name, tmp_path):
    (row,) = run(shortest_path_ablations.EXPERIMENTS, name, tmp_path)
    assert row["without"] == name
    assert 0 <= row["success"] <= 1


def test_rows_are_appended_and_a_misspelled_experiment_is_named(tmp_path):
    experiments = {"one": lambda seed: iter([{"value": seed}])}
    run(experiments, "one", tmp_path)
    assert [row["value"] for row in run(experiments, "one", tmp_path)] == [3, 3]
    with pytest.raises(SystemExit, match="Did you mean"):
        study.main(experiments, "A study.", ["on", "--out", str(tmp_path)])


def test_readme_s_pictures_are_drawn_from_shipped_weights(tmp_path):
    blocked = torch.zeros(8, 9, dtype=torch.bool)
    blocked[3, 1:] = True
    write_map(tmp_path / "small.map", MapFile(blocked))
    arguments = pictures.Arguments(tmp_path, berlin=tmp_path / "small.map", start=(0, 8), goal=(7, 8))
    pictures.main(arguments)
    for name in ("network.png", "values.gif", "berlin.png"):
        assert 5_000 < (tmp_path / name).stat().st_size < 1_000_000
