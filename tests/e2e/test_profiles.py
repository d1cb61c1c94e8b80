# SPDX-License-Identifier: Apache-2.0
"""Profiles: one node, an origin for one backend of a real HAProxy and an edge for another."""

import json
import re
import signal
import subprocess

import lab
import pytest
from conftest import QUICK
from documents import blocks

NODE = "127.0.0.11"
PUBLISH, PLAY = "127.0.0.11:9717", "127.0.0.11:9718"
PROFILES = json.loads(next(one for one in blocks("haproxy.md") if '"profiles"' in one))["profiles"]


def with_ports(profiles):
    """The document's profiles at this node's address, by a weight that tells what was counted."""
    ports = {"publish": PUBLISH, "play": PLAY}
    return {
        name: {**one, "agent_listen": [ports[name]], "policy": "proportional"}
        for name, one in profiles.items()
    }


class Node:
    """An agent with a configuration that can be written anew."""

    def __init__(self, start, simulator, folder):
        self.file, self.simulator = folder / "config.json", simulator
        self.write(with_ports(PROFILES))
        options = [option for option in QUICK if "policy" not in option]
        self.agent = start(
            lab.Agent, "agent", f"--config={self.file}", "--log-level=info", *options, listen=f"{NODE}:9707"
        )
        self.agent.wait_until_listening()
        self.agent.wait_for_reply("^up ")

    def write(self, profiles, **settings):
        self.file.write_text(json.dumps({"wcs_url": self.simulator.url, "subscribers": 1000, **settings, "profiles": profiles}))

    def reload(self, profiles, want="reload: done", **settings):
        self.write(profiles, **settings)
        before = self.agent.log.read_text().count(want)
        self.agent.signal(signal.SIGHUP)
        lab.wait_until(lambda: self.agent.log.read_text().count(want) > before, want)


@pytest.fixture
def node(start, simulator, tmp_path):
    simulator.set(streams_webrtc_in=10, streams_webrtc_out=100)
    return Node(start, simulator, tmp_path)


def wait_for(address, pattern):
    lab.wait_until(lambda: re.search(pattern, lab.ask_agent(address)), f"{pattern} at {address}")


def servers(haproxy):
    """{backend: node1's columns}"""
    lines = haproxy.command("show stat").removeprefix("# ").strip().splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","))) for line in lines[1:]]
    return {row["pxname"]: row for row in rows if row["svname"] == "node1"}


def test_full_of_publishers_the_node_is_still_an_edge(start, node, tmp_path):
    """The document's own backends."""
    start(lab.Simulator, "node1", listen=(f"{NODE}:8080",))
    backends = next(one for one in blocks("haproxy.md") if "backend wcs_origin" in one)
    head = """global
    stats socket "${STATISTICS_SOCKET}" mode 660 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
"""
    (tmp_path / "haproxy.cfg").write_text(head + backends.replace("agent-inter 5s", "agent-inter 100ms") + "\n")
    environment = {"NODE1": NODE, "NODE2": "127.0.0.12"}
    haproxy = start(
        lab.Haproxy, "haproxy", tmp_path / "haproxy.cfg", tmp_path / "haproxy.sock", environment
    )

    def wait_for_servers(origin, edge):
        def fits():
            rows = servers(haproxy)
            return all(
                (rows[backend]["status"].split(" ")[0], rows[backend]["weight"]) == want
                for backend, want in (("wcs_origin", origin), ("wcs_edge", edge))
            )

        lab.wait_until(fits, f"origin {origin}, edge {edge}; now {servers(haproxy)}")

    wait_for_servers(("UP", "80"), ("UP", "75"))
    node.simulator.set(streams_webrtc_in=50)
    wait_for_servers(("DOWN", "80"), ("UP", "75"))
    assert lab.ask_agent(PUBLISH) == "down # publishers 50 of 50\n"
    node.simulator.set(streams_webrtc_in=20, streams_webrtc_out=200)
    wait_for_servers(("UP", "60"), ("UP", "50"))


