# SPDX-License-Identifier: Apache-2.0
"""docs/migration.md, command by command: a node of the vendor's guide, with a real systemd and a real xinetd."""

import re
import subprocess

import lab
import pytest
from documents import blocks, commands
from service_manager import UNIT, AgentUnderSystemd, agent_unit, boot_script

GUIDE = "migration.md"
BALANCER, NODE = "192.0.2.10", "192.0.2.11"
PEER_SCRIPT = lab.ROOT / "tools/benchmarks/peers/haproxy-agent-check.sh"

# What no test runs: the program is on no machine that tests run on, or the command would change the machine itself.
NOT_RUN = {
    "yum remove xinetd jq bc telnet": "no yum here",
    "apt-get remove xinetd jq bc telnet": "the machine's own packages",
    "firewall-cmd --permanent --add-rich-rule='rule family=\"ipv4\" source address=\"192.0.2.10/32\" port port=\"9707\""
    " protocol=\"tcp\" accept'": "no firewalld here",
    "firewall-cmd --reload": "no firewalld here",
    "ufw allow proto tcp from 192.0.2.10 to any port 9707": "no ufw here",
    "nft add rule inet filter input ip saddr 192.0.2.10 tcp dport 9707 accept": "no nft here",
    "aws ec2 authorize-security-group-ingress --group-id sg-NODES --protocol tcp --port 9707 --source-group"
    " sg-BALANCER": "no account",
    "restorecon -v /usr/sbin/wcs-node-agent": "no SELinux here",
    "ps -eZ | grep wcs-node-agent": "no SELinux here",
}

# The files that the guide has on a node; the script is this project's rewrite of it.
XINETD = f"""service haproxy-agent-check
{{
        disable         = no
        flags           = REUSE
        socket_type     = stream
        port            = 9707
        wait            = no
        user            = nobody
        server          = /usr/local/bin/haproxy-agent-check-launch.sh
        log_on_failure  += USERID
        only_from       = {BALANCER} 127.0.0.1
        per_source      = UNLIMITED
}}
"""
LAUNCHER = """#!/bin/bash
exec /usr/local/bin/haproxy-agent-check.sh cpu 100 publishers 100 subscribers 100 hls 100 band-in 100 band-out 100
"""

BOOT = boot_script(
    overlays=("etc", "usr/local/bin", "usr/sbin"),
    install="""install -m 755 "$AGENT" /usr/sbin/wcs-node-agent
install -m 755 "$SCRIPT" /usr/local/bin/haproxy-agent-check.sh
printf '%s' "$LAUNCHER" >/usr/local/bin/haproxy-agent-check-launch.sh
chmod 755 /usr/local/bin/haproxy-agent-check-launch.sh
mkdir -p /etc/wcs-node-agent /etc/xinetd.d
printf '%s' "$XINETD" >/etc/xinetd.d/haproxy-agent-check
printf 'haproxy-agent-check 9707/tcp # haproxy-agent-check\\n' >>/etc/services""",
    setup=f"""{agent_unit()}
mkdir -p /run/systemd/system/xinetd.service.d
printf '[Unit]\\nDefaultDependencies=no\\n' >/run/systemd/system/xinetd.service.d/test.conf""",
    wants="xinetd.service",
)


class GuidesNode(AgentUnderSystemd):
    """What the guide leaves behind, under a systemd of its own; the commands that were run there, and elsewhere."""

    def __init__(self, log, balancer):
        self._balancer, self.done = balancer, []
        environment = {"SCRIPT": str(PEER_SCRIPT), "LAUNCHER": LAUNCHER, "XINETD": XINETD}
        super().__init__(log, UNIT.read_text(), BOOT, environment)

    def run(self, command, status=0):
        """As it stands in the document; fails if it ends otherwise."""
        self.done.append(command)
        done = self.inside(command)
        assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}{self.agent_log()}"
        return done.stdout

    def run_at_balancer(self, command):
        self.done.append(command)
        return lab.run(*self._balancer.command("sh", "-c", command))

    def ask(self):
        """What the balancer hears; None while nobody listens."""
        with lab.inside(self._balancer):
            try:
                return lab.ask_agent(f"{NODE}:9707")
            except ConnectionRefusedError:
                return None


@pytest.fixture
def node(start, peer):
    """The document's addresses, and the guide's node with 25 subscribers."""
    lab.ip("address", "add", f"{NODE}/24", "dev", "wan0")
    peer.ip("address", "add", f"{BALANCER}/24", "dev", "eth0")
    simulator = start(lab.Simulator, "wcs-sim", listen=("127.0.0.1:8081",))
    simulator.set(streams_webrtc_out=25)
    one = start(GuidesNode, "systemd", peer)
    lab.wait_until(one.ask, "xinetd answers", 30)
    yield one
    one.inside("systemctl stop wcs-node-agent; wcs-node-agent unpin")
    lab.ip("address", "del", f"{NODE}/24", "dev", "wan0")
    peer.ip("address", "del", f"{BALANCER}/24", "dev", "eth0")


def is_three_quarters(reply):
    """The running agent's: with the connections that the node may have."""
    return re.fullmatch(r"up 75% maxconn:\d+\n", reply)


