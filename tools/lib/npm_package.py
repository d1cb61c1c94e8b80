# SPDX-License-Identifier: Apache-2.0
"""A package of npm, fetched once into a folder."""

import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path


class NotAvailable(Exception):
    """Why there is no such package, in one line."""


def fetch(package, version, target, needed):
    """The folder, which then has this file; NotAvailable says why it cannot be."""
    if (target / needed).exists():
        return target
    npm = shutil.which("npm")
    if not npm:
        raise NotAvailable("npm is not installed")
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="npm-") as folder:
        return _unpack(npm, f"{package}@{version}", target, needed, Path(folder))


def _unpack(npm, name, target, needed, folder):
    command = [npm, "pack", "--silent", "--fetch-retries=1", name]
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"npm did not bring {name} within 120 s") from None
    archive = next(folder.glob("*.tgz"), None)
    if result.returncode or not archive:
        why = (result.stderr.strip() or result.stdout.strip() or "no word").splitlines()
        raise NotAvailable(f"npm pack {name}: {why[0]}")
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotAvailable(f"{archive.name} of npm cannot be unpacked: {why}") from None
    if not (folder / "package" / needed).exists():
        raise NotAvailable(f"{name} has no {needed}")
    shutil.rmtree(target, ignore_errors=True)
    (folder / "package").rename(target)
    return target
