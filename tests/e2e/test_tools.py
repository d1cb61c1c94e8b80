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
import websdk

COMMANDS = sorted(
    path.name for path in (lab.ROOT / "tools").iterdir() if path.is_file() and os.access(path, os.X_OK)
)
CLEAN = "// SPDX-License-Identifier: Apache-2.0\nint answer() { return 42; }\n"
OTHER_CLEAN = CLEAN.replace("answer", "other")
JOINED = "src/ab_unity_0: 2 sources"
ALL_CLEAN = "5 of 5 without a finding"  # format, configuration, three translation units


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
            (tree / path).write_text(OTHER_CLEAN if path == "src/b.cpp" else CLEAN)
        joined = tree / "build/release/src/CMakeFiles/ab.dir/Unity/unity_0_cxx.cxx"
        joined.parent.mkdir(parents=True)
        joined.write_text("".join(f'#include "{tree / path}"\n' for path in self.sources[:2]))
        self.compile("dev", [tree / path for path in self.sources])
        self.compile("release", [joined, *(tree / path for path in self.sources[2:])])

    def compile(self, preset, files):
        build = self.tree / "build" / preset
        build.mkdir(parents=True, exist_ok=True)
        commands = [
            {"directory": str(build), "file": str(file), "arguments": ["g++", "-c", str(file)]} for file in files
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
    assert ALL_CLEAN in output
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
    assert "0 of 3" not in output and ALL_CLEAN not in output


def test_lint_fails_where_clang_tidy_finds_something(lint):
    (lint.tree / "src/a.cpp").write_text(CLEAN + "bool same(int value) { return value == value; }\n")
    status, output, failed = lint.run()
    assert (status, failed) == (1, [JOINED]), output
    assert "src/a.cpp:" in output and "misc-redundant-expression" in output


def test_lint_holds_what_is_compiled_as_one_against_its_folders_configuration(lint):
    (lint.tree / "src/.clang-tidy").write_text("InheritParentConfig: true\nChecks: -misc-redundant-expression\n")
    (lint.tree / "src/a.cpp").write_text(CLEAN + "bool same(int value) { return value == value; }\n")
    assert lint.run()[0] == 0


def test_lint_does_not_parse_again_what_it_found_clean_until_something_in_it_changes(lint, tmp_path):
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    env.pop("CCACHE_DISABLE", None)
    (lint.tree / "src/a.hpp").write_text("// a header\n")
    (lint.tree / "src/b.cpp").write_text('#include "a.hpp"\n\n' + OTHER_CLEAN)
    assert "3 translation units, 0 of them known" in lint.run(env=env)[1]
    assert "3 translation units, 3 of them known" in lint.run(env=env)[1]
    (lint.tree / "src/a.hpp").write_text("inline bool same(int value) { return value == value; }\n")
    for _ in range(2):
        status, output, failed = lint.run(env=env)
        assert (status, failed) == (1, [JOINED]), output
        assert "3 translation units, 2 of them known" in output
    (lint.tree / ".clang-tidy").write_text((lint.tree / ".clang-tidy").read_text() + "# changed\n")
    assert "3 translation units, 0 of them known" in lint.run(env=env)[1]


def test_lint_fails_for_a_source_that_cannot_be_parsed(lint):
    (lint.tree / "src/a.cpp").write_text('#include "no/such/header.hpp"\n' + CLEAN)
    status, output, failed = lint.run()
    assert (status, failed) == (1, [JOINED]), output


def test_lint_fails_for_a_source_whose_form_is_not_the_trees(lint):
    (lint.tree / "src/a.cpp").write_text(CLEAN.replace("{ return", "{return"))
    status, output, failed = lint.run()
    assert (status, failed) == (1, ["format"]), output


def test_lint_of_one_file_looks_at_it_alone_and_fails_if_there_is_no_such_file(lint):
    (lint.tree / "src/b.cpp").write_text("bool same(int value){ return value == value; }\n")
    status, output, failed = lint.run(lint.tree / "src/a.cpp")
    assert (status, failed) == (0, []), output
    status, output, failed = lint.run(lint.tree / "src/b.cpp")
    assert (status, failed) == (1, ["format", "src/b.cpp"]), output
    assert lint.run(lint.tree / "src/c.cpp")[0] != 0


# The summary of tools/test


def case(name, inside=""):
    return f'<testcase name="{name}" classname="{name}">{inside}</testcase>'


SKIPPED = '<skipped message="no root"/>'
FAILED = '<failure message="wrong"/>'


@pytest.mark.parametrize(
    ("of_ctest", "of_pytest", "require_all", "line"),
    [
        (case("e2e/a"), [case("one"), case("two")], "0", "2 passed, 0 failed, 0 skipped"),
        (case("e2e/a"), [case("one"), case("two", SKIPPED)], "0", "1 passed, 0 failed, 1 skipped"),
        (case("e2e/a"), [case("one"), case("two", SKIPPED)], "1", "1 passed, 1 failed, 0 skipped"),
        (case("e2e/a", FAILED), [case("one"), case("two", FAILED)], "0", "1 passed, 1 failed, 0 skipped"),
        # It ended after its cases, or before it wrote of any.
        (case("e2e/a", FAILED), [case("one")], "0", "1 passed, 1 failed, 0 skipped"),
        (case("e2e/a", FAILED), None, "0", "0 passed, 1 failed, 0 skipped"),
        (case("unit/b"), None, "0", "1 passed, 0 failed, 0 skipped"),
        ("", None, "0", "0 passed, 1 failed, 0 skipped"),
    ],
)
def test_summary_counts_the_cases_of_each_file(tmp_path, of_ctest, of_pytest, require_all, line):
    (tmp_path / "suite.xml").write_text(f"<testsuites>{of_ctest}</testsuites>")
    if of_pytest is not None:
        (tmp_path / "suite.cases/e2e").mkdir(parents=True)
        (tmp_path / "suite.cases/e2e/a.xml").write_text(f"<testsuites>{''.join(of_pytest)}</testsuites>")
    command = ["/usr/bin/python3", lab.ROOT / "tools/lib/summary.py", f"all={tmp_path}/suite.xml"]
    result = subprocess.run(
        command, capture_output=True, text=True, env={"WNA_REQUIRE_ALL": require_all}
    )
    assert result.stdout.splitlines()[-1] == line
    assert result.returncode == (0 if " 0 failed" in line else 1)


@pytest.mark.parametrize(
    ("outcome", "notes"),
    [
        ("", ["    unsteady: e2e/a (failed, then passed)"]),
        (FAILED, ["    failed: e2e/a"]),
    ],
)
def test_summary_names_what_passed_only_when_tried_again(tmp_path, outcome, notes):
    (tmp_path / "suite.xml").write_text(f"<testsuites>{case('e2e/a', outcome)}{case('e2e/b')}</testsuites>")
    (tmp_path / "suite.log").write_text(
        """
 1/2 Test #1: e2e/a ....................***Failed    0.23 sec
    Test #1: e2e/a ....................   Passed    0.12 sec
 2/2 Test #2: e2e/b ....................   Passed    0.12 sec
"""
    )
    command = ["/usr/bin/python3", lab.ROOT / "tools/lib/summary.py", f"all={tmp_path}/suite.xml"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout.splitlines()[1:-1] == notes


# tools/test --changed

OF_THE_AGENT = {"lint", "e2e check", "e2e haproxy", "e2e source_tree"}


@pytest.mark.parametrize(
    ("changed", "tested", "not_tested"),
    [
        # A source, and what includes it or is linked with it.
        ("src/wcs/json_page.cpp", {"unit wcs", "fuzz page", *OF_THE_AGENT}, {"unit net", "kernel", "vm"}),
        ("src/cli/doctor.cpp", {"unit cli", *OF_THE_AGENT}, {"unit wcs", "kernel", "vm", "e2e tools"}),
        ("include/wcs_node_agent/utf8.hpp", {"unit include", "unit wcs", "unit http"}, {"unit load", "kernel"}),
        ("bpf/traffic.bpf.c", {"kernel", "vm", *OF_THE_AGENT}, {"unit load", "unit wcs"}),
        ("tests/unit/load/policy_test.cpp", {"lint", "unit load"}, {"unit wcs", "e2e check"}),
        # What is not compiled.
        ("docs/metrics.md", {"unit cli", "unit http", "e2e source_tree"}, {"kernel", "e2e check"}),
        ("tests/e2e/test_check.py", {"e2e check", "e2e source_tree"}, {"e2e haproxy", "unit wcs", "packages"}),
        ("tools/lib/lab.py", {"e2e check", "e2e tools"}, {"unit wcs", "kernel"}),
        ("tools/lib/arm64_sysroot.py", {"packages", "vm", "e2e tools"}, {"kernel", "e2e check"}),
        ("packaging/config.json", {"packages", "e2e packaging", "e2e systemd"}, {"kernel", "e2e pin"}),
        # What every program is built by.
        ("cmake/options.cmake", {"unit net", "fuzz web", "kernel", "vm", "packages", "e2e pin"}, set()),
    ],
)
def test_a_change_is_tested_by_what_it_touches_and_no_more(monkeypatch, changed, tested, not_tested):
    if not (lab.ROOT / "build/release/compile_commands.json").exists():
        pytest.skip("needs the release build")
    monkeypatch.syspath_prepend(lab.ROOT / "tools/lib")
    import affected

    touched = set(affected.affected({lab.ROOT / changed}))
    assert tested <= touched
    assert not not_tested & touched


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


@pytest.mark.parametrize(
    "npm, why",
    [
        ("echo no way to the registry >&2; exit 1", "npm pack .*: no way to the registry"),
        (r"printf '\377' >&2; exit 1", "npm pack .*: \ufffd"),
        ("echo an error page >a.tgz", "a.tgz of npm cannot be unpacked: "),
        ("head -c 9000 /dev/urandom | gzip | head -c 5000 >a.tgz", "a.tgz of npm cannot be unpacked: "),
        ("mkdir package; tar czf a.tgz package", " has no examples/"),
    ],
    ids=["offline", "no text", "no archive", "half an archive", "no examples"],
)
def test_what_npm_does_not_bring_whole_is_no_websdk(tmp_path, monkeypatch, npm, why):
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{npm}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(websdk, "FOLDER", tmp_path / "build/websdk")
    with pytest.raises(websdk.NotAvailable, match=why):
        websdk.fetch()
    assert list((tmp_path / "build").iterdir()) == []
