# SPDX-License-Identifier: Apache-2.0
"""Everything that the agent has to bear, at once, and what is true afterwards; tools/soak starts it.

    10.98.0.1 wan0 -- eth0 10.98.0.2: traffic to a network that receives it
    127.0.0.1: HAProxy's check, Prometheus; 127.0.1.x, 127.0.2.x ...: those who disturb
"""

import argparse
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lib"), str(ROOT / "tools/benchmarks")]
import disturbances  # noqa: E402
import lab  # noqa: E402
import machine  # noqa: E402
from agent_under_test import AgentUnderTest, Web  # noqa: E402
from disturbances import Disturbance  # noqa: E402
from findings import Finding, as_markdown, told  # noqa: E402
from workbench import PROGRAMS  # noqa: E402

WARM_UP = 60  # seconds, after which memory must stand still
GROWTH_MIB = 1.0
LATE_MS, LATE_SHARE = 10, 0.01  # a check's 99th percentile
WATCHDOG_SECONDS = 10
LOG_LINES_A_SECOND = 4  # reloads and what WCS does are told; nothing is told for each client

AGENT, METRICS = "127.0.0.1:9707", "127.0.0.1:9708"
STORM_SOURCES = 50
MOST_CONNECTIONS = 768 + 512  # on both ports
RESERVE = 128


def arguments():
    parser = argparse.ArgumentParser(prog="tools/soak", description=__doc__, add_help=False)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--output", type=Path, default=lab.ROOT / "build/soak")
    return parser.parse_args()


class Checks(lab.Process):
    """The program that checks at a steady rate; counts() once it has ended."""

    def __init__(self, log, seconds, every_us, sources):
        super().__init__(
            log,
            [
                str(PROGRAMS / "client"),
                *("--kind", "check", "--address", AGENT, "--seconds", str(seconds)),
                *("--every", str(every_us), "--sources", str(sources), "--cpu", "-1"),
                *("--at-once", "1", "--requests", "0", "--path", "/"),
            ],
        )

    def counts(self):
        if self.wait(60):
            raise RuntimeError(f"checks: {self.output()}")
        return json.loads(self.output())


def start_disturbances(agent, simulator, seconds, weak):
    both = (AGENT, METRICS)
    sources = [f"127.0.2.{number}" for number in range(1, 51)]
    sixteen = [f"127.0.7.{number}" for number in range(1, 17)]
    return [
        Disturbance(disturbances.scrapes, METRICS, "127.0.0.1", agent.web),
        Disturbance(disturbances.guesses, METRICS, "127.0.3.1", agent.web),
        Disturbance(disturbances.slow_requests, METRICS, sources),
        Disturbance(disturbances.idle_connections, both, sources),
        Disturbance(disturbances.resets, both, "127.0.4.1"),
        Disturbance(disturbances.scans, both, "127.0.5.1"),
        Disturbance(disturbances.begun_handshakes, METRICS, "127.0.6.1", 0.05 if weak else 0.002),
        Disturbance(disturbances.one_byte_requests, METRICS, sixteen, 0.05 if weak else 0.003),
        Disturbance(
            disturbances.strangers, both, ("127.128.0.1", "127.128.0.2"), 0.1 if weak else 0.01
        ),
        Disturbance(disturbances.stray_signals, agent.pid),
        Disturbance(disturbances.interfaces),
        Disturbance(disturbances.wcs_faults, simulator.control),
        Disturbance(
            disturbances.reloads,
            *(agent.pid, agent.log, agent.config_file, agent.good, agent.bad, 1.5 if weak else 0.5),
        ),
        Disturbance(disturbances.watchdog, agent.service_manager),
    ]


def watch(agent, seconds, disturbed):
    """Looks at the process every second; (memory at WARM_UP, samples)."""
    began, samples, at_warm_up = time.monotonic(), [], None
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(1)
        for one in disturbed:
            if not one.running:
                one.end()  # raises what ended it
        if not agent.running:
            raise RuntimeError(f"the agent ended with {agent.status}")
        samples.append((agent.resident_mib(), agent.descriptors(), agent.threads()))
        if at_warm_up is None and passed >= WARM_UP:
            at_warm_up = samples[-1][0]
        if len(samples) % 30 == 0:
            mib, descriptors, _ = samples[-1]
            print(f"   {passed:3.0f} s: {mib:.2f} MiB, {descriptors} descriptors", flush=True)
    return at_warm_up, samples


