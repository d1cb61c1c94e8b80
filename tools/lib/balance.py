# SPDX-License-Identifier: Apache-2.0
"""The grid of balance-sim's runs, and what is asked of the agent's default policy in each of its cells."""

import concurrent.futures
import dataclasses
import json
import os
import subprocess

ALGORITHMS = ("roundrobin", "leastconn", "random")
POLICIES = ("updown", "proportional", "headroom", "floor")
OWN_CODE = {"proportional", "headroom", "headroom-told"}
KNOW_ALL = ("floor", "floor-by-checks")  # and ask no HAProxy
WORKLOADS = (
    *("steady", "busy", "full", "diurnal", "flash-crowd", "unequal", "cpu-bound", "band-bound"),
    *("join", "death", "silence", "restarts", "two-balancers", "twenty-balancers"),
)


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One row of the table: the same for all policies and seeds."""

    workload: str
    algorithm: str
    nodes: int


def grid(nodes, workloads=WORKLOADS, algorithms=ALGORITHMS):
    return [Cell(workload, algorithm, count) for count in nodes for workload in workloads for algorithm in algorithms]


def command(program, cell, policy, seed, options=()):
    return (
        *(program, "--json", "--workload", cell.workload, "--algorithm", cell.algorithm),
        *("--nodes", str(cell.nodes), "--policy", policy, "--seed", str(seed), *options),
    )


def simulate(words):
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def run(program, cells, policies=POLICIES, seeds=(1, 2, 3), options=(), known=None, note=None):
    """{cell: {policy: [a result for each seed]}}. Who knows all asks no algorithm: it runs once for all.

    known: results of earlier by their words; note(words, result) is called for each that is new.
    """
    known = dict(known or {})

    def words(cell, policy, seed):
        asked = dataclasses.replace(cell, algorithm=ALGORITHMS[0]) if policy in KNOW_ALL else cell
        return command(program, asked, policy, seed, options)

    every = dict.fromkeys(words(cell, policy, seed) for cell in cells for policy in policies for seed in seeds)
    new = [one for one in every if one not in known]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for one, result in zip(new, pool.map(simulate, new)):
            known[one] = result
            if note:
                note(one, result)

    def of(cell, policy):
        return [known[words(cell, policy, seed)] for seed in seeds]

    return {cell: {policy: of(cell, policy) for policy in policies} for cell in cells}


def total(results, measure):
    return sum(result[measure] for result in results)


def mean(results, measure):
    return total(results, measure) / len(results)


def share(results, measure):
    """Of all session time."""
    return total(results, measure) / total(results, "session_seconds")


def over(results):
    """s of each node's hour above its limit."""
    return sum(
        result["over_limit_node_seconds"] / result["nodes"] / result["hours"] for result in results
    ) / len(results)


def hot(results):
    """The share of session time on nodes above 0.8."""
    return share(results, "hot_session_seconds")


def imbalance(results):
    return mean(results, "imbalance")


def oscillation(results):
    return mean(results, "oscillation")


# What is below these nobody notices, and chance makes it.
OVER_SLACK = 2.0  # s of a node's hour
HOT_SLACK = 0.01  # of session time
OSCILLATION_SLACK = 0.005


HOT_AGAINST_UPDOWN = "hot: a fifth of up/down's"
OVER_AGAINST_UPDOWN = "over the limit: a tenth of up/down's"
IMBALANCE_AGAINST_FLOOR = "imbalance: the floor's and 10 %"


def is_known_to_fail(cell, name):
    """Where docs/balance.md says that a bound does not hold."""
    if name == HOT_AGAINST_UPDOWN:
        return True
    of_chance = {("twenty-balancers", "roundrobin", 100), ("flash-crowd", "roundrobin", 1000)}
    return name == IMBALANCE_AGAINST_FLOOR and (cell.workload, cell.algorithm, cell.nodes) in of_chance


def bounds(results):
    """What is asked of the default policy in a cell, each as (name, its value, the greatest allowed)."""
    updown, proportional, ours, floor = (results[policy] for policy in POLICIES)
    return [
        # What is left to who knows all is more demand than there is room for: that is no policy's.
        (OVER_AGAINST_UPDOWN, over(ours), 0.1 * over(updown) + over(floor) + OVER_SLACK),
        (HOT_AGAINST_UPDOWN, hot(ours), max(0.2 * hot(updown), hot(floor)) + HOT_SLACK),
        # What of the bound above can hold: docs/balance.md, "What weights can do at most".
        ("hot: up/down's", hot(ours), max(hot(updown), hot(floor)) + HOT_SLACK),
        ("over the limit: proportional's", over(ours), 1.05 * over(proportional) + OVER_SLACK),
        # Where the mean itself is hot, who is more even has more hot nodes, and who knows all the most.
        ("hot: proportional's", hot(ours), max(1.05 * hot(proportional), hot(floor)) + HOT_SLACK),
        ("imbalance: proportional's", imbalance(ours), 1.05 * imbalance(proportional)),
        ("oscillation: proportional's", oscillation(ours), 1.05 * oscillation(proportional) + OSCILLATION_SLACK),
        (IMBALANCE_AGAINST_FLOOR, imbalance(ours), 1.1 * imbalance(floor)),
    ]


def violations(results):
    return [(name, value, bound) for name, value, bound in bounds(results) if value > bound]


def unexpected(found):
    """What docs/balance.md does not tell of, as (cell, name, value, bound)."""
    return [
        (cell, *broken)
        for cell, results in found.items()
        for broken in violations(results)
        if not is_known_to_fail(cell, broken[0])
    ]
