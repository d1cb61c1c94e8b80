# SPDX-License-Identifier: Apache-2.0
"""The tests themselves: that ctest runs every file."""

import json
from pathlib import Path

import lab
import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(
    not lab.AGENT.startswith(str(lab.ROOT / "build/")), reason="needs the build folder of the agent"
)
def test_ctest_runs_every_file():
    build = Path(lab.AGENT).parent
    shown = lab.run("ctest", "--test-dir", str(build), "--show-only=json-v1", "-L", "^e2e$")
    registered = {test["name"] for test in json.loads(shown)["tests"]}
    files = {path.stem for path in HERE.glob("test_*.py")}
    assert registered == {f"e2e/{file.removeprefix('test_')}" for file in files}
