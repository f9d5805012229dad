"""Learn to plan on 16x16 maps, then plan on maps of sizes never seen: the main job of `make run`.

Trains the normalized design on maps of the authors' generator, scores it on fresh 8x8, 16x16 and 28x28 maps with the
paper's row beside it, and draws what the network computes.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from torchvin import PRESETS, MapDataset, evaluate, generate_gridworld, solve_maps, train
from torchvin.cli.output import print_table
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.path import follow_policy
from torchvin.evaluation.published import VIN_PAPER, VIN_TABLE_1
from torchvin.io.progress import progress_bar
from torchvin.io.tables import percent
from torchvin.plotting.curves import plot_history
from torchvin.plotting.iterations import animate_values
from torchvin.plotting.maps import plot_network
from torchvin.plotting.tasks import furthest_start
from torchvin.policies.policy import Policy
from torchvin.tasks.gridworld import training_maps


@dataclass(frozen=True)
class Arguments:
    """Options of the example."""

    out: Path = Path("runs/gridworld")
    """Folder for weights, table and figures; a killed run continues where it stopped."""
    seed: int = 0
    """Seed of the training; the maps of the evaluation have seeds of their own."""
    maps: int = 5000
    """Fresh maps of each size to evaluate on."""
    sides: tuple[int, ...] = (8, 16, 28)
    """Sizes of the maps to evaluate on; the figures show a map of the largest."""
    training_maps: int = 5000
    """Maps to learn from."""
    epochs: int = 25
    """Passes over the training maps."""


def main(arguments: Arguments) -> None:
    preset = PRESETS["gridworld-16"]
    config = replace(
        preset,
        seed=arguments.seed,
        data=replace(preset.data, maps=arguments.training_maps),
        training=replace(preset.training, epochs=arguments.epochs),
    )
    dataset = training_maps(config, None)
    trained = train(config, dataset, arguments.out / "weights", resume=True)
    plot_history(trained.history, arguments.out / "history.png")
    rows = [score(trained.policy, side, arguments.maps) for side in arguments.sides]
    print_table(
        ("maps", "n", "success", "+-", "in the paper", "optimal", "traj. diff.", "all states", "K", "s"),
        rows,
        title=f"Trained on {len(dataset)} 16x16 maps in {trained.seconds:.0f} s; scored on fresh maps",
    )
    print(f"In the paper: one VIN trained at each size. {VIN_PAPER}")
    draw(trained.policy, max(arguments.sides), arguments.out)
    print(f"figures: {arguments.out}/network.png, values.gif, history.png")


def score(policy: Policy, side: int, maps: int) -> list[str]:
    """One row of the table."""
    fresh: MapDataset = solve_maps(*generate_gridworld(maps, side, seed=1_000 + side), seed=side)
    with progress_bar(f"evaluating {side}x{side}", maps) as advance:
        result = evaluate(policy, fresh, on_progress=advance)
    scores = result.scores
    return [
        f"{side}x{side}",
        str(scores.maps),
        percent(scores.success_rate),
        percent(margin(scores.success_rate, scores.maps)),
        percent(VIN_TABLE_1["VIN"][side].success_rate, 1) if side in VIN_TABLE_1["VIN"] else "-",
        percent(scores.optimal_rate),
        f"{scores.trajectory_difference:.4f}",
        percent(scores.all_states_success_rate, 3),
        str(result.iterations),
        f"{result.seconds:.0f}",
    ]


def draw(policy: Policy, side: int, out: Path) -> None:
    """Draw the network on an unseen map, from the cell furthest from the goal."""
    blocked, goal = generate_gridworld(1, side, seed=77)
    target = (int(goal[0, 0]), int(goal[0, 1]))
    start = furthest_start(blocked[0], target)
    planned = follow_policy(policy, blocked[0], start, target)
    plot_network(policy, blocked[0], planned, out / "network.png")
    animate_values(policy, blocked[0], start, target, out / "values.gif", num_iterations=planned.iterations)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
