# SPDX-License-Identifier: Apache-2.0
"""docs/terminal.md: its commands, and that its tables have what status and top print."""

import json
import os
import re
import shlex
import subprocess

import lab
import pytest
from documents import commands
from test_top import Terminal

GUIDE = "terminal.md"
TEXT = (lab.ROOT / "docs" / GUIDE).read_text()
OTHER = "http://192.0.2.11:9708"


def rows(heading):
    """The code in the first cells of a table, as lists."""
    table = TEXT[TEXT.index(f"\n| {heading} | ") :].lstrip("\n").partition("\n\n")[0]
    return [re.findall("`(.+?)`", line.split(" | ")[0]) for line in table.splitlines()[2:]]


@pytest.fixture
def node(start_agent, simulator):
    """An agent with its default ports, that somebody has asked."""
    simulator.set(streams_webrtc_out=40, streams_webrtc_in=12)
    agent = start_agent("--policy=headroom")
    agent.wait_for_reply("^up")
    assert agent.metrics_address == OTHER.replace("http://192.0.2.11", "127.0.0.1")
    return agent


def run(command):
    program, *words = shlex.split(command.replace(OTHER, "http://127.0.0.1:9708"))
    assert program == "wcs-node-agent"
    return (lab.AGENT, *words)


def printed(command):
    done = subprocess.run(run(command), capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_command_shows_the_node(node, tmp_path):
    live = {command for command in commands(GUIDE) if " top" in command and "--once" not in command}
    assert len(live) == 2
    for command in set(commands(GUIDE)) - live:
        text = printed(command)
        if "--json" in command:
            assert json.loads(text)["state"] == "up"
        else:
            assert re.search(r"(?m)^subscribers +40 +of 100", text), text
    for number, command in enumerate(live):
        folder = tmp_path / str(number)
        folder.mkdir()
        terminal = Terminal(folder, run(command))
        try:
            terminal.wait_for("^subscribers +40 of 100")
        finally:
            terminal.close()


def test_each_line_of_status_has_its_row(node):
    text = printed("wcs-node-agent status").partition("\n\n")[0]
    lines = [line[:12].rstrip() for line in text.splitlines()]
    told = [name for (name,) in rows("line")]
    assert [name for name in told if name in lines] == lines, text
    assert set(told) - set(lines) <= {"operator", "refused", "peaks"}, text


def test_each_part_and_each_key_of_top_has_its_row(node, tmp_path):
    terminal = Terminal(tmp_path, run("wcs-node-agent top"))
    try:
        screen = terminal.wait_for("^last check ")
        for (name,) in rows("part"):
            assert re.search(rf"(?m)^{re.escape(name)}[* ]", screen), screen
        terminal.press("h")
        screen = terminal.wait_for(r"^h, \? ")
        keys = [line.split("  ")[0].split(", ") for line in screen.partition("\nBars")[0].splitlines()[2:]]
        assert rows("key") == keys
    finally:
        terminal.close()
