"""The prose of a page: Markdown templates beside the code, filled with what was measured."""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from torchvin.io.files import replacing

TEMPLATES = Path(__file__).parent / "templates"


def filled(name: str, values: Mapping[str, object]) -> str:
    """A template with every `${placeholder}` replaced; a paragraph that is left empty disappears.

    Args:
        name: of the template, without `.md`.
        values: for each placeholder.

    Raises: KeyError for a placeholder without a value.
    """
    text = Template((TEMPLATES / f"{name}.md").read_text()).substitute(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def write_text(path: Path, text: str) -> Path:
    """Write a file, whole or not at all.

    Raises: InputError if it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text)
    return path


def figure_list(captions: Mapping[Path, str]) -> str:
    """Pictures under their headline, each with its caption below; nothing if there are none."""
    pictures = [f"![{caption}](figures/{path.name})\n\n{caption}" for path, caption in captions.items()]
    return "\n\n".join(["## Figures", *pictures]) if pictures else ""
