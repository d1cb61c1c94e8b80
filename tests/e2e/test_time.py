# SPDX-License-Identifier: Apache-2.0
"""Clocks that step, a process that stands still, a sampler that fails or falls behind."""

import contextlib
import email.utils
import os
import re
import signal
import threading
import time
from pathlib import Path

import lab
import pytest

BAND_OUT = 'wcs_node_bandwidth_bytes_per_second{direction="out"}'
WIRE = 1 + 42 / 1200  # a datagram's headers to the 1,200 bytes of the simulator's payload
DAY = 86_400


def messages(service_manager):
    """What has come by now."""
    service_manager.settimeout(0.01)
    got = []
    with contextlib.suppress(TimeoutError):
        while True:
            got.append(service_manager.recv(4096).decode())
    return got


def near(rate, mbps, tolerance=0.1):
    """A rate in bytes a second."""
    return abs(rate / (mbps * 1e6 / 8 * WIRE) - 1) < tolerance


@pytest.mark.parametrize("offset", [DAY, -DAY, 20 * 365 * DAY])
def test_steps_of_the_wall_clock_change_no_figure(start_agent, simulator, media, faults, offset):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(env=faults.environment)
    media.set(media_mbps=5)
    agent.wait_for_metric(BAND_OUT, lambda rate: near(rate, 5))
    faults.set(wall_clock_offset=offset)
    for _ in range(10):
        agent.wait_for_samples()
        page = agent.metrics()
        assert near(page[BAND_OUT], 5)
        assert 0 <= page["wcs_node_agent_sample_age_seconds"] < 1
        assert 0 <= page["wcs_stat_age_seconds"] < 1.5
        assert agent.reply() == "up 75%\n"
    date = email.utils.parsedate_to_datetime(agent.get("/healthz")[1]["Date"]).timestamp()
    assert abs(date - time.time() - offset) < 60, "the clock was stepped"
    assert not agent.lines("did not run|not answering|fails")


