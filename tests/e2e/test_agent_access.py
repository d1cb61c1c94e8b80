# SPDX-License-Identifier: Apache-2.0
"""status and top ask agents by TLS, with passwords and certificates, and say what is missing or wrong."""

import json
import os
import re
import socket
import struct
import subprocess
import threading
from contextlib import closing, suppress
from types import SimpleNamespace

import lab
import pytest
from certificates import Authority
from conftest import QUICK, open_to_all
from documents import blocks, commands
from test_top import Terminal

PASSWORD = "correct horse"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = open_to_all(tmp_path_factory.mktemp("access"))
    authority = Authority(folder, "ca")
    authority.issue("node")
    authority.issue("expired", days=-1)
    authority.issue("named", names="DNS:node1.example.com")
    authority.issue("client")
    Authority(folder, "stranger").issue("impostor")
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "wrong").write_text("battery staple\n")
    return folder


def write(folder, name, **values):
    file = folder / name
    file.write_text(json.dumps(values))  # JSON is YAML
    return file


@pytest.fixture(scope="module")
def agents(start_shared, shared_simulator, folder):
    """By name, each with a configuration file: what its web file asks for is in its name."""
    line = lab.run("htpasswd", "-nbBC", "5", "user", PASSWORD)
    users = {"prometheus": line.strip().split(":", 1)[1]}

    def tls(name, **more):
        return {"tls_server_config": {"cert_file": f"{name}.pem", "key_file": f"{name}.key", **more}}

    clients = {"client_ca_file": "ca.pem", "client_auth_type": "RequireAndVerifyClientCert"}
    web_files = {
        "secured": {**tls("node"), "basic_auth_users": users},
        "expired": tls("expired"),
        "named": tls("named", **clients),
        "older": tls("node", **clients, max_version="TLS12"),
        "plain": {"basic_auth_users": users},
    }
    started = {}
    for number, (name, web) in enumerate(web_files.items()):
        web_file = write(folder, f"{name}.yml", **web)
        metrics = f"127.0.0.1:{9740 + number}"
        file = write(folder, f"{name}.json", web_config_file=str(web_file), metrics_listen=[metrics])
        options = (f"--config={file}", f"--wcs-url={shared_simulator.url}", *QUICK)
        agent = start_shared(lab.Agent, name, *options, listen=f"127.0.0.1:{9730 + number}", metrics=metrics)
        started[name] = SimpleNamespace(agent=agent, file=file, web_file=web_file, address=metrics)
    for one in started.values():
        one.agent.wait_until_listening()
        one.agent.wait_for_reply("^up 75%", timeout=60)
    return started


def ask(command, *options, before=(), **env):
    """A command to its end: (exit status, what it printed, what it reported)."""
    if before:  # another user may run none of root's folders
        before = (*before, "--")
    words = [*before, lab.AGENT, *command.split(), *map(str, options)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **env}, timeout=60)
    return done.returncode, done.stdout, done.stderr


KNOWN = ("--username=prometheus", "--password-file")


def test_the_configured_agent_is_asked_without_options(agents, folder):
    """By its own certificate, whatever name that has."""
    secured, named = agents["secured"], agents["named"]
    client = {"username": "prometheus", "password_file": str(folder / "password")}
    file = write(folder, "own.json", **json.loads(secured.file.read_text()), client=client)
    status, table, told = ask("status", f"--config={file}")
    assert (status, told) == (0, "") and re.search("^subscribers +25 +of 100", table, re.MULTILINE), table
    status, frame, told = ask("top --once", f"--config={file}")
    assert (status, told) == (0, "") and "UP, weight 75 %" in frame, frame

    client = {"cert_file": str(folder / "client.pem"), "key_file": str(folder / "client.key")}
    file = write(folder, "own.json", **json.loads(named.file.read_text()), client=client)
    status, text, told = ask("status --json", f"--config={file}")
    assert (status, told) == (0, "") and json.loads(text)["weight"] == 75


