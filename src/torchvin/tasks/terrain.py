"""Planning from overhead images: demonstrated paths are the only teacher (Tamar et al. 2016, section 5.2).

The task hides what decides the paths: elevation is gone, obstacles score the policy and teach nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
from torchvin.data.dataset import MapDataset
from torchvin.data.overhead import OverheadDataset
from torchvin.data.symmetries import NUM_SYMMETRIES, transformed
from torchvin.errors import InputError
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.obstacle_planner import ObstaclePlanner
from torchvin.policies.policy import Policy
from torchvin.tasks.gridworld import GridWorldTask
from torchvin.tasks.registry import register_task
from torchvin.tasks.task import Validation
from torchvin.training.config import RunConfig
from torchvin.training.imitation.examples import Examples, MapExamples, build_examples


class TerrainTask(GridWorldTask):
    """Imitation of demonstrated paths on overhead images.

    Each batch of whole maps is turned and mirrored at random, its actions and its light with it. The best epoch is that
    which agrees best with the demonstrations of the maps held out; no obstacle takes part in the choice.

    Args:
        dataset: images with demonstrations.
        options: of the training. Supervision by demonstrations or their states, with the loss single-label, is what a
            demonstrator can give; other choices use the hidden map.
        seed: as in `GridWorldTask`.
    """

    dataset: OverheadDataset

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int | Tensor]:
        if not isinstance(self._examples, MapExamples):
            return super().loss(model, chosen, device)
        turned = random_symmetry(self.training[chosen])
        return MapExamples(turned, self.options).loss(model, torch.arange(len(chosen)), device)

    @property
    def capturable(self) -> bool:
        """False: the host draws how a batch is turned."""
        return False

    @torch.no_grad()
    def validate(self, policy: Policy) -> Validation:
        validation = super().validate(policy)
        held_out = build_examples(self.validation, self.options, self.seed)
        device = next(policy.parameters()).device
        training = policy.training
        policy.train()  # the loss of the training: a plan without the caution that it has in evaluation mode
        total, terms = self._held_out_loss(policy, held_out, device)
        policy.train(training)
        loss = float(total) / int(terms)
        return replace(validation, metrics={**validation.metrics, "held_out_loss": loss}, key=(-loss,))

    def _held_out_loss(self, policy: Policy, held_out: Examples, device: torch.device) -> tuple[Tensor, int | Tensor]:
        return held_out.loss(policy, torch.arange(len(held_out)), device)

    def identity(self) -> Mapping[str, Any]:
        return {**super().identity(), "images_sha256": self.dataset.image_digest()}

    def check(self, config: ArchitectureConfig) -> None:
        super().check(config)
        if self.options.supervision == "all-cells":
            raise InputError(
                "all-cells would teach from cells that no demonstration passes; with overhead images choose "
                "--training.supervision demonstrations or states."
            )


class ObstacleTask(TerrainTask):
    """Learning of obstacle labels, for the paper's "best achievable": what the VIN is never told.

    The model must have `obstacle_logits`, as an `ObstaclePlanner` does.
    """

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int | Tensor]:
        return _label_loss(model, random_symmetry(self.training[chosen]), device)

    def _held_out_loss(self, policy: Policy, held_out: Examples, device: torch.device) -> tuple[Tensor, int | Tensor]:
        return _label_loss(policy, self.validation, device)


def _label_loss(model: nn.Module, batch: MapDataset, device: torch.device) -> tuple[Tensor, int | Tensor]:
    """Sum of the binary cross-entropy of obstacles, and the number of cells."""
    planner = getattr(model, "module", model)  # the wrapper of a distributed training
    assert isinstance(planner, ObstaclePlanner)
    logits = planner.obstacle_logits(batch.planes().to(device))
    target = batch.blocked.to(logits)
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="sum"), target.numel()


def random_symmetry(batch: MapDataset) -> MapDataset:
    """The batch under one of the symmetries that keep its size, drawn from torch's global generator."""
    height, width = batch.size
    symmetry = int(torch.randint(NUM_SYMMETRIES, ()))
    if height != width:
        symmetry -= symmetry % 2  # half turns and mirror images
    return transformed(batch, symmetry)


def _wrap(dataset: OverheadDataset, config: RunConfig) -> TerrainTask:
    labels = isinstance(config.policy, TerrainClassifierConfig)
    return (ObstacleTask if labels else TerrainTask)(dataset, config.training, config.seed)


register_task(OverheadDataset, _wrap)
