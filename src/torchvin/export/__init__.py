"""Policies for other programs: a frozen module with tensors in and out, `torch.export` and ONNX."""

from torchvin.export.frozen import FrozenPolicy, frozen
from torchvin.export.onnx import to_onnx

__all__ = ["FrozenPolicy", "frozen", "to_onnx"]
