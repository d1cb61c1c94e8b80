# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks and writes what they found; started by tools/bench, which builds."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import lab  # noqa: E402
import machine  # noqa: E402
import report  # noqa: E402
from cases import (  # noqa: E402
    checks,
    clients,
    cpus,
    packets,
    peaks,
    reactions,
    rest,
    scale,
    scrapes,
    start,
    switches,
    truth,
    waits,
)
from workbench import CannotMeasure, Workbench  # noqa: E402

CASES = {
    case.NAME: case
    for case in (
        packets, switches, checks, clients, scrapes, rest, scale, cpus, waits, peaks, start, reactions, truth
    )  # fmt: skip
}


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__, add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--enforce", action="store_true")
    parser.add_argument("--only", action="append", choices=CASES, default=[])
    parser.add_argument("--output", type=Path, default=lab.ROOT / "build/bench")
    return parser.parse_args()


def measure(case, quick):
    """One benchmark. What fails is a reason in its rows, never a row that is not there."""
    section = report.Section.of(case)
    began = time.monotonic()
    why = "the benchmark did not come to it"
    try:
        with tempfile.TemporaryDirectory(prefix="wcs-node-agent-bench-") as scratch:
            Path(scratch).chmod(0o755)  # nginx may serve as another user
            with Workbench(section, quick, scratch) as bench:
                case.run(bench)
    except (CannotMeasure, AssertionError, OSError, RuntimeError) as error:
        why = str(error)
        if not isinstance(error, CannotMeasure):
            why = f"{type(error).__name__}: {why}"
        print(f"   {case.NAME}: {why}", file=sys.stderr)
    for row in section.rows.values():
        if row.value is None and not row.why:
            row.why = why
    section.seconds = time.monotonic() - began
    return section


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs ignore the latter
        signal.signal(number, signal.default_int_handler)
    options.output.mkdir(parents=True, exist_ok=True)
    lab.enter_private_network()
    described = machine.describe()
    sections = []
    for case in CASES.values():
        if options.only and case.NAME not in options.only:
            continue
        print(f"== {case.NAME}: {case.TITLE}", file=sys.stderr, flush=True)
        sections.append(measure(case, options.quick))
        # After each, so that a run that is cut short leaves what it had.
        found = report.as_json(described, options.quick, sections)
        (options.output / "bench.json").write_text(found)
        text = report.as_markdown(described, options.quick, sections)
        (options.output / "bench.md").write_text(text)
    print(text)
    verdicts = [row.verdict for section in sections for row in section.rows.values()]
    told = (report.MET, report.MISSED, report.NOT_MEASURED)
    summary = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in told)
    print(f"{summary}; {options.output}/bench.json, bench.md")
    return 1 if options.enforce and report.MISSED in verdicts else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
