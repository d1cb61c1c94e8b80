# SPDX-License-Identifier: Apache-2.0
"""Two simulated nodes behind a real HAProxy, and a story that moves their load.

The vendor's guide, with the agent in the script's place: see guide_site.py. All networks are private to the
demonstration; of the machine's own it has two listening sockets on 127.0.0.1, HAProxy's.
"""

import argparse
import contextlib
import itertools
import signal
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import guide_site  # noqa: E402
import lab  # noqa: E402
import websdk  # noqa: E402

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
    "--ramp=0s",  # counts jump here, and nobody waits for what is counted by and by
    "--recent-sessions=0s",
)
AGENT_INTER = "500ms"


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


def fetch_websdk():
    """The folder of the vendor's examples; None, with a word why, where npm does not bring them."""
    try:
        return websdk.fetch()
    except websdk.NotAvailable as reason:
        print(f"\nwithout the WebSDK's examples: {reason} (Debian's package: npm)", flush=True)
        return None


def listener(port):
    """A socket of this machine's own network, on this port or else a free one."""
    for wanted in (port, 0):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", wanted))
    raise RuntimeError("no free port on 127.0.0.1")


def start_haproxy(stack, nodes, scratch, https, statistics):
    configuration = lab.quick_haproxy(scratch, agent_inter=AGENT_INTER, slowstart="0s")
    return guide_site.start_haproxy(
        *(stack, nodes, scratch, configuration, https.fileno(), statistics.fileno()),
        HTTPS_ADDRESS=f"fd@{https.fileno()}",
        STATISTICS_ADDRESS=f"fd@{statistics.fileno()}",
    )


def print_addresses(https, statistics, examples):
    port, statistics_port = (one.getsockname()[1] for one in (https, statistics))
    if examples:
        print(
            f"\nOpen https://localhost:{port}/ in a browser of this machine, let it take the"
            " certificate, which was made just now,\nand publish; the page's server field is to say"
            f" wss://localhost:{port}. There are no media behind it: the simulator\nanswers the"
            " signalling alone.",
            end="",
        )
    print(f"\nHAProxy's statistics: http://localhost:{statistics_port}/")


def show(nodes, haproxy, seconds):
    servers = haproxy.servers()
    for node in nodes:
        server = servers[node.name]
        when = f"{seconds:3.0f} s" if node is nodes[0] else ""
        reply = node.agent.reply().strip()
        print(f"{when:>6}  {node.name}  {reply:<64}{server['weight']:>6}  {server['status']}")
    for node in nodes:
        show_clients(node)
    sys.stdout.flush()


def show_clients(node, most=10):
    """The browsers that HAProxy brought to the node, and what they do there."""
    sessions = node.sessions
    for session in sessions[:most]:
        client = session["id"].split("/")[1]
        streams = ", ".join(f"{one['status'].lower()} {one['name']}" for one in session["streams"])
        print(f"{'':8}{node.name}  a browser, {client}: {streams or 'connected'}")
    if len(sessions) > most:
        print(f"{'':8}{node.name}  and {len(sessions) - most} browsers more")


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
    # Of the machine's own network: npm, and what a browser opens (8443 is what the example suggests).
    examples = fetch_websdk()
    https, statistics = listener(8443), listener(8404)
    try:
        lab.enter_private_network()
    except OSError as error:
        sys.exit(f"quickstart --demo: private networks need root: {error}")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wcs-node-agent-")))
        try:
            stack.enter_context(
                closing(
                    lab.Simulator(
                        scratch / "viewers.log",
                        f"--media-receive=0.0.0.0:{guide_site.MEDIA_PORT}",
                    )
                )
            )
            nodes = [
                guide_site.start_node(stack, number, scratch, *AGENT_OPTIONS) for number in (1, 2)
            ]
            if examples:
                guide_site.start_nginx(stack, scratch, examples)
            haproxy = start_haproxy(stack, nodes, scratch, https, statistics)
            print(
                f"\nHAProxy with {lab.HAPROXY_EXAMPLE.relative_to(lab.ROOT)}, asking every"
                f" {AGENT_INTER}, in front of two simulated nodes (Ctrl-C ends it)"
            )
            print_addresses(https, statistics, examples)
            if seconds:
                tell(nodes, haproxy, range(len(STORY)), seconds / len(STORY))
            else:
                tell(nodes, haproxy, itertools.count(), 3 * TABLE_EVERY)
        except KeyboardInterrupt:
            print("\nended")


if __name__ == "__main__":
    main()
