# SPDX-License-Identifier: Apache-2.0
"""Agents, nodes and HAProxy itself end, and the real HAProxy with the configurations of packaging/haproxy goes on."""

import re
import signal
import subprocess
import time
from contextlib import ExitStack, closing

import lab
import pytest
from balancer import NODES, nodes_of, session, site, with_dead_agents_out  # noqa: F401


@pytest.mark.parametrize("reason", ["its agent says down", "its port is closed"])
def test_a_node_that_goes_down_keeps_its_sessions(site, reason):
    one = site()
    one.start_agents(node1=20)
    one.start_haproxy()
    one.wait_for("node1", weight="^80$", status="^UP$")
    one.wait_for("node2", status="^UP$")
    with ExitStack() as stack:
        opened = {each.node: each for each in (session(stack, one) for _ in range(4))}
        if reason == "its port is closed":
            one.servers["node1"].close()
        else:
            one.simulators["node1"].set(streams_webrtc_out=120)
        one.wait_for("node1", status="^DOWN")
        assert opened["node1"].echo() and opened["node2"].echo()
        assert nodes_of(session(stack, one) for _ in range(4)) == {"node2": 4}
        assert opened["node1"].echo()


def test_a_session_that_cannot_reach_its_node_is_given_to_another(site):
    """Before the health check has noticed."""
    one = site(inter="10m")
    one.servers["node1"].close()
    one.start_haproxy()
    one.haproxy.command("set server wcs_nodes/node1 health up")
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(2)) == {"node2": 2}
    row = one.haproxy.servers()["node1"]
    assert (row["status"], row["wredis"]) == ("UP", "1")


def test_without_a_node_clients_are_told(site):
    one = site()
    one.start_agents(node1=120, node2=120)
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, status="^DOWN")
    with closing(one.open()) as client:
        assert client.status == 503
    assert one.get("/")[0] == 200


def save_state(site):
    """As save-state.conf does it."""
    lines = (lab.HAPROXY_EXAMPLES / "save-state.conf").read_text().splitlines()
    commands = {line.partition("=-")[2] for line in lines if "show servers state" in line}
    (command,) = commands  # the same for a reload and a restart
    command = command.replace("/run/haproxy/admin.sock", str(site.folder / "haproxy.sock"))
    command = command.replace("/var/lib/haproxy/state", str(site.state_file))
    subprocess.run(command, shell=True, check=True)


def state_of(site):
    rows = site.haproxy.servers()
    return {name: (rows[name]["weight"], rows[name]["status"].split()[0]) for name in NODES}


def restart_without_agents(site, save=True, health_checks=True):
    """HAProxy anew, after which no agent says a word."""
    if save:
        save_state(site)
    for agent in site.agents.values():
        agent.close()
    site.haproxy.close()
    if not health_checks:
        text = site.configuration.read_text()
        site.configuration.write_text(text.replace(" inter 200ms", " inter 10m"))  # the first after 5 minutes
    site.start_haproxy()


@pytest.mark.parametrize("saved", [True, False])
def test_a_restart_keeps_weights_and_states_if_they_were_saved(site, saved):
    one = site()
    one.start_agents(node1=75, node2=120)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    one.wait_for("node2", status="^DOWN")
    one.haproxy.command("set server wcs_nodes/node1 state drain")
    restart_without_agents(one, save=saved, health_checks=False)
    kept = {"node1": ("25", "DRAIN"), "node2": ("100", "DOWN")}
    anew = {"node1": ("100", "UP"), "node2": ("100", "UP")}
    ends = time.monotonic() + 1  # several checks of agents
    seen = lab.watch(lambda: state_of(one), lambda _: time.monotonic() > ends, "a second")
    assert [state for state in seen if state != (kept if saved else anew)] == []


def test_a_down_of_the_agent_is_kept_until_the_first_health_check(site):
    """HAProxy saves that a server is down, not that its agent said so."""
    one = site()
    one.start_agents(node2=120)
    one.start_haproxy()
    one.wait_for("node2", status="^DOWN")
    restart_without_agents(one)
    one.wait_for("node2", status="^UP$")


def test_a_weight_is_kept_only_if_the_configured_one_is_the_same(site):
    one = site()
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    text = one.configuration.read_text()
    one.configuration.write_text(text.replace("weight 100 check", "weight 200 check"))
    restart_without_agents(one)
    assert state_of(one)["node1"] == ("200", "UP")


def worker(site):
    return re.search(r"(?m)^Pid: (\d+)$", site.haproxy.command("show info"))[1]


def test_a_reload_keeps_weights_and_sessions(site):
    one = site()
    one.start_agents(node1=75)
    haproxy = one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    first = worker(one)
    with closing(one.open()) as held:
        assert held.echo()
        save_state(one)
        one.agents["node1"].close()
        haproxy.signal(signal.SIGUSR2)
        seen = lab.watch(lambda: (worker(one), state_of(one)), lambda both: both[0] != first, "a new worker")
        assert {state["node1"][0] for _, state in seen} == {"25"}
        assert held.echo()
        # The old process, which may answer a last time, has the session.
        lab.wait_until(lambda: {haproxy.servers()[name]["scur"] for name in NODES} == {"0"}, "its own sessions alone")
        with closing(one.open()) as client:
            assert client.status == 101