def test_a_stopped_process_answers_with_what_is_true_when_it_goes_on(
    start_agent, simulator, media, notify_socket
):
    """Stopped for longer than counts hold, and flooded meanwhile."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(
        *("--band-out=20", "--stale-after=1500ms"),
        env={"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "500000"},
    )
    media.set(media_mbps=1)
    agent.wait_for_reply("^up 75%$")
    agent.signal(signal.SIGSTOP)
    lab.wait_until(lambda: "T (stopped)" in status_of(agent), "the agent is stopped")
    messages(notify_socket)
    before = media.state()["media_sent_bytes"]
    media.set(media_mbps=40)
    replies = []
    waiting = threading.Thread(target=lambda: replies.append(agent.reply(timeout=30)))
    waiting.start()
    lab.wait_until(
        lambda: media.state()["media_sent_bytes"] - before > 4 * 40e6 / 8, "4 s of 40 Mbit/s"
    )
    assert messages(notify_socket) == [], "nobody feeds the watchdog"
    sent = media.state()["media_sent_bytes"] - before
    agent.signal(signal.SIGCONT)
    waiting.join()
    match = re.fullmatch(r"down # band_out (\d+\.\d) of 20\n", replies[0])
    assert match, replies
    media.set(media_mbps=1)
    agent.wait_for_reply("^up 75%$")
    stopped = float(re.search(r"did not run for (\d+\.\d) s", agent.output())[1])
    assert near(1e6 / 8 * float(match[1]), 8 * sent / 1e6 / stopped), "the mean of what was sent"
    assert not agent.lines("node is down: (wcs|no sample)")
    assert any("WATCHDOG=1" in message for message in messages(notify_socket))


def test_a_pause_does_not_make_the_counts_of_wcs_stale(start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-timeout=500ms", "--stale-after=3s", "--wcs-interval=1s")
    agent.wait_for_reply("^up 75%$")
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_up", lambda up: up == 0)
    agent.signal(signal.SIGSTOP)
    time.sleep(3.5)  # longer than counts hold
    agent.signal(signal.SIGCONT)
    assert agent.reply() == "up 75%\n"
    agent.wait_for_reply("^down # wcs: ")  # the hold goes on, and ends


def status_of(agent):
    with open(f"/proc/{agent.pid}/status") as status:
        return status.read()


# What each when_unreadable answers once nobody can say how the node is: the reply, and the state.
WHEN_UNREADABLE = {
    "down": (r"^down # no sample for \d+ s$", "down"),
    "drain": (r"^up 0% # no sample for \d+ s$", "drain"),
    "hold": (r"^up 75% # no sample for [4-9] s$", "up"),
    "ignore": (r"^up 75% # no sample for [4-9] s$", "up"),
}


def test_an_old_verdict_is_not_given_out_as_fresh(start_agent, simulator, faults, notify_socket):
    """Sampling fails as there is no memory for it; an agent for each when_unreadable."""
    simulator.set(streams_webrtc_out=25)
    environment = {
        **faults.environment,
        "NOTIFY_SOCKET": notify_socket.getsockname(),
        "WATCHDOG_USEC": "1000000",
    }
    agents = {
        when_unreadable: start_agent(
            *(f"--when-unreadable={when_unreadable}", "--stale-after=4s"),
            name=when_unreadable,
            listen=f"127.0.0.1:{9720 + number}",
            metrics=f"127.0.0.1:{9730 + number}",
            env=environment,
        )
        for number, when_unreadable in enumerate(WHEN_UNREADABLE)
    }
    for agent in agents.values():
        agent.wait_for_reply("^up 75%$")
        assert agent.get("/healthz")[0] == 200
    faults.set(no_memory_in_sample=1)
    for agent in agents.values():
        agent.wait_for_line("sampling fails.*no memory")
    messages(notify_socket)
    assert agents["down"].reply() == "up 75%\n", "it is young enough"

    for agent in agents.values():
        agent.wait_for_reply(r"^up 75% # no sample for [23] s$")
        status, _, text = agent.get("/healthz")
        assert status == 503
        assert re.match(r"The last sample is [23]\.\d s old", text)
        assert 'wcs_node_state{state="up"}' in agent.metrics()
    messages(notify_socket)  # the watchdog was fed as long as the last sample was fresh
    for when_unreadable, (reply, state) in WHEN_UNREADABLE.items():
        agent = agents[when_unreadable]
        agent.wait_for_reply(reply)
        assert agent.metrics()[f'wcs_node_state{{state="{state}"}}'] == 1
        assert agent.status_json()["state"] == state
    assert not any("WATCHDOG=1" in message for message in messages(notify_socket))

    # What a check costs does not depend on who asks how often: the sampler alone tries again.
    for agent in agents.values():
        tried = agent.status_json()["agent"]["sample_failures"]
        began = time.monotonic()
        for _ in range(100):
            agent.reply()
        tries = agent.status_json()["agent"]["sample_failures"] - tried
        assert tries <= 2 + 10 * (time.monotonic() - began), "ten samples a second are due"

    faults.set(no_memory_in_sample=0)
    for agent in agents.values():
        agent.wait_for_reply("^up 75%$")
        assert agent.get("/healthz")[0] == 200
        assert len(agent.lines("sampling fails")) == 1
        assert len(agent.lines("sampling works again")) == 1
    lab.wait_until(
        lambda: any("WATCHDOG=1" in message for message in messages(notify_socket)),
        "the watchdog is fed again",
    )


def waited_for_a_cpu(pid):
    """Seconds that a process was ready to run and did not."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def test_rates_stay_true_while_the_sampler_falls_behind(start, start_agent, media):
    """100 samples a second are asked for on a CPU that others keep busy."""
    cpu = str(max(os.sched_getaffinity(0)))
    agent = start_agent("--sample-interval=10ms", "--window=1s", prefix=("taskset", "-c", cpu))
    media.set(media_mbps=5)
    agent.wait_for_metric(BAND_OUT, lambda rate: near(rate, 5))
    os.setpriority(os.PRIO_PROCESS, agent.pid, 10)
    for number in range(4):
        start(
            lab.Process,
            f"spinner{number}",
            ["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"],
        )
    series = 'wcs_node_network_transmit_bytes_total{device="wan0"}'
    before, began, waited = agent.metrics()[series], time.monotonic(), waited_for_a_cpu(agent.pid)
    pages = lab.watch(agent.metrics, lambda _: time.monotonic() - began > 4, "4 s")
    truth = (pages[-1][series] - before) / (time.monotonic() - began)
    assert waited_for_a_cpu(agent.pid) - waited > 1, "else it did not fall behind"
    assert near(truth, 5, 0.15)
    rates = [page[BAND_OUT] for page in pages]
    assert all(abs(rate / truth - 1) < 0.25 for rate in rates), (truth, rates)


def test_the_wall_clock_is_not_what_deadlines_go_by(start_agent, faults):
    """A step back of a day does not keep a half-sent request open for a day."""
    agent = start_agent(env=faults.environment)
    with lab.connect(agent.metrics_address, 30) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n")
        faults.set(wall_clock_offset=-DAY)
        client.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
