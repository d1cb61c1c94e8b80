# SPDX-License-Identifier: Apache-2.0
"""How soon the agent follows what happens around it."""

import os
import signal
import socket
import time

import lab
from report import Figure
from workbench import CannotMeasure, median

NAME = "reactions"
TITLE = "how soon the agent follows what happens around it"
FIGURES = (
    Figure("recovery", "from WCS that answers again to the reply that says so", "ms", at_most=1_500),
    Figure("end", "from SIGTERM to its end, a client connected", "ms", at_most=1_000),
    Figure("watchdog", "longest time between two messages to the watchdog, of WATCHDOG_USEC",
           at_most=0.75),
)  # fmt: skip
# Nothing but what WCS counts says the weight.
SETTINGS = ("--policy=proportional", "--cpu=off", "--band-in=off", "--band-out=off")
WATCHDOG_SECONDS = 1.0


def recovery_ms(agent, simulator):
    """WCS hangs until the agent has noticed; then it answers, with other figures."""
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_up", lambda up: up == 0)
    simulator.set(hang=0, streams_webrtc_out=40)
    began = time.monotonic()
    lab.wait_until(lambda: agent.reply() == "up 60%\n", "the reply", every=0.002)
    took = time.monotonic() - began
    simulator.set(streams_webrtc_out=25)
    agent.wait_for_reply("^up 75%$")
    return took * 1e3


def end_ms(agent):
    with lab.connect(agent.metrics_address):
        agent.reply()
        began = time.monotonic()
        agent.signal(signal.SIGTERM)
        if status := agent.wait():
            raise CannotMeasure(f"the agent ended with {status}")
        return (time.monotonic() - began) * 1e3


def longest_watchdog_gap(bench, url, messages):
    """In seconds, from READY=1 on."""
    path = str(bench.scratch / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
        service_manager.bind(path)
        os.chmod(path, 0o777)
        service_manager.settimeout(15)
        environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6))}
        bench.keep(lab.Agent(bench.log("agent"), f"--wcs-url={url}", env=environment))
        times = []
        while len(times) <= messages:
            message = service_manager.recv(4096).decode().splitlines()
            if "WATCHDOG=1" in message or "READY=1" in message:
                times.append(time.monotonic())
    return max(after - before for before, after in zip(times, times[1:]))


def run(bench):
    rounds, messages = bench.choose((2, 4), (11, 20))
    simulator = bench.simulator()
    simulator.set(streams_webrtc_out=25)
    recoveries, ends = [], []
    for number in range(rounds):
        bench.progress(f"round {number + 1} of {rounds}")
        agent = bench.agent(f"--wcs-url={simulator.url}", *SETTINGS)
        agent.wait_for_reply("^up 75%$")
        recoveries.append(recovery_ms(agent, simulator))
        ends.append(end_ms(agent))
    shown = f"{rounds} times, {min(recoveries):.0f} to {max(recoveries):.0f}; asked once a second"
    bench.record("recovery", median(recoveries), shown, ms=recoveries)
    bench.record("end", median(ends), f"{rounds} times, {min(ends):.0f} to {max(ends):.0f}", ms=ends)
    gap = longest_watchdog_gap(bench, simulator.url, messages)
    bench.record("watchdog", gap / WATCHDOG_SECONDS, f"{messages} messages")
