"""WebNav as a task: it learns, it never looks at a test query, and it resumes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from torchvin import InputError, NormalizedConfig, train
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.tasks.webnav import WebNavTask, training_web
from torchvin.training.config import ReinforcementConfig, RunConfig, TrainingConfig

SMALL = RunConfig(
    WebNavConfig(vectors="none"),
    training=TrainingConfig(epochs=2, batch_size=16, learning_rate=0.005, tensorboard=False, validation_maps=8),
)


@pytest.fixture(scope="module")
def web():
    return build_web(generate_web(60, seed=1), "none")


def test_it_learns_and_writes_what_it_learned_from(tmp_path, web):
    trained = train(SMALL, web, tmp_path / "run")
    losses = [row["loss"] for row in trained.history]
    assert losses[-1] < losses[0]
    assert trained.policy.task["web"]["pages"] == 60
    validation = trained.policy.record["validation"]
    assert validation["success_rate"] == max(row["success_rate"] for row in trained.history)
    assert "all_states_success_rate" not in validation  # a web has pages, not states of a map
    assert trained.policy.record["maps"] == len(WebNavTask(web, SMALL))


def test_a_run_continues_with_the_same_bits(tmp_path, web):
    one = RunConfig(
        SMALL.policy, training=TrainingConfig(**{**vars(SMALL.training), "epochs": 1, "schedule": "constant"})
    )
    two = RunConfig(SMALL.policy, training=TrainingConfig(**{**vars(SMALL.training), "schedule": "constant"}))
    train(two, web, tmp_path / "whole")
    train(one, web, tmp_path / "parts")
    train(two, web, tmp_path / "parts", resume=True)
    whole, parts = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("method", ["imitation", "reinforcement"])
def test_on_a_machine_with_a_gpu_it_trains_on_the_cpu(tmp_path, web, monkeypatch, method):
    """The pages stay on the CPU; the default device must not bring the network to another."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    options = replace(SMALL.training, epochs=1, method=method)
    config = replace(
        SMALL, training=options, reinforcement=ReinforcementConfig(maps=16, horizon=6, rollouts=1, passes=1)
    )
    with pytest.raises(InputError, match="this task trains on the CPU"):
        train(config, web, tmp_path, device="cuda")
    trained = train(config, web, tmp_path)
    assert len(trained.history) == 1


def test_no_test_query_is_in_any_training_input(web):
    task = WebNavTask(web, SMALL)
    test = web.queries("test")
    told = {tuple(sentence) for query in task.queries.words for sentence in query}
    assert not told & {tuple(sentence) for query in test.words for sentence in query}
    assert not set(task.queries.target.tolist()) & set(test.target.tolist())
    assert not set(task.validation.queries.target.tolist()) & set(test.target.tolist())


def test_starts_are_at_one_to_four_links(web):
    task = WebNavTask(web, SMALL)
    distance = torch.from_numpy(web.distances(task.queries.target[:5].tolist()))
    walker, page = task._starts(distance)
    assert set(distance[walker, page].tolist()) <= {1, 2, 3, 4}


def test_policies_that_do_not_fit_are_refused(web):
    with pytest.raises(InputError, match="webnav or webnav_reactive"):
        WebNavTask(web, SMALL).check(NormalizedConfig())
    with pytest.raises(InputError, match=r"set --policy.vectors"):
        WebNavTask(web, SMALL).check(WebReactiveConfig(vectors="glove"))


def test_without_a_folder_the_web_is_drawn():
    assert len(training_web(SMALL, None)) == 200


def test_the_optimal_links_are_those_that_lead_nearer(web):
    row = web.distances([3])[0]
    for page in range(len(web)):
        if 0 < row[page] < 127:
            assert (row[web.corpus.links(page)] >= row[page] - 1).all()
            assert (row[web.corpus.links(page)] == row[page] - 1).any()
    assert np.count_nonzero(row == 0) == 1
