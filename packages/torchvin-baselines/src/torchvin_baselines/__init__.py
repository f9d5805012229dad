"""Weights of torchvin's baselines: one folder each in `weights/`, which torchvin finds by name."""
