# SPDX-License-Identifier: Apache-2.0
"""Packages of Debian's archive for other releases and other architectures than the machine's.

apt downloads them and checks their signatures, with lists of its own: nothing is installed, and root is not needed.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class DebianError(Exception):
    """What did not work, and what to do about it."""


def output(*command, **options):
    """What a program of the system says; DebianError if it is not there or fails."""
    program = shutil.which(command[0], path=SYSTEM_PATH)
    if not program:
        raise DebianError(f"{command[0]} is missing: see tools/lib/packages")
    result = subprocess.run([program, *command[1:]], capture_output=True, text=True, **options)
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        raise DebianError(f"{' '.join(map(str, command))}: {said}")
    return result.stdout


def mirrors(label):
    """Those that apt uses on this machine."""
    return output(
        *("apt-get", "indextargets", "--format", "$(REPO_URI)"),
        *("Created-By: Packages", "Origin: Debian", f"Label: {label}", "Component: main"),
    ).split()


def mirror():
    """The first of them; DebianError if there is none."""
    known = mirrors("Debian")
    if not known:
        raise DebianError(
            "apt knows no Debian mirror to download from: run `apt-get update` if its sources name one, or else add one"
        )
    return known[0]


@dataclass(frozen=True)
class Archive:
    """A release for an architecture; with_updates: as it is installed today, security updates included."""

    release: str
    architecture: str = "amd64"
    with_updates: bool = False

    def download(self, names, folder):
        """These packages as files in the folder."""
        self._apt(folder, lambda apt: apt("apt-get", "download", "-qq", *names), " ".join(names))
        return sorted(folder.glob("*.deb"))

    def download_first_dependency(self, name, folder):
        """Of a package that stands for the newest version of another, that other one's file."""

        def run(apt):
            package = apt("apt-cache", "depends", name).split("Depends: ")[1].split()[0]
            apt("apt-get", "download", "-qq", package)

        self._apt(folder, run, name)
        return next(folder.glob("*.deb"))

    def unpack(self, names, folder):
        """These packages and all that they depend on, unpacked there and not set up."""
        apt_get = ("apt-get", "install", "-qq", "--yes", "--no-install-recommends", "--download-only")
        self._apt(folder, lambda apt: apt(*apt_get, *names), " ".join(names))
        for file in (folder / "apt/cache/archives").glob("*.deb"):
            output("dpkg-deb", "-x", file, folder)
        shutil.rmtree(folder / "apt")

    def _apt(self, folder, run, what):
        """run(apt), where apt(command...) knows this release alone and works in the folder."""
        place = f"Debian {self.release} for {self.architecture} from {mirror()}"
        print(f"downloading {what} of {place}", flush=True)
        state = folder / "apt"
        for part in ("lists/partial", "cache/archives/partial"):
            (state / part).mkdir(parents=True)
        (state / "status").touch()
        sources = (f"deb [signed-by={_KEYRING}] {source} main\n" for source in self._sources())
        (state / "sources.list").write_text("".join(sources))
        (state / "apt.conf").write_text(
            f'Dir::State "{state}";\n'
            f'Dir::State::status "{state}/status";\n'
            f'Dir::Cache "{state}/cache";\n'
            f'Dir::Etc::SourceList "{state}/sources.list";\n'
            'Dir::Etc::SourceParts "/dev/null";\n'
            f'APT::Architecture "{self.architecture}";\n'
            f'APT::Architectures {{ "{self.architecture}"; }};\n'
            'APT::Sandbox::User "root";\n'
            'APT::Update::Error-Mode "any";\n'
            "#clear APT::Update::Post-Invoke;\n"
            "#clear APT::Update::Post-Invoke-Success;\n"
        )
        options = {"cwd": folder, "env": {**os.environ, "APT_CONFIG": str(state / "apt.conf")}}
        try:
            output("apt-get", "update", "-qq", **options)
            run(lambda *command: output(*command, **options))
        except DebianError as error:
            raise DebianError(
                f"{what} of {place} could not be downloaded: {error}\n"
                f"Is the mirror reachable, and does it still have {self.release}?"
            ) from None

    def _sources(self):
        yield f"{mirror()} {self.release}"
        if self.with_updates:
            yield f"{mirror()} {self.release}-updates"
            yield from (f"{one} {self.release}-security" for one in mirrors("Debian-Security")[:1])
