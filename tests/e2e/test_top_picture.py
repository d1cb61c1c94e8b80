# SPDX-License-Identifier: Apache-2.0
"""The picture of `top` in docs/images/, taken where WNA_SCREENSHOTS names that folder."""

import math
import os
import shutil
import time
from pathlib import Path

import lab
import terminal_picture
from test_top import Terminal

SCREENSHOTS = os.environ.get("WNA_SCREENSHOTS")
COLUMNS, ROWS = 90, 24


def test_picture(tmp_path, start_agent, simulator, media):
    """After a minute and a half in which the load comes and goes; without a place for it a few seconds."""
    agent = start_agent("--policy=headroom", "--recent-sessions=2s", "--window=2s", "--sample-interval=250ms")
    terminal = Terminal(
        tmp_path, (lab.AGENT, "top", "--metrics-listen", agent.metrics_address), COLUMNS, ROWS, TERM="tmux-256color"
    )
    picture = tmp_path / "top.png"
    try:
        for second in range(90 if SCREENSHOTS else 3):
            viewers = 44 + 22 * math.sin(second / 14)
            simulator.set(streams_webrtc_in=9 + second // 30, streams_webrtc_out=round(viewers))
            media.set(media_mbps=round(viewers * 0.9))
            agent.reply()
            time.sleep(1)
        terminal_picture.draw(terminal.screen("-e", "-N"), picture, COLUMNS, ROWS)
    finally:
        terminal.close()
    assert picture.read_bytes().startswith(b"\x89PNG")
    if SCREENSHOTS:
        shutil.copy(picture, Path(SCREENSHOTS) / "top.png")
