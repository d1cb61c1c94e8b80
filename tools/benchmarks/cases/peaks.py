# SPDX-License-Identifier: Apache-2.0
"""What peak metering adds to the daemon at rest."""

import json
import subprocess

import lab
from report import Figure
from workbench import CannotMeasure, median, percent_of_a_core, spread

NAME = "peaks"
TITLE = "peak metering of bandwidth, on against off, at rest"
ROUNDS = 4
FIGURES = (Figure("cpu", "CPU time that it adds", "% of a core", at_most=0.5),)


def configuration(bench, peaks):
    path = bench.scratch / f"peaks-{peaks}.json"
    path.write_text(json.dumps({"peaks": peaks}))
    return str(path)


def run(bench):
    files = {peaks: configuration(bench, peaks) for peaks in (True, False)}
    command = [lab.AGENT, "config", "check", files[True]]
    known = subprocess.run(command, capture_output=True, text=True)
    if known.returncode:
        raise CannotMeasure("this agent has no setting `peaks`")
    seconds = bench.choose(5, 10)
    bench.private_link()
    url = bench.simulator().url
    found = {True: [], False: []}
    for number in range(ROUNDS):
        bench.progress(f"round {number + 1} of {ROUNDS}, {seconds} s each")
        # The order turns, so that neither is always first.
        for peaks in (True, False) if number % 2 == 0 else (False, True):
            agent = bench.agent(f"--wcs-url={url}", "--config", files[peaks], pinned=False)
            found[peaks].append(percent_of_a_core(agent.pid, seconds))
            agent.close()
    added = [on - off for on, off in zip(found[True], found[False])]
    bench.record(
        "cpu", median(added),
        f"{median(found[True]):.3f} with, {median(found[False]):.3f} without; "
        f"{ROUNDS} slices of {seconds} s each, {spread(added)}",
        on=found[True], off=found[False],
    )  # fmt: skip
