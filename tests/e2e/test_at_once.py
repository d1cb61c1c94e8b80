# SPDX-License-Identifier: Apache-2.0
"""What is known is served at once, and what a reload changes holds at once."""

import json
import os
import re
import signal
import time

import lab
import pytest


@pytest.fixture
def config(tmp_path, simulator):
    """config(...) writes the file: WCS's simulator, no cpu limit, the free share as the weight, and what is given."""
    path = tmp_path / "config.json"

    def write(**values):
        path.write_text(json.dumps({"wcs_url": simulator.url, "cpu": "off", "policy": "proportional", **values}))
        return path

    return write


@pytest.fixture
def reload(config):
    def reload_with(agent, **values):
        before = len(agent.lines("reload: "))
        config(**values)
        agent.signal(signal.SIGHUP)
        lab.wait_until(lambda: len(agent.lines("reload: ")) > before, "a reload")
        return agent.lines("reload: ")[before]

    return reload_with


def start_with(start, path):
    agent = start(lab.Agent, "agent", f"--config={path}", "--log-level=info")
    agent.wait_until_listening()
    return agent


@pytest.mark.parametrize("fault", ["refused", "hanging"])
def test_pages_are_served_from_the_first_reading_on(start, simulator, config, fault):
    """The agent reply alone waits for WCS: 20 s at most, here longer than the test."""
    path = config(stale_after="1m")
    if fault == "refused":
        simulator.close()
    else:
        simulator.set(hang=1)
    agent = start_with(start, path)
    began = time.monotonic()
    status, _, page = lab.wait_until(
        lambda: agent.get("/metrics") if agent.get("/metrics")[0] == 200 else None, "a page", 2
    )
    assert time.monotonic() - began < 3
    assert 'wcs_node_network_transmit_bytes_total{device="wan0"}' in page
    assert "wcs_node_cpu_busy_seconds_total" in page
    assert "\nwcs_node_weight_ratio " not in page and "\nwcs_node_state{" not in page
    assert agent.get("/healthz")[0] == 200
    found = json.loads(agent.get("/status")[2])
    assert (found["state"], found["weight"], found["reply"]) == ("starting", None, None)
    with lab.connect(agent.address) as check:
        check.settimeout(1)
        with pytest.raises(TimeoutError):
            check.recv(1)


def test_status_says_what_the_first_reply_waits_for(start, simulator, config):
    simulator.set(hang=1)
    path = config(stale_after="1m")
    agent = start_with(start, path)
    lab.wait_until(lambda: agent.get("/status")[0] == 200, "a status")
    table = lab.run(lab.AGENT, "status", "--config", str(path))
    assert re.search("^state +starting", table, re.M)
    assert re.search("^reply +none yet: the first one waits", table, re.M)


def test_a_shorter_wcs_interval_holds_at_once(start, simulator, config, reload):
    simulator.set(streams_webrtc_out=25)
    agent = start_with(start, config(wcs_interval="1h", stale_after="2h"))
    agent.wait_for_reply("^up 75%$")
    simulator.set(streams_webrtc_out=50)
    done = reload(agent, wcs_interval="1s", stale_after="10s")
    assert "wcs_interval: 1h -> 1s; stale_after: 2h -> 10s" in done
    agent.wait_for_reply("^up 50%$", 3)
    simulator.set(streams_webrtc_out=60)
    agent.wait_for_reply("^up 40%$", 3)


def test_a_fetch_under_way_is_broken_off(start, simulator, config, reload):
    """One that hangs, with a minute to go, at the page that is not asked any more."""
    simulator.set(streams_webrtc_out=25)
    other = start(lab.Simulator, "other-wcs-sim")
    other.set(streams_webrtc_out=50)
    times = {"wcs_timeout": "1m", "stale_after": "5m", "wcs_interval": "200ms"}
    agent = start_with(start, config(**times))
    agent.wait_for_reply("^up 75%$")
    simulator.set(hang=1)
    time.sleep(0.5)
    reload(agent, **times, **{"wcs_url": other.url})
    agent.wait_for_reply("^up 50%$", 3)
    assert not agent.lines("warning: wcs"), "the one that was broken off is no fault of WCS"


