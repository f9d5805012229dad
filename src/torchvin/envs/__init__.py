"""Environments: the grid world and mazes to act in, as tensors and for Gymnasium."""
