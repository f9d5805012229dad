"""What the shortest-path design does: transfer, many seeds, other supervision, the grid world, memory, speed.

    python -m studies.shortest_path transfer --seed 0 --out runs/shortest-path

Each experiment trains from nothing, scores on fresh maps and appends one JSON line per row to OUT/results.jsonl.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from studies.study import Experiment, Row, main
from torchvin.architectures.registry import build_policy
from torchvin.architectures.shortest_path import ShortestPathConfig
from torchvin.bench.machine import peak_megabytes
from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.evaluation.path import follow_policy
from torchvin.evaluation.scorer import evaluate
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.mdp.motion import GridMotion, motion_model
from torchvin.mdp.rollout import rollout
from torchvin.planning.planners.latent_graph import LatentGraphPlanner
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import load_policy
from torchvin.tasks.gridworld import training_maps
from torchvin.training.config import DataConfig, RunConfig
from torchvin.training.imitation.examples import MapExamples
from torchvin.training.presets import preset
from torchvin.training.trainer import Trained, train

FRESH = 20_261  # seed of every fresh map; trainings draw from (seed, stream)
#: kind, side, number of fresh maps
SIZES = ((15, 200), (35, 100), (101, 30), (501, 5))
MAZES = tuple((kind, side, number) for side, number in SIZES for kind in ("maze", "perfect-maze"))
PAPER_SIZES = (("gridworld", 8, 5_000), ("gridworld", 16, 5_000), ("gridworld", 28, 5_000))
LARGER_TERRAINS = ((35, 100), (101, 10))
LARGE_GRIDWORLDS = (("gridworld", 100, 1_000),)
GRIDWORLDS = (("gridworld", 16, 500), ("gridworld", 28, 200))
#: weights, kind, side, number of moves
LARGE = (("gridworld-16-shortest-path", "gridworld", 1_000, 8), ("maze-15", "perfect-maze", 1_001, 4))
MEMORY_SIDE = 101
SMALL_MAZES = (("maze", 15, 200), ("perfect-maze", 15, 200), ("perfect-maze", 35, 50))


def fit(config: RunConfig, dataset: MapDataset | None = None, build: Callable[..., Policy] = build_policy) -> Trained:
    """Train in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        options = replace(config.training, tensorboard=False)
        maps = training_maps(config, None) if dataset is None else dataset
        return train(replace(config, training=options), maps, Path(folder) / "run", build=build)


def scored(policy: Policy, kind: str, side: int, number: int, config: RunConfig, seed: int = FRESH) -> Row:
    """All-states rates on fresh maps."""
    moves, costs = motion_model(config.data.motion), config.data.terrain_costs
    maps = draw_maps(kind, number, side, side, seed=seed, moves=moves, terrain_costs=costs)
    began = time.perf_counter()
    scores = evaluate(policy, maps).scores
    return {
        "maps": f"{kind} {side}x{side}",
        "number": number,
        "success": scores.all_states_success_rate,
        "optimal": scores.all_states_optimal_rate,
        "rollouts_success": scores.success_rate,
        "rollouts_optimal": scores.optimal_rate,
        "states": int((maps.optimal_actions != 0).sum()),
        "evaluation_seconds": round(time.perf_counter() - began, 2),
    }


def transfer(seed: int) -> Iterator[Row]:
    """Trained on 15x15 mazes, on mazes up to 501x501."""
    began = time.perf_counter()
    config = replace(preset("maze-15"), seed=seed)
    trained = fit(config)
    seconds = round(time.perf_counter() - began, 1)
    for kind, side, number in MAZES:
        yield {"train_seconds": seconds, **scored(trained.policy, kind, side, number, config)}


def seeds(seed: int) -> Iterator[Row]:
    """A short training, for a histogram over many seeds."""
    config = replace(preset("maze-15"), seed=seed)
    config = replace(
        config, data=replace(config.data, maps=1_500), training=replace(config.training, epochs=6, validation_maps=32)
    )
    trained = fit(config)
    for kind, side, number in SMALL_MAZES:
        yield {"train_seconds": round(trained.seconds, 1), **scored(trained.policy, kind, side, number, config)}


def gridworld(seed: int) -> Iterator[Row]:
    """The authors' grid world: trained at 16x16, 5,000 fresh maps of each size."""
    config = replace(preset("gridworld-16-shortest-path"), seed=seed)
    trained = fit(config)
    for kind, side, number in PAPER_SIZES:
        yield {"train_seconds": round(trained.seconds, 1), **scored(trained.policy, kind, side, number, config)}


def gridworld_100(seed: int) -> Iterator[Row]:
    """The shipped grid-world weights on 1,000 fresh maps of 100x100, another thousand for each seed."""
    config = preset("gridworld-16-shortest-path")
    policy = load_policy("gridworld-16-shortest-path")
    for kind, side, number in LARGE_GRIDWORLDS:
        yield scored(policy, kind, side, number, config, seed=FRESH + 1 + seed)


