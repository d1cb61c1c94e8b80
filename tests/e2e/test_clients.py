# SPDX-License-Identifier: Apache-2.0
"""Clients by the thousand: others are served, memory is bounded, descriptors never run out."""

import collections
import contextlib
import itertools
import json
import os
import resource
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import lab
import pytest

MOST_AGENT, MOST_METRICS = 768, 512  # connections in all
IDLE = 10_000
MEMORY = 24 << 20  # bytes that all connections together may cost


@pytest.fixture(autouse=True)
def many_descriptors():
    """This process holds the other ends."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def resident(agent):
    with open(f"/proc/{agent.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connect(address, source, timeout=5):
    return socket.create_connection(lab.split_address(address), timeout, (source, 0))


@pytest.fixture(scope="module")
def agent(start_shared_agent):
    """For the whole of 127.0.0.0/8."""
    agent = start_shared_agent("--allow=127.0.0.0/8", "--metrics-allow=127.0.0.0/8")
    agent.metrics()
    return agent


@pytest.fixture
def target(agent):
    """The agent, which is as it was afterwards."""
    before, memory = descriptors(agent), resident(agent)
    yield agent
    assert agent.reply() == "up 75%\n"
    assert agent.get("/healthz")[0] == 200
    lab.wait_until(lambda: descriptors(agent) <= before + 2, "descriptors are closed", 90)
    assert resident(agent) - memory < MEMORY
    assert not agent.lines("Too many open files")


def test_ten_thousand_idle_connections(target):
    base = descriptors(target)
    sources = [f"127.0.1.{number}" for number in range(1, 101)]
    ports = (target.address, target.metrics_address)
    clients, most = [], 0
    try:
        for number in range(IDLE):
            clients.append(connect(ports[number % 2], sources[number // 2 % 100]))
            if number % 500 == 0:
                most = max(most, descriptors(target))
                assert target.reply() == "up 75%\n"
                assert target.get("/healthz")[0] == 200
        most = max(most, descriptors(target))
        allowed = base + MOST_AGENT + MOST_METRICS
        # One thread accepts a connection before it evicts another; a fetch of WCS's page has one meanwhile.
        assert most <= allowed + 2
        lab.wait_until(lambda: descriptors(target) <= allowed, "no more descriptors than allowed")
        assert target.metrics()["wcs_node_agent_displaced_connections_total"] > IDLE / 4
    finally:
        for client in clients:
            client.close()


def test_one_source_does_not_take_the_places_of_others(target):
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(connect(target.metrics_address, "127.0.1.1"))
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(1000).startswith(b"HTTP/1.1 200")
        for _ in range(2000):
            stack.enter_context(connect(target.metrics_address, "127.0.1.2"))
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(1000).startswith(b"HTTP/1.1 200"), "the longest idle of all, yet there"


@contextlib.contextmanager
def slow_requests(address, sources, every):
    """From the sources in turn a connection each `every` seconds, which sends one byte and stays."""
    ended, open_ones = threading.Event(), collections.deque()

    def send():
        for number in itertools.count():
            if ended.wait(every):
                return
            with contextlib.suppress(OSError):
                client = connect(address, sources[number % len(sources)])
                client.send(b"G")
                open_ones.append(client)
            if len(open_ones) > 2 * MOST_METRICS:
                open_ones.popleft().close()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield open_ones
    finally:
        ended.set()
        sender.join()
        for client in open_ones:
            client.close()


def test_slow_requests_of_many_sources_leave_a_distant_client_its_scrapes(target):
    """It is 20 ms away: its request comes so much later than its connection."""
    sources = [f"127.0.1.{number}" for number in range(1, 17)]
    with slow_requests(target.metrics_address, sources, 1 / 300) as slow:
        lab.wait_until(lambda: len(slow) > MOST_METRICS, "all slots are taken", 60)
        for _ in range(50):
            with connect(target.metrics_address, "127.0.0.2") as honest:
                time.sleep(0.02)
                honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert honest.recv(1000).startswith(b"HTTP/1.1 200")
                time.sleep(0.02)
                honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert honest.recv(1000).startswith(b"HTTP/1.1 200"), "idle, yet the only one"


@pytest.mark.parametrize("port", ["address", "metrics_address"])
def test_slow_senders(target, port):
    """Bytes that come one by one keep nothing open beyond the request's deadline."""
    address = getattr(target, port)
    text = b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 1000
    clients = [connect(address, f"127.0.1.{1 + number % 50}") for number in range(400)]
    began, alive = time.monotonic(), dict.fromkeys(clients, 0)
    while alive:
        assert time.monotonic() - began < 60, f"{len(alive)} are still open"
        assert target.reply() == "up 75%\n"
        assert target.get("/healthz")[0] == 200
        for client, sent in list(alive.items()):
            try:
                client.send(text[sent : sent + 1])
                alive[client] = sent + 1
            except OSError:
                client.close()
                del alive[client]
        time.sleep(0.05)


