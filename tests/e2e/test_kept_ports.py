# SPDX-License-Identifier: Apache-2.0
"""The ports over a restart under a real systemd: kept by it for the service, or those of socket units."""

import json
import re
import shlex
import signal
import socket

import lab
import pytest
from conftest import QUICK
from service_manager import PROGRAM, UNIT, PackagedService, agent_unit, boot_script
from steady_client import ANSWER, PATIENCE, check, steady_clients

BOOT = boot_script(
    overlays=("etc",),
    install=PackagedService.INSTALL,
    setup=agent_unit(),
    wants="wcs-node-agent.service",
)
SOCKETS = ("wcs-node-agent.socket", "wcs-node-agent-metrics.socket")
UNITS = "/run/systemd/system"


class Service(PackagedService):
    def wait_for_line(self, pattern):
        try:
            lab.wait_until(lambda: re.search(pattern, self.agent_log()), pattern, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; the log:\n{self.agent_log()}") from None

    def add_socket_units(self, **replaced):
        """As they are packaged, but for what is replaced of their text."""
        for unit in SOCKETS:
            text = (UNIT.parent / unit).read_text().replace("[Unit]\n", "[Unit]\nDefaultDependencies=no\n")
            for old, new in replaced.items():
                text = text.replace(old.replace("_", " "), new)
            self.must(f"printf '%s' {shlex.quote(text)} >{UNITS}/{unit}")
        self.must(f"systemctl stop wcs-node-agent; systemctl daemon-reload; systemctl start {' '.join(SOCKETS)}")


@pytest.fixture
def service(start, simulator):
    systemd = start(Service, "systemd", BOOT, *QUICK, f"--wcs-url={simulator.url}")
    systemd.wait_until_active(PATIENCE)
    yield systemd
    systemd.inside(f"systemctl stop {' '.join(SOCKETS)} wcs-node-agent; {PROGRAM} unpin")


def is_refused(address, port):
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        return client.connect_ex((address, port)) != 0


def doctor(service):
    """Its report, with one blank where columns have more."""
    return re.sub(" +", " ", service.inside(f"{PROGRAM} doctor").stdout)


def listeners():
    """Addresses of this network's listening sockets at the two ports."""
    rows = lab.run("ss", "-Hltn", "( sport = :9707 or sport = :9708 or sport = :9717 )").splitlines()
    return sorted(row.split()[3] for row in rows)


def test_a_restart_refuses_nobody_and_answers_everybody(service):
    with steady_clients() as clients:
        for _ in range(3):
            service.must("systemctl restart wcs-node-agent")
            for client in clients:
                client.wait_for_answers()
    service.wait_for_line(r"kept by systemd over the restart: 0\.0\.0\.0:9707, 127\.0\.0\.1:9708, \[::\]:9707")
    assert listeners() == ["0.0.0.0:9707", "127.0.0.1:9708", "[::]:9707"]


def test_who_connects_while_a_killed_agent_comes_back_is_answered(service):
    """What the killed one had accepted is lost with it, but nobody is refused."""
    pid = service.show("MainPID")
    with steady_clients(failures=ConnectionRefusedError):
        service.must(f"kill -{signal.SIGKILL.value} {pid}")
        lab.wait_until(lambda: service.show("MainPID") not in (pid, "0"), "another process", PATIENCE)
    assert service.show("NRestarts") == "1"


def test_a_stop_frees_the_ports_and_the_next_start_has_nothing_kept(service):
    service.must("systemctl stop wcs-node-agent")
    assert listeners() == []
    assert service.show("NFileDescriptorStore") == "0"
    service.must("systemctl start wcs-node-agent")
    check()
    assert "kept by systemd" not in service.agent_log()


def test_a_restart_goes_by_the_configuration_as_it_is_then(service):
    service.write_config(agent_listen=["127.0.0.1:9707"], profiles={"hls": {"agent_listen": ["127.0.0.1:9717"]}})
    with steady_clients():
        service.must("systemctl restart wcs-node-agent")
        lab.wait_until(
            lambda: listeners() == ["127.0.0.1:9707", "127.0.0.1:9708", "127.0.0.1:9717"],
            "what is not asked for any more goes",
            PATIENCE,
        )
        service.must("systemctl restart wcs-node-agent")
    service.wait_for_line(r"kept by systemd over the restart: 127\.0\.0\.1:9707, 127\.0\.0\.1:9708, 127\.0\.0\.1:9717")


def test_a_reload_changes_what_is_kept(service):
    """The old address of a port is not in the way of the next start, nor is an old port open."""
    service.write_config(agent_listen=["127.0.0.1:9707", "127.0.0.1:9717"])
    service.must("systemctl reload wcs-node-agent")
    service.wait_for_line("reload: done: agent_listen")
    lab.wait_until(lambda: service.show("NFileDescriptorStore") == "3", "three ports are kept", PATIENCE)
    service.write_config(agent_listen=["127.0.0.1:9707"])
    with steady_clients():
        service.must("systemctl reload wcs-node-agent")
        lab.wait_until(lambda: is_refused("127.0.0.1", 9717), "it is free", PATIENCE)
        lab.wait_until(lambda: service.show("NFileDescriptorStore") == "2", "two ports are kept", PATIENCE)
        service.must("systemctl restart wcs-node-agent")
    assert listeners() == ["127.0.0.1:9707", "127.0.0.1:9708"]


def test_socket_units_answer_from_before_the_start_and_over_restarts(service):
    service.add_socket_units()
    assert service.show("ActiveState") == "inactive"
    assert ANSWER.fullmatch(lab.ask_agent("127.0.0.1:9707", timeout=PATIENCE)), "who connects starts the service"
    assert service.show("ActiveState") == "active"
    log = service.agent_log()
    for passed in ("agent_listen 0.0.0.0:9707", "agent_listen [::]:9707", "metrics_listen 127.0.0.1:9708"):
        assert f"systemd passes {passed}" in log
    assert service.show("NFileDescriptorStore") == "0", "they are not kept twice"
    with steady_clients():
        for _ in range(2):
            service.must("systemctl restart wcs-node-agent")
        service.must("systemctl stop wcs-node-agent")  # the next check starts it again
    assert "agent_listen 0.0.0.0:9707 is the running agent's" in doctor(service)
    service.must("systemctl stop wcs-node-agent")
    if service.show("ActiveState") == "inactive":
        assert "agent_listen 0.0.0.0:9707: systemd listens there and starts" in doctor(service)
    service.must(f"systemctl stop {' '.join(SOCKETS)} wcs-node-agent")
    assert listeners() == []


def test_a_socket_unit_holds_against_the_configuration_and_the_log_says_so(service):
    service.add_socket_units()
    service.write_config(metrics_listen=["0.0.0.0:9708"], agent_listen=["0.0.0.0:9707", "[::]:9707"])
    service.must("systemctl start wcs-node-agent")
    assert "metrics_listen 0.0.0.0:9708: the running agent listens at 127.0.0.1:9708 in its place" in doctor(service)
    difference = "metrics_listen: a socket unit passes 127.0.0.1:9708, which holds; the configuration has 0.0.0.0:9708"
    assert difference in service.agent_log()
    assert "agent_listen: a socket unit passes" not in service.agent_log(), "the packaged unit has the default addresses"
    assert listeners() == ["0.0.0.0:9707", "127.0.0.1:9708", "[::]:9707"]
    service.write_config(metrics_listen=["127.0.0.1:9708"], agent_listen=["127.0.0.1:9707"])
    with steady_clients():
        service.must("systemctl reload wcs-node-agent")
        service.wait_for_line("agent_listen: a socket unit passes .* the configuration has 127.0.0.1:9707")
    assert listeners() == ["0.0.0.0:9707", "127.0.0.1:9708", "[::]:9707"]


def test_one_socket_of_both_families_serves_ipv4_too(service):
    service.add_socket_units(**{"ListenStream=[::]:9707\n": "ListenStream=9707\n", "ListenStream=0.0.0.0:9707\n": "", "BindIPv6Only=ipv6-only": ""})
    check()
    assert "a socket unit passes" not in service.agent_log()

    def last_source():
        last = json.loads(lab.http_get("127.0.0.1:9708", "/status")[2])["agent"]["last_check"]
        return last and last["source"]

    assert lab.wait_until(last_source, "the check is in a sample", PATIENCE) == "127.0.0.1"
