# SPDX-License-Identifier: Apache-2.0
"""Which interfaces the limits see, what a frame takes on the wire, and limits as shares of links."""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import lab
import pytest

BAND_OUT = 'wcs_node_limit{limit="band_out"}'
FULL = 'wcs_node_bandwidth_bytes_per_second{direction="out"}'  # absent before the window is full
MBPS = 1e6 / 8  # in bytes a second


def capabilities(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"CapEff:\s*(\w+)", status.read())[1], 16)


@contextlib.contextmanager
def link(name, *kind):
    """A link for the time of the block, up."""
    lab.ip("link", "add", name, "type", *kind)
    try:
        lab.ip("link", "set", name, "up")
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], capture_output=True)


@contextlib.contextmanager
def tun(name, mode="tun"):
    """A tun, whose driver takes any speed that it is told."""
    lab.ip("tuntap", "add", name, "mode", mode)
    try:
        lab.ip("link", "set", name, "up")
        yield name
    finally:
        lab.ip("link", "delete", name)


@contextlib.contextmanager
def tap(name):
    """The same with Ethernet, open, so that it has a carrier."""
    with tun(name, "tap"), open("/dev/net/tun", "r+b", buffering=0) as device:
        flags = 0x1002  # IFF_TAP | IFF_NO_PI
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", name.encode(), flags))  # TUNSETIFF
        yield name


def set_speed(name, megabits):
    lab.run("ethtool", "-s", name, "speed", str(megabits), "duplex", "full")


def selected(agent):
    series = re.compile(r'wcs_node_interface_selected\{device="(.*)"\}')
    return {match[1] for match in map(series.fullmatch, agent.metrics()) if match}


def wait_until_selected(agent, *names):
    lab.wait_until(lambda: selected(agent) == set(names), f"selected: {names}")


def send_frames(name, count, payload):
    """Frames of no protocol that anybody answers, straight onto the device."""
    frame = b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(payload)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((name, 0))
        for _ in range(count):
            raw.send(frame)


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


def test_wire_overhead_is_in_the_rate_and_not_in_the_counters(start_agent):
    """All in one window, so that rates stand to each other as what was counted."""
    with link("ov0", "veth", "peer", "name", "ov1"):
        lab.ip("link", "set", "ov1", "up")
        agent = start_agent("--interface=ov0", "--window=6s", "--wire-overhead=1000")
        agent.wait_for_reply("^up ")
        send_frames("ov0", 200, 86)  # out: 100 bytes each
        send_frames("ov1", 300, 1386)  # in: 1400 bytes each

        def bytes_and_frames(page, direction):
            names = (f"wcs_node_network_{direction}_{unit}_total" for unit in ("bytes", "packets"))
            return [page[f'{name}{{device="ov0"}}'] for name in names]

        series = 'wcs_node_network_receive_packets_total{device="ov0"}'
        agent.wait_for_metric(series, lambda frames: frames >= 300)
        agent.wait_for_metric('wcs_node_bandwidth_bytes_per_second{direction="in"}', lambda rate: rate > 0)
        page = agent.metrics()
        bytes_in, frames_in = bytes_and_frames(page, "receive")
        bytes_out, frames_out = bytes_and_frames(page, "transmit")
        assert 300 * 1400 <= bytes_in < 310 * 1400, "the counters are without it"
        rate = {
            way: page[f'wcs_node_bandwidth_bytes_per_second{{direction="{way}"}}']
            for way in ("in", "out")
        }
        assert rate["in"] / rate["out"] == pytest.approx(
            (bytes_in + 1000 * frames_in) / (bytes_out + 1000 * frames_out), rel=0.02
        )
        limits = agent.status_json()["limits"]
        assert limits["band_in"]["value"] * 1e6 / 8 == pytest.approx(rate["in"], rel=0.2)


