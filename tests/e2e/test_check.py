# SPDX-License-Identifier: Apache-2.0
"""`check` in place of the documented script: one sample, one line, no daemon."""

import random
import subprocess

import lab
import pytest


def check(*words):
    return subprocess.run(
        [lab.AGENT, "check", *words], capture_output=True, text=True, timeout=30
    )


def test_prints_one_line_for_haproxy(simulator):
    simulator.set(streams_webrtc_out=25)
    result = check("--wcs-url", simulator.url, "cpu", "0")
    assert (result.stdout, result.returncode) == ("up 75%\n", 0), result.stderr


def test_arguments_come_in_any_order(simulator):
    simulator.set(streams_webrtc_out=25, streams_rtmp_in=10, streams_hls=1)
    pairs = [
        ("cpu", "0"),
        ("publishers", "50"),
        ("subscribers", "200"),
        ("hls", "2"),
        ("band-in", "1000"),
        ("band-out", "1000"),
    ]
    for seed in range(3):
        random.Random(seed).shuffle(pairs)
        words = [word for pair in pairs for word in pair]
        result = check("--wcs-url", simulator.url, *words)
        assert result.stdout == "up 50%\n", (words, result.stderr)


@pytest.mark.parametrize(
    "limit, line",
    [
        (("subscribers", "10"), "down # subscribers 25 of 10\n"),
        (("publishers", "5"), "down # publishers 10 of 5\n"),
    ],
)
def test_a_limit_reached_is_down_with_the_reason(simulator, limit, line):
    simulator.set(streams_webrtc_out=25, streams_rtmp_in=10)
    assert check("--wcs-url", simulator.url, "cpu", "0", *limit).stdout == line


def test_without_wcs_it_is_down_and_says_so():
    result = check("--wcs-url", "http://127.0.0.1:1/?action=stat", "cpu", "0")
    assert result.returncode == 0
    assert result.stdout.startswith("down # ") and result.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("cpu",), ("memory", "5"), ("cpu", "much"), ("band-in", "-1")], ids=" ".join
)
def test_wrong_arguments_are_named(words):
    result = check(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert words[-1] in result.stderr or words[0] in result.stderr


def test_under_a_real_xinetd(start, simulator, tmp_path):
    simulator.set(streams_webrtc_out=25)
    program = tmp_path / "wcs-node-agent"  # xinetd knows no path with a space
    program.symlink_to(lab.AGENT)
    configuration = tmp_path / "xinetd.conf"
    configuration.write_text(
        f"""
service wcs-node-agent
{{
    type        = UNLISTED
    port        = 9797
    bind        = 127.0.0.1
    socket_type = stream
    protocol    = tcp
    wait        = no
    user        = root
    server      = {program}
    server_args = check --wcs-url {simulator.url} cpu 0
    disable     = no
}}
"""
    )
    start(
        lab.Process,
        "xinetd",
        command=[
            "/usr/sbin/xinetd",
            "-dontfork",
            *("-f", str(configuration)),
            *("-filelog", str(tmp_path / "xinetd-messages.log")),
            *("-pidfile", str(tmp_path / "xinetd.pid")),
        ],
    )

    def reply():
        try:
            return lab.ask_agent("127.0.0.1:9797")
        except ConnectionRefusedError:
            return None

    # Standard error goes to the client too under xinetd: the line must be all there is.
    assert lab.wait_until(reply, "xinetd answers") == "up 75%\n"
