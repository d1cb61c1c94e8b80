# SPDX-License-Identifier: Apache-2.0
"""How the cost of a sample grows with the CPUs of the host."""

import json

import debian_archive
import virtual_machine
from report import Figure
from workbench import PROGRAMS, CannotMeasure


NAME = "cpus"
TITLE = "one sample on hosts of 1 to 64 CPUs, emulated"
# QEMU's -smp, as one machine: CPUs that run, and those that could be plugged in.
HOSTS = {"1": "1", "16": "16", "16_of_64": "16,maxcpus=64", "64": "64"}
NAMES = {"1": "1 CPU", "16": "16 CPUs", "16_of_64": "16 CPUs of 64 possible", "64": "64 CPUs"}


def figures():
    for key, name in NAMES.items():
        yield Figure(f"sample_{key}", f"one sample, {name}: CPU to read and judge", "us")
    yield Figure("growth", "of it, for each CPU more", "us")


FIGURES = tuple(figures())


def sample_on(bench, cpus):
    """Microseconds, in a machine that is several times slower than this one; and of what."""
    calls = bench.choose(50, 300)
    outcome = virtual_machine.run_inside(
        virtual_machine.Kernel.fetch("6.12"),
        ["ip", PROGRAMS / "sample_cost"],
        ["veth"],
        "ip link add wan0 type veth peer name wan1 && ip link set wan0 up && ip link set wan1 up\n"
        f"sample_cost --calls {calls} >/out/cost",
        timeout=600,
        tell=lambda line: None,
        cpus=cpus,
    )
    if outcome.status:
        raise CannotMeasure(f"sample_cost ended with {outcome.status}")
    cost = json.loads(outcome.files["cost"])
    return cost["read"] + cost["judge"], f"read {cost['read']:.0f}, judge {cost['judge']:.0f} us"


def run(bench):
    samples = {}
    for key, cpus in HOSTS.items():
        bench.progress(f"booting {NAMES[key]}")
        try:
            samples[key], detail = sample_on(bench, cpus)
        except debian_archive.DebianError as error:
            raise CannotMeasure(str(error)) from None
        bench.record(f"sample_{key}", samples[key], detail)
    bench.record("growth", (samples["64"] - samples["1"]) / 63)
