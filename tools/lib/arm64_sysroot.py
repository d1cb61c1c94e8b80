# SPDX-License-Identifier: Apache-2.0
"""Debian's libraries for arm64 in build/arm64-sysroot, downloaded at first use and when the list changes, for the
cross compiler: nothing of them is installed on the machine. See cmake/arm64.cmake."""

import shutil
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import debian_archive  # noqa: E402

FOLDER = debian_archive.ROOT / "build/arm64-sysroot"
# The C library, those of section [build] of tools/lib/packages, and what CMake's files of fmt and spdlog look for.
PACKAGES = (
    *("libboost1.81-dev", "libbpf-dev", "libc6", "libc6-dev", "libcap-ng-dev", "libcli11-dev", "libcrypt-dev"),
    *("libelf-dev", "libfmt-dev", "libfmt9", "libncurses-dev", "libnl-3-dev", "libspdlog-dev", "libspdlog1.10"),
    *("libssl-dev", "libyaml-cpp-dev", "linux-libc-dev", "nlohmann-json3-dev", "zlib1g-dev"),
)


def fetch():
    made_of = FOLDER / "packages"
    if made_of.exists() and made_of.read_text().split() == list(PACKAGES):
        return
    FOLDER.parent.mkdir(exist_ok=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
        making = Path(scratch) / "sysroot"
        for file in debian_archive.Archive("bookworm", "arm64", with_updates=True).download(PACKAGES, Path(scratch)):
            debian_archive.output("dpkg-deb", "-x", file, making)
        (making / "packages").write_text("\n".join(PACKAGES))
        making.rename(FOLDER)


if __name__ == "__main__":
    try:
        fetch()
    except debian_archive.DebianError as error:
        sys.exit(str(error))
