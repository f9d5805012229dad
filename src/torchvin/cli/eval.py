"""`torchvin eval`: score weights on a data set, the paper's row beside ours where it has one."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin eval`."""

    weights: str
    """Name of shipped weights, or the folder of a run."""
    data: Path
    """Maps: our .npz, or the authors' .mat."""
    iterations: int | None = None
    """K, the number of value updates; by the size of the maps if not given."""
    solve: Literal["exact", "iterate"] | None = None
    """Design shortest_path: exact (a graph search, what its weights do if not said) or iterate (K value updates)."""
    split: str = "auto"
    """Of the authors' training files: heldout (their last seventh, the default for these), train or all."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Load, score, print."""
    from torchvin.cli.output import percent, print_json, print_table
    from torchvin.cli.solver import choose_solver
    from torchvin.data.authors import is_training_file
    from torchvin.data.read import read_dataset
    from torchvin.evaluation.fit import check_fit
    from torchvin.evaluation.metrics import margin
    from torchvin.evaluation.published import VIN_PAPER, VIN_TABLE_1
    from torchvin.evaluation.scorer import evaluate
    from torchvin.io.progress import progress_bar
    from torchvin.pretrained.store import load_policy

    policy = load_policy(arguments.weights)
    choose_solver(policy, arguments.solve, arguments.iterations)
    split = arguments.split
    if split == "auto":
        split = "heldout" if arguments.data.suffix == ".mat" and is_training_file(arguments.data) else "all"
    dataset = read_dataset(arguments.data, split)
    check_fit(policy, dataset)
    with progress_bar("evaluating", len(dataset)) as advance:
        result = evaluate(policy, dataset, num_iterations=arguments.iterations, on_progress=advance)
    scores = result.scores
    if arguments.json:
        print_json({**asdict(scores), "iterations": result.iterations, "seconds": result.seconds, "split": split})
        return
    height, width = dataset.size
    paper = VIN_TABLE_1["VIN"].get(height) if height == width else None
    rows = [
        ("success rate", percent(scores.success_rate), percent(paper.success_rate) if paper else "-"),
        ("  95 % interval", f"+- {percent(margin(scores.success_rate, scores.rollouts))}", "-"),
        ("optimal rate", percent(scores.optimal_rate), "-"),
        (
            "trajectory difference",
            f"{scores.trajectory_difference:.4f}",
            f"{paper.trajectory_difference:.3f}" if paper else "-",
        ),
        ("prediction loss", f"{scores.prediction_loss:.4f}", f"{paper.prediction_loss:.3f}" if paper else "-"),
        ("set error", f"{scores.set_error:.4f}", "-"),
        ("success rate, all states (%Suc of the GPPN paper)", percent(scores.all_states_success_rate, 3), "-"),
        ("optimal rate, all states (%Opt)", percent(scores.all_states_optimal_rate, 3), "-"),
    ]
    print_table(
        ("", arguments.weights, "VIN in the paper"),
        rows,
        title=f"{scores.maps} maps of {height}x{width} ({arguments.data.name}, {split}), {scores.rollouts} rollouts, "
        f"K = {result.iterations}, {result.seconds:.1f} s",
    )
    if paper:
        print(VIN_PAPER)
