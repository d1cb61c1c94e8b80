# SPDX-License-Identifier: Apache-2.0
"""What a real bash and a real zsh complete is what --help prints."""

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import time
from pathlib import Path

import lab
import pytest

FILES = lab.ROOT / "packaging/completion"
PATH = f"{Path(lab.AGENT).parent}:/usr/sbin:/usr/bin:/sbin:/bin"


class Terminal:
    """An interactive shell in a terminal of its own."""

    def __init__(self, command, folder):
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {"PATH": PATH, "TERM": "dumb", "HOME": str(folder)})

    def type(self, text):
        os.write(self._terminal, text.encode())

    def shown(self):
        """What it has written since."""
        text = b""
        while select.select([self._terminal], [], [], 0)[0]:
            text += os.read(self._terminal, 65536)
        return text.decode(errors="replace")

    def close(self):
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._terminal)


class Bash:
    """Its completion function is called as bash does."""

    def __init__(self, folder):
        self._folder = folder

    def matches(self, *words):
        script = """. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
            _wcs_node_agent; printf '%s\\n' "${COMPREPLY[@]}" """
        done = subprocess.run(
            ["bash", "-c", script, FILES / "wcs-node-agent.bash", "wcs-node-agent", *words],
            capture_output=True,
            text=True,
            cwd=self._folder,
            env={"PATH": PATH},
        )
        assert done.stderr == ""
        return set(done.stdout.split())

    def close(self):
        pass


class Zsh:
    """By Tab: what its completion adds, and then a mark, go to a file."""

    _SETUP = """
        fpath=({files} $fpath); autoload -U compinit; compinit -u -D; unsetopt beep
        compadd() {{
            local -a added
            if [[ " $* " != *" -"[ADO]" "* ]]; then builtin compadd -O added "$@"; print -rl -- $added >>added; fi
            builtin compadd "$@"
        }}
        mark() {{ print END >>added; BUFFER=; }}
        zle -N mark; bindkey '^T' mark; print READY >>added
    """

    def __init__(self, folder):
        self._added = folder / "added"
        self._terminal = Terminal(["zsh", "-f", "-i"], folder)
        setup = folder / "setup"
        setup.write_text(self._SETUP.format(files=shlex.quote(str(FILES))))
        self._terminal.type(". ./setup\r")
        self._read_until("READY")

    def _read_until(self, mark):
        def lines():
            self._terminal.shown()  # else it would wait for somebody to read
            found = self._added.read_text().split("\n") if self._added.exists() else []
            return found if mark in found else None

        return lab.wait_until(lines, f"{mark} of zsh", 60)

    def matches(self, *words):
        self._added.unlink()
        self._terminal.type(shlex.join(["wcs-node-agent", *words[:-1]]) + f" {words[-1]}\t\x14")
        return set(self._read_until("END")) - {"", "END"}

    def close(self):
        self._terminal.close()


@pytest.fixture(params=[Bash, Zsh])
def shell(request, tmp_path):
    (tmp_path / "file.json").touch()
    running = request.param(tmp_path)
    yield running
    running.close()


def help_of(command):
    return subprocess.check_output([lab.AGENT, *command, "--help"], text=True)


def commands_of(*command):
    """The words that may follow."""
    section = help_of(command).partition("Subcommands:\n")[2].partition("\n\n")[0]
    return set(re.findall("^  ([a-z]+) ", section, re.MULTILINE))


def options_of(command):
    names = "\n".join(line[:40] for line in help_of(command).splitlines() if line.startswith("  -"))
    return set(re.findall(r"--[a-z][a-z.-]+(?= |$)", names, re.MULTILINE))


def test_every_option_of_each_command_is_offered(shell):
    commands = [(name,) for name in commands_of()] + [("config", name) for name in commands_of("config")]
    assert {("run",), ("config", "show")} <= set(commands)
    assert {"--help", "--allow", "--kernel.pin-folder", "--when-unreadable"} <= options_of(("run",))
    for command in commands:
        assert shell.matches(*command, "--") == options_of(command), command


def test_commands_values_files_and_limits_are_offered(shell):
    assert shell.matches("") == commands_of()
    assert shell.matches("config", "") == {"check", "show"}
    assert shell.matches("run", "--source", "") == {"auto", "ebpf", "procfs"}
    assert shell.matches("run", "--source", "p") == {"procfs"}
    assert shell.matches("run", "--log-level", "d") == {"debug"}
    assert shell.matches("run", "--interface", "wan") == {"wan0"}
    assert shell.matches("config", "check", "fi") == {"file.json"}
    assert "file.json" in shell.matches("run", "--config", "fi")
    assert {"cpu", "band-in", "hls"} <= shell.matches("check", "")
    assert shell.matches("status", "--json", "--js") == {"--json"}, "a flag has no value"
    assert shell.matches("run", "--window", "") == set(), "nothing to guess"


def test_tab_in_bash(tmp_path):
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path)
    try:
        terminal.type(f". {shlex.quote(str(FILES))}/wcs-node-agent.bash\recho wcs-nod\b\b\bno")
        terminal.type("\x15wcs-node-agent unp\t--kernel.pin-f\t>typed\r")
        text = []
        lab.wait_until(lambda: text.append(terminal.shown()) or "unpin --kernel.pin-folder " in "".join(text), "Tab", 60)
    finally:
        terminal.close()


@pytest.mark.parametrize(("shell_name", "file"), [("bash", "wcs-node-agent.bash"), ("zsh", "_wcs-node-agent")])
def test_each_file_parses(shell_name, file):
    lab.run(shell_name, "-n", str(FILES / file))
