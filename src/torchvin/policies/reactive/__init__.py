"""Baselines without a planner."""
