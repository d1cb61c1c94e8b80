# SPDX-License-Identifier: Apache-2.0
"""`check` in place of the documented script: one line, from the running agent or a sample of its own."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

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


class TestBesideAnAgent:
    """`check` without words asks it; the default wcs_url, which `check` would ask, answers nobody here."""

    def test_it_says_what_the_agent_says(self, start_agent, simulator):
        agent = start_agent("--subscribers=50")
        for values, line in (
            ({"streams_webrtc_out": 20}, "up 60%\n"),
            ({"streams_webrtc_out": 60}, "down # subscribers 60 of 50\n"),
            ({"streams_webrtc_out": 10}, "up 80%\n"),
        ):
            simulator.set(**values)
            agent.wait_for_reply(f"^{line}$")
            result = check()
            assert (result.stdout, result.stderr, result.returncode) == (line, "", 0)
        checks = 'wcs_node_agent_checks_total{reply="down"}'
        before = agent.metrics()[checks]
        check()
        agent.wait_for_samples(2)
        assert agent.metrics()[checks] == before, "agent checks are HAProxy's"

    def test_a_drain_and_its_reason_come_through(self, start_agent, simulator):
        agent = start_agent("--when-stale=drain", "--stale-after=1s")
        agent.wait_for_reply("^up 100%$")
        simulator.set(hang=1)
        agent.wait_for_reply("^up 0%")
        assert check().stdout == agent.reply()

    def test_it_waits_for_the_first_answer(self, start_agent, simulator):
        simulator.set(streams_webrtc_out=25, delay_ms=700)
        start_agent("--wcs-timeout=2s")
        assert check().stdout == "up 75%\n"

    def test_an_agent_without_privileges_is_believed_by_its_own_user(
        self, start, simulator, readable_agent, monkeypatch
    ):
        monkeypatch.setattr(lab, "AGENT", readable_agent)
        simulator.set(streams_webrtc_out=25)
        as_daemon = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups", "--inh-caps=-all")
        options = (f"--wcs-url={simulator.url}", "--cpu=off", "--policy=proportional")
        agent = start(lab.Agent, "agent", *options, prefix=as_daemon)
        agent.wait_until_listening()
        agent.wait_for_reply("^up 75%$")
        own = subprocess.run([*as_daemon, lab.AGENT, "check"], capture_output=True, text=True)
        assert own.stdout == "up 75%\n"
        assert check().stdout.startswith("down # wcs: "), "root does not believe user 1"

    def test_an_impostor_is_not_believed(self, start):
        script = """
import os, socket
os.setgid(65534); os.setuid(65534)
with socket.socket(socket.AF_UNIX) as server:
    server.bind("\\0wcs-node-agent")
    server.listen()
    print("ready", flush=True)
    while True:
        server.accept()[0].sendall(b"up 100%\\n")
"""
        impostor = start(lab.Process, "impostor", [sys.executable, "-c", script])
        impostor.wait_for_line("ready")
        assert check().stdout.startswith("down # wcs: ")

    def test_words_are_answered_by_a_sample_of_its_own_without_hooks(self, start_agent, simulator):
        simulator.set(streams_webrtc_out=25)
        agent = start_agent()
        agent.wait_for_reply("^up 75%$")
        words = ("--wcs-url", simulator.url, "--sample-interval=1s", "cpu", "0", "subscribers", "50")
        assert bpf_objects_of_check(*words) == (set(), "up 50%\n")
        agent.close()
        objects, line = bpf_objects_of_check(*words)
        assert objects and line == "up 50%\n", "alone it counts by eBPF"

    def test_one_that_stands_still_or_is_killed_is_not_waited_for(self, start_agent, simulator):
        agent = start_agent()
        agent.wait_for_reply("^up 100%$")
        agent.signal(signal.SIGSTOP)
        began = time.monotonic()
        assert check().stdout.startswith("down # wcs: ")
        assert 3 <= time.monotonic() - began < 10
        agent.signal(signal.SIGKILL)
        agent.wait()
        began = time.monotonic()
        assert check().stdout.startswith("down # wcs: ")
        assert time.monotonic() - began < 3

    def test_a_second_agent_goes_on_without(self, start_agent, simulator):
        simulator.set(streams_webrtc_out=25)
        agent = start_agent()
        second = start_agent(
            "--subscribers=50", name="second", listen="127.0.0.1:9737", metrics="127.0.0.1:9738"
        )
        second.wait_for_line("info: wcs-node-agent check does not ask this agent: @wcs-node-agent: Address")
        second.wait_for_reply("^up 50%$")
        agent.wait_for_reply("^up 75%$")
        assert check().stdout == "up 75%\n"


def bpf_objects_of_check(*words):
    """The kinds of BPF objects that a check holds while it runs, and its line."""
    objects = set()
    with subprocess.Popen([lab.AGENT, "check", *words], stdout=subprocess.PIPE, text=True) as own:
        while own.poll() is None:
            with contextlib.suppress(OSError):
                for descriptor in Path(f"/proc/{own.pid}/fd").iterdir():
                    objects |= set(re.findall("bpf.*", os.readlink(descriptor)))
            time.sleep(0.02)
        return objects, own.stdout.read()


class TestBursts:
    """Above the limit for a look or two, or for the whole window."""

    def test_one_burst_is_not_down(self, media, simulator):
        words = ("--wcs-url", simulator.url, "cpu", "0", "--band-out", "45", "--sample-interval=100ms")
        replies = []
        for _ in range(4):
            with subprocess.Popen(
                [lab.AGENT, "check", *words, "--window=2s"], stdout=subprocess.PIPE, text=True
            ) as own:
                media.set(media_mbps=60)
                time.sleep(0.4)
                media.set(media_mbps=0)
                replies.append(own.stdout.read())
        assert all(reply.startswith("up ") for reply in replies), replies

    def test_what_lasts_is_down(self, media, simulator):
        media.set(media_mbps=10)
        words = ("--wcs-url", simulator.url, "cpu", "0", "--band-out", "5", "--window=1s")
        began = time.monotonic()
        # How much a busy machine sends is told elsewhere; here it is above the limit all the time.
        assert re.fullmatch(r"down # band_out \d+\.\d of 5\n", check(*words).stdout)
        assert time.monotonic() - began > 1, "not before the window is full"


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
