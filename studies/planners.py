"""What each planner costs: weights, time a map forward and in training, at its own K. `python studies/planners.py`.

One thread, mazes with 4 moves, fresh weights (the time of a fixed point depends on them). Processor time, the least of
some calls, so that other work on the machine counts little.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable

import torch

from torchvin import (
    ArchitectureConfig,
    DynamicConfig,
    GPPNConfig,
    HierarchicalConfig,
    MapDataset,
    NormalizedConfig,
    PaperConfig,
    ShortestPathConfig,
    build_policy,
    solve_maps,
)
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.mdp.motion import Moves
from torchvin.training.imitation.losses import optimal_set_loss

NORMALIZED = NormalizedConfig(num_actions=4)
CONFIGS: dict[str, ArchitectureConfig] = {
    "normalized": NORMALIZED,
    "normalized, implicit": dataclasses.replace(NORMALIZED, gradient="implicit"),
    "normalized, soft": dataclasses.replace(NORMALIZED, temperature=0.1),
    "paper (num_q 10, F 3)": PaperConfig(num_actions=4, iterations_per_side=2.0),
    "paper (num_q 600, F 5)": PaperConfig(num_actions=4, num_q=600, kernel_size=5, iterations_per_side=2.0),
    "hierarchical": HierarchicalConfig(num_actions=4, hidden_channels=32),
    "gppn (F 9)": GPPNConfig(),
    "gppn (F 9), bfloat16": GPPNConfig(),
    "dynamic": DynamicConfig(),
    "shortest_path": ShortestPathConfig(num_actions=4),
}


def least_seconds(run: Callable[[], object], calls: int = 4) -> float:
    """Processor time of the fastest call, after one to warm up."""
    run()
    times = []
    for _ in range(calls):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def measure(name: str, config: ArchitectureConfig, dataset: MapDataset) -> dict[str, object]:
    """One row of the table."""
    torch.manual_seed(0)
    policy, planes, cells = build_policy(config), dataset.planes(), dataset.optimal_actions != 0

    def plan():
        with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in name):
            return policy(planes)

    def step():
        policy.zero_grad()
        loss = optimal_set_loss(plan().logits.float(), dataset.optimal_actions, cells)
        (loss / cells.sum()).backward()

    policy.eval()
    with torch.no_grad():
        forward, made = least_seconds(plan), plan().plan.num_iterations
    policy.train()
    return {
        "planner": name,
        "weights": sum(parameter.numel() for parameter in policy.parameters()),
        "updates": made,
        "forward_ms_a_map": round(1e3 * forward / len(dataset), 3),
        "training_ms_a_map": round(1e3 * least_seconds(step) / len(dataset), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=15)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = solve_maps(*generate_mazes(arguments.batch, arguments.side, seed=0), moves=Moves(4))
    for name, config in CONFIGS.items():
        print(json.dumps(measure(name, config, dataset)), flush=True)


if __name__ == "__main__":
    main()
