# SPDX-License-Identifier: Apache-2.0
"""Each configuration of packaging/haproxy in the real HAProxy: real agents and servers of WebSockets behind it."""

import collections
import re
import signal
import ssl
import subprocess
import time
from contextlib import ExitStack, closing

import lab
import pytest
from balancer import HTTPS, NODES, Site, uncommented, values, with_dead_agents_out

EXAMPLES = {path.stem: path for path in sorted(lab.HAPROXY_EXAMPLES.glob("*.cfg"))}
each_example = pytest.mark.parametrize("example", EXAMPLES)


@pytest.fixture
def site(start, tmp_path):
    """site(example="haproxy", ...) -> a Site with its servers, HAProxy still to be started."""
    with ExitStack() as sites:

        def start_site(example="haproxy", tls=None, **options):
            one = sites.enter_context(closing(Site(start, tmp_path, EXAMPLES[example], **options)))
            one.start_servers(**({"tls": tls} if tls else {}))
            return one

        yield start_site


def session(stack, site, *headers):
    return stack.enter_context(closing(site.open(*headers)))


def nodes_of(sessions):
    return collections.Counter(one.node for one in sessions)


def sections(text):
    """(the header comment, {the first line of a section: its text})."""
    header, rest = text.split("\nglobal\n", 1)
    parts = re.split(r"(?m)^(?=(?:defaults|frontend|backend)\b)", "global\n" + rest)
    return header, {part.split("\n", 1)[0]: part for part in parts}


def test_the_files_differ_in_their_backend_alone():
    _, first = sections(EXAMPLES["haproxy"].read_text())
    assert len(first) == 8
    for path in EXAMPLES.values():
        header, own = sections(path.read_text())
        assert all(line.startswith("#") for line in header.splitlines())
        assert own.keys() == first.keys()
        assert [name for name in own if own[name] != first[name]] in ([], ["backend wcs_nodes"])
    # In that section too: what checks the nodes, and which nodes.
    common = [
        [line.removesuffix(f" cookie {line.split()[1]}") for line in path.read_text().splitlines() if
         re.match(r"    (#     |default-server |server |option )", line)]
        for path in EXAMPLES.values()
    ]
    assert all(lines == common[0] for lines in common)


@each_example
def test_sessions_go_where_the_agents_have_room(site, example):
    one = site(example)
    one.start_agents(node1=20, node2=80)
    one.start_haproxy()
    one.wait_for("node1", weight="^80$", status="^UP$")
    one.wait_for("node2", weight="^20$", status="^UP$")
    with ExitStack() as stack:
        opened = [session(stack, one) for _ in range(60)]
        assert all(each.status == 101 and each.echo() for each in opened)
        shares = nodes_of(opened)
        # 48 and 12; random(2) takes the emptier of two, not the next one.
        assert 42 <= shares["node1"] <= 54 and shares["node1"] + shares["node2"] == 60
    # A limit: no new session on that node.
    one.simulators["node1"].set(streams_webrtc_out=120)
    assert "subscribers 120 of 100" in one.wait_for("node1", status="^DOWN")["last_agt"]
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(10)) == {"node2": 10}


def test_a_node_learns_the_address_and_port_of_the_client_and_nothing_else_in_that_header(site):
    one = site()
    one.start_haproxy()
    one.wait_for("node1", status="^UP$")
    forged = [("X-Client-IP", "203.0.113.1:1"), ("x-client-ip", "203.0.113.2:2")]
    for headers in ([], forged):
        with closing(one.open(*headers)) as client:
            assert client.status == 101
            (request,) = one.servers[client.node].requests[-1:]
            assert values(request[1], "x-client-ip") == [client.own_address]


def test_what_is_no_websocket_goes_to_the_web_server(site):
    one = site()
    one.start_haproxy()
    status, headers, text, own_address = one.get("/examples/", **{"X-Client-IP": "203.0.113.1:1"})
    assert (status, text) == (200, "web")
    assert "Set-Cookie" not in headers
    assert values(one.servers["web"].requests[0][1], "x-client-ip") == [own_address]


