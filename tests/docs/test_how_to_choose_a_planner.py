"""The page on planners: each architecture that plans has a section, with one program (test_programs.py runs it)."""

import re
from pathlib import Path

import pytest

from torchvin.architectures.registry import MODULES

PAGE = Path(__file__).parents[2] / "docs" / "how-to-choose-a-planner.md"
TEXT = PAGE.read_text()
SECTIONS = {part.splitlines()[0]: part for part in TEXT.split("\n## ")[1:]}


@pytest.mark.parametrize("section", list(SECTIONS))
def test_each_section_has_one_program(section):
    assert SECTIONS[section].count("```python\n") == 1


def test_every_design_that_plans_has_a_section():
    designs = {section.split(" ")[0] for section in SECTIONS}
    assert designs >= set(MODULES) - {"cnn", "fcn"}


def test_every_link_within_the_page_leads_to_a_section():
    anchors = {re.sub(r"[^\w -]", "", section.lower()).replace(" ", "-") for section in SECTIONS}
    links = re.findall(r"\]\(#([\w-]+)\)", TEXT)
    assert links
    assert set(links) <= anchors
