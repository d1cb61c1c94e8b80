# SPDX-License-Identifier: Apache-2.0
"""The agent of a long run: everything that can be on is on, and its process can be looked at."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import lab

VALGRIND = (
    "valgrind",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect,possible",
    "--error-exitcode=99",
    "--vgdb=no",  # its pipes in /tmp would stay: the agent changes its user
    f"--suppressions={Path(__file__).with_name('valgrind.supp')}",
)


class Web:
    """TLS and a password for the metrics port, as a file for --web.config.file."""

    user, password = "prometheus", "correct horse"
    login = f"{user}:{password}"

    def __init__(self, folder):
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        lab.run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(self.certificate)),
        )
        hashed = lab.run("htpasswd", "-nbBC", "8", self.user, self.password).strip()
        self.file = folder / "web.yml"
        self.file.write_text(
            f"tls_server_config:\n  cert_file: {self.certificate}\n  key_file: {key}\n"
            f"basic_auth_users:\n  {self.user}: {hashed.split(':', 1)[1]}\n"
        )
        folder.chmod(0o755)  # the agent's own user reads it again at each reload
        for file in (self.certificate, key, self.file):
            file.chmod(0o644)


class AgentUnderTest(lab.Agent):
    def __init__(
        self, output, scratch, simulator, web, address, metrics, watchdog_seconds, under_valgrind
    ):
        self.web = web
        self.good = {
            "agent_listen": [address],
            "metrics_listen": [metrics],
            "allow": ["127.0.0.0/9"],
            "metrics_allow": ["127.0.0.0/9"],
            "wcs_url": simulator.url,
            "wcs_timeout": "1s",
            "cpu": "off",  # the machine is busy by intent
            "kernel": {"pin": True, "pin_folder": str(scratch / "bpf/agent")},
            "web_config_file": str(web.file),
        }
        self.bad = {**self.good, "allow": ["127.0.0.0/99"], "wcs_url": "gopher://x"}
        self._bpffs = scratch / "bpf"
        self._bpffs.mkdir()
        lab.run("mount", "-t", "bpf", "bpf", str(self._bpffs))
        self.config_file = scratch / "config.json"
        self.config_file.write_text(json.dumps(self.good))
        self.config_file.chmod(0o644)
        self.service_manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.service_manager.bind(str(scratch / "notify"))
        (scratch / "notify").chmod(0o777)
        self.valgrind_report = output / "valgrind.log"
        self._objects_before = kernel_objects()
        log = output / "agent.log"
        log.unlink(missing_ok=True)
        super().__init__(
            log,
            f"--config={self.config_file}",
            listen=None,
            metrics=None,
            prefix=(*VALGRIND, f"--log-file={self.valgrind_report}") if under_valgrind else (),
            env={
                "NOTIFY_SOCKET": self.service_manager.getsockname(),
                "WATCHDOG_USEC": str(watchdog_seconds * 1_000_000),
            },
        )
        self.address, self.metrics_address = address, metrics

    def settle(self):
        """Once it answers; what it has then is what it has at rest."""
        self.wait_until_listening(60)
        self.wait_for_reply("^up ", 60)
        time.sleep(2)
        self.resident_before, self.descriptors_before = self.resident_mib(), self.descriptors()

    def resident_mib(self):
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def capabilities(self):
        """Effective and permitted, joined."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        sets = [int(line.split()[1], 16) for line in lines if line[:7] in ("CapEff:", "CapPrm:")]
        return sets[0] | sets[1]

    def finish(self):
        """SIGTERM, then nothing of it may stay in the kernel; the exit status."""
        self.signal(15)
        status = self.wait(60)
        self.config_file.unlink()  # the last one may have been a bad one, or a FIFO
        self.config_file.write_text(json.dumps(self.good))
        lab.run(lab.AGENT, "unpin", f"--config={self.config_file}")
        return status

    def close(self):
        super().close()
        lab.run("umount", "--lazy", str(self._bpffs))

    def kernel_objects_left(self):
        """Those made since the start and not gone; the kernel frees some only after a moment."""
        deadline = time.monotonic() + 10
        while True:
            left = kernel_objects() - self._objects_before
            if not left or time.monotonic() > deadline:
                return sorted(left)
            time.sleep(0.2)


def kernel_objects():
    """Every BPF program, map and link of the machine, as `kind id name`."""
    objects = set()
    for kind in ("prog", "map", "link"):
        listed = subprocess.run(
            ["/usr/sbin/bpftool", "--json", kind, "list"], capture_output=True, text=True
        )
        for one in json.loads(listed.stdout or "[]"):
            objects.add((kind, one["id"], one.get("name", one.get("type", ""))))
    return objects
