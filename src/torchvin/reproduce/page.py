"""The results page: every number of it comes from the score book, which is all that is needed to make it again."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from torchvin.bench.machine import peak_megabytes, processor
from torchvin.cli.output import percent
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.published import VIN_PAPER
from torchvin.io.files import replacing
from torchvin.reproduce import table as report
from torchvin.reproduce.book import Measured

_CAPTIONS = {
    "rollouts": "Greedy paths at the largest size, from the state furthest from the goal: the optimal path in grey.",
    "length": "Success from every state, against the number of moves of its shortest path.",
    "iterations": "Success against K at test. The line marks the K of the training.",
    "network": "What the paper's network learned: reward and value on a map it has not seen.",
    "learning": "Learning curves of trainings with a history at hand: validation states from which the rollout fails.",
}

_METRICS = """\
- **Success** is the paper's: the greedy rollout reaches the goal within twice the number of states of the optimal path.
- **+-** is half the 95 % Wilson interval over n maps (the rollouts of one map are not independent).
- **Optimal**: the cost of the path equals the optimum.
- **Trajectory difference**: moves beyond the optimal path, mean over the successes.
- **Prediction loss** is the 0-1 error against the one demonstrated action. Labels are one shortest path among many, so
  it has a floor that has nothing to do with planning: on the authors' labels a perfect planner that breaks ties as they
  mostly do scores 0.007, 0.046 and 0.112 at 8x8, 16x16 and 28x28. The labels of the maps here break ties by one rule
  (diagonals first), so here the floor is 0 for a network that learns the rule, and high for one that never saw it.
- **Set error** is the 0-1 error against the set of optimal actions: no floor.
- **n**: fresh maps by the authors' generator, 7 random starts each, the same maps for every row of a size. **seeds**:
  success of each training."""

_DIFFERENCES = """\
1. Maps at 28x28, and everywhere if the authors' files are not given, come from our reading of the authors' generator.
2. VIN: where the table of trainings says so, a state comes as often as demonstrations pass it, as in the authors'
   files. There the starts of the paths are recovered from how often a state comes, and batches are filled up
   differently: an epoch of gridworld_16.mat has 18,935 rows of ten states where the file has 19,411.
3. 256 of the training maps (64 for the baselines) choose the best epoch; the authors take the last.
4. Examples are shuffled in each epoch, by the authors once; RMSProp's means are kept from stage to stage, theirs begin
   anew; the last batch of an epoch may be smaller, theirs is left out.
5. The paper's two linear reward convolutions are multiplied before they are applied: same function, same parameters.
6. CNN and FCN begin with torch's initial weights; the CNN's convolutions are trained in bfloat16, scored in float32.
7. "VIN, best of 8 starts" is the authors' recipe from the best of eight initial weights: each is trained for two epochs
   (not in the seconds above), and the one whose loss fell lowest begins again. The row "VIN" takes the first.
8. "VIN, the authors' start" is their recipe from the initial weights that their code draws: numpy's numbers in their
   order. Their seed is 0, at every size.
9. "VIN, every cell" is the paper's network and optimizer under a better recipe: each step learns from all cells of 12
   maps, and 28x28 begins with the weights of 16x16.
10. Test maps are fresh ones, not the authors' three files.
11. Untied kernels: those of the value, one an iteration; the reward's share stays tied.
12. The hierarchical network's appendix was not at hand: mean of blocks, repeated values
    (`policies/hierarchical.py`)."""


def write_page(
    rows: Sequence[Measured],
    ablated: Sequence[Measured],
    iterations: Sequence[tuple[Measured, int, float]],
    figures: Sequence[Path],
    out: Path,
) -> Path:
    """Write `gridworld.md` into `out`.

    Raises: InputError if it cannot be written.
    """
    sections = [
        "# Grid world: the paper's table",
        f"Made by `torchvin reproduce table1 --budget full` on {datetime.date.today().isoformat()}: "
        f"{processor()}, torch {torch.__version__}.",
        "## Table 1",
        report.markdown(report.COLUMNS, report.table(rows)),
        f"Paper: {VIN_PAPER}.",
        "## What the columns mean",
        _METRICS,
        "## Trainings",
        report.markdown(
            ("run", "maps", "data", "learns from", "epochs", "threads", "seconds"), _trainings([*rows, *ablated])
        ),
        f"Together {_hours([*rows, *ablated]):.1f} hours. Seconds are those of the clock, on machines with other work.",
        f"Peak memory of scoring and drawing: {peak_megabytes():.0f} MB.",
        "## Ablations",
        "16x16, seed 0, K as trained, every cell teaches (60 epochs; the normalized design its own 25).",
        report.markdown(
            ("changed", "success", "+-", "optimal", "traj. diff.", "set error", "K"),
            [_ablation(row) for row in ablated],
        ),
        "K halved, kept, doubled and quadrupled at test, of the first seed whose weights are at hand:",
        report.markdown(("network", "maps", "seed", "K", "success"), [_iteration(*entry) for entry in iterations]),
        "## Figures",
        *(f"![{_CAPTIONS[path.stem]}](figures/{path.name})\n\n{_CAPTIONS[path.stem]}" for path in figures),
        "## Differences from the paper",
        _DIFFERENCES,
    ]
    page = out / "gridworld.md"
    with replacing(page) as temporary:
        temporary.write_text("\n\n".join(sections) + "\n")
    return page


def _hours(rows: Sequence[Measured]) -> float:
    return sum({row.training.name: float(row.training.record["seconds"]) for row in rows}.values()) / 3600


def _trainings(rows: Sequence[Measured]) -> list[tuple[str, ...]]:
    seen = {}
    for row in rows:
        name, record = row.training.name, row.training.record
        options = record["config"]["training"]
        seen[name] = (
            f"`{name}`",
            str(record["maps"]),
            str(record["data"]),
            _lessons(options),
            str(options["epochs"]),
            str(options["threads"]),
            f"{record['seconds']:.0f}",
        )
    return list(seen.values())


def _lessons(options: dict[str, Any]) -> str:
    if options["supervision"] != "states":
        return "all cells" if options["supervision"] == "all-cells" else "shown states"
    return "shown states, as often as passed" if options.get("repeat_states") else "shown states, once"


def _ablation(row: Measured) -> tuple[str, ...]:
    scores = row.scores
    return (
        row.network,
        percent(scores.success_rate),
        f"{100 * margin(scores.success_rate, scores.maps):.2f}",
        percent(scores.optimal_rate),
        f"{scores.trajectory_difference:.3f}",
        f"{scores.set_error:.4f}",
        str(row.iterations),
    )


def _iteration(row: Measured, iterations: int, success: float) -> tuple[str, ...]:
    return (row.network, f"{row.side}x{row.side}", str(row.training.seed), str(iterations), percent(success))
