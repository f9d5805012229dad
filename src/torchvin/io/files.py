"""Outputs appear whole or not at all: written beside the target, synced, renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torchvin.errors import InputError


def check_writable(path: Path) -> None:
    """Fail before the work rather than after it: make the parent folder and try a file in it.

    Raises: InputError if `path` cannot be written.
    """
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; choose another place.") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success it becomes `path`, on any error it goes.

    The temporary name keeps the suffix of `path`, for writers that choose a format by it.

    Raises: InputError if `path` cannot be written.
    """
    check_writable(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".torchvin-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())  # the rename must not become durable before the bytes
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; an output is an ordinary one
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
