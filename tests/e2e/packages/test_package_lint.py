# SPDX-License-Identifier: Apache-2.0
"""Debian's and the rpm world's own checkers have no remark that is not explained beside it."""

import subprocess

import lab
import package_roots
import pytest


DEBS = "wcs-node-agent_*_amd64.deb", "wcs-node-agent-static_*_amd64.deb", "wcs-node-agent_*_arm64.deb"


@pytest.mark.parametrize("pattern", DEBS)
def test_lintian_has_no_remark(pattern):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", package_roots.package(pattern)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("pattern", ["*.x86_64.rpm", "*.aarch64.rpm"])
def test_rpmlint_has_no_remark(pattern):
    configuration = lab.ROOT / "packaging/rpm/rpmlint.toml"
    done = subprocess.run(
        ["rpmlint", "-c", configuration, package_roots.package(pattern)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "0 errors, 0 warnings" in done.stdout, done.stdout
