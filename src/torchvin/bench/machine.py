"""What a measurement ran on."""

import platform
import resource
from pathlib import Path

_MEMORY = Path("/proc/self")


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def forget_peak_memory() -> bool:
    """Let the peak of this process's memory begin anew; False where the system cannot do that."""
    try:
        (_MEMORY / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_megabytes() -> float:
    """Most memory that this process has held since its start, or since `forget_peak_memory`."""
    try:
        lines = (_MEMORY / "status").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
