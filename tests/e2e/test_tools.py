# SPDX-License-Identifier: Apache-2.0
"""The commands of tools/ call what they need by its version, and what could not be checked has failed."""

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import lab
import pytest

COMMANDS = sorted(
    path.name for path in (lab.ROOT / "tools").iterdir() if path.is_file() and os.access(path, os.X_OK)
)
CLEAN = "// SPDX-License-Identifier: Apache-2.0\nint answer() { return 42; }\n"
SIX_OF_SIX = "6 of 6 without a finding"  # format, configuration, four sources


def copy_tools(tree):
    """The commands without anything that they could build; a space is in the path."""
    for path in ("tools/lib", *(f"tools/{name}" for name in COMMANDS)):
        source, copy = lab.ROOT / path, tree / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    return tree


@pytest.fixture
def empty_tree(tmp_path):
    return copy_tools(tmp_path / "a tree")


def fake_programs(folder, *names):
    """Programs that leave their name in `called` and fail; the variables that put them first."""
    folder.mkdir()
    for name in names:
        program = folder / name
        program.write_text(f'#!/bin/sh\necho {name} >>"{folder}/called"\nexit 1\n')
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_answers_help_without_installing_or_building(empty_tree, command):
    env = fake_programs(empty_tree / "fake", "apt-get", "cmake", "ninja")
    result = subprocess.run(
        [empty_tree / "tools" / command, "--help"], capture_output=True, text=True, timeout=10, env=env
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"tools/{command}: ")
    assert not (empty_tree / "build").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_refuses_what_it_does_not_know(empty_tree, command):
    result = subprocess.run(
        [empty_tree / "tools" / command, "--no-such-option"], capture_output=True, text=True, timeout=10
    )
    assert result.returncode == 2, result.stdout
    assert f"tools/{command}: " in result.stderr
    assert not (empty_tree / "build").exists()


# Packages: the first alternative that the release has, whichever other is there


def missing_packages(tree, lines, installed, known):
    (tree / "tools/lib/packages").write_text("[some]\n" + "\n".join(lines) + "\n")
    script = """
        ROOT=$1
        . "$ROOT/tools/lib/common.sh"
        is_installed() { [[ " $INSTALLED_HERE " == *" $1 "* ]]; }
        apt-cache() { [[ " $KNOWN_HERE " == *" ${*: -1} "* ]]; }
        missing_packages some
        echo "first: $(available "$(packages_of some | head -n 1)" || echo none)"
    """
    env = {**os.environ, "INSTALLED_HERE": installed, "KNOWN_HERE": known}
    result = subprocess.run(
        ["bash", "-c", script, "bash", tree], capture_output=True, text=True, env=env, check=True
    )
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    ("installed", "known", "missing"),
    [
        ("", "new-2 old-1", ["new-2|old-1", "first: new-2"]),
        ("new-2", "new-2 old-1", ["first: new-2"]),
        ("old-1", "new-2 old-1", ["new-2|old-1", "first: new-2"]),  # what is there is not what is wanted
        ("old-1", "old-1", ["first: old-1"]),
        ("old-1", "", ["first: none"]),  # apt has no lists yet
        ("", "old-1", ["new-2|old-1", "first: old-1"]),
    ],
)
def test_an_older_alternative_does_where_the_release_has_no_newer(
    empty_tree, installed, known, missing
):
    assert missing_packages(empty_tree, ["new-2 | old-1"], installed, known) == missing


# tools/lint


class Lint:
    """A small tree with the project's configuration, held against it by the project's lint."""

    def __init__(self, tree):
        self.tree = copy_tools(tree)
        self.sources = ["src/a.cpp", "src/b.cpp", "tests/a_test.cpp", "tools/sim/main.cpp"]
        for path in (".clang-format", ".clang-tidy", "tests/.clang-tidy"):
            (tree / path).parent.mkdir(exist_ok=True)
            shutil.copy(lab.ROOT / path, tree / path)
        for path in self.sources:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(CLEAN)
        build = tree / "build/release"
        build.mkdir(parents=True)
        commands = [
            {"directory": str(build), "file": str(tree / path), "arguments": ["g++", "-c", str(tree / path)]}
            for path in self.sources
        ]
        (build / "compile_commands.json").write_text(json.dumps(commands))

    def run(self, *files, env=None):
        """(exit status, output, the names in its report that failed)."""
        junit = self.tree / "junit.xml"
        junit.unlink(missing_ok=True)
        result = subprocess.run(
            ["/usr/bin/python3", self.tree / "tools/lib/lint.py", "--junit", junit, *files],
            capture_output=True,
            text=True,
            env=env,
        )
        cases = ElementTree.parse(junit).iter("testcase") if junit.exists() else ()
        failed = [case.get("name") for case in cases if case.find("failure") is not None]
        return result.returncode, result.stdout + result.stderr, failed


