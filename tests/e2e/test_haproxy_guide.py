# SPDX-License-Identifier: Apache-2.0
"""docs/haproxy.md, command by command: a balancer made by it, with Debian's own unit under a real systemd."""

import json
import re
from contextlib import ExitStack, closing

import lab
import pytest
from balancer import RecordingServer, WebSocket
from documents import blocks, commands
from service_manager import Systemd, boot_script

GUIDE = "haproxy.md"
BALANCER, NODES = "192.0.2.10", {"node1": "192.0.2.11", "node2": "192.0.2.12"}
NAME = "lb.example.org"
COPY = "/tmp/copy"
PAGE = "examples/demo/streaming/two_way_streaming/two_way_streaming.html"

NOT_RUN = {
    # Of the node, not of the balancer.
    "wcs-node-agent drain": "test_operator.py",
    "wcs-node-agent drain --wait --until-sessions 0 --deadline 30m": "test_operator.py",
    "wcs-node-agent maint": "test_operator.py",
    "wcs-node-agent ready": "test_operator.py",
    "apt-get install haproxy socat": "the machine's own packages",
    "apt-get install nginx npm": "the machine's own packages",
    "apt-get install certbot": "the machine's own packages",
    "npm pack @flashphoner/websdk": "an archive of one page in its place",
    f"certbot certonly --standalone --http-01-port 8888 -d {NAME} --deploy-hook /etc/haproxy/deploy-bundle": "no authority",
}

# The unit of HAProxy binds /dev/log, which is not there.
BOOT = boot_script(
    overlays=("etc", "usr/share"),
    folders=("/var/lib/haproxy", "/var/log/nginx"),
    setup="""mkdir -p /run/haproxy /run/systemd/system/haproxy.service.d /run/systemd/system/nginx.service.d
printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\nBindReadOnlyPaths=\\nStandardOutput=append:/run/haproxy.log\\n' \\
    >/run/systemd/system/haproxy.service.d/test.conf
printf '[Unit]\\nDefaultDependencies=no\\n' >/run/systemd/system/nginx.service.d/test.conf""",
)


class GuidesBalancer(Systemd):
    """The balancer under a systemd of its own, and the commands of the document that were run there."""

    def __init__(self, log):
        self.done = set()
        super().__init__(log, BOOT, {})

    def run(self, command):
        """As it stands in the document, beside a copy of packaging/; fails if it fails."""
        assert command in commands(GUIDE), command
        self.done.add(command)
        result = self.inside(f"cd {COPY} && {command}")
        log = self.inside("tail -20 /run/haproxy.log").stdout
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}{log}{self.output()}"
        return result.stdout

    def run_all(self, pattern):
        """Every command that matches, in the document's order."""
        for command in commands(GUIDE):
            if re.search(pattern, command) and command not in NOT_RUN:
                self.run(command)

    def servers(self):
        """{name: the printed columns behind it} of "Does it work"."""
        lines = self.run(next(one for one in commands(GUIDE) if "f2,5,18," in one)).splitlines()
        return {line.split(",")[0]: line.split(",")[1:] for line in lines if line.startswith("node")}

    def set_state(self, state):
        self.run(f'echo "set server wcs_nodes/node1 state {state}" | socat stdio /run/haproxy/admin.sock')

    def wait_for(self, holds, what):
        last = []

        def fits():
            last[:] = [self.servers()]
            return holds(last[0])

        try:
            lab.wait_until(fits, what, timeout=30, every=0.3)
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last[0]}") from None


@pytest.fixture
def nodes(start):
    """The document's addresses, its two nodes with 25 and 60 subscribers."""
    addresses = [f"{address}/32" for address in (BALANCER, *NODES.values())]
    with ExitStack() as running:
        for address in addresses:
            lab.ip("address", "add", address, "dev", "lo")
            running.callback(lab.ip, "address", "del", address, "dev", "lo")
        agents = {}
        for (name, address), subscribers in zip(NODES.items(), (25, 60)):
            running.enter_context(closing(RecordingServer(name, f"{address}:8080")))
            simulator = start(lab.Simulator, f"{name}-wcs")
            simulator.set(streams_webrtc_out=subscribers)
            agents[name] = start(
                lab.Agent,
                f"{name}-agent",
                *(f"--wcs-url={simulator.url}", "--cpu=off", "--allow=192.0.2.0/24", "--metrics-allow=192.0.2.0/24"),
                listen=f"{address}:9707",
                metrics=f"{address}:9708",
            )
        yield agents


@pytest.fixture
def balancer(start, nodes):
    one = start(GuidesBalancer, "systemd")
    lab.wait_until(lambda: one.inside("systemctl is-active test.target").stdout == "active\n", "systemd", 30)
    assert one.inside(f"mkdir {COPY} && cp -r '{lab.ROOT}/packaging' {COPY}/").returncode == 0
    yield one
    one.inside("systemctl stop haproxy nginx")


def block_with(text):
    return next(block for block in blocks(GUIDE) if text in block)


