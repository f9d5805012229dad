"""The host's part of a call on a GPU, measured by the command in a process whose Triton compiles."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
import torch


@pytest.mark.slow  # compiles the programs for an H100: half a minute at first
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="a real GPU is measured")
def test_the_host_launches_three_programs_that_compile_for_an_h100():
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-m", "torchvin", "bench", "gpu", "--json"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=200)
    content = json.loads(done.stdout.splitlines()[-1])
    assert content["host"]["launches"] == 3
    assert all(row["forward_us"] is None for row in content["rows"])
