# SPDX-License-Identifier: Apache-2.0
"""The simulator's WebSocket: sessions that the page counts, and clients that do everything wrong."""

import contextlib
import json
import re
import resource
import socket
import struct
from pathlib import Path

import lab
import pytest
import websocket

OFFER = "\r\n".join(
    (
        *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=sendrecv", "a=rtpmap:111 opus/48000/2"),
        *("a=ice-ufrag:abcd", "a=ice-pwd:abcdabcdabcdabcdabcdabcd", "a=fingerprint:sha-256 01", ""),
    )
)


@pytest.fixture
def simulator(start):
    """With a WebSocket port."""
    return start(lab.Simulator, "wcs-sim", websocket="127.0.0.1:0")


@pytest.fixture
def connect(simulator):
    """connect(**headers) -> a client with an established session, closed after the test."""
    with contextlib.ExitStack() as clients:

        def connect_one(**headers):
            client = websocket.create_connection(f"ws://{simulator.websocket}", timeout=15, header=headers)
            clients.callback(client.shutdown)
            say(client, "connection", appKey="defaultApp")
            assert hear(client)["message"] == "getUserData"
            return client

        yield connect_one


def say(client, message, **data):
    client.send(json.dumps({"message": message, "data": [data]}))


def hear_any(client):
    return json.loads(client.recv())


def hear(client):
    """The next message that is no ping; those are answered."""
    while (message := hear_any(client))["message"] == "ping":
        say(client, "pong")
    return message


def frame_of(message, **data):
    """The same as a frame, masked with zeros, for bare sockets; of more than 65,535 bytes."""
    text = json.dumps({"message": message, "data": [data]}).encode()
    return b"\x81\xff" + struct.pack("!Q", len(text)) + MASK + text


def publish(client, name):
    say(client, "publishStream", mediaSessionId=f"id-{name}", name=name, sdp=OFFER)
    assert hear(client)["message"] == "setRemoteSDP"
    assert hear(client)["data"][0]["status"] == "PUBLISHING"


def page(simulator):
    rows = lab.http_get(simulator.page, "/?action=stat")[2].splitlines()
    return dict(row.split("=", 1) for row in rows if "=" in row)


def sessions(simulator):
    return simulator.state()["sessions"]


def wait_for_page(simulator, **counts):
    want = {name: str(count) for name, count in counts.items()}
    lab.wait_until(lambda: want.items() <= page(simulator).items(), f"a page with {want}")


def until_closed(client):
    """How many pings come before the close frame, and its (code, reason)."""
    pings = 0
    while True:
        opcode, data = client.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return pings, (struct.unpack("!H", data[:2])[0], data[2:].decode())
        assert json.loads(data)["message"] == "ping"
        pings += 1


def upgraded(simulator):
    """A bare socket after the upgrade, for frames that no library sends."""
    client = lab.connect(simulator.websocket)
    client.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
    return client


def test_page_counts_sessions_streams_and_viewers(simulator, connect, start_agent):
    agent = start_agent("--publishers=4")
    publisher, viewer = connect(), connect()
    publish(publisher, "test")
    say(viewer, "playStream", mediaSessionId="v", name="test", sdp=OFFER.replace("sendrecv", "recvonly"))
    assert "a=sendonly" in hear(viewer)["data"][1]
    assert hear(viewer)["data"][0]["status"] == "PLAYING"
    wait_for_page(
        simulator, connections=2, connections_websocket=2, streams_webrtc_in=1, streams_webrtc_out=1
    )
    assert page(simulator)["streams_viewers"] == "test/1"
    agent.wait_for_reply("^up 75%$")  # 1 of 4 publishers
    publisher.close()
    assert hear(viewer)["data"][0]["info"] == "Stopped by publisher stop"
    wait_for_page(simulator, connections_websocket=1, streams_webrtc_in=0, streams_webrtc_out=0)
    agent.wait_for_reply("^up 100%$")


