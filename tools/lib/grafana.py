# SPDX-License-Identifier: Apache-2.0
"""Grafana's dashboard model (schema 38, Grafana 10 and newer), as far as the dashboards of packaging/grafana need it.

A panel is made of a title, a description, a unit and its queries. In a query `{NODES}` stands for the matchers of the
variables job and instance, `{NODES, state="up"}` for these and one more.
"""

import re

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
NODES = 'job=~"$job", instance=~"$instance"'
COLUMNS = 24  # of Grafana's grid
GREEN, ORANGE, RED = "green", "orange", "red"
# A share in use: near its limit from 90 % on.
OF_A_LIMIT = ((None, GREEN), (0.9, ORANGE), (1, RED))
WELL = ((None, GREEN), (1, RED))  # of what should be 0

BY_NODE = "{{instance}}"
# What a node reports to HAProxy, as a number.
STATES = ((0, "up", GREEN), (1, "down", RED), (2, "drain", ORANGE), (3, "maint", "blue"))
STATE = """
    sum without (state) (
        wcs_node_state{NODES, profile="", state="down"} or 2 * wcs_node_state{NODES, profile="", state="drain"}
        or 3 * wcs_node_state{NODES, profile="", state="maint"}
    )"""

# Why nodes are not up: the reason of each that is not, by which alone there is a series.
REASON = 'wcs_node_state_reason{NODES, profile=""} == 1'
REASON_SINCE = f"""
    ({REASON}) * on (job, instance) group_left ()
        (1000 * wcs_node_state_change_timestamp_seconds{{NODES, profile=""}})"""


def expand(expression):
    return re.sub(r"\{NODES\b", "{" + NODES, " ".join(expression.split()))


def rate(counter):
    return f"rate({counter}{{NODES}}[$__rate_interval])"


def panel(kind, title, description, unit, queries, width, height, *, steps=((None, GREEN),), mappings=(), **field):
    """queries: (expression, legend) each; steps: (from, colour) each; mappings: (value, text, colour) each.

    field: further defaults of its fields, such as min, max, decimals or custom."""
    instant = kind in ("stat", "table")
    texts = {
        str(value): {"index": index, "text": text, "color": colour} for index, (value, text, colour) in enumerate(mappings)
    }
    defaults = {
        "unit": unit,
        "color": {"mode": "palette-classic" if kind == "timeseries" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]},
        **({"mappings": [{"type": "value", "options": texts}]} if texts else {}),
        **field,
    }
    targets = [
        {
            "datasource": DATASOURCE,
            "refId": chr(ord("A") + index),
            "expr": expand(expression),
            "legendFormat": legend,
            "instant": instant,
            "range": not instant,
            "format": "table" if kind == "table" else "time_series",
        }
        for index, (expression, legend) in enumerate(queries)
    ]
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {},
        "targets": targets,
    }


def stat(title, description, unit, expression, legend="", **field):
    """The value of now, one for each series."""
    made = panel("stat", title, description, unit, [(expression, legend)], 4, 4, **field)
    made["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    }
    return made


def plot(title, description, unit, *queries, stacked=False, **field):
    """Lines over time. Where steps are given their values are drawn too."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 20 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if "steps" in field else "off"},
    }
    made = panel("timeseries", title, description, unit, queries, 8, 8, **{"min": 0, "custom": custom, **field})
    made["options"] = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return made


def states(title, description, expression, legend, mappings):
    """Bands over time, one for each series, in the colours of the mappings."""
    custom = {"fillOpacity": 80, "lineWidth": 0}
    look = {"mappings": mappings, "custom": custom}
    made = panel("state-timeline", title, description, "none", [(expression, legend)], 16, 8, **look)
    made["options"] = {
        "mergeValues": True,
        "showValue": "never",
        "rowHeight": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return made


def table(title, description, unit, expression, columns, **field):
    """The series of now, a row each; columns: {label or "Value": heading}, in order; no other column is shown."""
    made = panel("table", title, description, unit, [(expression, "")], 8, 8, **field)
    made["options"] = {"showHeader": True, "sortBy": [{"displayName": columns["Value"], "desc": True}]}
    made["transformations"] = [
        {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}},
        {
            "id": "organize",
            "options": {"indexByName": {name: index for index, name in enumerate(columns)}, "renameByName": columns},
        },
    ]
    return made


def reasons():
    """Why nodes are not up, over time and now."""
    text = "A limit that is exceeded, wcs_silent, unreadable, operator, start or no_sample."
    out = ((1, "not up", RED),)
    return [
        states("Why not up", f"The reason of each node that was not up. {text}", REASON, "{{instance}} {{reason}}", out),
        table(
            *("Not up now", f"Nodes that are not up, why, and since when. {text}", "dateTimeFromNow", REASON_SINCE),
            {"instance": "Node", "reason": "Why", "Value": "Since"},
        ),
    ]


def _variable(name, query):
    """Chosen of a label's values, several or all of them."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,  # on change of the time range
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
    }


def _placed(rows):
    """The panels of all rows, one after the other from left to right, each row under a heading."""
    placed, y = [], 0
    for heading, panels in rows:
        at = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        placed.append({"type": "row", "title": heading, "collapsed": False, "panels": [], "gridPos": at})
        x, y, height = 0, y + 1, 0
        for one in panels:
            if x + one["gridPos"]["w"] > COLUMNS:
                x, y, height = 0, y + height, 0
            placed.append({**one, "gridPos": {"x": x, "y": y, **one["gridPos"]}})
            x, height = x + one["gridPos"]["w"], max(height, one["gridPos"]["h"])
        y += height
    return [{"id": number, **one} for number, one in enumerate(placed, 1)]


def dashboard(uid, title, description, other, rows):
    """rows: (heading, panels) each; other: (title, uid) of the dashboard that it leads to."""
    datasource = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "current": {},
        "options": [],
        "hide": 0,
    }
    alerts = {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": RED,
        "expr": expand('ALERTS{NODES, alertname=~"Wcs.+", alertstate="firing"}'),
        "titleFormat": "{{alertname}}",
        "tagKeys": "instance,severity",
        "step": "60s",
    }
    link = {
        "type": "link",
        "title": other[0],
        "url": f"/d/{other[1]}",
        "icon": "dashboard",
        "tags": [],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
    }
    variables = [
        datasource,
        _variable("job", "label_values(wcs_node_agent_build_info, job)"),
        _variable("instance", 'label_values(wcs_node_agent_build_info{job=~"$job"}, instance)'),
    ]
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["wcs-node-agent"],
        "schemaVersion": 38,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,  # one crosshair over all panels
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "30s",
        "links": [link],
        "annotations": {"list": [alerts]},
        "templating": {"list": variables},
        "panels": _placed(rows),
    }
