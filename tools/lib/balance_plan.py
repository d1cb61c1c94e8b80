# SPDX-License-Identifier: Apache-2.0
"""What one run of tools/balance-real is made of, and who comes: the same for the real nodes and for balance-sim.

Sessions are ten times shorter than those of docs/balance.md, and what else has to do with time is five times quicker:
two minutes show of them what twenty would.
"""

import dataclasses
import math
import random


@dataclasses.dataclass(frozen=True)
class Plan:
    """Times in s."""

    policy: str  # as balance-sim names it: updown, proportional, headroom
    algorithm: str = "roundrobin"
    seed: int = 1
    seconds: int = 120  # that are measured
    warm_up: float = 12  # before them

    nodes: int = 4
    limit: float = 8.0  # Mbit/s on the wire, of each node; its link is a quarter faster
    room: int = 40  # sessions of mean cost that fill a node

    load: float = 0.65  # of the nodes' limits, without the crowd
    mean_length: float = 30
    shortest_ramp: float = 1
    longest_ramp: float = 4
    spread: float = 10  # the costliest session by the cheapest
    crowd: float = 10  # times the arrivals, in the middle
    crowd_lasts: float = 3

    agent_inter: float = 1
    slowstart: float = 6
    queue_timeout: float = 2
    window: float = 0.5
    sample_interval: float = 0.1
    wcs_interval: float = 0.2
    recent_sessions: float = 4
    capacity_window: float = 60

    def simulated(self, program, trace, seed):
        """The command that simulates the same; seed: of the phases of checks and of HAProxy's draws."""
        # The script reads what WCS says of the last second.
        sample_interval = 1 if self.policy == "updown" else self.sample_interval
        options = {
            "policy": self.policy,
            "algorithm": self.algorithm,
            "trace": trace,
            "seed": seed,
            "nodes": self.nodes,
            "room": self.room,
            "hours": self.seconds / 3600,
            "warm-up": self.warm_up,
            "agent-inter": self.agent_inter,
            "slowstart": self.slowstart,
            "queue-timeout": self.queue_timeout,
            "window": self.window,
            "sample-interval": sample_interval,
            "recent-sessions": self.recent_sessions,
            "capacity-window": self.capacity_window,
        }
        return [program, "--json", "--spread-checks", *(f"--{name}={value}" for name, value in options.items())]


@dataclasses.dataclass(frozen=True)
class Session:
    at: float  # of measured time
    length: float
    ramp: float  # until it costs all that it will
    cost: float  # of a node's limit


# As in tools/balance-sim/workload.cpp.
LENGTH_DEVIATION = 1.2  # of the logarithm


def sessions(plan):
    """Who comes, in order. Within half of the warm-up those come too who are there in a steady state."""
    chance = random.Random(plan.seed)
    steady = plan.load * plan.nodes * plan.room  # sessions
    median = plan.mean_length * math.exp(-(LENGTH_DEVIATION**2) / 2)

    def one(at, length):
        ramp = chance.uniform(plan.shortest_ramp, plan.longest_ramp)
        size = plan.spread ** chance.random() * math.log(plan.spread) / (plan.spread - 1)
        return Session(at, length, ramp, size / plan.room)

    found = []
    for number in range(round(steady)):
        # Who is met at a moment is met in proportion to length, at any point of it.
        length = chance.lognormvariate(math.log(median) + LENGTH_DEVIATION**2, LENGTH_DEVIATION)
        at = -plan.warm_up + plan.warm_up / 2 * number / steady
        found.append(one(at, length * chance.random()))
    at = -plan.warm_up
    while True:
        at += chance.expovariate(plan.crowd * steady / plan.mean_length)
        if at >= plan.seconds:
            return sorted(found, key=lambda session: session.at)
        in_crowd = 0 <= at - plan.seconds / 2 < plan.crowd_lasts
        if in_crowd or chance.random() * plan.crowd < 1:
            found.append(one(at, chance.lognormvariate(math.log(median), LENGTH_DEVIATION)))


def write_trace(path, found):
    """As balance-sim --trace reads it."""
    lines = (f"{one.at:.6f} {one.length:.6f} {one.ramp:.6f} {one.cost:.9f}\n" for one in found)
    path.write_text("".join(lines))