def test_a_player_gets_what_it_asks_for_and_the_page_counts_it(start):
    receiver = start(lab.Simulator, "viewers", "--media-receive=127.0.0.1:5004")
    sender = start(
        *(lab.Simulator, "wcs-sim", "--media-send=127.0.0.1:5004", "--stream=live", "--global-bandwidth"),
        websocket="127.0.0.1:0",
    )
    assert page(sender)["global_bandwidth_out"] == "0.00"
    with contextlib.closing(websocket.create_connection(f"ws://{sender.websocket}", timeout=15)) as client:
        say(client, "connection", appKey="defaultApp")
        say(client, "playStream", mediaSessionId="v", name="live", sdp=OFFER, bitrate=2000)

        def counted():
            return 1 < float(page(sender)["global_bandwidth_out"]) < 2.2

        lab.wait_until(counted, "2 Mbit/s on the page")
    lab.wait_until(lambda: page(sender)["global_bandwidth_out"] == "0.00", "silence after the session")
    assert receiver.state()["media_received_bytes"] == sender.state()["media_sent_bytes"] > 100_000


@pytest.mark.parametrize(
    "header, client",
    [
        ("198.51.100.7:4567", "198.51.100.7:4567"),
        ("2001:db8::1:4567", "2001:db8::1:4567"),  # as HAProxy writes an IPv6 address
        (None, "127.0.0.1:PORT"),
        ("<script>", "127.0.0.1:PORT"),
        ("1" * 65, "127.0.0.1:PORT"),
    ],
)
def test_identifier_holds_the_clients_address_and_port(simulator, connect, header, client):
    one = connect(**({"X-Client-IP": header} if header else {}))
    expected = client.replace("PORT", str(one.sock.getsockname()[1]))
    ends = f"/{re.escape(expected)}/{re.escape(simulator.websocket)}"
    assert re.fullmatch(f"{ends}-[0-9a-f-]{{36}}", sessions(simulator)[0]["id"])


@pytest.mark.parametrize(
    "sent, status",
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"426"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, b"400"),
        (b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"4"),
    ],
    ids=["no upgrade", "TLS", "a long header", "half an upgrade"],
)
def test_what_is_no_websocket_client_is_told_so(simulator, sent, status):
    with lab.connect(simulator.websocket) as client:
        client.sendall(sent)
        with contextlib.suppress(ConnectionResetError):  # bytes that nobody reads after the answer
            assert client.recv(4096).startswith(b"HTTP/1.1 " + status)
    assert sessions(simulator) == []


MASK = b"\x00\x00\x00\x00"


@pytest.mark.parametrize(
    "frame, code",
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\x83\x80" + MASK, 1002),  # no such opcode
        (b"\xc1\x80" + MASK, 1002),  # a reserved bit
        (b"\x80\x80" + MASK, 1002),  # continues nothing
        (b"\x89\xfe\x00\x7e" + MASK, 1002),  # a ping of more than 125 bytes
        (b"\x81\xff\x00\x00\x00\x00\x00\x04\x00\x01" + MASK, 1009),  # 256 KiB and a byte
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" + MASK, 1009),
        (b"\x81\x81" + MASK + b"\xff", 1007),  # not UTF-8
        (b"\x82\x82" + MASK + b"hi", 1003),  # binary
        (b"\x81\x82" + MASK + b"hi", 1007),  # not JSON
        (b"\x81\x82" + MASK + b"{}", 1007),
    ],
)
def test_a_frame_that_breaks_the_protocol_is_answered_with_its_code(simulator, frame, code):
    with upgraded(simulator) as client:
        client.sendall(frame)
        answer = client.recv(4096)
        assert answer[0] == 0x88, answer
        assert struct.unpack("!H", answer[2:4])[0] == code
    lab.wait_until(lambda: sessions(simulator) == [], "the session is gone")


def test_half_a_frame_keeps_nobody_else_waiting_and_ends_with_its_client(simulator, connect):
    with upgraded(simulator) as half:
        half.sendall(b"\x81\xfe\x00")
        publish(connect(), "test")
        assert page(simulator)["connections_websocket"] == "2"
    wait_for_page(simulator, connections_websocket=1, streams_webrtc_in=1)


