"""Policies: the whole network, its attention and heads."""
