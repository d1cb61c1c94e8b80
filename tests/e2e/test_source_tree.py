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
        "tools/balance-table",
        "tools/balance-real",
        "tools/build-static",
        "tools/dashboards",
        "tools/fuzz",
        "tools/lint",
        "tools/package",
        "tools/soak",
        "tests/vm/binary.sh",
        "tools/lib/common.sh",
        ".ci/run",
    )
]


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


def rooms():
    """The folders of src/ in the order in which CMake adds them: of a room and those above it alone may
    another include."""
    return re.search(r"set\(rooms ([\w ]+)\)", (lab.ROOT / "src/CMakeLists.txt").read_text())[1].split()


def includes(path):
    """Each header of the project that the file includes, as it is written there."""
    return re.findall(r'^#include ["<]([\w/]+(?:\.skel)?\.hp?p?)[">]', path.read_text(), re.MULTILINE)


def room_of(header):
    return header.split("/")[0] if "/" in header and (lab.ROOT / "src" / header).is_file() else None


def test_no_room_includes_one_that_comes_after_it():
    order = rooms()
    backwards = [
        f"{path.relative_to(lab.ROOT)} includes {header}"
        for place, room in enumerate(order)
        for path in sorted((lab.ROOT / "src" / room).rglob("*.[ch]pp"))
        for header in includes(path)
        if room_of(header) in order[place + 1 :]
    ]
    assert backwards == []


def test_shared_types_include_no_room():
    inward = [
        f"{path.name} includes {header}"
        for path in sorted((lab.ROOT / "include").rglob("*.hpp"))
        for header in includes(path)
        if room_of(header)
    ]
    assert inward == []


def test_every_folder_is_a_room_and_has_its_tests():
    order = rooms()
    folders = {path.name for path in (lab.ROOT / "src").iterdir() if path.is_dir()}
    assert set(order) == folders
    tests = {path.name for path in (lab.ROOT / "tests/unit").iterdir() if path.is_dir()}
    assert tests == folders | {"include", "balance_sim"}
    map_of_rooms = (lab.ROOT / "docs/architecture.md").read_text()
    assert re.findall(r"^\| `src/(\w+)/` \|", map_of_rooms, re.MULTILINE) == order


def test_no_source_is_longer_than_one_concept():
    long = {
        str(path.relative_to(lab.ROOT)): lines
        for path in (lab.ROOT / "src").rglob("*.[ch]pp")
        if (lines := len(path.read_text().splitlines())) > 350
    }
    assert long == {}


def test_commands_can_be_run():
    commands = ("test", "quickstart", "bench", "balance-table", "build-static", "dashboards", "fuzz", "package", "soak")
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
