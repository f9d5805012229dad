"""What `torchvin plan` says: text, JSON, CSV and a picture."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from torchvin.cli.output import print_json, print_table
from torchvin.evaluation.path import PlannedPath, State
from torchvin.io.files import replacing
from torchvin.io.progress import log_line
from torchvin.mdp.motion import MotionModel
from torchvin.navigation.robot_map import RobotMap


@dataclass(frozen=True)
class Report:
    """A plan and what it was made for.

    Attributes:
        robot: the map.
        planned: the path.
        start, goal: (row, col).
        weights: name.
        motion: of the weights.
        seconds: from the map as it was read to the path.
        waypoints: cells of the smoothed path, [P, 2]; None if it was not asked for or nothing was found.
    """

    robot: RobotMap
    planned: PlannedPath
    start: State
    goal: State
    weights: str
    motion: MotionModel
    seconds: float
    waypoints: Int[np.ndarray, "P 2"] | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Number of cells of each class: free, unknown, graded, occupied."""
        map_file = self.robot.map_file
        unknown = 0 if map_file.unknown is None else int(map_file.unknown.sum())
        graded = 0 if map_file.grade is None else int((map_file.grade > 0).sum())
        free = int((~map_file.blocked).sum())
        return {
            "free": free,
            "unknown": unknown,
            "graded": graded,
            "occupied": map_file.blocked.numel() - free - unknown - graded,
        }

    def length(self, states: Int[np.ndarray, "T D"]) -> float:
        """Length of a line through the centres of the cells of states, in cells."""
        return float(np.hypot(*np.diff(states[:, -2:], axis=0).T).sum())

    def world(self, states: Int[np.ndarray, "T D"]) -> list[list[float]] | None:
        """Centres of the cells of states in metres; None if the map has no metres."""
        if self.robot.frame is None:
            return None
        points: list[list[float]] = self.robot.frame.to_world(states[:, -2:]).round(6).tolist()
        return points


def note(sentence: str) -> None:
    """Tell the user, on standard error."""
    log_line(f"note: {sentence}")


def to_json(report: Report) -> dict[str, Any]:
    """The JSON object of the command."""
    planned, frame = report.planned, report.robot.frame
    content = {
        "found": planned.found,
        "cost": planned.cost,
        "optimal_cost": planned.optimal_cost,
        "path": planned.path,
        "path_world": report.world(planned.states),
        "length": report.length(planned.states),
        "length_metres": report.length(planned.states) * frame.resolution if frame else None,
        "seconds": report.seconds,
        "iterations": planned.iterations,
        "start": report.start,
        "goal": report.goal,
        "weights": report.weights,
        "motion": report.motion.to_json(),
        "cells": report.counts,
        "radius_cells": report.robot.radius,
    }
    if report.waypoints is not None:
        content |= {"waypoints": report.waypoints.tolist(), "waypoints_world": report.world(report.waypoints)}
        content["waypoints_length"] = report.length(report.waypoints)
    return content


def print_report(report: Report, *, as_json: bool, profile: Mapping[str, float] | None) -> None:
    """Print the plan for people or for programs."""
    if as_json:
        print_json({**to_json(report), **({} if profile is None else {"profile": dict(profile)})})
        return
    print(_text(report))
    if profile is not None:
        print_table(("stage", "ms"), [(stage, f"{1e3 * seconds:.2f}") for stage, seconds in profile.items()])


def _text(report: Report) -> str:
    planned, robot, motion = report.planned, report.robot, report.motion
    height, width = robot.blocked.shape
    classes = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number or name == "free")
    lines = [f"{Path(robot.map_file.source).name}: {height}x{width} cells, {classes}"]
    if robot.radius:
        lines.append(f"{int((~robot.blocked).sum())} cells are at least the radius of {robot.radius:.3g} cells away")
    corners = "may" if motion.corner_cutting else "may not"
    has_diagonals = any(row and col for actions in motion.effects for _, row, col in actions)
    rule = f"; diagonal moves {corners} pass the corner of an obstacle" if has_diagonals else ""
    lines.append(f"{motion.num_actions} moves{rule} ({report.weights})")
    how = f"{planned.iterations} value updates" if planned.iterations else "solved exactly"
    if not planned.found:
        lines.append(
            f"the policy did not arrive ({how}, {report.seconds:.3f} s); a path of cost "
            f"{planned.optimal_cost:.3f} exists: these weights do not reach that far"
        )
        return "\n".join(lines)
    excess = max(0.0, planned.cost / planned.optimal_cost - 1) if planned.optimal_cost else 0.0  # no -0.00 %
    lines.append(
        f"path of {len(planned.states)} states, cost {planned.cost:.3f} cells; optimal {planned.optimal_cost:.3f} "
        f"({100 * excess:.2f} % above); {how}, {report.seconds:.3f} s"
    )
    if robot.frame is not None:
        metres = report.length(planned.states) * robot.frame.resolution
        lines.append(f"length {metres:.2f} m at {robot.frame.resolution:g} m per cell")
    if report.waypoints is not None:
        lines.append(f"smoothed: {len(report.waypoints)} waypoints, length {report.length(report.waypoints):.3f} cells")
    return "\n".join(lines)


def write_csv(path: Path, report: Report) -> None:
    """Write the path as a table: row, col, x, y (metres, empty if the map has none), waypoint (1 or 0).

    Raises: InputError if it cannot be written.
    """
    waypoints = set() if report.waypoints is None else {tuple(cell) for cell in report.waypoints.tolist()}
    world = report.world(report.planned.states)
    with replacing(path) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("row", "col", "x", "y", "waypoint"))
        for index, (row, col) in enumerate(report.planned.states[:, -2:].tolist()):
            x, y = ("", "") if world is None else world[index]
            writer.writerow((row, col, x, y, int((row, col) in waypoints)))


def write_picture(path: Path, report: Report) -> None:
    """Draw map, value function, path and optimal path.

    Raises: InputError if it cannot be written.
    """
    from torchvin.plotting.maps import plot_plan

    robot = report.robot
    plot_plan(
        torch.from_numpy(robot.blocked),
        report.planned,
        path,
        title=f"{Path(robot.map_file.source).name}: {report.start} to {report.goal}",
        motion=report.motion,
        obstacles=torch.from_numpy(robot.obstacles),
        unknown=robot.map_file.unknown,
        waypoints=None if report.waypoints is None else [(row, col) for row, col in report.waypoints.tolist()],
    )
