# SPDX-License-Identifier: Apache-2.0
"""The limits beside CPU, streams and bandwidth: media ports, the busiest CPU, what UDP loses, and an operator's own."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import lab
import pytest

UDP_ERRORS = "wcs_node_udp_receive_buffer_errors_total"
SOFTNET = ("wcs_node_softnet_dropped_total", "wcs_node_softnet_time_squeeze_total")


def udp_counter(name):
    """Of this network namespace, IPv4."""
    with open("/proc/net/snmp") as snmp:
        names, numbers = (line.split() for line in snmp if line.startswith("Udp:"))
    return int(numbers[names.index(name)])


def lose_datagrams(count):
    """Sends so many to a socket that nobody reads; how many of them its buffer had no room for."""
    before = udp_counter("RcvbufErrors")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind(("127.0.0.1", 0))
        for _ in range(count):
            sender.sendto(bytes(200), deaf.getsockname())
    return udp_counter("RcvbufErrors") - before


def test_a_burst_into_a_small_buffer_lowers_the_weight_for_as_long_as_the_window_has_it(start_agent):
    agent = start_agent()
    agent.wait_for_reply("^up 100%$")
    before = agent.metrics()[UDP_ERRORS]

    lost = lose_datagrams(5000)
    assert lost > 4000
    replies = lab.watch(agent.reply, lambda reply: "udp_loss" in reply, "the loss is noticed")
    assert re.fullmatch(r"up 1% # udp_loss \d\d+\.\d of 1\n", replies[-1])
    assert agent.metrics()[UDP_ERRORS] == before + lost
    limit = agent.status_json()["limits"]["udp_loss"]
    assert (limit["soft"], limit["unit"], limit["maximum"]) == (True, "percent", 1)
    assert limit["utilisation"] > 50

    replies += lab.watch(agent.reply, lambda reply: reply == "up 100%\n", "the window is over", 30)
    assert {reply.split("%")[0] for reply in replies} <= {"up 100", "up 1"}


def test_a_few_lost_datagrams_are_no_evidence(start_agent):
    agent = start_agent()
    agent.wait_for_reply("^up 100%$")
    lost = lose_datagrams(900)
    assert lost > 500
    agent.wait_for_metric(UDP_ERRORS, lambda errors: errors >= lost)
    assert agent.reply() == "up 100%\n"


@pytest.mark.parametrize("decides", ["ignore", "down"])
def test_without_the_kernels_counters_udp_loss_is_unknown_and_nothing_else(start_agent, tmp_path, decides):
    """A file that lacks the columns, as where another program's is mounted there."""
    net = tmp_path / "net"
    net.mkdir()
    for name in ("snmp6", "softnet_stat"):
        (net / name).write_text(Path("/proc/net", name).read_text())
    (net / "snmp").write_text("Udp: InDatagrams\nUdp: 1\n")
    hide = f'mount --bind {net} /proc/$$/net && exec "$@"'  # /proc/net is self/net
    agent = start_agent(f"--when-unreadable={decides}", prefix=("unshare", "--mount", "sh", "-c", hide, "sh"))
    agent.wait_for_reply("^up 100% # udp_loss unknown: /proc/net/snmp: lacks a counter of UDP$")
    metrics = agent.metrics()
    assert UDP_ERRORS not in metrics
    assert 'wcs_node_limit_utilization_ratio{limit="udp_loss"}' not in metrics
    assert metrics['wcs_node_limit_unknown{limit="udp_loss"}'] == 1
    assert all(name in metrics for name in SOFTNET)
    assert len(agent.lines("what UDP loses cannot be read: /proc/net/snmp")) == 1


@contextlib.contextmanager
def spinner(cpu):
    """A process that keeps one CPU busy."""
    child = subprocess.Popen(
        [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{cpu}])\nwhile True: pass"],
        preexec_fn=lab.die_with_parent,
    )
    try:
        yield
    finally:
        child.kill()
        child.wait()


@pytest.mark.idle
def test_one_full_cpu_trips_cpu_core_and_not_the_mean(start_agent):
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("needs two CPUs")
    agent = start_agent("--cpu=90", "--cpu-core=95", "--window=2s")
    with spinner(cpus[-1]):
        replies = lab.watch(agent.reply, lambda reply: reply.startswith("down"), "the node is down", 30)
        status = agent.status_json()
        assert re.fullmatch(r"down # cpu_core (9[5-9]|100)\.\d of 95\n", replies[-1])
        assert all(reply.startswith("up") for reply in replies[:-1])
        assert status["limits"]["cpu"]["utilisation"] < 1
        assert status["bottleneck"] == "cpu_core"
        assert agent.metrics()["wcs_node_cpu_max_utilization_ratio"] > 0.95
    agent.wait_for_reply("^up", 30)


