# SPDX-License-Identifier: Apache-2.0
"""The dashboards of packaging/grafana: what Grafana's dashboard-linter asks for, which is no package here, and more.

test_monitoring.py tries each of their queries in a real Prometheus.
"""

import copy
import json
import re
import subprocess

import lab
import pytest
from monitoring_files import DASHBOARDS, panels, queries, selectors, targets

UNITS = {"none", "percentunit", "bps", "pps", "cps", "reqps", "s", "dateTimeFromNow"}  # of Grafana's own names
OWN = {"${datasource}", "$datasource"}
COLUMNS = 24


def variables(dashboard):
    return {one["name"]: one for one in dashboard["templating"]["list"]}


# Each rule gives what is wrong with a dashboard; those with a name of the linter's ask for what it asks for.


def template_datasource_rule(dashboard):
    found = [one for one in variables(dashboard).values() if one["type"] == "datasource"]
    named = [(one["name"], one["label"], one["query"]) for one in found]
    return [] if named == [("datasource", "Data source", "prometheus")] else [named]


def template_job_and_instance_rule(dashboard):
    wanted = {"type": "query", "multi": True, "includeAll": True, "allValue": ".+"}
    found = variables(dashboard)
    return [
        name
        for name in ("job", "instance")
        if any(found.get(name, {}).get(key) != value for key, value in {**wanted, "label": name.capitalize()}.items())
        or found[name]["datasource"]["uid"] not in OWN
    ]


def template_label_promql_rule(dashboard):
    form = r'label_values\(wcs_\w+(\{job=~"\$job"\})?, (job|instance)\)'
    return [
        one["name"]
        for one in variables(dashboard).values()
        if one["type"] == "query"
        if not re.fullmatch(form, one["definition"]) or one["query"]["query"] != one["definition"]
    ]


def template_on_time_change_reload_rule(dashboard):
    return [one["name"] for one in variables(dashboard).values() if one["type"] == "query" and one["refresh"] != 2]


def panel_datasource_rule(dashboard):
    uses = [*panels(dashboard), *targets(dashboard), *dashboard["annotations"]["list"]]
    return [one for one in uses if one["datasource"] != {"type": "prometheus", "uid": "${datasource}"}]


def panel_title_description_rule(dashboard):
    sentence = re.compile(r"[A-Z0-9].+\.")
    return [one for one in panels(dashboard) if not one["title"] or not sentence.fullmatch(one["description"])]


def panel_units_rule(dashboard):
    return [one["title"] for one in panels(dashboard) if one["fieldConfig"]["defaults"].get("unit") not in UNITS]


def panel_no_targets_rule(dashboard):
    return [one for one in panels(dashboard) if not one["targets"] or not all(each["expr"] for each in one["targets"])]


def target_job_and_instance_rule(dashboard):
    wanted = {'job=~"$job"', 'instance=~"$instance"'}

    def matchers(selector):
        return set(re.findall(r'\w+[!=~]+"[^"]*"', selector["matchers"] or ""))

    return [
        query
        for query in queries(dashboard)
        if not selectors(query) or not all(wanted <= matchers(one) for one in selectors(query))
    ]


def target_rate_interval_rule(dashboard):
    allowed = (None, "$__rate_interval")
    return [query for query in queries(dashboard) if any(one["range"] not in allowed for one in selectors(query))]


def target_counter_agg_rule(dashboard):
    """A counter only within rate, irate or increase, and nothing else in these."""
    return [
        query
        for query in queries(dashboard)
        for one in selectors(query)
        if one["metric"].endswith("_total") != (one["function"] in ("rate", "irate", "increase") and bool(one["range"]))
    ]


def uneditable_dashboard(dashboard):
    return [] if dashboard["editable"] is False else ["editable"]


def is_told_apart(dashboard):
    wanted = {"schemaVersion": 38, "timezone": "browser", "tags": ["wcs-node-agent"]}
    wrong = [key for key, value in wanted.items() if dashboard.get(key) != value]
    other = {one["url"] for one in dashboard["links"]} != {f"/d/{uid}" for uid in DASHBOARDS if uid != dashboard["uid"]}
    missing = [key for key in ("uid", "title", "description") if not dashboard.get(key)]
    return wrong + missing + (["links"] if other else [])


