# SPDX-License-Identifier: Apache-2.0
"""Why a node is in its state: the reply, the metric with the reason, the limit that the status marks."""

import re
import subprocess

import lab


def reasons(agent):
    names = re.compile(r'wcs_node_state_reason\{reason="(\w+)"\}')
    return [found[1] for name, value in agent.metrics().items() if (found := names.fullmatch(name)) and value == 1]


def marked(agent):
    """The row of `status` that is marked."""
    table = lab.run(lab.AGENT, "status", "--metrics-listen", agent.metrics_address)
    return re.findall(r"(?m)^(\w+) .*\bbottleneck\b", table), table


def test_the_reason_of_each_state(start_agent, simulator):
    options = ("--publishers=50", "--cpu=off", "--wcs-interval=200ms", "--wcs-timeout=2s", "--stale-after=4s")
    agent = start_agent(*options, "--band-out=1000")
    agent.wait_for_reply("^up ", 60)
    assert reasons(agent) == []

    simulator.set(streams_webrtc_in=60)
    agent.wait_for_reply("^down # publishers 60 of 50$", 60)
    assert reasons(agent) == ["publishers"]
    simulator.set(streams_webrtc_in=49)
    agent.wait_for_reply("^down # publishers 49 of 50; up again below 47.5$", 60)
    assert reasons(agent) == ["publishers"]
    names, table = marked(agent)
    assert names == ["publishers"] and "bottleneck, up again below 47.5" in table, table
    simulator.set(streams_webrtc_in=47)
    agent.wait_for_reply("^up ", 60)
    assert reasons(agent) == []

    simulator.close()
    agent.wait_for_reply("^down # wcs: ", 60)
    assert reasons(agent) == ["wcs_silent"]
    names, table = marked(agent)
    assert names == ["publishers"] and "unknown: wcs: " in table, table
    assert agent.status_json()["cause"] == "wcs_silent"


def test_what_the_process_takes_is_read_without_privileges(start_agent):
    agent = start_agent()
    agent.wait_for_reply("^up ", 60)
    status = dict(re.findall(r"(?m)^(\w+):\s+(\S+)", lab.run("cat", f"/proc/{agent.pid}/status")))
    assert status["Uid"] != "0"
    metrics = {name: value for name, value in agent.metrics().items() if name.startswith("process_")}
    assert len(metrics) == 6, metrics
    assert 0 < metrics["process_resident_memory_bytes"] < metrics["process_virtual_memory_bytes"]
    assert metrics["process_open_fds"] > 10
    limits = lab.run("cat", f"/proc/{agent.pid}/limits")
    assert metrics["process_max_fds"] == int(re.search(r"Max open files +(\d+)", limits)[1])
    assert metrics["process_cpu_seconds_total"] > 0
    started = subprocess.run(["ps", "-o", "lstart=", "-p", str(agent.pid)], capture_output=True, text=True, check=True)
    seconds = float(lab.run("date", "-d", started.stdout.strip(), "+%s"))
    assert abs(metrics["process_start_time_seconds"] - seconds) < 5
