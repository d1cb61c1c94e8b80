# SPDX-License-Identifier: Apache-2.0
"""A Debian system of tools/lib/package_roots.py with its own systemd as process 1, in this network."""

import signal
import subprocess

import lab
import package_roots
from service_manager import Systemd

# What is written goes to a tmpfs, so each test has the system as it was downloaded.
BOOT = """set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /opt
mkdir /opt/written /opt/work /opt/root
mount -t overlay -o "lowerdir=$ROOT_FOLDER,upperdir=/opt/written,workdir=/opt/work" overlay /opt/root
cd /opt/root
mount --bind "$PACKAGES" mnt
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf -o mode=0700 bpf sys/fs/bpf
mount -t tmpfs -o mode=0755 tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for folder in run tmp; do mount -t tmpfs -o mode=1777 tmpfs $folder; done
chmod 755 run
mkdir old
pivot_root . old
cd /
umount --lazy /old
rmdir /old
rm -f /usr/sbin/policy-rc.d
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=journal
"""
UNIT = "wcs-node-agent.service"


class BootedRoot(Systemd):
    """Packages of build/packages are in /mnt."""

    def __init__(self, log, root):
        environment = {"ROOT_FOLDER": str(root.fetch()), "PACKAGES": str(package_roots.PACKAGES)}
        super().__init__(log, BOOT, environment)
        lab.wait_until(self._has_booted, "systemd has booted", 120, every=0.5)

    def _has_booted(self):
        state = self.run_inside("systemctl is-system-running").stdout.strip()
        assert state != "degraded", self.run_inside("systemctl --failed").stdout
        return state == "running"

    def run_inside(self, command, timeout=180):
        """Whatever its exit status is."""
        child = lab.wait_until(self.child, "systemd begins")
        return subprocess.run(
            ["nsenter", "-t", child, "--mount", "--pid", "--ipc", "env", "-i", "DEBIAN_FRONTEND=noninteractive"]
            + ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def inside(self, command):
        """Its output; it must succeed."""
        done = self.run_inside(command)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{self.journal()}"
        return done.stdout

    def journal(self):
        return self.run_inside(f"journalctl --no-pager -o cat -u {UNIT}").stdout

    def close(self):
        """At once, with all that runs in it: nothing is left that would be worth an orderly end."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def show(self, name):
        return self.inside(f"systemctl show --value -p {name} {UNIT}").strip()

    def is_active(self):
        return self.show("ActiveState") == "active"

    def exists(self, path):
        return self.run_inside(f"test -e {path}").returncode == 0

    def files(self):
        """All paths of its disk."""
        return set(self.inside("find / -xdev | sort").splitlines())


def reply():
    return lab.ask_agent("127.0.0.1:9707")


def page():
    return lab.parse_metrics(lab.http_get("127.0.0.1:9708", "/metrics")[2])
