# SPDX-License-Identifier: Apache-2.0
"""How the weight is made by default, and what a real HAProxy makes of it."""

import csv
import json
import signal
import threading
from contextlib import ExitStack

import lab
import pytest
from balancer import nodes_of, session, site  # noqa: F401

HEADROOM = ("--policy=headroom", "--ramp=0s")
REPLY = r"^up {}% maxconn:{}$"


def test_one_capacity_reference_makes_unequal_nodes_comparable(site):
    one = site()
    one.start_agents("--capacity-reference=100", "--capacity=200", node1=25)
    one.start_agents("--capacity-reference=100", "--capacity=50", node2=25)
    one.start_haproxy()
    one.wait_for("node1", weight="^150$", status="^UP$")
    one.wait_for("node2", weight="^38$", status="^UP$")


def test_no_weight_is_above_what_haproxy_takes(site):
    one = site()
    one.start_agents("--capacity-reference=1", node1=25)
    one.start_haproxy()
    one.wait_for("node1", weight="^256$", status="^UP$")


@pytest.fixture
def bounded(site, tmp_path):
    """HAProxy in front of node1 alone, which has 3 subscribers of 6 by 3 connections: room for 2 more (2.8)."""
    config = tmp_path / "node1.json"
    counts = {"connections": ["streams_webrtc_out", "connections"]}
    config.write_text(json.dumps({"counts": counts}))
    one = site()
    one.start_agents(f"--config={config}", "--subscribers=6", node1=3)
    one.agents["node1"].wait_for_reply(REPLY.format(50, 5))
    one.start_haproxy()
    one.haproxy.command("set server wcs_nodes/node2 state maint")
    one.wait_for("node1", slim="^5$", status="^UP$")
    one.wait_for("node2", status="^MAINT$")
    one.config = config
    return one


def queued(site):
    rows = csv.DictReader(site.haproxy.command("show stat").removeprefix("# ").strip().splitlines())
    return sum(int(row["qcur"] or 0) for row in rows if row["pxname"] == "wcs_nodes" and row["type"] == "1")


class Waiting:
    """A session that HAProxy keeps in its queue."""

    def __init__(self, stack, site):
        self.opened = []
        self._thread = threading.Thread(target=lambda: self.opened.append(session(stack, site)), daemon=True)
        self._thread.start()
        site.wait_for("node1", scur="^5$")
        lab.wait_until(lambda: queued(site) == 1, "one waits")

    def node(self):
        self._thread.join(15)
        return self.opened[0].node if self.opened else None


def test_maxconn_bounds_what_haproxy_opens_until_there_is_room(bounded):
    with ExitStack() as stack:
        assert nodes_of(session(stack, bounded) for _ in range(5)) == {"node1": 5}
        sixth = Waiting(stack, bounded)
        bounded.simulators["node1"].set(connections=1)  # beside the three
        bounded.wait_for("node1", slim="^6$")
        assert sixth.node() == "node1"


def test_a_session_that_ends_makes_room_for_one_that_waits(bounded):
    with ExitStack() as stack:
        first, *_ = [session(stack, bounded) for _ in range(5)]
        sixth = Waiting(stack, bounded)
        first.close()
        assert sixth.node() == "node1"


def test_a_bound_is_lifted_when_it_is_switched_off(bounded):
    agent = bounded.agents["node1"]
    bounded.config.write_text(json.dumps({"maxconn": False}))
    agent.signal(signal.SIGHUP)
    agent.wait_for_reply(REPLY.format(50, 1000000))
    bounded.wait_for("node1", slim="^1000000$")
    with ExitStack() as stack:
        assert nodes_of(session(stack, bounded) for _ in range(9)) == {"node1": 9}


