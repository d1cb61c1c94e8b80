# SPDX-License-Identifier: Apache-2.0
"""A real HAProxy with the packaged example follows the agent."""

import json
import os
import re
import time

import lab
import pytest

NODE = "127.0.0.11"  # node1 of the example; nobody is at node2
SOON_STALE = ("--stale-after=1500ms", "--wcs-timeout=300ms")


@pytest.fixture
def haproxy(start, tmp_path):
    """start() -> HAProxy with the example, asking every 100 ms; node1's own port is served."""

    def start_haproxy():
        # The port that HAProxy's own health check connects to.
        start(lab.Simulator, "node1", listen=(f"{NODE}:8080",))
        configuration = lab.quick_haproxy(tmp_path, agent_inter="100ms", slowstart="0s")
        environment = {"NODE1": NODE, "NODE2": "127.0.0.12"}
        return start(
            lab.Haproxy, "haproxy", configuration, tmp_path / "haproxy.sock", environment
        )

    return start_haproxy


def node1(haproxy):
    return haproxy.servers()["node1"]


def fits(server, columns):
    return all(re.search(want, server[name]) for name, want in columns.items())


def wait_for_server(haproxy, **columns):
    """node1, once all these columns of `show stat` match."""
    last = []

    def matches():
        last[:] = [node1(haproxy)]
        return fits(last[0], columns)

    try:
        lab.wait_until(matches, f"node1 with {columns}")
    except AssertionError as error:
        raise AssertionError(f"{error}; last: {last[0]}") from None
    return last[0]


def checks(agent):
    series = 'wcs_node_agent_checks_total{reply="%s"}'
    metrics = agent.metrics()
    return sum(metrics[series % state] for state in ("up", "down", "drain", "maint"))


def never_changes(haproxy, agent, **columns):
    """Through five more checks of HAProxy's, these columns match."""
    enough = checks(agent) + 5
    seen = lab.watch(lambda: node1(haproxy), lambda _: checks(agent) >= enough, "five more checks")
    assert [server for server in seen if not fits(server, columns)] == []


def start_node(start_agent, *options):
    return start_agent(*options, listen=f"{NODE}:9707")


