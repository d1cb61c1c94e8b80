# SPDX-License-Identifier: Apache-2.0
"""While the kernel keeps the sampling thread waiting, as it does for whoever asks of interfaces
while another changes many of them, everybody else is served."""

import signal
import time

import lab
import pytest

AGE = "wcs_node_agent_sample_age_seconds"
LONG = 6_000  # ms a request of netlink; each sample makes one
FOR_EVER = 3_600_000  # likewise, until it is less


@pytest.fixture
def waiting(start_agent, simulator, faults):
    """An agent whose sampling thread has just begun to wait."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--stale-after=1h", "--source=ebpf", env=faults.environment)
    agent.wait_for_reply("^up 75%$")
    faults.set(netlink_delay=LONG)
    lab.wait_until(lambda: agent.metrics()[AGE] > 1, "no sample comes")
    return agent


def test_checks_and_scrapes_are_answered(waiting, faults):
    """Fresh for two seconds, then with the age of what they say."""
    until = time.monotonic() + 0.6 * LONG / 1000
    answers = 0
    while time.monotonic() < until:
        assert waiting.reply().startswith("up 75%")
        assert waiting.get("/metrics")[0] == 200
        answers += 1
    assert answers > 100, "each waited for nothing"
    waiting.wait_for_line("sampling fails.*the kernel keeps it waiting")
    faults.set(netlink_delay=0)
    waiting.wait_for_line("sampling works again")
    waiting.wait_for_reply("^up 75%$")
    assert len(waiting.lines("sampling fails")) == 1


def test_its_age_is_in_the_reply(waiting):
    waiting.wait_for_reply(r"^up 75% # no sample for \d s$")
    assert waiting.get("/healthz")[0] == 503


def test_sigterm_ends_serving_at_once(waiting, faults):
    """What holds up the end is the sampling thread's."""
    faults.set(netlink_delay=FOR_EVER)
    waiting.signal(signal.SIGTERM)
    waiting.wait_for_line("stopping")
    with pytest.raises(OSError):
        lab.connect(waiting.address, 1)
    assert waiting.running, "the kernel still keeps it"
    faults.set(netlink_delay=0)
    assert waiting.wait(30) == 0


def test_sigterm_is_obeyed_while_a_reload_waits(waiting, faults):
    faults.set(netlink_delay=FOR_EVER)
    waiting.signal(signal.SIGHUP)
    assert waiting.reply().startswith("up 75%")
    waiting.signal(signal.SIGTERM)
    waiting.wait_for_line("stopping")
    assert not waiting.lines("reload: done")
    faults.set(netlink_delay=0)
    assert waiting.wait(30) == 0
