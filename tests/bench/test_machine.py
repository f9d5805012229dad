import resource

import numpy as np
import pytest

from torchvin.bench import machine
from torchvin.bench.machine import forget_peak_memory, peak_megabytes, processor


def test_the_processor_has_a_name():
    assert processor()


def test_the_peak_is_that_since_it_was_forgotten():
    if not forget_peak_memory():
        pytest.skip("this system does not let a process forget its peak")
    before = peak_megabytes()
    held = np.ones(64 << 20, dtype=np.uint8)
    with_it = peak_megabytes()
    assert with_it - before > 40
    assert held.sum() == 64 << 20
    del held
    assert peak_megabytes() == pytest.approx(with_it, abs=8)
    forget_peak_memory()
    assert peak_megabytes() < with_it - 40


def test_where_nothing_can_be_forgotten_the_peak_is_that_of_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "nowhere")
    assert not forget_peak_memory()
    assert peak_megabytes() == pytest.approx(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rel=0.05)