def test_weight_follows_the_subscribers(haproxy, start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_node(start_agent)
    server = haproxy()
    assert agent.reply() == "up 75%\n"
    wait_for_server(server, weight="^75$", status="^UP$")
    simulator.set(streams_webrtc_out=20, streams_rtmp_out=20, streams_rtsp_out=20)
    wait_for_server(server, weight="^40$", status="^UP$")
    simulator.set(streams_rtmp_out=0, streams_rtsp_out=0)
    wait_for_server(server, weight="^80$", status="^UP$")


def test_over_a_limit_the_server_is_down_with_the_reason_and_comes_back(
    haproxy, start_agent, simulator
):
    simulator.set(streams_webrtc_out=25)
    agent = start_node(start_agent)
    server = haproxy()
    wait_for_server(server, weight="^75$", status="^UP$")
    simulator.set(streams_webrtc_out=120)
    row = wait_for_server(server, status="^DOWN")
    assert agent.reply() == "down # subscribers 120 of 100\n"
    assert "subscribers 120 of 100" in row["last_agt"]
    simulator.set(streams_webrtc_out=50)
    wait_for_server(server, weight="^50$", status="^UP$")


def test_a_soft_limit_lowers_the_weight_and_never_takes_the_server_down(
    haproxy, start_agent, simulator, tmp_path
):
    soft = {"name": "degraded", "value": "streams_degraded", "max": 5, "soft": True}
    (tmp_path / "config.json").write_text(json.dumps({"limits": [soft]}))
    simulator.set(streams_degraded=1)
    agent = start_node(start_agent, "--config", str(tmp_path / "config.json"))
    server = haproxy()
    wait_for_server(server, weight="^80$", status="^UP$")
    simulator.set(streams_degraded=10)
    row = wait_for_server(server, weight="^1$", status="^UP$")
    assert agent.reply() == "up 1% # degraded 10 of 5\n"
    assert "degraded 10 of 5" in row["last_agt"]
    never_changes(server, agent, weight="^1$", status="^UP$")
    simulator.set(streams_degraded=1)
    wait_for_server(server, weight="^80$", status="^UP$")


def test_after_a_down_the_node_stays_out_until_recover(haproxy, start_agent, simulator):
    simulator.set(streams_webrtc_out=100)
    agent = start_node(start_agent, "--recover=0.8")
    server = haproxy()
    wait_for_server(server, status="^DOWN")
    simulator.set(streams_webrtc_out=85)  # below the limit, not below 80 of 100
    agent.wait_for_metric("wcs_node_limit_utilization_ratio{limit=\"subscribers\"}", lambda v: v == 0.85)
    never_changes(server, agent, status="^DOWN")
    simulator.set(streams_webrtc_out=79)
    wait_for_server(server, weight="^21$", status="^UP$")


def test_traffic_on_the_wire_takes_the_server_down(haproxy, start_agent, media):
    media.set(media_mbps=5)
    start_node(start_agent, "--band-out=20")
    server = haproxy()
    # 5 of 20 Mbit/s of payload; headers add 3.5 %.
    row = wait_for_server(server, weight="^7[2-5]$", status="^UP$")
    media.set(media_mbps=40)
    row = wait_for_server(server, status="^DOWN")
    assert re.search(r"band_out [\d.]+ of 20", row["last_agt"])
    media.set(media_mbps=0)
    wait_for_server(server, weight="^(99|100)$", status="^UP$")


@pytest.mark.idle
def test_busy_cpus_take_the_server_down(haproxy, start, start_agent):
    agent = start_node(start_agent, "--cpu=95")
    server = haproxy()
    spinners = [
        start(lab.Process, f"spinner{cpu}", ["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"])
        for cpu in os.sched_getaffinity(0)
    ]
    row = wait_for_server(server, status="^DOWN")
    assert re.search(r"cpu (9[5-9]|100)\.\d of 95", row["last_agt"])
    ratio = agent.metrics()["wcs_node_cpu_utilization_ratio"]
    assert 0.95 <= ratio <= 1
    for spinner in spinners:
        spinner.close()
    # Other programs may keep the CPUs busy, but not for ever.
    agent.wait_for_metric("wcs_node_cpu_utilization_ratio", lambda busy: busy < 0.9, timeout=30)


@pytest.mark.parametrize(
    "when_stale, columns",
    [
        ("down", {"status": "^DOWN", "weight": "^75$"}),
        ("drain", {"status": "^(UP|DRAIN)", "weight": "^0$"}),
        ("ignore", {"status": "^UP$", "weight": "^(99|100)$"}),
    ],
)
def test_when_wcs_hangs_the_weight_holds_then_when_stale_decides(
    haproxy, start_agent, simulator, when_stale, columns
):
    simulator.set(streams_webrtc_out=25)
    agent = start_node(start_agent, f"--when-stale={when_stale}", *SOON_STALE)
    server = haproxy()
    held = {"weight": "^75$", "status": "^UP$"}
    wait_for_server(server, **held)
    simulator.set(hang=1)
    seen = lab.watch(lambda: node1(server), lambda row: fits(row, columns), f"node1 with {columns}")
    assert [row for row in seen[:-1] if not fits(row, held)] == []
    assert agent.metrics()["wcs_stat_age_seconds"] > 1.5
    simulator.set(hang=0)
    wait_for_server(server, **held)


def test_when_stale_hold_goes_on_with_the_last_counts(haproxy, start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_node(start_agent, "--when-stale=hold", *SOON_STALE)
    server = haproxy()
    wait_for_server(server, weight="^75$", status="^UP$")
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_stat_age_seconds", lambda age: age > 2)
    never_changes(server, agent, weight="^75$", status="^UP$")


def test_a_restart_of_the_agent_changes_nothing_at_haproxy(haproxy, start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_node(start_agent)
    server = haproxy()
    wait_for_server(server, weight="^75$", status="^UP$")
    assert agent.close() == 0
    ends = time.monotonic() + 0.5  # five checks that nobody answers
    seen = lab.watch(lambda: node1(server), lambda _: time.monotonic() > ends, "half a second")
    assert any("L4CON" in row["agent_status"] for row in seen)
    agent = start_agent(listen=f"{NODE}:9707", name="agent-again")
    never_changes(server, agent, weight="^75$", status="^UP$")
    assert [row for row in seen if not fits(row, {"weight": "^75$", "status": "^UP$"})] == []
    simulator.set(streams_webrtc_out=60)
    wait_for_server(server, weight="^40$", status="^UP$")


@pytest.mark.parametrize(
    "cpu, reply",
    [
        ("--cpu=off", r"up 75% maxconn:\d+\n"),
        # Whatever else runs on this machine is in it, and to say so is deliberate too.
        ("--cpu=95", r"(up (\d|[1-6]\d|7[0-5])% maxconn:\d+|down # cpu (9[5-9]|100)\.\d of 95)\n"),
    ],
)
def test_the_first_reply_is_deliberate_however_early_it_is_asked(start, simulator, cpu, reply):
    simulator.set(streams_webrtc_out=25)
    agent = start(lab.Agent, "agent", f"--wcs-url={simulator.url}", cpu)

    def first_reply():
        try:
            return agent.reply()
        except ConnectionRefusedError:
            return None

    assert re.fullmatch(reply, lab.wait_until(first_reply, "the first reply", every=0.001))