RST = struct.pack("ii", 1, 0)
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "sent, read",
    [
        (b"", 0),
        (b"G", 0),
        (REQUEST[:20], 0),
        (REQUEST, 0),
        (REQUEST, 1),
        (REQUEST, 100_000),
        (REQUEST * 20, 1),
        (b"\0" * 5000, 0),
    ],
    ids=["at-once", "one-byte", "half", "asked", "first-byte", "after", "pipelined", "rubbish"],
)
@pytest.mark.parametrize("port", ["address", "metrics_address"])
def test_resets_at_every_point(target, port, sent, read):
    for _ in range(100):
        with connect(getattr(target, port), "127.0.1.1") as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
            with contextlib.suppress(OSError):
                client.sendall(sent)
                if read:
                    client.recv(read)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def syn(source, destination, source_port, port):
    """A TCP segment that begins a connection."""
    header = struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination)
    pseudo += struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(header))
    return header[:16] + struct.pack("!H", checksum(pseudo + header)) + header[18:]


def test_half_open_connections_and_scans(start_agent, simulator, peer):
    """SYNs from addresses where nobody is, and a scan of every port around: the kernel keeps them
    from the agent, whose own queue they must not fill for others."""
    simulator.set(streams_webrtc_out=25)
    networks = ("--allow=10.98.0.0/16", "--allow=127.0.0.0/8")
    agent = start_agent(*networks, listen="0.0.0.0:9707")
    agent.address = "127.0.0.1:9707"
    agent.wait_for_reply("^up 75%$")
    before = descriptors(agent)
    with lab.inside(peer):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        for number in range(3000):
            source = f"10.98.{1 + number % 200}.{1 + number // 200}"
            segment = syn(source, "10.98.0.1", 1024 + number, 9707)
            ip_header = struct.pack(
                "!BBHHHBBH4s4s",
                *(0x45, 0, 20 + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0),
                *(socket.inet_aton(source), socket.inet_aton("10.98.0.1")),
            )
            raw.sendto(ip_header + segment, ("10.98.0.1", 0))
        raw.close()
        for port in range(9600, 9800):
            with contextlib.suppress(OSError):
                socket.create_connection(("10.98.0.1", port), 1).close()
        for _ in range(10):
            assert lab.ask_agent("10.98.0.1:9707") == "up 75%\n"
    assert agent.reply() == "up 75%\n"
    lab.wait_until(lambda: descriptors(agent) <= before + 2, "descriptors are closed", 30)


def test_five_thousand_checks_a_second_from_fifty_sources(target):
    """Every one is answered; how quickly, tools/bench measures."""
    program = Path(lab.AGENT).parent / "benchmarks/client"
    assert program.exists(), f"{program} is not built"
    result = subprocess.run(
        [
            str(program),
            *("--address", target.address, "--kind", "check", "--cpu", "-1"),
            *("--at-once", "1", "--every", "200", "--sources", "50"),
            *("--seconds", "0", "--requests", "5000", "--path", "/"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(result.stdout)
    assert told["failed"] == 0
    assert told["replies"] == {"up": told["requests"]}
    assert told["requests"] == 5_000
