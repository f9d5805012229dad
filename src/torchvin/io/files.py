"""Outputs appear whole or not at all: written beside the target, synced, renamed."""

import errno
import hashlib
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from torchvin.errors import InputError

#: Beginning of the names of temporary files; the host, the process and a random part follow.
PREFIX = ".torchvin-"

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_writable(path: str | os.PathLike[str]) -> None:
    """Fail before the work rather than after it: make the parent folder and try a file in it.

    Raises: InputError if `path` cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; choose another place.") from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success it becomes `path`, on any error it is removed.

    The temporary name keeps the suffix of `path`, for writers that choose a format by it. Temporary files that killed
    processes left in the folder are removed first.

    Raises: InputError if `path` cannot be written, also where the disk becomes full while the body writes.
    """
    path = Path(path)
    check_writable(path)
    remove_abandoned(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PREFIX}{_host()}-{os.getpid()}-", suffix=path.suffix)
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
    except InputError:
        raise
    except Exception as error:
        full = disk_full(error) or _no_room_after(temporary)
        if full is None:
            raise
        raise InputError(f"cannot write {path}: {full.strerror}; free space or choose another place.") from error
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(error: BaseException) -> OSError | None:
    """The error of a full disk, an exhausted quota or a file-size limit that led to `error`, or None.

    Writers fail again while they close a file that could not be written (`zipfile` raises a ValueError then), so the
    errors before `error` are searched as well.

    >>> disk_full(OSError(errno.ENOSPC, "No space left on device")).strerror
    'No space left on device'
    >>> disk_full(ValueError("another reason"))
    """
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in _DISK_FULL:
            return link
        link = link.__cause__ or link.__context__
    return None


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files in `folder` whose processes, on this host, no longer exist.

    Files of running processes, of other hosts and of other containers stay. So does everything where a process cannot
    be asked for without harm (Windows).
    """
    mine = f"{PREFIX}{_host()}-"
    with suppress(OSError):  # a folder that can be written but not listed
        for entry in os.scandir(folder):
            process = entry.name.removeprefix(mine).partition("-")[0]
            if entry.name.startswith(mine) and process.isdecimal() and not _is_running(int(process)):
                with suppress(OSError):  # another process may have removed it first
                    os.unlink(entry)


def _is_running(process: int) -> bool:
    if os.name != "posix":  # on Windows, signal 0 ends the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it runs as another user, or the number is none of a process
        return True
    return True


@cache
def _host() -> str:
    """Identifies the set of processes that our process numbers belong to: the host and, on Linux, the container."""
    try:
        numbering = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbering = ""
    return hashlib.sha256(f"{platform.node()} {numbering}".encode()).hexdigest()[:8]


def _no_room_after(temporary: Path) -> OSError | None:
    """The disk's own answer, for writers that hide it (Pillow and safetensors lose the number of the error)."""
    try:
        with temporary.open("ab") as file:
            file.write(bytes(1 << 16))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return disk_full(error)
    return None
