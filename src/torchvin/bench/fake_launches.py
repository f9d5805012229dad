"""A GPU that does nothing, for Triton: kernels are compiled for an H100 and launched by nobody.

What is left of a call is the part of the host: ours, PyTorch's and Triton's.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch


class _Driver:
    """What Triton asks of a driver, answered for an H100 that takes every launch and does nothing."""

    def __init__(self) -> None:
        target: Any = importlib.import_module("triton.backends.compiler")
        self.target = target.GPUTarget("cuda", 90, 32)
        self.launches = 0
        self.utils = SimpleNamespace(
            load_binary=lambda *_: (0, 0, 0, 0, 1024), get_device_properties=lambda _: {"max_shared_mem": 232448}
        )

    def launcher_cls(self, *_: Any) -> Any:
        return self._launch

    def _launch(self, *_: Any) -> None:
        self.launches += 1

    def get_current_target(self) -> Any:
        return self.target

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, _: int) -> int:
        return 0

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cpu")


@contextmanager
def fake_launches() -> Iterator[_Driver]:
    """Triton with a driver that counts launches. The process should do nothing else with Triton.

    Raises: ImportError where Triton is not installed; RuntimeError in Triton's interpreter.
    """
    if os.environ.get("TRITON_INTERPRET") == "1":
        raise RuntimeError("TRITON_INTERPRET is set: the interpreter does not launch.")
    runtime: Any = importlib.import_module("triton.runtime")
    driver = _Driver()
    before = runtime.driver._active
    runtime.driver.set_active(driver)
    try:
        yield driver
    finally:
        runtime.driver._active = before
