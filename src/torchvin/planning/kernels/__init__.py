"""Kernels of the operator; `reference` defines it."""