@pytest.fixture
def lint(tmp_path):
    for program in ("clang-tidy-22", "clang-format-14"):
        if not Path("/usr/bin", program).exists():
            pytest.skip(f"needs {program}: tools/lint installs it")
    return Lint(tmp_path / "a tree")


WRONG_CONFIGURATIONS = {
    "no YAML": "Checks:\n  - bugprone-*\n   misc-*: [",
    "no map of options": "CheckOptions:\n  - key\n  other: true\n",
    "unknown check": "Checks: 'bugprone-no-such-check'\n",
    "unknown key": "Chekcs: '*'\n",
}


def test_lint_passes_a_clean_tree_whatever_other_versions_stand_first_in_the_path(lint, tmp_path):
    fakes = tmp_path / "fakes"
    names = ("clang-tidy", "clang-tidy-14", "clang-tidy-22", "clang-format", "clang-format-14")
    env = fake_programs(fakes, *names)
    status, output, failed = lint.run(env=env)
    assert (status, failed) == (0, []), output
    assert SIX_OF_SIX in output
    assert not (fakes / "called").exists()


@pytest.mark.parametrize(
    ("folder", "wrong"),
    [
        *((folder, wrong) for folder in (".", "tests") for wrong in WRONG_CONFIGURATIONS.values()),
        (".", "Checks: '-*,cert-*'\n"),
        (".", ""),
    ],
    ids=[
        *(f"{folder}: {name}" for folder in ("top", "tests") for name in WRONG_CONFIGURATIONS),
        "top: without the checks of the tree",
        "top: empty",
    ],
)
def test_lint_fails_with_a_configuration_that_cannot_be_used(lint, folder, wrong):
    (lint.tree / folder / ".clang-tidy").write_text(wrong)
    status, output, failed = lint.run()
    assert status == 1
    assert failed == ["configuration"], output
    assert "0 of 4" not in output and SIX_OF_SIX not in output


def test_lint_fails_where_clang_tidy_finds_something(lint):
    (lint.tree / "src/a.cpp").write_text(CLEAN + "bool same(int value) { return value == value; }\n")
    status, output, failed = lint.run()
    assert (status, failed) == (1, ["src/a.cpp"]), output
    assert "misc-redundant-expression" in output


def test_lint_fails_for_a_source_that_cannot_be_parsed(lint):
    (lint.tree / "src/a.cpp").write_text('#include "no/such/header.hpp"\n' + CLEAN)
    status, output, failed = lint.run()
    assert (status, failed) == (1, ["src/a.cpp"]), output


def test_lint_fails_for_a_source_whose_form_is_not_the_trees(lint):
    (lint.tree / "src/a.cpp").write_text(CLEAN.replace("{ return", "{return"))
    status, output, failed = lint.run()
    assert (status, failed) == (1, ["format"]), output


def test_lint_of_one_file_looks_at_it_alone_and_fails_if_there_is_no_such_file(lint):
    (lint.tree / "src/b.cpp").write_text("bool same(int value){ return value == value; }\n")
    status, output, failed = lint.run(lint.tree / "src/a.cpp")
    assert (status, failed) == (0, []), output
    assert lint.run(lint.tree / "src/c.cpp")[0] != 0


# What tools/ calls by name


def test_what_is_called_by_its_version_is_installed_by_its_version():
    packages = (lab.ROOT / "tools/lib/packages").read_text()
    called = (lab.ROOT / "tools/lib/lint.py").read_text()
    for name in ("clang-format-14", "clang-tidy-22"):
        assert f'"/usr/bin/{name}"' in called
        assert f"\n{name}\n" in packages
    presets = (lab.ROOT / "CMakePresets.json").read_text()
    assert '"clang++-22"' in presets and "\nclang-22\n" in packages
    assert "NAMES g++-12 c++" in (lab.ROOT / "cmake/compiler.cmake").read_text()
    assert "\ng++-12 | g++\n" in packages
