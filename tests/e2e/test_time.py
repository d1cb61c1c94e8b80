# SPDX-License-Identifier: Apache-2.0
"""Clocks that step, a process that stands still, a sampler that fails or falls behind."""

import contextlib
import email.utils
import errno
import os
import re
import signal
import threading
import time

import lab
import pytest

BAND_OUT = 'wcs_node_bandwidth_bits_per_second{direction="out"}'
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
    return abs(rate / (mbps * 1e6 * WIRE) - 1) < tolerance


@pytest.mark.parametrize("offset", [DAY, -DAY, 20 * 365 * DAY])
def test_steps_of_the_wall_clock_change_no_figure(start_agent, simulator, media, faults, offset):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(env=faults.environment)
    media(5)
    agent.wait_for_metric(BAND_OUT, lambda rate: near(rate, 5))
    faults.set(wall_clock_offset=offset)
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        page = agent.metrics()
        assert near(page[BAND_OUT], 5)
        assert 0 <= page["wcs_node_agent_sample_age_seconds"] < 1
        assert 0 <= page["wcs_stat_age_seconds"] < 1.5
        assert agent.reply() == "up 75%\n"
        time.sleep(0.05)
    date = email.utils.parsedate_to_datetime(agent.get("/healthz")[1]["Date"]).timestamp()
    assert abs(date - time.time() - offset) < 60, "the clock was stepped"
    assert not agent.lines("did not run|not answering|fails")


def test_a_stopped_process_answers_with_what_is_true_when_it_goes_on(
    start_agent, simulator, media, notify_socket
):
    """Stopped for longer than counts hold, and flooded meanwhile."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(
        "--band-out=20",
        env={"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "2000000"},
    )
    media(1)
    agent.wait_for_reply("^up 75%$")
    agent.signal(signal.SIGSTOP)
    lab.wait_until(lambda: "T (stopped)" in status_of(agent), "the agent is stopped")
    messages(notify_socket)
    media(40)
    replies = []
    waiting = threading.Thread(target=lambda: replies.append(agent.reply(timeout=30)))
    waiting.start()
    time.sleep(10)
    assert messages(notify_socket) == [], "nobody feeds the watchdog"
    agent.signal(signal.SIGCONT)
    waiting.join()
    assert re.match(r"down # band_out (3[5-9]|4[0-4])\.\d of 20\n", replies[0]), replies
    media(1)
    agent.wait_for_reply("^up 75%$")
    assert agent.lines(r"did not run for 1\d\.\d s")
    assert not agent.lines("node is down: (wcs|no sample)")
    assert any("WATCHDOG=1" in message for message in messages(notify_socket))


def test_a_pause_does_not_make_the_counts_of_wcs_stale(start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-timeout=1s", "--stale-after=3s", "--wcs-interval=1s")
    agent.wait_for_reply("^up 75%$")
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_up", lambda up: up == 0)
    agent.signal(signal.SIGSTOP)
    time.sleep(5)
    agent.signal(signal.SIGCONT)
    assert agent.reply() == "up 75%\n"
    agent.wait_for_reply("^down # wcs: ")  # the hold goes on, and ends


def status_of(agent):
    with open(f"/proc/{agent.pid}/status") as status:
        return status.read()


@pytest.mark.parametrize(
    "when_stale, then",
    [
        ("down", r"down # no sample for \d+ s\n"),
        ("drain", r"up 0% # no sample for \d+ s\n"),
        ("hold", r"up 75% # no sample for [4-9] s\n"),
        ("ignore", r"up 75% # no sample for [4-9] s\n"),
    ],
)
def test_an_old_verdict_is_not_given_out_as_fresh(
    start_agent, simulator, faults, notify_socket, when_stale, then
):
    """Sampling fails as /proc/stat cannot be read."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(
        f"--when-stale={when_stale}",
        env={
            **faults.environment,
            "NOTIFY_SOCKET": notify_socket.getsockname(),
            "WATCHDOG_USEC": "1000000",
        },
    )
    agent.wait_for_reply("^up 75%$")
    assert agent.get("/healthz")[0] == 200
    faults.set(proc_stat_error=errno.EIO)
    agent.wait_for_line("sampling fails.*/proc/stat")
    messages(notify_socket)
    assert agent.reply() == "up 75%\n", "it is young enough"

    agent.wait_for_reply(r"^up 75% # no sample for [23] s$")
    status, _, text = agent.get("/healthz")
    assert status == 503
    assert re.match(r"The last sample is [23]\.\d s old", text)
    assert 'wcs_node_state{state="up"}' in agent.metrics()
    agent.wait_for_reply("^" + then.removesuffix(r"\n") + "$")
    state = {"down": "down", "drain": "drain"}.get(when_stale, "up")
    assert agent.metrics()[f'wcs_node_state{{state="{state}"}}'] == 1
    assert agent.status_json()["state"] == state
    assert not any("WATCHDOG=1" in message for message in messages(notify_socket))

    # What a check costs does not depend on who asks how often: the sampler alone tries again.
    tried = agent.status_json()["agent"]["sample_failures"]
    began = time.monotonic()
    for _ in range(300):
        agent.reply()
    tries = agent.status_json()["agent"]["sample_failures"] - tried
    assert tries <= 2 + 10 * (time.monotonic() - began), "ten samples a second are due"

    faults.set(proc_stat_error=0)
    agent.wait_for_reply("^up 75%$", timeout=3)
    assert agent.get("/healthz")[0] == 200
    assert len(agent.lines("sampling fails")) == 1
    assert len(agent.lines("sampling works again")) == 1
    lab.wait_until(
        lambda: any("WATCHDOG=1" in message for message in messages(notify_socket)),
        "the watchdog is fed again",
    )


def test_rates_stay_true_while_the_sampler_falls_behind(start, start_agent, media):
    """100 samples a second are asked for on a CPU that others keep busy."""
    cpu = str(max(os.sched_getaffinity(0)))
    agent = start_agent("--sample-interval=10ms", "--window=2s", prefix=("taskset", "-c", cpu))
    media(5)
    agent.wait_for_metric(BAND_OUT, lambda rate: near(rate, 5))
    os.sched_setscheduler(agent.pid, os.SCHED_IDLE, os.sched_param(0))
    for number in range(4):
        start(
            lab.Process,
            f"spinner{number}",
            ["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"],
        )
    series = 'wcs_node_network_transmit_bytes_total{device="wan0"}'
    rates, waits = [], []
    before, began = agent.metrics()[series], time.monotonic()
    while time.monotonic() - began < 6:
        asked = time.monotonic()
        rates.append(agent.metrics()[BAND_OUT])
        waits.append(time.monotonic() - asked)
    truth = 8 * (agent.metrics()[series] - before) / (time.monotonic() - began)
    assert near(truth, 5, 0.15)
    assert all(abs(rate / truth - 1) < 0.25 for rate in rates), (truth, rates)
    assert max(waits) > 0.1, "it got no CPU for many intervals"


def test_the_wall_clock_is_not_what_deadlines_go_by(start_agent, faults):
    """A step back of a day does not keep a half-sent request open for a day."""
    agent = start_agent(env=faults.environment)
    with lab.connect(agent.metrics_address, 30) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n")
        faults.set(wall_clock_offset=-DAY)
        client.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
