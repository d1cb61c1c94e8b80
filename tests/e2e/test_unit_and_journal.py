# SPDX-License-Identifier: Apache-2.0
"""The packaged unit under a real systemd with its journal: priorities of lines, the group of the control socket, and
what the agent says of its own process from behind the unit's walls."""

import json
import os
import re
import socket

import lab
import pytest
from conftest import QUICK
from service_manager import CONFIG, PROGRAM, PackagedService, boot_script

PATIENCE = 60  # s
# The journal is this system's alone: no lines of the kernel, and no auditing, which is the whole machine's.
JOURNAL = "[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitBurst=0\\n"
BOOT = boot_script(
    overlays=("etc", "var/lib"),
    install=f'{PackagedService.INSTALL}\nprintf "{JOURNAL}" >/etc/systemd/journald.conf',
    setup="""printf '%s' "$UNIT_TEXT" >/run/systemd/system/wcs-node-agent.service
mkdir /run/systemd/system/wcs-node-agent.service.d
printf '[Unit]\\nDefaultDependencies=no\\n' >/run/systemd/system/wcs-node-agent.service.d/test.conf""",
    wants="systemd-journald.service wcs-node-agent.service",
)
WARNING, ERROR, INFO = "4", "3", "6"  # syslog(3)


class Service(PackagedService):
    def lines(self):
        return self.journal()

    def journal(self):
        """(priority, text) of each line of the service."""
        lines = self.inside("journalctl -o json --no-pager _SYSTEMD_UNIT=wcs-node-agent.service").stdout.splitlines()
        return [(entry["PRIORITY"], entry["MESSAGE"]) for entry in map(json.loads, lines)]

    def wait_for_line(self, priority, pattern):
        def has():
            return any(re.search(pattern, text) and level == priority for level, text in self.journal())

        try:
            lab.wait_until(has, pattern, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}, of priority {priority}; the journal: {self.journal()}") from None

    def as_user(self, user, *words):
        """The finished command of the program, by one who has the groups that /etc/group says."""
        return self.inside(f"setpriv --reuid={user} --regid=nogroup --init-groups {PROGRAM} {' '.join(words)}")


@pytest.fixture
def service(start, simulator):
    systemd = start(Service, "systemd", BOOT, *QUICK, f"--wcs-url={simulator.url}")
    systemd.wait_until_active(PATIENCE)
    yield systemd
    systemd.inside(f"systemctl stop wcs-node-agent; {PROGRAM} unpin")


def test_lines_have_their_priority_in_the_journal(service, simulator):
    service.wait_for_line(INFO, "^answering HAProxy on ")
    service.must(f"{PROGRAM} drain")
    service.wait_for_line(WARNING, "^the operator says drain by root since ")
    service.write_config(bogus=1)
    service.must("systemctl kill --signal=SIGHUP wcs-node-agent")
    service.wait_for_line(ERROR, r"^reload: nothing changed: .*/bogus: unknown key")
    # What ends a start is an error too, each line of it.
    service.inside("systemctl restart --no-block wcs-node-agent")
    service.wait_for_line(ERROR, r"^[^:]*config\.json: /bogus: unknown key")
    assert all(not re.match("<[0-9]>", text) for _, text in service.journal())


def test_a_reload_that_the_agent_refuses_fails_and_says_why(service):
    """`config check` finds no fault in the file: that the port is taken the agent alone finds out."""

    def status():
        return service.show("StatusText")

    before = lab.wait_until(status, "a status", PATIENCE)
    with socket.create_server(("127.0.0.1", 9717)):
        service.write_config(agent_listen=["127.0.0.1:9707", "127.0.0.1:9717"])
        assert service.inside("systemctl reload wcs-node-agent").returncode != 0
        service.wait_for_line(ERROR, "^reload: nothing changed: agent_listen 127.0.0.1:9717: address already in use")
        by_hand = service.inside(f"{PROGRAM} reload")
        assert (by_hand.returncode, by_hand.stderr) == (
            1,
            "/run/wcs-node-agent/control.sock: reload was refused, nothing changed: "
            "agent_listen 127.0.0.1:9717: address already in use\n",
        )
        refused = f"{before}; the last reload was refused: agent_listen 127.0.0.1:9717: address already in use"
        lab.wait_until(lambda: status() == refused, refused, PATIENCE)
        service.must(f"{PROGRAM} drain")
        lab.wait_until(lambda: re.match(r"drain .*; the last reload was refused: ", status()), "with the next state", PATIENCE)
    service.must(f"{PROGRAM} ready; systemctl reload wcs-node-agent")
    assert service.must(f"{PROGRAM} reload") == "done\n"
    lab.wait_until(lambda: status() == before, "the reload that is done", PATIENCE)


