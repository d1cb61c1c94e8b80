# SPDX-License-Identifier: Apache-2.0
"""What the agent has to bear, all of it at once: each disturbance is one function in a process of
its own, which goes on until told to stop and then returns its counts.

Sources of one disturbance share no address with another's, as the agent's limits go by source.
"""

import base64
import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import random
import resource
import signal
import socket
import ssl
import struct
import time
import urllib.parse
from collections import Counter

import lab

CLIENT_DESCRIPTORS = 16_384
INTERFACE_PAUSE_SECONDS = 10.0  # each that comes or goes holds the thread for some 20 to 40 ms
FAULT_SECONDS = 2.0  # shorter than stale_after: the counts must hold
PAUSE_SECONDS = 1.5  # long enough for a good page to come in between


class Disturbance:
    """A function of (stop, counts, *arguments) in a child process."""

    def __init__(self, function, *arguments):
        self.name = function.__name__
        self._stop = multiprocessing.Event()
        self._receive, send = multiprocessing.Pipe(duplex=False)
        self._child = multiprocessing.Process(
            target=_run, args=(function, self._stop, send, arguments), daemon=True
        )
        self._child.start()

    @property
    def running(self):
        return self._child.is_alive()

    def end(self, timeout=60):
        """Its counts."""
        self._stop.set()
        if not self._receive.poll(timeout):
            raise RuntimeError(f"{self.name} does not end")
        result = self._receive.recv()
        self._child.join()
        if isinstance(result, BaseException):
            raise RuntimeError(f"{self.name}: {result!r}") from result
        return result


def _run(function, stop, send, arguments):
    lab.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENT_DESCRIPTORS, CLIENT_DESCRIPTORS))
    counts = Counter()
    try:
        function(stop, counts, *arguments)
        send.send(counts)
    except BaseException as error:  # told to whoever waits for the counts
        send.send(error)


def connect(address, source, timeout=5.0):
    return socket.create_connection(lab.split_address(address), timeout, (source, 0))


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


# Clients that mean well


def scrapes(stop, counts, address, source, web):
    """A Prometheus: TLS, a password, four pages a second on one connection, each whole."""
    host, port = lab.split_address(address)
    header = {"Authorization": "Basic " + base64.b64encode(web.login.encode()).decode()}
    context = ssl.create_default_context(cafile=web.certificate)
    connection, before = None, {}
    while not stop.wait(0.25):
        try:
            connection = connection or http.client.HTTPSConnection(
                host, port, timeout=10, source_address=(source, 0), context=context
            )
            connection.request("GET", "/metrics", headers=header)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            counts[f"failed: {type(error).__name__}"] += 1
            connection.close()
            connection = None
            continue
        counts[f"status {answer.status}"] += 1
        if answer.status != 200:
            continue
        page = lab.parse_metrics(text)
        for state in ("down", "drain", "maint"):
            counts["not up"] += page.get(f'wcs_node_state{{state="{state}"}}', 0) > 0
        totals = {k: v for k, v in page.items() if 'device="wan0"' in k and "_total{" in k}
        counts["counters that went back"] += sum(v < before.get(k, 0) for k, v in totals.items())
        before = totals


# Clients that do not


def guesses(stop, counts, address, source, web):
    """Wrong passwords, known and unknown users, two connections a turn."""
    host, port = lab.split_address(address)
    context = ssl._create_unverified_context()
    for number in itertools.count():
        if stop.wait(0.1):
            return
        login = f"{web.user if number % 2 else 'nobody'}:{number}"
        header = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
        connection = http.client.HTTPSConnection(
            host, port, timeout=10, source_address=(source, 0), context=context
        )
        try:
            connection.request("GET", "/metrics", headers=header)
            counts[f"status {connection.getresponse().status}"] += 1
        except (OSError, http.client.HTTPException):
            counts["cut off"] += 1
        finally:
            connection.close()


def slow_requests(stop, counts, address, sources):
    """400 requests whose bytes come one by one and have no end, on a port with and without TLS."""
    clients = {}
    text = b"GET /metrics HTTP/1.1\r\nX-Padding: " + b"a" * 4000
    while not stop.wait(0.2):
        while len(clients) < 400:
            try:
                clients[connect(address, random.choice(sources))] = 0
                counts["begun"] += 1
            except OSError:
                break
        for client, sent in list(clients.items()):
            try:
                client.send(text[sent : sent + 1])
                clients[client] = sent + 1
            except OSError:
                counts["cut off"] += 1
                client.close()
                del clients[client]


def idle_connections(stop, counts, addresses, sources):
    """Up to 10,000 connections to both ports that say nothing and are not closed from here."""
    clients = []
    for address, source in itertools.cycle(itertools.product(addresses, sources)):
        if stop.is_set():
            break
        try:
            clients.append(connect(address, source))
            counts["opened"] += 1
        except OSError:
            counts["refused"] += 1
        if len(clients) > 10_000:
            clients.pop(0).close()
        if counts["opened"] % 20 == 0:
            stop.wait(0.05)
    for client in clients:
        client.close()


