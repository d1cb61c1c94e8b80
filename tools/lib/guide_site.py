# SPDX-License-Identifier: Apache-2.0
"""The vendor's guide on one machine: a balancer with a web server behind it, and nodes.

    the caller's network: HAProxy, nginx with the WebSDK's examples, whoever receives media
        bal1 10.97.1.1 -- eth0 10.97.1.2: node1 (wcs-sim, wcs-node-agent)
        bal2 10.97.2.1 -- eth0 10.97.2.2: node2 (wcs-sim, wcs-node-agent)
"""

from contextlib import closing
from dataclasses import dataclass

import lab
from nginx import Nginx

MEDIA_PORT = 5004


@dataclass
class Node:
    """One simulated node; its agent counts what passes eth0."""

    name: str
    address: str
    simulator: lab.Simulator
    agent: lab.Agent

    @property
    def sessions(self):
        """Its WebSocket sessions, as the simulator reports them."""
        return self.simulator.state()["sessions"]


def start_node(stack, number, scratch, *agent_options):
    """node1 or node2 of the guide, closed with the stack."""
    name = f"node{number}"
    address, balancer = f"10.97.{number}.2", f"10.97.{number}.1"
    network = stack.enter_context(closing(lab.Network()))
    network.join(f"bal{number}", f"{balancer}/24", f"{address}/24")
    simulator = stack.enter_context(
        closing(
            lab.Simulator(
                scratch / f"{name}-wcs-sim.log",
                f"--media-send={balancer}:{MEDIA_PORT}",
                listen=("127.0.0.1:8081",),
                control="127.0.0.1:8082",
                websocket=f"{address}:8080",
                network=network,
            )
        )
    )
    agent = stack.enter_context(
        closing(
            lab.Agent(
                scratch / f"{name}-agent.log",
                *(f"--allow={balancer}", f"--metrics-allow={balancer}", *agent_options),
                listen=f"{address}:9707",
                metrics=f"{address}:9708",
                network=network,
            )
        )
    )
    agent.wait_until_listening()
    return Node(name, address, simulator, agent)


def start_haproxy(stack, nodes, scratch, configuration, *listeners, **addresses):
    """HAProxy in front of the nodes; listeners: descriptors that an address names as fd@N."""
    environment = {node.name.upper(): node.address for node in nodes}
    return stack.enter_context(
        closing(
            lab.Haproxy(
                *(scratch / "haproxy.log", configuration, scratch / "haproxy.sock"),
                {**environment, **addresses},
                listeners,
            )
        )
    )


def start_nginx(stack, scratch, websdk):
    """The packaged server of the WebSDK's examples, on its own address."""
    packaged = (lab.ROOT / "packaging/nginx/websdk.conf").read_text()
    folder = "/usr/share/flashphoner-websdk"
    assert packaged.count(folder) == 1
    servers = packaged.replace(folder, f'"{websdk}"')
    return stack.enter_context(
        closing(Nginx(scratch / "nginx.log", scratch, servers, "127.0.0.1:8180"))
    )
