"""The weights that are installed: those in this package and those of `torchvin-baselines`."""

import importlib.util
import re
from pathlib import Path

from torchvin.errors import InputError

_BASELINES = "torchvin_baselines"
_BASELINE_NAME = re.compile(
    r"gridworld-(8|16|28)-(cnn|fcn)|(terrain|mars|moon)-16-(cnn|classifier)|control-(cnn|mlp)|"
    r"webnav-(reactive|categories)(-rl)?"
)


def shipped_folders() -> dict[str, Path]:
    """The folders of the installed weights by name, the shortest names first.

    >>> shipped_folders()["gridworld-8"].name
    'gridworld-8'
    """
    roots = [Path(__file__).parent, *_folders_of(_BASELINES)]
    found = {folder.parent.name: folder.parent for root in roots for folder in root.glob("weights/*/config.json")}
    return {name: found[name] for name in sorted(found, key=lambda name: (len(name), name))}


def missing_package(name: str) -> InputError | None:
    """The error for weights that exist, but in a package that is not installed; None for any other name.

    >>> print(missing_package("gridworld-8-paper"))
    None
    """
    if not _BASELINE_NAME.fullmatch(name) or name in shipped_folders():
        return None
    return InputError(
        f"the baselines' weights {name!r} come in a package of their own, which is not installed: "
        "pip install torchvin[baselines]"
    )


def _folders_of(package: str) -> list[Path]:
    """Where a package lies; empty if it is not installed. It is not imported."""
    spec = importlib.util.find_spec(package)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
