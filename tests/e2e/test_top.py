# SPDX-License-Identifier: Apache-2.0
"""`wcs-node-agent top` in a real terminal, tmux's."""

import json
import os
import re
import shlex
import subprocess

import lab
import pytest
from links import link


class Terminal:
    """A tmux server of its own with one window, in which a command runs."""

    def __init__(self, folder, command, columns=80, rows=24, **env):
        self._socket = folder / "tmux"
        words = [f"{name}={value}" for name, value in {"LANG": "C.UTF-8", **env}.items()]
        shell = shlex.join(["env", *words, *map(str, command)])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                   f"trap : INT; {shell}; echo ended with $?; cat")  # fmt: skip

    def _tmux(self, *words):
        result = subprocess.run(
            ["tmux", "-u", "-S", self._socket, *words], capture_output=True, text=True, env={**os.environ, "TERM": "xterm-256color"}
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def screen(self, *options):
        return self._tmux("capture-pane", "-p", *options)

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for(self, pattern):
        """What the screen shows once it matches."""
        shown = ""

        def fits():
            nonlocal shown
            shown = self.screen()
            return re.search(pattern, shown, re.MULTILINE)

        try:
            lab.wait_until(fits, pattern, timeout=30)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{shown}") from None
        return shown

    def close(self):
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], capture_output=True)


@pytest.fixture
def open_terminal(tmp_path):
    opened = []

    def open_one(*command, **options):
        folder = tmp_path / f"terminal{len(opened)}"
        folder.mkdir()
        opened.append(Terminal(folder, command, **options))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.fixture
def node(start_agent, simulator):
    """An agent that sees 40 subscribers of 100, and 12 publishers."""
    simulator.set(streams_webrtc_out=40, streams_webrtc_in=12)
    agent = start_agent()
    agent.wait_for_reply("^up 60%$")
    return agent


def top(agent, *options):
    return (lab.AGENT, "top", "--metrics-listen", agent.metrics_address, "--delay=250ms", *options)


def test_shows_live_what_the_agent_sees(node, simulator, open_terminal, media):
    media.set(media_mbps=5)
    terminal = open_terminal(*top(node))
    terminal.wait_for(r"^state +UP, weight \d+ % +bottleneck subscribers, 40 % used")
    terminal.wait_for(r"^subscribers +40 of 100 +40 % ███▎ +▃")
    terminal.wait_for(r"^publishers +12 of 100 +12 %")
    terminal.wait_for(r"^wan0 +(\S+ +){3}([1-9]\d*\.\d) +\S+ +\S+$")
    terminal.wait_for(r"^0 +\d+\.\d")
    terminal.wait_for(r"publishers 12 \(webrtc 12\)  subscribers 40 \(webrtc 40\)  hls 0")
    simulator.set(streams_webrtc_out=120)
    terminal.wait_for(r"^state +DOWN, weight 0 % +bottleneck subscribers, 120 % used")
    assert node.reply().startswith("down # subscribers 120 of 100")
    terminal.wait_for(r"^last check +127.0.0.1, .* ago: down # subscribers 120 of 100")
    assert len(terminal.screen().rstrip("\n").split("\n")) == 24
    terminal.press("q")
    terminal.wait_for("ended with 0")


def test_keys(node, simulator, open_terminal):
    terminal = open_terminal(*top(node), rows=40)
    terminal.wait_for("every 250ms")
    assert not re.search("^cpu_core", terminal.screen(), re.MULTILINE)
    terminal.press("o")
    terminal.wait_for("^cpu_core .* of off")
    with link("other0", "veth", "peer", "name", "other1"):
        terminal.press("i")
        terminal.wait_for(r"^INTERFACE\*.*\nother0 +")
        terminal.press("i")
        terminal.wait_for(r"^INTERFACE\*.*\nwan0 +")
    terminal.press("s")
    terminal.wait_for(r"IN Mbit/s\* 2s")
    terminal.press("-")
    terminal.wait_for("every 500ms")
    terminal.press("+", "+", "+")
    terminal.wait_for("every 250ms")
    terminal.press("h")
    assert "subscribers" not in terminal.wait_for("^p, space +pause")
    terminal.press("h")
    terminal.wait_for("^subscribers +40 of")
    terminal.press("p")
    terminal.wait_for("paused")
    simulator.set(streams_webrtc_out=50)
    node.wait_for_reply("^up 50%$")
    assert re.search("^subscribers +40 of", terminal.screen(), re.MULTILINE)
    terminal.press("Space")
    terminal.wait_for("^subscribers +50 of")


