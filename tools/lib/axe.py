#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""axe-core, which judges whether a page can be read by all, by npm into build/; as a command it prints the file."""

import sys
from pathlib import Path

import npm_package
from npm_package import NotAvailable

PACKAGE, VERSION = "axe-core", "4.10.3"  # MPL-2.0
FOLDER = Path(__file__).resolve().parents[2] / f"build/axe-core-{VERSION}"


def fetch():
    """The script, fetched once; NotAvailable says why it cannot be."""
    return npm_package.fetch(PACKAGE, VERSION, FOLDER, "axe.min.js") / "axe.min.js"


if __name__ == "__main__":
    try:
        print(fetch())
    except NotAvailable as reason:
        sys.exit(f"axe: {reason}")