def judge_checks(name, counts, judged_by_time):
    replies = counts["replies"]
    ups = replies.get("up", 0)
    findings = [
        Finding(
            f"{name}: every check is answered, with up",
            ups == counts["requests"] > 0 and not counts["failed"],
            f"{counts['requests']:,} checks, {told(replies)}, {counts['failed']} failed",
        )
    ]
    if judged_by_time:
        late = counts["late"] / counts["requests"]
        findings.append(
            Finding(
                f"{name}: the 99th percentile is under {LATE_MS} ms",
                late < LATE_SHARE,
                f"{late:.2%} took {LATE_MS} ms or longer, median {counts['median_us']:.0f} us, "
                f"longest {counts['most_us'] / 1e3:.0f} ms",
            )
        )
    return findings


def judge_clients(by_name, weak):
    scraped, guessed = by_name["scrapes"], by_name["guesses"]
    reloaded, watched = by_name["reloads"], by_name["watchdog"]
    bad_pages = {k: v for k, v in scraped.items() if k != "status 200" and v}
    return [
        Finding(
            "scrapes: each page is whole, says up, and no counter goes back",
            not bad_pages and scraped["status 200"] > 0,
            told(scraped),
        ),
        Finding(
            "guesses: no password is guessed",
            guessed["status 401"] > 0 and guessed["status 200"] == 0,
            told(guessed),
        ),
        Finding(
            "reloads: each is told, good ones done, bad ones refused",
            min(reloaded["good"], reloaded["bad"], reloaded["FIFO"]) > 0,
            told(reloaded),
        ),
        Finding(
            "strangers: who is not allowed gets not a byte",
            by_name["strangers"]["refused"] > 0 and not by_name["strangers"]["bytes"],
            told(by_name["strangers"]),
        ),
        Finding(
            f"watchdog: fed within {WATCHDOG_SECONDS} s",
            watched["fed"] > 0 and watched["longest gap, ms"] < WATCHDOG_SECONDS * 1000,
            told(watched),
        ),
    ]


def judge_process(agent, at_warm_up, samples, seconds, weak):
    memory = [mib for mib, _, _ in samples]
    descriptors = [count for _, count, _ in samples]
    lines = agent.output().splitlines()
    bound = MOST_CONNECTIONS + RESERVE
    capabilities = agent.capabilities()
    findings = [
        Finding(
            f"descriptors: never more than the limit of {bound}",
            max(descriptors) <= bound,
            f"{agent.descriptors_before} before, at most {max(descriptors)}",
        ),
        Finding(
            "threads: the serving and the sampling one, and the one that computes passwords",
            {threads for _, _, threads in samples} <= {2, 3},
            str(sorted({threads for _, _, threads in samples})),
        ),
        Finding("capabilities: none", capabilities == 0 or weak, f"{capabilities:#x}"),
        Finding(
            f"log: at most {LOG_LINES_A_SECOND} lines a second",
            len(lines) <= LOG_LINES_A_SECOND * seconds,
            f"{len(lines):,} lines of {len(kinds_of(lines))} kinds",
        ),
    ]
    if not weak:  # under valgrind memory is valgrind's
        findings.append(
            Finding(
                f"memory: within {GROWTH_MIB:g} MiB of what it was after {WARM_UP} s",
                at_warm_up is not None and abs(memory[-1] - at_warm_up) <= GROWTH_MIB,
                f"{agent.resident_before:.2f} MiB before, {at_warm_up:.2f} after {WARM_UP} s, "
                f"{memory[-1]:.2f} at the end, at most {max(memory):.2f}",
            )
        )
    return findings


def kinds_of(lines):
    """The log's lines without their times, numbers and names."""
    return Counter(re.sub(r"[0-9]+|so(ak|ap|ar)\w*", "#", line[30:]) for line in lines)


