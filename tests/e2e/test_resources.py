# SPDX-License-Identifier: Apache-2.0
"""What the agent needs of the system and does not get: it says so once and serves on."""

import contextlib
import ssl
import socket
import fcntl
import json
import os
import resource
import signal
import struct
import subprocess
import termios
import time

import lab
import pytest
from certificates import self_signed

MANY = 3000  # bytes; no reply to a check needs as many at once, an HTTP request does


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def limit_descriptors(agent, most):
    _, hard = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (min(most, hard), hard))


def test_no_descriptor_left_in_accept(start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    # Another user's limits take CAP_SYS_RESOURCE, which containers lack.
    agent = start_agent("--wcs-interval=1h", "--stale-after=2h", "--user=root")
    agent.wait_for_reply("^up 75%$")
    limit_descriptors(agent, 3)  # each that is free has a higher number
    with lab.connect(agent.address) as waiting:
        agent.wait_for_line("agent_listen: accept: Too many open files")
        time.sleep(0.5)  # five attempts
        limit_descriptors(agent, 1 << 20)
        assert waiting.recv(100) == b"up 75%\n", "it waited in the queue"
    agent.wait_for_line("agent_listen: accepting again")
    assert len(agent.lines("Too many open files")) == 1
    assert agent.reply() == "up 75%\n"


def test_few_descriptors_are_shared_out_and_told(start_agent):
    """With a hard limit of 256 it holds fewer connections, on each port, and never runs out."""
    agent = start_agent(prefix=("prlimit", "--nofile=256:256"))
    line = agent.lines("the limit of 256 open descriptors leaves")[0]
    idle = [lab.connect(agent.metrics_address) for _ in range(100)]
    idle += [lab.connect(agent.address) for _ in range(200)]
    try:
        for _ in range(20):
            assert agent.reply().startswith("up ")
            assert agent.get("/healthz")[0] == 200
        assert descriptors(agent) < 256
    finally:
        for client in idle:
            client.close()
    assert "metrics_listen" in line and "LimitNOFILE" in line
    assert not agent.lines("Too many open files")


def test_a_failing_allocation_in_a_request(start_agent, simulator, faults):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-interval=1h", "--stale-after=2h", env=faults.environment)
    agent.wait_for_reply("^up 75%$")
    assert agent.get("/metrics")[0] == 200
    faults.set(least_allocation=MANY)
    for _ in range(20):
        with lab.connect(agent.metrics_address) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(100) == b"", "cut off"
        assert agent.reply() == "up 75%\n"
    assert faults.get("failed") >= 20
    faults.set(least_allocation=0)
    assert agent.get("/metrics")[0] == 200
    assert len(agent.lines("a request was cut off: no memory")) == 1
    assert agent.reply() == "up 75%\n"


def test_a_failing_allocation_in_a_sample(start_agent, simulator, faults):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--wcs-interval=1h", "--stale-after=2h", env=faults.environment)
    agent.wait_for_reply("^up 75%$")
    faults.set(least_allocation=200)
    agent.wait_for_line("sampling fails.*no memory")
    failed = faults.get("failed")
    lab.wait_until(lambda: faults.get("failed") >= failed + 5, "five more samples")
    faults.set(least_allocation=0)
    agent.wait_for_line("sampling works again")
    assert agent.reply() == "up 75%\n"
    assert agent.status_json()["agent"]["sample_failures"] >= 3
    assert len(agent.lines("sampling fails")) == 1
    assert agent.running


@pytest.mark.parametrize("least", [200, 16_000])
def test_a_failing_allocation_in_a_fetch(start_agent, simulator, faults, least):
    """One that is larger than what a sample takes, and one that is not."""
    simulator.set(streams_webrtc_out=25)
    agent = start_agent("--stale-after=1m", env=faults.environment)
    agent.wait_for_reply("^up 75%$")
    faults.set(least_allocation=least)
    agent.wait_for_line("error: wcs: no fetch could be made: ")
    faults.set(least_allocation=0)
    agent.wait_for_line("info: wcs: fetches are made again")
    simulator.set(streams_webrtc_out=50)
    agent.wait_for_reply("^up 50%$")
    assert len(agent.lines("no fetch could be made")) == 1


def test_a_failing_allocation_in_a_handshake(start_agent, faults, tmp_path):
    _, key = self_signed(tmp_path)
    key.chmod(0o644)
    web = tmp_path / "web.yml"
    web.write_text("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
    agent = start_agent(f"--web.config.file={web}", env=faults.environment)
    context = ssl._create_unverified_context()

    def handshake():
        with socket.create_connection(lab.split_address(agent.metrics_address), 5) as client:
            with context.wrap_socket(client):
                return True

    assert handshake()
    for least in (6000, 4000, 3000, 2500):
        faults.set(least_allocation=least)
        for _ in range(3):
            with contextlib.suppress(OSError):
                handshake()
        faults.set(least_allocation=0)
        assert handshake()
    assert agent.reply().startswith("up ")
    agent.signal(signal.SIGTERM)
    assert agent.wait() == 0


class FullDisk:
    """A file system of 64 KiB for the log; lines are made by reloads of a bad file."""

    def __init__(self, folder):
        self.folder = folder / "disk"
        self.folder.mkdir()
        lab.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(self.folder))

    def fill(self):
        with contextlib.suppress(OSError), open(self.folder / "ballast", "wb", 0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(self):
        (self.folder / "ballast").unlink()

    def close(self):
        lab.run("umount", "--lazy", str(self.folder))


def test_a_full_disk_under_the_log(simulator, tmp_path):
    simulator.set(streams_webrtc_out=25)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"wcs_url": simulator.url, "cpu": "off", "policy": "proportional"}))
    with contextlib.closing(FullDisk(tmp_path)) as disk:
        agent = lab.Agent(disk.folder / "agent.log", f"--config={config}")
        with contextlib.closing(agent):
            agent.wait_until_listening()
            agent.wait_for_reply("^up 75%$")
            config.write_text("{")
            disk.fill()
            before = agent.log.stat().st_size
            for _ in range(100):
                agent.signal(signal.SIGHUP)
                assert agent.reply() == "up 75%\n"
            # The last page of the file may have had room for some lines.
            assert agent.log.stat().st_size - before < 4096
            disk.free()
            agent.signal(signal.SIGHUP)
            agent.wait_for_line(r"^\d+ lines of the log were lost$")
            assert agent.reply() == "up 75%\n"


