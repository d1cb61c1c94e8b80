# SPDX-License-Identifier: Apache-2.0
"""What HAProxy's check notices of other clients, many, idle and slow ones, and of a WCS that hangs; what
scrapes notice of TLS handshakes that others begin and leave."""

import contextlib
import http.client
import itertools
import json
import os
import random
import resource
import socket
import ssl
import subprocess
import threading
import time

import lab
from report import Figure
from workbench import PROGRAMS, CannotMeasure, median, memory_mib

NAME = "clients"
TITLE = "a check every 5 ms beside hostile clients and a WCS that hangs"
TARGET_MS = 10.0
FIGURES = (
    Figure("alone", "99th percentile, nobody else", "ms"),
    Figure("storm", "beside 5,000 checks a second from 50 sources", "ms", at_most=TARGET_MS),
    Figure("idle", "beside 10,000 idle connections", "ms", at_most=TARGET_MS),
    Figure("slow", "beside 400 requests that come byte by byte", "ms", at_most=TARGET_MS),
    Figure("guesses", "beside wrong passwords, four at a time", "ms", at_most=TARGET_MS),
    Figure("hang", "beside a WCS that does not answer", "ms", at_most=TARGET_MS),
    Figure("memory", "memory that all of them cost", "MiB", at_most=16.0),
    Figure("descriptors", "most descriptors open", at_most=1_408.0),
    Figure("tls_alone", "TLS scrapes, 99th percentile, nobody else", "ms"),
    Figure("hellos", "beside 14,000 TLS handshakes a second begun by one other source", "ms", at_most=100.0),
    Figure("hello_memory", "resident memory at their end", "MiB", at_most=32.0),
)
SOURCES = [f"127.0.1.{number}" for number in range(1, 51)]


# bcrypt at cost 12, a quarter of a second of a CPU for each guess.
USERS = {"known": "$2y$12$F.fCxGF86cVRaft0dsgRI./oPqoIEBtUunJ.8FG/KVUOwrJQ7gzpy"}
WRONG = {"Authorization": "Basic a25vd246Z3Vlc3M="}  # known:guess


def p99_ms(bench, agent, seconds):
    return bench.ask(agent.address, "check", seconds, every=5000)["p99_us"] / 1e3


@contextlib.contextmanager
def storm(bench, agent, seconds):
    client = subprocess.Popen(
        [
            str(PROGRAMS / "client"),
            *("--address", agent.address, "--kind", "check", "--cpu", "-1", "--at-once", "1"),
            *("--every", "200", "--sources", "50", "--seconds", str(seconds + 1)),
            *("--requests", "0", "--path", "/"),
        ],
        stdout=subprocess.DEVNULL,
        preexec_fn=lab.die_with_parent,
    )
    time.sleep(0.3)
    yield
    if client.wait():
        raise CannotMeasure("the storm of checks failed")


def connect(address, source):
    return socket.create_connection(lab.split_address(address), 5, (source, 0))


@contextlib.contextmanager
def idle(agent, count):
    clients = [
        connect((agent.address, agent.metrics_address)[i % 2], SOURCES[i // 2 % 50])
        for i in range(count)
    ]
    yield
    for client in clients:
        client.close()


@contextlib.contextmanager
def slow(agent, count):
    """Each sends a byte every 50 ms, and begins anew when it is cut off."""
    going = threading.Event()

    def send():
        clients = {}
        while not going.wait(0.05):
            while len(clients) < count:
                clients[connect(agent.metrics_address, random.choice(SOURCES))] = None
            for client in list(clients):
                try:
                    client.send(b"G")
                except OSError:
                    client.close()
                    del clients[client]
        for client in clients:
            client.close()

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.3)
    yield
    going.set()
    sender.join()


@contextlib.contextmanager
def guesses(agent, at_once):
    """Each from another source, as one has ten guesses and then one in 6 s."""
    going, sources = threading.Event(), itertools.cycle(range(1 << 16))
    address = lab.split_address(agent.metrics_address)
    statuses = []

    def guess():
        while not going.is_set():
            number = next(sources)
            source = (f"127.1.{number >> 8}.{number & 255}", 0)
            connection = http.client.HTTPConnection(*address, timeout=30, source_address=source)
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.request("GET", "/metrics", headers=WRONG)
                statuses.append(connection.getresponse().status)

    guessers = [threading.Thread(target=guess) for _ in range(at_once)]
    for guesser in guessers:
        guesser.start()
    try:
        lab.wait_until(lambda: 401 in statuses, "a guess")
        before = statuses.count(401)
        yield
        computed = statuses.count(401) - before
    finally:
        going.set()
        for guesser in guessers:
            guesser.join()
    if computed == 0:
        raise CannotMeasure("no guess was computed meanwhile")


@contextlib.contextmanager
def hellos(agent, seconds, rate):
    """Connections that send the byte 0x16 and close, so many a second; yields the rate that was reached."""
    command = [str(PROGRAMS / "client"), "--address", agent.metrics_address, "--kind", "hello"]
    command += ["--cpu", "-1", "--at-once", "1", "--every", str(2_000_000 // rate), "--sources", "1"]
    command += ["--seconds", str(seconds), "--requests", "0", "--path", "/"]
    with contextlib.ExitStack() as stack:
        floods = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdout=subprocess.PIPE, text=True, preexec_fn=lab.die_with_parent
                )
            )
            for _ in range(2)
        ]
        reached = []
        yield reached
        results = [json.loads(flood.communicate()[0]) for flood in floods]
        reached.append(sum(one["requests"] / one["seconds"] for one in results))


