# SPDX-License-Identifier: Apache-2.0
"""The commands that a newcomer types first."""

import os
import re
import signal
import ssl
import urllib.request

import lab
import pytest
import websocket

QUICKSTART = str(lab.ROOT / "tools/quickstart")

pytestmark = pytest.mark.skipif(
    not lab.AGENT.startswith(str(lab.ROOT / "build/release/")),
    reason="tools/quickstart builds the release preset, and another one is under test",
)


@pytest.fixture
def start_quickstart(start, tmp_path):
    """start_quickstart(*options) -> the running command; afterwards nothing of it may be left."""

    def start_one(*options):
        env = {"WNA_TEST_RUN": str(tmp_path)}
        return start(lab.Process, "quickstart", [QUICKSTART, *options], env=env)

    yield start_one
    assert lab.processes_marked(f"WNA_TEST_RUN={tmp_path}") == []


def test_shows_a_reply_and_metrics_from_ebpf_and_ends_by_itself(start_quickstart):
    quickstart = start_quickstart("--seconds", "5")
    assert quickstart.wait(60) == 0
    output = quickstart.output()
    assert "bundled simulator" in output
    assert re.search(r"hears:.* (up \d+%|down # .+)", output)
    assert 'wcs_node_agent_source{source="ebpf"} 1' in output
    assert "wcs_node_network_receive_bytes_total" in output


def test_uses_wcs_of_this_node_where_it_answers(start, start_quickstart):
    start(lab.Simulator, "wcs", listen=("127.0.0.1:8081",))
    quickstart = start_quickstart("--seconds", "3")
    assert quickstart.wait(60) == 0
    assert "WCS answers at http://127.0.0.1:8081/" in quickstart.output()


def test_a_taken_port_is_named(start, start_quickstart):
    start(lab.Process, "other", ["socat", "TCP-LISTEN:9708,reuseaddr,fork", "OPEN:/dev/null"])
    lab.wait_until(lambda: lab.run("ss", "-Hltn", "sport = :9708"), "somebody listens on 9708")
    quickstart = start_quickstart("--seconds", "3")
    assert quickstart.wait(60) == 1
    assert "port 9708 is taken" in quickstart.output()


def test_a_signal_ends_it_with_0_and_no_child_left(start_quickstart):
    quickstart = start_quickstart()
    quickstart.wait_for_line("hears:", 60)
    quickstart.signal(signal.SIGTERM)
    assert quickstart.wait(10) == 0


def test_demo_tells_the_whole_story_and_takes_a_browser(start_quickstart):
    demo = start_quickstart("--demo", "--seconds", "30")
    port = demo.wait_for_line(r"Open https://localhost:(\d+)/", 60)[1]
    unverified = ssl._create_unverified_context()  # its certificate is made anew each time
    with urllib.request.urlopen(f"https://localhost:{port}/", context=unverified) as page:
        assert "<title>Two-way Streaming</title>" in page.read().decode()
    browser = websocket.create_connection(
        f"wss://localhost:{port}", timeout=15, sslopt={"cert_reqs": ssl.CERT_NONE}
    )
    client = ":".join(map(str, browser.sock.getsockname()[:2]))
    demo.wait_for_line(rf"node[12]  a browser, {client}: connected", 30)
    browser.close()
    statistics = demo.wait_for_line(r"statistics: http://(localhost:\d+)/")[1]
    assert "wcs_nodes" in lab.http_get(statistics, "/")[2]
    assert demo.wait(90) == 0, demo.output()
    rows = re.findall(r"^[\d s]*(node[12])  (.+?) {2,}(\d+)  (\S.*)$", demo.output(), re.MULTILINE)
    assert all(re.search(r" maxconn:\d+$", reply) for _, reply, _, _ in rows if re.match("up [1-9]", reply) and "#" not in reply)
    seen = {(node, reply.split(" maxconn:")[0], weight, status) for node, reply, weight, status in rows}
    assert ("node1", "up 90%", "90", "UP") in seen
    assert ("node1", "up 40%", "40", "UP") in seen
    assert any(
        node == "node1" and reply == "down # subscribers 120 of 100" and status.startswith("DOWN")
        for node, reply, _, status in seen
    )
    assert ("node1", "up 70%", "70", "UP") in seen
    # 80 Mbit/s of media leave node1: real traffic, of a limit of 100.
    assert any(node == "node1" and 10 <= int(weight) <= 20 for node, _, weight, _ in seen)
    node2 = [(reply.split(" maxconn:")[0], status) for node, reply, _, status in rows if node == "node2"]
    assert any(reply.startswith("down # ") and status.startswith("DOWN") for reply, status in node2)
    assert node2[-1] == ("up 80%", "UP")


def test_demo_goes_on_where_npm_brings_nothing(start, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no way to the registry >&2\nexit 1\n")
    npm.chmod(0o755)
    without_examples = (
        "import runpy, sys, pathlib; sys.path.insert(0, sys.argv[1] + '/lib'); import websdk;"
        " websdk.FOLDER = pathlib.Path(sys.argv[2]) / 'websdk'; demo = sys.argv[1] + '/demo/demo.py';"
        " sys.argv = [demo, '--seconds', '3']; runpy.run_path(demo, run_name='__main__')"
    )
    command = ["/usr/bin/python3", "-c", without_examples, str(lab.ROOT / "tools"), str(tmp_path)]
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    demo = start(lab.Process, "demo", command, env=path)
    assert demo.wait(60) == 0, demo.output()
    assert re.search("without the WebSDK's examples: npm pack .*: no way to the registry", demo.output())
    assert "Open https" not in demo.output()
    assert re.search(r"node2 +up \d+% maxconn:\d+ +\d+  UP", demo.output())
