# SPDX-License-Identifier: Apache-2.0
"""`doctor` before the agent is started: what it finds, with real programs in the way."""

import http.server
import re
import subprocess
import threading
from contextlib import contextmanager

import lab
import pytest
from certificates import self_signed

XINETD = """service check
{{
    type = UNLISTED
    socket_type = stream
    protocol = tcp
    port = {port}
    bind = 127.0.0.1
    wait = no
    user = root
    server = /bin/true
}}
"""
PORT = "127.0.0.1:9747"


@pytest.fixture
def doctor(simulator):
    """doctor(*options) -> the report, of an agent for which all is there unless the options say otherwise."""

    def run(*options, status=None):
        words = [lab.AGENT, "doctor"]
        given = {option.split("=")[0] for option in options}
        for option in (f"--wcs-url={simulator.url}", f"--agent-listen={PORT}", "--metrics-listen=127.0.0.1:9748"):
            if option.split("=")[0] not in given:
                words.append(option)
        done = subprocess.run([*words, *options], capture_output=True, text=True, timeout=120)
        assert status in (None, done.returncode), done.stdout + done.stderr
        return done.stdout

    return run


def finds(report, word, name, found):
    assert re.search(rf"(?m)^  {word} +{name} +{found}", report), report


def test_where_all_is_there_it_succeeds(doctor):
    report = doctor(status=0)
    assert "missing" not in report
    finds(report, "ok", "running agent", "none$")
    finds(report, "ok", "agent_listen", f"{PORT} is free$")
    finds(report, "ok", "metrics_listen", "127.0.0.1:9748 is free$")
    assert report.endswith("The agent would use: ebpf\n")


def test_xinetd_has_the_port(doctor, start, tmp_path):
    configuration = tmp_path / "xinetd.conf"
    configuration.write_text(XINETD.format(port=PORT.split(":")[1]))
    words = ["/usr/sbin/xinetd", "-dontfork", "-f", str(configuration)]
    words += ["-pidfile", str(tmp_path / "pid"), "-filelog", str(tmp_path / "messages.log")]
    start(lab.Process, "xinetd", words)
    lab.wait_until(lambda: f"{PORT} is taken" in doctor("--source=procfs"), "xinetd listens", 60)
    report = doctor("--source=procfs", status=1)
    finds(report, "missing", "agent_listen", rf"{PORT} is taken by xinetd \(pid \d+\)$")
    assert report.endswith("The agent would use: procfs\nMissing: 1\n")
    # So it is where the agent would take any address.
    finds(doctor("--agent-listen=0.0.0.0:9747"), "missing", "agent_listen", r"0.0.0.0:9747 is taken by xinetd \(pid")


def test_an_agent_that_runs_already_is_not_in_its_own_way(doctor, start_agent):
    agent = start_agent()
    agent.wait_for_reply("^up ", 60)
    ports = (f"--agent-listen={agent.address}", f"--metrics-listen={agent.metrics_address}")
    report = doctor(*ports, status=0)
    finds(report, "ok", "running agent", rf"pid {agent.pid}: up \d+%")
    finds(report, "ok", "agent_listen", f"{agent.address} is the running agent's$")
    finds(report, "ok", "metrics_listen", f"{agent.metrics_address} is the running agent's$")


def test_whom_it_would_answer(doctor):
    report = doctor(status=0)
    finds(report, "note", "allow", "this machine alone: an HAProxy elsewhere is refused until")
    finds(report, "note", "metrics_allow", "this machine alone: a Prometheus elsewhere is refused until")
    finds(doctor("--allow=192.0.2.10", "--allow=127.0.0.1"), "ok", "allow", r"192\.0\.2\.10, 127\.0\.0\.1$")


def test_a_glob_without_an_interface_is_missing(doctor):
    report = doctor("--interface=wan*", "--interface=eht*", status=1)
    finds(report, "ok", "in the bandwidth limits", "wan0, by its name$")
    finds(report, "missing", "interface", r'no interface fits "eht\*" yet$')


def test_files_are_read_as_the_agents_user_would(doctor, tmp_path):
    certificate, key = self_signed(tmp_path)
    web = tmp_path / "web.yml"
    web.write_text(f"tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n")
    for file in (certificate, web):
        file.chmod(0o644)
    key.chmod(0o600)
    report = doctor(f"--web.config.file={web}", status=1)
    finds(report, "ok", "file of the agent's user", str(certificate))
    finds(report, "missing", "file of the agent's user", f"{key} cannot be read by user ")
    assert "LoadCredential=" in report
    key.chmod(0o644)
    finds(doctor(f"--web.config.file={web}", status=0), "ok", "file of the agent's user", str(key))


@contextmanager
def another_program(answer):
    """Something else at the address of WCS."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/?action=stat"
        server.shutdown()


def test_what_answers_in_the_place_of_wcs(doctor):
    with another_program(b"<html>It works!</html>\n") as url:
        report = doctor(f"--wcs-url={url}", status=1)
    finds(report, "missing", "WCS", ".*statistics page")
    report = doctor("--wcs-url=http://127.0.0.1:1/?action=stat", status=1)
    finds(report, "missing", "WCS", ".*refused")