def test_another_agent_is_asked_by_its_url(agents, folder):
    url = f"--url=https://{agents['secured'].address}"
    trusted = (url, f"--ca-file={folder}/ca.pem")
    password = (*KNOWN, folder / "password")
    for options, env in (
        ((*trusted, *password), {}),
        ((*trusted, "--username=prometheus"), {"WCS_NODE_AGENT_PASSWORD": PASSWORD}),
        ((url, *password), {"SSL_CERT_FILE": f"{folder}/ca.pem"}),
        ((url, f"--ca-file={folder}/node.pem", *password), {}),
        ((url, "--insecure", *password), {}),
        ((f"--url=http://{agents['plain'].address}/", *password), {}),
    ):
        status, text, told = ask("status --json", *options, **env)
        assert (status, told) == (0, ""), (options, told)
        assert json.loads(text)["weight"] == 75
    both = (folder / "client.pem").read_text() + (folder / "client.key").read_text()
    (folder / "both.pem").write_text(both)
    url = f"--url=https://{agents['named'].address}"
    for certificate in (("client.pem", f"--key-file={folder}/client.key"), ("both.pem",)):
        options = (url, "--insecure", f"--cert-file={folder}/{certificate[0]}", *certificate[1:])
        assert ask("status", *options)[0] == 0, certificate


def test_the_documentations_commands(agents, folder):
    block = next(one for one in blocks("configuration.md") if '"client": {"' in one)
    file = folder / "documented.json"
    file.write_text(block.replace("/etc/wcs-node-agent/web.yml", str(agents["secured"].web_file)).replace("/etc/wcs-node-agent", str(folder)))
    assert ask("status", f"--config={file}", f"--metrics-listen={agents['secured'].address}")[0] == 0
    told = [command for command in commands("configuration.md") if " --url " in command]
    assert {command.split()[1] for command in told} == {"status", "top"}
    for command in told:
        words = re.sub("https://[^ ]+", f"https://{agents['secured'].address}", command).replace("/etc/wcs-node-agent", str(folder))
        options = ("--once",) if " top " in words else ()
        status, _, wrong = ask(words.split(" ", 1)[1], f"--config={file}", *options, SSL_CERT_FILE=f"{folder}/ca.pem")
        assert status == 0, (command, wrong)


def test_top_asks_again_and_again(agents, shared_simulator, folder, tmp_path):
    command = (lab.AGENT, "top", "--delay=250ms", f"--url=https://{agents['secured'].address}", f"--ca-file={folder}/ca.pem")
    with closing(Terminal(tmp_path, (*command, *KNOWN, folder / "password"))) as terminal:
        for subscribers in (30, 25):
            shared_simulator.set(streams_webrtc_out=subscribers)
            terminal.wait_for(rf"^subscribers +{subscribers} of 100")
        terminal.press("q")
        terminal.wait_for("^ended with 0")
    for one in agents.values():
        one.agent.wait_for_reply("^up 75%")


def refused(name, text, *options, scheme="https", host=None, **env):
    return pytest.param(name, scheme, host, options, env, text, id=text.replace(" ", "-")[:50])


CA = "--ca-file={folder}/ca.pem"


@pytest.mark.parametrize(
    ("name", "scheme", "host", "options", "env", "text"),
    [
        refused(
            "secured",
            "/status: the certificate is not trusted (unable to get local issuer certificate): name its CA's certificate, or "
            "itself, by --ca-file, or give --insecure",
        ),
        refused("secured", "/stranger.pem (--ca-file) has neither it nor its CA's", "--ca-file={folder}/stranger.pem"),
        refused("expired", "/status: the certificate expired at 20", CA),
        refused(
            "secured",
            "/status: the certificate is for 127.0.0.1, not for localhost: give a name that it has in --url, or --insecure",
            CA,
            host="localhost",
        ),
        refused(
            "secured",
            "/status: HTTP 401 Unauthorized\nIt wants a user and a password: give --username NAME and --password-file FILE",
            CA,
        ),
        refused(
            "secured",
            "/status: HTTP 401 Unauthorized\nIt does not take user prometheus with the password of {folder}/wrong.",
            *(CA, *KNOWN, "{folder}/wrong"),
        ),
        refused(
            "secured",
            "It does not take user nobody with the password of $WCS_NODE_AGENT_PASSWORD.",
            *(CA, "--username=nobody"),
            WCS_NODE_AGENT_PASSWORD=PASSWORD,
        ),
        refused("secured", "user prometheus has no password: give --password-file FILE", CA, "--username=prometheus"),
        refused("secured", "--password-file {folder}/none cannot be read: No such file", CA, *KNOWN, "{folder}/none"),
        refused(
            "secured", "/status: HTTP 400 Bad Request: this port is TLS: write https:// in place of http://", scheme="http"
        ),
        refused("plain", "/status: what answers is not TLS: if this port is plain HTTP, write http:// in place of https://", CA),
        refused(
            "named",
            "/status: it wants a client's certificate: give --cert-file and --key-file, or client.cert_file",
            "--insecure",
        ),
        refused("older", "/status: it refuses the handshake; if it wants a client's certificate: give --cert-file", CA),
        refused(
            "named",
            "/status: it does not take this client's certificate (",
            *("--insecure", "--cert-file={folder}/impostor.pem", "--key-file={folder}/impostor.key"),
        ),
        refused("named", "--cert-file {folder}/ca.key: ", "--insecure", "--cert-file={folder}/ca.key"),
    ],
)
def test_what_is_wrong_is_said_in_words(agents, folder, name, scheme, host, options, env, text):
    address = agents[name].address
    url = f"{scheme}://{address.replace('127.0.0.1', host) if host else address}"
    options = [str(option).format(folder=folder) for option in options]
    for command in ("status", "top --once"):
        status, shown, told = ask(command, f"--url={url}", *options, **env)
        assert (status, shown) == (1, "")
        assert text.format(folder=folder) in told


