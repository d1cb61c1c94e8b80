# SPDX-License-Identifier: Apache-2.0
"""Links of a test's own, and what crosses them."""

import contextlib
import fcntl
import re
import socket
import struct
import subprocess

import lab


@contextlib.contextmanager
def link(name, *kind):
    """A link for the time of the block, up."""
    lab.ip("link", "add", name, "type", *kind)
    try:
        lab.ip("link", "set", name, "up")
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], capture_output=True)


@contextlib.contextmanager
def tun(name, mode="tun"):
    """A tun, whose driver takes any speed that it is told."""
    lab.ip("tuntap", "add", name, "mode", mode)
    try:
        lab.ip("link", "set", name, "up")
        yield name
    finally:
        lab.ip("link", "delete", name)


@contextlib.contextmanager
def tap(name):
    """The same with Ethernet, open, so that it has a carrier."""
    with tun(name, "tap"), open("/dev/net/tun", "r+b", buffering=0) as device:
        flags = 0x1002  # IFF_TAP | IFF_NO_PI
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", name.encode(), flags))  # TUNSETIFF
        yield name


def set_speed(name, megabits):
    lab.run("ethtool", "-s", name, "speed", str(megabits), "duplex", "full")


def selected(agent):
    series = re.compile(r'wcs_node_interface_selected\{device="(.*)"\}')
    return {match[1] for match in map(series.fullmatch, agent.metrics()) if match}


def wait_until_selected(agent, *names):
    lab.wait_until(lambda: selected(agent) == set(names), f"selected: {names}")


def send_frames(name, count, payload):
    """Frames of no protocol that anybody answers, straight onto the device."""
    frame = b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(payload)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((name, 0))
        for _ in range(count):
            raw.send(frame)
