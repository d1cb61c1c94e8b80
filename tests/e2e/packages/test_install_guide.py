# SPDX-License-Identifier: Apache-2.0
"""docs/install.md, command by command: from the package to a weight in a real HAProxy, and away again."""

import re
import subprocess

import lab
import package_roots
import pytest
from booted_root import UNIT, reply
from documents import blocks, commands

GUIDE = "install.md"
NODE, BALANCER = "192.0.2.11", "192.0.2.10"
NOT_RUN = {command for command in commands(GUIDE) if command.startswith("yum ")}  # test_rpm.py, by rpm itself
SOURCE = {"systemctl enable --now wcs-node-agent"}  # and README.md, which test_packaging.py runs


class Guide:
    """The commands that were run, each on the machine that its section is about."""

    def __init__(self, node):
        self._node = node
        self.done = set()

    def on_the_node(self, start):
        """Runs the command of the document that begins so."""
        command = self._find(start)
        return self._node.inside(f"cd /mnt && {command}")

    def _find(self, start):
        [command] = {one for one in commands(GUIDE) if one.startswith(start)}
        self.done.add(command)
        return command

    def on_the_balancer(self, start, network):
        with lab.inside(network):
            return subprocess.check_output(self._find(start), shell=True, text=True)


@pytest.fixture
def balancer(peer):
    """The other network, with the addresses of the document."""
    lab.ip("address", "add", f"{NODE}/24", "dev", "wan0")
    peer.ip("address", "add", f"{BALANCER}/24", "dev", "eth0")
    yield peer
    peer.ip("address", "del", f"{BALANCER}/24", "dev", "eth0")
    lab.ip("address", "del", f"{NODE}/24", "dev", "wan0")


@pytest.fixture
def haproxy(balancer, tmp_path):
    """start() -> a HAProxy with the backend that the document prints."""
    running = []

    def start():
        [backend] = [block for block in blocks(GUIDE) if block.startswith("backend ")]
        configuration, socket = tmp_path / "haproxy.cfg", tmp_path / "socket"
        configuration.write_text(
            f"global\n    stats socket {socket} mode 600 level admin\n"
            f"defaults\n    mode http\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n{backend}\n"
        )
        with lab.inside(balancer):
            running.append(lab.Haproxy(tmp_path / "haproxy.log", configuration, socket))
        return running[0]

    yield start
    for one in running:
        one.close()


def test_from_the_package_to_a_weight_and_away(debian, wcs, start, balancer, haproxy):
    # Another port 8080 than WCS's own takes HAProxy's health checks, and the machine may be busy.
    start(lab.Process, "port", ["socat", f"TCP-LISTEN:8080,bind={NODE},fork,reuseaddr", "/dev/null"])
    debian.inside("echo 'APT::Get::Assume-Yes \"true\";' >/etc/apt/apt.conf.d/yes")
    guide = Guide(debian)

    guide.on_the_node("apt-get install")
    lab.wait_until(debian.is_active, "it runs", 60)
    debian.inside(f"sed -i 's/\"cpu\": 90/\"cpu\": \"off\"/' /etc/wcs-node-agent/config.json; systemctl reload {UNIT}")
    assert "ebpf" in guide.on_the_node("wcs-node-agent doctor").lower()
    # maxconn is the running agent's alone to say.
    assert re.match(r"up \d+% maxconn:\d+$", guide.on_the_node("wcs-node-agent check"))
    assert "\nwcs_node_weight_ratio " in guide.on_the_node("curl")

    ask = f"socat -u TCP:{NODE}:9707 -"
    with lab.inside(balancer):
        assert subprocess.run(ask.split(), capture_output=True, text=True).stdout == "", "it is not let in yet"
    guide.on_the_node("sed")
    guide.on_the_node("wcs-node-agent config check")
    guide.on_the_node("systemctl reload")
    lab.wait_until(lambda: "reload: done: allow" in debian.journal(), "it is let in", 60)
    assert guide.on_the_balancer("socat", balancer).startswith("up ")

    wcs.set(streams_webrtc_out=50)
    proxy = haproxy()
    lab.wait_until(lambda: 1 <= int(proxy.servers()["node1"]["weight"]) <= 50, "the weight follows 50 of 100", 60)
    assert proxy.servers()["node1"]["status"].startswith("UP")
    assert reply().startswith("up ")

    assert guide.on_the_node("systemctl stop") == ""
    assert "removed" in guide.on_the_node("wcs-node-agent unpin")
    guide.on_the_node("systemctl enable --now wcs-node-agent.socket")
    guide.on_the_node("systemctl start")
    assert reply().startswith("up ")
    assert "agent_listen 0.0.0.0:9707 is the running agent's" in re.sub(" +", " ", debian.inside("wcs-node-agent doctor"))
    guide.on_the_node("systemctl disable")
    guide.on_the_node("systemctl restart")
    assert reply().startswith("up ")
    guide.on_the_node("apt-get remove")
    assert debian.run_inside("pgrep -x wcs-node-agent").stdout == ""
    guide.on_the_node("apt-get purge")
    assert not debian.exists("/etc/wcs-node-agent")
    assert guide.done | NOT_RUN | SOURCE == set(commands(GUIDE))


def test_the_files_it_names_are_those_that_are_made():
    text = (lab.ROOT / "docs" / GUIDE).read_text()
    named = set(re.findall(r"`(wcs-node-agent[\w.-]*\.(?:deb|rpm))`", text))
    assert named == {path.name for path in package_roots.PACKAGES.glob("*.*") if not path.name.startswith(".")}
    # The commands of README.md are run by test_packaging.py.
    [source] = [block for block in blocks(GUIDE) if block.startswith("cmake ")]
    readme = (lab.ROOT / "README.md").read_text()
    assert "\n".join(f"    {line}" for line in source.splitlines()) in readme
