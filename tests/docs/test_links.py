"""Links: those of README lead to files here, and to whole addresses on PyPI, which shows it outside the repository."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
README = (ROOT / "README.md").read_text()


def relative(text: str) -> list[str]:
    return [link for link in LINK.findall(text) if not link.startswith(("https://", "#"))]


@pytest.mark.parametrize("link", sorted(set(relative(README))))
def test_a_link_of_readme_leads_to_a_file(link):
    assert (ROOT / link.partition("#")[0]).exists()


def test_on_pypi_every_link_and_picture_has_a_whole_address():
    tomllib = pytest.importorskip("tomllib")
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shown = README
    for rule in content["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        shown = re.sub(rule["pattern"], rule["replacement"], shown)
    assert relative(shown) == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", shown)
    assert pictures
    assert all(picture.startswith("https://raw.githubusercontent.com/") for picture in pictures)


@pytest.mark.parametrize("page", sorted((ROOT / "packages").glob("*/README.md")), ids=lambda page: page.parent.name)
def test_the_page_of_another_distribution_has_whole_addresses(page):
    assert relative(page.read_text()) == []
