# SPDX-License-Identifier: Apache-2.0
"""Which interfaces the limits see: names, routes, what stands on what, what comes and goes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import lab
import pytest
from links import link, send_frames, wait_until_selected

BAND_OUT = 'wcs_node_limit{limit="band_out"}'
FULL = 'wcs_node_bandwidth_bytes_per_second{direction="out"}'  # absent before the window is full
MBPS = 1e6 / 8  # in bytes a second


class TestNames:
    def test_an_alternative_name_is_a_name(self, start_agent):
        with link("al0", "veth", "peer", "name", "al1"):
            lab.ip("link", "set", "al1", "up")
            lab.ip("link", "property", "add", "dev", "al0", "altname", "public-uplink-0")
            agent = start_agent("--interface=public-uplink-0", "--band-out=1", "--window=5s")
            wait_until_selected(agent, "al0")
            send_frames("al0", 20_000, 986)
            agent.wait_for_metric(
                'wcs_node_network_transmit_packets_total{device="al0"}', lambda frames: frames >= 20_000
            )
            agent.wait_for_reply("^down # band_out")

    @pytest.mark.parametrize("command", [("run",), ("check",)], ids=" ".join)
    def test_a_name_that_nothing_has_is_a_wrong_configuration(self, command):
        result = subprocess.run(
            [lab.AGENT, *command, "--interface=wan0@if2"], capture_output=True, text=True, timeout=30
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert re.search(
            'interface: no interface has the name "wan0@if2": there (is|are) .*wan0.*; '
            '"@if2" is no part of the name\n',
            result.stderr,
        ), result.stderr

    def test_a_glob_that_nothing_matches_yet_is_none(self, start_agent):
        agent = start_agent("--interface=late[0]")
        agent.wait_for_line("warning: no interface to hold the bandwidth limits against")
        with link("late0", "bridge"):
            wait_until_selected(agent, "late0")

    def test_a_reload_to_a_name_that_nothing_has_changes_nothing(self, start_agent, tmp_path):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"interface": "wan0", "band_out": 500}))
        agent = start_agent(f"--config={path}")
        wait_until_selected(agent, "wan0")
        path.write_text(json.dumps({"interface": ["wan0", "nobody"], "band_out": 7}))
        agent.signal(signal.SIGHUP)
        agent.wait_for_line('reload: nothing changed: interface: no interface has the name "nobody"')
        assert agent.metrics()[BAND_OUT] == 500 * MBPS

    def test_doctor_says_what_is_selected_and_why(self):
        def doctor(*options):
            return subprocess.run(
                [lab.AGENT, "doctor", *options], capture_output=True, text=True, timeout=60
            ).stdout

        assert re.search("ok +in the bandwidth limits +wan0, by the route to the internet", doctor())
        named = doctor("--interface=wan0", "--interface=nobody")
        assert re.search("ok +in the bandwidth limits +wan0, by its name", named), named
        assert re.search('missing +interface +no interface has the name "nobody"', named), named


class TestStackedLinks:
    def test_the_default_route_leads_down_and_is_followed(self, start_agent):
        agent = start_agent()
        wait_until_selected(agent, "wan0")
        with link("other", "bridge"), contextlib.ExitStack() as undo:
            lab.ip("link", "add", "link", "wan0", "name", "mv0", "type", "macvlan")
            undo.callback(lab.ip, "link", "delete", "mv0")
            undo.callback(lab.ip, "route", "replace", "default", "via", "10.98.0.2")
            for name, network in (("mv0", "10.94.0"), ("other", "10.95.0")):
                lab.ip("address", "add", f"{network}.1/24", "dev", name)
                lab.ip("link", "set", name, "up")
            lab.ip("route", "replace", "default", "via", "10.95.0.2")
            wait_until_selected(agent, "other")
            lab.ip("route", "replace", "default", "via", "10.94.0.2")
            wait_until_selected(agent, "wan0")

    def test_a_rule_and_its_table_are_followed(self, start_agent):
        agent = start_agent()
        wait_until_selected(agent, "wan0")
        with link("other", "bridge"), contextlib.ExitStack() as undo:
            lab.ip("address", "add", "10.95.0.1/24", "dev", "other")
            lab.ip("route", "add", "default", "via", "10.95.0.2", "table", "201")
            lab.ip("rule", "add", "pref", "100", "lookup", "201")
            undo.callback(subprocess.run, ["ip", "rule", "delete", "pref", "100"], capture_output=True)
            wait_until_selected(agent, "other")
            lab.ip("rule", "delete", "pref", "100")
            wait_until_selected(agent, "wan0")

    def test_what_globs_choose_is_never_summed_twice(self, start_agent):
        with link("st0", "veth", "peer", "name", "end0"), link("st-br", "bridge"):
            lab.ip("link", "set", "end0", "up")
            agent = start_agent("--interface=st*", "--window=1m")
            wait_until_selected(agent, "st0", "st-br")
            lab.ip("link", "set", "st0", "master", "st-br")
            wait_until_selected(agent, "st0")
            agent.wait_for_line("st-br is left out of the sum, as its frames are counted on st0")
            lab.ip("link", "set", "st-br", "mtu", "1400")  # a change that changes no choice
            lab.ip("link", "set", "st0", "nomaster")
            wait_until_selected(agent, "st0", "st-br")
            assert len(agent.lines("is left out of the sum")) == 1


def followed(agent, prefix):
    series = re.compile(rf'wcs_node_network_transmit_packets_total{{device="({prefix}\d+)"}}')
    return {match[1] for match in map(series.fullmatch, agent.metrics()) if match}


def programs_of(pid):
    """The identifiers of the BPF programs that a process holds, by themselves or by links."""
    found = set()
    for file in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            found |= set(map(int, re.findall(r"^prog_id:\s*(\d+)", file.read_text(), re.M)))
    return found


def loaded_programs():
    return {one["id"] for one in json.loads(lab.run("bpftool", "-j", "prog", "show"))}


def test_many_links_at_once_are_followed_while_checks_are_answered(start_agent, peer):
    """They appear together, one goes to another network and comes back, and all end with it."""
    count = 40
    names = {f"many{n}" for n in range(count)}
    agent = start_agent("--interface=wan0")
    agent.wait_for_reply("^up ")
    try:
        links = "".join(f"link add many{n} up type veth peer name ynam{n}\n" for n in range(count))
        subprocess.run(["ip", "-batch", "-"], input=links, text=True, check=True)
        answers = 0
        while followed(agent, "many") != names:
            assert agent.reply().startswith("up ")
            answers += 1
            assert answers < 20_000, f"followed: {sorted(followed(agent, 'many'))}"
        assert answers > 0, "else the test shows nothing"

        lab.ip("link", "set", "many7", "netns", str(peer.pid))
        lab.wait_until(lambda: followed(agent, "many") == names - {"many7"}, "many7 has gone")
        peer.ip("link", "set", "many7", "netns", str(agent.pid))
        lab.ip("link", "set", "many7", "up")
        lab.wait_until(lambda: followed(agent, "many") == names, "many7 is back")
        lab.ip("link", "set", "ynam7", "up")
        series = 'wcs_node_network_transmit_packets_total{device="many7"}'

        def counted():
            send_frames("many7", 100, 86)  # lost, until the kernel has seen its carrier
            return agent.metrics()[series] >= 100

        lab.wait_until(counted, "many7 is counted again")
        programs = programs_of(agent.pid)
        assert programs and programs <= loaded_programs(), "else the next lines show nothing"
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0
        lab.wait_until(lambda: not programs & loaded_programs(), "no program is left")
    finally:
        for name in names:
            subprocess.run(["ip", "link", "delete", name], capture_output=True)


def test_an_interface_that_is_gone_makes_the_sum_unknown_and_not_smaller(start_agent):
    with link("gone0", "veth", "peer", "name", "gone1"):
        agent = start_agent("--interface=gone0", "--interface=wan0", "--stale-after=1s", "--sample-interval=100ms")
        agent.wait_for_reply("^up [0-9]+%$")
        lab.ip("link", "delete", "gone0")
        unknown = "band_in, band_out unknown: no interface has the name gone0"
        agent.wait_for_reply(f"^up [0-9]+% # {unknown}$")
        page = agent.metrics()
        assert page['wcs_node_limit_unknown{limit="band_out"}'] == 1
        assert FULL not in page
        # A sample may come before the message that it has gone.
        agent.wait_for_line("limit band_out is unknown: (no interface has the name gone0|gone0 not counted)")
    with link("gone0", "veth", "peer", "name", "gone1"):
        agent.wait_for_reply("^up [0-9]+%$")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.idle
def test_many_routes_cost_nothing_when_one_changes(start_agent):
    """To list 65,536 of them takes some 15 times as long as what the agent asks for."""

    def batch(lines):
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)

    def cost_of_changes():
        """CPU seconds of the agent while 20 routes come and go."""
        before = cpu_seconds(agent.pid)
        for _ in range(20):
            lab.ip("route", "add", "99.0.0.0/24", "via", "10.95.0.2")
            time.sleep(0.05)
            lab.ip("route", "delete", "99.0.0.0/24")
            time.sleep(0.05)
        return cpu_seconds(agent.pid) - before

    with link("full", "bridge"):
        lab.ip("address", "add", "10.95.0.1/24", "dev", "full")
        agent = start_agent()
        wait_until_selected(agent, "wan0")
        few = cost_of_changes()
        batch(f"route add 100.{n >> 8}.{n & 255}.0/24 via 10.95.0.2" for n in range(65_536))
        agent.wait_for_samples()
        tick = 1 / os.sysconf("SC_CLK_TCK")
        assert cost_of_changes() < 4 * (few + 2 * tick)
        assert agent.reply().startswith("up ")
