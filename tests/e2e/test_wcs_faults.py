# SPDX-License-Identifier: Apache-2.0
"""Whatever WCS does, the agent answers, says what is wrong, and recovers."""

import signal

import lab
import pytest
from conftest import QUICK

SERIES = 'wcs_fault{reason="%s"}'
UNKNOWN = 'wcs_node_limit_unknown{limit="%s"}'

# The reply once counts have been unknown for longer than stale_after.
SILENT = "down # wcs: "
UNREADABLE = "up 100% # publishers, subscribers, hls, ports unknown: wcs: "


@pytest.mark.parametrize(
    "fault, off, reason, after",
    [
        ({"garbage": 1}, {"garbage": 0}, "not_a_page", UNREADABLE),
        ({"truncate": 40}, {"truncate": 0}, "truncated", UNREADABLE),
        ({"size_mb": 2}, {"size_mb": 0}, "too_large", UNREADABLE),
        ({"status": 500}, {"status": 0}, "http_status", UNREADABLE),
        ({"status": 302}, {"status": 0}, "http_status", UNREADABLE),
        ({"chunked": 1, "truncate": 300}, {"chunked": 0, "truncate": 0}, "truncated", UNREADABLE),
        ({"chunked": 1, "size_mb": 2}, {"chunked": 0, "size_mb": 0}, "too_large", UNREADABLE),
        ({"reset": 1}, {"reset": 0}, "truncated", UNREADABLE),
        ({"bytes_per_second": 1}, {"bytes_per_second": 0}, "timeout", SILENT),
        ({"hang": 1}, {"hang": 0}, "timeout", SILENT),
        ({"delay_ms": 5000}, {"delay_ms": 0}, "timeout", SILENT),
        ({"refuse": 1}, {"refuse": 0}, "connect", SILENT),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_reply_holds_then_changes_and_recovers(start_agent, simulator, fault, off, reason, after):
    """Silence takes the node out by default; what answers and cannot be read does not."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-timeout=500ms", "--stale-after=1500ms", "--wcs-max-page=1MiB")
    agent.wait_for_reply("^up 75%$")
    assert agent.metrics()["wcs_up"] == 1
    answering = len(agent.lines("wcs: answering"))

    simulator.set(**fault)
    seen = lab.watch(agent.status_json, lambda one: one["reply"].startswith(after), after)
    held = [one for one in seen[:-1] if one["wcs"]["fault"] == reason]
    assert held, "the fault is known before counts are stale"
    assert {one["reply"] for one in seen[:-1]} == {"up 75%"}
    assert all(one["wcs"]["merged"]["subscribers"]["value"] == 25 for one in held)
    assert seen[-1]["wcs"]["page_age_seconds"] >= 1.5

    assert agent.reply().startswith(after)
    stale = agent.metrics()
    assert [stale[UNKNOWN % limit] for limit in ("subscribers", "band_out")] == [1, 0]
    assert stale["wcs_up"] == 0
    assert stale[SERIES % reason] == 1
    assert stale["wcs_stat_age_seconds"] >= 1.5
    assert 'wcs_subscribers{protocol="webrtc"}' not in stale
    assert 'wcs_node_limit_utilization_ratio{limit="subscribers"}' not in stale
    # The agent's own figures go on.
    assert stale["wcs_node_agent_sample_age_seconds"] < 1
    assert 'wcs_node_network_transmit_bytes_total{device="wan0"}' in stale
    assert 'wcs_node_bandwidth_bytes_per_second{direction="out"}' in stale

    simulator.set(**off)
    agent.wait_for_reply("^up 75%$")
    assert agent.metrics()["wcs_up"] == 1
    assert agent.metrics()[SERIES % reason] == 0
    assert agent.metrics()[UNKNOWN % "subscribers"] == 0
    assert len(agent.lines("limit subscribers is unknown: wcs: ")) == 1
    assert len(agent.lines("limit subscribers is known again")) == 1
    # A line a change, not one a fetch: there were five fetches a second.
    assert len(agent.lines("wcs: not answering")) == 1
    assert len(agent.lines("wcs: answering")) == answering + 1


@pytest.mark.parametrize(
    "when_unreadable, reply",
    [("down", "^down # wcs: "), ("drain", "^up 0% # wcs: "), ("hold", "^up 75% # .* unknown: wcs: ")],
)
def test_when_unreadable_decides_where_wcs_answers_with_an_error(start_agent, simulator, when_unreadable, reply):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent(f"--when-unreadable={when_unreadable}", "--stale-after=1s")
    agent.wait_for_reply("^up 75%$")
    simulator.set(status=500)
    agent.wait_for_reply(reply)
    simulator.set(status=0)
    agent.wait_for_reply("^up 75%$")


def test_what_is_known_of_a_count_is_enough_for_down(start_agent, simulator, tmp_path):
    """The page lacks a name of the sum, and what it has is over the limit already."""
    simulator.set(streams_webrtc_out=500)
    path = tmp_path / "config.json"
    path.write_text('{"counts": {"subscribers": {"webrtc": ["streams_webrtc_out", "streams_not_there"]}}}')
    agent = start_agent(f"--config={path}", "--stale-after=1s")
    agent.wait_for_reply("^down # subscribers at least 500 of 100$")
    simulator.set(streams_webrtc_out=40)
    agent.wait_for_reply("^up 60% # subscribers unknown: wcs: .*'streams_not_there'")


def test_a_page_in_chunks_is_a_page(start_agent, simulator):
    simulator.set(streams_webrtc_out=25, chunked=1)
    agent = start_agent()
    agent.wait_for_reply("^up 75%$")
    assert agent.metrics()["wcs_up"] == 1


def test_an_answer_that_takes_half_of_what_counts_hold_is_never_stale(start_agent, simulator):
    """Asked every 200 ms, answered after 1 s, stale after 2 s: one answer is in time for the next."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-timeout=4s", "--stale-after=2s")
    agent.wait_for_reply("^up 75%$")
    simulator.set(delay_ms=1000, streams_webrtc_out=30)
    agent.wait_for_reply("^up 70%$")
    asked = simulator.state()["page_requests"]
    replies = lab.watch(
        agent.reply, lambda _: simulator.state()["page_requests"] >= asked + 3, "three more answers"
    )
    assert set(replies) == {"up 70%\n"}
    assert agent.metrics()["wcs_up"] == 1


def test_wcs_restarts_in_mid_reply_and_counts_from_zero(start, start_agent, simulator):
    simulator.set(streams_webrtc_out=25, bytes_per_second=500)  # 2 s a page
    address = simulator.page
    agent = start_agent("--wcs-timeout=20s", "--stale-after=20s")
    agent.wait_for_reply("^up 75%$")
    lab.wait_until(lambda: simulator.state()["page_requests"] >= 2, "the next answer has begun")
    simulator.signal(signal.SIGKILL)
    agent.wait_for_metric("wcs_up", lambda up: up == 0)
    assert agent.reply() == "up 75%\n"
    start(lab.Simulator, "wcs-again", listen=(address,))
    agent.wait_for_reply("^up 100%$")
    assert not agent.lines("node is down")


def test_a_start_beside_a_wcs_that_does_not_answer_waits_as_long_as_counts_would_hold(
    start, simulator
):
    """Neither an accidental down nor an up that nobody knows to be true."""
    simulator.set(hang=1)
    options = (
        *(f"--wcs-url={simulator.url}", "--wcs-timeout=300ms", "--stale-after=1500ms"),
        *(option for option in QUICK if "timeout" not in option and "stale" not in option),
    )
    agent = start(lab.Agent, "agent", *options)
    agent.wait_until_listening()
    assert agent.reply().startswith("down # wcs: ")
    assert agent.status_json()["uptime_seconds"] >= 1.5
    assert len(agent.lines("node is down")) == 1

    simulator.set(streams_webrtc_out=25)
    another = start(
        lab.Agent, "another", *options, listen="127.0.0.1:9717", metrics="127.0.0.1:9718"
    )
    another.wait_until_listening()
    simulator.set(hang=0)
    assert another.reply() == "up 75%\n"
    assert not another.lines("node is down")


def test_age_of_the_page_grows_while_wcs_hangs(start_agent, simulator):
    agent = start_agent()
    agent.wait_for_metric("wcs_up", lambda up: up == 1)
    assert agent.metrics()["wcs_stat_age_seconds"] < 1
    simulator.set(hang=1)
    agent.wait_for_metric("wcs_stat_age_seconds", lambda age: age > 1)
    agent.wait_for_metric("wcs_stat_age_seconds", lambda age: age > 1.5)


def test_answers_while_wcs_hangs_from_the_start(start_agent, simulator):
    simulator.set(hang=1)
    agent = start_agent("--stale-after=1500ms")
    agent.wait_for_reply("^down # ")
    asked = simulator.state()["page_requests"]
    replies = [agent.reply() for _ in range(50)]
    assert all(reply.startswith("down # ") for reply in replies)
    # Most of the replies came while the agent waited for a page: each wait takes a second.
    assert simulator.state()["page_requests"] - asked < 50


def test_a_huge_page_does_not_stay_in_memory(start_agent, simulator):
    simulator.set(size_mb=50)
    agent = start_agent("--wcs-timeout=5s")
    agent.wait_for_metric(SERIES % "too_large", lambda value: value == 1)
    asked = simulator.state()["page_requests"]
    lab.wait_until(lambda: simulator.state()["page_requests"] > asked + 1, "another page whole")
    with open(f"/proc/{agent.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    assert peak < 64 * 1024  # kB; a page may have 1 MiB
