"""Pushing a body through arenas: imitation of optimized trajectories, corrected where the policy goes.

The paper's section 5.3 trained with guided policy search. Here the expert knows the dynamics, and solves anew from the
states that the policy visits (dataset aggregation, Ross, Gordon and Bagnell 2011).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from torchvin.data.control import Lessons, correct, demonstrate
from torchvin.errors import InputError
from torchvin.evaluation.control import GOAL_RADIUS, TIME_LIMIT, evaluate_policy, free_places, policy_forces, roll_out
from torchvin.experts.trajectory import TrajectoryConfig, TrajectoryOptimizer, at_rest
from torchvin.io.tables import percent
from torchvin.maps.arenas import Arenas, encode_arenas
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.mdp.point_mass import PointMass
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.force import ForcePolicy
from torchvin.policies.policy import Policy
from torchvin.tasks.registry import register_task
from torchvin.tasks.task import Task, Validation, epoch_order
from torchvin.training.config import RunConfig

#: Streams of random numbers beside those of the trainer, which the seed of the run decides.
TRAINING_STREAM, _DEMONSTRATIONS, _ROLLOUTS = 5_000, 5_001, 5_002
_CORRECTION_HORIZON = 60  # steps: the first ones are learned from


class ControlTask(Task):
    """Imitation of the trajectory optimizer on a set of arenas.

    An example is an arena, of which each step takes other states. The best epoch is that with the most successes from
    the starts of the training arenas; no other arena takes part in the choice.

    Args:
        arenas: to learn on.
        config: of the run.
        body: that is pushed.
    """

    def __init__(self, arenas: Arenas, config: RunConfig, body: PointMass | None = None) -> None:
        self.arenas, self.config, self.options = arenas, config, config.control
        self.body, self.side = body or PointMass(), config.data.height
        self.expert = TrajectoryOptimizer(arenas, self.body)
        self.planes = encode_arenas(arenas.obstacles, arenas.goal, self.side, radius=self.body.radius)
        random = torch.Generator().manual_seed(config.seed * 100_003 + _DEMONSTRATIONS)
        self.lessons, found = demonstrate(self.expert, self.options.starts, random)
        goal = arenas.goal.repeat_interleave(self.options.starts, dim=0)
        self.expert_success = found.successful(goal, GOAL_RADIUS).double().mean().item()
        self.rounds, self.due = 0, 0

    def __len__(self) -> int:
        return len(self.arenas) * self.options.passes

    def order(self, seed: int, epoch: int) -> Int[Tensor, "N"]:
        """Every arena `passes` times; also says how many corrections are due by now."""
        stages = self.options.aggregations + 1
        self.due = min(self.options.aggregations, (epoch * stages * 4) // (self.config.training.epochs * 3))
        orders = [
            epoch_order(len(self.arenas), seed, epoch * self.options.passes + turn)
            for turn in range(self.options.passes)
        ]
        return torch.cat(orders)

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int]:
        """Squared error of the mean force."""
        while self.rounds < self.due:
            policy = getattr(model, "module", model)  # the wrapper of a distributed training
            assert isinstance(policy, ForcePolicy)
            self._aggregate(policy)
        number = self.options.states_per_step
        each = torch.randint(self.lessons.states.shape[1], (len(chosen), number))
        states = self.lessons.states[chosen[:, None], each].to(device)
        wanted = self.lessons.force[chosen[:, None], each].to(device)
        force = model(self.planes[chosen].to(device), states).logits
        return (force.float() - wanted).square().sum(), wanted.numel()

    @torch.no_grad()
    def _aggregate(self, policy: ForcePolicy) -> None:
        """Let the policy act, and add what the expert would have done where it came."""
        options = self.options
        self.rounds += 1
        random = torch.Generator().manual_seed(self.config.seed * 100_003 + _ROLLOUTS * 31 + self.rounds)
        which = torch.arange(len(self.arenas)).repeat_interleave(options.rollouts)
        arenas = self.arenas[which]
        place = free_places(self.arenas, which, random, room=self.body.radius + self.expert.config.least)
        place[:: options.rollouts] = self.arenas.start
        training = policy.training
        policy.eval()
        forces = policy_forces(policy, arenas, side=self.side, radius=self.body.radius)
        found = roll_out(forces, arenas, at_rest(place), body=self.body)
        policy.train(training)
        steps = torch.randint(TIME_LIMIT, (len(which), options.corrections), generator=random)
        visited = found.state.take_along_dim(steps[..., None], dim=1)
        visited = visited.view(len(self.arenas), -1, 4)
        solver = self.expert.with_horizon(_CORRECTION_HORIZON)
        self.lessons = self.lessons + correct(solver, visited, steps=options.correction_steps)

    @torch.no_grad()
    def validate(self, policy: Policy) -> Validation:
        assert isinstance(policy, ForcePolicy)
        scores, _ = evaluate_policy(policy, self.arenas, side=self.side, body=self.body)
        metrics = {
            "success_rate": scores.success_rate,
            "final_distance": scores.final_distance,
            "collision_rate": scores.collision_rate,
        }
        summary = {**asdict(scores), "expert_success_rate": self.expert_success}
        summary["mean_steps"] = None if scores.mean_steps != scores.mean_steps else scores.mean_steps
        key = (scores.success_rate, -scores.final_distance)
        return Validation(
            metrics=metrics,
            key=key,
            summary=summary,
            report=scores,
            sentence=f"in {scores.maps} training arenas {percent(scores.success_rate)} of the bodies arrive without "
            f"touching, at {scores.final_distance:.3f} from the goal on average; `torchvin reproduce control` scores "
            "other arenas",
            outcome={
                "training_success_rate": scores.success_rate,
                "training_final_distance": scores.final_distance,
            },
        )

    def identity(self) -> Mapping[str, Any]:
        parts = (self.arenas.obstacles, self.arenas.start, self.arenas.goal)
        content = b"".join(part.numpy().tobytes() for part in parts)
        return {"arenas_sha256": hashlib.sha256(content).hexdigest()}

    def description(self) -> Mapping[str, Any]:
        data = {"maps": len(self.arenas), "height": self.side, "width": self.side, **asdict(self.options.arena)}
        return {
            "name": "control",
            "body": asdict(self.body),
            "goal_radius": GOAL_RADIUS,
            "time_limit": TIME_LIMIT,
            "observation": {"planes": ["covered", "goal"], "state": ["x", "y", "vx", "vy", "goal x", "goal y"]},
            "expert": asdict(TrajectoryConfig()),
            "data": data,
        }

    def check(self, config: ArchitectureConfig) -> None:
        if config.num_actions != 2 or not hasattr(config, "hidden_units"):
            raise InputError(
                f"a {type(config).__name__} chooses among moves, and a body in an arena is pushed by a force; give "
                "--architecture control, control_cnn or control_mlp."
            )

    def state(self) -> Mapping[str, Tensor]:
        """The lessons of the corrections so far."""
        number = torch.tensor(self.rounds)
        return {"states": self.lessons.states, "force": self.lessons.force, "rounds": number}

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        self.lessons = Lessons(state["states"], state["force"])
        self.rounds = int(state["rounds"])


def training_arenas(config: RunConfig) -> Arenas:
    """The arenas that a configuration describes."""
    seed = (TRAINING_STREAM, config.seed)
    return generate_arenas(config.data.maps, config.control.arena, seed=seed)


register_task(Arenas, ControlTask)
