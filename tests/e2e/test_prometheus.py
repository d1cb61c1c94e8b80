# SPDX-License-Identifier: Apache-2.0
"""The page that Prometheus reads: its names, its formats, and a real Prometheus."""

import re
import subprocess

import lab
import pytest

OPEN_METRICS = "application/openmetrics-text"

# The names and labels that dashboards may rely on.
CONTRACT = (
    'wcs_node_network_receive_bytes_total{device="wan0"}',
    'wcs_node_network_transmit_bytes_total{device="wan0"}',
    'wcs_node_network_receive_packets_total{device="wan0"}',
    'wcs_node_network_transmit_packets_total{device="wan0"}',
    'wcs_node_bandwidth_bytes_per_second{direction="in"}',
    'wcs_node_bandwidth_bytes_per_second{direction="out"}',
    'wcs_node_cpu_busy_seconds_total{cpu="0"}',
    'wcs_node_cpu_steal_seconds_total{cpu="0"}',
    "wcs_node_cpu_utilization_ratio",
    'wcs_publishers{protocol="webrtc"}',
    'wcs_publishers{protocol="rtmp"}',
    'wcs_publishers{protocol="rtsp"}',
    'wcs_subscribers{protocol="webrtc"}',
    "wcs_hls_streams",
    'wcs_stat{key="connections_websocket"}',
    "wcs_up",
    "wcs_stat_age_seconds",
    'wcs_node_limit{limit="band_out"}',
    'wcs_node_limit{limit="subscribers"}',
    'wcs_node_limit_utilization_ratio{limit="band_out"}',
    'wcs_node_limit_unknown{limit="band_out"}',
    'wcs_node_limit_utilization_ratio{limit="subscribers"}',
    "wcs_node_weight_ratio",
    'wcs_node_state{state="up"}',
    'wcs_node_state{state="down"}',
    'wcs_node_state{state="drain"}',
    'wcs_node_state{state="maint"}',
    'wcs_node_agent_source{source="ebpf"}',
    'wcs_node_agent_source{source="procfs"}',
    'wcs_node_agent_checks_total{reply="up"}',
    "wcs_node_agent_rejected_connections_total",
    "wcs_node_agent_sample_age_seconds",
)


@pytest.fixture(scope="module")
def ready(start_shared_agent):
    """An agent that has rates, peaks and a page of WCS."""
    agent = start_shared_agent("--policy=headroom")
    for rate in ("bandwidth", "bandwidth_peak"):
        series = f'wcs_node_{rate}_bytes_per_second{{direction="in"}}'
        agent.wait_for_metric(series, lambda _: True)
    return agent


def test_every_name_of_the_contract_is_there(ready):
    metrics = ready.metrics()
    assert [series for series in CONTRACT if series not in metrics] == []
    assert any(series.startswith("wcs_node_agent_build_info{") for series in metrics)


def test_figures_come_from_ebpf_and_report_the_verdict(ready):
    metrics = ready.metrics()
    assert metrics['wcs_node_agent_source{source="ebpf"}'] == 1
    assert metrics['wcs_node_agent_source{source="procfs"}'] == 0
    assert metrics['wcs_node_limit{limit="subscribers"}'] == 100
    assert metrics['wcs_node_limit_utilization_ratio{limit="subscribers"}'] == 0.25
    assert metrics["wcs_node_weight_ratio"] == 0.75
    assert metrics['wcs_node_state{state="up"}'] == 1
    assert metrics['wcs_node_state{state="down"}'] == 0


def test_the_reference_names_every_metric_and_no_other(ready):
    ready.wait_for_metric("wcs_node_cpu_max_utilization_ratio", lambda ratio: True)  # the first 10 s have none
    served = set(re.findall(r"^# TYPE (\S+) ", ready.get("/metrics")[2], re.MULTILINE))
    served |= {f"wcs_node_agent_program_{what}_total" for what in ("runs", "run_seconds")}  # where the kernel keeps them
    served |= {"wcs_node_network_dropped_packets_total"}  # once something was dropped
    served |= {"wcs_node_operator_word_timestamp_seconds"}  # once an operator said something
    served |= {"wcs_node_fleet_level_ratio"}  # once sessions have come by turns for a quarter of an hour
    reference = (lab.ROOT / "docs/metrics.md").read_text()
    assert served == set(re.findall(r"^\| `((?:wcs|process)_\w+)` \| (?:counter|gauge|info) \|", reference, re.MULTILINE))


def test_a_limit_that_is_off_has_no_series(ready):
    assert not [series for series in ready.metrics() if 'limit="cpu"' in series]


def test_limits_are_in_base_units(ready):
    metrics, limits = ready.metrics(), ready.status_json()["limits"]
    assert metrics['wcs_node_limit{limit="band_out"}'] == limits["band_out"]["maximum"] * 1e6 / 8


def test_promtool_has_no_remark(ready):
    page = ready.get("/metrics")[2]
    lint = subprocess.run(
        ["/usr/bin/promtool", "check", "metrics"], input=page, capture_output=True, text=True
    )
    assert (lint.stdout + lint.stderr).splitlines() == []


@pytest.mark.parametrize(
    "accept, kind",
    [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("application/openmetrics-text;version=1.0.0", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.1,text/plain;q=0.9", "text/plain"),
    ],
)
def test_accept_chooses_the_format(ready, accept, kind):
    headers = {"Accept": accept} if accept else {}
    status, got, page = ready.get("/metrics", **headers)
    assert status == 200
    assert got["Content-Type"].startswith(kind)
    assert page.endswith("# EOF\n") == (kind == OPEN_METRICS)


def test_a_real_prometheus_scrapes_and_gives_the_series_back(ready, start, tmp_path):
    scrape = {"job_name": "wcs", "static_configs": [{"targets": [ready.metrics_address]}]}
    prometheus = start(lab.Prometheus, "prometheus", tmp_path, "500ms", [scrape])

    # Prometheus 2.42 asks for OpenMetrics first and takes a page as a whole or not at all.
    lab.wait_until(lambda: prometheus.query("up") == [1], "up == 1", 30)
    assert prometheus.query("wcs_node_weight_ratio") == [0.75]
    assert prometheus.query("sum(wcs_subscribers)") == [25]
    assert prometheus.query('wcs_node_agent_source{source="ebpf"}') == [1]
    assert len(prometheus.query("wcs_node_network_receive_bytes_total")) >= 1
    rate = "rate(wcs_node_agent_scrapes_total[5s])"
    lab.wait_until(lambda: any(value > 0 for value in prometheus.query(rate)), rate, 30)


def test_other_pages(ready):
    status, headers, page = ready.get("/")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    assert 'href="metrics"' in page
    assert ready.get("/healthz")[0] == 200
    status, headers, _ = ready.get("/status")
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert ready.get("/nothing")[0] == 404
    assert lab.http_get(ready.metrics_address, "/metrics", method="POST")[0] == 405
    status, headers, body = lab.http_get(ready.metrics_address, "/metrics", method="HEAD")
    assert status == 200 and int(headers["Content-Length"]) > 0 and body == ""
