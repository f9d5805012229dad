import resource
import subprocess
import sys

import pytest

from torchvin.bench import machine
from torchvin.bench.machine import forget_peak_memory, peak_megabytes, processor


def test_the_processor_has_a_name():
    assert processor()


IN_A_PROCESS = """
import numpy as np
from torchvin.bench.machine import forget_peak_memory, peak_megabytes
if not forget_peak_memory():
    raise SystemExit(3)
before = peak_megabytes()
held = np.ones(64 << 20, dtype=np.uint8)
with_it = peak_megabytes()
assert with_it - before > 40, (before, with_it)
assert held.sum() == 64 << 20
del held
assert abs(peak_megabytes() - with_it) < 8
forget_peak_memory()
assert peak_megabytes() < with_it - 40
"""


def test_the_peak_is_that_since_it_was_forgotten():
    """In a process of its own: one that ran other tests may give memory back in the middle of this one."""
    done = subprocess.run([sys.executable, "-c", IN_A_PROCESS], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this system does not let a process forget its peak")
    assert done.returncode == 0, done.stderr


def test_where_nothing_can_be_forgotten_the_peak_is_that_of_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "nowhere")
    assert not forget_peak_memory()
    assert peak_megabytes() == pytest.approx(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rel=0.05)
