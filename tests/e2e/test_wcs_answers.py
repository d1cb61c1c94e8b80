# SPDX-License-Identifier: Apache-2.0
"""Answers of WCS, and of what stands before it, byte for byte: what curl reads, the agent reads."""

import shutil
import socket
import subprocess
import threading
from contextlib import closing, suppress

import lab
import pytest
from conftest import QUICK

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NAMES = ("webrtc_in", "rtmp_in", "rtsp_in", "webrtc_out", "rtmp_out", "rtsp_out", "hls")


def page(subscribers):
    values = {name: 0 for name in NAMES} | {"webrtc_out": subscribers}
    return b"".join(b"streams_%s=%d\n" % (name.encode(), value) for name, value in values.items())


def with_length(start, fields=b"", end=b"\r\n"):
    """Puts the length and the page after a status line."""
    return lambda body: start + fields + b"Content-Length: %d" % len(body) + end + end + body


def in_chunks(start=OK, fields=CHUNKED, end=b"\r\n", size=b"%x", trailer=b""):
    def answer(body):
        first, second = body[:7], body[7:]
        chunks = (size % len(one) + end + one + end for one in (first, second))
        return start + fields + end + b"".join(chunks) + b"0" + end + trailer + end

    return answer


# How each is read by curl 7.88 is seen while the test runs, where there is curl.
ANSWERS = {
    "plain": with_length(OK),
    "no length": lambda body: OK + b"\r\n" + body,
    "HTTP/1.0": lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body,
    "no reason": with_length(b"HTTP/1.1 200\r\n"),
    "empty reason": with_length(b"HTTP/1.1 200 \r\n"),
    "reason of odd bytes": with_length(b"HTTP/1.1 200 \xff\x01\r\n"),
    "reason without blank": with_length(b"HTTP/1.1 200OK\r\n"),
    "two blanks": with_length(b"HTTP/1.1  200 OK\r\n"),
    "page that a proxy changed": with_length(b"HTTP/1.1 203 Non-Authoritative Information\r\n"),
    "lower case": with_length(b"http/1.1 200 ok\r\n"),
    "HTTP/2": with_length(b"HTTP/2 200\r\n"),
    "HTTP/2.0": with_length(b"HTTP/2.0 200 OK\r\n"),
    "early hints": with_length(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + OK),
    "interim answers": with_length(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK
    ),
    "a thousand early hints": with_length(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000 + OK),
    "bare LF": with_length(b"HTTP/1.1 200 OK\n", end=b"\n"),
    "bare LF after the status line": with_length(b"HTTP/1.1 200 OK\n"),
    "CR CR LF": with_length(b"HTTP/1.1 200 OK\r\r\n"),
    "field of 60 KB": with_length(OK, b"X: " + b"x" * 60_000 + b"\r\n"),
    "header of 250 KB": with_length(OK, (b"X: " + b"x" * 1000 + b"\r\n") * 250),
    "token that is none": with_length(OK, b"Connection: a@b\r\n"),
    "field without name": with_length(OK, b": oops\r\n"),
    "blank in a name": with_length(OK, b"a b: 3\r\n"),
    "blank before the colon": with_length(OK, b"Server : x\r\n"),
    "odd bytes": with_length(OK, b"\xff\x01(x): \x7f\xe9\r\n"),
    "folded field": with_length(OK, b"X: a\r\n  b\r\n"),
    "CR in a value": with_length(OK, b"X: a\rb\r\n"),
    "keep-alive": with_length(OK, b"Connection: keep-alive\r\n"),
    "length twice": lambda body: with_length(OK, b"Content-Length: %d\r\n" % len(body))(body),
    "list of lengths": lambda body: OK
    + b"Content-Length: %d, %d\r\n\r\n" % (len(body), len(body))
    + body,
    "blanks around the length": lambda body: OK
    + b"Content-Length: \t %d \t\r\n\r\n" % len(body)
    + body,
    "leading zeros": lambda body: OK + b"Content-Length: %099d\r\n\r\n" % len(body) + body,
    "plus sign": lambda body: OK + b"Content-Length: +%d\r\n\r\n" % len(body) + body,
    "more than a number": lambda body: OK + b"Content-Length: %d x\r\n\r\n" % len(body) + body,
    "bytes after the body": lambda body: with_length(OK)(body) + b"more",
    "chunks": in_chunks(),
    "chunks of HTTP/1.0": in_chunks(b"HTTP/1.0 200 OK\r\n"),
    "chunks of bare LF": in_chunks(b"HTTP/1.1 200 OK\n", b"Transfer-Encoding: chunked\n", b"\n"),
    "chunks and a length": in_chunks(fields=CHUNKED + b"Content-Length: 3\r\n"),
    "length and chunks": in_chunks(fields=b"Content-Length: 3\r\n" + CHUNKED),
    "chunks named twice": in_chunks(fields=CHUNKED + CHUNKED),
    "list of codings": in_chunks(fields=b"Transfer-Encoding: identity, CHUNKED,\r\n"),
    "identity": with_length(OK, b"Transfer-Encoding: identity\r\n"),
    "chunk size with blanks": in_chunks(size=b"%x \t "),
    "chunk size in capitals with zeros": in_chunks(size=b"%08X"),
    "chunk extension": in_chunks(size=b'%x;a=b;c="d"'),
    "chunk extension of 20 KB": in_chunks(size=b"%x;" + b"x" * 20_000),
    "junk after a chunk size": in_chunks(size=b"%x \xff junk"),
    "trailers": in_chunks(trailer=b"X: y\r\nZ: q\r\n"),
    "encoding that it has not": with_length(OK, b"Content-Encoding: gzip\r\n"),
}

