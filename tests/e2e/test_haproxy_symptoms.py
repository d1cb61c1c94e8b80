# SPDX-License-Identifier: Apache-2.0
"""Each row of docs/haproxy.md, "From symptom to cause", made to happen in front of the real HAProxy."""

import re
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import lab
import pytest
from balancer import HTTPS, NODES, Site, with_dead_agents_out

DOCUMENT = (lab.ROOT / "docs/haproxy.md").read_text()
NODE = NODES["node1"]
DEFAULT = "default-server weight 100 check"


class TcpServer:
    """One that says the same to everybody; with `reads` after it was asked something."""

    def __init__(self, address, says, reads=False):
        self._says, self._reads, self._open = says, reads, True
        self._listener = socket.create_server(lab.split_address(address))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self._open:
            try:
                client, _ = self._listener.accept()
                if self._reads:
                    client.recv(1000)
                client.sendall(self._says)
                client.close()
            except OSError:
                pass

    def close(self):
        self._open = False
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def filtered(peer):
    """An address that takes packets and never answers, as behind a firewall that drops."""
    peer.ip("route", "add", "blackhole", "10.98.0.1/32")
    yield "10.98.0.2"
    peer.ip("route", "del", "blackhole", "10.98.0.1/32")


@pytest.fixture
def begin(start, tmp_path):
    """begin(change, agent options..., subscribers=25) -> the Site; agent=None without one."""
    with ExitStack() as running:

        def begin_site(*options, change=lambda text: text, agent=True, subscribers=25, server=None, **times):
            site = running.enter_context(closing(Site(start, tmp_path, change=change, **times)))
            site.start_servers()
            if agent:
                site.start_agents(*options, node1=subscribers)
            if server:
                running.enter_context(closing(server()))
            site.start_haproxy()
            return site

        yield begin_site


def replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)

    return change


def agent_is_gone(begin, filtered):
    return begin(agent=False)


def agent_port_is_filtered(begin, filtered):
    return begin(agent=False, change=replaced(DEFAULT, f"{DEFAULT} agent-addr {filtered}"))


def balancer_is_not_allowed(begin, filtered):
    site = begin()
    site.agents["node1"].close()
    agent = site.start_agent("node1", "--allow=192.0.2.10")
    agent.wait_for_line(r"warning: agent_listen: 127\.0\.0\.1 asked and is not in allow: closed without an answer")
    assert agent.metrics()["wcs_node_agent_rejected_connections_total"] > 0
    return site


def agent_is_stopped(begin, filtered):
    site = begin()
    site.wait_for("node1", weight="^75$")
    site.agents["node1"].signal(signal.SIGSTOP)
    return site


def metrics_port_is_asked(begin, filtered):
    return begin(change=replaced("agent-port 9707", "agent-port 9708"))


def another_program_answers(begin, filtered):
    return begin(agent=False, server=lambda: TcpServer(f"{NODE}:9707", b"HTTP/1.1 400 Bad Request\r\n\r\n"))


def no_line_end(begin, filtered):
    return begin(agent=False, server=lambda: TcpServer(f"{NODE}:9707", b"up 75%"))


def over_a_limit(begin, filtered):
    return begin(subscribers=120)


def wcs_is_silent(begin, filtered):
    site = begin("--stale-after=1s", "--wcs-timeout=300ms")
    site.wait_for("node1", weight="^75$")
    site.simulators["node1"].set(hang=1)
    return site


def wcs_is_silent_and_drains(begin, filtered):
    site = begin("--stale-after=1s", "--wcs-timeout=300ms", "--when-stale=drain")
    site.simulators["node1"].set(hang=1)
    return site


def default_weight(begin, filtered):
    return begin(change=replaced("weight 100 check", "check"))


def static_algorithm(begin, filtered):
    return begin(change=replaced("balance roundrobin", "balance static-rr"))


def no_agent_check(begin, filtered):
    return begin(change=replaced("agent-check ", ""))


def page_is_unreadable(begin, filtered):
    site = begin("--stale-after=1s")
    site.simulators["node1"].set(garbage=1)
    return site


