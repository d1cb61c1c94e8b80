# SPDX-License-Identifier: Apache-2.0
"""What the start of a command takes is held by `tools/bench --only start`; here what keeps it short in a release."""

import os
import re
import subprocess
from pathlib import Path

import lab
import pytest


@pytest.fixture(scope="module", autouse=True)
def release():
    cache = Path(lab.AGENT).parent / "CMakeCache.txt"
    if not cache.exists() or "CMAKE_BUILD_TYPE:STRING=RelWithDebInfo" not in cache.read_text():
        pytest.skip("the build is no release")


def test_cpp_libraries_are_in_the_program():
    """OpenSSL and the C library are the distribution's."""
    needed = re.findall(r"NEEDED.*\[(\S+)\]", lab.run("readelf", "-d", lab.AGENT))
    assert {"libssl.so.3", "libcrypto.so.3", "libc.so.6"} <= set(needed)
    assert not [name for name in needed if re.match(r"lib(stdc\+\+|gcc_s|spdlog|fmt|yaml-cpp)\.", name)]


def test_few_names_are_looked_up_at_the_start():
    """With shared C++ libraries they were 8,700."""
    started = subprocess.run(
        [lab.AGENT, "--version"], capture_output=True, text=True, env={**os.environ, "LD_DEBUG": "statistics"}
    )
    looked_up = [int(number) for number in re.findall(r"number of relocations: (\d+)", started.stderr)]
    assert looked_up and max(looked_up) < 7000