# What curl 7.88 does not read, and other clients do.
MORE = {
    "HTTP/3": with_length(b"HTTP/3 200\r\n"),
    "HTTP/1.2": with_length(b"HTTP/1.2 200 OK\r\n"),
    "line without colon": with_length(OK, b"oops\r\n"),
    "NUL in a field": with_length(OK, b"X: a\0b\r\n"),
    "folded length": lambda body: OK + b"Content-Length:\r\n %d\r\n\r\n" % len(body) + body,
    "empty line first": with_length(b"\r\n" + OK),
    "chunk size of many zeros": in_chunks(size=b"%040x"),
    "trailer without colon": in_chunks(trailer=b"oops\r\n"),
}


class RawServer:
    """Answers every request with the same bytes, which may change in between, and closes."""

    def __init__(self):
        self.answer = b""
        self.endless = b""  # after the answer, again and again
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/?action=stat" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        with client, suppress(OSError):
            client.settimeout(10)
            client.recv(65536)
            client.sendall(self.answer)
            while self.endless:
                client.sendall(self.endless)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def server():
    with closing(RawServer()) as one:
        yield one


@pytest.fixture(scope="module")
def agent(start_shared, server):
    server.answer = with_length(OK)(page(0))
    one = start_shared(lab.Agent, "agent", f"--wcs-url={server.url}", *QUICK)
    one.wait_until_listening()
    one.wait_for_reply("^up 100%$")
    return one


def fault_of(agent):
    return agent.status_json()["wcs"]["fault_text"] or ""


def subscribers_of(agent):
    return agent.status_json()["wcs"]["merged"]["subscribers"]["value"]


@pytest.mark.parametrize("name", ANSWERS)
def test_what_curl_reads_is_read(agent, server, name):
    expected = 1 + list(ANSWERS).index(name)
    server.answer = ANSWERS[name](page(expected))
    if shutil.which("curl"):
        curl = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", server.url], capture_output=True, timeout=20
        )
        assert (curl.returncode, curl.stdout) == (0, page(expected)), curl.stderr
    lab.wait_until(lambda: subscribers_of(agent) == expected, "the page is read")


@pytest.mark.parametrize("name", MORE)
def test_what_others_read_is_read_too(agent, server, name):
    expected = 90 + list(MORE).index(name)
    server.answer = MORE[name](page(expected))
    lab.wait_until(lambda: subscribers_of(agent) == expected, "the page is read")


