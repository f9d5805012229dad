"""Peak memory of training steps on large maps, by gradient mode: `python benchmarks/fixed_point_memory.py --help`.

Each mode runs in a process of its own and trains the normalized design on mazes; the peak is the resident set of the
process, PyTorch included. "implicit" plans to the fixed point; the others make as many value updates as it needed.
"""

import argparse
import json
import resource
import subprocess
import sys
import time


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Train some steps in this process."""
    import torch

    from torchvin import NormalizedConfig, build_policy, solve_maps
    from torchvin.maps.generators.mazes import generate_mazes
    from torchvin.mdp.motion import Moves
    from torchvin.training.imitation.losses import optimal_set_loss

    torch.set_num_threads(1)
    torch.manual_seed(0)
    moves = Moves(4)
    dataset = solve_maps(*generate_mazes(arguments.batch, arguments.side, seed=0), moves=moves)
    config = NormalizedConfig(num_actions=4, gradient=arguments.mode, discount=arguments.discount)
    policy = build_policy(config)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    cells = dataset.optimal_actions != 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    for _ in range(arguments.steps):
        limit = None if arguments.mode == "implicit" else arguments.iterations
        output = policy(dataset.planes(), num_iterations=limit)
        loss = optimal_set_loss(output.logits, dataset.optimal_actions, cells) / cells.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        "updates": output.plan.num_iterations,
        "residual": output.plan.residual.max().item(),
        "largest_value": output.plan.value.max().item(),
        "loss": loss.item(),
        "cpu_seconds_a_step": (time.process_time() - began) / arguments.steps,
        "mb_before": before / 1e3,
        "mb_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=101)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--discount", type=float, default=0.99)
    parser.add_argument("--modes", nargs="+", default=["implicit", "checkpoint", "unroll"])
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    parser.add_argument("--iterations", type=int, default=2000, help="of the modes that do not stop by themselves")
    arguments = parser.parse_args()
    if arguments.mode:
        print(json.dumps(measure(arguments)))
        return
    print(f"{arguments.batch} mazes of {arguments.side}x{arguments.side}, {arguments.steps} training steps, one thread")
    for mode in arguments.modes:
        command = [sys.executable, __file__, *sys.argv[1:], "--mode", mode, "--iterations", str(arguments.iterations)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        if mode == "implicit":
            arguments.iterations = row["updates"]
        print(mode, {name: float(f"{value:.4g}") for name, value in row.items()}, flush=True)


if __name__ == "__main__":
    main()
