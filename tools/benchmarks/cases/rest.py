# SPDX-License-Identifier: Apache-2.0
"""The daemon with nobody asking."""

from report import Figure
from workbench import memory_mib, percent_of_a_core

NAME = "rest"
TITLE = "the daemon at rest: default settings, the simulator as WCS, one interface, nobody asks"
FIGURES = (
    Figure("cpu", "CPU time", "% of a core", at_most=0.10),
    Figure("resident", "resident memory (VmRSS)", "MiB", at_most=9.5),
    Figure("own", "of it the process's own (RssAnon)", "MiB"),
)


def run(bench):
    seconds = bench.choose(10, 60)
    bench.private_link()
    agent = bench.agent(f"--wcs-url={bench.simulator().url}", pinned=False)
    bench.progress(f"{seconds} s")
    bench.record("cpu", percent_of_a_core(agent.pid, seconds), f"over {seconds} s")
    bench.record("resident", memory_mib(agent.pid, "VmRSS"))
    own = memory_mib(agent.pid, "RssAnon")
    bench.record("own", own, "the rest is pages of programs, libraries and maps")
