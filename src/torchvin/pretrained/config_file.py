"""The `config.json` of weights, in format 2 whatever version wrote it. It is read without torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchvin.errors import InputError
from torchvin.pretrained import format_1

CONFIG_FILE = "config.json"
FORMAT = 2


def read_config(folder: Path) -> tuple[dict[str, Any], bool]:
    """The content of a configuration, in format 2, and whether the file is of format 1."""
    try:
        content = json.loads((folder / CONFIG_FILE).read_text())
        version = content["format"]
        if version == 1:
            return format_1.upgrade(content), True
        if version == FORMAT and _well_formed(content):
            return _with_motion_models(content), False
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder}: no readable {CONFIG_FILE} of torchvin ({error!r}); expected a run folder."
        ) from error
    raise InputError(
        f"{folder}: written by another version of torchvin (format {version!r:.40}, this one reads 1 and {FORMAT}); "
        "upgrade torchvin or train again."
    )


def _well_formed(content: Mapping[str, Any]) -> bool:
    """Whether the parts of a configuration in format 2 have their types."""
    described = all(isinstance(content[part], dict) for part in ("policy", "task", "record"))
    return described and isinstance(content.get("solver", {}), dict) and isinstance(content.get("builder", ""), str)


def _with_motion_models(content: dict[str, Any]) -> dict[str, Any]:
    """A configuration in format 2 whose record has the motion model itself in place of an earlier version's name."""
    record = content["record"]
    if not isinstance(record.get("config"), dict):
        return content
    return {**content, "record": {**record, "config": format_1.upgrade_run(record["config"])}}
