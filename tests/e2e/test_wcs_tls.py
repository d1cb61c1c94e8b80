# SPDX-License-Identifier: Apache-2.0
"""An https page of WCS, and every way in which a wrong URL or certificate is named, by real servers."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import suppress

import lab
import pytest
from certificates import Authority
from conftest import QUICK, open_to_all
from nginx import Nginx

STATISTICS = "/?action=stat"
GOOD, EXPIRED, OF_ANOTHER, PLAIN = (f"127.0.0.1:{port}" for port in (8444, 8445, 8446, 8180))

SERVERS = """
    server {{
        listen {good} ssl;
        ssl_certificate {folder}/good.pem;
        ssl_certificate_key {folder}/good.key;
        location / {{ proxy_pass http://{page}; }}
    }}
    server {{
        listen {expired} ssl;
        ssl_certificate {folder}/expired.pem;
        ssl_certificate_key {folder}/expired.key;
    }}
    server {{
        listen {of_another} ssl;
        ssl_certificate {folder}/of-another.pem;
        ssl_certificate_key {folder}/of-another.key;
        location / {{ proxy_pass http://{page}; }}
    }}
    server {{
        listen {plain};
        root {folder}/www;
    }}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(open_to_all(tmp_path_factory.mktemp("tls")), "authority")


@pytest.fixture(scope="module")
def folder(authority):
    """Certificates, and a nginx in front of the simulator by TLS and beside it in plain HTTP."""
    folder = authority.folder
    Authority(folder, "stranger")
    authority.issue("good", names="IP:127.0.0.1,DNS:localhost")
    authority.issue("expired", days=-1)
    authority.issue("of-another", names="DNS:wcs.example,IP:192.0.2.1")
    (folder / "www").mkdir()
    (folder / "www/index.html").write_text("<html><head><title>Welcome to nginx!</title></head></html>")
    return folder


@pytest.fixture(scope="module")
def simulator(shared_simulator):
    return shared_simulator


@pytest.fixture(scope="module")
def nginx(start_shared, folder, simulator):
    addresses = {"good": GOOD, "expired": EXPIRED, "of_another": OF_ANOTHER, "plain": PLAIN}
    servers = SERVERS.format(folder=folder, page=simulator.page, **addresses)
    return start_shared(Nginx, "nginx", folder, servers, PLAIN)


@pytest.fixture(scope="module")
def agent(start_shared, folder, nginx):
    """One whose file every test writes anew and has reloaded."""
    configuration = folder / "config.json"
    configuration.write_text("{}")
    one = start_shared(lab.Agent, "agent", f"--config={configuration}", *QUICK)
    one.wait_until_listening()
    return one


def reload(agent, folder, **values):
    (folder / "config.json").write_text(json.dumps(values))
    outcomes = len(agent.lines("reload: "))
    agent.signal(signal.SIGHUP)
    lab.wait_until(lambda: len(agent.lines("reload: ")) > outcomes, "the reload's outcome")
    return agent.lines("reload: ")[outcomes]


def wait_for_fault(agent, url, text):
    last = []

    def is_there():
        last[:] = [agent.status_json()["wcs"]["fault_text"] or ""]
        return last[0].startswith(f"{url}: ") and text in last[0]

    try:
        lab.wait_until(is_there, text, timeout=5)
    except AssertionError as error:
        raise AssertionError(f"{error}; last: {last[0]}") from None
    return last[0]


def read_page(agent, folder, **values):
    """Reloads and waits for the page; what was read before does not count."""
    nobody = f"http://127.0.0.1:1{STATISTICS}"
    reload(agent, folder, wcs_url=nobody)
    wait_for_fault(agent, nobody, "connection refused")
    reload(agent, folder, **values)
    lab.wait_until(lambda: agent.status_json()["wcs"]["fault"] is None, "the page is read")
    agent.wait_for_reply("^up 75%$")


@pytest.mark.parametrize(
    "host, values",
    [
        ("127.0.0.1", {"wcs_ca_file": "authority.pem"}),
        ("localhost", {"wcs_ca_file": "authority.pem"}),
        ("127.0.0.1", {"wcs_ca_file": "good.pem"}),
        ("127.0.0.1", {"wcs_insecure": True}),
    ],
    ids=["its-ca", "by-name", "itself", "insecure"],
)
def test_an_https_page_is_read(agent, folder, host, values):
    if "wcs_ca_file" in values:
        values = {"wcs_ca_file": str(folder / values["wcs_ca_file"])}
    read_page(agent, folder, wcs_url=f"https://{host}:8444{STATISTICS}", **values)
    assert agent.metrics()["wcs_up"] == 1


def test_the_system_knows_whom_to_trust(start, nginx, folder):
    options = (f"--wcs-url=https://{GOOD}{STATISTICS}", *QUICK)
    ports = {"listen": "127.0.0.1:9717", "metrics": "127.0.0.1:9718"}
    agent = start(lab.Agent, "agent", *options, **ports, env={"SSL_CERT_FILE": str(folder / "authority.pem")})
    agent.wait_until_listening()
    agent.wait_for_reply("^up 75%$")


def test_check_and_doctor_take_the_options(nginx, folder):
    options = (f"--wcs-url=https://{GOOD}{STATISTICS}", "--source=procfs", "--cpu=off", "--sample-interval=100ms")
    command = [lab.AGENT, "check", *options]
    done = subprocess.run([*command, f"--wcs-ca-file={folder}/authority.pem"], capture_output=True, text=True)
    assert done.stdout == "up 75%\n", done.stderr
    wrong = subprocess.run([*command, "--wcs-ca-file=/nowhere.pem"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "wcs_ca_file: /nowhere.pem cannot be read: No such file" in wrong.stderr
    doctor = subprocess.run([lab.AGENT, "doctor", *options, "--wcs-insecure=on"], capture_output=True, text=True)
    assert "whose certificate is not verified" in doctor.stdout
    refused = subprocess.run([lab.AGENT, "doctor", *options], capture_output=True, text=True)
    assert "is not trusted" in refused.stdout


@pytest.mark.parametrize(
    "url, values, kind, text",
    [
        (f"https://{GOOD}{STATISTICS}", {}, "tls", "or itself, in wcs_ca_file, or set wcs_insecure"),
        (
            f"https://{GOOD}{STATISTICS}",
            {"wcs_ca_file": "stranger.pem"},
            "tls",
            "stranger.pem (wcs_ca_file) has neither it nor its CA's",
        ),
        (f"https://{EXPIRED}{STATISTICS}", {"wcs_ca_file": "authority.pem"}, "tls", "the certificate expired at 20"),
        (
            f"https://{OF_ANOTHER}{STATISTICS}",
            {"wcs_ca_file": "authority.pem"},
            "tls",
            "the certificate is for wcs.example, 192.0.2.1, not for 127.0.0.1: write a name that it has",
        ),
        (f"https://{PLAIN}/", {}, "tls", "what answers is not TLS: if this port is plain HTTP, write http://"),
        (f"http://{GOOD}{STATISTICS}", {}, "http_status", "this port is TLS: write https:// in place of http://"),
        (
            f"http://{PLAIN}{STATISTICS}",
            {},
            "not_a_page",
            'this is not WCS\'s statistics page: an HTML page, text/html, titled "Welcome to nginx!"',
        ),
        (f"http://{PLAIN}/stat", {}, "http_status", "HTTP 404 Not Found; wcs_url has no ?action=stat"),
    ],
    ids=["untrusted", "other-ca", "expired", "other-name", "https-to-plain", "http-to-tls", "other-page", "no-query"],
)
def test_what_is_wrong_is_said_in_words(agent, folder, url, values, kind, text):
    files = {name: str(folder / file) for name, file in values.items()}
    reload(agent, folder, wcs_url=url, **files)
    wait_for_fault(agent, url, text)
    metrics = agent.metrics()
    assert (metrics["wcs_up"], metrics['wcs_fault{reason="%s"}' % kind]) == (0, 1)


def test_https_to_wcs_own_plain_port_says_so(agent, folder, simulator):
    url = f"https://{simulator.page}{STATISTICS}"
    reload(agent, folder, wcs_url=url, wcs_insecure=True)
    wait_for_fault(agent, url, "if this port is plain HTTP, write http:// in place of https://")


def test_http_to_openssl_says_so(start, agent, folder):
    """It ends the connection without a word, as Java's servers do."""
    server = start(
        lab.Process,
        "s_server",
        ["/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:8447", "-www", "-naccept", "1000"]
        + ["-cert", str(folder / "good.pem"), "-key", str(folder / "good.key")],
    )
    server.wait_for_line("ACCEPT")
    plain, tls = (f"{scheme}://127.0.0.1:8447{STATISTICS}" for scheme in ("http", "https"))
    reload(agent, folder, wcs_url=plain)
    wait_for_fault(agent, plain, "write https:// in place of http://")
    reload(agent, folder, wcs_url=tls, wcs_insecure=True)
    wait_for_fault(agent, tls, "this is not WCS's statistics page: an HTML page")


class TlsServer:
    """Python's: answers each request with `answer` and drops the connection without TLS's goodbye."""

    def __init__(self, folder, answer, name="good"):
        self._answer, self._listener = answer, socket.create_server(("127.0.0.1", 0))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.page = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            client, _ = self._listener.accept()
            with client, suppress(OSError):
                tls = self._context.wrap_socket(client, server_side=True)
                tls.recv(65536)
                tls.sendall(self._answer)
                os.close(tls.detach())


@pytest.mark.parametrize(
    "subject, more, text",
    [
        ("DNS:127.0.0.1", "", "is for 127.0.0.1 (as a DNS name, not as an IP address), not for 127.0.0.1: write"),
        (
            "IP:127.0.0.1",
            "extendedKeyUsage=clientAuth",
            "is not fit for this (unsuitable certificate purpose): give WCS another one, or set wcs_insecure",
        ),
    ],
    ids=["address-as-name", "of-a-client"],
)
def test_a_certificate_that_looks_right(agent, folder, authority, subject, more, text):
    authority.issue("special", names=subject, more=more)
    url = f"https://{TlsServer(folder, b'', 'special').page}{STATISTICS}"
    reload(agent, folder, wcs_url=url, wcs_ca_file=str(authority.certificate))
    wait_for_fault(agent, url, f"the certificate {text}")


def test_a_damaged_file_is_refused_whole(folder):
    good, authority = ((folder / f"{name}.pem").read_text() for name in ("good", "authority"))
    bundle, configuration = folder / "bundle.pem", folder / "bundle.json"
    configuration.write_text(json.dumps({"wcs_url": f"https://{GOOD}{STATISTICS}", "wcs_ca_file": str(bundle)}))

    def check(text):
        bundle.write_text(text)
        command = [lab.AGENT, "config", "check", str(configuration)]
        return subprocess.run(command, capture_output=True, text=True)

    for text, number in ((authority[:300], 1), (good + authority[:300], 2), (good + "-----BEGIN CERTIFICATE-----", 2)):
        checked = check(text)
        assert checked.returncode == 2
        assert f"{bundle} is damaged: certificate {number} in it cannot be read" in checked.stderr
    key = (folder / "good.key").read_text()
    assert check(f"of the site\n{key}{good}\n\n{authority}\n").returncode == 0


def test_an_end_without_goodbye_is_an_end(agent, folder, simulator):
    _, _, page = lab.http_get(simulator.page, STATISTICS)
    server = TlsServer(folder, b"HTTP/1.0 200 OK\r\n\r\n" + page.encode())
    read_page(agent, folder, wcs_url=f"https://{server.page}{STATISTICS}", wcs_ca_file=str(folder / "good.pem"))


def test_a_server_that_shakes_no_hands_is_silent_and_holds_up_no_check(agent, folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}{STATISTICS}"
        reload(agent, folder, wcs_url=url, wcs_insecure=True)
        wait_for_fault(agent, url, "no TLS handshake within 1 s")
        agent.wait_for_reply("^down # wcs: ")


def test_a_reload_reads_the_file_again(agent, folder):
    ca_file = folder / "changing.pem"
    shutil.copy(folder / "authority.pem", ca_file)
    values = {"wcs_url": f"https://{GOOD}{STATISTICS}", "wcs_ca_file": str(ca_file)}
    read_page(agent, folder, **values)
    shutil.copy(folder / "stranger.pem", ca_file)
    reload(agent, folder, **values)
    wait_for_fault(agent, values["wcs_url"], "is not trusted")
    ca_file.write_text("no certificate")
    assert "nothing changed: wcs_ca_file: " in reload(agent, folder, **values)
    check = subprocess.run(
        [lab.AGENT, "config", "check", str(folder / "config.json")], capture_output=True, text=True
    )
    assert (check.returncode, check.stderr) == (2, f"wcs_ca_file: {ca_file} has no certificate (PEM)\n")
    shutil.copy(folder / "authority.pem", ca_file)
    read_page(agent, folder, **values)


def test_a_file_of_roots_alone_is_said_and_stays_in_use(start, folder, nginx):
    ca_file, configuration = folder / "secret.pem", folder / "secret.json"
    shutil.copy(folder / "authority.pem", ca_file)
    ca_file.chmod(0o600)
    configuration.write_text(json.dumps({"wcs_url": f"https://{GOOD}{STATISTICS}", "wcs_ca_file": str(ca_file)}))
    check = subprocess.run([lab.AGENT, "config", "check", str(configuration)], capture_output=True, text=True)
    assert check.returncode == 0
    assert f"warning: wcs_ca_file {ca_file} cannot be read by user " in check.stderr
    options = (f"--config={configuration}", *QUICK)
    agent = start(lab.Agent, "agent", *options, listen="127.0.0.1:9717", metrics="127.0.0.1:9718")
    agent.wait_until_listening()
    agent.wait_for_line(f"wcs_ca_file {ca_file} cannot be read by the user that this runs as .*Permission denied")
    agent.wait_for_reply("^up 75%$")
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("may not read it any more: what was read before stays in use")
    agent.wait_for_line("reload: done")
    agent.wait_for_reply("^up 75%$")

    ca_file.chmod(0o644)
    check = subprocess.run([lab.AGENT, "config", "check", str(configuration)], capture_output=True, text=True)
    assert check.stderr == ""