def test_limits_hold_at_once_however_long_the_sample_interval(start, simulator, config, reload):
    simulator.set(streams_webrtc_out=25)
    slow = {"sample_interval": "10s", "window": "10s", "when_stale": "ignore"}
    agent = start_with(start, config(sample_interval="100ms", window="500ms"))
    agent.wait_for_reply("^up 75%$")
    reload(agent, **slow)
    agent.wait_for_reply("^up 75%$")
    reload(agent, **slow, subscribers=50)
    agent.wait_for_reply("^up 50%$", 3)
    reload(agent, sample_interval="100ms", window="500ms", subscribers=100)
    agent.wait_for_reply("^up 75%$", 3)
    agent.wait_for_samples(5, 3)
    assert not agent.lines("did not run"), "a shorter interval makes nothing late"


def test_a_reload_says_what_it_changed(start, simulator, config, reload):
    agent = start_with(start, config())
    assert reload(agent).endswith("reload: done, no setting changed")
    done = reload(agent, subscribers=50, allow=["127.0.0.1"], peaks=False, hls="off")
    for change in ("subscribers: 100 -> 50", "peaks: on -> off", "hls: 100 -> off", "allow: "):
        assert change in done, done
    agent.wait_for_metric("wcs_node_agent_reloads_total", lambda reloads: reloads == 2)
    reload(agent, bogus=1)
    agent.wait_for_metric("wcs_node_agent_failed_reloads_total", lambda failed: failed == 1)


def test_who_asked_last_and_who_was_refused(start_agent, peer):
    agent = start_agent("--allow=10.98.0.1", "--allow=127.0.0.1", listen="0.0.0.0:9707")
    told = agent.reply().strip()
    with lab.inside(peer):
        for _ in range(5):
            try:
                assert lab.ask_agent("10.98.0.1:9707") == ""
            except ConnectionResetError:
                pass  # closed without a byte, by a reset
    agent.wait_for_samples(2)
    found = agent.status_json()["agent"]
    assert found["last_check"]["source"] == "127.0.0.1"
    assert found["last_check"]["reply"] == told
    assert 0 <= found["last_check"]["age_seconds"] < 10
    assert found["last_refused"]["source"] == "10.98.0.2"
    assert found["last_refused"]["port"] == "agent_listen"
    refused = agent.lines("10.98.0.2")
    assert len(refused) == 1, "a line a minute"
    assert "agent_listen: 10.98.0.2 asked and is not in allow" in refused[0]
    table = lab.run(
        lab.AGENT, "status", "--metrics-listen", agent.metrics_address
    )
    assert re.search(rf"^last check +127\.0\.0\.1, \S+ s ago: {told}$", table, re.M), table
    assert re.search(r"^refused +10\.98\.0\.2, \S+ s ago: agent_listen$", table, re.M), table


@pytest.mark.parametrize("address", ["10.98.0.77", "fd00:98::77"])
def test_an_address_that_comes_late(start_agent, address):
    endpoint = f"[{address}]:9707" if ":" in address else f"{address}:9707"
    agent = start_agent(f"--agent-listen={endpoint}", "--allow=10.98.0.0/24", "--allow=fd00:98::/64", "--allow=127.0.0.1")
    assert agent.lines(f"warning: agent_listen .*{re.escape(address)}.*no interface has this address")
    lab.ip("address", "add", f"{address}/{64 if ':' in address else 24}", "dev", "wan0", *(("nodad",) if ":" in address else ()))
    try:
        agent.wait_for_reply("^up ")
        assert lab.ask_agent(endpoint).startswith("up ")
    finally:
        lab.ip("address", "delete", f"{address}/{64 if ':' in address else 24}", "dev", "wan0")


