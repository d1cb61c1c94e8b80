# SPDX-License-Identifier: Apache-2.0
"""A real systemd, as process 1 of a PID namespace, with file systems of its own."""

import json
import re
import shlex
import subprocess

import lab

UNIT = lab.ROOT / "packaging/systemd/wcs-node-agent.service"
PROGRAM = "/opt/wcs-node-agent"  # of a PackagedService
CONFIG = "/etc/wcs-node-agent/config.json"


def boot_script(overlays, install="", setup="", wants="", folders=()):
    """What becomes systemd. What that would clean up, start or write is this machine's, so of the overlays
    (paths without the first slash) the machine's own stay as they are, and folders are empty ones.

    install: shell commands while /tmp is still the machine's; setup: the last ones, for units in
    /run/systemd/system; wants: the unit to start.
    """
    return f"""set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /opt
for folder in {' '.join(overlays)}; do
    mkdir -p "/opt/$folder" "/opt/$folder.work"
    mount -t overlay -o "lowerdir=/$folder,upperdir=/opt/$folder,workdir=/opt/$folder.work" overlay "/$folder"
done
{install}
for folder in /run /tmp /var/tmp /var/lib/systemd /etc/systemd/system; do
    mount -t tmpfs tmpfs $folder
done
for folder in {' '.join(folders)}; do
    mount -t tmpfs -o mode=0755 tmpfs $folder
done
umount --lazy /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
mkdir -p /run/systemd/system
printf '[Unit]\\nWants={wants}\\nDefaultDependencies=no\\n' >/run/systemd/system/test.target
{setup}
mount --make-rshared /  # as outside of a container: credentials are mounted by a child
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --system --unit=test.target \\
    --log-target=console --log-level=info
"""


class Systemd(lab.Process):
    """Booted by such a script, in this network; environment is the script's."""

    def __init__(self, log, boot, environment):
        super().__init__(
            log,
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts"),
                *("--ipc", "--mount-proc", "sh", "-c", boot),
            ],
            env=environment,
        )

    def child(self):
        """systemd's process; None: unshare has not made it yet."""
        found = subprocess.run(["pgrep", "--parent", str(self.pid)], capture_output=True, text=True)
        if not self.running:
            raise RuntimeError(f"systemd has ended: {self.output()}")
        return next(iter(found.stdout.split()), None)

    def inside(self, command):
        child = lab.wait_until(self.child, "systemd begins")
        return subprocess.run(
            ["nsenter", "-t", child, "--mount", "--pid", "--ipc", "sh", "-c", command],
            capture_output=True,
            text=True,
            timeout=30,
        )


class AgentUnderSystemd(Systemd):
    """With the unit wcs-node-agent, whose program is there as $AGENT and whose output is LOG."""

    LOG = "/run/agent.log"

    def __init__(self, log, unit, boot, environment=None):
        super().__init__(log, boot, {"UNIT_TEXT": unit, "AGENT": lab.AGENT, **(environment or {})})

    def show(self, name):
        return self.inside(f"systemctl show --value -p {name} wcs-node-agent").stdout.strip()

    def agent_log(self):
        return self.inside(f"cat {self.LOG}").stdout


class PackagedService(AgentUnderSystemd):
    """By the unit as it is packaged, but for where the program and WCS are."""

    INSTALL = f'install -m 755 "$AGENT" {PROGRAM}\nmkdir {CONFIG.rpartition("/")[0]}'

    def __init__(self, log, boot, *options):
        unit = UNIT.read_text().replace("/usr/sbin/wcs-node-agent", PROGRAM)
        line = re.search("^ExecStart=.*$", unit, re.MULTILINE)[0]
        super().__init__(log, unit.replace(line, f"{line} {shlex.join(options)}"), boot)

    def wait_until_active(self, timeout):
        lab.wait_until(lambda: self.show("ActiveState") == "active", "the service is active", timeout)

    def lines(self):
        """What the service wrote, for a message."""
        return self.agent_log()

    def must(self, command):
        done = self.inside(command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{self.lines()}"
        return done.stdout

    def write_config(self, **settings):
        self.must(f"printf '%s' {shlex.quote(json.dumps(settings))} >{CONFIG}")


def agent_unit(*service_lines):
    """For setup: $UNIT_TEXT as the unit wcs-node-agent, with these lines in its section Service."""
    lines = "\\n".join((*service_lines, f"StandardError=append:{AgentUnderSystemd.LOG}"))
    return f"""mkdir -p /run/systemd/system/wcs-node-agent.service.d
printf '%s' "$UNIT_TEXT" >/run/systemd/system/wcs-node-agent.service
printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\n{lines}\\n' \\
    >/run/systemd/system/wcs-node-agent.service.d/test.conf"""
