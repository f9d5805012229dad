"""Environments for Gymnasium. Importing this package registers their ids."""

from torchvin.envs.registration import IDS, register

__all__ = ["IDS", "register"]

register()
