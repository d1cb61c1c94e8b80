# SPDX-License-Identifier: Apache-2.0
"""What `top` shows in terminals of other widths: parts that have no room are left out whole."""

import re

import lab
from test_top import Terminal

# Each part of the line, the least important ones last.
WEIGHT = (
    r"^weight +headroom: [\d.]+ % free"
    r"(, [\d.]+ new sessions take [\d.]+ %"
    r"(, capacity [\d.]+ of [\d.]+ sessions"
    r"(, at most \d+ connections for each of 1 balancers)?)?)?$"
)


def test_the_weight_is_told_in_whole_parts(start_agent, simulator, tmp_path):
    agent = start_agent("--policy=headroom", "--recent-sessions=10m")
    agent.wait_for_reply("^up")
    simulator.set(streams_webrtc_out=40)
    terminal = Terminal(tmp_path, (lab.AGENT, "top", "--metrics-listen", agent.metrics_address, "--delay=250ms"))
    try:
        parts = []
        for columns in (80, 90, 104, 200):
            terminal.resize(columns, 24)
            screen = terminal.wait_for(
                rf"^wcs-node-agent .{{{columns - 19}}} UTC\n(.*\n)*weight .* new sessions take .*\n(.*\n)*subscribers +40 of"
            )
            weight = re.search(WEIGHT, screen, re.MULTILINE)
            assert weight, screen
            parts.append(sum(part is not None for part in weight.groups()))
            heading = re.search(r"^LIMIT .* last \d+ (s|min)$", screen, re.MULTILINE)
            plotted = re.search(r"^subscribers .*$", screen, re.MULTILINE)
            assert heading and heading.end() - heading.start() == plotted.end() - plotted.start(), screen
        assert parts == sorted(parts) and parts[0] < parts[-1] == 3, parts
    finally:
        terminal.close()
