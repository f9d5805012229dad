"""`torchvin eval`: score weights on a data set, several side by side, beside the paper's row where it has one.

Weights that walk on webs are scored by `eval_web`.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torchvin.errors import InputError, errors_about

if TYPE_CHECKING:
    from torchvin.evaluation.published import PublishedScore
    from torchvin.evaluation.scorer import Evaluation
    from torchvin.mdp.motion import MotionModel
    from torchvin.policies.policy import Policy


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin eval`."""

    weights: tuple[str, ...]
    """Names of shipped weights, or folders of runs. Several are scored on the same maps and printed side by side."""
    data: Path
    """Maps: our .npz, that of another project (GPPN, Neural A*, kentsommer), the authors' .mat, or a folder of map
    files. Paths are measured by the moves of the data; where a folder does not say them, by those of the weights. For
    weights of webs: a web, as `torchvin browse --corpus` takes it."""
    iterations: int | Literal["auto"] | None = None
    """K, the number of value updates; by the size of the maps if not given. auto: doubled until the policy no longer
    changes."""
    solve: Literal["exact", "iterate"] | None = None
    """Architecture shortest_path: exact (a graph search, the default of its weights) or iterate (K value updates)."""
    caution: float | None = None
    """Architecture terrain: factor on the learned costs; that of the weights if not given."""
    split: str = "auto"
    """Of the authors' training files: heldout (their last seventh, the default for these), train or all; of other
    projects' files: test (the default for these), train, validation or all; of webs: test (the default), train or
    validation."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs: cpu, cuda, or auto (the GPU if there is one)."""
    json: bool = False
    """Print one JSON object on the last line; with several weights it holds `rows`, one per weights."""


def run(arguments: Arguments) -> None:
    """Load, score, print."""
    from torchvin.cli import eval_web
    from torchvin.cli.output import print_json
    from torchvin.cli.solver import choose_caution, choose_solver
    from torchvin.data.read import default_split, read_dataset
    from torchvin.devices import choose_device
    from torchvin.evaluation.fit import check_fit
    from torchvin.evaluation.published import VIN_PAPER, vin_in_the_paper
    from torchvin.evaluation.scorer import evaluate
    from torchvin.io.progress import progress_bar
    from torchvin.policies.force import ForcePolicy
    from torchvin.policies.web.policy import WebPolicy
    from torchvin.pretrained.store import load_policy

    if not arguments.weights:
        raise InputError("--weights needs at least one name or folder; `torchvin list` prints the names.")
    device = choose_device(arguments.device)
    policies = {name: load_policy(name) for name in arguments.weights}
    walkers = {name: policy for name, policy in policies.items() if isinstance(policy, WebPolicy)}
    if walkers:
        if len(walkers) < len(policies):
            raise InputError("weights of webs and of maps cannot be scored side by side: they need other data.")
        eval_web.run(walkers, arguments)
        return
    for name, policy in policies.items():
        if isinstance(policy, ForcePolicy):
            raise InputError(f"{name}: these weights push a body; `torchvin reproduce control` scores such weights.")
        policy.to(device)
        with errors_about(name):
            choose_solver(policy, arguments.solve, None if arguments.iterations == "auto" else arguments.iterations)
            choose_caution(policy, arguments.caution)
    split = arguments.split
    if split == "auto":
        split = default_split(arguments.data, training=False)
    dataset = read_dataset(arguments.data, split, default_moves=_common_motion(list(policies.values())))
    for name, policy in policies.items():
        with errors_about(name):
            check_fit(policy, dataset)
            if policy.motion not in (None, dataset.moves):
                print(f"torchvin: {other_motion(name, policy.motion, dataset.moves)}", file=sys.stderr)
    results = {}
    with progress_bar("evaluating", len(dataset) * len(policies)) as advance:
        for name, policy in policies.items():
            with errors_about(name):
                results[name] = evaluate(policy, dataset, num_iterations=arguments.iterations, on_progress=advance)
    if arguments.json:
        rows = []
        for name, result in results.items():
            rules = {"motion": dataset.moves.to_json(), "learned_motion": _learned(policies[name])}
            rows.append({"weights": name, **_row(result), "split": split, **rules})
        print_json(rows[0] if len(rows) == 1 else {"rows": rows})
        return
    paper = vin_in_the_paper(dataset)
    height, width = dataset.size
    title = f"{len(dataset)} maps of {height}x{width} ({arguments.data.name}, {split})"
    _print(results, paper, title)
    print(f"Measured by the moves of the data: {dataset.moves.summary}.")
    if paper:
        print(VIN_PAPER)


def _common_motion(policies: "Sequence[Policy]") -> "MotionModel | None":
    """What all the weights learned; None if they differ."""
    learned = [policy.motion for policy in policies]
    return learned[0] if all(motion == learned[0] for motion in learned) else None


def _learned(policy: "Policy") -> dict[str, Any] | None:
    return None if policy.motion is None else policy.motion.to_json()


def other_motion(name: str, learned: "MotionModel", measured: "MotionModel") -> str:
    """The notice that weights are measured by another rule than they learned."""
    return (
        f"{name} learned {learned.summary}; the data have {measured.summary}, and by these its paths are followed, "
        "their costs counted and the optimum found."
    )


def _row(result: "Evaluation") -> dict[str, Any]:
    scores = result.scores
    return {
        **asdict(scores),
        "interval": scores.interval(),
        "iterations": result.iterations,
        "seconds": result.seconds,
    }


def _print(results: "Mapping[str, Evaluation]", paper: "PublishedScore | None", title: str) -> None:
    """One column per weights, and the paper's if there is one."""
    from torchvin.cli.output import percent, print_table

    scores = [result.scores for result in results.values()]
    published = {}
    if paper:
        published = {
            "success rate": percent(paper.success_rate),
            "trajectory difference": f"{paper.trajectory_difference:.3f}",
            "prediction loss": f"{paper.prediction_loss:.3f}",
        }
    ours: dict[str, list[str]] = {
        "success rate": [percent(score.success_rate) for score in scores],
        "  95 % interval, over maps": [f"+- {percent(score.interval())}" for score in scores],
        "optimal rate": [percent(score.optimal_rate) for score in scores],
        "trajectory difference": [f"{score.trajectory_difference:.4f}" for score in scores],
        "prediction loss": [f"{score.prediction_loss:.4f}" for score in scores],
        "set error": [f"{score.set_error:.4f}" for score in scores],
        "success rate, all states": [percent(score.all_states_success_rate, 3) for score in scores],
        "optimal rate, all states": [percent(score.all_states_optimal_rate, 3) for score in scores],
        "%Suc as the GPPN paper counts": [percent(score.open_states_success_rate, 3) for score in scores],
        "%Opt as the GPPN paper counts": [percent(score.open_states_optimal_rate, 3) for score in scores],
        "rollouts": [str(score.rollouts) for score in scores],
        "K": [str(result.iterations) for result in results.values()],
        "seconds": [f"{result.seconds:.1f}" for result in results.values()],
    }
    columns = ("", *results, *(("VIN in the paper",) if paper else ()))
    rows = [(name, *cells, *((published.get(name, "-"),) if paper else ())) for name, cells in ours.items()]
    print_table(columns, rows, title=title)
