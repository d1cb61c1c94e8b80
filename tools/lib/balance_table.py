# SPDX-License-Identifier: Apache-2.0
"""Runs the grid, prints where bounds do not hold, writes docs/balance.md's tables; see tools/balance-table."""

import argparse
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import balance  # noqa: E402
import balance_limits  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / "build/release/balance-sim")
RUNS = ROOT / "build/balance/runs.jsonl"
DOCUMENT = ROOT / "docs/balance.md"
IMAGES = ROOT / "docs/images"
BLOCK = re.compile(r"^(<!-- balance: (\w+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.MULTILINE)

# (nodes, seeds, workloads, options): a run of 1,000 nodes takes seconds, so there are fewer.
FEW = ("steady", "busy", "unequal", "flash-crowd", "silence")
FULL = [
    ((2, 10), 60, balance.WORKLOADS, ()),
    ((100,), 3, balance.WORKLOADS, ()),
    ((1000,), 1, FEW, ("--hours", "0.5")),
]
QUICK = [((2, 10), 10, balance.WORKLOADS, ()), ((100,), 1, FEW, ())]
# Without chance, what is left is the policy's own swing: sessions that cost the same, 2,000 of them on a node.
SWING = ("--room", "2000", "--spread", "1", "--hours", "0.5")


def refused(results):
    """% of the sessions that came."""
    return 100 * balance.total(results, "refused") / balance.total(results, "sessions")


COLUMNS = (
    ("over the limit, s of an hour", balance.over, "{:.1f}"),
    ("hot, % of session time", lambda results: 100 * balance.hot(results), "{:.1f}"),
    ("imbalance", balance.imbalance, "{:.3f}"),
    ("oscillation", balance.oscillation, "{:.3f}"),
    ("refused, % of sessions", refused, "{:.2f}"),
    ("weight changes a minute", lambda results: balance.mean(results, "weight_changes_per_minute"), "{:.1f}"),
)


def read_runs():
    """Those of the last time by their words; of the agent's own code none that is older than the program."""
    if not RUNS.exists():
        return {}
    rows = (json.loads(line) for line in RUNS.read_text().splitlines())
    known = {tuple(row["words"]): row["result"] for row in rows}
    if RUNS.stat().st_mtime > pathlib.Path(PROGRAM).stat().st_mtime:
        return known
    return {words: result for words, result in known.items() if not balance.OWN_CODE.intersection(words)}


def run_all(parts, keep, asks_limits):
    """{cell: {policy: results}} of all parts, that of the swing, and {cell: how near anybody comes} if asked for."""
    known = read_runs() if keep else {}
    RUNS.parent.mkdir(parents=True, exist_ok=True)
    with open(RUNS, "w") as file:

        def note(words, result):
            print(json.dumps({"words": words, "result": result}), file=file, flush=True)

        for words, result in known.items():
            note(words, result)
        cache = {"known": known, "note": note}
        found, reached = {}, {}
        for nodes, count, workloads, options in parts:
            print(f"{', '.join(map(str, nodes))} nodes, {count} seeds, {len(workloads)} workloads", flush=True)
            seeds = range(1, count + 1)
            part = balance.run(PROGRAM, balance.grid(nodes, workloads), balance.POLICIES, seeds, options, **cache)
            found |= part
            if asks_limits:
                gains = balance_limits.GAINS if count > 1 else balance_limits.FEW_GAINS
                reached |= balance_limits.reach(PROGRAM, part, seeds, options, gains, **cache)
        swing = balance.run(PROGRAM, balance.grid((6,), ("full",)), seeds=(1,), options=SWING, **cache)
    return found, swing, reached


def markdown(head, rows):
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "".join(f"| {line} |\n" for line in lines)


def results_table(found, nodes):
    """Of each cell the columns, each as `up/down; proportional; headroom; floor`."""
    rows = []
    for cell, results in found.items():
        if cell.nodes == nodes:
            values = ("; ".join(form.format(column(of)) for of in results.values()) for _, column, form in COLUMNS)
            rows.append([cell.workload, cell.algorithm, *values])
    return markdown(["workload", "algorithm", *(name for name, _, _ in COLUMNS)], rows)


def bounds_table(found):
    """Each bound: in how many cells it holds, by algorithm, and where it does not."""
    names = dict.fromkeys(name for results in found.values() for name, _, _ in balance.bounds(results))
    rows = []
    for name in names:
        counts, where = [], []
        for algorithm in balance.ALGORITHMS:
            cells = [cell for cell in found if cell.algorithm == algorithm]
            broken = [
                (cell, value, bound)
                for cell in cells
                for broken_name, value, bound in balance.violations(found[cell])
                if broken_name == name
            ]
            counts.append(f"{len(cells) - len(broken)} of {len(cells)}")
            where += [
                f"{cell.workload} {cell.algorithm} {cell.nodes} ({value:.3g}, not {bound:.3g})"
                for cell, value, bound in broken
            ]
        rows.append([name, *counts, "; ".join(where[:6]) + (f"; {len(where) - 6} more" if len(where) > 6 else "")])
    return markdown(["bound", *balance.ALGORITHMS, "where it does not hold"], rows)


def limits_summary(reached):
    """Of the cells where a bound does not hold, in how many who knows all keeps it."""
    rows = []
    for name in dict.fromkeys(one.name for reaches in reached.values() for one in reaches):
        for algorithm in balance.ALGORITHMS:
            broken = [
                one
                for cell, reaches in reached.items()
                for one in reaches
                if cell.algorithm == algorithm and one.name == name
            ]
            if broken:
                kept = (sum(getattr(one, f"{by}_holds") for one in broken) for by in ("by_weights", "by_mean", "by_checks"))
                rows.append([name, algorithm, str(len(broken)), *map(str, kept)])
    keepers = [f"`{name}` keeps" for name in ("central", balance_limits.BY_MEAN, balance_limits.BY_CHECKS)]
    return markdown(["bound", "algorithm", "cells that break it", *keepers], rows)


def limits_table(reached):
    """Each bound that does not hold: who comes how near."""
    head = ["workload", "algorithm", "nodes", "bound", "headroom", "allowed", "`central`"]
    head += [f"`{balance_limits.BY_MEAN}`", f"`{balance_limits.BY_CHECKS}`"]
    rows = []
    for cell, reaches in sorted(reached.items(), key=lambda one: (one[0].nodes, one[0].workload)):
        for one in reaches:
            by_anybody = [
                f"{value:.3g}" + (" (kept)" if holds else "")
                for value, holds in (
                    (one.by_weights, one.by_weights_holds),
                    (one.by_mean, one.by_mean_holds),
                    (one.by_checks, one.by_checks_holds),
                )
            ]
            place = [cell.workload, cell.algorithm, str(cell.nodes), one.name]
            rows.append([*place, f"{one.ours:.3g}", f"{one.bound:.3g}", *by_anybody])
    return markdown(head, rows)


def swing_table(swing):
    rows = [
        [cell.algorithm, *(f"{balance.oscillation(results[policy]):.3f}" for policy in balance.POLICIES)]
        for cell, results in swing.items()
    ]
    return markdown(["algorithm", *balance.POLICIES], rows)


def join_table(found):
    rows = []
    for cell, results in found.items():
        if cell.workload != "join":
            continue
        texts = []
        for of in results.values():
            seconds = [one["join_seconds"] for one in of]
            texts.append("not within the hour" if None in seconds else f"{sum(seconds) / len(seconds):.0f}")
        rows.append([str(cell.nodes), cell.algorithm, *texts])
    return markdown(["nodes", "algorithm", *balance.POLICIES], rows)


def learnt_table(found):
    """What the agents of the default policy know of who uses their weights: the least and the greatest of a workload."""
    form = {"effect": "{:.1f}", "arrival_dispersion": "{:.1f}", "level_known_ratio": "{:.2f}", "level_error": "{:.3f}"}
    rows = []
    for nodes in sorted({cell.nodes for cell in found}):
        for algorithm in balance.ALGORITHMS:
            of = [
                results["headroom"]
                for cell, results in found.items()
                if (cell.nodes, cell.algorithm) == (nodes, algorithm)
            ]
            texts = []
            for name, shape in form.items():
                values = [balance.mean(seeds, name) for seeds in of if all(name in one for one in seeds)]
                texts.append(" to ".join(shape.format(end) for end in (min(values), max(values))) if values else "")
            rows.append([str(nodes), algorithm, *texts])
    head = ["effect", "dispersion", "share of the time that the level is known", "and how far off, r.m.s."]
    return markdown(["nodes", "algorithm", *head], rows)


def plot(found, nodes, name, title, column):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as pyplot

    matplotlib.rcParams["svg.hashsalt"] = name  # the same picture of the same numbers
    figure, axes = pyplot.subplots(1, 3, sharey=True, figsize=(11, 4.5), layout="constrained")
    for axis, algorithm in zip(axes, balance.ALGORITHMS):
        cells = [cell for cell in found if cell.nodes == nodes and cell.algorithm == algorithm]
        for policy, mark in zip(balance.POLICIES, "xs.|"):
            values = [column(found[cell][policy]) for cell in cells]
            axis.plot(values, range(len(cells)), mark, label=policy, markersize=9 if mark in "|." else 5)
        axis.set_title(algorithm)
        axis.set_yticks(range(len(cells)), [cell.workload for cell in cells])
        axis.grid(alpha=0.3)
    axes[0].invert_yaxis()
    axes[0].legend()
    figure.suptitle(f"{title}, {nodes} nodes")
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    pyplot.close(figure)


def write_documents(found, swing, reached):
    tables = {
        "bounds": bounds_table(found),
        "limits": limits_summary(reached),
        "broken": limits_table(reached),
        "ten": results_table(found, 10),
        "hundred": results_table(found, 100),
        "thousand": results_table(found, 1000),
        "swing": swing_table(swing),
        "join": join_table(found),
        "learnt": learnt_table(found),
    }
    text = BLOCK.sub(lambda block: block[1] + tables[block[2]] + block[3], DOCUMENT.read_text())
    DOCUMENT.write_text(text)
    plot(found, 10, "balance-imbalance", "Highest over mean utilisation, mean over time", balance.imbalance)
    plot(found, 10, "balance-over", "Seconds of each node's hour above its limit", balance.over)
    print(f"{DOCUMENT.relative_to(ROOT)}: written")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--docs", action="store_true")
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--limits", action="store_true")
    arguments = arguments.parse_args()
    asks_limits = arguments.limits or arguments.docs
    found, swing, reached = run_all(QUICK if arguments.quick else FULL, arguments.keep, asks_limits)
    print(bounds_table(found), swing_table(swing), join_table(found), sep="\n")
    if asks_limits:
        print(limits_summary(reached), limits_table(reached), sep="\n")
    if arguments.docs:
        write_documents(found, swing, reached)
    unexpected = balance.unexpected(found)
    for cell, name, value, bound in unexpected:
        print(f"{cell.workload}, {cell.algorithm}, {cell.nodes} nodes: {name}: {value:.3g} and not {bound:.3g}")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
