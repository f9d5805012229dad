"""Trainings that are killed and go on."""

import os
import signal
import subprocess
import time


def ends_with_the_same_bits_when_killed(command, folder, delays):
    """Run `command` undisturbed and, killed `delays` after it has claimed its folder, again and again; compare weights.

    Returns the folder of the undisturbed run.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, killed = folder / "whole", folder / "killed"
    subprocess.run([*command, "--out", str(whole)], check=True, env=environment, capture_output=True, timeout=120)
    resume = [*command, "--out", str(killed), "--resume"]
    kills = 0
    for delay in delays:
        process = subprocess.Popen(resume, env=environment, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (killed / "run.json").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(delay)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    subprocess.run(resume, check=True, env=environment, capture_output=True, timeout=120)
    assert kills > 0
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    return whole
