# SPDX-License-Identifier: Apache-2.0
"""What a rate is made of: whole windows, the bytes beside a frame, peaks."""

import threading

import lab
import pytest
from links import link, send_frames

FULL = 'wcs_node_bandwidth_bytes_per_second{direction="out"}'  # absent before the window is full


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


class TestPeaks:
    PEAK = 'wcs_node_bandwidth_peak_bytes_per_second{direction="out"}'
    OVER_LIMIT = 'wcs_node_bandwidth_over_limit_ratio{direction="out"}'

    def test_a_burst_shows_that_the_mean_hides(self, start_agent):
        with link("pk0", "veth", "peer", "name", "pk1"):
            lab.ip("link", "set", "pk1", "up")
            agent = start_agent("--interface=pk0", "--window=3s", "--band-out=20")
            agent.wait_for_metric(self.PEAK, lambda peak: peak < 1e6 / 8)
            agent.wait_for_metric('wcs_node_bandwidth_bytes_per_second{direction="out"}', lambda _: True)
            assert agent.metrics()[self.OVER_LIMIT] == 0
            send_frames("pk0", 400, 1386)  # 4.5 Mbit within some milliseconds
            burst = agent.wait_for_metric(self.PEAK, lambda peak: peak > 50e6 / 8)
            page = agent.metrics()
            bucket = agent.status_json()["rates"]["peak_bucket_seconds"]
            assert 0.006 < bucket <= 0.0111
            assert burst < 4.6e6 / 8 / bucket, "no more than was sent, in one bucket"
            assert bucket * 0.99 < page[self.OVER_LIMIT] < 0.1, "one bucket at least, and few"
            assert page['wcs_node_bandwidth_bytes_per_second{direction="out"}'] < 5e6 / 8
            agent.wait_for_metric(self.PEAK, lambda peak: peak < 1e6 / 8)
            assert agent.metrics()[self.OVER_LIMIT] == 0

    def test_what_is_not_measured_is_absent(self, start_agent):
        without = [
            start_agent(*options, name=name, listen=f"127.0.0.1:{port}", metrics=f"127.0.0.1:{port + 1}")
            for name, options, port in (
                ("off", ("--peaks=off",), 9717),
                ("procfs", ("--source=procfs",), 9727),
            )
        ]
        start_agent().wait_for_metric(self.PEAK, lambda _: True)
        for agent in without:  # which have had longer for it
            assert self.PEAK not in agent.metrics()
