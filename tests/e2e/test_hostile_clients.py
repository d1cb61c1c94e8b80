# SPDX-License-Identifier: Apache-2.0
"""Rubbish on both ports: the agent serves on, in bounded memory, and forgets the descriptors."""

import contextlib
import os
import random
import shutil
import socket
import struct
import subprocess

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


REFUSED = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "TLS that waits": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "SSH that waits": (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    "no version": (b"GET /metrics\r\n\r\n", 400),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "huge header": (b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "folded line": (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "other coding": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501),
    "endless chunk extension": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 40_000,
        405,
    ),
    "other expectation": (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n", 417),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_http_is_refused(target, name):
    """At once, though the client has more to say or waits, and with a whole answer."""
    request_bytes, status = REFUSED[name]
    with lab.connect(target.metrics_address) as client:
        with contextlib.suppress(OSError):
            client.sendall(request_bytes)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        header, body = answer.split(b"\r\n\r\n")
        assert b"\r\nContent-Length: %d\r\n" % len(body) in header


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\nHost: x\n\n",
        b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n",
        b"GET HTTP://u:p@X:1/healthz?a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ],
    ids=["empty-line", "bare-lf", "later-version", "absolute-form", "old-keep-alive"],
)
def test_what_a_server_may_be_lenient_about_is_read(target, request_bytes):
    """Three times on one connection, in one segment and byte by byte."""
    with lab.connect(target.metrics_address) as client:
        client.sendall(2 * request_bytes)
        for byte in request_bytes:
            client.sendall(bytes([byte]))
        answers = b""
        while answers.count(b"\r\n\r\nok\n") < 3:
            part = client.recv(65536)
            assert part, answers
            answers += part
        assert answers.count(b" 200 OK\r\n") == 3


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_a_client_that_expects_to_be_told_to_go_on(target):
    """curl waits 100 s here before it would send the body unasked."""
    told = subprocess.run(
        ["curl", "--silent", "--verbose", "--noproxy", "*", "--max-time", "20", "--expect100-timeout", "100"]
        + ["--header", "Expect: 100-continue", "--data", "x", f"http://{target.metrics_address}/metrics"],
        capture_output=True,
        text=True,
    )
    assert "HTTP/1.1 100 Continue" in told.stderr
    assert "HTTP/1.1 405 Method Not Allowed" in told.stderr
    assert told.stdout == "Only GET and HEAD work here.\n"