def test_an_address_that_is_not_allowed_is_said(start_agent):
    agent = start_agent("--metrics-allow=192.0.2.1", name="closed")
    for option in (f"--metrics-listen={agent.metrics_address}", f"--url=https://{agent.metrics_address}"):
        status, _, told = ask("status", option)
        assert status == 1 and "An agent closes the connection of an address that its metrics_allow does not have." in told


def test_a_refusal_that_comes_before_the_connection_is_noticed_is_one_too():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reset_all():
            with suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()

        threading.Thread(target=reset_all, daemon=True).start()
        url = f"--url=http://127.0.0.1:{server.getsockname()[1]}"
        told = {ask("status", url)[2].splitlines()[-1] for _ in range(20)}
        server.shutdown(socket.SHUT_RDWR)
    assert told == {"An agent closes the connection of an address that its metrics_allow does not have."}


def test_the_configured_agents_own_faults_are_said(agents, folder):
    """Where no URL was written there is none to correct."""
    secured = agents["secured"]
    status, _, told = ask("status", f"--config={agents['expired'].file}")
    assert status == 1 and "the certificate expired at 20" in told
    empty = write(folder, "empty.json")
    status, _, told = ask("status", f"--config={empty}", f"--metrics-listen={secured.address}")
    own = f"this port is TLS: give the agent's own web file by --web.config.file, or --url https://{secured.address}"
    assert status == 1 and own in told
    status, _, told = ask("status", f"--metrics-listen={agents['plain'].address}", f"--web.config.file={secured.web_file}")
    other = f"the agent has not taken this web file: give --url http://{agents['plain'].address}"
    assert status == 1 and other in told
    # Another certificate than the web file's, of the CA that stands in the same file.
    (folder / "chain.pem").write_text((folder / "named.pem").read_text() + (folder / "ca.pem").read_text())
    web_file = write(folder, "chain.yml", tls_server_config={"cert_file": "chain.pem", "key_file": "named.key"})
    status, _, told = ask("status", f"--metrics-listen={secured.address}", f"--web.config.file={web_file}")
    assert status == 1 and f"{folder}/chain.pem (cert_file of {web_file}) has neither it nor its CA's" in told


def test_what_this_user_may_not_read_is_named(agents, folder, readable_agent, monkeypatch):
    monkeypatch.setattr(lab, "AGENT", readable_agent)
    secured = agents["secured"]
    password = folder / "roots-password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    client = (*KNOWN, password)
    status, _, told = ask("status", f"--config={secured.file}", *client, before=NOBODY)
    assert status == 1 and f"--password-file {password} cannot be read: Permission denied" in told
    known = (*KNOWN, folder / "password")
    assert ask("status", f"--config={secured.file}", *known, before=NOBODY)[0] == 0
    for file in (folder / "node.pem", secured.web_file):
        mode = file.stat().st_mode
        file.chmod(0o600)
        try:
            status, _, told = ask("status", f"--config={secured.file}", *known, before=NOBODY)
            how = f"--url https://{secured.address} --ca-file FILE --username NAME --password-file FILE"
            assert status == 1 and f"{file}: cannot be read: Permission denied" in told and how in told
        finally:
            file.chmod(mode)


def test_no_password_is_taken_from_the_command_line():
    status, _, told = ask("status", "--password=secret")
    assert status == 2 and "--password: unknown option; did you mean" in told
