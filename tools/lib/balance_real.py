# SPDX-License-Identifier: Apache-2.0
"""Runs the contestants one after the other and holds each against its simulation; see tools/balance-real."""

import argparse
import asyncio
import concurrent.futures
import dataclasses
import json
import os
import re
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.dont_write_bytecode = True
import balance_clients  # noqa: E402
import balance_fleet  # noqa: E402
import balance_measures  # noqa: E402
import balance_plan  # noqa: E402
import lab  # noqa: E402

PROGRAM = os.environ.get("WNA_BALANCE_SIM", str(lab.ROOT / "build/release/balance-sim"))
RUNS = lab.ROOT / "build/balance/real.jsonl"
DOCUMENT = lab.ROOT / "docs/balance.md"
IMAGE = lab.ROOT / "docs/images/balance-real.svg"
BLOCK = re.compile(r"^(<!-- balance-real: (\w+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.MULTILINE)
POLICIES = {
    "updown": "the documented script",
    "proportional": "the agent, `policy: proportional`",
    "headroom": "the agent's default",
}
SIMULATIONS = 100  # of each run: what the phases of checks make of the same sessions
CHANCE = 0.05  # at each end, outside of the range that is shown


def of_session_time(name):
    return lambda result: 100 * result[name] / result["session_seconds"]


def percent(ratio):
    return None if ratio is None else 100 * ratio


# (title, of a result that may not have it, form)
MEASURES = (
    ("over the limit, s of a node's minute", lambda r: r["over_limit_node_seconds"] / r["node_minutes"], "{:.2f}"),
    ("hot: % of session time above 0.8", of_session_time("hot_session_seconds"), "{:.1f}"),
    ("% of session time above 1.0", of_session_time("over_session_seconds"), "{:.1f}"),
    ("refused, % of sessions", lambda r: 100 * r["refused"] / r["sessions"], "{:.1f}"),
    ("queued, % of sessions", lambda r: 100 * r["queued"] / r["sessions"], "{:.1f}"),
    ("mean utilisation", lambda r: r["mean_utilisation"], "{:.3f}"),
    ("highest over mean utilisation", lambda r: r["imbalance"], "{:.3f}"),
    ("highest utilisation", lambda r: r["highest_utilisation"], "{:.2f}"),
    ("beyond the links, % of traffic", lambda r: 100 * r["beyond_link_ratio"], "{:.2f}"),
    ("weight changes a minute", lambda r: r["weight_changes_per_minute"], "{:.1f}"),
)
# What the agents learn of who uses their weights, of runs that are long enough.
LEARNT_AFTER = 3  # times capacity_window
LEARNT = (
    ("effect", lambda r: r.get("effect"), "{:.2f}"),
    ("dispersion of arrivals", lambda r: r.get("arrival_dispersion"), "{:.2f}"),
    ("fleet's level known, % of the time", lambda r: percent(r.get("level_known_ratio")), "{:.0f}"),
    ("fleet's level by the nodes' mean, off by", lambda r: r.get("level_error"), "{:.3f}"),
)


# Real


def progress_of(plan):
    def progress(second, course):
        there = sum(course.looks[-1].sessions)
        line = f"{plan.policy}, seed {plan.seed}: {second} of {plan.seconds} s, {there} sessions"
        print(f"\r{line:<60}", end="\n" if second == plan.seconds else "", file=sys.stderr, flush=True)

    return progress


def measure(plan, keep_logs):
    """One real run: {"plan", "results", "trust", "spoilt"}."""
    lab.enter_private_network()  # one for each run: the kernel takes its time to remove the last one's interfaces
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="balance-real-")))
        try:
            fleet = balance_fleet.Fleet(stack, scratch, plan)
            course = asyncio.run(balance_clients.run(plan, fleet, progress_of(plan)))
        finally:
            if keep_logs:
                keep(scratch, keep_logs / f"{plan.policy}-{plan.seed}")
    figures, spoilt = balance_measures.trust(plan, course)
    for why in spoilt:
        print(f"balance-real: spoilt: {why}", file=sys.stderr)
    return {
        "plan": dataclasses.asdict(plan),
        "results": balance_measures.results(plan, course),
        "utilisation": [[round(used, 3) for used in nodes] for nodes in balance_measures.utilisations(plan, course)],
        "trust": figures,
        "spoilt": spoilt,
    }