def test_a_message_in_many_fragments_is_one(simulator, connect):
    client = connect()
    text = json.dumps({"message": "availableStream", "data": [{"mediaSessionId": "a", "name": "b"}]})
    for at in range(0, len(text), 10):
        first, last = at == 0, at + 10 >= len(text)
        client.send_frame(
            websocket.ABNF.create_frame(text[at : at + 10], 1 if first else 0, int(last))
        )
    assert hear(client)["message"] == "availableStream"


def test_a_client_that_never_answers_pings_is_closed_and_counts_no_more(simulator, connect):
    simulator.set(ping_ms=100, ping_probes=3)
    silent, polite = connect(), connect()
    publish(silent, "test")
    for _ in range(6):
        assert hear_any(polite)["message"] == "ping"
        say(polite, "pong")
    pings, code_and_reason = until_closed(silent)
    assert pings >= 3  # one or two more where a pong was late
    assert code_and_reason == (1008, "3 pings unanswered")
    wait_for_page(simulator, connections_websocket=1, streams_webrtc_in=0)


def test_a_client_that_never_reads_is_closed(simulator, connect):
    publisher, reader = connect(), connect()
    publish(publisher, "test")
    say(reader, "playStream", mediaSessionId="v", name="test", sdp=OFFER)
    wait_for_page(simulator, streams_webrtc_out=1)
    for _ in range(100):
        say(publisher, "sendStreamEvent", mediaSessionId="id-test", type="data", payload="x" * 200_000)
    wait_for_page(simulator, connections_websocket=1, streams_webrtc_in=1, streams_webrtc_out=0)


@pytest.fixture
def small_send_buffers():
    """Connections accepted from now on in this network take 16 KiB that their client does not read."""
    setting = Path("/proc/sys/net/ipv4/tcp_wmem")
    before = setting.read_text()
    setting.write_text("4096 16384 16384")
    yield
    setting.write_text(before)


def test_a_client_that_never_reads_nor_answers_pings_is_closed(small_send_buffers, simulator):
    """Its close frame can never be sent, behind a message that is half sent."""
    simulator.set(ping_ms=100, ping_probes=3)
    with upgraded(simulator) as client:
        client.sendall(frame_of("connection", padding="x" * 200_000))
        wait_for_page(simulator, connections_websocket=1)
        wait_for_page(simulator, connections_websocket=0)


def test_what_comes_after_the_close_frame_is_dropped(simulator):
    simulator.set(ping_ms=100, ping_probes=2)
    with upgraded(simulator) as client:
        heard = b""
        while b"pings unanswered" not in heard:
            heard += client.recv(4096)
        client.sendall(b"\x82\x82" + MASK + b"hi")  # binary, which would be answered with a close frame
        assert client.recv(4096) == b""
    wait_for_page(simulator, connections_websocket=0)


def test_sdp_without_media_fails_that_stream_alone(simulator, connect):
    client = connect()
    say(client, "publishStream", mediaSessionId="a", name="test", sdp="v=0\r\n")
    event = hear(client)["data"][0]
    assert event["status"] == "FAILED"
    assert "no media section" in event["info"]
    publish(client, "test")


def test_a_thousand_sessions_at_once(simulator):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as sockets:
        clients = [
            sockets.enter_context(
                contextlib.closing(websocket.create_connection(f"ws://{simulator.websocket}", timeout=60))
            )
            for _ in range(1000)
        ]
        for client in clients:
            say(client, "connection")
        for number, client in enumerate(clients):
            assert hear(client)["message"] == "getUserData"
            publish(client, f"stream-{number}")
        wait_for_page(simulator, connections_websocket=1000, streams_webrtc_in=1000)
        assert len({session["id"] for session in sessions(simulator)}) == 1000
        for client in clients:
            client.sock.shutdown(socket.SHUT_RDWR)
    wait_for_page(simulator, connections_websocket=0, streams_webrtc_in=0)
