# SPDX-License-Identifier: Apache-2.0
"""What peaks add: to a packet, and to the daemon at rest."""

import json

from report import Figure
from workbench import median, percent_of_a_core, spread

NAME = "peaks"
TITLE = "peaks of bandwidth, on against off"
ROUNDS = 4
DIRECTIONS = {"receive": "received", "transmit": "sent"}
FIGURES = (
    *(
        Figure(key, f"added to a frame that is {what}, by BPF_PROG_TEST_RUN", "ns", at_most=3)
        for key, what in DIRECTIONS.items()
    ),
    Figure("cpu", "CPU time that they add at rest", "% of a core", at_most=0.03),
)


def configuration(bench, peaks):
    path = bench.scratch / f"peaks-{peaks}.json"
    path.write_text(json.dumps({"peaks": peaks}))
    return str(path)


def packets(bench):
    bench.private_link()
    result = bench.program(
        "peak_cost",
        *("--interface", "wan0", "--cpu", bench.client_cpu, "--rounds", bench.choose(15, 101)),
    )
    for key in DIRECTIONS:
        on, off = ([row[which][key] for row in result["rounds"]] for which in ("with", "without"))
        added = [a - b for a, b in zip(on, off)]
        bench.record(
            key, median(added),
            f"{median(on):.0f} ns with, {median(off):.0f} without; {len(added)} rounds in turn, "
            f"middle half {spread(added)} ns",
            on=on, off=off,
        )  # fmt: skip


def rest(bench):
    files = {peaks: configuration(bench, peaks) for peaks in (True, False)}
    seconds = bench.choose(5, 10)
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


def run(bench):
    packets(bench)
    rest(bench)