def wcs_port_is_closed(begin, filtered):
    site = begin()
    site.servers["node1"].close()
    return site


def node_is_filtered(begin, filtered):
    return begin(agent=False, change=replaced("${NODE1}", filtered))


def tls_to_a_plain_port(begin, filtered):
    return begin(change=replaced(DEFAULT, f"{DEFAULT} ssl verify none"))


def block_and_metrics_on_loopback_alone(begin, filtered):
    site = begin(change=with_dead_agents_out)
    site.agents["node1"].close()
    site.start_agent("node1", metrics="127.0.0.1:9708").wait_until_listening()
    return site


def block_and_balancer_not_in_metrics_allow(begin, filtered):
    site = begin(change=with_dead_agents_out)
    site.agents["node1"].close()
    site.start_agent("node1", "--metrics-allow=192.0.2.20")
    return site


def block_and_stale_samples(begin, filtered):
    reply = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    server = lambda: TcpServer(f"{NODE}:9708", reply, reads=True)
    return begin(agent=False, server=server, change=with_dead_agents_out)


def node_is_drained(begin, filtered):
    site = begin()
    site.wait_for("node1", weight="^75$")
    site.agents["node1"].close()
    site.folder_of_the_word = tempfile.TemporaryDirectory(prefix="wna-", dir="/run")  # a socket's path is short
    Path(site.folder_of_the_word.name).chmod(0o755)
    agent = site.start_agent("node1", control=site.folder_of_the_word.name)
    agent.wait_until_listening()
    lab.run(lab.AGENT, "drain", "--control.socket", str(agent.control_socket))
    return site


def operator_drains(begin, filtered):
    site = begin()
    site.wait_for("node1", weight="^75$")
    site.haproxy.command("set server wcs_nodes/node1 state drain")
    return site


def operator_maintains(begin, filtered):
    site = begin()
    site.wait_for("node1", weight="^75$")
    site.haproxy.command("set server wcs_nodes/node1 state maint")
    return site


def maintenance_is_over(begin, filtered):
    site = begin(slowstart="20s")
    site.wait_for("node1", weight="^75$")
    site.haproxy.command("set server wcs_nodes/node1 state maint")
    site.haproxy.command("set server wcs_nodes/node1 state ready")
    return site


UP, DOWN = {"status": "^UP$"}, {"status": "^DOWN"}

