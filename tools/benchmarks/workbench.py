# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks are made with: programs that measure, servers to be measured, CPU clocks."""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import lab

PROGRAMS = Path(os.environ.get("WNA_BENCHMARKS", str(lab.ROOT / "build/release/benchmarks")))
PEERS = Path(__file__).resolve().parent / "peers"


class CannotMeasure(Exception):
    """This machine lacks what a benchmark needs."""


class Workbench:
    """Given to each benchmark: its figures go into the section, its processes end with it."""

    def __init__(self, section, quick, scratch):
        self.section = section
        self.quick = quick
        self.scratch = Path(scratch)
        # The server is measured on the first CPU, what drives it sits on the last.
        self.server_cpu, *_, self.client_cpu = sorted(os.sched_getaffinity(0)) * 2
        self._running = ExitStack()
        self._logs = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running.close()

    def progress(self, text):
        print(f"   {self.section.name}: {text}", file=sys.stderr, flush=True)

    def record(self, key, value, detail="", **samples):
        row = self.section.rows[key]
        row.value, row.detail, row.samples = value, detail, samples

    def cannot_measure(self, key, why):
        self.section.rows[key].why = why

    def choose(self, quick, full):
        return quick if self.quick else full

    def keep(self, closable):
        return self._running.enter_context(closing(closable))

    def log(self, name):
        self._logs += 1
        return self.scratch / f"{self.section.name}-{self._logs}-{name}.log"

    def program(self, name, *options, network=None):
        """Runs one of the C++ programs with --name value options; what it prints, taken apart."""
        words = [str(PROGRAMS / name), *map(str, options)]
        if not Path(words[0]).exists():
            raise CannotMeasure(f"{words[0]} is not built")
        if network:
            words = network.command(*words)
        result = subprocess.run(
            words, capture_output=True, text=True, preexec_fn=lab.die_with_parent
        )
        if result.returncode:
            why = result.stderr.strip(" .\n") or result.returncode
            raise CannotMeasure(f"{name}: {why}")
        return json.loads(result.stdout)

    def ask(
        self, address, kind, seconds, at_once=1, requests=0, every=0, path="/", sources=0,
        network=None,
    ):  # fmt: skip
        """The client's figures for one run against an address."""
        result = self.program(
            "client",
            *("--address", address, "--kind", kind, "--cpu", self.client_cpu, "--at-once", at_once),
            *("--seconds", seconds, "--requests", requests, "--every", every, "--path", path),
            *("--sources", sources),
            network=network,
        )
        if result["failed"]:
            raise CannotMeasure(f"{result['failed']} of {result['requests']} checks failed")
        return result

    # Servers

    def on_server_cpu(self, *command):
        return ["taskset", "--cpu-list", str(self.server_cpu), *command]

    def simulator(self, **options):
        return self.keep(lab.Simulator(self.log("wcs-sim"), **options))

    def agent(self, *options, pinned=True, network=None, timeout=15.0):
        """The agent with its default settings but for the options, once it answers."""
        agent = self.keep(
            lab.Agent(
                self.log("agent"),
                *options,
                prefix=self.on_server_cpu() if pinned else (),
                network=network,
            )
        )
        with lab.inside(network):
            agent.wait_until_listening(timeout)
            agent.reply()
        return agent

    def serve(self, name, command, address, network=None):
        """Any other server, once it accepts."""
        if not Path(command[0]).exists():
            raise CannotMeasure(f"{command[0]} is not installed")
        command = self.on_server_cpu(*command)
        server = self.keep(lab.Process(self.log(name), command, network=network))

        def accepts():
            if not server.running:
                raise CannotMeasure(f"{name} ended with {server.status}: {server.output().strip()}")
            try:
                lab.connect(address, 1).close()
            except OSError:
                return False
            return True

        with lab.inside(network):
            lab.wait_until(accepts, f"{name} listens")
        return server

    def private_link(self):
        """A way out, as a node has it: a veth pair with the default route."""
        network = self.keep(lab.Network())
        network.join("wan0", "10.98.0.1/24", "10.98.0.2/24")
        lab.ip("route", "add", "default", "via", "10.98.0.2")


# CPU time


def family(pid):
    """A process and its living descendants."""
    pids = [pid]
    for one in pids:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            pids += map(int, task.read_text().split())
    return pids


def cpu_ns(pid):
    """What a process, its threads and its living descendants have run, to the nanosecond."""
    return sum(
        int(file.read_text().split()[0])
        for one in family(pid)
        for file in Path(f"/proc/{one}/task").glob("*/schedstat")
    )


def cpu_ns_with_the_dead(pid):
    """The same, with children that have ended and were waited for, to a tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def memory_mib(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise CannotMeasure(f"/proc/{pid}/status has no {name}")


def percent_of_a_core(pid, seconds):
    """CPU time over the wall clock while nothing is asked."""
    began, before = time.monotonic_ns(), cpu_ns(pid)
    time.sleep(seconds)
    return 100 * (cpu_ns(pid) - before) / (time.monotonic_ns() - began)


# Arithmetic


def median(values):
    return statistics.median(values)


def spread(values):
    """The middle half of some figures, for people."""
    values = sorted(values)
    if len(values) < 4:
        return f"{values[0]:.3g} to {values[-1]:.3g}"
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:.3g} to {high:.3g}"
