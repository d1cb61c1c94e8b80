# SPDX-License-Identifier: Apache-2.0
"""tools/balance-real in short: real nodes behind a real HAProxy do what balance-sim says of the same sessions."""

import dataclasses
import json
import os
import signal
import subprocess
import tempfile
import types
from pathlib import Path

import balance_measures
import balance_plan
import balance_real
import lab
import pytest

COMMAND = ["/usr/bin/python3", str(lab.ROOT / "tools/lib/balance_real.py")]
BALANCE_SIM = str(Path(lab.AGENT).parent / "balance-sim")
SECONDS = 30


@pytest.fixture
def environment(tmp_path):
    """Of a command of which nothing may be left afterwards."""
    with tempfile.TemporaryDirectory(prefix="real-", dir="/tmp") as folder:  # short: HAProxy's socket is there
        yield {**os.environ, "WNA_BALANCE_SIM": BALANCE_SIM, "TMPDIR": folder}
        assert os.listdir(folder) == []
        lab.wait_until(lambda: lab.processes_marked(f"TMPDIR={folder}") == [], "nothing of it runs any more")


def measured(run, title):
    [row] = [row for row in run["measures"]["headroom"] if row["title"].startswith(title)]
    return row


def test_thirty_seconds_go_as_simulated(environment, tmp_path):
    options = ("--policy", "headroom", "--seconds", str(SECONDS), "--json", "--runs", tmp_path / "runs.jsonl")
    result = subprocess.run([*COMMAND, *options], capture_output=True, text=True, env=environment, timeout=200)
    report = json.loads(result.stdout)
    [run] = report["runs"]
    # Beside other tests the machine may not keep up; what it does not spoil holds all the same.
    assert result.returncode == bool(run["spoilt"]), result.stderr
    assert json.loads((tmp_path / "runs.jsonl").read_text())["results"] == run["results"]

    expected = sum(one.at >= 0 for one in balance_plan.sessions(balance_plan.Plan("headroom", seconds=SECONDS)))
    found = run["results"]
    assert found["sessions"] == expected
    came = sum(found["sessions_by_node"]) + found["refused"]
    assert expected - 5 <= came <= expected, "but for those that were waiting at the end"
    for real, simulated in zip(found["sessions_by_node"], run["simulated_sessions_by_node"], strict=True):
        assert real / came == pytest.approx(simulated / came, abs=0.15)
    assert len(run["utilisation"]) == SECONDS
    assert all(len(nodes) == 4 and min(nodes) > 0.1 for nodes in run["utilisation"])

    assert measured(report, "mean utilisation")["ratio"] == pytest.approx(1, abs=0.2)
    assert measured(report, "highest over mean")["ratio"] == pytest.approx(1, abs=0.25)
    assert measured(report, "highest utilisation")["real"] < 1.5
    assert measured(report, "over the limit")["real"] < 30, "s of a minute"
    assert measured(report, "beyond the links")["real"] < 3, "%"
    assert 0 < measured(report, "queued")["real"] < 60, "the crowd is more than there is room for"
    assert 10 < measured(report, "weight changes")["real"] < 60, "of 60 checks"