def keep(scratch, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for log in scratch.glob("*.log"):
        (folder / log.name).write_bytes(log.read_bytes())


def read_runs(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def measure_all(plans, path, keep, keep_logs):
    """Of each plan its run, in that order; keep: the last one of the same plan that was not spoilt."""
    known = {json.dumps(run["plan"]): run for run in read_runs(path) if not run["spoilt"]} if keep else {}
    runs = []
    for plan in plans:
        run = known.get(json.dumps(dataclasses.asdict(plan)))
        if not run:
            run = measure(plan, keep_logs)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a") as file:
                print(json.dumps(run), file=file)
        runs.append(run)
    return runs


# Simulated


def simulate(plan):
    """The results of the same sessions at other phases of all that has one."""
    with tempfile.TemporaryDirectory(prefix="balance-real-") as folder:
        trace = Path(folder) / "trace"
        balance_plan.write_trace(trace, balance_plan.sessions(plan))
        words = [plan.simulated(PROGRAM, trace, seed) for seed in range(1, SIMULATIONS + 1)]
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return [json.loads(text) for text in pool.map(lambda one: lab.run(*one), words)]


# Side by side


@dataclasses.dataclass
class Row:
    """One measure of one policy: the mean over the runs, and what their simulations make of it."""

    title: str
    form: str
    real: float
    simulated: float
    low: float  # but for the tails of CHANCE
    high: float

    @property
    def ratio(self):
        return self.real / self.simulated if self.simulated else None

    def cells(self):
        show = self.form.format
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        return [self.title, show(self.real), show(self.simulated), f"{show(self.low)} to {show(self.high)}", ratio]


def mean(values):
    """Of those that are known; none if none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def within_chance(values):
    """The least and the greatest, but for the tails of CHANCE."""
    values = sorted(values)
    tail = round(len(values) * CHANCE)
    return values[tail], values[-1 - tail]


def rows(runs, simulations):
    """runs: of one policy, each with its list of simulated results."""
    plan = runs[0]["plan"]
    minutes = {"node_minutes": plan["nodes"] * plan["seconds"] / 60}
    is_long = plan["seconds"] > LEARNT_AFTER * plan["capacity_window"]
    for title, of, form in (*MEASURES, *(LEARNT if is_long else ())):

        def over_runs(results):
            return mean([of({**result, **minutes}) for result in results])

        # The nth simulations of all runs together are what one series of runs could have given.
        series = zip(*(simulations[run["plan"]["seed"]] for run in runs))
        predicted = [value for value in map(over_runs, series) if value is not None]
        real = over_runs(run["results"] for run in runs)
        if real is None or not predicted:
            continue
        yield Row(title, form, real, mean(predicted), *within_chance(predicted))


def markdown(head, lines):
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *lines))


def compare(runs):
    """{policy: [a Row for each measure]}. A run gets what is simulated of each of its nodes."""
    found = {}
    for policy in dict.fromkeys(run["plan"]["policy"] for run in runs):
        own = [run for run in runs if run["plan"]["policy"] == policy]
        simulations = {run["plan"]["seed"]: simulate(balance_plan.Plan(**run["plan"])) for run in own}
        found[policy] = list(rows(own, simulations))
        for run in own:
            of_run = simulations[run["plan"]["seed"]]
            run["simulated_sessions_by_node"] = [
                mean(counts) for counts in zip(*(one["sessions_by_node"] for one in of_run))
            ]
            run["simulated_highest"] = [
                within_chance(max(nodes) for nodes in looks) for looks in zip(*(one["utilisation"] for one in of_run))
            ]
    return found


def table(found):
    head = ["policy", "measure", "real", "simulated", "9 of 10 simulations", "real by simulated"]
    return markdown(head, ([policy, *row.cells()] for policy, of in found.items() for row in of))


def trust_line(runs):
    plans = runs[0]["plan"]
    seeds = sorted({run["plan"]["seed"] for run in runs})
    cpu, late, sent = (
        [run["trust"][name] for run in runs]
        for name in ("cpu_ratio", "client_lateness_seconds", "sent_of_asked_ratio")
    )
    return (
        f"{plans['algorithm']}, {plans['nodes']} nodes, {plans['seconds']} s of each policy and of seed"
        f" {', '.join(map(str, seeds))}. The machine's CPUs were busy for {min(cpu):.0%} to {max(cpu):.0%} of the time,"
        f" 99 of 100 clients came within {max(late) * 1000:.0f} ms of their time, and {min(sent):.1%} to"
        f" {max(sent):.1%} of the media that were asked for were sent.\n"
    )


def as_json(runs, found):
    policies = {
        policy: [{**dataclasses.asdict(row), "ratio": row.ratio} for row in of] for policy, of in found.items()
    }
    return {"runs": runs, "measures": policies}


def plot(runs):
    """Of the first seed, the fullest node's utilisation over time: real, and within chance simulated."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as pyplot

    matplotlib.rcParams["svg.hashsalt"] = "balance-real"  # the same picture of the same numbers
    runs = [run for run in runs if run["plan"]["seed"] == runs[0]["plan"]["seed"]]
    shape = {"sharex": True, "sharey": True, "squeeze": False, "figsize": (9, 7), "layout": "constrained"}
    figure, grid = pyplot.subplots(len(runs), 1, **shape)
    axes = grid[:, 0]
    for axis, run in zip(axes, runs):
        low, high = zip(*run["simulated_highest"])
        # Who runs knows the mean of each second, the simulation what is at its end.
        axis.fill_between(range(1, len(low) + 1), low, high, alpha=0.4, label="9 of 10 simulations")
        real = [max(nodes) for nodes in run["utilisation"]]
        axis.plot([second + 0.5 for second in range(len(real))], real, label="real")
        axis.axhline(1, color="gray", linewidth=0.8)
        axis.set_title(run["plan"]["policy"])
        axis.grid(alpha=0.3)
    axes[0].legend()
    axes[-1].set_xlabel("s")
    figure.suptitle("Utilisation of the fullest of four nodes, real and simulated")
    figure.savefig(IMAGE, metadata={"Date": None})
    pyplot.close(figure)


def write_documents(runs, found):
    blocks = {"table": table(found), "trust": trust_line(runs)}
    plot(runs)
    text = BLOCK.sub(lambda block: block[1] + blocks[block[2]] + block[3], DOCUMENT.read_text())
    DOCUMENT.write_text(text)
    print(f"{DOCUMENT.relative_to(lab.ROOT)}: written", file=sys.stderr)


# The command


def stop(*_):
    raise KeyboardInterrupt


def parse():
    parser = argparse.ArgumentParser(prog="balance-real")
    parser.add_argument("--policy", action="append", choices=POLICIES)
    parser.add_argument("--algorithm", choices=balance_fleet.ALGORITHMS, default="roundrobin")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, action="append")
    for flag in ("--keep", "--docs", "--json"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--runs", metavar="FILE", type=Path, default=RUNS)
    parser.add_argument("--logs", metavar="FOLDER", type=Path)
    arguments = parser.parse_args()
    if not 10 <= arguments.seconds <= 3600:
        parser.error("--seconds: 10 to 3600")
    return arguments


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, stop)
    plans = [
        balance_plan.Plan(policy, arguments.algorithm, seed, arguments.seconds)
        for seed in arguments.seed or [1]
        for policy in arguments.policy or POLICIES
    ]
    try:
        runs = measure_all(plans, arguments.runs, arguments.keep, arguments.logs)
    except KeyboardInterrupt:
        print("\nbalance-real: ended", file=sys.stderr)
        return 1
    except (AssertionError, EOFError, OSError, RuntimeError) as error:
        print(f"balance-real: {error}", file=sys.stderr)
        return 1
    found = compare(runs)
    if arguments.json:
        print(json.dumps(as_json(runs, found)))
    else:
        print(table(found), trust_line(runs), sep="\n")
    if arguments.docs:
        write_documents(runs, found)
    return 1 if any(run["spoilt"] for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