def test_bursts_take_no_node_down_before_the_window_is_full(start_agent):
    """4 Mbit/s in bursts of 2 Mbit: a limit of 6 is never reached over a window, and 8 is within half of one."""
    done = threading.Event()
    with link("bu0", "veth", "peer", "name", "bu1"):
        lab.ip("link", "set", "bu1", "up")

        def send_bursts():
            while not done.wait(0.5):
                send_frames("bu0", 250, 986)

        sender = threading.Thread(target=send_bursts)
        sender.start()
        try:
            for number in range(5):
                agent = start_agent(
                    *("--interface=bu0", "--band-out=6", "--window=2s", "--sample-interval=250ms"),
                    name=f"start{number}",
                    listen=f"127.0.0.1:{9740 + number}",
                    metrics=f"127.0.0.1:{9750 + number}",
                )
                replies = lab.watch(agent.reply, lambda _, agent=agent: FULL in agent.metrics(), "a full window")
                assert all(reply.startswith("up ") for reply in replies), replies
        finally:
            done.set()
            sender.join()


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
        agent.wait_for_line("limit band_out is unknown: no interface has the name gone0")
    with link("gone0", "veth", "peer", "name", "gone1"):
        agent.wait_for_reply("^up [0-9]+%$")


class TestPeaks:
    PEAK = 'wcs_node_bandwidth_peak_bytes_per_second{direction="out"}'

    def test_a_burst_shows_that_the_mean_hides(self, start_agent):
        with link("pk0", "veth", "peer", "name", "pk1"):
            lab.ip("link", "set", "pk1", "up")
            agent = start_agent("--interface=pk0", "--window=3s", "--peaks=on")
            agent.wait_for_metric(self.PEAK, lambda peak: peak < 1e6 / 8)
            agent.wait_for_metric('wcs_node_bandwidth_bytes_per_second{direction="out"}', lambda _: True)
            send_frames("pk0", 400, 1386)  # 4.5 Mbit within some milliseconds
            burst = agent.wait_for_metric(self.PEAK, lambda peak: peak > 50e6 / 8)
            page = agent.metrics()
            assert burst < 4.6e6 / 8 / 0.009, "no more than was sent, in the shortest time measured"
            assert page['wcs_node_bandwidth_bytes_per_second{direction="out"}'] < 5e6 / 8
            agent.wait_for_metric(self.PEAK, lambda peak: peak < 1e6 / 8)

    def test_what_is_not_measured_is_absent(self, start_agent):
        without = [
            start_agent(*options, name=name, listen=f"127.0.0.1:{port}", metrics=f"127.0.0.1:{port + 1}")
            for name, options, port in (
                ("off", (), 9717),
                ("procfs", ("--peaks=on", "--source=procfs"), 9727),
            )
        ]
        start_agent("--peaks=on").wait_for_metric(self.PEAK, lambda _: True)
        for agent in without:  # which have had longer for it
            assert self.PEAK not in agent.metrics()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.idle
def test_many_routes_cost_nothing_when_one_changes(start_agent):
    """65,536 routes; to list them all takes 8 % of a CPU where one comes and goes each 50 ms."""

    def batch(lines):
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)

    with link("full", "bridge"):
        lab.ip("address", "add", "10.95.0.1/24", "dev", "full")
        batch(f"route add 100.{n >> 8}.{n & 255}.0/24 via 10.95.0.2" for n in range(65_536))
        agent = start_agent()
        wait_until_selected(agent, "wan0")
        for _ in range(10):  # what the start takes is over
            time.sleep(0.1)
            agent.reply()
        before, begun = cpu_seconds(agent.pid), time.monotonic()
        while time.monotonic() < begun + 4:
            lab.ip("route", "add", "99.0.0.0/24", "via", "10.95.0.2")
            time.sleep(0.05)
            lab.ip("route", "delete", "99.0.0.0/24")
            time.sleep(0.05)
        share = (cpu_seconds(agent.pid) - before) / (time.monotonic() - begun)
        assert share < 0.02
        assert agent.reply().startswith("up ")