@pytest.mark.parametrize(
    "answer, fault",
    [
        (OK + b"Content-Length: 30\r\nContent-Length: 300\r\n\r\n" + page(1), "two lengths"),
        (OK + b"Transfer-Encoding: gzip\r\n\r\n" + page(1), "gzip, which was not asked for"),
        (OK + b"Content-Encoding: br\r\n\r\n\x0b\x02\x80a=1\x03", "br, which was not asked for"),
        (OK + b"X: " + b"x" * (1 << 20), "the header of the answer is too large"),
        (OK + CHUNKED + b"\r\n1;" + b"x" * (1 << 20), "a line between chunks"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP 101 Switching Protocols"),
        (b"ICY 200 OK\r\n\r\n" + page(1), "not HTTP"),
    ],
    ids=["lengths", "transfer", "content", "header", "extension", "switching", "icy"],
)
def test_what_is_not_believed_is_named(agent, server, answer, fault):
    server.answer = answer
    lab.wait_until(lambda: fault in fault_of(agent), "the fault is named")


def test_an_unfinished_last_number_is_none(agent, server):
    """Cut within `95`, where nothing says how long the page is."""
    server.answer = OK + b"\r\n" + page(95)
    lab.wait_until(lambda: subscribers_of(agent) == 95, "the page is read")
    server.answer = OK + b"\r\n" + page(95)[: page(95).index(b"95") + 1]
    lab.wait_until(lambda: "'streams_webrtc_out', and may be cut off" in fault_of(agent), "it is unknown")
    assert subscribers_of(agent) == 95


@pytest.mark.parametrize("values", [(60, 5), (5, 60)])
def test_different_numbers_of_one_name_are_none(agent, server, values):
    server.answer = with_length(OK)(page(30))
    lab.wait_until(lambda: subscribers_of(agent) == 30, "the page is read")
    groups = ",".join('"group%d":{"streams_webrtc_out":%d}' % pair for pair in enumerate(values))
    others = ",".join(f'"streams_{name}":0' for name in NAMES if name != "webrtc_out")
    server.answer = with_length(OK)(("{%s,%s}" % (groups, others)).encode())
    lab.wait_until(lambda: "different numbers named 'streams_webrtc_out'" in fault_of(agent), "it is unknown")
    assert subscribers_of(agent) == 30


@pytest.mark.parametrize(
    "name",
    [
        b"streams_webrtc_out=0",
        b"x\nstreams_webrtc_out=0\ny",
        b"x\nstreams_hls=5000\ny",
        b"0\r\nstreams_webrtc_out=5000\r\n-----Core Stats-----",
        b"\xff\x00\n\x1b[31m\n",
        b"\n\x00" * 100,
    ],
)
def test_the_name_of_a_stream_changes_no_count(agent, server, name):
    server.answer = with_length(OK)(page(0))
    lab.wait_until(lambda: subscribers_of(agent) == 0, "the page is read")
    before, after = page(25).split(b"streams_rtmp_out")
    body = before + b"streams_viewers=" + name + b"/3\nstreams_rtmp_out" + after
    server.answer = with_length(OK)(body)
    lab.wait_until(lambda: subscribers_of(agent) == 25, "the page is read")
    assert fault_of(agent) == ""
    assert agent.reply() == "up 75%\n"


@pytest.mark.parametrize(
    "begin, endless",
    [
        (OK + CHUNKED + b"\r\n1;", b"x" * 65536),
        (OK + CHUNKED + b"\r\n0\r\n", b"X: " + b"x" * 65531 + b"\r\n"),
        (OK, b"X: " + b"x" * 65531 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (OK + b"\r\n", b"a=1\n" * 16384),
    ],
    ids=["chunk-extension", "trailers", "header", "interim-answers", "body"],
)
def test_what_never_ends_is_not_kept(agent, server, begin, endless):
    """It is refused within its bounds; checks go on meanwhile."""
    server.answer = with_length(OK)(page(0))
    lab.wait_until(lambda: fault_of(agent) == "", "the page is read")
    server.answer, server.endless = begin, endless
    try:
        lab.wait_until(lambda: "too l" in fault_of(agent) or "larger than" in fault_of(agent), "it is refused")
        assert agent.reply().startswith("up ")
    finally:
        server.endless = b""
    with open(f"/proc/{agent.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    assert peak < 64 * 1024  # kB; a page may have 1 MiB
