# SPDX-License-Identifier: Apache-2.0
"""Switches between tasks."""

from report import Figure
from workbench import median, spread

NAME = "switches"
TITLE = "two threads that wake each other by pipes"
SWITCHES = 20_000  # a second: a busy media node
FIGURES = (
    Figure(
        "ratio", "switches a second with the CPU programs, of those without; one CPU",
        at_least=0.95,
    ),
    Figure("null", "the same without in both: what this machine makes of it"),
    Figure("added", "added to a switch from task to task", "ns"),
    Figure("at_20000", "that is, at 20,000 switches a second", "% of a CPU"),
    Figure("across_idle", "switches a second with, of those without; two CPUs, each through idle"),
    Figure("across_idle_null", "the same without in both"),
)


def run(bench):
    rounds, slice_seconds = bench.choose((5, 0.1), (24, 0.25))

    def ping_pong(other_cpu):
        return bench.program(
            "switches",
            *("--cpu", bench.client_cpu, "--other-cpu", other_cpu),
            *("--rounds", rounds, "--slice", slice_seconds),
        )["rounds"]

    bench.progress(f"{rounds} rounds on one CPU")
    one = ping_pong(bench.client_cpu)
    ratios = [row["none"]["ns"] / row["agent"]["ns"] for row in one]
    added = median([row["agent"]["ns"] - row["none"]["ns"] for row in one])
    base = median([row["none"]["ns"] for row in one])
    told = f"{base:.0f} ns of CPU a switch without; middle half {spread(ratios)}"
    bench.record("ratio", median(ratios), told, rounds=one)
    nulls = [row["none"]["ns"] / row["null"]["ns"] for row in one]
    bench.record("null", median(nulls), f"middle half {spread(nulls)}")
    bench.record("added", added)
    bench.record("at_20000", added * SWITCHES / 1e9 * 100)

    if bench.client_cpu == bench.server_cpu:
        for key in ("across_idle", "across_idle_null"):
            bench.cannot_measure(key, "there is one CPU only")
        return
    bench.progress(f"{rounds} rounds across idle")
    two = ping_pong(bench.server_cpu)
    ratios = [row["agent"]["per_second"] / row["none"]["per_second"] for row in two]
    rate = median([row["none"]["per_second"] for row in two])
    told = f"{rate:,.0f} a second without, by the wall clock; middle half {spread(ratios)}"
    bench.record("across_idle", median(ratios), told, rounds=two)
    nulls = [row["null"]["per_second"] / row["none"]["per_second"] for row in two]
    bench.record("across_idle_null", median(nulls), f"middle half {spread(nulls)}")