def resets(stop, counts, addresses, source, source_of_bytes=random.Random(4)):
    """A RST at once, after some rubbish, in the middle of the answer, after it."""
    for address, moment in itertools.cycle(itertools.product(addresses, range(4))):
        if stop.wait(0.01):
            return
        with contextlib.suppress(OSError):
            client = connect(address, source)
            if moment in (1, 2):
                client.sendall(source_of_bytes.randbytes(source_of_bytes.randrange(1, 3000)))
            if moment in (2, 3):
                client.recv(1 if moment == 2 else 1 << 16)
            reset(client)
            counts["reset"] += 1


def scans(stop, counts, addresses, source):
    """Connections that are closed as soon as the port has told that it is open."""
    for address in itertools.cycle(addresses):
        if stop.wait(0.02):
            return
        with contextlib.suppress(OSError):
            connect(address, source).close()
            counts["closed at once"] += 1


def begun_handshakes(stop, counts, address, source, every):
    """The first bytes of TLS of several lengths, and an end."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40)
    for size in itertools.cycle((1, 5, len(hello))):
        if stop.wait(every):
            return
        with contextlib.suppress(OSError):
            with connect(address, source) as client:
                client.send(hello[:size])
            counts["begun"] += 1


def one_byte_requests(stop, counts, address, sources, every):
    """They send a byte and stay, from many sources: more than the port has room for."""
    clients = []
    for source in itertools.cycle(sources):
        if stop.wait(every):
            break
        with contextlib.suppress(OSError):
            client = connect(address, source)
            client.send(b"\x16")
            clients.append(client)
            counts["begun"] += 1
        if len(clients) > 1000:
            clients.pop(0).close()
    for client in clients:
        client.close()


def strangers(stop, counts, addresses, sources, every):
    """Connections from where nobody is allowed, which get not a byte."""
    for address, source in itertools.cycle(itertools.product(addresses, sources)):
        if stop.wait(every):
            return
        with contextlib.suppress(OSError), connect(address, source) as client:
            counts["bytes"] += len(client.recv(1))
        counts["refused"] += 1


# What changes around it


def stray_signals(stop, counts, pid):
    """Those that are not for it."""
    for number in itertools.cycle((signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXFSZ)):
        if stop.wait(0.1):
            return
        os.kill(pid, number)
        counts["sent"] += 1


def interfaces(stop, counts):
    """Links that come, get another name, and go."""
    for number in itertools.count():
        if stop.wait(INTERFACE_PAUSE_SECONDS):
            return
        a, b, c = (f"{letter}{number % 1000}" for letter in ("soak", "soap", "soar"))
        lab.ip("link", "add", a, "type", "veth", "peer", "name", b)
        lab.ip("link", "set", a, "up")
        lab.ip("link", "set", b, "up")
        stop.wait(0.3)
        lab.ip("link", "set", b, "name", c)
        stop.wait(0.2)
        lab.ip("link", "delete", a)
        counts["come and gone"] += 1


FAULTS = (
    {"hang": 1},
    {"status": 500},
    {"garbage": 1},
    {"truncate": 100},
    {"refuse": 1},
    {"delay_ms": 1500},
    {"size_mb": 100},
    {"bytes_per_second": 1},
    {"reset": 1},
    {"streams_webrtc_out": "NaN"},
    {"streams_webrtc_out": "9|5"},
    {"core_version": '"},{"streams_webrtc_out":"99999'},
)


def wcs_faults(stop, counts, control):
    """One fault of WCS after the other, each shorter than its counts hold."""

    def set_all(values):
        status, _, text = lab.http_get(control, "/set?" + urllib.parse.urlencode(values))
        if status != 200:
            raise RuntimeError(text)

    for fault in itertools.cycle(FAULTS):
        set_all(fault)
        stop.wait(FAULT_SECONDS)
        set_all(dict.fromkeys(fault, 0))
        counts["injected"] += 1
        if stop.wait(PAUSE_SECONDS):
            return


def reloads(stop, counts, pid, log_file, path, good, bad, every):
    """A good file, a bad one and a FIFO in turn; the next only once the log has told of the last."""
    refused = r"reload: nothing changed"
    for content, told, name in itertools.cycle(
        [(good, r"reload: done", "good"), (bad, refused, "bad"), (None, refused, "FIFO")]
    ):
        if stop.wait(every):
            return
        path.unlink(missing_ok=True)
        if content is None:
            os.mkfifo(path, 0o644)
        else:
            path.write_text(json.dumps(content))
            path.chmod(0o644)
        with open(log_file) as log:
            log.seek(0, 2)
            began = time.monotonic()
            os.kill(pid, signal.SIGHUP)
            seen = ""
            while told.split(":")[1] not in seen:
                if time.monotonic() - began > 30:
                    raise AssertionError(f"no word of the {name} reload within 30 s")
                time.sleep(0.002)
                seen += log.read()
        counts[name] += 1
        took = round((time.monotonic() - began) * 1e3)
        counts["longest, ms"] = max(counts["longest, ms"], took)


def watchdog(stop, counts, service_manager):
    """systemd's end of the notification socket: the longest time without WATCHDOG=1."""
    service_manager.settimeout(0.2)
    last = None
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            if b"WATCHDOG=1" in service_manager.recv(4096):
                now = time.monotonic()
                gap = round((now - (last or now)) * 1e3)
                counts["longest gap, ms"] = max(counts["longest gap, ms"], gap)
                counts["fed"] += 1
                last = now
