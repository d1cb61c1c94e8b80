# SPDX-License-Identifier: Apache-2.0
"""How long until the first answer, and what a check without a daemon costs."""

import os
import subprocess
import time

import lab
from report import Figure
from workbench import CannotMeasure, median

NAME = "start"
TITLE = "the first answer, and `wcs-node-agent check` without a daemon"
FIGURES = (
    Figure("first_answer", "from start to the first answer of the daemon", "ms"),
    Figure("agent_wall", "check beside a running agent: wall clock", "ms", at_most=5),
    Figure("agent_cpu", "check beside a running agent: CPU", "ms"),
    Figure("ebpf_wall", "check --source ebpf: wall clock", "ms", at_most=300),
    Figure("ebpf_cpu", "check --source ebpf: CPU", "ms"),
    Figure("procfs_wall", "check --source procfs: wall clock", "ms", at_most=300),
    Figure("procfs_cpu", "check --source procfs: CPU", "ms"),
)


def first_answer_ms(bench, url):
    began = time.monotonic()
    agent = lab.Agent(bench.log("agent"), f"--wcs-url={url}")
    try:
        while True:
            try:
                agent.reply()
                return (time.monotonic() - began) * 1e3
            except OSError:
                if not agent.running or time.monotonic() - began > 15:
                    said = agent.output().strip()
                    raise CannotMeasure(f"the agent did not answer: {said}") from None
                time.sleep(0.001)
    finally:
        agent.close()


def one_check(*options):
    """Wall and CPU time in ms; children's as the kernel gives them to who waits."""
    began = time.monotonic()
    command = [lab.AGENT, "check", *options]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    reply = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or not reply:
        raise CannotMeasure(f"{' '.join(command)} ended with {child.returncode}")
    return (time.monotonic() - began) * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def run(bench):
    rounds = bench.choose(3, 11)
    bench.private_link()
    url = bench.simulator().url
    first, checks = [], {"ebpf": [], "procfs": []}
    bench.progress(f"{rounds} rounds")
    for _ in range(rounds):
        first.append(first_answer_ms(bench, url))
        for source, found in checks.items():
            found.append(one_check(f"--wcs-url={url}", "--source", source))
    beside = []
    agent = lab.Agent(bench.log("agent"), f"--wcs-url={url}")
    try:
        agent.wait_until_listening()
        agent.wait_for_reply("^(up|down)")
        beside = [one_check() for _ in range(bench.choose(30, 300))]
    finally:
        agent.close()
    bench.record("first_answer", median(first), f"{rounds} starts", ms=first)
    for name, found in {"agent": beside, **checks}.items():
        wall, cpu = zip(*found)
        bench.record(f"{name}_wall", median(wall), f"{len(found)} starts", ms=wall)
        bench.record(f"{name}_cpu", median(cpu), ms=cpu)