# The first cell of the row: what brings it about, the columns of `show stat`.
SYMPTOMS = {
    "agent `L4CON`, `Connection refused`": (
        agent_is_gone, {**UP, "weight": "^100$", "agent_status": "L4CON", "last_agt": "^Connection refused$"}),
    "agent `L4TOUT`": (
        agent_port_is_filtered, {**UP, "weight": "^100$", "agent_status": "L4TOUT"}),
    "agent `L7RSP`, `TCPCHK got an empty response at step 2`": (
        balancer_is_not_allowed,
        {**UP, "agent_status": "L7RSP", "last_agt": "^TCPCHK got an empty response at step 2$"}),
    "agent `L7TOUT`": (agent_is_stopped, {**UP, "weight": "^75$", "agent_status": "L7TOUT"}),
    "agent `L7TOUT` from the start": (
        metrics_port_is_asked, {**UP, "weight": "^100$", "agent_status": "L7TOUT"}),
    "agent `CHECKED`, `agent reports an error : HTTP/1.1`": (
        another_program_answers,
        {**UP, "weight": "^100$", "agent_status": "CHECKED", "last_agt": "^agent reports an error : HTTP/1.1$"}),
    "agent `L7TOUT`, `Ignoring incomplete line from agent`": (
        no_line_end,
        {**UP, "weight": "^100$", "agent_status": "L7TOUT", "last_agt": "^Ignoring incomplete line from agent$"}),
    "agent `L7STS`, `via agent : down (subscribers 120 of 100)`": (
        over_a_limit,
        {**DOWN, "agent_status": "L7STS", "last_agt": r"^via agent : down \(subscribers 120 of 100\)$"}),
    "agent `L7STS`, `via agent : down (wcs: ...)`": (
        wcs_is_silent, {**DOWN, "weight": "^75$", "agent_status": "L7STS", "last_agt": r"^via agent : down \(wcs: .*\)$"}),
    "weight 0, agent `L7OK`, `via agent : up (wcs: ...)`": (
        wcs_is_silent_and_drains,
        {"status": "^(UP|DRAIN)", "weight": "^0$", "agent_status": "L7OK", "last_agt": r"^via agent : up \(wcs: .*\)$"}),
    "weight 0, agent `L7OK`, `via agent : up`": (
        default_weight, {"weight": "^0$", "agent_status": "L7OK", "last_agt": "^via agent : up$"}),
    "weight 100 for ever, agent `L7OK`, `Backend is using a static LB algorithm`": (
        static_algorithm,
        {**UP, "weight": "^100$", "agent_status": "L7OK", "last_agt": "Backend is using a static LB algorithm"}),
    "weight 100 for ever, no agent state at all": (no_agent_check, {**UP, "weight": "^100$", "agent_status": "^$"}),
    "agent `L7OK`, `via agent : up (... unknown: ...)`": (
        page_is_unreadable, {**UP, "weight": "^100$", "agent_status": "L7OK", "last_agt": r"^via agent : up \(.* unknown: "}),
    "`DOWN`, check `L4CON`": (
        wcs_port_is_closed, {"status": "^DOWN$", "check_status": "L4CON", "agent_status": "L7OK"}),
    "`DOWN`, check `L4TOUT`": (
        node_is_filtered, {"status": "^DOWN$", "check_status": "L4TOUT", "agent_status": "L4TOUT"}),
    "`DOWN`, check `L6RSP` or `L6TOUT`": (
        tls_to_a_plain_port, {"status": "^DOWN$", "check_status": "L6RSP|L6TOUT", "agent_status": "L7OK"}),
    "`DOWN`, check `L4CON`, `at step 2 of tcp-check (connect port 9708)`": (
        block_and_metrics_on_loopback_alone,
        {"status": "^DOWN$", "check_status": "L4CON", "agent_status": "L7OK",
         "last_chk": r"at step 2 of tcp-check \(connect port 9708\)$"}),
    "`DOWN`, check `SOCKERR` or `L7RSP`, `at step 4`": (
        block_and_balancer_not_in_metrics_allow,
        {"status": "^DOWN$", "check_status": "SOCKERR|L7RSP", "agent_status": "L7OK", "last_chk": "at step 4"}),
    "`DOWN`, check `L7RSP`, `TCPCHK did not match content (regex) at step 4`": (
        block_and_stale_samples,
        {"status": "^DOWN$", "check_status": "L7RSP", "last_chk": r"^TCPCHK did not match content \(regex\) at step 4$"}),
    "`UP`, agent `L7OK`, weight below the agent's and rising": (
        maintenance_is_over, {**UP, "weight": r"^[1-6]?\d$", "agent_status": "L7OK"}),
    "`DRAIN (agent)`, `via agent : up (by root since ...)`": (
        node_is_drained,
        {"status": r"^DRAIN \(agent\)$", "agent_status": "L7OK", "last_agt": r"^via agent : up \(by root since \S+\)$"}),
    "`DRAIN (agent)` without that": (operator_drains, {"status": r"^DRAIN \(agent\)$", "agent_status": "L7OK"}),
    "`MAINT`": (operator_maintains, {"status": "^MAINT$"}),
}  # fmt: skip


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_symptom(symptom, begin, filtered):
    cause, columns = SYMPTOMS[symptom]
    site = cause(begin, filtered)
    site.wait_for("node1", **columns)


def table_under(title):
    """The first cells of the rows of the table below that heading."""
    part = DOCUMENT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    return [row.strip("| ").split(" | ")[0] for row in rows[2:]]


def test_every_symptom_of_the_document_is_one_of_these():
    assert table_under("From symptom to cause") == list(SYMPTOMS)


# The bundle