def test_a_log_that_nobody_reads(simulator, tmp_path):
    """A pipe takes 64 KiB, and then write(2) would wait for ever."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"wcs_url": simulator.url, "cpu": "off", "log_level": "debug"}))
    read, write = os.pipe()
    agent = subprocess.Popen(
        [lab.AGENT, "run", f"--config={config}", "--agent-listen=127.0.0.1:9707"],
        stderr=write,
        preexec_fn=lab.die_with_parent,
    )
    os.close(write)
    try:
        lab.wait_until(lambda: answers("127.0.0.1:9707"), "the agent answers")
        config.write_text("{" + "\n" * 50)

        def reload():
            agent.send_signal(signal.SIGHUP)
            assert lab.ask_agent("127.0.0.1:9707").startswith("up ")
            return waiting_bytes(read)

        # Until it is full, and for as long again.
        lab.wait_until(lambda: reload() > 60_000, "the pipe is full", timeout=60)
        for _ in range(100):
            full = reload()
        assert reload() == full, "it is full indeed"
        os.set_blocking(read, False)
        os.read(read, 1 << 20)  # what is read makes room again
        agent.send_signal(signal.SIGHUP)
        said = []

        def told():
            with contextlib.suppress(BlockingIOError):
                said.append(os.read(read, 1 << 16).decode())
            return "lines of the log were lost" in "".join(said)

        lab.wait_until(told, "it tells what was lost")
    finally:
        agent.terminate()
        assert agent.wait(5) == 0
        os.close(read)


def waiting_bytes(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def answers(address):
    with contextlib.suppress(OSError):
        return lab.ask_agent(address, 3)


def test_a_reload_without_memory_changes_nothing(start, simulator, faults, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"wcs_url": simulator.url, "cpu": "off", "policy": "proportional"}))
    agent = start(lab.Agent, "agent", f"--config={config}", env=faults.environment)
    agent.wait_until_listening()
    agent.wait_for_reply("^up 100%$")
    faults.set(least_allocation=1000)
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: nothing changed: no memory")
    faults.set(least_allocation=0)
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert agent.reply() == "up 100%\n"
