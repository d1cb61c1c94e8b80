# SPDX-License-Identifier: Apache-2.0
"""The test of the vendor's guide: a browser publishes by wss through HAProxy to two nodes.

Chromium is in the network `peer`, 10.98.0.2, so that the balancer, 10.98.0.1, sees a client from outside. What the
simulated nodes cannot give are media: the stream's state is that of the signalling.
"""

import os
import re
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass

import guide_site
import lab
import pytest
import websdk
from browser import Browser

CLIENT, BALANCER = "10.98.0.2", "10.98.0.1"
SCREENSHOTS = os.environ.get("WNA_SCREENSHOTS")  # a folder that gets those of docs/
AGENT = (
    *("--publishers=10", "--cpu=off"),
    # What was just sent there is counted for as long as WCS takes to show it.
    "--recent-sessions=1s",
    *("--sample-interval=100ms", "--window=500ms", "--wcs-interval=100ms"),
)


@dataclass
class Guide:
    """What is there for all tests: the nodes, the web server, the browser."""

    nodes: list
    browser: Browser
    certificate: object
    haproxy: lab.Haproxy = None

    def window(self):
        """A new one with the example, its WebSocket asked for."""
        page = f"https://{BALANCER}/{websdk.EXAMPLE}"
        return self.browser.open(page, f"wss://{BALANCER}:443").connect()

    def established(self):
        """A new window with a session, and that session's node."""
        before = {session["id"] for node in self.nodes for session in node.sessions}
        window = self.window().wait_for("connectStatus", "ESTABLISHED")
        (node,) = (
            node for node in self.nodes for session in node.sessions if session["id"] not in before
        )
        return window, node

    def other(self, node):
        return self.nodes[1 - self.nodes.index(node)]

    def wait_for_server(self, node, **columns):
        """Once these columns of `show stat` match."""
        last = {}

        def shows():
            last.update(self.haproxy.servers()[node.name])
            return all(re.search(want, last[name]) for name, want in columns.items())

        try:
            lab.wait_until(shows, f"{node.name} with {columns}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last}") from None


@pytest.fixture(scope="module")
def everything(tmp_path_factory, peer):
    """Nodes, nginx and browser, which all tests of this file share."""
    folder = tmp_path_factory.mktemp("guide")
    folder.chmod(0o755)
    certificate = lab.certificate(folder, BALANCER)
    with ExitStack() as stack:
        guide_site.start_nginx(stack, folder, websdk.fetch())
        nodes = [guide_site.start_node(stack, number, folder, *AGENT) for number in (1, 2)]
        browser = Browser(folder / "chromedriver.log", CLIENT, peer, BALANCER, folder / "ca.pem")
        stack.enter_context(closing(browser))
        yield Guide(nodes, browser, certificate)


@pytest.fixture
def guide(everything, tmp_path):
    """guide(example) -> all of it, with a new HAProxy that has this configuration of the packaged ones."""
    with ExitStack() as stack:

        def start_one(example="haproxy.cfg"):
            configuration = lab.quick_haproxy(
                tmp_path, lab.HAPROXY_EXAMPLES / example, agent_inter="100ms", slowstart="0s"
            )
            everything.haproxy = guide_site.start_haproxy(
                *(stack, everything.nodes, tmp_path, configuration),
                SITE_PEM=str(everything.certificate),
                HTTPS_ADDRESS=f"{BALANCER}:443",
                STATISTICS_ADDRESS=f"{BALANCER}:8404",
            )
            for node in everything.nodes:
                everything.wait_for_server(node, status="^UP$", agent_status="L7OK")
            return everything

        yield start_one
        everything.browser.close_windows()
        for node in everything.nodes:
            node.simulator.reset()
            lab.wait_until(lambda: node.sessions == [], f"{node.name} is empty")
            node.agent.wait_for_reply("^up 100% ")


def page(node):
    """The node's statistics page, as names and values."""
    rows = node.simulator.page_text().splitlines()
    return dict(row.split("=", 1) for row in rows if "=" in row)


