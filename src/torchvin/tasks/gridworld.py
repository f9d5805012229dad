"""The grid world by imitation: the policy copies the expert on all states of a map at once (section 4)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.data.read import default_split, read_dataset
from torchvin.errors import InputError
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.scorer import Evaluation, evaluate
from torchvin.io.tables import percent
from torchvin.mdp.motion import motion_model
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy
from torchvin.tasks.registry import register_task
from torchvin.tasks.task import Task, Validation
from torchvin.training.config import RunConfig, TrainingConfig
from torchvin.training.imitation.examples import build_examples
from torchvin.training.phases.calibration import Calibration
from torchvin.training.phases.curriculum import Curriculum
from torchvin.training.phases.phase import Phase

_DEFAULT_VALIDATION_MAPS = 256
TRAINING_STREAM = 1  # so that `torchvin data --seed N` never draws the maps that a training with seed N saw


class GridWorldTask(Task):
    """Imitation of the expert on maps.

    Args:
        dataset: maps with the expert's answers; some are held out to choose the best epoch by.
        options: supervision, loss and number of validation maps.
        seed: of the choice of the validation maps, and of the order of states.

    Raises: InputError if there are not enough maps.
    """

    def __init__(self, dataset: MapDataset, options: TrainingConfig, seed: int = 0) -> None:
        self.dataset = dataset
        self.options = options
        self.seed = seed
        self.training, self.validation = split_validation(dataset, options.validation_maps, seed)
        self._examples = build_examples(self.training, options, seed)
        self._copied = self.validation, self.validation  # the maps of the last evaluation, and where it was

    def __len__(self) -> int:
        return len(self._examples)

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int | Tensor]:
        return self._examples.loss(model, chosen, device)

    @property
    def capturable(self) -> bool:
        return True

    def validate(self, policy: Policy) -> Validation:
        evaluation = evaluate(policy, self._held_out(next(policy.parameters()).device))
        return validation_of(evaluation, then=-evaluation.scores.all_states_set_error)

    def _held_out(self, device: torch.device) -> MapDataset:
        """The validation maps on a device, copied in the first epoch only."""
        maps, copied = self._copied
        copied = (copied if maps is self.validation else self.validation).to(device)
        self._copied = self.validation, copied
        return copied

    def identity(self) -> Mapping[str, Any]:
        blocked, goal = self.dataset.blocked.numpy(), self.dataset.goal.numpy()
        return {"maps_sha256": hashlib.sha256(blocked.tobytes() + goal.tobytes()).hexdigest()}

    def description(self) -> Mapping[str, Any]:
        described = self.dataset.description()
        return {**described, "data": {**described["data"], "maps": len(self.training)}}

    def check(self, config: ArchitectureConfig) -> None:
        check_fit(config, self.dataset)

    def phases(self, policy: Policy) -> Sequence[Phase]:
        kinds = {"curriculum": Curriculum, "calibration": Calibration}
        wanted = () if policy.planner is None else policy.planner.phases
        if self.options.curriculum.steps and "curriculum" not in wanted:
            raise InputError(
                "a curriculum makes the moves of the architecture shortest_path deterministic, which this network does "
                "not learn; leave --training.curriculum.steps out."
            )
        return [kinds[name](self.training, self.options, self.seed) for name in wanted]


def validation_of(
    evaluation: Evaluation, *, then: float, progress: Mapping[str, float | int] | None = None
) -> Validation:
    """What is told of a policy on maps; epochs are compared by success from every state.

    Args:
        evaluation: of the policy.
        then: what decides between epochs of the same success; higher is better.
        progress: further columns of the history.
    """
    scores = evaluation.scores
    return Validation(
        metrics={
            "success_rate": scores.all_states_success_rate,
            "optimal_rate": scores.all_states_optimal_rate,
            "set_error": scores.all_states_set_error,
            **(progress or {}),
        },
        key=(scores.all_states_success_rate, then),
        summary=asdict(scores),
        report=evaluation,
        sentence=f"on {scores.maps} validation maps {percent(scores.all_states_success_rate)} of all states reach the "
        f"goal, {percent(scores.all_states_optimal_rate)} optimally",
        outcome={
            "validation_success_rate": scores.success_rate,
            "validation_all_states_success_rate": scores.all_states_success_rate,
        },
    )


def training_maps(config: RunConfig, path: Path | None) -> MapDataset:
    """The maps of a file (of its training split, if it has one), or fresh ones by the config.

    Raises: InputError.
    """
    if path is None:
        data = config.data
        return draw_maps(
            data.kind,
            data.maps,
            data.height,
            data.width,
            seed=(config.seed, TRAINING_STREAM),
            moves=motion_model(data.motion),
            demonstration_seed=config.seed,
            terrain_costs=data.terrain_costs,
        )
    return read_dataset(path, split=default_split(path, training=True))


def split_validation(dataset: MapDataset, num_validation: int | None, seed: int) -> tuple[MapDataset, MapDataset]:
    """(training, validation): a random choice of maps, at most a fifth of them, decided by the seed.

    Args:
        dataset: of all maps.
        num_validation: number of validation maps; 256 if not given.
        seed: of the choice.

    Raises: InputError if there is only one map, or fewer than `num_validation`.
    """
    if len(dataset) < 2:
        raise InputError("training needs at least 2 maps: one to learn from, one to choose the best epoch by.")
    if num_validation is not None and num_validation > len(dataset):
        raise InputError(
            f"--training.validation-maps {num_validation} is more than the {len(dataset)} maps there are; give at most "
            f"{max(1, len(dataset) // 5)}, a fifth of them, or more maps."
        )
    num_validation = min(num_validation or _DEFAULT_VALIDATION_MAPS, max(1, len(dataset) // 5))
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))
    return dataset[order[num_validation:]], dataset[order[:num_validation]]


def _wrap(dataset: MapDataset, config: RunConfig) -> Task:
    if config.training.method == "reinforcement":
        from torchvin.tasks.reinforcement import ReinforcementTask, map_source

        return ReinforcementTask(map_source(config, dataset), config)
    return GridWorldTask(dataset, config.training, config.seed)


register_task(MapDataset, _wrap)
