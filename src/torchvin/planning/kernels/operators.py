"""Registers our operators and output types with PyTorch: whoever loads an exported program needs them."""

from torchvin import types  # noqa: F401 - registers the pytrees
from torchvin.planning.kernels import autograd, graph_search  # noqa: F401 - register the operators
