# SPDX-License-Identifier: Apache-2.0
"""Packets a second through the hooks."""

import lab
from report import Figure
from workbench import median, spread

NAME = "packets"
TITLE = "a flood of 60-byte UDP frames over a veth pair"
FIGURES = (
    Figure("ratio", "packets a second with the agent, of those without", at_least=0.98),
    Figure("ratio_one_cpu", "the same where the sender's CPU also receives: the cheapest packet"),
    Figure("over_empty", "added by the agent to a packet, over empty programs on the same hooks", "ns", at_most=10),
    Figure("over_empty_tc", "of it, by the programs that count traffic", "ns", at_most=10),
    Figure("added", "added by the agent to a packet, in all", "ns"),
    Figure("added_cpu", "of it, by the programs that count CPU time (a softirq a packet)", "ns"),
    Figure("traffic", "added to a packet by counting traffic, of what the tracepoint way adds", at_most=1.0),
    Figure("program", "one run of a counting program by BPF_PROG_TEST_RUN, over the empty one", "ns", at_most=10),
)


def flood(bench, sink_cpu, rounds, slice_seconds):
    other = bench.keep(lab.Network())
    name = f"flood{sink_cpu}"
    # Indexes that differ, so that one probe can follow both ends.
    lab.ip("link", "add", name, "index", str(1000 + sink_cpu), "type", "veth",
           "peer", "name", "sink", "index", str(2000 + sink_cpu), "netns", str(other.pid))  # fmt: skip
    network = f"10.99.{sink_cpu % 250}"
    lab.ip("address", "add", f"{network}.1/24", "dev", name)
    lab.ip("link", "set", name, "up")
    other.ip("address", "add", f"{network}.2/24", "dev", "sink")
    other.ip("link", "set", "sink", "up")
    return bench.program(
        "packets",
        *("--interface", name, "--peer-interface", "sink", "--peer-address", f"{network}.2"),
        *("--peer-namespace", f"/proc/{other.pid}/ns/net"),
        *("--cpu", bench.client_cpu, "--sink-cpu", sink_cpu),
        *("--rounds", rounds, "--slice", slice_seconds),
    )


def column(result, variant, what="ns"):
    return [row[variant][what] for row in result["rounds"]]


def differences(result, variant, other):
    return [row[variant]["ns"] - row[other]["ns"] for row in result["rounds"]]


def ratios(result):
    """Packets in a second of the sender's CPU time, so what else runs there is not in it."""
    return [row["none"]["ns"] / row["agent"]["ns"] for row in result["rounds"]]


def described(result):
    wall = median(column(result, "agent", "per_second")) / median(column(result, "none", "per_second"))
    return (
        f"{median(column(result, 'none')):.0f} ns a packet without, {median(column(result, 'agent')):.0f} with; "
        f"{len(result['rounds'])} rounds, middle half {spread(ratios(result))}; by the wall clock {wall:.3f}"
    )


def run(bench):
    rounds, slice_seconds = bench.choose((5, 0.08), (24, 0.25))
    bench.progress(f"{rounds} rounds, received on another CPU")
    two = flood(bench, bench.server_cpu, rounds, slice_seconds)
    bench.record("ratio", median(ratios(two)), described(two), rounds=two["rounds"])

    bench.progress(f"{rounds} rounds, sent and received on one CPU")
    one = flood(bench, bench.client_cpu, rounds, slice_seconds)
    bench.record("ratio_one_cpu", median(ratios(one)), described(one), rounds=one["rounds"])

    # Nanoseconds come from the one CPU, where nobody is woken and no cache line travels.
    def added(key, more, less, note=""):
        values = differences(one, more, less)
        bench.record(key, median(values), f"middle half {spread(values)} ns{note}", ns=values)

    added("over_empty", "agent", "empty, all hooks", "; both directions, and the softirq of each packet")
    ours = [
        row["agent"]["ns"]
        - row["agent, CPU programs alone"]["ns"]
        - (row["empty, traffic hooks"]["ns"] - row["none"]["ns"])
        for row in one["rounds"]
    ]
    bench.record("over_empty_tc", median(ours), f"middle half {spread(ours)} ns; both directions", ns=ours)
    added("added", "agent", "none", f"; empty programs on the same hooks add {median(differences(one, 'empty, all hooks', 'none')):.0f}")
    added("added_cpu", "agent, CPU programs alone", "none")
    traffic = median(differences(one, "agent", "agent, CPU programs alone"))
    tracepoints = median(differences(one, "tracepoints", "none"))
    bench.record("traffic", traffic / tracepoints, f"{traffic:.0f} ns against {tracepoints:.0f} ns")
    test = one["test_run"]
    bench.record(
        "program",
        max(test["receive"], test["transmit"]) - test["empty"],
        f"receive {test['receive']} ns, transmit {test['transmit']} ns, empty {test['empty']} ns",
    )
