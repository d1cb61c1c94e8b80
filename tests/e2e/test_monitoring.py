# SPDX-License-Identifier: Apache-2.0
"""packaging/prometheus in a real Prometheus that scrapes three real agents: each expression of the rules, the
dashboards and the autoscalers has data, and the nodes are found by each way that there is a file for."""

import contextlib
import json
import re
import socket
import subprocess
import threading
from contextlib import ExitStack

import guide_site
import lab
import pytest
import yaml
from documents import blocks, commands
from monitoring_files import (
    ALERTS,
    DASHBOARDS,
    GROUPS,
    PROMETHEUS,
    RECORDED,
    RULE_FILES,
    promtool,
    queries,
    selectors,
    targets,
)

GUIDE = "monitoring.md"
SCRAPES = sorted(PROMETHEUS.glob("scrape-*.yml"))
NODES = ("10.97.1.2:9708", "10.97.2.2:9708", "10.97.3.2:9708")
QUICK = ("--window=500ms", "--sample-interval=100ms", "--wcs-interval=200ms", "--wcs-timeout=1s", "--stale-after=3s")

# What a fleet that has just started and is well has no series of.
EMPTY = {
    "wcs_node_state_reason": "every node is up; test_reason_panels.py has nodes that are not",
    "wcs_node_network_dropped_packets_total": "only reasons for which the kernel dropped frames have a series",
    "instance:wcs_node_settled_utilization_ratio:avg10m": "no node has been in its state for half an hour",
    "wcs_node_fleet_level_ratio": "no sessions have come by turns for a quarter of an hour",
    "ALERTS": "no alert fires",
}


# The files


@pytest.mark.parametrize("path", SCRAPES, ids=lambda path: path.name)
def test_promtool_takes_the_configuration_without_a_remark(path):
    said = promtool("check", "config", "--lint=all", "--lint-fatal", path)
    assert said.count("SUCCESS: 2 rule files found") == 1


def test_promtool_has_no_remark_on_the_rules():
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


def test_the_configurations_differ_in_how_they_find_nodes_alone():
    found = [yaml.safe_load(path.read_text()) for path in SCRAPES]
    ways = []
    for one in found:
        (job,) = one["scrape_configs"]
        ways += [job.pop(key) and key for key in list(job) if key.endswith("_configs")]
    assert ways == ["dns_sd_configs", "file_sd_configs", "static_configs"]
    assert found[0] == found[1] == found[2]


def test_names_are_those_of_the_field():
    for name in RECORDED:
        assert re.fullmatch(r"(instance|instance_limit|job|job_state):wcs_\w+:[a-z0-9_]+", name)
    for name, rule in ALERTS.items():
        assert re.fullmatch(r"Wcs(Node|Fleet)[A-Z]\w+", name)
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"[A-Z][^{]+\.", rule["annotations"]["summary"])
        assert rule["annotations"]["description"].count("{{ $labels.") >= 1
        assert "for" in rule


def test_each_alert_has_its_section_and_each_section_its_alert():
    document = (lab.ROOT / "docs" / GUIDE).read_text()
    runbook = document[document.index("\n## Runbook") :]
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == list(ALERTS)
    for name, rule in ALERTS.items():
        # The anchor that GitHub and others make of a heading of one word.
        assert rule["annotations"]["runbook_url"] == f"file:///usr/share/doc/wcs-node-agent/{GUIDE}#{name.lower()}"
        section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", runbook, re.MULTILINE | re.DOTALL)[1]
        assert [part for part in ("**Means**", "**Look**", "**Do**") if part not in section] == []


def test_the_document_has_each_recorded_series():
    document = (lab.ROOT / "docs" / GUIDE).read_text()
    assert re.findall(r"^\| `(\w+:\w+:\w+)` \|", document, re.MULTILINE) == list(RECORDED)


def test_the_alert_of_the_balancers_guide_is_the_packaged_one():
    rule = next(block for block in blocks("haproxy.md") if "alert: WcsNodeAgentNotAsked" in block)
    for key, value in yaml.safe_load(rule)[0].items():
        assert ALERTS["WcsNodeAgentNotAsked"][key] == value


# The document's commands

NOT_RUN = {
    "apt-get install prometheus": "the machine's own packages",
    "systemctl restart prometheus": "the server of this file's own tests in its place",
    next(one for one in commands(GUIDE) if one.startswith("aws ")): "no account",
}


