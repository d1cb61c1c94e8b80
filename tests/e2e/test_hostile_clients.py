# SPDX-License-Identifier: Apache-2.0
"""Rubbish on both ports: the agent serves on, in bounded memory, and forgets the descriptors."""

import contextlib
import os
import random
import socket
import struct

import lab
import pytest

AGENT_PORT, METRICS_PORT = "address", "metrics_address"
both_ports = pytest.mark.parametrize("port", [AGENT_PORT, METRICS_PORT])


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def resident(agent):
    with open(f"/proc/{agent.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def agent(start_shared_agent):
    agent = start_shared_agent()
    agent.metrics()
    return agent


@pytest.fixture
def target(agent):
    """An agent that must serve both ports afterwards, with no more descriptors and memory."""
    before, memory = descriptors(agent), resident(agent)
    yield agent
    assert agent.reply().startswith("up ")
    assert agent.get("/healthz")[0] == 200
    # A request that never ends is given up after 10 s.
    lab.wait_until(lambda: descriptors(agent) <= before, "descriptors are closed", 30)
    assert resident(agent) - memory < 16 << 20


def send(address, data):
    """Sends what the agent takes of data and reads what it says."""
    with lab.connect(address, 20) as client, contextlib.suppress(OSError):
        try:
            client.sendall(data)
        finally:
            while client.recv(65536):
                pass


@both_ports
def test_random_bytes(target, port):
    source = random.Random(1)
    for length in (1, 10, 100, 1000, 10_000):
        for _ in range(4):
            # An end, so that the HTTP side has all it may wait for.
            send(getattr(target, port), source.randbytes(length) + b"\r\n\r\n")


@both_ports
def test_a_megabyte_without_a_newline(target, port):
    send(getattr(target, port), b"a" * (1 << 20))


@both_ports
def test_connections_that_are_reset(target, port):
    for _ in range(200):
        client = lab.connect(getattr(target, port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def test_agent_clients_that_neither_read_nor_close(target):
    clients = [lab.connect(target.address) for _ in range(200)]
    try:
        assert target.reply().startswith("up ")
        lab.wait_until(lambda: descriptors(target) < 100, "the agent gives them up", 30)
    finally:
        for client in clients:
            client.close()


def test_http_clients_that_never_finish_their_request(target):
    clients = [lab.connect(target.metrics_address) for _ in range(50)]
    try:
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        assert target.get("/healthz")[0] == 200
        assert target.reply().startswith("up ")
        target.wait_for_samples(3)
    finally:
        for client in clients:
            client.close()


def test_a_client_that_speaks_first_gets_its_answer(target):
    for text in (b"x", b"agent-send\n", b"y" * 2000):
        for _ in range(50):
            with lab.connect(target.address) as client:
                client.sendall(text)
                assert client.recv(100).startswith(b"up ")


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    ],
    ids=["tls", "no-version", "huge-header"],
)
def test_what_is_not_http_is_refused(target, request_bytes, status):
    with lab.connect(target.metrics_address) as client:
        with contextlib.suppress(OSError):
            client.sendall(request_bytes)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100).startswith(b"HTTP/1.1 %d " % status)