def test_metrics_status_and_log_carry_the_profile(node):
    wait_for(PUBLISH, "^up 80%")
    checks = 'wcs_node_agent_checks_total{profile="publish",reply="up"}'
    node.agent.wait_for_metric(checks, lambda count: count >= 1)
    metrics = node.agent.metrics()
    assert metrics['wcs_node_weight_ratio{profile="publish"}'] == 0.8
    assert metrics['wcs_node_weight_ratio{profile="play"}'] == 0.75
    assert metrics['wcs_node_limit{profile="publish",limit="publishers"}'] == 50
    assert metrics['wcs_node_limit{limit="publishers"}'] == 100
    checked = subprocess.run(
        ["/usr/bin/promtool", "check", "metrics"],
        input=node.agent.get("/metrics")[2],
        capture_output=True,
        text=True,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    status = node.agent.status_json()
    assert list(status["profiles"]) == ["publish", "play"]
    assert status["profiles"]["publish"]["reply"] == "up 80%"
    assert status["profiles"]["play"]["limits"]["subscribers"]["maximum"] == 400
    table = lab.run(lab.AGENT, "status", "--metrics-listen", node.agent.metrics_address)
    assert re.search(r"(?m)^profile     publish\nstate       up, weight 80 %", table), table
    node.simulator.set(streams_webrtc_in=60)
    node.agent.wait_for_line("profile publish is down: publishers 60 of 50")
    assert "node is down" not in node.agent.log.read_text()


def test_a_reload_adds_removes_and_changes(node):
    profiles = with_ports(PROFILES)
    wait_for(PUBLISH, "^up 80%")
    node.simulator.set(streams_webrtc_in=50)
    wait_for(PUBLISH, "^down")
    # Between recover and the limit it stays down: its history outlives a reload that changes another one.
    node.simulator.set(streams_webrtc_in=48)
    wait_for(PUBLISH, "publishers 48 of 50")
    node.reload({**profiles, "play": {**profiles["play"], "subscribers": 200}})
    wait_for(PLAY, "^up 50%")
    assert lab.ask_agent(PUBLISH) == "down # publishers 48 of 50; up again below 47.5\n"
    node.agent.wait_for_line("profiles.play.subscribers: 400 -> 200")

    # One that goes, and another one at its port, which has nothing of it.
    node.reload({"other": {**profiles["publish"], "publishers": 96}, "play": profiles["play"]})
    node.agent.wait_for_line("profiles.publish: .* -> none; profiles.other: none -> 127.0.0.11:9717")
    wait_for(PUBLISH, "^up 50%")
    assert not any('profile="publish"' in name for name in node.agent.metrics())

    node.reload({})
    lab.wait_until(lambda: refused(PUBLISH) and refused(PLAY), "no profile listens")
    assert "profiles" not in node.agent.status_json()
    node.reload(profiles)
    wait_for(PLAY, "^up 75%")

    # What cannot be had changes nothing.
    bad = {**profiles, "third": {"agent_listen": [f"{NODE}:9707"]}}
    node.reload(bad, want="profiles.third.agent_listen and agent_listen both have")
    assert lab.ask_agent(PLAY).startswith("up 75%")


def refused(address):
    try:
        lab.ask_agent(address)
    except OSError:
        return True
    return False


def test_what_the_top_level_sets_reaches_the_profiles(node):
    profiles = with_ports(PROFILES)
    for one in profiles.values():
        del one["policy"]
    node.reload(profiles, policy="proportional", publishers=10)
    wait_for(f"{NODE}:9707", "^down # publishers 10 of 10")
    wait_for(PUBLISH, "^up 80%")
    assert "profiles.publish" not in node.agent.log.read_text().splitlines()[-1]
    shown = json.loads(lab.run(lab.AGENT, "config", "show", "--config", str(node.file)))
    assert shown["profiles"] == profiles


def test_a_check_by_a_profile_is_a_sample_of_its_own(node):
    def check(name):
        words = [lab.AGENT, "check", "--config", str(node.file), "--cpu", "off", "--profile", name]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True)

    node.simulator.set(streams_webrtc_in=55)
    assert check("publish").stdout == "down # publishers 55 of 50\n"
    assert check("play").stdout == "up 75%\n"
    nobody = check("nobody")
    assert (nobody.returncode, nobody.stderr) == (2, "--profile: the file has no profile nobody\n")
