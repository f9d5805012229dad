"""Tar archives of strangers: read in memory, never unpacked to a disk, so that no path can lead out of a folder."""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from torchvin.errors import InputError

#: Bytes of one file, and of all files together: a small archive may hold zeros without end.
MOST_BYTES, MOST_BYTES_TOGETHER = 64 << 20, 4 << 30


def read_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file in a tar archive, compressed or not; folders are passed over.

    Raises: InputError if the archive is damaged or cut off, if it holds a link, a device, or a name that leads out of
        it, or if a file of it is too large.
    """
    together = 0
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = checked_name(path, member.name)
                if member.isdir():
                    continue
                if not member.isreg():
                    raise InputError(f"{path}: {name} is a link or a device; an archive of pages holds files only.")
                together += member.size
                if member.size > MOST_BYTES or together > MOST_BYTES_TOGETHER:
                    raise InputError(f"{path}: {name} is larger than an archive of pages may hold.")
                stream = archive.extractfile(member)
                assert stream is not None
                yield name, stream.read()
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); the archive is damaged.") from error
    except Exception as error:  # tarfile and lzma raise many kinds on damaged bytes; all mean the same to the user
        raise InputError(f"{path}: cannot be read as a tar archive ({error}); it is damaged or cut off.") from error


def checked_name(path: Path, name: str) -> str:
    """The name of an entry, if it stays inside its archive.

    Raises: InputError.
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name.partition("/")[0]:
        raise InputError(f"{path}: the entry {name!r:.80} leads out of the archive; it is not to be trusted.")
    return str(parts)