def block_with(text):
    return next(block for block in blocks(GUIDE) if text in block)


def write_config(node):
    """The document's, without the limit that this machine's other tests may reach."""
    config = block_with('"allow"').replace('"cpu": 90', '"cpu": "off"')
    assert node.inside(f"cat >/etc/wcs-node-agent/config.json <<'END'\n{config}\nEND").returncode == 0


def test_the_service_takes_the_script_s_place_and_gives_it_back(node):
    assert node.ask() == "up 100%\n", "the script"
    assert "only_from" in node.run("cat /etc/xinetd.d/haproxy-agent-check")
    assert "subscribers 100" in node.run("cat /usr/local/bin/haproxy-agent-check-launch.sh")

    write_config(node)
    assert node.run("wcs-node-agent config check") == "/etc/wcs-node-agent/config.json: ok\n"
    assert re.search(
        r"missing +agent_listen +0\.0\.0\.0:9707 is taken by xinetd \(pid \d+\)\n", node.run("wcs-node-agent doctor", 1)
    )
    assert node.run("wcs-node-agent check") == "up 75%\n"

    node.inside("systemctl start --no-block wcs-node-agent")
    taken = "agent_listen 0.0.0.0:9707: address already in use"
    lab.wait_until(lambda: taken in node.agent_log(), "xinetd has the port")
    assert "xinetd" in node.run("ss -ltnp 'sport = :9707'")
    node.inside("systemctl stop wcs-node-agent; systemctl reset-failed wcs-node-agent")

    node.run("systemctl stop xinetd")
    node.run("systemctl disable xinetd")
    node.run("systemctl enable --now wcs-node-agent")
    assert is_three_quarters(lab.wait_until(node.ask, "the agent answers"))
    assert "up 75%" in node.run("wcs-node-agent status")
    assert is_three_quarters(node.run_at_balancer(f"socat -u TCP:{NODE}:9707 -"))

    node.run("systemctl disable --now wcs-node-agent")
    node.run("wcs-node-agent unpin")
    node.run("systemctl enable xinetd")
    node.run("systemctl start xinetd")
    assert lab.wait_until(node.ask, "the script answers") == "up 100%\n"

    node.run("rm /etc/xinetd.d/haproxy-agent-check")
    node.run("systemctl restart xinetd")
    lab.wait_until(lambda: node.ask() is None, "xinetd has no such service")
    node.inside("systemctl start wcs-node-agent")
    assert is_three_quarters(lab.wait_until(node.ask, "the agent answers"))
    for command in commands(GUIDE):
        if command.startswith(("rm -f ", "sed ")):
            node.run(command)
    left = node.inside("ls /usr/local/bin /etc/xinetd.d; cat /etc/services").stdout
    assert "haproxy-agent-check" not in left
    assert "\nssh" in left, "the other services"

    assert set(node.done) | set(NOT_RUN) == set(commands(GUIDE))


def test_the_port_is_silent_on_the_node_itself_once_the_balancer_alone_is_let_in(node):
    write_config(node)
    node.inside("sed -i 's/, \"127.0.0.1\", \"::1\"//' /etc/wcs-node-agent/config.json")
    node.inside("systemctl stop xinetd; systemctl start wcs-node-agent")
    assert is_three_quarters(lab.wait_until(node.ask, "the agent answers"))
    assert lab.ask_agent("127.0.0.1:9707") == ""
    assert "127.0.0.1 asked and is not in allow" in node.agent_log()
    assert node.inside("wcs-node-agent check").stdout == "up 75%\n"


def test_check_takes_the_script_s_place_under_xinetd(node):
    """Two lines of the guide's own file, and nothing else."""
    lines = dict(re.match(r"\s*(\w+)\s*=\s*(.*)", line).groups() for line in block_with("server_args").splitlines())
    lines["server_args"] = lines["server_args"].replace(" cpu 90 ", " cpu 0 ")
    text = re.sub(
        r"( +)server( +)= .*",
        rf"\1server\2= {lines['server']}\n\1server_args     = {lines['server_args']}",
        XINETD,
    )
    assert text.count("\n") == XINETD.count("\n") + 1
    assert node.inside(f"cat >/etc/xinetd.d/haproxy-agent-check <<'END'\n{text}END").returncode == 0
    node.run("systemctl restart xinetd")
    assert lab.wait_until(node.ask, "check answers") == "up 75%\n"
    assert lab.ask_agent("127.0.0.1:9707") == "up 75%\n"


def test_the_script_s_words_are_those_of_the_table():
    row = r"^\| `([\w-]+) (\d+)` \| `--([\w-]+) (\d+)` \| `\"(\w+)\": (\d+)`"
    rows = re.findall(row, (lab.ROOT / "docs" / GUIDE).read_text(), re.MULTILINE)
    assert len(rows) == 6
    for word, number, option, option_number, key, key_number in rows:
        assert word == option == key.replace("_", "-")
        assert number == option_number == key_number
    shown = subprocess.run([lab.AGENT, "config", "show"], capture_output=True, text=True).stdout
    for row in rows:
        assert f'"{row[4]}": {row[5]},' in shown, "the default"
