# SPDX-License-Identifier: Apache-2.0
"""Whether what is counted is true: the kernel tests that compare it with an independent truth."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import lab
from report import Figure
from workbench import CannotMeasure

NAME = "truth"
TITLE = "what is counted against an independent truth, by the tests in tests/kernel"
TESTS = lab.ROOT / "build/release/tests/kernel/kernel_tests"
POINT = 1.0  # percentage points of CPU time
EXACT = 0.01  # percent of frames and bytes
WAYS = {
    "EndsWithTheIdleState": "as on guests that halt",
    "EndsWithTheInterrupt": "as elsewhere",
}
EXACT_TESTS = ("EachWay/Exact*", "EachKind/Queue.*", "NeedsModule/Queue.*")
ONE_EXACT_TEST = ("EachWay/ExactPath.*/tcx_router_*",)


@dataclass
class Test:
    name: str
    state: str  # passed, failed or skipped
    properties: dict
    message: str
    seconds: float


FIGURES = (
    Figure("failed", "tests of these that failed", at_most=0),
    *(
        Figure(
            f"{kind}_{way}", f"CPU time, {what}, {told}: largest distance from the truth",
            "points", at_most=POINT,
        )
        for kind, what in (
            ("duty", "busy for 7 to 90 % of 100 us to 4 ms"),
            ("softirq", "work in softirq over the idle task"),
        )
        for way, told in WAYS.items()
    ),
    Figure(
        "fallback", "CPU time by /proc/stat's idle columns, over 2 s: largest distance from the truth",
        "points", at_most=POINT,
    ),
    Figure(
        "path", "frames and bytes over a path of links: furthest from the middle link's own",
        "%", at_most=EXACT,
    ),
    Figure(
        "queue", "frames and bytes into a queue that drops: furthest from what it sent by itself",
        "%", at_most=EXACT,
    ),
)  # fmt: skip


def run_tests(bench, patterns):
    if not TESTS.exists():
        raise CannotMeasure(f"{TESTS} is not built")
    xml = bench.scratch / "truth.xml"
    result = subprocess.run(
        [str(TESTS), "--gtest_filter=" + ":".join(patterns), f"--gtest_output=xml:{xml}"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GTEST_COLOR": "no"},
        preexec_fn=lab.die_with_parent,
    )
    if not xml.exists():
        raise CannotMeasure(f"kernel_tests ended with {result.returncode}: {result.stderr[-300:]}")
    return [as_test(case) for case in ElementTree.parse(xml).iter("testcase")]


def as_test(case):
    failure, skipped = case.find("failure"), case.find("skipped")
    told = failure if failure is not None else skipped
    state = "failed" if failure is not None else "skipped" if skipped is not None else "passed"
    return Test(
        f"{case.get('classname')}.{case.get('name')}",
        state,
        {one.get("name"): one.get("value") for one in case.iter("property")},
        "" if told is None else (told.get("message") or "").replace("\n", " ")[:200],
        float(case.get("time") or 0),
    )


def outcome(tests):
    states = [test.state for test in tests]
    text = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
    bad = next((test for test in tests if test.state == "failed"), None)
    return text + (f": {bad.name}: {bad.message}" if bad else "")


def not_run(bench):
    return bench.choose("not in the quick form", "the test was not found")


def record_cpu(bench, tests, kind, way):
    key = f"{kind}_{way}"
    fixture = "CpuTruth" if kind == "duty" else "SoftirqFlood"
    mine = [test for test in tests if fixture in test.name and test.name.endswith("/" + way)]
    record_shares(bench, mine, key, kind)


def record_shares(bench, mine, key, kind):
    """Properties that begin with the kind: `true measured ticks`, shares of a CPU."""
    found = {
        name: [100 * float(part) for part in value.split()]
        for test in mine
        for name, value in test.properties.items()
        if name.startswith(kind)
    }
    if not found:
        why = outcome(mine) or not_run(bench)
        bench.cannot_measure(key, "; ".join([why, *(test.message for test in mine)]))
        return
    distance = {name: abs(counted - true) for name, (true, counted, _) in found.items()}
    ticks = max(abs(stat - true) for true, _, stat in found.values())
    worst = max(distance, key=distance.get)
    true, counted, _ = found[worst]
    bench.record(
        key, distance[worst],
        f"{outcome(mine)}; {worst}: {counted:.2f} % for {true:.2f} %; "
        f"the ticks of /proc/stat are up to {ticks:.1f} points off",
        shares=found,
    )  # fmt: skip


def record_exact(bench, tests, key, fixture):
    """Properties frames and bytes, each `counted true`; a test that passed demands equality."""
    mine = [test for test in tests if fixture in test.name]
    ran = [test for test in mine if test.state != "skipped"]
    pairs = {
        f"{test.name} {name}": [int(part) for part in test.properties[name].split()]
        for test in ran
        for name in ("frames", "bytes")
        if name in test.properties
    }
    if not ran:
        bench.cannot_measure(key, outcome(mine) or not_run(bench))
        return
    if not pairs:
        # No figures: a test that passed found them equal.
        if all(test.state == "passed" for test in ran):
            bench.record(key, 0.0, f"{outcome(mine)}; each demands that all are equal")
        else:
            bench.cannot_measure(key, outcome(mine))
        return
    off = {name: 100 * abs(counted - true) / true for name, (counted, true) in pairs.items()}
    worst = max(off, key=off.get)
    total = {
        name: sum(true for key, (_, true) in pairs.items() if key.endswith(name))
        for name in ("frames", "bytes")
    }
    bench.record(
        key, off[worst],
        f"{outcome(mine)}; {total['frames']:,} frames, {total['bytes']:,} bytes in all"
        + (f"; {worst}: {pairs[worst][0]:,} for {pairs[worst][1]:,}" if off[worst] else ""),
        pairs=pairs,
    )  # fmt: skip


def of_cpu(way):
    return (f"EachWay/CpuTruth.*/{way}", f"EachWay/SoftirqFlood.*/{way}")


def run(bench):
    bench.progress("CPU time")
    tests = []
    for way in WAYS:
        if bench.quick and any(test.state != "skipped" for test in tests):
            break  # the agent's own way on this machine is done
        tests += run_tests(bench, of_cpu(way))
    fallback = run_tests(bench, ("CpuTruthFallback.*",))
    bench.progress("frames and bytes")
    tests += run_tests(bench, bench.choose(ONE_EXACT_TEST, EXACT_TESTS))
    for kind in ("duty", "softirq"):
        for way in WAYS:
            record_cpu(bench, tests, kind, way)
    record_shares(bench, fallback, "fallback", "fallback")
    record_exact(bench, tests, "path", "EachWay/Exact")
    record_exact(bench, tests, "queue", "Queue")
    bench.record(
        "failed", sum(test.state == "failed" for test in tests), outcome(tests),
        tests=[[test.name, test.state, test.seconds] for test in tests],
    )  # fmt: skip