def with_wrong_actions(maps: MapDataset, share: float, seed: int) -> MapDataset:
    """The demonstrations with a share of their actions replaced by another one, drawn evenly."""
    random = torch.Generator().manual_seed(seed)
    shown, number = maps.demonstrated, maps.moves.num_actions
    other = (shown + torch.randint(1, number, shown.shape, generator=random)) % number
    wrong = (torch.rand(shown.shape, generator=random) < share) & (shown != NOT_SHOWN)
    return replace(maps, demonstrated=torch.where(wrong, other.to(shown.dtype), shown))


def demonstrations(seed: int) -> Iterator[Row]:
    """Single labels of demonstrated trajectories only (the paper's data), all right or 5 % of them wrong."""
    for name, fresh in (("maze-15", SMALL_MAZES), ("gridworld-16-shortest-path", GRIDWORLDS)):
        config = replace(preset(name), seed=seed)
        options = replace(config.training, supervision="demonstrations", loss="tied-label", label_noise=0.05, epochs=6)
        config = replace(config, training=options, data=replace(config.data, maps=3_000))
        maps = training_maps(config, None)
        for share in (0.0, 0.05):
            trained = fit(config, with_wrong_actions(maps, share, seed))
            for kind, side, number in fresh:
                row = scored(trained.policy, kind, side, number, config)
                yield {"preset": name, "wrong": share, "train_seconds": round(trained.seconds, 1), **row}


def terrain(seed: int) -> Iterator[Row]:
    """Maps whose cells have one of three classes of terrain that cost 1, 2 and 5 to enter."""
    for name, kind in (("maze-15", "maze"), ("gridworld-16-shortest-path", "gridworld")):
        config = replace(preset(name), seed=seed)
        data = replace(config.data, terrain_costs=(1.0, 2.0, 5.0))
        config = replace(config, data=data, policy=replace(config.policy, num_terrains=3))
        trained = fit(config)
        for side, number in ((config.data.height, 200), *LARGER_TERRAINS):
            yield {"train_seconds": round(trained.seconds, 1), **scored(trained.policy, kind, side, number, config)}


def memory(seed: int) -> Iterator[Row]:
    """Peak memory of this process after training steps on perfect 101x101 mazes, batch 8, to the fixed point."""
    torch.manual_seed(seed)
    before = peak_megabytes()
    data = DataConfig("perfect-maze", MEMORY_SIDE, MEMORY_SIDE, 32, "news")
    config = RunConfig(ShortestPathConfig(num_actions=4), data, preset("maze-15").training, seed)
    maps = training_maps(config, None)
    policy = build_policy(config.policy)
    assert isinstance(policy.planner, LatentGraphPlanner)
    policy.planner.transition.make_deterministic()
    optimizer = torch.optim.Adam([p for p in policy.parameters() if p.requires_grad], lr=0.01)
    examples, device = MapExamples(maps, config.training), torch.device("cpu")
    policy.train()
    began = time.perf_counter()
    for step in range(20):
        loss, count = examples.loss(policy, torch.arange(8) + 8 * (step % 4), device)
        optimizer.zero_grad()
        (loss / count).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    yield {
        "seconds_per_step": round((time.perf_counter() - began) / 20, 3),
        "peak_mb_before": round(before),
        "peak_mb": round(peak_megabytes()),
        "longest_path": int(examples.lengths.max()),
    }


def large(seed: int) -> Iterator[Row]:
    """One path on a map of 1,000x1,000 cells with the shipped weights: reward network, plan and path."""
    for name, kind, side, num_actions in LARGE:
        moves = GridMotion(num_actions)
        maps = draw_maps(kind, 1, side, side, seed=FRESH + seed, moves=moves)
        policy = load_policy(name)
        steps = MapExamples(maps, preset("maze-15").training).lengths[0]
        far = int(steps.argmax())
        goal = (int(maps.goal[0, 0]), int(maps.goal[0, 1]))
        start = (far // side, far % side)
        for repeat in range(3):
            planned = follow_policy(policy, maps.blocked[0], start, goal, moves=moves)
            yield {
                "cpu_seconds": round(_cpu_seconds(policy, maps, far, moves), 3),
                "weights": name,
                "repeat": repeat,
                "seconds": round(planned.seconds, 3),
                "found": planned.found,
                "moves": len(planned.path) - 1,
                "cost": planned.cost,
                "optimal_cost": planned.optimal_cost,
            }


@torch.no_grad()
def _cpu_seconds(policy: Policy, maps: MapDataset, start: int, moves: GridMotion) -> float:
    """Processor time of what `PlannedPath.seconds` measures: network, plan and rollout."""
    began = time.process_time()
    actions = policy(maps.planes()).logits.max(dim=1).indices
    limit = torch.tensor([[maps.blocked[0].numel()]])
    rollout(actions, maps.blocked, maps.goal, torch.tensor([[start]]), limit=limit, moves=moves, record=True)
    return time.process_time() - began


EXPERIMENTS: dict[str, Experiment] = {
    "transfer": transfer,
    "seeds": seeds,
    "gridworld": gridworld,
    "gridworld-100": gridworld_100,
    "demonstrations": demonstrations,
    "terrain": terrain,
    "memory": memory,
    "large": large,
}


if __name__ == "__main__":
    main(EXPERIMENTS, __doc__)
