"""From a folder, or a name, to a corpus."""

from pathlib import Path

from torchvin.data.corpora.corpus import Corpus
from torchvin.data.corpora.folder import SUFFIXES, read_folder
from torchvin.data.corpora.foldoc import DEBIAN_FOLDER, is_foldoc, read_foldoc
from torchvin.data.corpora.snap import is_snap, read_snap
from torchvin.errors import InputError


def read_corpus(path: Path | str) -> Corpus:
    """The web in a folder: Wikispeedia as SNAP packs it, FOLDOC as Debian does, or HTML and Markdown files.

    Args:
        path: the folder; "foldoc" is Debian's installed dictionary.

    Raises: InputError if there is no such folder, if it holds no web, or if a file of it is damaged.
    """
    folder = DEBIAN_FOLDER if str(path) == "foldoc" else Path(path)
    if not folder.is_dir():
        if str(path) == "foldoc":
            raise InputError(
                f"{folder}: not there; install Debian's package dict-foldoc, or name a folder with its files."
            )
        raise InputError(f"{folder}: expected a folder with pages, got {'a file' if folder.exists() else 'nothing'}.")
    if is_snap(folder):
        return read_snap(folder)
    if is_foldoc(folder):
        return read_foldoc(folder)
    if any(entry.suffix.lower() in SUFFIXES for entry in folder.rglob("*")):
        return read_folder(folder)
    raise InputError(
        f"{folder}: expected SNAP's Wikispeedia archives, FOLDOC's files, or pages "
        f"({', '.join(sorted(SUFFIXES))}); found none."
    )