def test_the_group_of_the_control_socket_gets_through_the_sandbox(service):
    service.must("groupadd operators && useradd -M -G operators alice && useradd -M mallory")
    service.write_config(control={"group": "operators"})
    service.must(
        "printf '[Service]\\nSupplementaryGroups=operators\\n' "
        ">/run/systemd/system/wcs-node-agent.service.d/group.conf; systemctl daemon-reload; systemctl restart wcs-node-agent"
    )
    assert service.must("stat -c '%a %G' /run/wcs-node-agent/control.sock") == "660 operators\n"
    said = service.as_user("alice", "drain")
    assert (said.returncode, said.stderr) == (0, "") and said.stdout.startswith("drain by alice since "), said
    lab.wait_until(lambda: lab.ask_agent("127.0.0.1:9707").startswith("up drain # by alice"), "HAProxy hears it", PATIENCE)

    refused = service.as_user("mallory", "ready")
    assert refused.returncode == 1
    assert refused.stderr == (
        "/run/wcs-node-agent/control.sock: permission denied to mallory: root and members of the group operators may\n"
    )
    not_hers = service.as_user("alice", "reload")
    assert (not_hers.returncode, "is for root and for the agent's own user" in not_hers.stderr) == (1, True), not_hers
    assert service.as_user("alice", "ready").stdout.startswith("ready by alice since ")


def test_without_the_units_group_the_socket_is_roots_and_a_warning_says_what_to_do(service):
    service.must("groupadd operators && useradd -M -G operators alice")
    service.write_config(control={"group": "operators"})
    service.must("systemctl restart wcs-node-agent")
    service.wait_for_line(WARNING, "cannot be given to group operators .*: under systemd SupplementaryGroups=operators lets")
    assert service.as_user("alice", "drain").returncode == 1
    service.must(f"{PROGRAM} drain")


def test_without_a_control_socket_a_reload_is_a_signal(service):
    service.write_config(control={"socket": ""})
    service.must("systemctl restart wcs-node-agent")
    service.write_config(control={"socket": ""}, subscribers=50)
    service.must("systemctl reload wcs-node-agent")
    service.wait_for_line(INFO, "^reload: done: subscribers: 100 -> 50")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_what_it_says_of_its_process_is_what_the_kernel_says(service):
    child = lab.run("pgrep", "--newest", "--full", f"^{PROGRAM} run").strip()
    page = os.sysconf("SC_PAGE_SIZE")
    ticks = 2 / os.sysconf("SC_CLK_TCK")

    def metrics():
        return lab.parse_metrics(lab.http_get("127.0.0.1:9708", "/metrics")[2])

    with open("/proc/stat") as stat:
        boot = int(re.search(r"(?m)^btime (\d+)$", stat.read())[1])
    with open(f"/proc/{child}/stat") as stat:
        started = boot + int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    assert metrics()["process_start_time_seconds"] == pytest.approx(started, abs=2)
    assert metrics()["process_max_fds"] == 16384, "as the unit has it"

    before = cpu_seconds(child)
    lab.wait_until(lambda: metrics()["process_cpu_seconds_total"] >= before, "a reading after that", PATIENCE)
    assert metrics()["process_cpu_seconds_total"] <= cpu_seconds(child) + ticks

    def agrees():
        with open(f"/proc/{child}/statm") as statm:
            virtual, resident = (int(pages) * page for pages in statm.read().split()[:2])
        descriptors, now = len(os.listdir(f"/proc/{child}/fd")), metrics()
        return (
            now["process_virtual_memory_bytes"] == virtual
            and abs(now["process_resident_memory_bytes"] - resident) < 1 << 20
            and abs(now["process_open_fds"] - descriptors) <= 2  # this scrape's connection, and the one before
        )

    lab.wait_until(agrees, "memory and descriptors are as the kernel has them", PATIENCE)
