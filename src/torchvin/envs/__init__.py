"""Environments for Gymnasium. Importing this package registers their ids."""

from torchvin.envs.registration import register
from torchvin.mdp.environment_ids import IDS

__all__ = ["IDS", "register"]

register()
