# SPDX-License-Identifier: Apache-2.0
"""The packaged unit under a real systemd, as process 1 of a PID namespace."""

import http.client
import re
import shlex
import signal
import ssl

import lab
import pytest
from certificates import self_signed
from conftest import QUICK
from service_manager import UNIT, AgentUnderSystemd, agent_unit, boot_script

# Not where it was built: that may be in a home folder or below /tmp, which the unit does not see.
PROGRAM = "/opt/wcs-node-agent"
BOOT = boot_script(
    overlays=("etc",),
    install=f'install -m 755 "$AGENT" {PROGRAM}\nmkdir /etc/wcs-node-agent',
    setup=agent_unit("WatchdogSec=2s"),
    wants="wcs-node-agent.service",
)


def options_of(simulator):
    return " ".join((*QUICK, f"--wcs-url={shlex.quote(simulator.url)}", "--kernel.pin=on"))


@pytest.fixture
def service(start, simulator):
    """The unit as it is packaged, but for where the program and WCS are."""
    options = options_of(simulator)
    unit = UNIT.read_text().replace("/usr/sbin/wcs-node-agent", PROGRAM)
    line = re.search("^ExecStart=.*$", unit, re.MULTILINE)[0]
    systemd = start(AgentUnderSystemd, "systemd", unit.replace(line, f"{line} {options}"), BOOT)
    lab.wait_until(lambda: systemd.show("ActiveState") == "active", "the service is active", 30)
    yield systemd
    systemd.inside("systemctl stop wcs-node-agent")
    systemd.inside(f"{PROGRAM} unpin")


def write_config(service, text):
    service.inside(f"printf '%s' {shlex.quote(text)} >/etc/wcs-node-agent/config.json")


def process_status(service):
    pid = service.show("MainPID")
    lines = service.inside(f"cat /proc/{pid}/status").stdout.splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def reply():
    return lab.ask_agent("127.0.0.1:9707")


def test_the_unit_works_locked_down_as_it_is(service, simulator):
    assert service.show("Type") == "notify"
    assert reply().startswith("up ")
    status = process_status(service)
    assert {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {
        "CapInh": 0,
        "CapPrm": 0,
        "CapEff": 0,
        "CapAmb": 0,
    }
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert int(status["Uid"].split()[0]) >= 61184, "a dynamic user"
    page = lab.parse_metrics(lab.http_get("127.0.0.1:9708", "/metrics")[2])
    assert page['wcs_node_agent_source{source="ebpf"}'] == 1
    assert 'wcs_node_network_transmit_bytes_total{device="wan0"}' in page

    simulator.set(streams_webrtc_out=25)
    lab.wait_until(lambda: reply() == "up 75%\n", "it samples on")
    reloaded = service.inside("systemctl reload wcs-node-agent")
    assert reloaded.returncode == 0, reloaded.stderr
    assert "reload: done" in service.agent_log()


def test_a_reload_of_a_faulty_file_fails_and_says_why(service):
    write_config(service, '{"subscribers": 50, "bogus": 1}')
    refused = service.inside("systemctl reload wcs-node-agent")
    assert refused.returncode != 0
    assert "config.json: /bogus: unknown key" in service.agent_log()
    assert reply() == "up 100%\n"
    write_config(service, '{"subscribers": 50}')
    done = service.inside("systemctl reload wcs-node-agent")
    assert done.returncode == 0, done.stderr
    lab.wait_until(
        lambda: "reload: done: subscribers: 100 -> 50" in service.agent_log(),
        "a file that was not there at the start is read too",
    )


def test_what_is_missing_at_first_is_waited_for(service):
    """Without the limit that counts starts: an interface may come after a minute."""
    write_config(service, '{"interface": ["late0"]}')
    service.inside("systemctl restart --no-block wcs-node-agent")
    lab.wait_until(lambda: int(service.show("NRestarts") or 0) >= 2, "starts that fail", 30)
    lab.ip("link", "add", "late0", "type", "veth", "peer", "name", "late1")
    try:
        lab.wait_until(lambda: service.show("ActiveState") == "active", "it runs", 30)
        assert answers()
    finally:
        lab.ip("link", "delete", "late0")


@pytest.fixture
def web_files(tmp_path):
    certificate, key = self_signed(tmp_path)
    web = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
    return {"web.yml": web, "cert.pem": certificate.read_text(), "key.pem": key.read_text()}


def test_tls_with_a_key_that_root_alone_reads(service, simulator, web_files):
    """By the drop-in as it is packaged."""
    dropin = (UNIT.parent / "tls.conf").read_text().replace("/usr/sbin/wcs-node-agent", PROGRAM)
    dropin = f"{dropin.strip()} {options_of(simulator)}\n"
    for name, text in web_files.items():
        service.inside(f"umask 077; printf '%s' {shlex.quote(text)} >/etc/wcs-node-agent/{name}")
    service.inside(
        f"printf '%s' {shlex.quote(dropin)} >/run/systemd/system/wcs-node-agent.service.d/tls.conf;"
        "systemctl daemon-reload"
    )
    started = service.inside("systemctl restart wcs-node-agent")
    assert started.returncode == 0, service.agent_log()
    context = ssl.create_default_context(cadata=web_files["cert.pem"])
    context.check_hostname = False
    client = http.client.HTTPSConnection("127.0.0.1", 9708, context=context)
    client.request("GET", "/healthz")
    assert client.getresponse().status == 200
    reloaded = service.inside("systemctl reload wcs-node-agent")
    assert reloaded.returncode == 0
    lab.wait_until(lambda: "reload: done" in service.agent_log(), "a reload")


def test_what_it_pins_outlives_it_and_unpin_removes_that(service):
    assert "identity" in service.inside("ls /sys/fs/bpf/wcs-node-agent/net-*").stdout
    assert service.inside("systemctl restart wcs-node-agent").returncode == 0
    assert "kernel.pin: counting has gone on" in service.agent_log()
    assert "will end with this process" not in service.agent_log()
    assert service.inside("systemctl stop wcs-node-agent").returncode == 0
    assert service.show("Result") == "success"
    assert "removed" in service.inside(f"{PROGRAM} unpin").stdout
    assert service.inside("ls /sys/fs/bpf/wcs-node-agent/").stdout == ""


def test_a_stuck_agent_is_killed_and_started_again(service):
    pid = service.show("MainPID")
    service.inside(f"kill -{signal.SIGSTOP.value} {pid}")
    lab.wait_until(lambda: service.show("MainPID") not in (pid, "0"), "another process", 20)
    assert service.show("NRestarts") == "1"
    lab.wait_until(answers, "it answers")


def answers():
    try:
        return reply().startswith("up ")
    except OSError:
        return False
