# SPDX-License-Identifier: Apache-2.0
"""Whether a check waits for what happens to the host's interfaces and routes."""

import sys
import time
from contextlib import closing

import lab
from report import Figure
from workbench import PROGRAMS, cpu_ns, median

NAME = "waits"
TITLE = "checks while the host's interfaces and routes change"
DISTURBANCES = {
    "new": "many new interfaces are followed one by one",
    "churn": "two interfaces a second come and go",
    "routes": "one route of many changes 20 times a second",
}


def figures():
    for key, what in DISTURBANCES.items():
        yield Figure(f"{key}_p99", f"a check, 99th percentile, while {what}", "ms", at_most=1)
        yield Figure(f"{key}_ratio", "that, of the minimal server's beside it", at_most=1.2)
        yield Figure(f"{key}_null", "the minimal server's, of its own in the next round")
    yield Figure("routes_cpu", "CPU of the agent meanwhile, nobody asking", "% of a core", at_most=1)


FIGURES = tuple(figures())
MINIMAL = "127.0.0.1:9796"


class Changes(lab.Process):
    """One `ip` in a network, which gets the lines in turn, for ever, with a pause after each."""

    SCRIPT = """
import itertools, subprocess, sys, time
ip = subprocess.Popen(["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE, text=True)
for line in itertools.cycle(sys.argv[2:]):
    print(line, file=ip.stdin, flush=True)
    time.sleep(float(sys.argv[1]))
"""

    def __init__(self, log, network, pause, *lines):
        super().__init__(log, [sys.executable, "-c", self.SCRIPT, str(pause), *lines], network)


def run_batch(bench, network, name, lines):
    batch = bench.scratch / name
    batch.write_text("".join(line + "\n" for line in lines))
    network.ip("-batch", str(batch))


def with_routes(bench, network, count):
    network.ip("link", "add", "dull0", "type", "bridge")
    network.ip("address", "add", "10.99.0.1/24", "dev", "dull0")
    network.ip("link", "set", "dull0", "up")
    run_batch(
        bench, network, "routes",
        (f"route add 172.16.{n // 256}.{n % 256}/32 dev dull0" for n in range(count)),
    )  # fmt: skip


def with_interfaces(bench, network, count):
    elsewhere = bench.keep(lab.Network())
    run_batch(
        bench, network, "interfaces",
        (f"link add veth{n} type veth peer name veth{n} netns {elsewhere.pid}" for n in range(count)),
    )  # fmt: skip


def compare(bench, key, network, agent, rounds, seconds):
    """The minimal server before and after each of the agent's: what this machine does to either."""
    ours, least, again = [], [], []
    for number in range(rounds):
        bench.progress(f"{key}: round {number + 1} of {rounds}")
        for address, into in ((MINIMAL, least), (agent.address, ours), (MINIMAL, again)):
            into.append(bench.ask(address, "check", seconds, every=1000, network=network)["p99_us"])
    bench.record(
        f"{key}_p99", median(ours) / 1e3,
        f"1,000 checks a second, {rounds} rounds of {seconds} s, {min(ours) / 1e3:.2f} to "
        f"{max(ours) / 1e3:.2f}; the minimal server {median(least + again) / 1e3:.2f}",
        ours=ours, least=least, again=again,
    )  # fmt: skip
    beside = [(before + after) / 2 for before, after in zip(least, again)]
    bench.record(f"{key}_ratio", median([mine / other for mine, other in zip(ours, beside)]))
    bench.record(f"{key}_null", median([after / before for before, after in zip(least, again)]))


def run(bench):
    rounds, seconds, interfaces, routes = bench.choose((2, 1, 50, 4096), (7, 3, 1000, 65_536))
    network = bench.keep(lab.Network())
    command = [str(PROGRAMS / "minimal_server"), "--port", MINIMAL.split(":")[1]]
    bench.serve("minimal_server", command, MINIMAL, network=network)
    simulator = bench.simulator(network=network)

    def agent():
        return bench.agent(f"--wcs-url={simulator.url}", network=network)

    with closing(agent()) as running:
        churn = ("link add come0 type veth peer name come1", "link delete come0")
        with closing(Changes(bench.log("churn"), network, 0.25, *churn)):
            compare(bench, "churn", network, running, rounds, seconds)

    with_routes(bench, network, routes)
    with closing(agent()) as running:
        flap = ("route add 192.0.2.7/32 dev dull0", "route delete 192.0.2.7/32 dev dull0")
        with closing(Changes(bench.log("routes"), network, 0.05, *flap)):
            compare(bench, "routes", network, running, rounds, seconds)
            began, before = time.monotonic_ns(), cpu_ns(running.pid)
            time.sleep(bench.choose(5, 20))
            used = 100 * (cpu_ns(running.pid) - before) / (time.monotonic_ns() - began)
    bench.record("routes_cpu", used, f"{routes:,} routes; at rest it is in the section `rest`")

    with_interfaces(bench, network, interfaces)
    with closing(agent()) as running:
        compare(bench, "new", network, running, rounds, seconds)