class TestShareOfTheLink:
    def test_it_follows_the_speed_without_any_capability(self, start_agent):
        with tun("sh0"):
            set_speed("sh0", 100)
            agent = start_agent("--interface=sh0", "--band-out=80%")
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 80 * MBPS)
            assert capabilities(agent.pid) & ~(1 << 12) == 0
            set_speed("sh0", 2500)
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 2000 * MBPS)
            agent.wait_for_line("band_out: 80% of 2500 Mbit/s")
            limit = agent.status_json()["limits"]["band_out"]
            assert (limit["maximum"], limit["share"]) == (2000, 80)

    def test_it_is_of_the_sum_of_the_links(self, start_agent):
        with tun("sh0"), tun("sh1"):
            set_speed("sh0", 100)
            set_speed("sh1", 900)
            agent = start_agent("--interface=sh*", "--band-in=50%", "--band-out=100%")
            metrics = agent.metrics()
            assert (metrics['wcs_node_limit{limit="band_in"}'], metrics[BAND_OUT]) == (500 * MBPS, 1000 * MBPS)

    def test_the_last_speed_stands(self, start_agent):
        with link("sh-br", "bridge"), tap("sh0"):
            set_speed("sh0", 2500)
            lab.ip("link", "set", "sh0", "master", "sh-br")  # whose speed it reports as its own
            agent = start_agent("--interface=sh-br", "--band-out=80%")
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 2000 * MBPS)
            lab.ip("link", "set", "sh0", "nomaster")
            agent.wait_for_line("no speed for sh-br any more: its last, 2500 Mbit/s, stands")
            assert agent.metrics()[BAND_OUT] == 2000 * MBPS
            lab.ip("link", "set", "sh0", "master", "sh-br")

    def test_a_new_link_without_speed_leaves_it_unchecked_and_the_node_up(self, start_agent):
        with tun("sh0"):
            set_speed("sh0", 2500)
            agent = start_agent("--interface=sh*", "--band-out=80%")
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 2000 * MBPS)
            with link("sh-none", "ifb"):
                lab.wait_until(lambda: BAND_OUT not in agent.metrics(), "no limit")
                agent.wait_for_reply("^up .*band_out unknown: the link's speed is not known$")
                agent.wait_for_line("error: band_out: not checked: .* none for sh-none")
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 2000 * MBPS)
            assert len(agent.lines("not checked")) == 1

    FAULT = (
        'band_out: "80%" is a share of the link\'s speed, and the kernel reports none for none0: '
        "give the limit in Mbit/s"
    )

    @pytest.mark.parametrize(
        "command", [("run", "--band-out=80%"), ("check", "band-out", "80%")], ids=" ".join
    )
    def test_a_link_without_speed_is_a_wrong_configuration(self, command):
        with link("none0", "ifb"):
            result = subprocess.run(
                [lab.AGENT, *command, "--interface=none0"],
                capture_output=True,
                text=True,
                timeout=30,
            )
        assert (result.returncode, result.stdout) == (2, "")
        assert self.FAULT + "\n" in result.stderr

    def test_a_speed_that_no_wire_has_is_none(self):
        """A veth's 10 Gbit/s are its driver's."""
        result = subprocess.run(
            [lab.AGENT, "check", "--interface=wan0", "band-out", "80%"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert self.FAULT.replace("none0", "wan0") + "\n" in result.stderr

    def test_check_takes_it(self, simulator):
        with tun("sh0"):
            set_speed("sh0", 1000)
            result = subprocess.run(
                [
                    *(lab.AGENT, "check", "--wcs-url", simulator.url, "--interface=sh0"),
                    *("cpu", "0", "band-out", "80%"),
                ],
                capture_output=True,
                text=True,
                timeout=30,
            )
        assert (result.stdout, result.returncode) == ("up 100%\n", 0), result.stderr

    def test_doctor_says_which_link_has_none(self):
        with link("none0", "ifb"):
            result = subprocess.run(
                [lab.AGENT, "doctor", "--interface=none0", "--band-out=80%"],
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert re.search(r"missing +band_out .*none for none0", result.stdout), result.stdout

    def test_a_reload_to_it_changes_nothing(self, start_agent, tmp_path):
        with link("none0", "ifb"):
            path = tmp_path / "config.json"
            path.write_text(json.dumps({"interface": "none0", "band_out": 500}))
            agent = start_agent(f"--config={path}")
            agent.wait_for_metric(BAND_OUT, lambda limit: limit == 500 * MBPS)
            path.write_text(json.dumps({"interface": "none0", "band_out": "80%", "band_in": 7}))
            agent.signal(signal.SIGHUP)
            agent.wait_for_line("reload: nothing changed: " + re.escape(self.FAULT))
            metrics = agent.metrics()
            assert metrics[BAND_OUT] == 500 * MBPS
            assert metrics['wcs_node_limit{limit="band_in"}'] == 100 * MBPS
