# SPDX-License-Identifier: Apache-2.0
"""What weights can do at most: who knows all nodes and all costs, where the agent's policy does not keep a bound."""

import dataclasses
import math

import balance

BY_WEIGHTS = ("central", "central-maxconn")
GAINS = (0.5, 1, 2, 4)
FEW_GAINS = (1,)  # the best in nearly every cell, or near it
# Who turns sessions away has evener nodes: such a try does not count if it refuses so many more than the agent.
REFUSED_SLACK = 0.001  # of the sessions
BY_CHECKS = "floor-by-checks"  # asks no HAProxy: what is known at checks, at its best


@dataclasses.dataclass(frozen=True)
class Reach:
    """How near to a bound that the agent breaks anybody comes."""

    name: str
    ours: float
    bound: float
    by_weights: float  # the best of all gains, maxconn or not, that refuses no more
    by_checks: float

    @property
    def by_weights_holds(self):
        return self.by_weights <= self.bound

    @property
    def by_checks_holds(self):
        return self.by_checks <= self.bound


def _values(results, policy_results):
    """{bound's name: what these results come to}."""
    held = {**results, "headroom": policy_results}
    return {name: value for name, value, _ in balance.bounds(held)}


def _refused(results):
    return balance.total(results, "refused") / balance.total(results, "sessions")


def reach(program, found, seeds, options=(), gains=GAINS, **cache):
    """{cell: [Reach for each bound that does not hold]}, of the cells of found where there is one."""
    cells = [cell for cell, results in found.items() if balance.violations(results)]
    tries = []
    for gain in gains:
        gained = (*options, "--gain", str(gain))
        tries.append(balance.run(program, cells, BY_WEIGHTS, seeds, gained, **cache))
    checks = balance.run(program, cells, (BY_CHECKS,), seeds, options, **cache)

    def of(cell):
        most_refused = _refused(found[cell]["headroom"]) + REFUSED_SLACK
        by_weights = [
            _values(found[cell], results)
            for tried in tries
            for results in tried[cell].values()
            if _refused(results) <= most_refused
        ]
        by_checks = _values(found[cell], checks[cell][BY_CHECKS])
        return [
            Reach(name, ours, bound, min((values[name] for values in by_weights), default=math.inf), by_checks[name])
            for name, ours, bound in balance.violations(found[cell])
        ]

    return {cell: of(cell) for cell in cells}
