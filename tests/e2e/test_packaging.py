# SPDX-License-Identifier: Apache-2.0
"""What is packaged passes the checker of the program that it is for."""

import json
import re
import shlex
import shutil
import subprocess

import lab
import pytest

PACKAGING = lab.ROOT / "packaging"
README = (lab.ROOT / "README.md").read_text()
DOCUMENTED_BUILD, DOCUMENTED_INSTALL = re.findall("^    (cmake .*)", README, re.MULTILINE)


def checked(*command):
    """Runs a checker that must find nothing; what it says on standard error."""
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stderr


@pytest.mark.parametrize("example", sorted(lab.HAPROXY_EXAMPLES.glob("*.cfg")), ids=lambda path: path.name)
def test_haproxy_takes_each_example_without_a_remark(example, tmp_path, monkeypatch):
    monkeypatch.setenv("SITE_PEM", str(lab.certificate(tmp_path, "lb.example.org")))
    monkeypatch.setenv("STATE_FILE", str(tmp_path / "state"))
    (tmp_path / "state").write_text("1\n")
    assert "WARNING" not in checked("/usr/sbin/haproxy", "-c", "-f", str(example))


def test_systemd_takes_the_unit(tmp_path):
    unit = (PACKAGING / "systemd/wcs-node-agent.service").read_text()
    installed = tmp_path / "wcs-node-agent.service"
    program = tmp_path / "wcs-node-agent"  # a path without a space, wherever the tree is
    program.symlink_to(lab.AGENT)
    installed.write_text(unit.replace("/usr/sbin/wcs-node-agent", str(program)))
    sockets = [shutil.copy2(socket, tmp_path) for socket in (PACKAGING / "systemd").glob("*.socket")]
    assert len(sockets) == 2
    assert checked("systemd-analyze", "verify", "--man=no", str(installed), *sockets) == ""


def test_unit_is_hardened():
    unit = PACKAGING / "systemd/wcs-node-agent.service"
    checked("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))


def test_default_configuration_is_accepted():
    checked(lab.AGENT, "config", "check", str(PACKAGING / "config.json"))


def test_manual_page_has_no_fault():
    page = PACKAGING / "man/wcs-node-agent.8"
    assert checked("man", "--warnings", "-l", "-Tutf8", "-Z", str(page)) == ""


def test_documented_install_builds_the_agent_alone(tmp_path):
    assert DOCUMENTED_BUILD == "cmake --preset install && cmake --build --preset install"
    checked("cmake", "-S", str(lab.ROOT), "--preset", "install", "-B", str(tmp_path))
    assert "GTest" not in (tmp_path / "CMakeCache.txt").read_text()
    presets = json.loads((lab.ROOT / "CMakePresets.json").read_text())["buildPresets"]
    targets = next(preset["targets"] for preset in presets if preset["name"] == "install")
    commands = subprocess.check_output(("ninja", "-C", tmp_path, "-t", "commands", *targets), text=True)
    folders = {folder for folder, rest in re.findall(r" -o (?:\./)?([^/\s]+)(\S*)", commands)}
    assert {"src", "wcs-node-agent"} <= folders <= {"src", "bpf", "CMakeFiles", "wcs-node-agent"}


@pytest.mark.skipif(
    not lab.AGENT.startswith(str(lab.ROOT / "build/")), reason="needs the build folder of the agent"
)
def test_install_puts_everything_in_its_place_and_keeps_an_edited_configuration(tmp_path):
    build = lab.AGENT.removesuffix("/wcs-node-agent")
    documented = ("cmake", "--install", "build/install", *shlex.split(DOCUMENTED_INSTALL)[3:])
    assert shlex.join(documented) == DOCUMENTED_INSTALL
    install = ("env", f"DESTDIR={tmp_path}", *documented[:2], build, *documented[3:])
    checked(*install)
    sections = subprocess.check_output(("readelf", "-SW", tmp_path / "usr/sbin/wcs-node-agent"), text=True)
    assert ".text" in sections and ".symtab" not in sections and ".debug" not in sections
    config = tmp_path / "etc/wcs-node-agent/config.json"
    for path in (
        "usr/sbin/wcs-node-agent",
        "usr/share/man/man8/wcs-node-agent.8",
        "usr/lib/systemd/system/wcs-node-agent.service",
        "usr/lib/systemd/system/wcs-node-agent.socket",
        "usr/lib/systemd/system/wcs-node-agent-metrics.socket",
        "etc/wcs-node-agent/config.json",
        "usr/share/bash-completion/completions/wcs-node-agent",
        "usr/share/zsh/site-functions/_wcs-node-agent",
        "usr/share/doc/wcs-node-agent/monitoring.md",  # to which runbook_url of each alert leads
        *(
            f"usr/share/doc/wcs-node-agent/examples/{example}"
            for example in (
                *("nginx/websdk.conf", "xinetd/wcs-node-agent-check"),
                *("wcs/flashphoner.properties", "services"),
                *("prometheus/scrape-static.yml", "prometheus/rules/alerts.yml", "prometheus/targets/wcs.yml"),
                *("grafana/wcs-node.json", "scaling/cloudwatch"),
            )
        ),
    ):
        assert (tmp_path / path).is_file(), path
    unit = (tmp_path / "usr/lib/systemd/system/wcs-node-agent.service").read_text()
    assert "\nExecStart=/usr/sbin/wcs-node-agent run " in unit
    config.write_text(json.dumps({"cpu": 50}))
    checked(*install)
    assert json.loads(config.read_text()) == {"cpu": 50}
