# SPDX-License-Identifier: Apache-2.0
"""Start, privileges, reload, readiness and end of the daemon."""

import contextlib
import json
import re
import signal
import socket

import lab
import pytest

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def next_message(service_manager, wanted):
    while True:
        message = service_manager.recv(4096).decode()
        if wanted in message.splitlines():
            return message


def test_not_root_falls_back_and_says_how_to_grant_it(start_agent, monkeypatch, readable_agent):
    monkeypatch.setattr(lab, "AGENT", readable_agent)
    agent = start_agent(prefix=NOBODY)
    assert agent.metrics()['wcs_node_agent_source{source="procfs"}'] == 1
    assert agent.lines("CAP_BPF")
    series = 'wcs_node_network_transmit_bytes_total{device="wan0"}'
    assert series in agent.metrics()
    assert agent.reply().startswith("up ")


def test_source_ebpf_insists(start, simulator, monkeypatch, readable_agent):
    monkeypatch.setattr(lab, "AGENT", readable_agent)
    agent = start(lab.Agent, "agent", "--source=ebpf", prefix=NOBODY)
    assert agent.wait() == 1
    assert "CAP_BPF" in agent.output()


def test_by_default_it_answers_on_ipv4_and_ipv6(start_agent):
    start_agent(listen=None, metrics=None)
    for address in ("127.0.0.1:9707", "[::1]:9707"):
        assert lab.ask_agent(address).startswith("up "), address
    assert lab.http_get("127.0.0.1:9708", "/healthz")[0] == 200


@pytest.mark.parametrize("option", ["listen", "metrics"])
def test_a_port_in_use_is_named(start, option):
    with socket.create_server(("127.0.0.1", 9999)):
        agent = start(lab.Agent, "agent", **{option: "127.0.0.1:9999"})
        assert agent.wait() == 1
    assert "127.0.0.1:9999" in agent.output()


def test_sigterm_ends_it_with_clients_connected(agent):
    with lab.connect(agent.metrics_address) as client:
        agent.reply()
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b"", "by the agent, not by the client"


def test_a_restart_gets_its_ports_back_at_once(start_agent):
    for name in ("first", "second"):
        agent = start_agent(name=name)
        for _ in range(20):
            agent.reply()
        assert agent.close() == 0


def test_sources_not_allowed_hear_nothing_and_are_counted(start_agent, peer):
    agent = start_agent("--allow=10.98.0.1", listen="10.98.0.1:9707")
    with lab.inside(peer):
        try:
            assert lab.ask_agent("10.98.0.1:9707") == ""
        except ConnectionResetError:
            pass  # closed without a byte, by a reset
    assert agent.metrics()["wcs_node_agent_rejected_connections_total"] == 1


class TestReload:
    @pytest.fixture
    def config(self, tmp_path):
        path = tmp_path / "config.json"

        def write(**values):
            path.write_text(json.dumps(values))
            return path

        return write

    def test_a_good_file_takes_effect(self, start_agent, simulator, config):
        simulator.set(streams_webrtc_out=25)
        agent = start_agent(f"--config={config(subscribers=100)}")
        agent.wait_for_reply("^up 75%$")
        config(subscribers=50)
        agent.signal(signal.SIGHUP)
        agent.wait_for_reply("^up 50%$")

    def test_a_bad_file_changes_nothing_and_is_logged(self, start_agent, simulator, config):
        simulator.set(streams_webrtc_out=25)
        agent = start_agent(f"--config={config(subscribers=100)}")
        agent.wait_for_reply("^up 75%$")
        path = config(subscribers=-3, bogus=1)
        agent.signal(signal.SIGHUP)
        agent.wait_for_line(re.escape(str(path)) + ".*bogus")
        assert agent.lines(re.escape(str(path)) + ".*subscribers")
        agent.wait_for_samples(3)
        assert agent.reply() == "up 75%\n"
        config(subscribers=50)
        agent.signal(signal.SIGHUP)
        agent.wait_for_reply("^up 50%$")

    def test_listeners_and_allow_list_move(self, start_agent, config, start, simulator):
        path = config(agent_listen=["127.0.0.1:9707"])
        agent = start_agent(f"--config={path}", listen=None)
        config(agent_listen=["127.0.0.1:9717"])
        agent.signal(signal.SIGHUP)

        def moved():
            try:
                return lab.ask_agent("127.0.0.1:9717")
            except ConnectionRefusedError:
                return None

        assert lab.wait_until(moved, "the agent listens on 9717").startswith("up ")

        def refused():
            try:
                lab.ask_agent("127.0.0.1:9707")
            except ConnectionRefusedError:
                return True

        lab.wait_until(refused, "nobody listens on 9707")


class TestServiceManager:
    def test_ready_only_once_it_answers_then_stopping(self, start_agent, notify_socket):
        agent = start_agent(env={"NOTIFY_SOCKET": notify_socket.getsockname()})
        next_message(notify_socket, "READY=1")
        assert agent.reply().startswith("up ")
        agent.signal(signal.SIGTERM)
        next_message(notify_socket, "STOPPING=1")
        assert agent.wait() == 0

    def test_watchdog_is_fed(self, start_agent, notify_socket):
        start_agent(env={"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "500000"})
        next_message(notify_socket, "READY=1")
        for _ in range(4):
            next_message(notify_socket, "WATCHDOG=1")

    def test_reload_is_told(self, start_agent, notify_socket):
        agent = start_agent(env={"NOTIFY_SOCKET": notify_socket.getsockname()})
        next_message(notify_socket, "READY=1")
        agent.signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in next_message(notify_socket, "RELOADING=1")
        next_message(notify_socket, "READY=1")
