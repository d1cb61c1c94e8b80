# SPDX-License-Identifier: Apache-2.0
"""Writes the dashboards of packaging/grafana; see tools/dashboards."""

import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True
from fleet_dashboard import FLEET  # noqa: E402
from node_dashboard import NODE  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "packaging/grafana"


def text(model):
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--check", action="store_true")
    arguments = arguments.parse_args()
    differ = False
    for model in (NODE, FLEET):
        path = FOLDER / f"{model['uid']}.json"
        if path.exists() and path.read_text() == text(model):
            continue
        differ = True
        if arguments.check:
            print(f"{path.name} is not what tools/dashboards writes")
        else:
            path.write_text(text(model))
            print(f"packaging/grafana/{path.name}: rewritten")
    return 1 if arguments.check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