def test_two_windows_publish_on_two_nodes_and_a_third_goes_where_no_drain_is(guide):
    guide = guide()
    first, node = guide.established()
    first.publish("test")
    first.wait_for("publishStatus", "PUBLISHING")
    shown = page(node)
    assert (shown["connections_websocket"], shown["streams_webrtc_in"]) == ("1", "1")
    assert shown["streams_viewers"] == "test/0"
    guide.wait_for_server(node, weight="^90$")

    second, other = guide.established()
    second.publish("test2")
    second.wait_for("publishStatus", "PUBLISHING")
    assert other is guide.other(node)
    assert page(other)["streams_viewers"] == "test2/0"
    guide.wait_for_server(other, weight="^90$")
    for one in guide.nodes:
        (session,) = one.sessions
        address, port = session["id"].split("/")[1].split(":")
        assert address == CLIENT
        assert 1024 < int(port) < 65536

    guide.haproxy.command(f"set server wcs_nodes/{other.name} state drain")
    _, third = guide.established()
    assert third is node
    assert second.text("publishStatus") == "PUBLISHING", "a drain ends no session"
    if SCREENSHOTS:
        guide.browser.screenshot(f"http://{BALANCER}:8404/?scope=wcs_nodes", f"{SCREENSHOTS}/haproxy-statistics.png")
    guide.haproxy.command(f"set server wcs_nodes/{other.name} state ready")

    first.play("test")
    first.wait_for("playStatus", "PLAYING")
    assert page(node)["streams_viewers"] == "test/1"
    if SCREENSHOTS:
        first.screenshot(f"{SCREENSHOTS}/two-way-streaming.png")


def test_a_sticky_client_stays_until_its_node_is_down_and_then_moves(guide):
    guide = guide("sticky.cfg")
    window, node = guide.established()
    for _ in range(3):
        window.disconnect()
        window.connect().wait_for("connectStatus", "ESTABLISHED")
        assert len(node.sessions) == 1
    _, again = guide.established()
    assert again is node, "another window of the same browser has the same cookie"

    node.simulator.set(streams_webrtc_in=20)
    guide.wait_for_server(node, status="^DOWN", last_agt="publishers 20 of 10")
    assert window.text("connectStatus") == "ESTABLISHED", "down ends no session"
    _, moved = guide.established()
    assert moved is guide.other(node)

    node.simulator.reset()
    guide.wait_for_server(node, status="^UP$")
    _, stayed = guide.established()
    assert stayed is guide.other(node), "it has the new node's cookie"


def test_leastconn_fills_the_emptier_node(guide):
    guide = guide("leastconn.cfg")
    placed = [guide.established() for _ in range(4)]
    on_first = [window for window, node in placed if node is guide.nodes[0]]
    assert len(on_first) == 2
    for window in on_first:
        window.disconnect()
    lab.wait_until(lambda: guide.nodes[0].sessions == [], "node1 is empty")
    assert [guide.established()[1] for _ in range(2)] == [guide.nodes[0]] * 2


def test_down_by_a_limit_stops_new_sessions_and_keeps_the_old_ones(guide):
    guide = guide()
    window, node = guide.established()
    window.publish("test")
    window.wait_for("publishStatus", "PUBLISHING")
    node.simulator.set(ping_ms=200, ping_probes=3)
    node.simulator.set(streams_webrtc_in=9)  # and one of the browser
    guide.wait_for_server(node, status="^DOWN", last_agt="publishers 10 of 10")
    others = [guide.established()[1] for _ in range(2)]
    assert others == [guide.other(node)] * 2

    others[0].simulator.set(streams_webrtc_in=10)
    guide.wait_for_server(others[0], status="^DOWN")
    guide.window().wait_for("connectStatus", "FAILED")  # 503: there is no node for it
    time.sleep(1)  # longer than a client that does not answer is kept
    assert (window.text("connectStatus"), window.text("publishStatus")) == ("ESTABLISHED", "PUBLISHING")
    assert page(node)["streams_viewers"] == "test/0"
    window.disconnect()
    guide.wait_for_server(node, status="^UP$", weight="^10$")
