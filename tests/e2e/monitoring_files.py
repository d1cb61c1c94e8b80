# SPDX-License-Identifier: Apache-2.0
"""The rules of packaging/prometheus and the dashboards of packaging/grafana, and as much of PromQL as it takes to look
at them."""

import json
import re
import subprocess

import lab
import yaml

PROMETHEUS = lab.ROOT / "packaging/prometheus"
RULE_FILES = [PROMETHEUS / "rules/recording.yml", PROMETHEUS / "rules/alerts.yml"]
GROUPS = [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule}
RECORDED = {rule["record"]: rule for group in GROUPS for rule in group["rules"] if "record" in rule}
DASHBOARDS = {
    path.stem: json.loads(path.read_text()) for path in sorted((lab.ROOT / "packaging/grafana").glob("*.json"))
}


def promtool(*words):
    """Its output; fails if it does."""
    result = subprocess.run(["/usr/bin/promtool", *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard):
    return [target for panel in panels(dashboard) for target in panel["targets"]]


def queries(dashboard):
    """Of panels, and of what is drawn over them."""
    return [one["expr"] for one in (*targets(dashboard), *dashboard["annotations"]["list"])]


METRIC = r"(?:wcs_\w+|[a-z_]+:\w+:\w+|up|scrape_duration_seconds|ALERTS)"
SELECTOR = re.compile(
    rf"(?:\b(?P<function>\w+)\()?\b(?P<metric>{METRIC})\b(?P<matchers>\{{[^}}]*\}})?(?:\[(?P<range>[^\]]+)\])?"
)


def selectors(expression):
    """Each selector: metric, matchers and range as they stand there (None: none), and the function whose bracket
    opens just before it."""
    found = []
    for match in SELECTOR.finditer(expression):
        before = expression[: match.start("metric")]
        if before.count('"') % 2 == 0:  # the words of matchers are none
            found.append(match)
    return found
