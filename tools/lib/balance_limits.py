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
BY_MEAN = "headroom-told"  # the agent's policy with the fleet's mean known
BY_CHECKS = "floor-by-checks"  # asks no HAProxy: what is known at checks, at its best


@dataclasses.dataclass(frozen=True)
class Reach:
    """How near to a bound that the agent breaks anybody comes."""

    name: str
    ours: float
    bound: float
    by_weights: float  # the best of all gains, maxconn or not, that refuses no more
    by_mean: float  # the better of all gains, that refuses no more
    by_checks: float

    @property
    def by_weights_holds(self):
        return self.by_weights <= self.bound

    @property
    def by_mean_holds(self):
        return self.by_mean <= self.bound

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
    tries = [
        balance.run(program, cells, (*BY_WEIGHTS, BY_MEAN), seeds, (*options, "--gain", str(gain)), **cache)
        for gain in gains
    ]
    checks = balance.run(program, cells, (BY_CHECKS,), seeds, options, **cache)

    def of(cell):
        most_refused = _refused(found[cell]["headroom"]) + REFUSED_SLACK

        def tried(policies):
            return [
                _values(found[cell], one[cell][policy])
                for one in tries
                for policy in policies
                if _refused(one[cell][policy]) <= most_refused
            ]

        by_weights, by_mean = tried(BY_WEIGHTS), tried((BY_MEAN,))
        by_checks = _values(found[cell], checks[cell][BY_CHECKS])

        def best(values, name):
            return min((value[name] for value in values), default=math.inf)

        return [
            Reach(name, ours, bound, best(by_weights, name), best(by_mean, name), by_checks[name])
            for name, ours, bound in balance.violations(found[cell])
        ]

    return {cell: of(cell) for cell in cells}
