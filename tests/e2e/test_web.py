# SPDX-License-Identifier: Apache-2.0
"""TLS and passwords of the metrics port, by a web file as Prometheus' own exporters read it."""

import base64
import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import lab
import pytest
from certificates import Authority

PASSWORD = "correct horse"


def bcrypt(password, cost=5):
    line = lab.run("/usr/bin/htpasswd", "-nbBC", str(cost), "user", password)
    return line.strip().split(":", 1)[1]


def write(folder, **web):
    file = folder / "web.yml"
    file.write_text(json.dumps(web))  # JSON is YAML
    return file


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def computes_passwords(agent):
    """Whether it has the thread for that."""
    names = (task.joinpath("comm").read_text() for task in Path(f"/proc/{agent.pid}/task").iterdir())
    return "wcs-passwords\n" in names


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


@pytest.fixture
def curl(authority):
    """curl(agent, path, *options) -> (exit status, HTTP status, text)."""

    def ask(agent, path, *options):
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "15", "-w", "\n%{http_code}", *options]
            + ["--cacert", str(authority.certificate), f"https://{agent.metrics_address}{path}"],
            capture_output=True,
            text=True,
        )
        text, _, code = done.stdout.rpartition("\n")
        return done.returncode, int(code), text or done.stderr

    return ask


@pytest.fixture
def server_tls(authority):
    authority.issue("server")
    return {"cert_file": "server.pem", "key_file": "server.key"}


def test_tls_and_a_password(start_agent, tmp_path, server_tls, curl):
    web = write(
        tmp_path,
        tls_server_config=server_tls,
        http_server_config={"headers": {"X-Frame-Options": "deny"}},
        basic_auth_users={"prometheus": bcrypt(PASSWORD)},
    )
    agent = start_agent(f"--web.config.file={web}")
    agent.wait_for_reply("^up ")  # until then the page has no weight
    known = ("-u", f"prometheus:{PASSWORD}")
    lab.wait_until(lambda: curl(agent, "/healthz", *known)[1] == 200, "a sample")
    status, code, page = curl(agent, "/metrics", "-i", *known)
    assert (status, code) == (0, 200) and "wcs_node_weight_ratio" in page
    assert "X-Frame-Options: deny" in page
    for wrong in ((), ("-u", "prometheus:wrong"), ("-u", f"nobody:{PASSWORD}")):
        for path in ("/metrics", "/healthz", "/", "/nothing"):
            status, code, page = curl(agent, path, "-i", *wrong)
            assert (status, code) == (0, 401) or (wrong and code == 429), (wrong, path)
            assert "wcs_node" not in page.split("\r\n\r\n")[-1]
            assert code != 401 or "WWW-Authenticate: Basic realm=" in page
    assert agent.reply().startswith("up "), "agent checks have no TLS"


def test_plain_http_on_a_tls_port_is_told(start_agent, tmp_path, server_tls):
    agent = start_agent(f"--web.config.file={write(tmp_path, tls_server_config=server_tls)}")
    status, _, text = agent.get("/metrics")
    assert status == 400 and "HTTPS" in text


def test_a_client_certificate_is_demanded(start_agent, tmp_path, authority, server_tls, curl):
    tls = {
        **server_tls,
        "client_ca_file": "authority.pem",
        "client_auth_type": "RequireAndVerifyClientCert",
    }
    agent = start_agent(f"--web.config.file={write(tmp_path, tls_server_config=tls)}")

    def by(pair):
        return ("--cert", str(pair[0]), "--key", str(pair[1]))

    known = by(authority.issue("client"))
    lab.wait_until(lambda: curl(agent, "/healthz", *known)[1] == 200, "a sample")
    other = Authority(tmp_path, "stranger").issue("pretender")
    for options in ((), by(other)):
        status, code, _ = curl(agent, "/metrics", *options)
        assert status != 0 and code == 0, options
    assert curl(agent, "/metrics", *known)[1] == 200