def test_plain_http_is_redirected_but_for_the_certificate_authority(site):
    one = site()
    one.start_haproxy()
    status, headers, _ = lab.http_get("127.0.0.1:80", "/examples/?a=b")
    assert (status, headers["Location"]) == (301, "https://127.0.0.1/examples/?a=b")
    status, _, text = lab.http_get("127.0.0.1:80", "/.well-known/acme-challenge/token")
    assert (status, text) == (200, "acme")


def test_http_2_is_not_offered(site):
    """Its streams would share one address and port."""
    one = site()
    one.start_haproxy()
    context = ssl.create_default_context(cafile=one.authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(lab.connect(HTTPS), server_hostname="localhost") as client:
        assert client.selected_alpn_protocol() == "http/1.1"
        assert client.version() in ("TLSv1.2", "TLSv1.3")


def test_300_sessions_at_once_are_held(site):
    one = site()
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, status="^UP$")
    with ExitStack() as stack:
        opened = []
        for _ in range(300):
            opened.append(session(stack, one))
            assert opened[-1].status == 101, len(opened)
        assert min(nodes_of(opened)[name] for name in NODES) > 100  # a maxconn of 100 would not let them through
        assert all(each.echo() for each in opened)
        held = sum(int(row["scur"]) for name, row in one.haproxy.servers().items() if name in NODES)
        assert held == 300
    assert re.search(r"(?m)^Maxconn: 8000$", one.haproxy.command("show info"))


def test_a_sticky_client_stays_until_its_node_is_down(site):
    one = site("sticky")
    one.start_agents("--when-stale=drain", "--stale-after=1s", node1=20, node2=20)
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, weight="^80$")
    with ExitStack() as stack:
        opened = [session(stack, one) for _ in range(4)]
        cookies = {each.node: each.cookie for each in opened}
        assert cookies == {name: ("Cookie", f"WCS_NODE={name}") for name in NODES}
        assert {"HttpOnly", "Secure"} <= set(values(opened[0].headers, "set-cookie")[0].split("; "))
    one.simulators["node1"].set(hang=1)
    one.wait_for("node1", weight="^0$")
    with ExitStack() as stack:
        again = [session(stack, one, cookies["node1"]) for _ in range(5)]
        assert nodes_of(again) == {"node1": 5}
        assert [each.cookie for each in again] == [None] * 5  # as it was
        assert nodes_of(session(stack, one) for _ in range(5)) == {"node2": 5}
    one.simulators["node1"].set(hang=0, streams_webrtc_out=120)
    one.wait_for("node1", status="^DOWN")
    with closing(one.open(cookies["node1"])) as moved:
        assert (moved.node, moved.cookie) == ("node2", cookies["node2"])


def test_fewest_connections_fill_the_emptier_node(site):
    one = site("leastconn")
    one.start_agents(node1=20, node2=120)
    one.start_haproxy()
    one.wait_for("node2", status="^DOWN")
    one.wait_for("node1", weight="^80$")
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(10)) == {"node1": 10}
        one.simulators["node2"].set(streams_webrtc_out=20)
        one.wait_for("node2", status="^UP$", weight="^80$")
        assert nodes_of(session(stack, one) for _ in range(8)) == {"node2": 8}
        assert nodes_of(session(stack, one) for _ in range(10)) == {"node1": 4, "node2": 6}


@each_example
def test_after_a_down_the_weight_rises_slowly_and_only_then(site, example):
    one = site(example, slowstart="60s")
    one.start_agents(node1=20)
    one.start_haproxy()
    one.wait_for("node1", weight="^80$", status="^UP$")
    one.simulators["node1"].set(streams_webrtc_out=40)  # a change of weight
    one.wait_for("node1", weight="^60$")
    one.simulators["node1"].set(streams_webrtc_out=120)
    one.wait_for("node1", status="^DOWN")
    one.simulators["node1"].set(streams_webrtc_out=20)
    began = time.monotonic()
    row = one.wait_for("node1", status="^UP")
    if time.monotonic() - began < 10:
        assert 0 < int(row["weight"]) < 20


