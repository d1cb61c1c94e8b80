# SPDX-License-Identifier: Apache-2.0
"""The last minutes at /history: what a running agent keeps, and what it says of gaps."""

import json
import re
import signal
import time

import lab

SERIES = [
    *("band_in_bytes_per_second", "band_out_bytes_per_second"),
    *("peak_in_bytes_per_second", "peak_out_bytes_per_second"),
    *("cpu_utilisation", "cpu_max_utilisation", "publishers", "subscribers", "hls"),
    *("weight", "state", "bottleneck_utilisation"),
]


def history(agent, query=""):
    status, headers, text = agent.get(f"/history{query}")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    page = json.loads(text)
    assert list(page["series"]) == SERIES
    seconds = page["last"] - page["first"] + 1
    assert {len(values) for values in page["series"].values()} == {seconds}
    return page


def wait_for_seconds(agent, count):
    """The history, once so many more seconds are over."""
    begin = history(agent)["last"]
    lab.wait_until(lambda: history(agent)["last"] >= begin + count, f"{count} more seconds", 30)
    return history(agent)


def newest(page, name):
    return page["series"][name][-1]


def wait_for_rate(agent, name, least):
    def is_there():
        return any(rate and rate > least for rate in history(agent)["series"][name])

    lab.wait_until(is_there, f"{name} above {least}", 30)


def test_holds_what_the_status_says(start_agent, simulator, media):
    simulator.set(streams_webrtc_in=3, streams_webrtc_out=60, streams_hls=2)
    agent = start_agent("--subscribers=80")
    media.set(media_mbps=5)
    agent.wait_for_reply(r"^up 25%")
    page = wait_for_seconds(agent, 3)
    status = agent.status_json()
    assert [newest(page, name) for name in ("publishers", "subscribers", "hls", "weight")] == [3, 60, 2, 25]
    assert page["states"][newest(page, "state")] == status["state"] == "up"
    assert newest(page, "bottleneck_utilisation") == status["limits"]["subscribers"]["utilisation"] == 0.75
    for name in ("band_out_bytes_per_second", "peak_out_bytes_per_second"):
        wait_for_rate(agent, name, 1e5)
    assert 0 <= newest(page, "cpu_utilisation") <= 1
    assert abs(page["last_time_seconds"] - time.time()) < 60
    assert page["capacity_points"] == 900
    assert page["memory_bytes"] < 64 * 1024


def test_a_client_asks_for_what_is_new(agent):
    agent.wait_for_reply("^up")
    page = wait_for_seconds(agent, 3)
    newer = history(agent, f"?since={page['last'] - 1}")
    assert newer["first"] == page["last"]
    for name in SERIES:
        assert newer["series"][name][0] == page["series"][name][-1], name
    assert history(agent, f"?since={page['last'] + 1000}")["first"] == page["first"], "after a reboot: all of it"
    assert agent.get("/history?since=yesterday")[0] == 400


def test_what_is_not_known_is_a_gap(start_agent, simulator):
    simulator.set(streams_webrtc_in=3)
    agent = start_agent("--stale-after=1s", "--when-stale=down")
    agent.wait_for_reply("^up")
    wait_for_seconds(agent, 2)
    simulator.set(hang=1)
    agent.wait_for_reply("^down", 30)
    page = wait_for_seconds(agent, 2)
    assert [newest(page, name) for name in ("publishers", "subscribers", "hls")] == [None] * 3
    assert page["states"][newest(page, "state")] == "down"
    assert newest(page, "weight") == 0
    assert 3 in page["series"]["publishers"]
    assert newest(page, "cpu_utilisation") is not None, "what the node itself says goes on"


def test_seconds_go_on_where_another_agent_starts(start, start_agent, simulator):
    """A client goes on where it was: what lies between is a gap in what the new agent has."""
    first = start_agent()
    first.wait_for_reply("^up")
    last = wait_for_seconds(first, 2)["last"]
    first.signal(signal.SIGKILL)
    first.wait()
    second = start_agent(name="second")
    second.wait_for_reply("^up")
    page = wait_for_seconds(second, 2)
    assert page["first"] > last
    assert history(second, f"?since={last}")["first"] == page["first"]


def test_a_process_that_stood_still_leaves_a_gap(agent):
    agent.wait_for_reply("^up")
    before = wait_for_seconds(agent, 2)["last"]
    agent.signal(signal.SIGSTOP)
    time.sleep(5)
    agent.signal(signal.SIGCONT)
    page = wait_for_seconds(agent, 2)
    first = page["first"]
    gap = [page["series"]["weight"][second - first] for second in range(before + 2, before + 4)]
    assert gap == [None, None]


def test_the_size_is_in_the_documentation(agent):
    agent.wait_for_reply("^up")
    text = (lab.ROOT / "docs/page.md").read_text()
    points, kib = re.search(r"(\d+) points, one a second, in (\d+) KiB", text).groups()
    page = history(agent)
    assert page["capacity_points"] == int(points)
    assert page["memory_bytes"] <= int(kib) * 1024 < page["memory_bytes"] + 2048
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == SERIES

