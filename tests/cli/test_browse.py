"""`torchvin browse` and the training of a web from the command line."""

import json

import pytest

from torchvin import build_policy, save_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.cli.main import main
from torchvin.data.corpora.generated import generate_web

CORPUS = generate_web(40, seed=4)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHVIN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "pages"
    folder.mkdir()
    for n, name in enumerate(CORPUS.names):
        links = " ".join(f"[{CORPUS.titles[to]}]({CORPUS.names[to]}.md)" for to in CORPUS.links(n))
        (folder / f"{name}.md").write_text(f"# {name}\n\n{' '.join(CORPUS.sentences[n])}\n\n{links}\n")
    save_policy(tmp_path / "weights", build_policy(WebNavConfig(vectors="none")))
    return tmp_path


def test_it_prints_the_pages_their_values_and_why(files, capsys):
    query = " ".join(CORPUS.sentences[9][:3])
    command = ["browse", "--query", query, "--corpus", str(files / "pages"), "--weights", str(files / "weights")]
    assert main([*command, "--from", CORPUS.titles[30]]) == 0
    text = capsys.readouterr().out
    assert text.index(CORPUS.titles[30]) < text.rindex(CORPUS.titles[9])
    assert "value" in text
    assert "stays: no link promises more" in text
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert content["found"]
    assert content["page"] == CORPUS.titles[9]
    assert content["pages"][-1]["reasons"]


def test_eval_scores_walks_on_a_web(files, capsys):
    save_policy(files / "other", build_policy(WebReactiveConfig(vectors="none")))
    command = ["eval", "--data", str(files / "pages"), "--weights", str(files / "weights")]
    assert main([*command, "--json"]) == 0
    alone = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert alone["split"] == "test"
    assert sum(walks for _, walks in alone["by_distance"].values()) == alone["walks"] > 5
    assert alone["success_rate"] > 0.5
    assert main([*command, str(files / "other"), "--split", "validation"]) == 0
    text = capsys.readouterr().out
    assert "success rate, greedy walk" in text
    assert "validation" in text
    assert main([*command, "--json", "--iterations", "0"]) == 0
    blind = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert blind["success_rate"] < alone["success_rate"]


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        (["gridworld-8"], [], "cannot be scored side by side"),
        ([], ["--split", "heldout"], "--split of a web must be one of test, validation, train"),
        ([], ["--iterations", "auto"], "are of weights that plan on maps"),
    ],
)
def test_what_eval_cannot_do_on_a_web_is_one_line(files, capsys, weights, options, message):
    command = ["eval", "--data", str(files / "pages"), "--weights", str(files / "weights"), *weights, *options]
    assert main(command) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_weights_that_push_a_body_have_no_maps_to_be_scored_on(capsys):
    assert main(["eval", "--data", "maps", "--weights", "control"]) == 2
    assert "`torchvin reproduce control` scores such weights" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--query", "qqqq wwww"], "no page has any word of the query"),
        (["--query", "a", "--from", "Nowhere"], "unknown page 'Nowhere'"),
        (["--query", "a", "--links", "-1"], "--links must not be negative"),
        (["--query", "a", "--weights", "gridworld-8"], "these weights do not walk webs"),
    ],
)
def test_bad_input_is_one_line(files, capsys, options, message):
    command = ["browse", "--corpus", str(files / "pages"), "--weights", str(files / "weights"), *options]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]


def test_a_policy_without_pages_does_not_browse(files, capsys):
    save_policy(files / "other", build_policy(WebReactiveConfig(vectors="none")))
    command = ["browse", "--query", "a", "--corpus", str(files / "pages"), "--weights", str(files / "other")]
    assert main(command) == 2
    assert "do not walk webs" in capsys.readouterr().err


def test_a_web_is_trained_on_from_the_command_line(files, capsys):
    command = ["train", "--preset", "webnav", "--policy.vectors", "none", "--data", str(files / "pages")]
    command += ["--training.validation-maps", "4", "--training.no-tensorboard", "--out", str(files / "run"), "--json"]
    assert main(command) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 <= content["validation_success_rate"] <= 1
    assert (files / "run" / "history.png").is_file()
