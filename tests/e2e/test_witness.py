# SPDX-License-Identifier: Apache-2.0
"""Frames that the kernel programs do not see, and frames that they count and that never cross the wire."""

import contextlib
import json
import socket
import threading
import time

import foreign_program
import lab
import pytest
from links import link, send_frames

PACKET_QDISC_BYPASS = 20  # of linux/if_packet.h
SOL_PACKET = 263


@pytest.fixture
def wan():
    with link("out0", "veth", "peer", "name", "out1"):
        lab.ip("link", "set", "out1", "up")
        yield "out0"


@contextlib.contextmanager
def filters(name, direction, *action):
    """All frames of a direction meet this action, behind the agent's hook."""
    lab.run("tc", "qdisc", "add", "dev", name, "clsact")
    everything = ("u32", "match", "u32", "0", "0")
    lab.run("tc", "filter", "add", "dev", name, direction, *everything, "action", *action)
    try:
        yield
    finally:
        lab.run("tc", "qdisc", "del", "dev", name, "clsact")


@contextlib.contextmanager
def sending(name, bypass=False, to=b"\xff" * 6):
    """A steady flow of frames of 1,000 bytes, at some 8 Mbit/s; at the end their number is known."""
    done, sent = threading.Event(), [0]

    def send():
        frame = to + b"\x02" * 6 + b"\x88\xb5" + bytes(986)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            if bypass:
                raw.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
            raw.bind((name, 0))
            while not done.wait(0.01):
                for _ in range(10):
                    with contextlib.suppress(OSError):  # no buffer: a filter took it
                        raw.send(frame)
                    sent[0] += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield sent
    finally:
        done.set()
        sender.join()


def packets(agent, direction, device="out0"):
    return agent.metrics()[f'wcs_node_network_{direction}_packets_total{{device="{device}"}}']


def is_fallen_back(agent, device="out0"):
    return agent.metrics()[f'wcs_node_interface_fallback{{device="{device}"}}'] == 1


def start_quiet(start_agent, *options):
    agent = start_agent("--interface=out0", "--sample-interval=250ms", "--window=2s", *options)
    agent.wait_for_reply("^up ")
    lab.wait_until(lambda: not is_fallen_back(agent), "counted by eBPF")
    return agent


def watch_a_window(agent):
    """The states that are replied meanwhile, and a little longer."""
    end = time.monotonic() + 3
    replies = lab.watch(agent.reply, lambda _: time.monotonic() > end, "a window")
    return {reply.split()[0] for reply in replies}


def test_frames_that_pass_by_the_hook_are_counted_all_the_same(start_agent, wan):
    """PACKET_QDISC_BYPASS: no hook of the traffic control sees them, and nothing in the agent knows of it."""
    agent = start_quiet(start_agent, "--band-out=5")
    before = packets(agent, "transmit")
    with sending(wan, bypass=True) as sent:
        agent.wait_for_reply("^down # band_out [0-9.]+ of 5")
        assert is_fallen_back(agent)
        agent.wait_for_line("interface out0: .* were sent in .* by its own counters, .* by ebpf")
        interfaces = {one["name"]: one for one in agent.status_json()["interfaces"]}
        assert interfaces["out0"]["counted_by"] == "device"
    lab.wait_until(lambda: sent[0] <= packets(agent, "transmit") - before <= sent[0] + 10, "all frames")
    with sending(wan):
        agent.wait_for_line("interface out0: what is sent is counted by ebpf again")
        assert not is_fallen_back(agent)


@pytest.mark.parametrize(
    ("direction", "when", "verdict"),
    [
        ("ingress", "before the start", foreign_program.OK),
        ("ingress", "while it runs", foreign_program.OK),
        ("ingress", "while it runs", foreign_program.SHOT),
        ("egress", "before the start", foreign_program.OK),
        ("egress", "while it runs", foreign_program.OK),
        ("egress", "while it runs", foreign_program.STOLEN),
    ],
)
def test_the_verdict_of_a_program_in_front_hides_nothing(start_agent, wan, direction, when, verdict):
    """TCX goes on behind TCX_NEXT alone."""
    counter, limit, sender = {
        "ingress": ("receive", "band_in", "out1"),
        "egress": ("transmit", "band_out", wan),
    }[direction]
    with contextlib.ExitStack() as stack:
        if when == "before the start":
            stack.enter_context(foreign_program.attached(wan, direction, verdict))
        agent = start_quiet(start_agent, "--band-in=5", "--band-out=5")
        if when == "while it runs":
            stack.enter_context(foreign_program.attached(wan, direction, verdict))
        before = packets(agent, counter)
        with sending(sender) as sent:
            agent.wait_for_reply(f"^down # {limit} [0-9.]+ of 5")
            if (direction, when) != ("ingress", "before the start"):  # there the agent's is in front of it
                agent.wait_for_line("interface out0: what is .* is counted by ebpf again", timeout=20)
        lab.wait_until(lambda: packets(agent, counter) - before >= sent[0], "all frames")
        assert packets(agent, counter) - before <= sent[0] + 10


def test_what_a_filter_redirects_behind_the_hook_is_not_sent(start_agent, wan):
    redirect = ("mirred", "egress", "redirect", "dev", "sink0")
    with link("sink0", "veth", "peer", "name", "sink1"), filters(wan, "egress", *redirect):
        agent = start_quiet(start_agent, "--band-out=5")
        before = packets(agent, "transmit")
        with sending(wan):
            agent.wait_for_line("interface out0: [0-9] frames with .* were sent in .* by its own counters")
            assert is_fallen_back(agent)
            assert watch_a_window(agent) == {"up"}
        assert packets(agent, "transmit") == before


@pytest.mark.parametrize("behind", [False, True], ids=["in front", "behind"])
def test_what_another_program_drops_is_not_sent(start_agent, wan, behind):
    agent = start_quiet(start_agent, "--band-out=5")
    with foreign_program.attached(wan, "egress", foreign_program.SHOT, behind):
        before = packets(agent, "transmit")
        with sending(wan):
            assert watch_a_window(agent) == {"up"}
        assert is_fallen_back(agent) == behind
        assert packets(agent, "transmit") - before <= 3


def test_what_an_ifb_hands_back_is_sent_once(start_agent, wan):
    with link("ifb9", "ifb"), filters(wan, "egress", "mirred", "egress", "redirect", "dev", "ifb9"):
        agent = start_quiet(start_agent)
        before = packets(agent, "transmit")
        send_frames(wan, 10_000, 986)
        lab.wait_until(lambda: packets(agent, "transmit") - before >= 10_000, "all frames")
        agent.wait_for_samples(2)
        assert packets(agent, "transmit") - before <= 10_010


def test_what_macvlans_send_each_other_is_not_received(start_agent, wan):
    on_wan = ("link", wan, "type", "macvlan", "mode", "bridge")
    for name in ("mv0", "mv1"):
        lab.ip("link", "add", name, *on_wan)
        lab.ip("link", "set", name, "up")
    agent = start_quiet(start_agent, "--band-in=5")
    before = packets(agent, "receive")
    address = json.loads(lab.run("ip", "-json", "link", "show", "mv1"))[0]["address"]
    with sending("mv0", to=bytes.fromhex(address.replace(":", ""))):
        agent.wait_for_line("interface out0: [0-9] frames with .* were received in .* by its own counters")
        assert watch_a_window(agent) == {"up"}
    assert packets(agent, "receive") - before <= 10
    assert packets(agent, "receive", "mv1") > 1000, "they did come"
