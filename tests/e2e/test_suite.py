# SPDX-License-Identifier: Apache-2.0
"""The tests themselves: ctest runs every file, and those cases alone that must be."""

import json
from pathlib import Path

import lab
import pytest

HERE = Path(__file__).parent


def files_registered_as(label):
    """The files that ctest runs with this label."""
    if not lab.AGENT.startswith(str(lab.ROOT / "build/")):
        pytest.skip("needs the build folder of the agent")
    shown = lab.run("ctest", "--test-dir", str(Path(lab.AGENT).parent), "--show-only=json-v1", "-L", f"^{label}$")
    tests = json.loads(shown)["tests"]
    assert all(("not idle" in test["command"]) == (label == "e2e") for test in tests), "a case would run twice"
    return [word for test in tests for word in test["command"] if word.endswith(".py")]


def test_ctest_runs_every_file_once():
    assert sorted(files_registered_as("e2e")) == sorted(path.name for path in HERE.glob("test_*.py"))


def test_ctest_runs_each_case_that_needs_idle_cpus_apart():
    marked = [path.name for path in HERE.glob("test_*.py") if "\n@pytest.mark.idle\n" in path.read_text()]
    assert sorted(files_registered_as("e2e-alone")) == sorted(marked)
    assert marked, "else this shows nothing"