def places(dashboard):
    """Panels that stand on one another or out of the grid, and identities that are there twice."""
    taken, wrong = set(), []
    for one in dashboard["panels"]:
        at = one["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if cells & taken or at["x"] + at["w"] > COLUMNS:
            wrong.append(one["title"])
        taken |= cells
    return wrong if len({one["id"] for one in dashboard["panels"]}) == len(dashboard["panels"]) else [*wrong, "id"]


def legends(dashboard):
    """A line whose legend does not say what it is: no label of the series, where there may be several."""
    return [
        one["title"]
        for one in panels(dashboard)
        if one["type"] in ("timeseries", "state-timeline")
        for target in one["targets"]
        if not re.search(r"\{\{\w+\}\}", target["legendFormat"]) and not target["expr"].startswith("sum(")
    ]


def answers_are_the_nodes(dashboard):
    """The families that have series of profiles too, with the label profile: the node's own, or told apart."""
    family = re.compile(r"wcs_node_(weight|state|limit|maxconn|recent|capacity|balancers|arrival|fleet|trend|ramp)")
    return [
        query
        for query in queries(dashboard)
        if any(family.match(one["metric"]) and 'profile=""' not in (one["matchers"] or "") for one in selectors(query))
    ]


RULES = (
    *(template_datasource_rule, template_job_and_instance_rule, template_label_promql_rule),
    *(template_on_time_change_reload_rule, panel_datasource_rule, panel_title_description_rule, panel_units_rule),
    *(panel_no_targets_rule, target_job_and_instance_rule, target_rate_interval_rule, target_counter_agg_rule),
    *(uneditable_dashboard, is_told_apart, places, legends, answers_are_the_nodes),
)


def named(rules):
    return pytest.mark.parametrize("rule", rules, ids=lambda rule: rule.__name__)


@pytest.mark.parametrize("name", DASHBOARDS)
@named(RULES)
def test_dashboard(rule, name):
    assert rule(DASHBOARDS[name]) == []


def change(path, value):
    """A change of what is there; path: keys and indices, with the first panel that is one for "panel"."""

    def do(dashboard):
        *way, last = path.split("/")
        one = dashboard
        for key in way:
            if key == "panel":
                one = panels(dashboard)[0]
            elif key in ("job", "instance", "datasource") and isinstance(one, dict) and "list" in one:
                one = variables(dashboard)[key]
            else:
                one = one[int(key) if isinstance(one, list) else key]
        one[last] = value

    return do


BREAKS = [
    (template_datasource_rule, change("templating/datasource/name", "prom")),
    (template_job_and_instance_rule, change("templating/job/allValue", ".*")),
    (template_job_and_instance_rule, change("templating/instance/multi", False)),
    (template_job_and_instance_rule, change("templating/instance/datasource/uid", "P123")),
    (template_label_promql_rule, change("templating/job/definition", "up")),
    (template_on_time_change_reload_rule, change("templating/job/refresh", 1)),
    (panel_datasource_rule, change("panel/targets/0/datasource", {"type": "prometheus", "uid": "P123"})),
    (panel_datasource_rule, change("annotations/list/0/datasource", None)),
    (panel_title_description_rule, change("panel/description", "")),
    (panel_title_description_rule, change("panel/title", "")),
    (panel_units_rule, change("panel/fieldConfig/defaults/unit", "Mbps")),
    (panel_no_targets_rule, change("panel/targets", [])),
    (target_job_and_instance_rule, change("panel/targets/0/expr", 'wcs_up{job=~"$job"}')),
    (target_job_and_instance_rule, change("panel/targets/0/expr", 'wcs_up{job=~"$job", instance=~"$instance"} + up')),
    (target_rate_interval_rule, change("panel/targets/0/expr", "rate(wcs_node_agent_scrapes_total[5m])")),
    (target_counter_agg_rule, change("panel/targets/0/expr", "wcs_node_agent_scrapes_total")),
    (target_counter_agg_rule, change("panel/targets/0/expr", "rate(wcs_up[5m])")),
    (uneditable_dashboard, change("editable", True)),
    (is_told_apart, change("uid", "")),
    (places, change("panel/gridPos", {"x": 22, "y": 1, "w": 4, "h": 4})),
    (answers_are_the_nodes, change("panel/targets/0/expr", 'wcs_node_weight_ratio{job=~"$job"}')),
    (legends, change("panels/8/targets/0/legendFormat", "all")),
]


@pytest.mark.parametrize("rule, broken", BREAKS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_rule_finds_what_is_wrong(rule, broken):
    dashboard = copy.deepcopy(DASHBOARDS["wcs-fleet"])
    broken(dashboard)
    assert rule(dashboard) != []


def test_each_rule_has_seen_something_wrong():
    assert {rule for rule, _ in BREAKS} == set(RULES)


def test_the_files_are_what_the_generator_writes():
    result = subprocess.run([lab.ROOT / "tools/dashboards", "--check"], capture_output=True, text=True)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_a_file_that_was_edited_is_noticed(tmp_path, monkeypatch):
    import dashboards

    monkeypatch.setattr(dashboards, "FOLDER", tmp_path)
    for uid in DASHBOARDS:
        text = (lab.ROOT / f"packaging/grafana/{uid}.json").read_text()
        (tmp_path / f"{uid}.json").write_text(text.replace("Weight", "weight"))
    monkeypatch.setattr("sys.argv", ["dashboards.py", "--check"])
    assert dashboards.main() == 1
    monkeypatch.setattr("sys.argv", ["dashboards.py"])
    dashboards.main()
    assert {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")} == DASHBOARDS


def test_both_dashboards_are_there():
    assert {one["uid"] for one in DASHBOARDS.values()} == set(DASHBOARDS) == {"wcs-fleet", "wcs-node"}
