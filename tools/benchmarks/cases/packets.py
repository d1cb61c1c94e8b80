# SPDX-License-Identifier: Apache-2.0
"""Packets a second through the hooks."""

import lab
from report import Figure
from workbench import median, spread

NAME = "packets"
TITLE = "a flood of 60-byte UDP frames over a veth pair"
NODES = {"sends": "sending node", "receives": "receiving node"}


def figures():
    for node, who in NODES.items():
        yield Figure(
            f"ratio_{node}", f"{who}: packets a second with the agent, of those without",
            at_least=0.98,
        )  # fmt: skip
        yield Figure(
            f"ratio_{node}_empty",
            f"{who}: the same with empty programs on the agent's hooks: what the hooks leave",
        )
        yield Figure(
            f"ratio_{node}_one_cpu",
            f"{who}: the same where the sender's CPU also receives: the cheapest packet",
        )
        yield Figure(
            f"ratio_{node}_one_cpu_empty", f"{who}: the same there, with empty programs",
        )
        yield Figure(f"added_{node}", f"{who}: added by the agent to a packet, in all", "ns")
        yield Figure(
            f"over_empty_{node}",
            f"{who}: added by the agent to a packet, over empty programs on the same hooks",
            "ns", at_most=5,
        )  # fmt: skip
        yield Figure(
            f"traffic_{node}",
            f"{who}: added to a packet by counting traffic, of what the tracepoint way adds",
            at_most=1.0,
        )
    yield Figure("added_cpu", "added to a packet by the programs that count CPU time", "ns")
    yield Figure(
        "program", "one run of a counting program by BPF_PROG_TEST_RUN, over the empty one",
        "ns", at_most=5,
    )  # fmt: skip


FIGURES = tuple(figures())


def flood(bench, sink_cpu, rounds, slice_seconds):
    other = bench.keep(lab.Network())
    name = f"flood{sink_cpu}"
    lab.ip("link", "add", name, "type", "veth", "peer", "name", "sink", "netns", str(other.pid))
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


def ratios(result, variant):
    """Packets in a second of the sender's CPU time, so what else runs there is not in it."""
    return [row["none"]["ns"] / row[variant]["ns"] for row in result["rounds"]]


def record_ratio(bench, key, result, variant):
    found = ratios(result, variant)
    rate = {name: median(column(result, name, "per_second")) for name in ("none", variant)}
    bench.record(
        key, median(found),
        f"{median(column(result, 'none')):.0f} ns a packet without, "
        f"{median(column(result, variant)):.0f} with; {len(found)} rounds, "
        f"middle half {spread(found)}; by the wall clock {rate[variant] / rate['none']:.3f}",
        rounds=[{name: row[name] for name in ("none", variant)} for row in result["rounds"]],
    )  # fmt: skip


def record_nanoseconds(bench, node, result):
    """From the one CPU, where nobody is woken and no cache line travels."""
    agent, empty = f"agent, {node}", f"empty, {node}"
    added = differences(result, agent, "none")
    hooks = median(differences(result, empty, "none"))
    bench.record(
        f"added_{node}", median(added),
        f"middle half {spread(added)} ns; empty programs on the same hooks add {hooks:.0f}",
        ns=added,
    )  # fmt: skip
    over = differences(result, agent, empty)
    bench.record(f"over_empty_{node}", median(over), f"middle half {spread(over)} ns", ns=over)
    traffic = differences(result, agent, "CPU programs alone")
    other = differences(result, f"tracepoints, {node}", "none")
    bench.record(
        f"traffic_{node}", median(traffic) / median(other),
        f"{median(traffic):.0f} ns against {median(other):.0f} ns",
        ours=traffic, tracepoints=other,
    )  # fmt: skip


def run(bench):
    rounds, slice_seconds = bench.choose((7, 0.08), (48, 0.2))
    bench.progress(f"{rounds} rounds, received on another CPU")
    two = flood(bench, bench.server_cpu, rounds, slice_seconds)
    for node in NODES:
        record_ratio(bench, f"ratio_{node}", two, f"agent, {node}")
        record_ratio(bench, f"ratio_{node}_empty", two, f"empty, {node}")

    bench.progress(f"{rounds} rounds, sent and received on one CPU")
    one = flood(bench, bench.client_cpu, rounds, slice_seconds)
    for node in NODES:
        record_ratio(bench, f"ratio_{node}_one_cpu", one, f"agent, {node}")
        record_ratio(bench, f"ratio_{node}_one_cpu_empty", one, f"empty, {node}")
        record_nanoseconds(bench, node, one)
    cpu = differences(one, "CPU programs alone", "none")
    bench.record(
        "added_cpu", median(cpu),
        f"middle half {spread(cpu)} ns; all programs on tracepoints: "
        + ", ".join(one["tracepoints_of_agent"]),
        ns=cpu,
    )  # fmt: skip
    test = one["test_run"]
    bench.record(
        "program",
        max(test["receive"], test["transmit"]) - test["empty"],
        f"receive {test['receive']} ns, transmit {test['transmit']} ns, empty {test['empty']} ns",
    )
