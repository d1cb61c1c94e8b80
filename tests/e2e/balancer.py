# SPDX-License-Identifier: Apache-2.0
"""A site behind a configuration of packaging/haproxy: its nodes, its web server, its clients.

    127.0.0.1:443, :80   HAProxy
    127.0.0.11, .12      a node each: a server of WebSockets on 8080 that records what it is asked, an agent
    127.0.0.1:8180       the web server, which records too
"""

import base64
import collections
import hashlib
import http.client
import os
import re
import socket
import socketserver
import ssl
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import lab
import pytest

NODES = {"node1": "127.0.0.11", "node2": "127.0.0.12"}
HTTPS = "127.0.0.1:443"
QUICK_TIMES = {"inter": "200ms", "agent_inter": "100ms", "slowstart": "0s"}
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455


def _accept_value(key):
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()


def _read_head(client):
    """First line and headers of a message, as (name in lower case, value); None at the end."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(65536)
        if not part:
            return None
        head += part
    first, *lines = head.split(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return first, [(name.lower(), value.strip()) for name, value in pairs]


def values(headers, name):
    return [value for one, value in headers if one == name]


class RecordingServer:
    """Takes WebSockets, whose bytes it sends back, and answers other requests with its name."""

    def __init__(self, name, address, tls=None):
        self.requests = []  # (first line, headers)
        recorder = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    client = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    recorder._serve(name, client)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = 1024

        self._server = Server(lab.split_address(address), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _serve(self, name, client):
        head = _read_head(client)
        if head is None:  # a health check
            return
        self.requests.append(head)
        key = values(head[1], "sec-websocket-key")
        if not key:
            client.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\n\r\n{name}".encode())
            return
        client.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Accept: {_accept_value(key[0])}\r\nX-Node: {name}\r\n\r\n".encode()
        )
        while part := client.recv(65536):
            client.sendall(part)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class WebSocket:
    """A session through HAProxy by wss, opened as a browser does. node is None where no node took it."""

    def __init__(self, authority, headers=(), address=HTTPS, host="localhost"):
        context = ssl.create_default_context(cafile=authority)
        self._connection = context.wrap_socket(lab.connect(address), server_hostname=host)
        self.own_address = "%s:%d" % self._connection.getsockname()[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            *("GET / HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"),
            *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"),
            *(f"{name}: {value}" for name, value in headers),
        ]
        self._connection.sendall("\r\n".join([*lines, "", ""]).encode())
        first, self.headers = _read_head(self._connection)
        self.status = int(first.split()[1])
        if self.status == 101:
            assert values(self.headers, "sec-websocket-accept") == [_accept_value(key)]
        self.node = (values(self.headers, "x-node") or [None])[0]

    @property
    def cookie(self):
        """The header by which a browser comes again; None where none was set."""
        found = values(self.headers, "set-cookie")
        return ("Cookie", found[0].split(";")[0]) if found else None

    def echo(self, data=b"ping"):
        self._connection.sendall(data)
        got = b""
        while len(got) < len(data):
            part = self._connection.recv(65536)
            if not part:
                return False
            got += part
        return got == data

    def close(self):
        self._connection.close()


def uncommented(text, first, last):
    """The lines from `first` to `last`, which are commented out, as lines of the configuration."""
    first, last = re.escape(first), re.escape(last)
    block = re.search(rf"(?m)^(?= +#     {first})(?: +#     .*\n)*? +#     {last}.*\n", text)[0]
    return text.replace(block, block.replace("#     ", ""))


def with_dead_agents_out(text):
    return uncommented(text, "option tcp-check", "default-server fall 5")


class Site:
    """Everything but the agents; start_agents() has them too."""

    def __init__(self, start, folder, example=lab.HAPROXY_EXAMPLE, change=lambda text: text, **times):
        self._start, self.folder = start, Path(folder)
        lab.certificate(self.folder, "localhost", "127.0.0.1")
        self.authority = str(self.folder / "ca.pem")
        self.configuration = lab.quick_haproxy(folder, example, **{**QUICK_TIMES, **times})
        self.configuration.write_text(change(self.configuration.read_text()))
        self.state_file = self.folder / "state"
        self.environment = {
            "NODE1": NODES["node1"],
            "NODE2": NODES["node2"],
            "SITE_PEM": str(self.folder / "site.pem"),
            "STATE_FILE": str(self.state_file),
        }
        self.servers, self.agents, self.simulators = {}, {}, {}

    def start_servers(self, **tls):
        for name, host in NODES.items():
            port = 8443 if tls else 8080
            self.servers[name] = RecordingServer(name, f"{host}:{port}", **tls)
        self.servers["web"] = RecordingServer("web", "127.0.0.1:8180")
        self.servers["acme"] = RecordingServer("acme", "127.0.0.1:8888")

    def start_agents(self, *options, **subscribers):
        """Those of the nodes that are named, each with so many subscribers at first."""
        for name, count in subscribers.items():
            simulator = self._start(lab.Simulator, f"{name}-wcs")
            simulator.set(streams_webrtc_out=count)
            self.simulators[name] = simulator
            self.start_agent(name, *options)
        for name, count in subscribers.items():
            self.agents[name].wait_until_listening()
            self.agents[name].wait_for_reply("^up" if count < 100 else "^down")

    def start_agent(self, name, *options, **places):
        host = NODES[name]
        places = {"listen": f"{host}:9707", "metrics": f"{host}:9708", **places}
        wcs = f"--wcs-url={self.simulators[name].url}"
        quick = (
            *("--cpu=off", "--sample-interval=100ms", "--window=500ms", "--wcs-interval=200ms"),
            *("--ramp=0s", "--recent-sessions=0s"),  # nobody waits for what is counted by and by
        )
        agent = self._start(lab.Agent, f"{name}-agent", wcs, *quick, *options, **places)
        self.agents[name] = agent
        return agent

    def start_haproxy(self):
        statistics_socket = self.folder / "haproxy.sock"
        self.haproxy = self._start(
            lab.Haproxy, "haproxy", self.configuration, statistics_socket, self.environment
        )
        return self.haproxy

    def wait_for(self, name, **columns):
        """The row of `show stat` of that server, once all these columns match."""
        last = [{}]

        def matches():
            last[:] = [self.haproxy.servers()[name]]
            return all(re.search(want, last[0][column]) for column, want in columns.items())

        try:
            lab.wait_until(matches, f"{name} with {columns}")
        except AssertionError as error:
            shown = ("status", "weight", "check_status", "last_chk", "agent_status", "last_agt")
            row = {column: last[0].get(column) for column in shown}
            raise AssertionError(f"{error}; last: {row}") from None
        return last[0]

    def open(self, *headers):
        return WebSocket(self.authority, [header for header in headers if header])

    def get(self, path, **headers):
        """(status, headers, text) of a request that is no WebSocket."""
        context = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection("localhost", 443, timeout=15, context=context)
        connection.connect()
        own_address = "%s:%d" % connection.sock.getsockname()
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode(), own_address
        finally:
            connection.close()

    def close(self):
        for server in self.servers.values():
            server.close()


@pytest.fixture
def site(start, tmp_path):
    """site(example="haproxy", ...) -> a Site with its servers, HAProxy still to be started."""
    with ExitStack() as sites:

        def start_site(example="haproxy", tls=None, **options):
            one = sites.enter_context(closing(Site(start, tmp_path, lab.HAPROXY_EXAMPLES / f"{example}.cfg", **options)))
            one.start_servers(**({"tls": tls} if tls else {}))
            return one

        yield start_site


def session(stack, site, *headers):
    return stack.enter_context(closing(site.open(*headers)))


def nodes_of(sessions):
    return collections.Counter(one.node for one in sessions)
