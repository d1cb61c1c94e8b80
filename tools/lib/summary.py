# SPDX-License-Identifier: Apache-2.0
"""summary.py NAME=JUNIT.xml...: one line for each suite, then the sum over all.

A test of ctest that has many cases of its own, as a file of pytest has, wrote them to JUNIT.cases/TEST.xml. One that
passed only when it was tried again is named; that it failed before stands in JUNIT.log alone.

Exit status 1 if anything failed. A suite that left no results, or ran no test, has failed.
With WNA_REQUIRE_ALL=1 a skipped test has failed too.
"""

import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case, require_all):
    """passed, failed or skipped, and the case's name if it needs attention."""
    name, group = case.get("name"), case.get("classname")
    if group and group != name:  # ctest gives its tests' names twice
        name = f"{group}.{name}"
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed", name
    # ctest reports a test whose program is missing as not run, with no element that says so.
    skipped = case.find("skipped")
    if skipped is not None or case.get("status") in ("notrun", "disabled"):
        reason = skipped.get("message") if skipped is not None else None
        return "failed" if require_all else "skipped", f"{name} (skipped: {reason or 'not run'})"
    return "passed", None


def cases_of(case, folder):
    """Those that it has of its own; itself, if it has none or has failed although none of them has."""
    path = folder / f"{case.get('name')}.xml"
    if not path.is_file():
        return [case]
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except ElementTree.ParseError:
        return [case]
    if outcome(case, False)[0] == "passed":
        return cases or [case]
    return cases if any(outcome(each, False)[0] == "failed" for each in cases) else [*cases, case]


def failed_at_first(path):
    """Tests of ctest of which a try failed, by the suite's log."""
    try:
        log = path.with_suffix(".log").read_text(errors="replace")
    except OSError:
        return set()
    return set(re.findall(r"^ *(?:\d+/\d+ )?Test +#\d+: (\S+) \.*\*\*\*(?:Failed|Timeout|Exception)", log, re.MULTILINE))


def read_suite(path, require_all):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    notes = []
    try:
        found = list(ElementTree.parse(path).iter("testcase"))
        cases = [each for case in found for each in cases_of(case, path.with_suffix(".cases"))]
        at_first = failed_at_first(path)
        notes += [
            f"unsteady: {case.get('name')} (failed, then passed)"
            for case in found
            if case.get("name") in at_first and outcome(case, False)[0] == "passed"
        ]
    except (OSError, ElementTree.ParseError) as error:
        cases = []
        notes.append(f"no results: {error}")
    if not cases:
        counts["failed"] = 1
        notes.append("no test ran")
    for case in cases:
        result, note = outcome(case, require_all)
        counts[result] += 1
        if note:
            notes.append(f"{result}: {note}")
    return counts, notes


def told(counts):
    return ", ".join(f"{count} {result}" for result, count in counts.items())


def main():
    require_all = os.environ.get("WNA_REQUIRE_ALL") == "1"
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        counts, notes = read_suite(pathlib.Path(path), require_all)
        print(f"{name}: {told(counts)}")
        for note in notes:
            print(f"    {note}")
        for result, count in counts.items():
            total[result] += count
    print(told(total))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
