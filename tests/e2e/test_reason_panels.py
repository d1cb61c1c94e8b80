# SPDX-License-Identifier: Apache-2.0
"""What the dashboards' panels of nodes that are not up show, by promtool, of three nodes: one that is up, one that is
full, one that was drained when another answer of it was full."""

import json

import pytest
from monitoring_files import DASHBOARDS, panels, promtool


def series(metric, instance, values, **labels):
    pairs = ",".join(f'{name}="{value}"' for name, value in {"job": "wcs", "instance": instance, **labels}.items())
    return {"series": f"{metric}{{{pairs}}}", "values": values}


def node(instance, since, reason=None, **labels):
    return [
        series("wcs_node_state_change_timestamp_seconds", instance, f"{since}x10", **labels),
        *(
            series("wcs_node_state_reason", instance, f"{int(one == reason)}x10", reason=one, **labels)
            for one in ("operator", "subscribers", "wcs_silent")
        ),
    ]


NODES = [
    *node("n1", 60),
    *node("n2", 120, "subscribers"),
    *node("n3", 180, "operator"),
    *node("n3", 240, "subscribers", profile="edge"),
]
WHERE = '__name__="wcs_node_state_reason", instance="{}", job="wcs", reason="{}"'
SHOWN = {
    "Why not up": {WHERE.format("n2", "subscribers"): 1, WHERE.format("n3", "operator"): 1},
    "Not up now": {
        'instance="n2", job="wcs", reason="subscribers"': 120_000,
        'instance="n3", job="wcs", reason="operator"': 180_000,
    },
}


@pytest.mark.parametrize("name", DASHBOARDS)
@pytest.mark.parametrize("title", SHOWN)
def test_the_nodes_that_are_not_up_are_shown_with_their_reason(tmp_path, name, title):
    (panel,) = [one for one in panels(DASHBOARDS[name]) if one["title"] == title]
    (target,) = panel["targets"]
    query = target["expr"].replace("$job", ".+").replace("$instance", ".+")
    samples = [{"labels": f"{{{labels}}}", "value": value} for labels, value in SHOWN[title].items()]
    test = {"expr": query, "eval_time": "5m", "exp_samples": samples}
    case = {"tests": [{"interval": "1m", "input_series": NODES, "promql_expr_test": [test]}]}
    (tmp_path / "case.yml").write_text(json.dumps(case))
    promtool("test", "rules", tmp_path / "case.yml")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_table_has_a_column_of_each_label_that_tells_why(name):
    (table,) = [one for one in panels(DASHBOARDS[name]) if one["title"] == "Not up now"]
    renamed = {one["id"]: one["options"] for one in table["transformations"]}["organize"]["renameByName"]
    assert renamed == {"instance": "Node", "reason": "Why", "Value": "Since"}
