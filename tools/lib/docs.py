# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of the documentation from the program's own rows; see tools/docs."""

import argparse
import difflib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ("docs/metrics.md", "docs/configuration.md")
BLOCK = re.compile(r"^(<!-- table: ([\w ]+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.MULTILINE)


def with_tables(text, program):
    def block(found):
        begin, name, end = found.groups()
        table = subprocess.run([program, *name.split()], stdout=subprocess.PIPE, text=True)
        if table.returncode:
            sys.exit(f"there is no table {name!r}")
        return begin + table.stdout + end

    return BLOCK.sub(block, text)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("program", help="the built docs-tables")
    arguments = arguments.parse_args()
    differ = False
    for name in FILES:
        path = ROOT / name
        old = path.read_text()
        new = with_tables(old, arguments.program)
        if old == new:
            continue
        differ = True
        if arguments.check:
            lines = (text.splitlines(keepends=True) for text in (old, new))
            sys.stdout.writelines(difflib.unified_diff(*lines, name, f"{name} from tools/docs"))
        else:
            path.write_text(new)
            print(f"{name}: rewritten")
    return 1 if arguments.check and differ else 0


sys.exit(main())
