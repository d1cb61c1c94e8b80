# SPDX-License-Identifier: Apache-2.0
"""The clients of a run of tools/balance-real, and who watches it: all in one event loop."""

import asyncio
import json
from dataclasses import dataclass, field

import balance_fleet
import balance_plan
import lab

OFFER = "\r\n".join(
    (
        *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0"),
        *("a=recvonly", "a=rtpmap:96 H264/90000", "a=ice-ufrag:abcd", "a=ice-pwd:abcdabcdabcdabcdabcdabcd"),
        *("a=fingerprint:sha-256 01", ""),
    )
)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: balance-real\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
SERVERS_EVERY = 0.25  # s
LEAST_WAIT = 0.5  # s, of who is refused at the end of HAProxy's queue; else it was at once


def message(kind, **data):
    """As a text frame, masked with zeros; of 126 bytes or more."""
    text = json.dumps({"message": kind, "data": [{**data, "sdp": OFFER}]}).encode()
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text


async def hear(reader):
    """The next message of the server."""
    _, length = await reader.readexactly(2)
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    return json.loads(await reader.readexactly(length))


@dataclass
class Client:
    """One session: through HAProxy to a node, where it plays for as long as it is to last."""

    session: balance_plan.Session
    asked: bool = False
    late: float = 0  # s, when it asked after it was to
    waited: float = 0  # s, in HAProxy's queue
    node: str = ""  # none: refused
    began: float = 0  # when it played; of the event loop
    ended: float = 0

    async def run(self, start, mbps):
        """start: of what is measured. mbps: what its cost of 1 is, of payload."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(start + self.session.at - loop.time())
        self.late = max(0.0, loop.time() - start - self.session.at)
        self.asked = True
        asked_at = loop.time()
        reader, writer = await asyncio.open_connection(*lab.split_address(balance_fleet.FRONTEND))
        try:
            writer.write(UPGRADE)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            if status.split()[1] != "101":
                self.waited = loop.time() - asked_at if loop.time() - asked_at > LEAST_WAIT else 0
                return
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            self.waited = int(headers["x-waited"]) / 1000
            await self._play(reader, writer, mbps)
            self.node = headers["x-node"]
            self.began = loop.time()
            await asyncio.sleep(self.session.length)
            self.ended = loop.time()
        finally:
            writer.close()

    async def _play(self, reader, writer, mbps):
        kbps = self.session.cost * mbps * 1000
        writer.write(message("connection", appKey="defaultApp"))
        play = {"mediaSessionId": "1", "name": balance_fleet.STREAM, "bitrate": kbps}
        writer.write(message("playStream", **play, custom={"rampMs": self.session.ramp * 1000}))
        while True:
            heard = await hear(reader)
            if heard["message"] == "notifyStreamStatusEvent":
                assert heard["data"][0]["status"] == "PLAYING", heard
                return

    def is_there(self, now):
        return bool(self.node) and self.began <= now and (not self.ended or now < self.ended)

    def asked_between(self, first, last):
        """Of the node, in cost x s."""

        def until(age):
            ramp = self.session.ramp
            return age * age / (2 * ramp) if age < ramp else age - ramp / 2

        def age(moment):
            return max(0.0, min(moment, self.ended or moment) - self.began)

        return self.session.cost * (until(age(last)) - until(age(first))) if self.node else 0.0


def cpu_times():
    """(busy, all) of the machine, in ticks; stolen time is busy."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


@dataclass
class Look:
    """At the end of each second."""

    at: float  # of the event loop
    sent: list  # bytes of payload that each node has sent in all
    sessions: list  # on each node
    cpu: tuple
    weighing: list  # of each node whose agent makes its weight by the default policy


@dataclass
class Course:
    """What was seen of a run."""

    start: float
    clients: list
    looks: list = field(default_factory=list)  # the first one at the start
    links: list = field(default_factory=list)  # (left, dropped) of each node, at the start and at the end
    weight_changes: int = 0


async def ask(address, path):
    """The JSON that it answers."""
    reader, writer = await asyncio.open_connection(*lab.split_address(address))
    try:
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
    finally:
        writer.close()


async def servers(control):
    """What HAProxy makes of each server: its name, whether it is up, its weight without a slow start."""
    reader, writer = await asyncio.open_unix_connection(control)
    try:
        writer.write(b"show servers state nodes\n")
        _, head, *lines = (await reader.read()).decode().splitlines()
    finally:
        writer.close()
    columns = head.removeprefix("# ").split()
    rows = (dict(zip(columns, line.split())) for line in lines if line)
    return {row["srv_name"]: (row["srv_op_state"] != "0", row["srv_uweight"]) for row in rows}


async def watch_servers(course, control, seconds):
    """Counts the changes that balance-sim counts."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(course.start - loop.time())
    before = await servers(control)
    for number in range(1, round(seconds / SERVERS_EVERY) + 1):
        await asyncio.sleep(course.start + number * SERVERS_EVERY - loop.time())
        now = await servers(control)
        course.weight_changes += sum(now[name] != before[name] for name in now)
        before = now


async def look(course, nodes):
    answers = await asyncio.gather(*(ask(node.simulator.control, "/state") for node in nodes))
    statuses = await asyncio.gather(*(ask(node.status, "/status") for node in nodes if node.status))
    now = asyncio.get_running_loop().time()
    course.looks.append(
        Look(
            at=now,
            sent=[answer["media_sent_bytes"] for answer in answers],
            sessions=[sum(one.node == node.name and one.is_there(now) for one in course.clients) for node in nodes],
            cpu=cpu_times(),
            weighing=[one["weighing"] for one in statuses if one["weighing"]["policy"] == "headroom"],
        )
    )


async def watch_nodes(course, nodes, seconds, tasks, progress):
    loop = asyncio.get_running_loop()
    for second in range(seconds + 1):
        await asyncio.sleep(course.start + second - loop.time())
        raise_first_error(tasks)
        await look(course, nodes)
        if second in (0, seconds):
            course.links.append([node.link() for node in nodes])
        progress(second, course)


def raise_first_error(tasks):
    for task in tasks:
        if task.done() and task.exception():
            raise task.exception()


async def run(plan, fleet, progress):
    """The Course of a whole run."""
    loop = asyncio.get_running_loop()
    clients = [Client(session) for session in balance_plan.sessions(plan)]
    course = Course(loop.time() + plan.warm_up + 0.5, clients)
    mbps = plan.limit / balance_fleet.WIRE
    tasks = [asyncio.ensure_future(client.run(course.start, mbps)) for client in clients]
    control = str(fleet.haproxy.statistics_socket)
    watchers = (
        watch_nodes(course, fleet.nodes, plan.seconds, tasks, progress),
        watch_servers(course, control, plan.seconds),
    )
    try:
        await asyncio.gather(*watchers)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return course