def test_the_commands_of_the_document_lead_to_a_configuration_that_is_taken(tmp_path):
    (tmp_path / "etc").mkdir()
    run = [command for command in commands(GUIDE) if command not in NOT_RUN]
    assert [command.split()[0] for command in run] == ["mkdir", "cp", "cp", "promtool", "sed"]
    script = "\n".join((f"mount --bind '{tmp_path}/etc' /etc/prometheus", f"cd '{lab.ROOT}/packaging'", *run))
    lab.run("unshare", "--mount", "sh", "-euc", script)
    promtool("check", "config", "--lint=all", "--lint-fatal", tmp_path / "etc/prometheus.yml")
    installed = (tmp_path / "etc/rules/alerts.yml").read_text()
    assert installed.count(" https://wiki.example.org/wcs/monitoring.md#wcs") == len(ALERTS)
    assert "file:" not in installed


def test_the_files_of_the_document_are_taken(tmp_path):
    agent, grafana = (
        next(block for block in blocks(GUIDE) if word in block) for word in ('"metrics_allow"', "providers:")
    )
    (tmp_path / "config.json").write_text(agent)
    lab.run(lab.AGENT, "config", "check", str(tmp_path / "config.json"))
    assert json.loads(agent)["metrics_allow"] == ["192.0.2.20", "127.0.0.1", "::1"]
    assert yaml.safe_load(grafana)["providers"][0]["type"] == "file"


# The ways to find nodes


def found_targets(configuration, *prefix):
    """The addresses that Prometheus makes of it. promtool looks for them for as long as it is told to."""
    for seconds in (2, 20):  # a busy machine takes longer
        words = ("/usr/bin/promtool", "check", "service-discovery", f"--timeout={seconds}s", str(configuration), "wcs")
        done = subprocess.run([*prefix, *words], capture_output=True, text=True)
        if found := json.loads(done.stdout or "[]"):
            break
    assert found, done.stderr
    return sorted(one["discoveredLabels"]["__address__"] for one in found)


def test_the_file_of_targets_is_read():
    named = ["192.0.2.11:9708", "192.0.2.12:9708", "192.0.2.13:9708"]
    assert found_targets(PROMETHEUS / "scrape-file.yml") == named