def test_media_ports_that_are_used_up_take_the_node_down(start_agent, simulator):
    simulator.set(ports_media_busy=200, ports_media_quarantine=50, ports_media_free=250)
    agent = start_agent()
    agent.wait_for_reply("^up 47%$")  # 50 of 95 %
    assert agent.metrics()['wcs_node_limit{limit="ports"}'] == 0.95
    simulator.set(ports_media_busy=440, ports_media_free=10)
    agent.wait_for_reply("^down # ports 98.0 of 95$")
    simulator.set(ports_media_quarantine="")
    agent.wait_for_reply("^up 100%$")
    metrics = agent.metrics()
    assert 'wcs_node_limit{limit="ports"}' not in metrics
    assert 'wcs_node_limit_unknown{limit="ports"}' not in metrics


def test_own_limits_follow_the_page_and_the_configuration(start_agent, simulator, tmp_path):
    configuration = tmp_path / "config.json"

    def write(*limits):
        configuration.write_text(json.dumps({"limits": limits}))

    threads = {"name": "threads", "value": ["core_a", "core_b"], "max": 200}
    memory = {"name": "memory", "value": "system_used", "of": ["system_used", "system_free"], "max": "80%"}
    write(threads, memory)
    simulator.set(core_a=20, core_b=30, system_used=20, system_free=80)
    # Names of limits are found whatever the bound.
    agent = start_agent("--config", str(configuration), "--wcs-max-stats=0", "--stale-after=1s")
    agent.wait_for_reply("^up 75%$")
    metrics = agent.metrics()
    assert metrics['wcs_node_limit{limit="threads"}'] == 200
    assert metrics['wcs_node_limit{limit="memory"}'] == 0.8
    assert metrics['wcs_stat{key="core_a"}'] == 20

    simulator.set(core_a=190)
    agent.wait_for_reply("^down # threads 220 of 200$")
    simulator.set(core_a="")
    missing = "threads unknown: wcs: the page has no number named 'core_a'"
    agent.wait_for_reply(f"^up 75% # {missing}$")
    assert agent.metrics()['wcs_node_limit_unknown{limit="threads"}'] == 1
    agent.wait_for_line(f"limit {missing.replace(' unknown', ' is unknown')}")

    write({**memory, "max": "10%", "soft": True})
    agent.signal(signal.SIGHUP)
    agent.wait_for_reply("^up 1% # memory 20.0 of 10$")
    logged = agent.wait_for_line(r"reload: done: limits: \[(.*)\] -> \[(.*)\]$")
    assert "threads" in logged[1] and "threads" not in logged[2] and '"10%"' in logged[2]
    assert "threads" not in agent.status_json()["limits"]

    write({**memory, "name": "cpu"}, {**threads, "max": "5%"})
    agent.signal(signal.SIGHUP)
    agent.wait_for_line('/limits/0/name: "cpu" is a limit that the agent has already$')
    agent.wait_for_line('/limits/1/max: "5%" is a percentage')
    assert agent.reply() == "up 1% # memory 20.0 of 10\n"


def test_doctor_says_which_limits_are_checked_and_what_they_need(simulator, tmp_path):
    configuration = tmp_path / "config.json"
    limit = {"value": ["core_a"], "max": 200}
    configuration.write_text(
        json.dumps({"limits": [{"name": "there", **limit}, {"name": "gone", **limit, "value": "core_b"}]})
    )
    simulator.set(core_a=1)
    words = (lab.AGENT, "doctor", "--config", configuration, "--wcs-url", simulator.url, "--hls=off")
    report = subprocess.run(words, capture_output=True, text=True, timeout=60).stdout
    for line in (
        r"ok +limit cpu +90 %: ",
        r"ok +limit ports +95 %: ports_media_busy \+ ports_media_quarantine on the page$",
        r"ok +limit udp_loss +1 %, soft: /proc/net/snmp",
        r"ok +limit there +200: core_a on the page$",
        r"missing +limit gone +200: not checked, the page has no number named 'core_b'$",
        r"note +limits that are off +hls, cpu_core, band_out_peak$",
    ):
        assert re.search(line, report, re.MULTILINE), (line, report)
