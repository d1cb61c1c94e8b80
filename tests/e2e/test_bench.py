# SPDX-License-Identifier: Apache-2.0
"""tools/bench: a table with every figure, and a reason where there is none."""

import json
import os
import signal
import subprocess

import lab

MAIN = lab.ROOT / "tools/benchmarks/main.py"
ROW_KEYS = {"key", "title", "unit", "value", "target", "verdict", "why", "detail", "samples"}


def command(output, *options):
    return ["/usr/bin/python3", str(MAIN), "--quick", "--output", str(output), *options]


def bench(output, *options, **env):
    """(exit status, bench.json, bench.md)."""
    result = subprocess.run(
        command(output, *options), capture_output=True, text=True, env={**os.environ, **env}
    )
    assert result.returncode in (0, 1), result.stderr
    return (
        result.returncode,
        json.loads((output / "bench.json").read_text()),
        (output / "bench.md").read_text(),
    )


def test_writes_every_figure_as_json_and_markdown(tmp_path):
    status, found, table = bench(tmp_path, "--only", "start")
    assert status == 0
    assert {"date", "commit", "agent", "CPU", "virtualisation", "kernel"} <= set(found["machine"])
    assert found["quick"] is True
    (section,) = found["benchmarks"]
    assert section["name"] == "start"
    assert [row["key"] for row in section["rows"]] == [
        "first_answer",
        "agent_wall",
        "agent_cpu",
        "ebpf_wall",
        "ebpf_cpu",
        "procfs_wall",
        "procfs_cpu",
    ]
    for row in section["rows"]:
        assert set(row) == ROW_KEYS
        assert row["value"] > 0, row
        assert row["title"].replace("|", "\\|") in table


def test_each_reaction_is_measured(tmp_path):
    """It waits for replies of the agent, whose defaults change."""
    _, found, _ = bench(tmp_path, "--only", "reactions")
    for row in found["benchmarks"][0]["rows"]:
        assert row["value"] is not None, row["why"]


def test_what_cannot_run_says_why(tmp_path):
    status, found, table = bench(
        tmp_path, "--only", "switches", "--enforce", WNA_BENCHMARKS=str(tmp_path / "nowhere")
    )
    assert status == 0, "not measured is not missed"
    rows = found["benchmarks"][0]["rows"]
    assert rows
    for row in rows:
        assert row["value"] is None
        assert row["verdict"] == "could not be measured"
        assert "nowhere/switches is not built" in row["why"]
    assert "could not be measured: " in table


def test_an_interrupt_ends_it_and_its_processes(tmp_path):
    # The agent of this run, and nobody else's, can be told by its group.
    run = subprocess.Popen(
        command(tmp_path, "--only", "rest"), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in run.stderr:
        if line.startswith("   rest: 10 s"):
            break
    assert "wcs-node-agent" in members(run.pid)
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 130
    run.stderr.close()
    lab.wait_until(lambda: not members(run.pid), "no process is left")


def members(session):
    text = subprocess.run(["ps", "-s", str(session), "-o", "comm="], capture_output=True, text=True)
    return [name.strip()[:15] for name in text.stdout.splitlines()]


def test_the_command_knows_every_benchmark():
    text = subprocess.run([lab.ROOT / "tools/bench", "--help"], capture_output=True, text=True).stdout
    cases = {path.stem for path in (MAIN.parent / "cases").glob("[a-z]*.py")}
    assert cases == set(text.split("--only NAME")[1].split(";")[0].split())