def test_a_dead_agent_leaves_its_node_up_at_its_last_weight(site):
    one = site()
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    one.agents["node1"].signal(signal.SIGKILL)
    one.wait_for("node1", agent_status="L4CON")
    time.sleep(1)
    one.wait_for("node1", weight="^25$", status="^UP$")


def test_a_dead_agent_leaves_its_node_down_if_that_was_its_last_word(site):
    one = site()
    one.start_agents(node1=120)
    one.start_haproxy()
    one.wait_for("node1", status="^DOWN")
    one.agents["node1"].signal(signal.SIGKILL)
    one.wait_for("node1", agent_status="L4CON", status="^DOWN")
    ends = time.monotonic() + 1  # five health checks
    seen = lab.watch(lambda: state_of(one)["node1"][1], lambda _: time.monotonic() > ends, "a second")
    assert set(seen) == {"DOWN"}


@pytest.mark.parametrize("state, shown", [("drain", "DRAIN"), ("maint", "MAINT")])
def test_what_an_operator_sets_holds_while_the_agent_says_up(site, state, shown):
    one = site()
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    one.wait_for("node2", status="^UP$")
    one.haproxy.command(f"set server wcs_nodes/node1 state {state}")
    one.simulators["node1"].set(streams_webrtc_out=20)
    one.agents["node1"].wait_for_reply("^up 80% ")
    ends = time.monotonic() + 1  # ten agent checks
    seen = lab.watch(lambda: state_of(one)["node1"][1], lambda _: time.monotonic() > ends, "a second")
    assert set(seen) == {shown}
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(4)) == {"node2": 4}
    one.haproxy.command("set server wcs_nodes/node1 state ready")
    one.wait_for("node1", status="^UP$", weight="^80$")


def test_with_the_block_a_dead_agent_takes_its_node_out(site):
    one = site(change=with_dead_agents_out)
    one.start_agents(node1=75, node2=20)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$", status="^UP$")
    one.wait_for("node2", weight="^80$", status="^UP$")
    one.agents["node1"].signal(signal.SIGKILL)
    row = one.wait_for("node1", status="^DOWN")
    assert "step 2 of tcp-check (connect port 9708)" in row["last_chk"]
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(4)) == {"node2": 4}
    one.start_agent("node1")
    one.wait_for("node1", weight="^25$", status="^UP$")
    # WCS's own port is in it too.
    one.servers["node1"].close()
    row = one.wait_for("node1", status="^DOWN")
    assert "step 1 of tcp-check (connect)" in row["last_chk"]


def test_with_the_block_a_restart_of_the_agent_takes_nothing_out(site):
    one = site(change=with_dead_agents_out, inter="2s")
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$", status="^UP$")
    one.agents["node1"].close()
    one.wait_for("node1", check_status="L4CON")
    agent = one.start_agent("node1")
    agent.wait_until_listening()
    seen = lab.watch(
        lambda: one.haproxy.servers()["node1"], lambda row: row["check_status"] == "L7OK", "a check that passes"
    )
    assert {row["status"].split()[0] for row in seen} == {"UP"}


def test_with_the_block_the_death_of_every_agent_stops_the_service(site):
    """Why it is not on by default."""
    one = site(change=with_dead_agents_out)
    one.start_agents(node1=20, node2=20)
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, weight="^80$", status="^UP$")
    for agent in one.agents.values():
        agent.signal(signal.SIGKILL)
    for name in NODES:
        one.wait_for(name, status="^DOWN")
    with closing(one.open()) as client:
        assert client.status == 503


# What the documents say dies, and the tests that show what follows.
DEATHS = {
    "the agent restarts": [
        "test_a_restart_of_the_agent_changes_nothing_at_haproxy",
        "test_with_the_block_a_restart_of_the_agent_takes_nothing_out",
    ],
    "the agent dies": [
        "test_a_dead_agent_leaves_its_node_up_at_its_last_weight",
        "test_a_dead_agent_leaves_its_node_down_if_that_was_its_last_word",
        "test_with_the_block_a_dead_agent_takes_its_node_out",
    ],
    "WCS hangs": ["test_when_wcs_hangs_the_weight_holds_then_when_stale_decides"],
    "WCS's port is closed": ["test_a_node_that_goes_down_keeps_its_sessions", "wcs_port_is_closed"],
    "the node, or the way to it": ["node_is_filtered"],
    "every node is down": ["test_without_a_node_clients_are_told"],
    "HAProxy is reloaded": ["test_a_reload_keeps_weights_and_sessions"],
    "HAProxy restarts, or the balancer": ["test_a_restart_keeps_weights_and_states_if_they_were_saved"],
}  # fmt: skip


def test_every_death_of_the_document_has_its_test():
    part = (lab.ROOT / "docs/haproxy.md").read_text().split("## What dies", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ")[0] for line in part.splitlines() if line.startswith("| ")]
    assert rows[2:] == list(DEATHS)
    folder = lab.ROOT / "tests/e2e"
    code = "".join((folder / f"test_haproxy{suffix}.py").read_text() for suffix in ("", "_deaths", "_symptoms"))
    for names in DEATHS.values():
        for name in names:
            assert f"\ndef {name}(" in code, name
