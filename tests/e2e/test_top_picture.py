# SPDX-License-Identifier: Apache-2.0
"""The picture of `top` in docs/images/, taken where WNA_SCREENSHOTS names that folder."""

import math
import os
import re
import shutil
import time
from pathlib import Path

import lab
import pytest
import terminal_picture
from test_top import Terminal

SCREENSHOTS = os.environ.get("WNA_SCREENSHOTS")
COLUMNS, ROWS = 90, 24
LONGEST = 1200  # s


@pytest.fixture
def publishers(start, peer):
    """Media that comes in, 12 Mbit/s."""
    start(lab.Simulator, "from-publishers", *("--media-receive", "10.98.0.1:5006"))
    start(lab.Simulator, "publishers", *("--media-send", "10.98.0.1:5006", "--media-rate", "12"), network=peer)


def is_quiet(screen):
    """Whether none of the CPUs' means is of a machine that has something else to do."""
    cpus = re.search(r"^CPU %.*\n((\d.*\n)+)", screen, re.MULTILINE)
    return cpus and max(map(float, re.findall(r"\d+\.\d", cpus[1])), default=100) < 50


def test_picture(tmp_path, start_agent, simulator, media, publishers):
    """After three minutes in which the load comes and goes, so that plots are full, once the machine has been quiet
    for one; without a place for it a few seconds."""
    # These sessions do not follow the weight: with a window so short nothing is learned of that.
    headroom = ("--policy=headroom", "--recent-sessions=2s", "--capacity-window=1s")
    agent = start_agent(*headroom, "--window=2s", "--sample-interval=250ms")
    terminal = Terminal(
        tmp_path, (lab.AGENT, "top", "--metrics-listen", agent.metrics_address), COLUMNS, ROWS, TERM="tmux-256color"
    )
    picture = tmp_path / "top.png"
    try:
        for second in range(LONGEST if SCREENSHOTS else 3):
            viewers = 44 + 22 * math.sin(second / 14)
            simulator.set(streams_webrtc_in=9 + second // 60 % 4, streams_webrtc_out=round(viewers))
            media.set(media_mbps=round(viewers * 0.9))
            agent.reply()
            time.sleep(1)
            if second >= 180 and is_quiet(terminal.screen()):
                break
        terminal_picture.draw(terminal.screen("-e", "-N"), picture, COLUMNS, ROWS)
    finally:
        terminal.close()
    assert picture.read_bytes().startswith(b"\x89PNG")
    if SCREENSHOTS:
        shutil.copy(picture, Path(SCREENSHOTS) / "top.png")
