# SPDX-License-Identifier: Apache-2.0
"""Each configuration of packaging/haproxy in the real HAProxy: real agents and servers of WebSockets behind it."""

import re
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, closing

import lab
import pytest
from balancer import (  # noqa: F401
    HTTPS,
    NODES,
    WebSocket,
    nodes_of,
    session,
    site,
    uncommented,
    values,
    with_dead_agents_out,
)

EXAMPLES = {path.stem: path for path in sorted(lab.HAPROXY_EXAMPLES.glob("*.cfg"))}
each_example = pytest.mark.parametrize("example", EXAMPLES)


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
    common = {
        tuple(
            re.sub(r" cookie node\d$", "", line)
            for line in path.read_text().splitlines()
            if re.match(r"    (#     |default-server |server |option )", line)
        )
        for path in EXAMPLES.values()
    }
    assert len(common) == 1


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


def test_ipv6_beside_ipv4(site):
    one = site()
    one.environment["HTTPS_ADDRESS"] = ":443,:::443"
    one.start_haproxy()
    one.wait_for("node1", status="^UP$")
    for address in (HTTPS, "[::1]:443"):
        with closing(WebSocket(one.authority, address=address)) as client:
            (request,) = one.servers[client.node].requests[-1:]
            assert values(request[1], "x-client-ip") == [client.own_address]


def test_what_is_no_websocket_goes_to_the_web_server(site):
    one = site()
    one.start_haproxy()
    status, headers, text, own_address = one.get("/examples/", **{"X-Client-IP": "203.0.113.1:1"})
    assert (status, text) == (200, "web")
    assert "Set-Cookie" not in headers
    (request,) = one.servers["web"].requests
    assert values(request[1], "x-client-ip") == [own_address]
    assert values(request[1], "x-forwarded-for") == ["127.0.0.1"]


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


def test_http_2_is_not_taken_unasked_either(site):
    one = site()
    one.start_haproxy()
    context = ssl.create_default_context(cafile=one.authority)
    with context.wrap_socket(lab.connect(HTTPS), server_hostname="localhost") as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")


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


def test_several_balancers_come_to_the_same_weights(site, start, tmp_path):
    one = site("random")
    one.start_agents(node1=75, node2=20)
    addresses = {
        "HTTP_ADDRESS": "127.0.0.2:80",
        "HTTPS_ADDRESS": "127.0.0.2:443",
        "STATISTICS_ADDRESS": "127.0.0.2:8404",
    }
    one.environment |= {"HTTP_ADDRESS": "127.0.0.1:80", "HTTPS_ADDRESS": HTTPS}
    first = one.start_haproxy()
    second = start(lab.Haproxy, "second", one.configuration, tmp_path / "second.sock", one.environment | addresses)
    for haproxy in (first, second):
        one.haproxy = haproxy
        one.wait_for("node1", weight="^25$")
        one.wait_for("node2", weight="^80$")
    first.command("set server wcs_nodes/node1 state drain")
    assert second.servers()["node1"]["status"] == "UP"


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


def test_haproxy_ends_with_who_started_it(tmp_path):
    """Although it becomes another user."""
    maker = (
        f"import sys, time; sys.path.insert(0, {str(lab.ROOT / 'tools/lib')!r}); import lab\n"
        f"lab.Haproxy({str(tmp_path / 'log')!r}, lab.HAPROXY_EXAMPLE, {str(tmp_path / 'sock')!r})\n"
        "print('it runs', flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", maker], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "it runs\n"
        lab.connect(HTTPS).close()
        process.kill()

    def has_ended():
        try:
            lab.connect(HTTPS).close()
        except ConnectionRefusedError:
            return True

    lab.wait_until(has_ended, "HAProxy ends")
