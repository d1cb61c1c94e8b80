#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The vendor's WebSDK with its examples, by npm into build/; as a command it prints the folder."""

import sys
from pathlib import Path

import npm_package
from npm_package import NotAvailable

PACKAGE, VERSION = "@flashphoner/websdk", "2.0.276"  # MIT
FOLDER = Path(__file__).resolve().parents[2] / f"build/websdk-{VERSION}"
EXAMPLE = "examples/demo/streaming/two_way_streaming/two_way_streaming.html"


def fetch():
    """The folder, fetched once; NotAvailable says why it cannot be."""
    return npm_package.fetch(PACKAGE, VERSION, FOLDER, EXAMPLE)


if __name__ == "__main__":
    try:
        print(fetch())
    except NotAvailable as reason:
        sys.exit(f"websdk: {reason}")
