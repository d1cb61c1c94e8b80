# SPDX-License-Identifier: Apache-2.0
"""The commands, what they print and how they end."""

import json
import re
import subprocess

import lab
import pytest


def agent_command(*words, **options):
    return subprocess.run(
        [lab.AGENT, *words], capture_output=True, text=True, timeout=30, **options
    )


@pytest.fixture
def write_config(tmp_path):
    def write(text):
        path = tmp_path / "config.json"
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)

    return write


def test_version():
    result = agent_command("--version")
    assert result.returncode == 0
    assert re.fullmatch(r"wcs-node-agent \d+\.\d+\.\d+\n", result.stdout)


def test_help_names_every_command():
    result = agent_command("--help")
    assert result.returncode == 0
    for command in ("run", "check", "status", "config", "doctor"):
        assert command in result.stdout


@pytest.mark.parametrize(
    "words, named",
    [
        (("run", "--no-such-option"), ["--no-such-option"]),
        (("fly",), ["fly"]),
        ((), []),
        (("run", "--cpu", "much", "--allow", "10.0.0.1/8", "--agent-listen", "x"), ["much", "10.0.0.1/8", "x"]),
        (("run", "--when-stale", "panic", "--recover", "7"), ["panic", "7"]),
        (("run", "--config", "/no/such/file"), ["/no/such/file"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_wrong_usage_names_every_fault(words, named):
    result = agent_command(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert [word for word in named if word not in result.stderr] == []
    assert result.stderr != ""


def test_wrong_usage_is_that_even_where_nothing_can_be_told():
    """A service manager goes by the status."""
    with open("/dev/full", "w") as full:
        for words in (("--cpu", "much"), ("--user", "nobody-by-that-name")):
            assert subprocess.run([lab.AGENT, "run", *words], stderr=full).returncode == 2


def test_config_check_lists_every_fault_with_its_place(write_config):
    path = write_config({"band_out": -5, "cpuu": 90, "allow": ["127.0.0.1", "nonsense"]})
    result = agent_command("config", "check", path)
    assert result.returncode == 2
    for place in ("/band_out", "/cpuu", "/allow"):
        assert any(line.startswith(path) and place in line for line in result.stderr.splitlines())
    run = agent_command("run", "--config", path)
    assert run.returncode == 2
    assert run.stderr.count(path) >= 3


def test_config_check_tells_where_the_syntax_breaks(write_config):
    path = write_config('{\n    "cpu": 90,\n    oops\n}\n')
    result = agent_command("config", "check", path)
    assert result.returncode == 2
    assert f"{path}:3:" in result.stderr


def test_config_check_of_a_good_file(write_config):
    path = write_config('{ "cpu": 80 } // of the mean over CPUs\n')
    result = agent_command("config", "check", path)
    assert (result.returncode, result.stdout) == (0, f"{path}: ok\n")


def test_config_show_is_a_file_again_and_the_command_line_wins(write_config):
    path = write_config({"cpu": 80, "band_out": 500})
    shown = agent_command("config", "show", "--config", path, "--cpu", "70")
    assert shown.returncode == 0, shown.stderr
    config = json.loads(shown.stdout)
    assert (config["cpu"], config["band_out"], config["publishers"]) == (70, 500, 100)
    assert config["stale_after"] == "10s"
    again = agent_command("config", "show", "--config", write_config(shown.stdout))
    assert json.loads(again.stdout) == config


def test_doctor_tells_what_would_be_used():
    result = agent_command("doctor")
    assert "ebpf" in result.stdout.lower()
    assert "BTF" in result.stdout


def test_doctor_without_privileges_says_what_is_missing(readable_agent):
    result = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", readable_agent, "doctor"],
        capture_output=True,
        text=True,
    )
    assert "CAP_BPF" in result.stdout
    assert "procfs" in result.stdout


def test_status_of_a_running_agent(start_agent, simulator):
    simulator.set(streams_webrtc_out=25)
    agent = start_agent()
    agent.wait_for_reply("^up 75%$")
    found = ("--metrics-listen", agent.metrics_address)
    table = agent_command("status", *found)
    assert table.returncode == 0, table.stderr
    assert "up" in table.stdout and "75" in table.stdout
    for word in ("subscribers", "band_out", "wan0"):
        assert word in table.stdout
    status = agent_command("status", "--json", *found)
    assert status.returncode == 0
    assert json.loads(status.stdout).keys() == agent.status_json().keys()


def test_status_without_an_agent_says_where_it_asked():
    result = agent_command("status", "--metrics-listen", "127.0.0.1:1")
    assert (result.returncode, result.stdout) == (1, "")
    assert "127.0.0.1:1" in result.stderr


@pytest.mark.parametrize("words", [("--help",), ("--listen", "nowhere"), ("--no-such-option",)], ids=" ".join)
def test_usage_of_the_simulator(words):
    result = subprocess.run([lab.SIMULATOR, *words], capture_output=True, text=True, timeout=30)
    assert result.returncode == (0 if words == ("--help",) else 2)