@pytest.mark.parametrize(
    "values, told",
    [
        ({"agent_listen": ["0.0.0.0:9707", "127.0.0.1:9707"]}, "one port twice"),
        ({"agent_listen": ["0.0.0.0:9707"], "metrics_listen": ["127.0.0.1:9707"]}, "one port twice"),
        ({"agent_listen": ["[::]:9707", "[::1]:9707"]}, "one port twice"),
        ({"agent_listen": ["[::ffff:127.0.0.1]:9707"]}, 'write "127.0.0.1:9707"'),
        ({"agent_listen": ["[fe80::1]:9707"]}, "needs its interface"),
        ({"agent_listen": ["224.0.0.1:9707"]}, "no address to listen on"),
        ({"counts": {"hls": [" streams_hls"]}}, "can be no name on the page"),
        ({"counts": {"hls": ["a=b"]}}, "can be no name on the page"),
        ({"counts": {"publishers": {"webrtc": ["x" * 200]}}}, "can be no name on the page"),
        ({"interface": ["eht0"]}, "eht0"),
        ({"user": "nobody-of-this-name"}, "no account"),
    ],
)
def test_config_check_refuses_what_run_refuses(start, config, values, told):
    path = config(**values)
    checked = lab.subprocess.run(
        [lab.AGENT, "config", "check", path], capture_output=True, text=True
    )
    assert checked.returncode == 2, checked.stdout
    assert told in checked.stderr
    agent = start(lab.Agent, "agent", f"--config={path}", listen=None, metrics=None)
    assert agent.wait() == 2
    assert told in agent.output()


def test_port_0_twice_is_two_ports_and_then_none(start, config, reload):
    path = config(agent_listen=["127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:9707"])
    agent = start(lab.Agent, "agent", f"--config={path}", listen=None)
    agent.wait_until_listening()
    ports = re.findall(r"127\.0\.0\.1:(\d+)", agent.lines("answering HAProxy")[0])[:2]
    assert len(set(ports)) == 2
    for _ in range(2):
        reload(agent, agent_listen=["127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:9707"])
    for port in ports:
        assert lab.ask_agent(f"127.0.0.1:{port}").startswith("up ")
    reload(agent, agent_listen=["127.0.0.1:9707"])

    def refused(port):
        try:
            lab.ask_agent(f"127.0.0.1:{port}")
        except ConnectionRefusedError:
            return True

    for port in ports:
        lab.wait_until(lambda: refused(port), f"nobody listens on {port}")


@pytest.mark.parametrize("agent_port, metrics_port", [(9708, 9707), (9709, 9707), (9708, 9710)])
def test_ports_move_from_one_server_to_the_other(start, config, reload, agent_port, metrics_port):
    path = config(agent_listen=["127.0.0.1:9707"], metrics_listen=["127.0.0.1:9708"])
    agent = start(lab.Agent, "agent", f"--config={path}", listen=None, metrics=None)
    agent.wait_until_listening()
    done = reload(
        agent,
        agent_listen=[f"127.0.0.1:{agent_port}"],
        metrics_listen=[f"127.0.0.1:{metrics_port}"],
    )
    assert "reload: done" in done
    time.sleep(0.5)  # those that go take connections for a moment more
    for _ in range(5):
        assert lab.ask_agent(f"127.0.0.1:{agent_port}").startswith("up ")
        assert lab.http_get(f"127.0.0.1:{metrics_port}", "/healthz")[0] == 200


def test_a_fifo_in_place_of_the_configuration_holds_nothing_up(start, config, reload):
    path = config()
    agent = start_with(start, path)
    agent.wait_for_reply("^up ")
    path.unlink()
    os.mkfifo(path)
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: nothing changed: .*is not a regular file")
    agent.wait_for_samples(3)
    assert agent.reply().startswith("up ")
    for command in ("check", "show"):
        options = ["--config", str(path)] if command == "show" else [str(path)]
        done = lab.subprocess.run(
            [lab.AGENT, "config", command, *options], capture_output=True, text=True, timeout=10
        )
        assert (done.returncode, "is not a regular file" in done.stderr) == (2, True)
    second = start(lab.Agent, "second", f"--config={path}", listen=None, metrics=None)
    assert second.wait() == 2