def test_what_waits_when_a_bound_is_lifted_goes_through(bounded):
    with ExitStack() as stack:
        for _ in range(5):
            session(stack, bounded)
        sixth = Waiting(stack, bounded)
        bounded.config.write_text(json.dumps({"maxconn": False}))
        bounded.agents["node1"].signal(signal.SIGHUP)
        bounded.wait_for("node1", slim="^1000000$")
        assert sixth.node() == "node1"


def test_the_last_bound_stays_when_the_agent_dies_and_an_operator_lifts_it(bounded):
    bounded.agents["node1"].signal(signal.SIGKILL)
    bounded.wait_for("node1", agent_status="L4CON", slim="^5$", weight="^50$")
    bounded.haproxy.command("set maxconn server wcs_nodes/node1 0")
    bounded.wait_for("node1", slim="^0?$")


def test_a_node_that_starts_empty_gets_work_by_and_by(start_agent):
    agent = start_agent("--policy=headroom", "--ramp=3s")
    seen = lab.watch(agent.reply, lambda reply: reply.startswith("up 100%"), "all of its weight", 15)
    weights = [int(reply.split("%")[0].removeprefix("up ")) for reply in seen]
    assert weights == sorted(weights) and weights[0] < 50 and len(set(weights)) > 5
    agent.wait_for_line(r"node is up, weight \d+% \(headroom: .*\): the agent has started")


def test_one_that_was_at_work_before_the_agent_has_its_weight_at_once(start_agent, simulator):
    simulator.set(streams_webrtc_out=25, connections=25)
    assert start_agent("--policy=headroom", "--ramp=1m").reply() == "up 75% maxconn:96\n"


def test_balancers_are_who_asks_or_as_many_as_are_set(start_agent, simulator):
    simulator.set(streams_webrtc_out=50, connections=50)
    agent = start_agent(*HEADROOM)
    agent.wait_for_reply(REPLY.format(50, 96))
    assert agent.metrics()["wcs_node_balancers"] == 1
    for _ in range(3):
        lab.run("socat", "-u", f"TCP:{agent.address},bind=127.0.0.2", "-")
    agent.wait_for_reply(REPLY.format(50, 73))
    assert agent.metrics()["wcs_node_balancers"] == 2
    agent.close()
    start_agent(*HEADROOM, "--balancers=5", name="told").wait_for_reply(REPLY.format(50, 24))


def test_each_weight_is_explained(start_agent, simulator):
    simulator.set(streams_webrtc_out=40, connections=30)
    agent = start_agent(*HEADROOM, "--capacity-reference=200")
    agent.wait_for_reply("^up 30% maxconn:")
    status = agent.status_json()
    assert status["bottleneck"] == "subscribers"
    weighing = status["weighing"]
    assert (weighing["policy"], weighing["raw"], weighing["ramp"]) == ("headroom", 60, 1)
    assert (weighing["capacity_sessions"], weighing["reference_sessions"]) == (pytest.approx(100), 200)
    assert f"maxconn:{weighing['maxconn']}" in status["reply"]
    assert status["last_change"]["reason"] == "the agent has started"
    metrics = agent.metrics()
    assert metrics["wcs_node_weight_ratio"] == 0.3
    assert metrics["wcs_node_weight_raw_ratio"] == pytest.approx(0.6)
    assert metrics["wcs_node_maxconn"] == weighing["maxconn"]
    simulator.set(streams_webrtc_out=110)
    agent.wait_for_reply("^down # subscribers 110 of 100$")
    assert agent.status_json()["last_change"]["reason"] == "subscribers 110 of 100"
    simulator.set(streams_webrtc_out=40)
    agent.wait_for_reply("^up ")
    assert agent.status_json()["last_change"]["reason"] == "no longer down: subscribers 110 of 100"


def test_where_the_page_has_no_connections_there_is_no_bound(start_agent, simulator, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"counts": {"connections": ["connections_not_there"]}}))
    simulator.set(streams_webrtc_out=25)
    start_agent(*HEADROOM, f"--config={config}").wait_for_reply("^up 75%$")