@pytest.mark.parametrize("reason", ["its agent says down", "its port is closed"])
def test_a_node_that_goes_down_keeps_its_sessions(site, reason):
    one = site()
    one.start_agents(node1=20)
    one.start_haproxy()
    one.wait_for("node1", weight="^80$", status="^UP$")
    one.wait_for("node2", status="^UP$")
    with ExitStack() as stack:
        opened = {each.node: each for each in (session(stack, one) for _ in range(4))}
        if reason == "its port is closed":
            one.servers["node1"].close()
        else:
            one.simulators["node1"].set(streams_webrtc_out=120)
        one.wait_for("node1", status="^DOWN")
        assert opened["node1"].echo() and opened["node2"].echo()
        assert nodes_of(session(stack, one) for _ in range(4)) == {"node2": 4}
        assert opened["node1"].echo()


def test_without_a_node_clients_are_told(site):
    one = site()
    one.start_agents(node1=120, node2=120)
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, status="^DOWN")
    with closing(one.open()) as client:
        assert client.status == 503
    assert one.get("/")[0] == 200


def save_state(site):
    """As save-state.conf does it."""
    lines = (lab.HAPROXY_EXAMPLES / "save-state.conf").read_text().splitlines()
    commands = {line.partition("=-")[2] for line in lines if "show servers state" in line}
    (command,) = commands  # the same for a reload and a restart
    command = command.replace("/run/haproxy/admin.sock", str(site.folder / "haproxy.sock"))
    command = command.replace("/var/lib/haproxy/state", str(site.state_file))
    subprocess.run(command, shell=True, check=True)


def state_of(site):
    rows = site.haproxy.servers()
    return {name: (rows[name]["weight"], rows[name]["status"].split()[0]) for name in NODES}


def restart_without_agents(site, save=True, health_checks=True):
    """HAProxy anew, after which no agent says a word."""
    if save:
        save_state(site)
    for agent in site.agents.values():
        agent.close()
    site.haproxy.close()
    if not health_checks:
        text = site.configuration.read_text()
        site.configuration.write_text(text.replace(" inter 200ms", " inter 10m"))  # the first after 5 minutes
    site.start_haproxy()


@pytest.mark.parametrize("saved", [True, False])
def test_a_restart_keeps_weights_and_states_if_they_were_saved(site, saved):
    one = site()
    one.start_agents(node1=75, node2=120)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    one.wait_for("node2", status="^DOWN")
    one.haproxy.command("set server wcs_nodes/node1 state drain")
    restart_without_agents(one, save=saved, health_checks=False)
    kept = {"node1": ("25", "DRAIN"), "node2": ("100", "DOWN")}
    anew = {"node1": ("100", "UP"), "node2": ("100", "UP")}
    ends = time.monotonic() + 1  # several checks of agents
    seen = lab.watch(lambda: state_of(one), lambda _: time.monotonic() > ends, "a second")
    assert [state for state in seen if state != (kept if saved else anew)] == []


def test_a_down_of_the_agent_is_kept_until_the_first_health_check(site):
    """HAProxy saves that a server is down, not that its agent said so."""
    one = site()
    one.start_agents(node2=120)
    one.start_haproxy()
    one.wait_for("node2", status="^DOWN")
    restart_without_agents(one)
    one.wait_for("node2", status="^UP$")


def test_a_reload_keeps_weights_and_sessions(site):
    one = site()
    one.start_agents(node1=75)
    haproxy = one.start_haproxy(mode="-W")
    one.wait_for("node1", weight="^25$")
    worker = haproxy.command("show info")
    with closing(one.open()) as held:
        assert held.echo()
        save_state(one)
        one.agents["node1"].close()
        haproxy.signal(signal.SIGUSR2)
        seen = lab.watch(
            lambda: (haproxy.command("show info"), state_of(one)), lambda both: both[0] != worker, "a new worker"
        )
        assert {state["node1"][0] for _, state in seen} == {"25"}
        assert held.echo()
        with closing(one.open()) as client:
            assert client.status == 101