def test_the_document_leads_to_a_balancer_that_works(balancer, nodes, tmp_path):
    write = f"mkdir -p /tmp/package/{PAGE.rpartition('/')[0]} && echo a page > /tmp/package/{PAGE}"
    archive = f"tar czf {COPY}/flashphoner-websdk-2.0.276.tgz -C /tmp package"
    assert balancer.inside(f"{write} && {archive}").returncode == 0
    balancer.run_all(r"^(mkdir|openssl req|install|cat /etc|cp|echo 1|systemctl daemon-reload|tar|rm|nginx)")
    assert balancer.inside("sed -i 's/slowstart 30s/slowstart 1s/' /etc/haproxy/haproxy.cfg").returncode == 0
    balancer.run_all(r"^(haproxy -c|systemctl restart)")
    assert balancer.inside(f"curl -sSkL https://{BALANCER}/").stdout == "a page\n"
    assert re.fullmatch(r"up 75% maxconn:\d+\n", balancer.run("socat -u TCP:192.0.2.11:9707 -"))
    assert balancer.run("curl -s http://192.0.2.11:9708/healthz") == "ok\n"
    both = {"node1": "75", "node2": "40"}
    balancer.wait_for(lambda rows: {name: row[2] for name, row in rows.items()} == both, "the agents' weights")
    rows = balancer.servers()
    for name, weight in both.items():
        assert rows[name] == ["0", "UP", weight, "L4OK", "", "via agent : up", "L7OK"]

    authority = tmp_path / "trial.pem"
    authority.write_text(balancer.inside("cat /etc/haproxy/trial/fullchain.pem").stdout)
    assert f"CN = {NAME}" in balancer.run("openssl x509 -noout -subject -enddate -in /etc/haproxy/site.pem")
    (client,) = [command for command in commands(GUIDE) if "s_client" in command]
    first_certificate = re.search(r"-----BEGIN.*?END", balancer.run(client), re.DOTALL)[0]

    def opened():
        return WebSocket(authority, address=f"{BALANCER}:443", host=NAME)

    with ExitStack() as stack:
        held = {one.node: one for one in (stack.enter_context(closing(opened())) for _ in range(4))}
        assert set(held) == set(NODES)

        # A renewal: another certificate from the next connection on, weights and sessions as they were.
        hook = block_with("RENEWED_LINEAGE")
        renewed = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=new -keyout /tmp/privkey.pem -out /tmp/fullchain.pem"
        assert balancer.inside(renewed).returncode == 0
        write = f"cat > /etc/haproxy/deploy-bundle <<'END'\n{hook}\nEND\nchmod 755 /etc/haproxy/deploy-bundle"
        assert balancer.inside(write).returncode == 0
        result = balancer.inside("RENEWED_LINEAGE=/tmp /etc/haproxy/deploy-bundle")
        assert result.returncode == 0, result.stderr + balancer.output()
        balancer.done |= set(hook.splitlines()) & set(commands(GUIDE))
        lab.wait_until(lambda: first_certificate not in balancer.run(client), "the new certificate")
        assert balancer.inside("stat -c %a /etc/haproxy/site.pem").stdout == "600\n"
        assert {name: row[2] for name, row in balancer.servers().items()} == both
        assert all(one.echo() for one in held.values())
        authority.write_text(balancer.inside("cat /tmp/fullchain.pem").stdout)

    # A bundle that HAProxy does not take: the reload fails, and the old process goes on.
    assert balancer.inside("cp /etc/haproxy/site.pem /tmp/site.pem; : > /etc/haproxy/site.pem").returncode == 0
    assert balancer.inside("systemctl reload haproxy").returncode != 0
    assert balancer.servers()["node1"][1:3] == ["UP", "75"]
    assert balancer.inside("cp /tmp/site.pem /etc/haproxy/site.pem").returncode == 0

    take_a_node_out(balancer)

    # What an operator has set outlives a restart, and the weights too, though no agent says a word.
    balancer.set_state("drain")
    for agent in nodes.values():
        agent.close()
    assert balancer.inside("systemctl restart haproxy").returncode == 0
    rows = balancer.servers()
    assert (rows["node1"][1], rows["node2"][1:3]) == ("DRAIN (agent)", ["UP", "40"])

    assert balancer.done | set(NOT_RUN) == set(commands(GUIDE))


def take_a_node_out(balancer):
    balancer.set_state("drain")
    balancer.wait_for(lambda rows: rows["node1"][1] == "DRAIN (agent)", "a drain")
    left = balancer.run(next(one for one in commands(GUIDE) if one.endswith("-f2,5")))
    assert "node1,0\n" in left
    balancer.set_state("maint")
    balancer.run_all("shutdown sessions")
    balancer.wait_for(lambda rows: rows["node1"][1] == "MAINT", "maintenance")
    balancer.set_state("ready")
    balancer.wait_for(lambda rows: rows["node1"][1:3] == ["UP", "75"], "node1 is back")


def test_the_configurations_of_the_document_are_taken(tmp_path):
    agents = tmp_path / "config.json"
    agents.write_text(block_with('"allow"'))
    assert json.loads(agents.read_text())["allow"] == ["192.0.2.10", "127.0.0.1", "::1"]
    lab.run(lab.AGENT, "config", "check", str(agents))


def test_the_alert_of_the_document_fires_where_nobody_asks(tmp_path):
    rule = "".join(f"  {line}\n" for line in block_with("alert:").splitlines())
    (tmp_path / "rules.yml").write_text(f"groups:\n- name: wcs\n  rules:\n{rule}")
    lab.run("promtool", "check", "rules", "--lint-fatal", str(tmp_path / "rules.yml"))
    counts = {("asked", "up"): "0+10x20", ("asked", "down"): "0x20", ("silent", "up"): "7x20", ("silent", "down"): "0x20"}
    unit_test = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": f'wcs_node_agent_checks_total{{instance="{instance}",reply="{reply}"}}', "values": values}
                    for (instance, reply), values in counts.items()
                ],
                "alert_rule_test": [
                    {
                        "eval_time": "15m",
                        "alertname": "WcsNodeAgentNotAsked",
                        "exp_alerts": [{"exp_labels": {"instance": "silent"}}],
                    }
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps(unit_test))
    lab.run("promtool", "test", "rules", str(tmp_path / "test.yml"))
