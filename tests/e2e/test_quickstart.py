# SPDX-License-Identifier: Apache-2.0
"""The commands that a newcomer types first."""

import os
import signal
import re

import lab
import pytest

QUICKSTART = str(lab.ROOT / "tools/quickstart")

pytestmark = pytest.mark.skipif(
    not lab.AGENT.startswith(str(lab.ROOT / "build/release/")),
    reason="tools/quickstart builds the release preset, and another one is under test",
)


def children_of(folder):
    """Processes whose program is in that folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if program.startswith(str(folder)):
            found.append(program)
    return found


def test_shows_a_reply_and_metrics_from_ebpf_and_ends_by_itself(start):
    quickstart = start(lab.Process, "quickstart", [QUICKSTART, "--seconds", "5"])
    assert quickstart.wait(60) == 0
    output = quickstart.output()
    assert "bundled simulator" in output
    assert re.search(r"hears:.* (up \d+%|down # .+)", output)
    assert 'wcs_node_agent_source{source="ebpf"} 1' in output
    assert "wcs_node_network_receive_bytes_total" in output
    assert children_of(lab.ROOT / "build/release") == []


def test_uses_wcs_of_this_node_where_it_answers(start):
    start(lab.Simulator, "wcs", listen=("127.0.0.1:8081",))
    quickstart = start(lab.Process, "quickstart", [QUICKSTART, "--seconds", "3"])
    assert quickstart.wait(60) == 0
    assert "WCS answers at http://127.0.0.1:8081/" in quickstart.output()


def test_a_taken_port_is_named(start):
    start(lab.Process, "other", ["socat", "TCP-LISTEN:9708,fork", "OPEN:/dev/null"])
    lab.wait_until(lambda: lab.run("ss", "-Hltn", "sport = :9708"), "somebody listens on 9708")
    quickstart = start(lab.Process, "quickstart", [QUICKSTART, "--seconds", "3"])
    assert quickstart.wait(60) == 1
    assert "port 9708 is taken" in quickstart.output()


def test_a_signal_ends_it_with_0_and_no_child_left(start):
    quickstart = start(lab.Process, "quickstart", [QUICKSTART])
    quickstart.wait_for_line("hears:", 60)
    quickstart.signal(signal.SIGTERM)
    assert quickstart.wait(10) == 0
    assert children_of(lab.ROOT / "build/release") == []


def test_demo_tells_the_whole_story(start):
    demo = start(lab.Process, "demo", [QUICKSTART, "--demo", "--seconds", "30"])
    assert demo.wait(90) == 0, demo.output()
    rows = re.findall(r"^[\d s]*(node[12])  (.+?) {2,}(\d+)  (\S.*)$", demo.output(), re.MULTILINE)
    seen = {(node, reply, weight, status) for node, reply, weight, status in rows}
    assert ("node1", "up 90%", "90", "UP") in seen
    assert ("node1", "up 40%", "40", "UP") in seen
    assert any(
        node == "node1" and reply == "down # subscribers 120 of 100" and status.startswith("DOWN")
        for node, reply, _, status in seen
    )
    assert ("node1", "up 70%", "70", "UP") in seen
    # 80 Mbit/s of media leave node1: real traffic, of a limit of 100.
    assert any(node == "node1" and 10 <= int(weight) <= 20 for node, _, weight, _ in seen)
    node2 = [(reply, status) for node, reply, _, status in rows if node == "node2"]
    assert any(reply.startswith("down # ") and status.startswith("DOWN") for reply, status in node2)
    assert node2[-1] == ("up 80%", "UP")
    assert children_of(lab.ROOT / "build/release") == []
