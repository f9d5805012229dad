"""Temporary files of killed processes, and full disks."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from torchvin.errors import InputError
from torchvin.io import files
from torchvin.io.files import PREFIX, disk_full, remove_abandoned, replacing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")

WRITER = """
import sys, time
from torchvin.io.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""

FULL = """
import contextlib, io, json, resource, sys
from pathlib import Path
import torch
from torchvin import build_policy, save_policy, InputError, NormalizedConfig
from torchvin.cli.main import main
import matplotlib.font_manager
out = Path(sys.argv[1])
def attempt(call):
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr):
        status = call()
    return [status, [line for line in stderr.getvalue().splitlines() if line.startswith(("torchvin:", "Traceback"))]]
def save():
    try:
        save_policy(out / "weights", build_policy(NormalizedConfig()))
    except InputError as error:
        print(f"torchvin: {error}", file=sys.stderr)
        return 2
plan = ["plan", "--map", sys.argv[2], "--start", "1,1", "--goal", "6,8", "--out"]
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
answers = {
    "maps.npz": attempt(lambda: main(["data", "--maps", "50", "--size", "8", "--out", str(out / "maps.npz")])),
    "path.png": attempt(lambda: main([*plan, str(out / "path.png")])),
    "path.svg": attempt(lambda: main([*plan, str(out / "path.svg")])),
    "model.safetensors": attempt(save),
}
print(json.dumps(answers))
"""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def start_writing(target: Path) -> subprocess.Popen:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


def end(process: subprocess.Popen, number: int) -> None:
    process.send_signal(number)
    process.communicate(timeout=60)


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_of_a_running_one(tmp_path):
    killed, running = start_writing(tmp_path / "killed.png"), start_writing(tmp_path / "running.png")
    try:
        end(killed, signal.SIGKILL)
        left = [name for name in names(tmp_path) if f"-{killed.pid}-" in name]
        kept = [name for name in names(tmp_path) if f"-{running.pid}-" in name]
        assert len(left) == len(kept) == 1
        with replacing(tmp_path / "next.png") as temporary:
            temporary.write_text("whole")
        assert names(tmp_path) == sorted([*kept, "next.png"])
    finally:
        end(running, signal.SIGINT)
    assert names(tmp_path) == ["next.png"]


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_files_of_other_hosts_and_of_users_stay(tmp_path):
    dead = dead_process()
    mine, other = f"{PREFIX}{files._host()}-{dead}-x.png", f"{PREFIX}00000000-{dead}-x.png"
    stay = [other, f"{PREFIX}{files._host()}-notes.png", f"{PREFIX}x.png", f"{dead}-x.png", "maps.npz"]
    for name in [mine, *stay]:
        (tmp_path / name).write_text("")
    remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted(stay)


def test_a_process_of_another_user_counts_as_running(monkeypatch):
    def refused(process, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert files._is_running(12345)


def test_a_full_disk_is_one_line_whatever_writes_and_leaves_nothing(tmp_path):
    np = pytest.importorskip("numpy")
    np.save(tmp_path / "room.npy", np.zeros((8, 10), dtype=bool))
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-B", "-c", FULL, str(out), str(tmp_path / "room.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (status, lines) in json.loads(done.stdout.splitlines()[-1]).items():
        assert status == 2, name
        assert len(lines) == 1, lines
        assert lines[0].startswith("torchvin: cannot write "), lines
        assert f"{name}: File too large; free space or choose another place." in lines[0]
    assert [path for path in out.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_the_error_of_a_full_disk_is_found_behind_those_that_followed(tmp_path, number):
    def fail() -> None:
        with replacing(tmp_path / "out.npz"):
            try:
                raise OSError(number, os.strerror(number))
            finally:
                raise ValueError("Can't close the ZIP file while there is an open writing handle on it.")

    with pytest.raises(InputError, match=f"out.npz: {os.strerror(number)}; free space or choose another place"):
        fail()
    assert names(tmp_path) == []


def test_another_error_is_not_taken_for_a_full_disk(tmp_path):
    assert disk_full(OSError(errno.EIO, "Input/output error")) is None
    with pytest.raises(OSError, match="Input/output error"), replacing(tmp_path / "out.npz"):
        raise OSError(errno.EIO, "Input/output error")
    with pytest.raises(InputError, match="the map is empty"), replacing(tmp_path / "out.npz"):
        raise InputError("the map is empty")