def tls_scrapes(agent, seconds):
    """Times of scrapes from 127.0.0.2, one each 50 ms on a new connection, counted from its turn; ms."""
    trusting = ssl.create_default_context(cafile=str(agent.certificate))
    address = lab.split_address(agent.metrics_address)
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    times, turn = [], time.monotonic()
    end = turn + seconds
    while turn < end:
        time.sleep(max(0.0, turn - time.monotonic()))
        with (
            socket.create_connection(address, 10, ("127.0.0.2", 0)) as connection,
            trusting.wrap_socket(connection, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(request)
            if not b"".join(iter(lambda: tls.recv(65536), b"")).startswith(b"HTTP/1.1 200"):
                raise CannotMeasure("a scrape was refused")
        times.append((time.monotonic() - turn) * 1e3)
        turn += 0.05
    return times


def p99(values):
    return sorted(values)[len(values) * 99 // 100]


def measure_handshakes(bench, simulator, networks, rounds, seconds):
    certificate, key = bench.scratch / "server.pem", bench.scratch / "server.key"
    lab.run(
        *("/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
        *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=node"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
    )
    web = bench.scratch / "tls.yml"
    tls = {"cert_file": str(certificate), "key_file": str(key)}
    web.write_text(json.dumps({"tls_server_config": tls}))
    agent = bench.agent(f"--wcs-url={simulator.url}", *networks, f"--web.config.file={web}")
    agent.certificate = certificate
    bench.record("tls_alone", p99(tls_scrapes(agent, seconds)))
    found, rates, memory = [], [], []
    for number in range(rounds):
        bench.progress(f"handshakes begun and left, round {number + 1} of {rounds}")
        with hellos(agent, seconds, 14_000) as reached:
            found.append(p99(tls_scrapes(agent, seconds)))
            memory.append(memory_mib(agent.pid, "VmRSS"))
        rates += reached
    shown = ", ".join(f"{value:.3g} at {rate:,.0f}/s" for value, rate in zip(found, rates))
    bench.record("hellos", median(found), f"rounds: {shown}", ms=found)
    bench.record("hello_memory", max(memory))
    agent.close()


def record(bench, found):
    for key, values in found.items():
        shown = ", ".join(f"{value:.3g}" for value in values)
        bench.record(key, median(values), f"rounds: {shown}", ms=values)


def run(bench):
    rounds, seconds, idlers = bench.choose((1, 1.5, 2_000), (5, 4.0, 10_000))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    simulator = bench.simulator()
    networks = ("--allow=127.0.0.0/8", "--metrics-allow=127.0.0.0/8")
    agent = bench.agent(f"--wcs-url={simulator.url}", *networks)
    p99_ms(bench, agent, 1)
    before, most = memory_mib(agent.pid, "VmRSS"), 0
    found = {key: [] for key in ("alone", "storm", "idle", "slow")}
    for number in range(rounds):
        bench.progress(f"round {number + 1} of {rounds}")
        found["alone"].append(p99_ms(bench, agent, seconds))
        with storm(bench, agent, seconds):
            found["storm"].append(p99_ms(bench, agent, seconds))
        with idle(agent, idlers):
            found["idle"].append(p99_ms(bench, agent, seconds))
            most = max(most, len(os.listdir(f"/proc/{agent.pid}/fd")))
        with slow(agent, 400):
            found["slow"].append(p99_ms(bench, agent, seconds))
    record(bench, found)
    growth = memory_mib(agent.pid, "VmRSS") - before
    bench.record("memory", growth, f"{before:.1f} MiB before")
    bench.record("descriptors", float(most), f"{idlers:,} connections were opened")
    agent.close()

    web = bench.scratch / "web.yml"
    web.write_text(json.dumps({"basic_auth_users": USERS}))  # JSON is YAML
    agent = bench.agent(f"--wcs-url={simulator.url}", *networks, f"--web.config.file={web}")
    found = {key: [] for key in ("guesses", "hang")}
    for number in range(rounds):
        bench.progress(f"with passwords, round {number + 1} of {rounds}")
        with guesses(agent, 4):
            found["guesses"].append(p99_ms(bench, agent, seconds))
        simulator.set(hang=1)
        found["hang"].append(p99_ms(bench, agent, seconds))
        simulator.set(hang=0)
    record(bench, found)
    agent.close()

    measure_handshakes(bench, simulator, networks, *bench.choose((1, 3.0), (3, 8.0)))
