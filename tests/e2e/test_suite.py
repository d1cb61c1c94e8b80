# SPDX-License-Identifier: Apache-2.0
"""The tests themselves: ctest runs every file, and those alone that must be."""

import json
import subprocess
from pathlib import Path

import lab
import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def registered():
    """What ctest knows of each of these files."""
    if not lab.AGENT.startswith(str(lab.ROOT / "build/")):
        pytest.skip("needs the build folder of the agent")
    build = Path(lab.AGENT).parent
    shown = lab.run("ctest", "--test-dir", str(build), "--show-only=json-v1", "-L", "^e2e$")
    return {
        next(word for word in test["command"] if word.endswith(".py")): {one["name"]: one["value"] for one in test["properties"]}
        for test in json.loads(shown)["tests"]
    }


def test_ctest_runs_every_file(registered):
    assert set(registered) == {path.name for path in HERE.glob("test_*.py")}


def test_ctest_runs_nothing_beside_a_file_that_must_be_alone(registered):
    listed = subprocess.run(
        ["/usr/bin/python3", "-m", "pytest", "--collect-only", "-q", "-m", "alone"],
        capture_output=True,
        text=True,
        cwd=HERE,
    )
    marked = {line.split("::")[0] for line in listed.stdout.splitlines() if "::" in line}
    assert marked == {name for name, given in registered.items() if given.get("RUN_SERIAL")}
    assert marked, "else this shows nothing"


def test_ctest_runs_each_case_that_needs_idle_cpus_apart_and_no_case_twice():
    if not lab.AGENT.startswith(str(lab.ROOT / "build/")):
        pytest.skip("needs the build folder of the agent")
    shown = lab.run("ctest", "--test-dir", str(Path(lab.AGENT).parent), "--show-only=json-v1", "-L", "^e2e-alone$")
    registered = {
        word for test in json.loads(shown)["tests"] for word in test["command"] if word.endswith(".py")
    }
    marked = {path.name for path in HERE.glob("test_*.py") if "\n@pytest.mark.idle\n" in path.read_text()}
    assert registered == marked
    assert marked, "else this shows nothing"
    every = lab.run("ctest", "--test-dir", str(Path(lab.AGENT).parent), "--show-only=json-v1", "-L", "^e2e$")
    assert all("not idle" in test["command"] for test in json.loads(every)["tests"])
