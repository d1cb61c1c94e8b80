#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The vendor's WebSDK with its examples, by npm into build/; as a command it prints the folder."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

PACKAGE, VERSION = "@flashphoner/websdk", "2.0.276"  # MIT
FOLDER = Path(__file__).resolve().parents[2] / f"build/websdk-{VERSION}"
EXAMPLE = "examples/demo/streaming/two_way_streaming/two_way_streaming.html"


class NotAvailable(Exception):
    """Why there is no WebSDK, in one line."""


def fetch():
    """The folder, fetched once; NotAvailable says why it cannot be."""
    if (FOLDER / EXAMPLE).exists():
        return FOLDER
    npm = shutil.which("npm")
    if not npm:
        raise NotAvailable("npm is not installed")
    FOLDER.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix="websdk-") as folder:
        return _unpack(npm, Path(folder))


def _unpack(npm, folder):
    command = [npm, "pack", "--silent", "--fetch-retries=1", f"{PACKAGE}@{VERSION}"]
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"npm did not bring {PACKAGE} within 120 s") from None
    archive = next(folder.glob("*.tgz"), None)
    if result.returncode or not archive:
        why = (result.stderr.strip() or result.stdout.strip() or "no word").splitlines()
        raise NotAvailable(f"npm pack {PACKAGE}@{VERSION}: {why[0]}")
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotAvailable(f"{archive.name} of npm cannot be unpacked: {why}") from None
    if not (folder / "package" / EXAMPLE).exists():
        raise NotAvailable(f"{PACKAGE}@{VERSION} has no {EXAMPLE}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    (folder / "package").rename(FOLDER)
    return FOLDER


if __name__ == "__main__":
    try:
        print(fetch())
    except NotAvailable as reason:
        sys.exit(f"websdk: {reason}")