def judge_end(agent):
    """After the disturbances: what is given back, how it ends, what it leaves."""
    lab.wait_until(
        lambda: agent.descriptors() <= agent.descriptors_before + 4, "descriptors are closed", 120
    )
    after = agent.descriptors()
    reply = agent.reply()
    status = agent.finish()
    left = agent.kernel_objects_left()
    return [
        Finding(
            "afterwards: descriptors are given back, a check is answered",
            reply.startswith("up "),
            f"{after} descriptors, {agent.descriptors_before} before; {reply.strip()!r}",
        ),
        Finding("the end: exit status 0", status == 0, str(status)),
        Finding(
            "kernel: after `unpin` no program, map, link or pin is left",
            not left,
            f"{len(left)} left {left or ''}",
        ),
    ]


def judge_valgrind(report):
    text = report.read_text()
    lost = re.findall(r"(definitely|indirectly|possibly) lost: ([\d,]+) bytes", text)
    errors = re.findall(r"ERROR SUMMARY: ([\d,]+) errors", text)
    allocated = re.findall(r"total heap usage: ([\d,]+) allocs", text)
    clean = "All heap blocks were freed" in text or (
        lost and all(count == "0" for _, count in lost)
    )
    return [
        Finding("valgrind: no block is lost", bool(clean), f"{', '.join(allocated)} allocated"),
        Finding("valgrind: no error", bool(errors) and set(errors) == {"0"}, ", ".join(errors)),
    ]


def soak(options, scratch, running):
    weak = options.valgrind
    lab.enter_private_network()
    peer = running.enter_context(closing(lab.Network()))
    peer.join("wan0", "10.98.0.1/24", "10.98.0.2/24")
    lab.ip("route", "add", "default", "via", "10.98.0.2")
    sink = running.enter_context(
        closing(
            lab.Simulator(
                scratch / "sink.log",
                *("--media-receive", "10.98.0.2:9000"),
                network=peer,
            )
        )
    )
    simulator = running.enter_context(
        closing(
            lab.Simulator(
                scratch / "wcs-sim.log",
                *("--media-send", "10.98.0.2:9000", "--media-rate", "20"),
            )
        )
    )
    assert sink.running
    web = Web(scratch)
    agent = AgentUnderTest(
        options.output, scratch, simulator, web, AGENT, METRICS, WATCHDOG_SECONDS, weak
    )
    running.callback(agent.close)
    agent.settle()

    every_us = 10_000 if weak else 200
    storm = Checks(scratch / "storm.json", options.seconds, every_us, STORM_SOURCES)
    observer = Checks(scratch / "observer.json", options.seconds, 50_000 if weak else 5_000, 0)
    disturbed = start_disturbances(agent, simulator, options.seconds, weak)
    at_warm_up, samples = watch(agent, options.seconds, disturbed)

    findings = judge_checks(f"{STORM_SOURCES} sources", storm.counts(), False)
    findings += judge_checks("another client", observer.counts(), not weak)
    counts = {one.name: one.end() for one in disturbed}
    findings += judge_clients(counts, weak)
    findings += judge_process(agent, at_warm_up, samples, options.seconds, weak)
    findings += judge_end(agent)
    if weak:
        findings += judge_valgrind(agent.valgrind_report)
    shown = (
        *("slow_requests", "idle_connections", "resets", "scans", "interfaces", "wcs_faults"),
        *("begun_handshakes", "one_byte_requests", "stray_signals"),
    )
    for name in shown:
        findings.append(Finding(name.replace("_", " "), bool(counts[name]), told(counts[name])))
    return findings


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs ignore the latter
        signal.signal(number, signal.default_int_handler)
    options.output.mkdir(parents=True, exist_ok=True)
    described = {**machine.describe(), "seconds": options.seconds}
    with tempfile.TemporaryDirectory(prefix="wcs-node-agent-soak-") as scratch, ExitStack() as all:
        findings = soak(options, Path(scratch), all)
    for finding in findings:
        print(finding)
    (options.output / "soak.md").write_text(as_markdown(described, findings))
    good = sum(finding.holds for finding in findings)
    print(f"{good} of {len(findings)} hold; {options.output}/soak.md")
    return 0 if good == len(findings) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except (RuntimeError, AssertionError, OSError, subprocess.SubprocessError, socket.error) as error:
        print(f"tools/soak: {error}", file=sys.stderr)
        sys.exit(1)
