# SPDX-License-Identifier: Apache-2.0
"""Nodes behind a real HAProxy, each in a network of its own, as tools/balance-real measures them.

    the caller's network: HAProxy and its clients
        balN 10.97.N.1 -- eth1 10.97.N.2: node N (wcs-sim, the agent or the script under xinetd)
                                          eth0 10.96.N.2, a tbf -- nodeN 10.96.N.1: viewers, who take the media
"""

import json
from contextlib import closing
from dataclasses import dataclass

import lab

MEDIA_PORT = 5004
DATAGRAM = 1200  # bytes of payload
WIRE = (DATAGRAM + 8 + 20 + 14) / DATAGRAM  # UDP, IPv4, Ethernet
STREAM = "live"  # what sessions play
FRONTEND = "127.0.0.1:7000"
AGENT_PORT, METRICS_PORT, SCRIPT_PORT = 9707, 9708, 9797
LINK_BY_LIMIT = 1.25  # as in tools/balance-sim/limits.hpp
MOST_STREAMS = 3  # times the room: nobody means to reach it
ALGORITHMS = {"roundrobin": "roundrobin", "leastconn": "leastconn", "random": "random(2)"}
PEERS = lab.ROOT / "tools/benchmarks/peers"

CONFIGURATION = """
global
    nbthread 1
    maxconn 4000
    stats socket {socket} level admin
defaults
    mode http
    timeout connect 5s
    timeout queue {queue_timeout:g}s
    timeout client 1m
    timeout server 1m
    timeout tunnel 1h
frontend sessions
    bind {frontend}
    default_backend nodes
backend nodes
    balance {algorithm}
    option redispatch
    http-response set-header X-Node %s
    http-response set-header X-Waited %Tw
    default-server weight 100 check inter 2s agent-check agent-inter {agent_inter:g}s agent-port {port} \
slowstart {slowstart:g}s
"""


@dataclass
class Node:
    name: str
    network: lab.Network
    simulator: lab.Simulator
    status: str = ""  # where the agent answers it; "": there is the script

    def link(self):
        """(datagrams that left, that the link had no room for)."""
        text = lab.run(*self.network.command("tc", "-s", "-json", "qdisc", "show", "dev", "eth0"))
        [queue] = json.loads(text)
        return queue["packets"], queue["drops"]


class Fleet:
    """Everything of one run; ends with the stack."""

    def __init__(self, stack, scratch, plan):
        self._stack, self._scratch, self._plan = stack, scratch, plan
        self._viewers = stack.enter_context(closing(lab.Network()))
        self._start(lab.Simulator, "viewers", f"--media-receive=0.0.0.0:{MEDIA_PORT}", network=self._viewers)
        self.nodes = [self._start_node(number) for number in range(1, plan.nodes + 1)]
        self.haproxy = self._start_haproxy()

    def _start(self, kind, name, *arguments, **options):
        return self._stack.enter_context(closing(kind(self._scratch / f"{name}.log", *arguments, **options)))

    def _start_node(self, number):
        name, media, balancer = f"node{number}", f"10.96.{number}", f"10.97.{number}"
        network = self._stack.enter_context(closing(lab.Network()))
        with lab.inside(self._viewers):
            network.join(name, f"{media}.1/24", f"{media}.2/24")
        network.join(f"bal{number}", f"{balancer}.1/24", f"{balancer}.2/24", "eth1")
        rate = f"{self._plan.limit * LINK_BY_LIMIT:g}mbit"
        shape = ("root", "tbf", "rate", rate, "burst", "16kb", "latency", "50ms")
        lab.run(*network.command("tc", "qdisc", "add", "dev", "eth0", *shape))
        simulator = self._start(
            *(lab.Simulator, f"{name}-wcs", f"--media-send={media}.1:{MEDIA_PORT}", f"--media-size={DATAGRAM}"),
            *("--global-bandwidth", f"--stream={STREAM}", "--set=ping_ms=3600000"),
            listen=("127.0.0.1:8081",),
            control=f"{balancer}.2:8082",
            websocket=f"{balancer}.2:8080",
            network=network,
        )
        start = self._start_script if self._plan.policy == "updown" else self._start_agent
        start(name, network, f"{balancer}.2", f"{balancer}.1")
        status = "" if self._plan.policy == "updown" else f"{balancer}.2:{METRICS_PORT}"
        return Node(name, network, simulator, status)

    def _start_agent(self, name, network, address, balancer):
        plan = self._plan
        times = ("window", "sample_interval", "wcs_interval", "recent_sessions", "capacity_window")
        agent = self._start(
            *(lab.Agent, f"{name}-agent", f"--policy={plan.policy}", f"--allow={balancer}"),
            *(f"--metrics-allow={balancer}", "--source=ebpf"),
            *(f"--{time.replace('_', '-')}={getattr(plan, time) * 1000:g}ms" for time in times),
            # The nodes share this machine's CPUs. Only media and streams are held against a limit.
            *("--cpu=off", "--publishers=off", "--hls=off", "--band-in=off"),
            *(f"--subscribers={MOST_STREAMS * plan.room}", f"--band-out={plan.limit}"),
            listen=f"{address}:{AGENT_PORT}",
            metrics=f"{address}:{METRICS_PORT}",
            network=network,
        )
        agent.wait_until_listening()

    def _start_script(self, name, network, address, balancer):
        """WCS counts payload, so its limit is a little lower than that on the wire. The others' are out of reach."""
        most = MOST_STREAMS * self._plan.room
        limits = f"cpu 101 subscribers {most} band-out {self._plan.limit / WIRE:.3f}"
        script = self._scratch / "haproxy-agent-check.sh"
        script.write_bytes((PEERS / script.name).read_bytes())
        script.chmod(0o755)
        text = (PEERS / "xinetd.conf").read_text()
        text = text.replace("= SCRIPT", f"= {script}\n    server_args = {limits}").replace("127.0.0.1", balancer)
        text = text.replace("WCS_URL=WCS", "WCS_URL=http://127.0.0.1:8081/?action=stat")
        configuration = self._scratch / f"{name}-xinetd.conf"
        configuration.write_text(text)
        words = ["/usr/sbin/xinetd", "-dontfork", "-f", str(configuration)]
        words += ["-pidfile", str(self._scratch / f"{name}-xinetd.pid")]
        words += ["-filelog", str(self._scratch / f"{name}-xinetd-messages.log")]
        xinetd = self._start(lab.Process, f"{name}-xinetd", words, network)

        def answers():
            assert xinetd.running, xinetd.output()
            try:
                return lab.ask_agent(f"{address}:{SCRIPT_PORT}").startswith("up")
            except OSError:
                return False

        lab.wait_until(answers, "the script answers")

    def _start_haproxy(self):
        plan = self._plan
        control = self._scratch / "haproxy.sock"
        text = CONFIGURATION.format(
            socket=control,
            frontend=FRONTEND,
            algorithm=ALGORITHMS[plan.algorithm],
            port=SCRIPT_PORT if plan.policy == "updown" else AGENT_PORT,
            agent_inter=plan.agent_inter,
            slowstart=plan.slowstart,
            queue_timeout=plan.queue_timeout,
        )
        text += "".join(f"    server node{n} 10.97.{n}.2:8080\n" for n in range(1, plan.nodes + 1))
        configuration = self._scratch / "haproxy.cfg"
        configuration.write_text(text)
        return self._start(lab.Haproxy, "haproxy", configuration, control, {"SITE_PEM": ""})
