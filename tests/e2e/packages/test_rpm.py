# SPDX-License-Identifier: Apache-2.0
"""The .rpm, by rpm itself in a booted system (Debian's, as that is what there is here)."""

import subprocess

import lab
import package_roots
from booted_root import UNIT

RPM = package_roots.package("*.x86_64.rpm")
CONFIG = "/etc/wcs-node-agent/config.json"
# Debian's rpm wants to be told twice; its database knows no package that could bring systemd.
COMMAND = "rpm --force-debian --nodeps"


def query(*what):
    return subprocess.check_output(["rpm", "-qp", *what, RPM], text=True, stderr=subprocess.DEVNULL).split()


def test_it_needs_systemd_and_no_library():
    assert {name for name in query("--requires") if not name.startswith(("rpmlib(", "<=")) and not name[0].isdigit()} == {
        "/bin/sh",
        "systemd",
    }


def test_the_configuration_alone_is_one():
    """And an upgrade does not replace it (n)."""
    flags = query("--qf", "[%{FILENAMES}=%{FILEFLAGS:fflags}\n]")
    assert [one for one in flags if "=c" in one] == [f"{CONFIG}=cn"]
    assert query("--licensefiles") == ["/usr/share/licenses/wcs-node-agent/LICENSE"]


def test_it_goes_into_an_empty_root_and_out_again(tmp_path):
    root = ["rpm", "--force-debian", "--root", tmp_path, "--nodeps", "--noscripts"]
    subprocess.run([*root, "-i", RPM], check=True)
    assert subprocess.run([*root, "-V", "wcs-node-agent"], capture_output=True, text=True).stdout == ""
    program = tmp_path / "usr/sbin/wcs-node-agent"
    assert "wcs-node-agent" in subprocess.check_output(["chroot", tmp_path, "/usr/sbin/wcs-node-agent", "--version"], text=True)
    (tmp_path / CONFIG.lstrip("/")).write_text('{"cpu": 50}')
    subprocess.run([*root, "-e", "wcs-node-agent"], check=True)
    assert not program.exists()
    left = [path.name for path in tmp_path.rglob("*") if path.is_file() and "rpmdb" not in path.name and path.name != ".rpm.lock"]
    assert left == ["config.json.rpmsave"]


def test_installing_does_not_start_it_an_upgrade_restarts_what_runs_and_removing_ends_all(debian):
    debian.inside(f"{COMMAND} -i /mnt/{RPM.name}")
    assert debian.inside(f"systemctl is-enabled {UNIT}").strip() == "enabled", "Debian's preset"
    assert debian.show("ActiveState") == "inactive"

    debian.inside(f"{COMMAND} -U --replacepkgs /mnt/{RPM.name}")
    assert debian.show("ActiveState") == "inactive", "what does not run is not started"

    debian.inside(f"systemctl start {UNIT}")
    first = debian.show("MainPID")
    debian.inside(f"{COMMAND} -U --replacepkgs /mnt/{RPM.name}")
    lab.wait_until(lambda: debian.is_active() and debian.show("MainPID") != first, "it was restarted", 60)
    assert "kernel.pin: counting has gone on" in debian.journal()

    debian.inside(f"{COMMAND} -e wcs-node-agent")
    assert debian.show("LoadState") == "not-found"
    for path in ("/sys/fs/bpf/wcs-node-agent", "/run/wcs-node-agent", "/usr/sbin/wcs-node-agent", CONFIG):
        assert not debian.exists(path), path
    assert debian.run_inside("pgrep -x wcs-node-agent").stdout == ""
    assert debian.inside("find /etc/systemd -name '*wcs-node-agent*'") == ""
