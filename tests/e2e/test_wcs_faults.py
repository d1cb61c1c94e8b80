# SPDX-License-Identifier: Apache-2.0
"""Whatever WCS does, the agent answers, says what is wrong, and recovers at once."""

import time

import pytest

SERIES = 'wcs_fault{reason="%s"}'


@pytest.mark.parametrize(
    "fault, off, reason",
    [
        ({"garbage": 1}, {"garbage": 0}, "not_a_page"),
        ({"truncate": 40}, {"truncate": 0}, "truncated"),
        ({"size_mb": 20}, {"size_mb": 0}, "too_large"),
        ({"status": 500}, {"status": 0}, "http_status"),
        ({"hang": 1}, {"hang": 0}, "timeout"),
        ({"delay_ms": 5000}, {"delay_ms": 0}, "timeout"),
        ({"refuse": 1}, {"refuse": 0}, "connect"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_reply_holds_then_goes_down_and_recovers(start_agent, simulator, fault, off, reason):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent()
    agent.wait_for_reply("^up 75%$")
    assert agent.metrics()["wcs_up"] == 1
    answering = len(agent.lines("wcs: answering"))

    simulator.set(**fault)
    agent.wait_for_metric("wcs_up", lambda up: up == 0)
    assert agent.reply() == "up 75%\n"
    held = agent.metrics()
    assert held[SERIES % reason] == 1
    assert held['wcs_subscribers{protocol="webrtc"}'] == 25

    agent.wait_for_reply("^down # ")
    stale = agent.metrics()
    assert stale["wcs_stat_age_seconds"] >= 3
    assert 'wcs_subscribers{protocol="webrtc"}' not in stale
    assert 'wcs_node_limit_utilization_ratio{limit="subscribers"}' not in stale
    # The agent's own figures go on.
    assert stale["wcs_node_agent_sample_age_seconds"] < 1
    assert 'wcs_node_network_transmit_bytes_total{device="wan0"}' in stale
    assert 'wcs_node_bandwidth_bits_per_second{direction="out"}' in stale

    simulator.set(**off)
    agent.wait_for_reply("^up 75%$", timeout=3)
    assert agent.metrics()["wcs_up"] == 1
    assert agent.metrics()[SERIES % reason] == 0
    # A line a change, not one a fetch: there were five fetches a second.
    assert len(agent.lines("wcs: not answering")) == 1
    assert len(agent.lines("wcs: answering")) == answering + 1


def test_age_of_the_page_grows_while_wcs_hangs(start_agent, simulator):
    agent = start_agent()
    agent.wait_for_metric("wcs_up", lambda up: up == 1)
    assert agent.metrics()["wcs_stat_age_seconds"] < 1
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_stat_age_seconds", lambda age: age > 1)
    agent.wait_for_metric("wcs_stat_age_seconds", lambda age: age > 2)


def test_answers_while_wcs_hangs_from_the_start(start_agent, simulator):
    simulator.set(hang=1)
    agent = start_agent()
    agent.wait_for_reply("^down # ")
    began = time.monotonic()
    for _ in range(50):
        assert agent.reply().startswith("down # ")
    assert time.monotonic() - began < 5


def test_a_huge_page_does_not_stay_in_memory(start_agent, simulator):
    simulator.set(size_mb=50)
    agent = start_agent("--wcs-timeout=5s")
    agent.wait_for_metric(SERIES % "too_large", lambda value: value == 1)
    time.sleep(1)
    with open(f"/proc/{agent.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    assert peak < 128 * 1024  # kB; a page may have 16 MiB