@contextlib.contextmanager
def name_server(name, addresses):
    """One that knows the A records of one name, on port 53 of the loopback interface."""

    def question_of(query):
        end = 12
        while query[end]:
            end += 1 + query[end]
        labels, at = [], 12
        while at < end:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        return ".".join(labels), query[12 : end + 5]

    def serve():
        while True:
            query, client = server.recvfrom(4096)
            if not query:
                return
            asked, question = question_of(query)
            records = addresses if asked == name and question[-4:-2] == b"\0\1" else []
            header = query[:2] + b"\x81\x80\0\1" + len(records).to_bytes(2, "big") + bytes(4)
            answers = (b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4" + socket.inet_aton(address) for address in records)
            server.sendto(header + question + b"".join(answers), client)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        server.sendto(b"", server.getsockname())
        thread.join()


def test_every_address_of_the_name_is_a_node(tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    with_it = f"mount --bind '{tmp_path}/resolv.conf' /etc/resolv.conf && exec \"$@\""
    with name_server("wcs-nodes.example.org", ["192.0.2.11", "192.0.2.12"]):
        found = found_targets(PROMETHEUS / "scrape-dns.yml", "unshare", "--mount", "sh", "-c", with_it, "sh")
    assert found == ["192.0.2.11:9708", "192.0.2.12:9708"]


# A fleet


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Three, with 25, 60 and 10 subscribers; the CPUs of the tests' machine count for the last one alone."""
    scratch = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        found = []
        for number, (subscribers, cpu) in enumerate(((25, "off"), (60, "off"), (10, "100")), 1):
            one = guide_site.start_node(stack, number, scratch, f"--cpu={cpu}", *QUICK)
            one.simulator.set(streams_webrtc_out=subscribers)
            found.append(one)
        yield found


@pytest.fixture(scope="module")
def prometheus(nodes, start_shared, tmp_path_factory):
    """A second of it is a quarter of a minute."""
    (job,) = yaml.safe_load((PROMETHEUS / "scrape-static.yml").read_text())["scrape_configs"]
    assert job["job_name"] == "wcs"
    job["static_configs"] = [{"targets": list(NODES)}]
    one = start_shared(lab.Prometheus, "prometheus", tmp_path_factory.mktemp("prometheus"), "1s", [job], RULE_FILES)
    for node in nodes:
        assert node.agent.reply()
    full = "count(wcs_node_cpu_max_utilization_ratio)"  # which takes 10 s
    lab.wait_until(lambda: one.query(full) == [3], full, 30)
    lab.wait_until(lambda: len(one.query("job:wcs_node_utilization_ratio:avg")) == 1, "recorded series", 30)
    return one


def evaluated(prometheus, expression):
    """How many series it has now, as Grafana asks; fails if Prometheus does not take it."""
    values = {"$job": ".+", "$instance": ".+", "$__rate_interval": "5s"}
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return len(prometheus.ask("query", query=expression)["result"])


def is_empty_by_nature(expression):
    return any(one["metric"] in EMPTY for one in selectors(expression))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_each_query_of_a_dashboard_has_data(prometheus, name):
    of_panels = [target["expr"] for target in targets(DASHBOARDS[name])]
    assert len(of_panels) > 15
    counts = {query: evaluated(prometheus, query) for query in queries(DASHBOARDS[name])}
    assert [query for query, count in counts.items() if not count and not is_empty_by_nature(query)] == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_variables_of_a_dashboard_are_the_jobs_and_nodes(prometheus, name):
    for one in DASHBOARDS[name]["templating"]["list"]:
        if one["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", one["definition"]).groups()
            found = prometheus.ask(f"label/{label}/values", **{"match[]": series.replace("$job", ".+")})
            assert found == (["wcs"] if label == "job" else list(NODES))


def test_each_rule_is_evaluated_and_what_it_reads_is_there(prometheus):
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in GROUPS)
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    for rule in rules:
        read = selectors(rule["query"])
        assert read, rule["name"]
        for one in read:
            text = one["metric"] + (one["matchers"] or "")
            assert evaluated(prometheus, text) or one["metric"] in EMPTY, f"{rule['name']}: {text}"
        if rule["type"] == "recording" and rule["name"] not in EMPTY:
            assert evaluated(prometheus, rule["query"]) and evaluated(prometheus, rule["name"]), rule["name"]


SCALING = lab.ROOT / "packaging/scaling"


def test_keda_asks_for_one_number_that_is_there(prometheus):
    (trigger,) = yaml.safe_load((SCALING / "keda.yml").read_text())["spec"]["triggers"]
    assert evaluated(prometheus, trigger["metadata"]["query"]) == 1
    assert (trigger["metricType"], trigger["metadata"]["ignoreNullValues"]) == ("Value", "false")
    assert 0 < float(trigger["metadata"]["threshold"]) < 0.9


def run_cloudwatch(folder, server):
    """(exit status, what it would have `aws` do): a program in its place, since there is no account."""
    (folder / "aws").write_text('#!/bin/sh\nprintf "%s\\n" "$*"\n')
    (folder / "aws").chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "PROMETHEUS": f"http://{server}"}
    done = subprocess.run([SCALING / "cloudwatch"], env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_cloudwatch_is_given_the_metric_that_target_tracking_follows(prometheus, tmp_path):
    status, called = run_cloudwatch(tmp_path, prometheus.address)
    found = re.fullmatch(
        r"cloudwatch put-metric-data --namespace (\S+) --metric-name (\S+) --dimensions (\S+)=(\S+) --unit (\S+)"
        r" --value (\d+\.\d)\n",
        called,
    )
    assert status == 0 and found, called
    policy = json.loads((SCALING / "target-tracking.json").read_text())
    metric = policy["CustomizedMetricSpecification"]
    (dimension,) = metric["Dimensions"]
    followed = (metric["Namespace"], metric["MetricName"], dimension["Name"], dimension["Value"], metric["Unit"])
    assert found.groups()[:5] == followed
    assert 0 < float(found[6]) <= 100 and policy["TargetValue"] < 90


def test_without_prometheus_cloudwatch_is_given_nothing(tmp_path):
    assert run_cloudwatch(tmp_path, "127.0.0.1:1") == (1, "")


def test_a_dead_wcs_is_an_alert_and_no_room(prometheus, nodes):
    """The last test of the file: the third node loses its WCS."""
    nodes[2].simulator.close()
    mean = "job:wcs_node_utilization_ratio:avg"
    lab.wait_until(lambda: prometheus.query(mean) == [pytest.approx(0.425)], "the mean of the two others", 30)
    assert prometheus.query('job_state:wcs_node_state:sum{state="down"}') == [1]

    def pending():
        every = (one["labels"] for one in prometheus.ask("alerts")["alerts"])
        return {(labels["alertname"], labels.get("instance")) for labels in every}

    wanted = {("WcsNodeWcsSilent", NODES[2]), ("WcsNodeDown", NODES[2])}
    lab.wait_until(lambda: wanted <= pending(), "pending alerts", 30)
    assert not {name for name, _ in pending()} & {"WcsNodeLimitUnknown", "WcsFleetNoNodeUp"}