def test_a_dead_agent_leaves_its_node_up_at_its_last_weight(site):
    one = site()
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$")
    one.agents["node1"].signal(signal.SIGKILL)
    one.wait_for("node1", agent_status="L4CON")
    time.sleep(1)
    one.wait_for("node1", weight="^25$", status="^UP$")


def test_with_the_block_a_dead_agent_takes_its_node_out(site):
    one = site(change=with_dead_agents_out)
    one.start_agents(node1=75, node2=20)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$", status="^UP$")
    one.wait_for("node2", weight="^80$", status="^UP$")
    one.agents["node1"].signal(signal.SIGKILL)
    row = one.wait_for("node1", status="^DOWN")
    assert "step 2 of tcp-check (connect port 9708)" in row["last_chk"]
    with ExitStack() as stack:
        assert nodes_of(session(stack, one) for _ in range(4)) == {"node2": 4}
    one.start_agent("node1")
    one.wait_for("node1", weight="^25$", status="^UP$")
    # WCS's own port is in it too.
    one.servers["node1"].close()
    row = one.wait_for("node1", status="^DOWN")
    assert "step 1 of tcp-check (connect)" in row["last_chk"]


def test_with_the_block_a_restart_of_the_agent_takes_nothing_out(site):
    one = site(change=with_dead_agents_out, inter="2s")
    one.start_agents(node1=75)
    one.start_haproxy()
    one.wait_for("node1", weight="^25$", status="^UP$")
    one.agents["node1"].close()
    one.wait_for("node1", check_status="L4CON")
    agent = one.start_agent("node1")
    agent.wait_until_listening()
    seen = lab.watch(
        lambda: one.haproxy.servers()["node1"], lambda row: row["check_status"] == "L7OK", "a check that passes"
    )
    assert {row["status"].split()[0] for row in seen} == {"UP"}


def test_with_the_block_the_death_of_every_agent_stops_the_service(site):
    """Why it is not on by default."""
    one = site(change=with_dead_agents_out)
    one.start_agents(node1=20, node2=20)
    one.start_haproxy()
    for name in NODES:
        one.wait_for(name, weight="^80$", status="^UP$")
    for agent in one.agents.values():
        agent.signal(signal.SIGKILL)
    for name in NODES:
        one.wait_for(name, status="^DOWN")
    with closing(one.open()) as client:
        assert client.status == 503


@pytest.mark.parametrize("with_block", [False, True])
def test_tls_to_the_nodes_and_in_their_health_checks(site, tmp_path, with_block):
    folder = tmp_path / "nodes"
    folder.mkdir(mode=0o755)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.certificate(folder, "node1.example.org"))

    def change(text):
        text = with_dead_agents_out(text) if with_block else text
        plain = '    server node1 "${NODE1}:8080"\n'
        assert plain in text
        variant = 'server node1 "${NODE1}:8443"'
        return uncommented(text.replace(plain, ""), variant, variant).replace("nodes.pem", str(folder / "ca.pem"))

    one = site(change=change, tls=context)
    one.start_agents(node1=20)
    one.start_haproxy()
    row = one.wait_for("node1", status="^UP$", weight="^80$", check_status="^(L6OK|L7OK)$")
    assert row["check_status"] == ("L7OK" if with_block else "L6OK")
    with closing(one.open()) as client:
        assert (client.node, client.echo()) == ("node1", True)


def test_prometheus_reads_haproxy_where_the_line_is_commented_in(site):
    line = "http-request use-service prometheus-exporter"
    one = site(change=lambda text: uncommented(text, line, line))
    one.start_haproxy()
    status, _, page = lab.http_get("127.0.0.1:8404", "/metrics")
    assert status == 200 and 'haproxy_server_weight{proxy="wcs_nodes",server="node1"}' in page
    assert lab.http_get("127.0.0.1:8404", "/")[0] == 200
