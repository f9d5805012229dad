"""A whole domain in a few lines: which side of zero the sum of four numbers lies on. Nothing in src knows of it."""

import hashlib
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from torchvin import ArchitectureConfig, Policy, PolicyOutput, Task, Validation, register_architecture


@dataclass(frozen=True)
class ToyConfig(ArchitectureConfig):
    num_actions: int = 2
    hidden_channels: int = 4


class ToyPolicy(Policy):
    def __init__(self, hidden_channels=4):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, hidden_channels), nn.Tanh(), nn.Linear(hidden_channels, 2))

    def forward(self, observation, states=None, *, num_iterations=None, initial_value=None):
        return PolicyOutput(logits=self.layers(observation), plan=None)


class ToyTask(Task):
    """Learn from 40 drawn rows, validate on 40 more; `seen` keeps the examples of each step."""

    def __init__(self, seed=0):
        self.rows = torch.randn(80, 4, generator=torch.Generator().manual_seed(seed))
        self.right = (self.rows.sum(dim=1) > 0).long()
        self.seen = []

    def __len__(self):
        return 40

    def loss(self, model, chosen, device):
        self.seen.append(chosen.tolist())
        logits = model(self.rows[chosen].to(device)).logits.float()
        return functional.cross_entropy(logits, self.right[chosen].to(device), reduction="sum"), len(chosen)

    def validate(self, policy):
        with torch.no_grad():
            score = (policy(self.rows[40:]).logits.argmax(dim=1) == self.right[40:]).double().mean().item()
        return Validation(metrics={"accuracy": score}, key=(score,))

    def identity(self):
        return {"rows_sha256": hashlib.sha256(self.rows.numpy().tobytes()).hexdigest()}

    def description(self):
        return {"name": "sign of a sum"}


register_architecture("toy", ToyConfig, lambda config: ToyPolicy(config.hidden_channels), summary="for tests")
