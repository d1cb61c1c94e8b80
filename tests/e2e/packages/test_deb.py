# SPDX-License-Identifier: Apache-2.0
"""The .deb in a Debian 12 of its own: installed, upgraded, removed, purged."""

import re
import shutil
import subprocess

import lab
import package_roots
import pytest
from booted_root import UNIT, page, reply

DEB = package_roots.package("wcs-node-agent_*_amd64.deb")
STATIC_DEB = package_roots.package("wcs-node-agent-static_*_amd64.deb")
ANSWER = re.compile(r"up \d+%|down # cpu ")  # the machine may be busy
CONFIG = "/etc/wcs-node-agent/config.json"
# What dpkg, systemd and the journal write whatever is installed.
OF_THE_SYSTEM = re.compile("/var/(lib/private$|(lib/(dpkg|systemd|apt|dbus)|log|cache|tmp)(/|$))|/tmp|/run|/dev|/etc/.*[.]lock$")


def installs(debian, file=f"/mnt/{DEB.name}"):
    debian.inside(f"dpkg -i {file}")
    lab.wait_until(debian.is_active, "the service runs", 60)


def transmitted():
    return page()['wcs_node_network_transmit_packets_total{device="wan0"}']


@pytest.fixture
def next_deb(tmp_path):
    """The same program as the version after this one, with another default in its configuration."""
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "-R", DEB, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub("^Version: .*$", "Version: 99.0-1", control.read_text(), flags=re.MULTILINE))
    config = tree / CONFIG.lstrip("/")
    config.write_text(config.read_text().replace('"cpu": 90', '"cpu": 91'))
    made = package_roots.PACKAGES / f".next-{tmp_path.name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, made], check=True, capture_output=True)
    shutil.rmtree(tree)
    yield f"/mnt/{made.name}"
    made.unlink()


def test_installing_enables_and_starts_what_answers_and_counts(debian, wcs):
    installs(debian)
    assert debian.inside(f"systemctl is-enabled {UNIT}").strip() == "enabled"
    wcs.set(streams_webrtc_out=25)
    lab.wait_until(lambda: page().get('wcs_subscribers{protocol="webrtc"}') == 25, "it reads WCS", 60)
    assert ANSWER.match(reply())
    assert page()['wcs_node_agent_source{source="ebpf"}'] == 1
    assert int(re.search(r"^Uid:\s+(\d+)", debian.inside(f"cat /proc/{debian.show('MainPID')}/status"), re.M)[1]) >= 61184
    assert ANSWER.match(debian.inside("wcs-node-agent check"))
    assert CONFIG in debian.inside("dpkg-query -W -f '${Conffiles}' wcs-node-agent")
    assert debian.inside("dpkg --verify wcs-node-agent") == ""
    for path in ("bash-completion/completions/wcs-node-agent", "zsh/vendor-completions/_wcs-node-agent", "man/man8/wcs-node-agent.8.gz"):
        assert f"/usr/share/{path}\n" in debian.inside("dpkg -L wcs-node-agent")


def test_an_upgrade_restarts_it_and_counting_goes_on(debian, media, next_deb):
    installs(debian)
    edited = '{"kernel": {"pin": true}, "cpu": "off"}'
    debian.inside(f"printf '%s' '{edited}' >{CONFIG}; systemctl restart {UNIT}")
    media.set(media_mbps=1)
    lab.wait_until(lambda: transmitted() > 100, "it counts", 60)
    first, before = debian.show("MainPID"), transmitted()
    debian.inside(f"dpkg --force-confold -i {next_deb}")
    lab.wait_until(lambda: debian.is_active() and debian.show("MainPID") != first, "it was restarted", 60)
    assert "kernel.pin: counting has gone on" in debian.journal()
    lab.wait_until(lambda: transmitted() > before, "the totals go on", 60)
    assert debian.inside(f"cat {CONFIG}") == edited
    assert '"cpu": 91' in debian.inside(f"cat {CONFIG}.dpkg-dist")


def test_an_upgrade_leaves_off_what_an_administrator_switched_off(debian, next_deb):
    installs(debian)
    debian.inside(f"systemctl disable --now {UNIT}")
    debian.inside(f"dpkg -i {next_deb}")
    assert debian.run_inside(f"systemctl is-enabled {UNIT}").stdout.strip() == "disabled"
    assert debian.show("ActiveState") == "inactive"
    assert '"cpu": 91' in debian.inside(f"cat {CONFIG}"), "a default that nobody edited is the new one"


def test_removing_ends_all_and_purging_leaves_nothing(debian):
    before, pinned = debian.files(), debian.inside("ls /sys/fs/bpf")
    installs(debian)
    debian.inside(f"printf '%s' '{{\"kernel\": {{\"pin\": true}}}}' >{CONFIG}; systemctl restart {UNIT}")
    assert "identity" in debian.inside("ls /sys/fs/bpf/wcs-node-agent/net-*")
    debian.inside("dpkg -r wcs-node-agent")
    assert not debian.exists("/sys/fs/bpf/wcs-node-agent")
    assert not debian.exists("/run/wcs-node-agent")
    assert debian.run_inside("pgrep -x wcs-node-agent").stdout == ""
    assert debian.exists(CONFIG), "until it is purged"
    assert debian.show("LoadState") == "not-found"

    installs(debian)
    assert '"pin"' in debian.inside(f"cat {CONFIG}"), "what was edited is there again"
    debian.inside("dpkg -P wcs-node-agent")
    left = {path for path in debian.files() - before if not OF_THE_SYSTEM.match(path)}
    assert left == set()
    assert debian.inside("find /var/lib/systemd -name '*wcs-node-agent*'") == ""
    assert debian.inside("ls /sys/fs/bpf") == pinned


def test_where_no_systemd_runs_it_is_installed_and_removed_without_a_start(tmp_path):
    """The static one, on a release that has none of its libraries."""
    root = tmp_path / "bullseye"
    script = f"""set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /opt
mkdir /opt/written /opt/work "{root}"
mount -t overlay -o "lowerdir={package_roots.bullseye().fetch()},upperdir=/opt/written,workdir=/opt/work" overlay "{root}"
cd "{root}"
mount -t proc proc proc
mount --bind "{package_roots.PACKAGES}" mnt
mount -t tmpfs tmpfs dev
touch dev/null; mount --bind /dev/null dev/null
exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec '
    dpkg -i /mnt/{STATIC_DEB.name}
    dpkg --verify wcs-node-agent
    wcs-node-agent config check
    wcs-node-agent check --source procfs --interface lo --wcs-url http://127.0.0.1:8081/
    dpkg -P wcs-node-agent
    find / -xdev -name "*wcs-node-agent*" -not -path "/mnt/*" -not -path "/var/log/*" -exec echo left: {{}} +'
"""
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search("^(up|down)", done.stdout, re.MULTILINE), done.stdout
    assert "left:" not in done.stdout
