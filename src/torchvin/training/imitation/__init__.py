"""Imitation: examples and losses."""
