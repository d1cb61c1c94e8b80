# SPDX-License-Identifier: Apache-2.0
"""What a real run showed, by the names of balance-sim's results, and how far it can be believed."""

import balance_fleet

# As in tools/balance-sim/measures.cpp.
HOT = 0.8

MOST_CPU = 0.85  # of the machine, above which processes wait for it
MOST_LATE = 0.1  # s, of all but one in a hundred clients
LEAST_SENT = 0.97  # of the media that were asked for


def utilisations(plan, course):
    """Of each second the nodes', by the bytes that they sent, whether the link took them or not."""
    full = plan.limit * 1e6 / 8 / balance_fleet.WIRE  # bytes of payload in a second
    return [
        [(sent - before) / full / (now.at - last.at) for sent, before in zip(now.sent, last.sent)]
        for last, now in zip(course.looks, course.looks[1:])
    ]


def results(plan, course):
    names = [f"node{number}" for number in range(1, plan.nodes + 1)]
    came = [one for one in course.clients if one.session.at >= 0]
    used = utilisations(plan, course)
    # (utilisation, sessions) of each node and second
    cells = [
        cell for seconds, look in zip(used, course.looks[1:]) for cell in zip(seconds, look.sessions)
    ]
    busy = [(max(nodes), sum(nodes) / len(nodes)) for nodes in used if sum(nodes) > 0]
    left, dropped = (sum(last[i] - first[i] for first, last in zip(*course.links)) for i in (0, 1))
    return {
        "sessions": len(came),
        "refused": sum(one.asked and not one.node for one in came),
        "queued": sum(one.waited > 0 for one in came),
        "over_limit_node_seconds": sum(used > 1 for used, _ in cells),
        "session_seconds": sum(sessions for _, sessions in cells),
        "hot_session_seconds": sum(sessions for used, sessions in cells if used > HOT),
        "over_session_seconds": sum(sessions for used, sessions in cells if used > 1),
        "beyond_link_ratio": dropped / max(1, left + dropped),
        "mean_utilisation": sum(mean for _, mean in busy) / len(busy),
        "highest_utilisation": max(highest for highest, _ in busy),
        "imbalance": sum(highest / mean for highest, mean in busy) / len(busy),
        "weight_changes_per_minute": course.weight_changes / plan.nodes / plan.seconds * 60,
        "sessions_by_node": [sum(one.node == name for one in came) for name in names],
        **learnt(course, [sum(nodes) / len(nodes) for nodes in used]),
    }


def learnt(course, means):
    """What the agents know of who uses their weights. means: the nodes' utilisation, of each second."""
    known = [(one, mean) for look, mean in zip(course.looks[1:], means, strict=True) for one in look.weighing]
    if not known:
        return {}
    found = {name: sum(one[name] for one, _ in known) / len(known) for name in ("effect", "arrival_dispersion")}
    off = [one["fleet_level"] - mean for one, mean in known if one["fleet_level"] is not None]
    found["level_known_ratio"] = len(off) / len(known)
    if off:
        found["level_error"] = (sum(one * one for one in off) / len(off)) ** 0.5
    return found


def trust(plan, course):
    """How well the machine kept up, as figures, and what spoils the run, as sentences."""
    first, last = course.looks[0], course.looks[-1]
    cpu = (last.cpu[0] - first.cpu[0]) / max(1, last.cpu[1] - first.cpu[1])
    late = sorted(one.late for one in course.clients if one.asked)
    late = late[len(late) * 99 // 100]
    full = plan.limit * 1e6 / 8 / balance_fleet.WIRE
    asked = sum(one.asked_between(first.at, last.at) for one in course.clients) * full
    sent = sum(last.sent) - sum(first.sent)
    figures = {"cpu_ratio": cpu, "client_lateness_seconds": late, "sent_of_asked_ratio": sent / asked}
    spoilt = []
    if cpu > MOST_CPU:
        spoilt.append(f"the machine's CPUs were busy for {cpu:.0%} of the time")
    if late > MOST_LATE:
        spoilt.append(f"one client of a hundred came {late * 1000:.0f} ms late or more")
    if sent < LEAST_SENT * asked:
        spoilt.append(f"of the media that were asked for {sent / asked:.1%} were sent")
    return figures, spoilt