def test_another_size(node, open_terminal):
    terminal = open_terminal(*top(node))
    terminal.wait_for("q quit")
    terminal.resize(120, 30)
    lab.wait_until(lambda: len(terminal.screen().rstrip("\n").split("\n")) == 30, "its last line is the lowest", 30)
    terminal.resize(60, 12)
    lab.wait_until(lambda: len(terminal.screen().rstrip("\n").split("\n")) == 12, "its last line is the lowest", 30)
    terminal.wait_for("^q quit")


def test_colours(node, simulator, open_terminal):
    """Of the terminal's, unless its user or its type wants none; what is bad is bold in any case."""
    green, red, bold = "\x1b[32m", "\x1b[31m", "\x1b[1m"
    simulator.set(streams_webrtc_out=120)
    node.wait_for_reply("^down")
    seen = {}
    for kind, env in {"colour": {}, "none": {"NO_COLOR": "1"}, "type": {"TERM": "vt100"}}.items():
        terminal = open_terminal(*top(node), **env)
        terminal.wait_for("DOWN")
        seen[kind] = terminal.screen("-e")
    assert green in seen["colour"] and red in seen["colour"].replace("\x1b[1m\x1b[31m", red)
    for kind in ("none", "type"):
        assert green not in seen[kind] and red not in seen[kind]
        assert bold in seen[kind]


def test_without_utf8(node, open_terminal):
    terminal = open_terminal(*top(node), LANG="C", LC_ALL="C")
    assert terminal.wait_for(r"^subscribers +40 of 100 +40 % ###\.\.\.\.\.").isascii()


def test_waits_for_an_agent_that_went_away(node, start_agent, simulator, open_terminal):
    terminal = open_terminal(*top(node))
    terminal.wait_for("^subscribers +40 of")
    node.close()
    terminal.wait_for(r"^http://127.0.0.1:\d+/status: .*refused")
    assert re.search("^subscribers +40 of", terminal.screen(), re.MULTILINE), "what it knew stays"
    simulator.set(streams_webrtc_out=30)
    again = start_agent(name="again")
    again.wait_for_reply("^up 70%$")
    assert "refused" not in terminal.wait_for("^subscribers +30 of")


@pytest.mark.parametrize("key", ["C-c", "q"])
def test_leaves_the_terminal_as_it_was(node, open_terminal, key):
    terminal = open_terminal(*top(node))
    terminal.wait_for("q quit")
    terminal.press(key)
    shown = terminal.wait_for("ended with 0")
    assert "q quit" not in shown
    terminal.press("typed", "Enter")  # echoed again, and given to cat
    terminal.wait_for("^typed\ntyped$")


def test_once_is_a_frame_of_text(node):
    shown = subprocess.run(top(node, "--once"), capture_output=True, text=True, env={"LC_ALL": "C"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"^state +UP, weight 60 % +bottleneck subscribers, 40 % used$", shown.stdout, re.MULTILINE)
    assert re.search(r"^wan0 +\d+\.\d +- +-", shown.stdout, re.MULTILINE)
    assert shown.stdout.isascii()
    assert "q quit" not in shown.stdout and "\x1b" not in shown.stdout


def test_plots_begin_with_what_the_agent_kept(node):
    def kept():
        return json.loads(node.get("/history")[2])["last"]

    began = kept()
    lab.wait_until(lambda: kept() > began + 13, "thirteen seconds of history", timeout=60)
    shown = subprocess.run(top(node, "--once"), capture_output=True, text=True, env={"LC_ALL": "C"})
    assert re.search(r"^subscribers .* --+$", shown.stdout, re.MULTILINE), shown.stdout


@pytest.mark.parametrize(
    ("options", "env", "told"),
    [
        ((), {}, "top needs a terminal; --once prints one frame"),
        (("--metrics-listen=127.0.0.1:9", "--once"), {}, "connection refused"),
        (("--web.config.file=/nowhere", "--once"), {}, "By it the agent would be asked."),
    ],
)
def test_says_why_it_shows_nothing(options, env, told):
    shown = subprocess.run([lab.AGENT, "top", *options], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert told in shown.stderr


def test_an_unknown_terminal_is_named(node, open_terminal):
    terminal = open_terminal(*top(node), TERM="nonsense")
    terminal.wait_for("the type of this terminal, TERM=nonsense, is not known here; --once prints one f\n")
