# SPDX-License-Identifier: Apache-2.0
"""The tree's own rules, as far as a program can see them."""

import re
import subprocess

import lab
import pytest

FOLDERS = ("bpf", "include", "src", "tools", "tests", "cmake")
SUFFIXES = (".c", ".h", ".cpp", ".hpp")
SOURCES = sorted(
    path for folder in FOLDERS for path in (lab.ROOT / folder).rglob("*") if path.suffix in SUFFIXES
)
SCRIPTS = [
    lab.ROOT / path
    for path in (
        "tools/test",
        "tools/quickstart",
        "tools/bench",
        "tools/build-static",
        "tools/fuzz",
        "tools/lint",
        "tools/soak",
        "tests/vm/binary.sh",
        "tools/lib/common.sh",
        ".ci/run",
    )
]


def test_sources_are_formatted():
    version = subprocess.run(["/usr/bin/clang-format", "--version"], capture_output=True, text=True)
    if not re.search(r"version 14\.", version.stdout):
        pytest.skip("each release of clang-format has its own taste; the tree follows 14")
    result = subprocess.run(
        ["/usr/bin/clang-format", "--dry-run", "-Werror", *SOURCES],
        capture_output=True,
        text=True,
        cwd=lab.ROOT,
    )
    wrong = re.findall(rf"^{lab.ROOT}/([^:]+):\d+:\d+: error", result.stderr, re.MULTILINE)
    assert sorted(set(wrong)) == []
    assert result.returncode == 0, result.stderr


def test_every_source_names_its_licence():
    without = [
        str(path.relative_to(lab.ROOT))
        for path in [*SOURCES, *SCRIPTS]
        if "SPDX-License-Identifier: " not in path.read_text()[:200]
    ]
    assert without == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(lab.ROOT)))
def test_scripts_parse(script):
    result = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_commands_can_be_run():
    commands = ("test", "quickstart", "bench", "build-static", "fuzz", "soak")
    for command in (*(f"tools/{name}" for name in commands), "tests/vm/run", ".ci/run"):
        assert (lab.ROOT / command).stat().st_mode & 0o111 == 0o111, command


def known_names():
    names = set()
    for path in (lab.ROOT / "tests/e2e").glob("test_*.py"):
        names |= {f"{path.name}::{name}" for name in re.findall(r"def (test_\w+)", path.read_text())}
    macro = r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)"
    for path in (lab.ROOT / "tests").rglob("*_test.cpp"):
        names |= {".".join(pair) for pair in re.findall(macro, path.read_text(), re.MULTILINE)}
    return names


def test_each_fault_in_the_reliability_tables_has_a_test_that_exists():
    exist, rows, missing, names_tests = known_names(), 0, [], False
    for line in (lab.ROOT / "docs/reliability.md").read_text().splitlines():
        if not line.startswith("| "):
            names_tests = False  # the end of a table
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[1] == "test" or set(cells[0]) == {"-"}:
            names_tests |= cells[1] == "test"
            continue
        if not names_tests:
            continue
        rows += 1
        name = cells[1].strip("`")
        if name not in exist and not (lab.ROOT / name).is_file():
            missing.append(line)
    assert missing == []
    assert rows > 40
