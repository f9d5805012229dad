"""Imitation learning."""
