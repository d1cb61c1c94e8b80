# SPDX-License-Identifier: Apache-2.0
"""A thousand reloads under load, good and bad files in turn, and whom they cut off."""

import json
import os
import re
import signal
import threading

import lab
from conftest import QUICK

RELOADS = 1000
NODE = "127.0.0.11"


def resident(agent):
    with open(f"/proc/{agent.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def wait_for_outcome(log):
    """Reads on until a reload is done or refused."""
    text = ""

    def is_there():
        nonlocal text
        text += log.read()
        return re.search("reload: (done|nothing changed).*\n", text)

    lab.wait_until(is_there, "the outcome of a reload", every=0.002)


class Checker(threading.Thread):
    """Checks without a pause until told to stop; what it heard."""

    def __init__(self, address):
        super().__init__()
        self.address, self.heard, self.going = address, {}, True
        self.start()

    def run(self):
        while self.going:
            try:
                reply = lab.ask_agent(self.address, 10)
            except OSError as error:
                reply = repr(error)
            self.heard[reply] = self.heard.get(reply, 0) + 1

    def end(self):
        self.going = False
        self.join()
        return self.heard


def test_a_thousand_reloads_drop_no_check_and_leak_nothing(start, simulator, tmp_path):
    simulator.set(streams_webrtc_out=25)
    good = [
        {"wcs_url": simulator.url, "agent_listen": [f"{NODE}:9707"], "allow": ["127.0.0.0/8"]},
        {
            "wcs_url": simulator.url,
            # The port on every address instead of one, and another one beside it.
            "agent_listen": ["0.0.0.0:9707", "127.0.0.1:9717"],
            "allow": ["127.0.0.0/8", "fd00::/8"],
            "sample_interval": "200ms",
        },
    ]
    bad = ['{"agent_listen": ["nowhere"]}', "{", json.dumps({**good[0], "allow": ["10.1.2.3/8"]})]
    config = tmp_path / "config.json"
    config.write_text(json.dumps(good[0]))
    agent = start(
        lab.Agent,
        "agent",
        *(f"--config={config}", "--cpu=off", "--policy=proportional", "--wcs-interval=200ms", "--log-level=info"),
        listen=None,
    )
    agent.address = f"{NODE}:9707"
    agent.wait_until_listening()
    agent.wait_for_reply("^up 75%$")

    checkers = [Checker(agent.address) for _ in range(3)]
    beside = Checker("127.0.0.1:9717")
    memory, open_files = None, None
    with open(agent.log) as log:
        log.read()
        for number in range(RELOADS):
            text = bad[number // 2 % 3] if number % 2 else json.dumps(good[number // 2 % 2])
            config.write_text(text)
            agent.signal(signal.SIGHUP)
            wait_for_outcome(log)
            if number == RELOADS // 10:
                memory, open_files = resident(agent), descriptors(agent)

    replies = {}
    for checker in checkers:
        for reply, count in checker.end().items():
            replies[reply] = replies.get(reply, 0) + count
    assert set(replies) == {"up 75%\n"}, replies
    # Whoever could connect while that port was there has his answer too.
    assert {kind for kind in beside.end() if "Refused" not in kind} == {"up 75%\n"}
    assert sum(replies.values()) > 1000
    log = agent.log.read_text()
    reasons = ("10.1.2.3/8", '"nowhere"', "syntax error")
    refused = re.findall("reload: nothing changed: .*", log)
    assert [line for line in refused if not any(reason in line for reason in reasons)] == []
    assert log.count("reload: done") == RELOADS // 2
    assert count_refused(log) == RELOADS // 2
    lab.wait_until(lambda: descriptors(agent) <= open_files, "descriptors as before")
    assert resident(agent) - memory < 1 << 20


def count_refused(log):
    """Reloads refused; one may have told several faults, with the same time to the millisecond or
    not: but each of the bad files here has one."""
    return log.count("reload: nothing changed")


def test_haproxy_sees_no_change_through_reloads(start, simulator, tmp_path):
    """The real thing: its view of the server stays UP with its weight."""
    simulator.set(streams_webrtc_out=25)
    config = tmp_path / "config.json"
    good = {"wcs_url": simulator.url}
    config.write_text(json.dumps(good))
    agent = start(
        lab.Agent, "agent", f"--config={config}", "--cpu=off", listen=f"{NODE}:9707"
    )
    agent.wait_until_listening()
    agent.wait_for_reply(r"^up 75% maxconn:\d+$")
    start(lab.Simulator, "node1", listen=(f"{NODE}:8080",))
    configuration = lab.quick_haproxy(tmp_path, agent_inter="100ms")
    environment = {"NODE1": NODE, "NODE2": "127.0.0.12"}
    haproxy = start(lab.Haproxy, "haproxy", configuration, tmp_path / "haproxy.sock", environment)
    lab.wait_until(lambda: haproxy.servers()["node1"]["weight"] == "75", "the weight")
    seen = []
    with open(agent.log) as log:
        log.read()
        for number in range(100):
            config.write_text("{" if number % 2 else json.dumps(good))
            agent.signal(signal.SIGHUP)
            wait_for_outcome(log)
            seen.append(haproxy.servers()["node1"])
    for server in seen:
        assert (server["weight"], server["status"]) == ("75", "UP")
        assert re.fullmatch(r"(\* )?L7OK", server["agent_status"]), server["agent_status"]


def test_a_reload_cuts_off_who_is_not_allowed_any_more(start, simulator, tmp_path):
    config = tmp_path / "config.json"
    options = [option for option in QUICK if not option.startswith("--wcs-timeout")]

    def write(*networks):
        config.write_text(
            json.dumps(
                {
                    "wcs_url": simulator.url,
                    "agent_listen": ["127.0.0.1:9707", "[::1]:9707"],
                    "metrics_listen": ["127.0.0.1:9708", "[::]:9708"],
                    "allow": networks,
                    "metrics_allow": networks,
                }
            )
        )

    write("127.0.0.0/8", "::1", "10.98.0.0/24")
    agent = start(lab.Agent, "agent", f"--config={config}", *options, listen=None, metrics=None)
    agent.wait_until_listening()
    assert lab.ask_agent("[::1]:9707").startswith("up ")
    kept = {address: lab.connect(address) for address in ("127.0.0.1:9708", "[::1]:9708")}
    for client in kept.values():
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")

    write("127.0.0.1/32", "fd00::/8")
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert kept["[::1]:9708"].recv(100) == b"", "cut off at once"
    kept["127.0.0.1:9708"].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert kept["127.0.0.1:9708"].recv(1000).startswith(b"HTTP/1.1 200")
    assert lab.ask_agent("127.0.0.1:9707").startswith("up ")
    before = agent.metrics()["wcs_node_agent_rejected_connections_total"]
    try:
        assert lab.ask_agent("[::1]:9707") == ""
    except ConnectionResetError:
        pass
    lab.wait_until(
        lambda: agent.metrics()["wcs_node_agent_rejected_connections_total"] == before + 1,
        "the rejection is counted",
    )
    for client in kept.values():
        client.close()
