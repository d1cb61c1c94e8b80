# SPDX-License-Identifier: Apache-2.0
"""What the tests of packages are given beside what all end-to-end tests are: needs tools/package and
tools/lib/package_roots.py to have run."""

import lab
import package_roots
import pytest
from booted_root import BootedRoot


@pytest.fixture
def wcs(start):
    """WCS where the packaged configuration expects it."""
    return start(lab.Simulator, "wcs-sim", listen=("127.0.0.1:8081",))


@pytest.fixture
def debian(start, wcs):
    """Debian 12, booted, without the agent."""
    return start(BootedRoot, "systemd", package_roots.bookworm())