def trusting(authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def get_healthz(tls):
    tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return b"".join(iter(lambda: tls.recv(65536), b""))


def test_a_client_hello_may_come_in_parts(start_agent, tmp_path, authority, server_tls):
    """As large ones do, which have keys for quantum computers' time, or slow ones."""
    agent = start_agent(f"--web.config.file={write(tmp_path, tls_server_config=server_tls)}")
    agent.wait_for_reply("^up ")
    for parts in ([1, 1, 3, 1], [5], [517 // 2], [1] * 20):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        with lab.connect(agent.metrics_address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with pytest.raises(ssl.SSLWantReadError):
                tls.do_handshake()
            hello = outgoing.read()
            for size in parts:
                connection.sendall(hello[:size])
                hello = hello[size:]
                time.sleep(0.02)
            connection.sendall(hello)
            while True:
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                    break
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
            assert tls.version() == "TLSv1.3"


def test_a_second_client_hello_may_be_asked_for(start_agent, tmp_path, authority, server_tls):
    """HelloRetryRequest: the client's first guess of a curve is not one of the server's."""
    web = write(tmp_path, tls_server_config={**server_tls, "curve_preferences": ["CurveP384"]})
    agent = start_agent(f"--web.config.file={web}")
    done = subprocess.run(
        ["/usr/bin/openssl", "s_client", "-connect", agent.metrics_address, "-msg", "-tls1_3"]
        + ["-groups", "P-256:P-384", "-CAfile", str(authority.certificate)],
        input="GET /healthz HTTP/1.1\nHost: x\n\n",
        capture_output=True,
        text=True,
    )
    assert done.stdout.count("Handshake [length") and done.stdout.count("ClientHello") == 2
    assert "Verify return code: 0 (ok)" in done.stdout


def resident(agent):
    with open(f"/proc/{agent.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# A part of a handshake; a whole ClientHello would be answered.
RECORD = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def test_handshakes_that_are_begun_and_left_cost_others_nothing(
    start_agent, tmp_path, authority, server_tls
):
    web = write(tmp_path, tls_server_config=server_tls)
    agent = start_agent(f"--web.config.file={web}", "--metrics-allow=127.0.0.0/8")
    agent.wait_for_reply("^up ")
    address = lab.split_address(agent.metrics_address)

    def scrape():
        began = time.monotonic()
        with (
            socket.create_connection(address, 10, ("127.0.0.2", 0)) as connection,
            trusting(authority).wrap_socket(connection, server_hostname="127.0.0.1") as tls,
        ):
            assert get_healthz(tls).startswith(b"HTTP/1.1 200")
        return time.monotonic() - began

    scrape()
    before = resident(agent)
    program = Path(lab.AGENT).parent / "benchmarks/client"
    flood = [str(program), "--address", agent.metrics_address, "--kind", "hello", "--cpu", "-1"]
    flood += ["--at-once", "1", "--every", "0", "--sources", "1", "--seconds", "4"]
    with subprocess.Popen(
        [*flood, "--requests", "0", "--path", "/"], stdout=subprocess.PIPE, text=True
    ) as flooding:
        times = []
        while flooding.poll() is None:
            times.append(scrape())
        assert json.loads(flooding.stdout.read())["requests"] > 1000
    assert len(times) > 10 and max(times) < 1, "tools/bench measures them"
    assert resident(agent) - before < 12 << 20

    # Those that stay have their source's slots, and no others.
    with ExitStack() as stack:
        for number in range(200):
            left = stack.enter_context(socket.create_connection(address, 10, ("127.0.1.1", 0)))
            left.sendall(RECORD[: 1 + number % len(RECORD)])
        for _ in range(5):
            assert scrape() < 1
    assert resident(agent) - before < 12 << 20


def test_a_renewed_certificate_is_served_without_a_reload(
    start_agent, tmp_path, authority, server_tls
):
    agent = start_agent(f"--web.config.file={write(tmp_path, tls_server_config=server_tls)}")
    address = lab.split_address(agent.metrics_address)
    first = ssl.get_server_certificate(address)
    assert first == (tmp_path / "server.pem").read_text()

    # Halfway through, certificate and key do not fit: the last ones hold.
    renewed = authority.issue("renewed")
    (tmp_path / "server.pem").write_text(renewed[0].read_text())

    def kept():
        assert ssl.get_server_certificate(address) == first
        return agent.lines("the last certificate stays in use")

    lab.wait_until(kept, "the agent has looked at the files")
    (tmp_path / "server.key").write_text(renewed[1].read_text())
    lab.wait_until(
        lambda: ssl.get_server_certificate(address) == renewed[0].read_text(),
        "the renewed certificate",
    )
    assert len(agent.lines("stays in use")) == 1


def test_certificates_that_a_changed_web_file_names_may_come_later(
    start_agent, tmp_path, authority, server_tls
):
    agent = start_agent(f"--web.config.file={write(tmp_path, tls_server_config=server_tls)}")
    address = lab.split_address(agent.metrics_address)
    first = ssl.get_server_certificate(address)
    later = {"cert_file": "later.pem", "key_file": "later.key"}
    write(tmp_path, tls_server_config=later)

    def kept():
        assert ssl.get_server_certificate(address) == first
        return agent.lines("the web file stays as it was")

    lab.wait_until(kept, "the agent has looked at the file")
    certificate, _ = authority.issue("later")
    lab.wait_until(
        lambda: ssl.get_server_certificate(address) == certificate.read_text(), "the later one"
    )
    assert len(agent.lines("the web file stays as it was")) <= 2


FAULTY = {
    "tls_server_config": {
        "cert_file": "server.pem",
        "key_fil": "server.key",
        "client_auth_type": "Always",
        "client_allowed_sans": ["node"],
    },
    "basic_auth_users": {"prometheus": "plain"},
    "users": {},
}
FAULTS = ("key_fil", "Always", "client_allowed_sans", "prometheus", "/users")


def test_a_faulty_web_file_keeps_it_from_starting(start, simulator, tmp_path):
    web = write(tmp_path, **FAULTY)
    agent = start(lab.Agent, "agent", f"--web.config.file={web}")
    assert agent.wait() == 2
    for fault in ("key_fil: unknown key; did you mean key_file?", *FAULTS[2:]):
        assert fault in agent.output()
    (tmp_path / "config.json").write_text(json.dumps({"web_config_file": str(web)}))
    check = subprocess.run(
        [lab.AGENT, "config", "check", str(tmp_path / "config.json")],
        capture_output=True,
        text=True,
    )
    assert check.returncode == 2 and "client_allowed_sans: is not supported" in check.stderr


def test_a_reload_takes_a_good_web_file_and_no_faulty_one(start_agent, tmp_path):
    web = write(tmp_path, basic_auth_users={"one": bcrypt("1")})
    agent = start_agent(f"--web.config.file={web}")
    lab.wait_until(lambda: agent.get("/healthz", **basic("one", "1"))[0] == 200, "a sample")

    write(tmp_path, **FAULTY)
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("nothing changed: .*client_allowed_sans")
    assert agent.get("/healthz", **basic("one", "1"))[0] == 200

    write(tmp_path, basic_auth_users={"two": bcrypt("2")})
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert agent.get("/healthz", **basic("one", "1"))[0] == 401
    assert agent.get("/healthz", **basic("two", "2"))[0] == 200

    write(tmp_path)
    agent.signal(signal.SIGHUP)
    lab.wait_until(lambda: agent.get("/healthz")[0] == 200, "no password is asked for")
    lab.wait_until(lambda: not computes_passwords(agent), "nor is there a thread to compute it")


def healthz(agent, user, password):
    return agent.get("/healthz", **basic(user, password))[0]


def replace(folder, **web):
    """As a careful editor or configuration management does it."""
    written = write(folder, **web)
    new = folder / "web.yml.new"
    new.write_bytes(written.read_bytes())
    new.rename(written)


@pytest.mark.parametrize("put", [write, replace])
def test_a_password_that_is_gone_is_refused_without_a_reload(start_agent, tmp_path, put):
    stays, goes, changes = bcrypt("1"), bcrypt("2"), bcrypt("3")
    users = {"stays": stays, "goes": goes, "changes": changes}
    agent = start_agent(f"--web.config.file={write(tmp_path, basic_auth_users=users)}")
    for user, password in (("stays", "1"), ("goes", "2"), ("changes", "3")):
        lab.wait_until(lambda: healthz(agent, user, password) == 200, user)  # noqa: B023

    put(tmp_path, basic_auth_users={"stays": stays, "changes": bcrypt("4")})
    time.sleep(1)
    assert healthz(agent, "goes", "2") == 401
    assert healthz(agent, "changes", "3") == 401
    assert healthz(agent, "changes", "4") == 200
    assert healthz(agent, "stays", "1") == 200
    agent.wait_for_line("the web file was read again")
    assert not agent.lines("reload")


def test_a_web_file_that_is_faulty_or_out_of_reach_changes_nothing(start_agent, tmp_path):
    web = write(tmp_path, basic_auth_users={"one": bcrypt("1")})
    agent = start_agent(f"--web.config.file={web}")
    lab.wait_until(lambda: healthz(agent, "one", "1") == 200, "a sample")

    def hold():
        for _ in range(8):
            time.sleep(0.15)
            assert healthz(agent, "one", "1") == 200
            assert agent.get("/healthz")[0] == 401

    write(tmp_path, **FAULTY)
    hold()
    assert len(agent.lines("the web file stays as it was: .*client_allowed_sans")) == 1
    write(tmp_path, basic_auth_users={"two": bcrypt("2")})
    lab.wait_until(lambda: healthz(agent, "one", "1") == 401, "a good one is read")

    write(tmp_path, basic_auth_users={"one": bcrypt("1")})
    lab.wait_until(lambda: healthz(agent, "one", "1") == 200, "another good one is read")
    web.chmod(0o600)  # root's alone, and the agent is not root any more
    hold()
    assert len(agent.lines("the web file stays as it was: .*: cannot be read: Perm")) == 1
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert agent.lines("this user may not read it any more: what was read before stays in use")
    hold()
    web.unlink()
    hold()


def test_a_reload_forgets_no_password_that_stayed(start_agent, tmp_path):
    web = write(tmp_path, basic_auth_users={"known": bcrypt(PASSWORD)})
    agent = start_agent(f"--web.config.file={web}")
    lab.wait_until(lambda: healthz(agent, "known", PASSWORD) == 200, "a sample")
    lab.wait_until(lambda: healthz(agent, "known", "a guess") == 429, "no guess is left")
    for reload in range(1, 4):
        agent.signal(signal.SIGHUP)
        lab.wait_until(lambda: len(agent.lines("reload: done")) == reload, "a reload")  # noqa: B023
        for _ in range(20):
            assert healthz(agent, "known", PASSWORD) == 200
        assert healthz(agent, "known", "a guess") == 429


def test_a_key_for_root_alone_hinders_no_reload(start_agent, tmp_path, server_tls, curl):
    (tmp_path / "server.key").chmod(0o600)
    users = {"one": bcrypt("1"), "two": bcrypt("2")}
    web = write(tmp_path, tls_server_config=server_tls, basic_auth_users=users)
    agent = start_agent(f"--web.config.file={web}")
    lab.wait_until(lambda: curl(agent, "/healthz", "-u", "two:2")[1] == 200, "a sample")
    users.pop("two")
    write(tmp_path, tls_server_config=server_tls, basic_auth_users=users)
    lab.wait_until(lambda: curl(agent, "/healthz", "-u", "two:2")[1] == 401, "it was read again")
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert curl(agent, "/healthz", "-u", "one:1")[1] == 200


@pytest.mark.parametrize("name", ["web.yml", "server.pem", "server.key", "authority.pem"])
def test_a_fifo_in_place_of_a_file_holds_nothing_up(
    start_agent, start, simulator, tmp_path, authority, server_tls, curl, name
):
    trusted = tmp_path / "trusted.pem"  # curl reads this one
    trusted.write_bytes(authority.certificate.read_bytes())
    authority.certificate = trusted
    tls = {**server_tls, "client_ca_file": "authority.pem", "client_auth_type": "RequestClientCert"}
    web = write(tmp_path, tls_server_config=tls)
    agent = start_agent(f"--web.config.file={web}")
    lab.wait_until(lambda: curl(agent, "/healthz")[1] == 200, "a sample")
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    lab.wait_until(
        lambda: curl(agent, "/healthz")[1] == 200 and agent.lines("is not a regular file"), "it is seen"
    )
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: ")
    assert agent.reply().startswith("up ")
    assert curl(agent, "/healthz")[1] == 200
    agent.close()
    other = start(lab.Agent, "other", f"--web.config.file={web}")
    assert other.wait() == 2 and "is not a regular file" in other.output()


# bcrypt at cost 13: each guess takes about half a second of a CPU.
SLOW = "$2y$13$F.fCxGF86cVRaft0dsgRI./oPqoIEBtUunJ.8FG/KVUOwrJQ7gzpy"

# Of the highest cost that is taken: some four seconds.
SLOWEST = SLOW.replace("$13$", "$16$")


@contextmanager
def asked(agent, source, **headers):
    """A connection from that address whose request for /metrics is on its way."""
    address = lab.split_address(agent.metrics_address)
    connection = http.client.HTTPConnection(*address, timeout=30, source_address=(source, 0))
    with closing(connection):
        connection.request("GET", "/metrics", headers=headers)
        yield connection


def answered(connection):
    return bool(select.select([connection.sock], [], [], 0)[0])


def test_guesses_hold_up_neither_checks_nor_known_users(start_agent, tmp_path):
    users = {"known": bcrypt(PASSWORD), "later": bcrypt(PASSWORD), "slow": SLOW}
    agent = start_agent(f"--web.config.file={write(tmp_path, basic_auth_users=users)}")
    known = basic("known", PASSWORD)
    lab.wait_until(lambda: agent.get("/healthz", **known)[0] == 200, "a sample")
    with ExitStack() as guesses:
        first, *_, last = [
            guesses.enter_context(asked(agent, "127.0.0.2", **basic("slow", f"guess {number}")))
            for number in range(3)
        ]
        for _ in range(5):
            assert agent.reply().startswith("up ")
            assert agent.get("/metrics", **known)[0] == 200, "remembered"
        assert not answered(first), "while the first guess was computed"
        assert agent.get("/metrics", **basic("later", PASSWORD))[0] == 200, "another source's turn"
        assert not answered(last), "before the guesses that waited already"
        assert first.getresponse().status == 401


def test_a_guesser_has_to_wait_and_nobody_else(start_agent, tmp_path):
    users = {"known": bcrypt(PASSWORD)}
    agent = start_agent(f"--web.config.file={write(tmp_path, basic_auth_users=users)}")
    lab.wait_until(lambda: agent.get("/healthz", **basic("known", PASSWORD))[0] == 200, "a sample")
    statuses = []
    while 429 not in statuses:
        assert len(statuses) < 100
        with asked(agent, "127.0.0.2", **basic("known", f"guess {len(statuses)}")) as guess:
            statuses.append(guess.getresponse().status)
    assert statuses[:10] == [401] * 10
    assert 200 not in statuses
    with asked(agent, "127.0.0.3", **basic("known", "a wrong one")) as guess:
        assert guess.getresponse().status == 401
    assert agent.get("/metrics", **basic("known", PASSWORD))[0] == 200


def test_checks_are_answered_while_a_password_is_computed(start_agent, tmp_path):
    agent = start_agent(f"--web.config.file={write(tmp_path, basic_auth_users={'one': SLOWEST})}")
    agent.wait_for_reply("^up ")
    assert agent.get("/metrics")[0] == 401
    assert not computes_passwords(agent), "before the first password"
    with asked(agent, "127.0.0.2", **basic("one", "guess")) as guess:
        lab.wait_until(lambda: computes_passwords(agent), "the thread that computes passwords")
        checks = 0
        while not answered(guess):
            assert agent.reply().startswith("up ")
            checks += 1
        assert checks > 10, "seconds of a CPU"
        assert guess.getresponse().status in (401, 503), "503: the machine is busy"
    assert computes_passwords(agent)


def test_it_stops_while_a_password_is_computed(start_agent, tmp_path):
    agent = start_agent(f"--web.config.file={write(tmp_path, basic_auth_users={'one': SLOW})}")
    agent.wait_for_reply("^up ")
    guess = basic("one", "guess")
    with asked(agent, "127.0.0.2", **guess), asked(agent, "127.0.0.3", **guess):
        lab.wait_until(lambda: computes_passwords(agent), "the thread that computes passwords")
        agent.signal(signal.SIGTERM)
        assert agent.wait(60) == 0


def limit_threads(agent, most):
    """As the agent's own user, who may do that without a capability."""
    subprocess.run(
        ["/usr/bin/prlimit", f"--pid={agent.pid}", f"--nproc={most}:"],
        user=65530,
        group=65530,
        extra_groups=[],
        check=True,
    )


def test_where_there_can_be_no_thread_passwords_are_not_checked(start_agent, tmp_path):
    web = write(tmp_path, basic_auth_users={"one": bcrypt("p")})
    agent = start_agent(f"--web.config.file={web}")
    agent.wait_for_reply("^up ")
    limit_threads(agent, "0")
    for _ in range(2):
        status, headers, _ = agent.get("/metrics", **basic("one", "p"))
        assert status == 503 and headers["Retry-After"] == "1"
        assert agent.reply().startswith("up ")
    assert len(agent.lines("passwords cannot be checked: ")) == 1
    limit_threads(agent, "1000")
    assert agent.get("/metrics", **basic("one", "p"))[0] == 200
    agent.wait_for_line("passwords are checked again")


def test_prometheus_scrapes_by_tls_password_and_certificate(
    start_agent, start, tmp_path, authority, server_tls
):
    tls = {
        **server_tls,
        "client_ca_file": "authority.pem",
        "client_auth_type": "RequireAndVerifyClientCert",
        "min_version": "TLS13",
    }
    web = write(
        tmp_path, tls_server_config=tls, basic_auth_users={"prometheus": bcrypt(PASSWORD, 10)}
    )
    agent = start_agent(f"--web.config.file={web}")
    certificate, key = authority.issue("client")
    scrape = {
        "job_name": "wcs",
        "scheme": "https",
        "basic_auth": {"username": "prometheus", "password": PASSWORD},
        "tls_config": {
            "ca_file": str(authority.certificate),
            "cert_file": str(certificate),
            "key_file": str(key),
        },
        "static_configs": [{"targets": [agent.metrics_address]}],
    }
    prometheus = start(lab.Prometheus, "prometheus", tmp_path, "1s", [scrape])
    lab.wait_until(lambda: prometheus.query("up") == [1], "up == 1", 60)
