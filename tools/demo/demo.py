# SPDX-License-Identifier: Apache-2.0
"""Two simulated nodes behind a real HAProxy, and a story that moves their load.

    this process's network: HAProxy, the viewers who receive the media
        bal1 10.97.1.1 -- eth0 10.97.1.2: node1 (wcs-sim, wcs-node-agent)
        bal2 10.97.2.1 -- eth0 10.97.2.2: node2 (wcs-sim, wcs-node-agent)

All three networks are private to the demonstration; the machine's own is not touched.
"""

import argparse
import itertools
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import lab  # noqa: E402

TABLE_EVERY = 2.0  # seconds

# Quicker than the defaults (window 2s, stale_after 10s) and than the example's agent-inter 5s, so
# that the story fits into half a minute. The nodes share this machine's CPUs, so a limit on them
# would tell nothing of one node.
AGENT_OPTIONS = (
    "--window=1s",
    "--stale-after=3s",
    "--wcs-interval=500ms",
    "--wcs-timeout=1s",
    "--cpu=off",
)
AGENT_INTER = "500ms"


@dataclass
class Node:
    """One simulated node of the demonstration."""

    name: str
    address: str
    simulator: lab.Simulator
    agent: lab.Agent


# What happens, and how it is told. Media is megabits per second that really leave the node.
STORY = (
    ("both nodes carry little", lambda one, two: (load(one, 10), load(two, 20))),
    ("streams and media rise on node1", lambda one, two: load(one, 60)),
    ("subscribers leave, but 80 Mbit/s go out of node1", lambda one, two: load(one, 30, media=80)),
    ("node1 goes over its limit of 100 subscribers", lambda one, two: load(one, 120, media=20)),
    ("node1 recovers", lambda one, two: load(one, 30)),
    ("WCS on node2 hangs: the last counts hold for 3 s", lambda one, two: two.simulator.set(hang=1)),
    ("WCS on node2 answers again", lambda one, two: two.simulator.set(hang=0)),
)


def load(node, subscribers, media=None):
    """Media is 0.5 Mbit/s a subscriber unless told."""
    megabits = subscribers / 2 if media is None else media
    node.simulator.set(streams_webrtc_out=subscribers, media_mbps=megabits)


def start_node(stack, number, scratch):
    name = f"node{number}"
    address, balancer = f"10.97.{number}.2", f"10.97.{number}.1"
    network = stack.enter_context(closing(lab.Network()))
    network.join(f"bal{number}", f"{balancer}/24", f"{address}/24")
    # 8080 stands for the WebSocket port that HAProxy balances and checks.
    simulator = stack.enter_context(
        closing(
            lab.Simulator(
                scratch / f"{name}-wcs-sim.log",
                f"--media-send={balancer}:5004",
                listen=("127.0.0.1:8081", f"{address}:8080"),
                control="127.0.0.1:8082",
                network=network,
            )
        )
    )
    agent = stack.enter_context(
        closing(
            lab.Agent(
                scratch / f"{name}-agent.log",
                *(f"--allow={balancer}", f"--metrics-allow={balancer}", *AGENT_OPTIONS),
                listen=f"{address}:9707",
                metrics=f"{address}:9708",
                network=network,
            )
        )
    )
    agent.wait_until_listening()
    return Node(name, address, simulator, agent)


def start_haproxy(stack, nodes, scratch):
    configuration = lab.quick_haproxy(scratch, agent_inter=AGENT_INTER, slowstart="0s")
    addresses = {node.name.upper(): node.address for node in nodes}
    return stack.enter_context(
        closing(
            lab.Haproxy(
                scratch / "haproxy.log", configuration, scratch / "haproxy.sock", addresses
            )
        )
    )


def show(nodes, haproxy, seconds):
    servers = haproxy.servers()
    for node in nodes:
        server = servers[node.name]
        when = f"{seconds:3.0f} s" if node is nodes[0] else ""
        reply = node.agent.reply().strip()
        print(f"{when:>6}  {node.name}  {reply:<64}{server['weight']:>6}  {server['status']}")
    sys.stdout.flush()


def tell(nodes, haproxy, chapters, chapter_length):
    began = time.monotonic()
    for number in chapters:
        title, act = STORY[number % len(STORY)]
        print(f"\n{title}\n{'':8}node   {'agent replies':<66}HAProxy's weight, status", flush=True)
        act(*nodes)
        tables = max(1, round(chapter_length / TABLE_EVERY))
        for _ in range(tables):
            time.sleep(chapter_length / tables)
            show(nodes, haproxy, time.monotonic() - began)


def stop(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="quickstart --demo", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, help="tell the story once, in this time")
    seconds = parser.parse_args().seconds
    signal.signal(signal.SIGTERM, stop)
    try:
        lab.enter_private_network()
    except OSError as error:
        sys.exit(f"quickstart --demo: private networks need root: {error}")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wcs-node-agent-")))
        try:
            stack.enter_context(
                closing(lab.Simulator(scratch / "viewers.log", "--media-receive=0.0.0.0:5004"))
            )
            nodes = [start_node(stack, number, scratch) for number in (1, 2)]
            haproxy = start_haproxy(stack, nodes, scratch)
            print(
                f"\nHAProxy with {lab.HAPROXY_EXAMPLE.relative_to(lab.ROOT)}, asking every"
                f" {AGENT_INTER}, in front of two simulated nodes (Ctrl-C ends it)"
            )
            if seconds:
                tell(nodes, haproxy, range(len(STORY)), seconds / len(STORY))
            else:
                tell(nodes, haproxy, itertools.count(), 3 * TABLE_EVERY)
        except KeyboardInterrupt:
            print("\nended")


if __name__ == "__main__":
    main()
