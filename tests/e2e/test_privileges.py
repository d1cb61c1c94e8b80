# SPDX-License-Identifier: Apache-2.0
"""What the running agent may still do: nothing that root can, and all that it is for."""

import base64
import json
import os
import re
import signal
import socket

import lab

ALL_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


# bcrypt at cost 4 of "right".
HASH = "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"


SERVING_AND_SAMPLING = 2


def threads_of(agent):
    return sorted(int(thread) for thread in os.listdir(f"/proc/{agent.pid}/task"))


def status_of(agent, thread):
    with open(f"/proc/{agent.pid}/task/{thread}/status") as status:
        pairs = (line.split(":", 1) for line in status)
        return {name: value.strip() for name, value in pairs}


def assert_harmless(agent, uid="65530", threads=SERVING_AND_SAMPLING):
    """Capabilities and no_new_privs belong to threads, so each is looked at."""
    assert len(threads_of(agent)) == threads
    for thread in threads_of(agent):
        status = status_of(agent, thread)
        assert {name: int(status[name], 16) for name in ALL_SETS} == dict.fromkeys(ALL_SETS, 0)
        assert status["Uid"].split() == [uid] * 4
        assert status["Gid"].split() == [uid] * 4
        assert status["Groups"] == ""
        assert status["NoNewPrivs"] == "1"


def test_it_runs_as_a_user_of_its_own_with_nothing_and_still_samples(start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent()
    agent.wait_for_reply("^up 75%$")
    assert_harmless(agent)
    assert agent.lines("running as user 65530")
    page = agent.metrics()
    assert page['wcs_node_agent_source{source="ebpf"}'] == 1
    busy = 'wcs_node_cpu_busy_seconds_total{cpu="0"}'
    agent.wait_for_metric(busy, lambda seconds: seconds > page[busy])
    simulator.set(streams_webrtc_out=50)
    agent.wait_for_reply("^up 50%$")
    assert_harmless(agent)


def test_it_follows_an_interface_that_appears_with_no_capability(start_agent):
    """With TCX, from Linux 6.6; under older kernels see tests/vm."""
    agent = start_agent("--interface=wan*")
    agent.wait_for_reply("^up ")
    assert_harmless(agent)
    lab.ip("link", "add", "wan1", "type", "veth", "peer", "name", "wan2")
    try:
        for name in ("wan1", "wan2"):
            lab.ip("link", "set", name, "up")
        series = 'wcs_node_network_transmit_packets_total{device="wan1"}'
        agent.wait_for_metric(series, lambda _: True)
        # Frames of no protocol that anybody answers, straight onto the device.
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("wan1", 0))
            for _ in range(100):
                raw.send(b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(86))
        agent.wait_for_metric(series, lambda packets: packets >= 100)
        received = 'wcs_node_network_receive_bytes_total{device="wan2"}'
        agent.wait_for_metric(received, lambda count: count >= 100 * 100)
        assert_harmless(agent)
    finally:
        lab.ip("link", "delete", "wan1")
    lab.wait_until(lambda: series not in agent.metrics(), "wan1 is gone from the metrics")
    assert agent.reply().startswith("up ")


def test_not_following_interfaces_is_a_choice(start_agent):
    agent = start_agent("--follow-interfaces=off", "--interface=wan*")
    agent.wait_for_reply("^up ")
    lab.ip("link", "add", "wan5", "type", "bridge")
    try:
        lab.ip("link", "set", "wan5", "up")
        for _ in range(5):
            agent.wait_for_metric("wcs_node_agent_sample_age_seconds", lambda age: age < 1)
        assert 'wcs_node_network_transmit_packets_total{device="wan5"}' not in agent.metrics()
    finally:
        lab.ip("link", "delete", "wan5")


def test_an_account_can_be_named(start_agent):
    agent = start_agent("--user=daemon")
    assert_harmless(agent, uid="1")
    assert agent.lines("running as user daemon")


def test_root_stays_root_only_if_told_to(start_agent):
    agent = start_agent("--user=root")
    status = status_of(agent, agent.pid)
    assert status["Uid"].split()[0] == "0"
    assert {int(status[name], 16) for name in ALL_SETS} == {0}


def test_the_thread_that_computes_passwords_has_nothing_either(start_agent, tmp_path):
    web = tmp_path / "web.yml"
    web.write_text(json.dumps({"basic_auth_users": {"one": HASH}}))
    agent = start_agent(f"--web.config.file={web}")
    agent.wait_for_reply("^up ")
    assert_harmless(agent)
    known = base64.b64encode(b"one:right").decode()
    assert agent.get("/metrics", Authorization=f"Basic {known}")[0] == 200
    assert_harmless(agent, threads=SERVING_AND_SAMPLING + 1)
    (computing,) = (one for one in threads_of(agent) if "wcs-passwords" in status_of(agent, one)["Name"])
    niceness = [os.getpriority(os.PRIO_PROCESS, thread) for thread in (agent.pid, computing)]
    assert niceness[1] == niceness[0] + 5


def test_an_unknown_account_is_wrong_usage(start):
    agent = start(lab.Agent, "agent", "--user=nobody-of-this-name")
    assert agent.wait() == 2
    assert 'has no account "nobody-of-this-name"' in agent.output()


def test_a_file_that_a_reload_could_not_read_is_told_at_the_start(start, simulator, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"wcs_url": simulator.url, "cpu": "off", "policy": "proportional"}))
    config.chmod(0o600)
    agent = start(lab.Agent, "agent", f"--config={config}")
    agent.wait_until_listening()
    agent.wait_for_reply("^up 100%$")
    assert agent.lines(re.escape(str(config)) + " cannot be read by the user.*reload will fail")
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: nothing changed.*denied")
    assert agent.reply() == "up 100%\n"


def test_everything_on_it_has_two_threads(start_agent):
    agent = start_agent("--wcs-interval=100ms")
    agent.wait_for_reply("^up ")
    assert len(threads_of(agent)) == SERVING_AND_SAMPLING
