# SPDX-License-Identifier: Apache-2.0
"""Limits as a share of the links' speed."""

import json
import re
import signal
import subprocess

import lab
import pytest
from links import link, set_speed, tap, tun

BAND_OUT = 'wcs_node_limit{limit="band_out"}'
MBPS = 1e6 / 8  # in bytes a second


def capabilities(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"CapEff:\s*(\w+)", status.read())[1], 16)


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
