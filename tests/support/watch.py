"""What a device is asked and given: for code that runs on the meta device as it would on a GPU."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Watch(TorchDispatchMode):
    """Notes each operation that needs a number of the device, or mixes the host's tensors with the device's.

    Attributes:
        calls: operations.
        found: names of those that were noted.
        copied: number of entries of the host's tensors that went to the device, one for each operation.
    """

    WAITS = ("_local_scalar_dense", "nonzero", "item", "masked_select", "unique", "bincount")

    def __init__(self):
        super().__init__()
        self.calls, self.found, self.copied = 0, [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        results = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, results)) if isinstance(leaf, torch.Tensor)]
        mixed = len({tensor.device.type for tensor in tensors}) > 1
        if mixed:
            self.copied.append(sum(tensor.numel() for tensor in tensors if tensor.is_cpu))
        if mixed or any(name in func.name() for name in self.WAITS):
            self.found.append(func.name())
        self.calls += 1
        return results
