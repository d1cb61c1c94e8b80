# SPDX-License-Identifier: Apache-2.0
"""README.md: what it shows and links to is there, and the figures that it compares by are those that were measured."""

import re

import lab
import pytest

README = (lab.ROOT / "README.md").read_text()
BENCHMARKS = (lab.ROOT / "docs/benchmarks.md").read_text()
COMPARED = README[README.index("\n## Beside what else there is\n") : README.index("\n## The reply\n")]

# As README.md has it: where benchmarks.md has it, its number in front.
FIGURES = {
    "96 us": r"a check, from connect to close: median \| ([\d.]+) us",
    "215 ms": r"as fast as the documented script under xinetd .* \| (\d+) ms a check there",
    "64 ms of CPU a check": r"less CPU than the documented script under xinetd .* \| (\d+) ms of CPU",
    "48 us of CPU a check": r"CPU of the agent a check \| ([\d.]+) us",
    "0.15 % of a core": r"(?m)^\| CPU time \| ([\d.]+) % of a core",
    "6.3 MiB": r"resident memory \(VmRSS\) \| ([\d.]+) MiB",
    "83": r"receiving node: added by the agent to a packet, in all \| ([\d.]+) ns",
    "94 ns a packet": r"sending node: added by the agent to a packet, in all \| ([\d.]+) ns",
    "44 us of CPU a scrape": r"a scrape on a kept connection \| ([\d.]+) us of CPU",
    "within 2.5": r"as elsewhere: largest distance from the truth \| ([\d.]+) points",
}


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("shown, measured", FIGURES.items(), ids=FIGURES)
def test_a_compared_figure_is_the_measured_one(shown, measured):
    assert shown in COMPARED
    digits = re.search(r"[\d.]+", shown)[0]
    decimals = len(digits.partition(".")[2])
    assert f"{float(re.search(measured, BENCHMARKS)[1]):.{decimals}f}" == digits


def test_node_exporters_scrape_is_the_measured_one():
    measured = float(re.search(r"nginx [\d.]+ us, node_exporter ([\d,]+) us", BENCHMARKS)[1].replace(",", ""))
    assert f"{measured / 1000:.1f} ms of CPU a scrape with two of its collectors" in COMPARED


def test_each_file_and_picture_that_is_linked_is_there():
    targets = [link for link in re.findall(r"\]\(([^)\s]+)\)", README) if "://" not in link]
    assert {"docs/images/page.png", "docs/images/top.png"} <= set(targets)
    for target in targets:
        name, _, place = target.partition("#")
        assert (lab.ROOT / name).exists(), target
        if place:
            headings = re.findall(r"^#+ (.+)$", (lab.ROOT / name).read_text(), re.MULTILINE)
            assert place in map(anchor, headings), target


def test_each_row_of_the_comparison_has_a_cell_for_each_column():
    rows = [line for line in COMPARED.splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert {row.count(" |") for row in rows} == {5}
