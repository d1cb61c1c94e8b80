# SPDX-License-Identifier: Apache-2.0
"""The documents of both languages say the same to a shell."""

import re

import lab
import pytest
from documents import blocks

DOCS = lab.ROOT / "docs"
TRANSLATED = sorted(path.name for path in (DOCS / "ru").glob("*.md"))


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_blocks_of_both_languages_are_equal(name):
    """Commands, files and output, in the same order."""
    assert blocks(name)
    assert blocks(f"ru/{name}") == blocks(name)


@pytest.mark.parametrize("name", TRANSLATED)
def test_both_languages_have_the_same_sections_and_rows(name):
    def shape(path):
        """The level of each heading, and how many cells each row has."""
        lines = re.findall(r"^(#+ |\|.*\|$)", path.read_text(), re.MULTILINE)
        return [line.count("#") if line.startswith("#") else -line.count("|") for line in lines]

    assert shape(DOCS / "ru" / name) == shape(DOCS / name)


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_code_in_the_text_of_both_languages_is_equal(name):
    """Names of keys, files and programs; what stands in capitals is for the reader to fill in."""

    def code(path):
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("    "))
        return sorted(re.sub(r"[A-ZА-Я]{3,}", "WORD", one) for one in re.findall(r"`([^`\n]+)`", text))

    assert code(DOCS / "ru" / name) == code(DOCS / name)


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_to_a_file_leads_to_one(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target
