# SPDX-License-Identifier: Apache-2.0
"""Debian systems in folders, for the tests of packages: `package_roots.py` downloads what is missing.

Each is kept in build/package-roots as long as its release and its packages are the same; nothing is installed on the
machine. Needs root, mmdebstrap and the Debian mirror that apt uses.
"""

import functools
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
import debian_archive  # noqa: E402

ROOT = debian_archive.ROOT
PACKAGES = ROOT / "build/packages"
CACHE = ROOT / "build/package-roots"


@functools.cache
def package(pattern):
    """The package file of that name in build/packages; ends the program where it is not one."""
    found = sorted(PACKAGES.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{PACKAGES} has {len(found)} of {pattern}: run tools/package")
    return found[0]


@dataclass(frozen=True)
class Root:
    """A release with some packages, and without the agent's."""

    release: str
    packages: tuple

    @property
    def folder(self):
        key = hashlib.sha256(repr(self.packages).encode()).hexdigest()[:12]
        return CACHE / f"{self.release}-{key}"

    def fetch(self):
        """Its folder, downloaded at first use; ends the program where that fails."""
        if not self.folder.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            for outdated in CACHE.glob(f"{self.release}-*"):
                shutil.rmtree(outdated)
            mirror = debian_archive.mirror()
            print(f"downloading Debian {self.release} from {mirror}", flush=True)
            making = CACHE / f"making-{self.release}"
            shutil.rmtree(making, ignore_errors=True)
            include = [f"--include={','.join(self.packages)}"] if self.packages else []
            command = ["mmdebstrap", "--variant=minbase", *include, "--dpkgopt=force-unsafe-io"]
            done = subprocess.run([*command, self.release, making, mirror], capture_output=True, text=True)
            if done.returncode:
                shutil.rmtree(making, ignore_errors=True)
                sys.exit(f"mmdebstrap: {done.stderr[-2000:]}\nIs the mirror reachable, and does it still have {self.release}?")
            making.rename(self.folder)
        return self.folder


def bookworm():
    """With systemd, rpm, what tests call, and what the agent's package depends on."""
    depends = subprocess.check_output(["dpkg-deb", "-f", package("wcs-node-agent_*_amd64.deb"), "Depends"], text=True)
    names = sorted(one.split()[0] for one in depends.split(","))
    return Root("bookworm", ("curl", "dbus", "procps", "rpm", "systemd", "systemd-sysv", *names))


def bullseye():
    """Without a library of the agent's."""
    return Root("bullseye", ())


if __name__ == "__main__":
    try:
        for root in (bookworm(), bullseye()):
            root.fetch()
    except debian_archive.DebianError as error:
        sys.exit(str(error))
