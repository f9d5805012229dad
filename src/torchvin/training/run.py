"""The folder of a run: whose it is, its history, and whether it may be resumed."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torchvin.architectures.registry import config_from_json, config_to_json
from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.pretrained.format_1 import upgrade_run
from torchvin.pretrained.store import WEIGHTS_FILE
from torchvin.training.config import RunConfig

CHECKPOINT_FILE = "checkpoint.safetensors"
RUN_FILE = "run.json"
HISTORY_FILE = "history.csv"
_MAY_GROW = "training.epochs"  # a run that is resumed may be given more of them


def claim(out: Path, config: RunConfig, identity: Mapping[str, Any], *, resume: bool) -> None:
    """Write down which run `out` holds, or check that it is this one.

    A run may be resumed with more epochs.

    Raises: InputError if `out` holds another run, or one and `resume` is not set.
    """
    # Through JSON, as the file that it is compared with: a tuple there is a list.
    run = json.loads(json.dumps({**config.to_json(), **identity}))
    path = out / RUN_FILE
    if path.exists():
        if not resume:
            raise InputError(f"{out} already holds a run; pass --resume to go on with it, or choose another --out.")
        before = _read(path)
        if changed := _differences(before, run):
            raise InputError(
                f"{out} holds another run: {changed} differ; give the same options, or choose another --out."
            )
        if before == run:
            return
    elif (out / WEIGHTS_FILE).exists() or (out / CHECKPOINT_FILE).exists():
        raise InputError(f"{out} holds weights but no {RUN_FILE}; choose another --out.")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(run, indent=2) + "\n")


def write_history(out: Path, history: Sequence[Mapping[str, float | int]]) -> None:
    """Write one line per epoch."""
    with replacing(out / HISTORY_FILE) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(out: Path, column: str) -> list[float]:
    """A column of the history of a run."""
    with (out / HISTORY_FILE).open(newline="") as stream:
        return [float(row[column]) for row in csv.DictReader(stream)]


def _read(path: Path) -> dict[str, Any]:
    try:
        return _with_defaults(upgrade_run(json.loads(path.read_text())))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); choose another --out.") from error


def _with_defaults(run: dict[str, Any]) -> dict[str, Any]:
    """A run that an earlier version wrote down, with the options it did not have yet."""
    defaults = json.loads(json.dumps(RunConfig().to_json()))
    defaults["policy"] = json.loads(json.dumps(config_to_json(config_from_json(run["policy"]))))
    groups = {name: {**value, **run.get(name, {})} for name, value in defaults.items() if isinstance(value, dict)}
    return {**defaults, **run, **groups}


def _differences(before: Any, after: Any, name: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        found = (_differences(before.get(key), after.get(key), f"{name}.{key}".lstrip(".")) for key in keys)
        return ", ".join(part for part in found if part)
    if before == after or (name == _MAY_GROW and before < after):
        return ""
    return f"{name} ({before} then, {after} now)"