@pytest.mark.parametrize("policy", ["headroom", "updown"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_run_that_is_ended(start, environment, tmp_path, policy, number):
    options = ("--policy", policy, "--runs", str(tmp_path / "runs.jsonl"))
    command = start(lab.Process, "balance-real", [*COMMAND, *options], env=environment)
    folder = Path(environment["TMPDIR"])
    lab.wait_until(lambda: list(folder.glob("*/haproxy.sock")), "HAProxy runs", 60)
    command.signal(number)
    assert command.wait(20) == 1
    assert "balance-real: ended" in command.output()
    assert not (tmp_path / "runs.jsonl").exists()


def test_nothing_is_left_where_an_agent_does_not_start(environment, tmp_path):
    result = subprocess.run(
        [*COMMAND, "--policy", "headroom", "--logs", tmp_path / "logs"],
        capture_output=True,
        text=True,
        env={**environment, "WNA_AGENT": "/bin/false"},
        timeout=60,
    )
    assert result.returncode == 1
    assert "balance-real: the agent ended with 1" in result.stderr
    assert (tmp_path / "logs/headroom-1/node1-agent.log").exists()


def test_without_root_it_says_so(environment):
    command = ["unshare", "--user", lab.ROOT / "tools/balance-real"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20)
    assert result.returncode == 1
    assert "balance-real: needs root" in result.stderr


# Who comes


def test_the_sessions_have_the_means_that_the_load_is_made_of():
    plan = balance_plan.Plan("headroom", seconds=3600)
    found = [one for one in balance_plan.sessions(plan) if one.at >= 0]
    steady = [one for one in found if not 0 <= one.at - 1800 < plan.crowd_lasts]
    load = sum(one.length * one.cost for one in steady) / (plan.seconds - plan.crowd_lasts) / plan.nodes
    assert load == pytest.approx(plan.load, rel=0.05)
    assert max(one.cost for one in found) == pytest.approx(10 * min(one.cost for one in found), rel=0.01)
    in_crowd = len(found) - len(steady)
    assert in_crowd / plan.crowd_lasts == pytest.approx(plan.crowd * len(steady) / 3597, rel=0.3)
    assert found == sorted(found, key=lambda one: one.at)


def test_the_same_seed_brings_the_same_to_every_policy():
    first, other = balance_plan.Plan("headroom"), balance_plan.Plan("updown")
    assert balance_plan.sessions(first) == balance_plan.sessions(other)
    assert balance_plan.sessions(first) != balance_plan.sessions(balance_plan.Plan("headroom", seed=2))


# What agents learn


RESULTS = (
    *("over_limit_node_seconds", "session_seconds", "hot_session_seconds", "over_session_seconds", "refused"),
    *("sessions", "queued", "mean_utilisation", "imbalance", "highest_utilisation", "beyond_link_ratio"),
    "weight_changes_per_minute",
)


def course_of(*weighings):
    looks = [types.SimpleNamespace(weighing=weighing) for weighing in ([], *weighings)]
    return types.SimpleNamespace(looks=looks)


def weighing(effect, dispersion, level=None):
    return {"effect": effect, "arrival_dispersion": dispersion, "fleet_level": level}


def test_what_agents_learn_is_held_against_the_nodes():
    course = course_of([weighing(1, 0.5), weighing(2, 1.5, 0.75)], [weighing(3, 1, 0.5), weighing(4, 1)])
    assert balance_measures.learnt(course, [0.5, 0.5]) == {
        "effect": 2.5,
        "arrival_dispersion": 1,
        "level_known_ratio": 0.5,
        "level_error": pytest.approx(0.25 / 2**0.5),
    }
    assert balance_measures.learnt(course_of([], []), [0.5, 0.5]) == {}, "the script learns nothing"


@pytest.mark.parametrize(("seconds", "shown"), [(120, False), (600, True)])
def test_what_is_learnt_is_told_of_runs_that_are_long_enough(seconds, shown):
    plan = dataclasses.asdict(balance_plan.Plan("headroom", seconds=seconds))
    result = dict.fromkeys(RESULTS, 1)
    learnt = {"effect": 1.1, "arrival_dispersion": 0.6, "level_known_ratio": 0.5, "level_error": 0.03}
    run = {"plan": plan, "results": {**result, **learnt}}
    simulated = {plan["seed"]: [{**result, **learnt, "level_known_ratio": known} for known in (0.25, 0.75)]}
    rows = {row.title: row.cells() for row in balance_real.rows([run], simulated)}
    assert ("effect" in rows) == shown
    if shown:
        assert rows["fleet's level known, % of the time"][1:3] == ["50", "50"]
    del run["results"]["level_error"]
    assert "fleet's level by the nodes' mean, off by" not in {row.title for row in balance_real.rows([run], simulated)}
