# SPDX-License-Identifier: Apache-2.0
"""The packages for arm64 have what the static ones of amd64 have, and a program for that machine, which runs in
`tests/vm/run --only arm64`."""

import re
import subprocess
from pathlib import Path

import package_roots
import pytest

DEB = package_roots.package("wcs-node-agent_*_arm64.deb")
RPM = package_roots.package("*.aarch64.rpm")
AMD64_DEB = package_roots.package("wcs-node-agent-static_*_amd64.deb")
AMD64_RPM = package_roots.package("*.x86_64.rpm")
PROGRAM = "usr/sbin/wcs-node-agent"
FIELDS = "Architecture", "Installed-Size"
DYGRAPHS = Path("/usr/share/javascript/dygraphs/dygraph.min.js")


def output(*command):
    return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """What is in the package of that file, by dpkg-deb and by rpm."""

    def unpack(package):
        folder = tmp_path_factory.mktemp("package")
        if package.suffix == ".deb":
            subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
        else:
            archive = subprocess.run(["rpm2cpio", package], check=True, capture_output=True).stdout
            subprocess.run(["cpio", "-idm", "--quiet"], input=archive, cwd=folder, check=True)
        return folder

    return {package: unpack(package) for package in (DEB, RPM, AMD64_DEB, AMD64_RPM)}


def files(tree):
    """The contents of each, but of the program and of what dpkg says of it."""
    paths = (path for path in tree.rglob("*") if path.is_file())
    own = {tree / PROGRAM, tree / "DEBIAN/control", tree / "DEBIAN/md5sums"}
    return {str(path.relative_to(tree)): path.read_bytes() if path not in own else b"" for path in paths}


def control(deb):
    fields = re.findall(r"^(\S+): (.+)$", output("dpkg-deb", "-f", deb), re.MULTILINE)
    return {name: value for name, value in fields if name not in FIELDS}


def listed(deb):
    """Each path with its mode and owner."""
    lines = (line.split(maxsplit=5) for line in output("dpkg-deb", "-c", deb).splitlines())
    return {(path, mode, owner) for mode, owner, _, _, _, path in lines}


def queried(rpm, question):
    return output("rpm", "-qp", *question, rpm)


def test_deb_is_that_of_amd64_but_for_the_machine(trees):
    assert output("dpkg-deb", "-f", DEB, "Architecture") == "arm64\n"
    assert output("dpkg-deb", "-f", DEB, "Depends").strip() == "", "no library"
    assert control(DEB) == control(AMD64_DEB)
    assert listed(DEB) == listed(AMD64_DEB)
    assert files(trees[DEB]) == files(trees[AMD64_DEB])


def test_rpm_is_that_of_x86_64_but_for_the_machine(trees):
    assert queried(RPM, ["--qf", "%{ARCH} %{OS}"]) == "aarch64 linux"
    of_each_file = "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags}\n]"
    for question in (["--qf", of_each_file], ["--requires"], ["--provides"], ["--scripts"]):
        assert queried(RPM, question).replace("aarch-64", "x86-64") == queried(AMD64_RPM, question)
    assert files(trees[RPM]) == files(trees[AMD64_RPM])


def test_both_have_the_same_program_for_that_machine_linked_statically_and_stripped(trees):
    program = trees[DEB] / PROGRAM
    header, segments, sections = (output("readelf", "--wide", what, program) for what in ("-h", "-l", "-S"))
    assert re.search(r"Machine: +AArch64", header)
    assert " INTERP " not in segments and " DYNAMIC " not in segments
    assert " .text " in sections and ".symtab" not in sections and ".debug" not in sections
    assert program.stat().st_mode & 0o777 == 0o755
    assert (trees[RPM] / PROGRAM).read_bytes() == program.read_bytes()


def test_the_status_page_of_the_program_has_its_plots(trees):
    code = DYGRAPHS.read_bytes().split(b"\n//# sourceMappingURL")[0]
    assert code[:4096] in (trees[DEB] / PROGRAM).read_bytes()