def certificate_that_expired(folder):
    """expired.pem: the leaf of 2020, from the same issuer."""
    settings = folder / "ca.cnf"
    settings.write_text(
        f"[ca]\ndefault_ca=one\n[one]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    lab.run("openssl", "req", "-new", "-key", f"{folder}/leaf.key", "-subj", "/CN=localhost", "-out", f"{folder}/leaf.csr")
    lab.run(
        *("openssl", "ca", "-batch", "-notext", "-config", str(settings), "-in", f"{folder}/leaf.csr"),
        *("-cert", f"{folder}/intermediate.pem", "-keyfile", f"{folder}/intermediate.key"),
        *("-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-out", f"{folder}/expired.pem"),
    )


def haproxy_says(folder, parts):
    """What `haproxy -c` says of a bundle of these parts (None: no file), its path as in the document; None if it takes it."""
    bundle = folder / "trial.pem"
    if parts is not None:
        bundle.write_text("".join((folder / part).read_text() for part in parts))
    (folder / "state").write_text("1\n")
    result = subprocess.run(
        ["/usr/sbin/haproxy", "-c", "-f", lab.HAPROXY_EXAMPLE],
        capture_output=True,
        text=True,
        env={"SITE_PEM": str(bundle), "STATE_FILE": str(folder / "state")},
    )
    message = re.search(r"in section 'frontend' : (.*)\n", result.stderr)
    assert (result.returncode == 0) == (message is None), result.stderr
    return message and message[1].replace(str(bundle), "/etc/haproxy/site.pem")


BUNDLES = {
    "there is none": (None, "unable to stat SSL certificate from file '/etc/haproxy/site.pem' : No such file or directory."),
    "the key is missing": (("leaf.pem", "intermediate.pem"), "No Private Key found in '/etc/haproxy/site.pem.key'."),
    "the intermediate certificate comes first": (
        ("intermediate.pem", "leaf.pem", "leaf.key"),
        "inconsistencies between private key and certificate loaded '/etc/haproxy/site.pem'.",
    ),
    "the key is another certificate's": (
        ("leaf.pem", "intermediate.pem", "ca.key"),
        "inconsistencies between private key and certificate loaded '/etc/haproxy/site.pem'.",
    ),
    "the file is empty, or has a key alone": (("leaf.key",), "unable to load certificate from file '/etc/haproxy/site.pem'."),
    "the key comes first, or in the middle": (("leaf.key", "leaf.pem", "intermediate.pem"), None),
    "the intermediate certificate is missing": (("leaf.pem", "leaf.key"), None),
    "the certificate has expired": (("expired.pem", "intermediate.pem", "leaf.key"), None),
}  # fmt: skip


@pytest.mark.parametrize("what", BUNDLES)
def test_what_haproxy_says_of_a_bundle(what, tmp_path):
    parts, message = BUNDLES[what]
    lab.certificate(tmp_path, "localhost")
    certificate_that_expired(tmp_path)
    assert haproxy_says(tmp_path, parts) == message
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| {what} |")]
    assert f"| `{message}` |" in row if message else "| nothing |" in row


def test_the_key_may_be_in_a_file_of_its_own(tmp_path):
    lab.certificate(tmp_path, "localhost")
    (tmp_path / "trial.pem.key").write_text((tmp_path / "leaf.key").read_text())
    assert haproxy_says(tmp_path, ("leaf.pem", "intermediate.pem")) is None


@pytest.mark.parametrize(
    "what, error",
    [
        ("the intermediate certificate is missing", "unable to get local issuer certificate"),
        ("the certificate has expired", "certificate has expired"),
    ],
)
def test_what_clients_say_of_a_bundle_that_haproxy_takes(what, error, start, tmp_path):
    with closing(Site(start, tmp_path)) as site:
        certificate_that_expired(tmp_path)
        bundle = tmp_path / "site.pem"
        bundle.write_text("".join((tmp_path / part).read_text() for part in BUNDLES[what][0]))
        site.start_haproxy()
        result = subprocess.run(
            ["openssl", "s_client", "-connect", HTTPS, "-servername", "localhost", "-CAfile", site.authority],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert error in result.stdout + result.stderr
        (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| {what} |")]
        assert f"`{error}`" in row
