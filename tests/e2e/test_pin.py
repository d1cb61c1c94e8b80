# SPDX-License-Identifier: Apache-2.0
"""kernel.pin: agents die and come back under traffic, and no byte is lost; unpin leaves nothing."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import lab
import pytest
from conftest import QUICK

FRAMES = 'wcs_node_network_transmit_packets_total{device="wan0"}'
BYTES = 'wcs_node_network_transmit_bytes_total{device="wan0"}'


@pytest.fixture
def bpffs(tmp_path):
    """A BPF file system of the test's own; what is pinned there goes with it at the latest."""
    folder = tmp_path / "bpf"
    folder.mkdir()
    lab.run("mount", "-t", "bpf", "bpf", str(folder))
    yield folder
    lab.run("umount", "--lazy", str(folder))


@pytest.fixture
def start_pinned(start, simulator, bpffs):
    def start_one(name, *options, **settings):
        agent = start(
            lab.Agent,
            name,
            *(f"--wcs-url={simulator.url}", *QUICK),
            *("--kernel.pin=on", f"--kernel.pin-folder={bpffs}/agent", *options),
            **settings,
        )
        agent.wait_until_listening()
        return agent

    return start_one


def listed(kind):
    """bpftool gives up if one goes while it lists them, as those of tests beside this one do."""
    command = ["/usr/sbin/bpftool", "--json", kind, "list"]

    def list_once():
        done = subprocess.run(command, capture_output=True, text=True)
        return None if done.returncode else (json.loads(done.stdout or "[]"),)

    return lab.wait_until(list_once, f"bpftool {kind} list")[0]


def kernel_objects():
    """Every BPF program, map and link of the machine."""
    return {(kind, one["id"]) for kind in ("prog", "map", "link") for one in listed(kind)}


@contextlib.contextmanager
def nothing_left_behind():
    before = kernel_objects()
    yield
    # They belong to no namespace: what tests beside this one hold goes with them. The kernel frees some only after a
    # grace period.
    came = kernel_objects() - before
    lab.wait_until(lambda: not came & kernel_objects(), "no object of the agent is left", timeout=60)


def sent_datagrams(media):
    return media.state()["media_sent_packets"]


def wait_for_datagrams(media, count):
    enough = sent_datagrams(media) + count
    lab.wait_until(lambda: sent_datagrams(media) >= enough, f"{count} more datagrams")


@pytest.fixture
def sender(start, peer):
    """Datagrams out of wan0 without a pause; nothing else leaves by it once ARP is done."""
    lab.ip("neighbour", "replace", "10.98.0.2", "lladdr", address_of(peer), "dev", "wan0")
    start(lab.Simulator, "viewers", *("--media-receive", "10.98.0.2:5004"), network=peer)
    yield start(lab.Simulator, "media", *("--media-send", "10.98.0.2:5004", "--media-rate", "0"))
    lab.ip("neighbour", "delete", "10.98.0.2", "dev", "wan0")


def address_of(peer):
    shown = subprocess.run(
        peer.command("ip", "-j", "link", "show", "eth0"), capture_output=True, text=True, check=True
    )
    return json.loads(shown.stdout)[0]["address"]


def kernel_sent():
    """What the kernel itself counted on wan0: datagrams here are one frame each."""
    fields = Path("/proc/net/dev").read_text().split("wan0:")[1].split()
    return int(fields[9]), int(fields[8])


def ahead_of_kernel(agent):
    """By how many frames and bytes the agent's totals are higher; None while they change."""
    truth = kernel_sent()
    agent.wait_for_samples()
    page = agent.metrics()
    return (page[FRAMES] - truth[0], page[BYTES] - truth[1]) if kernel_sent() == truth else None


def test_kills_and_restarts_under_traffic_lose_no_byte(start_pinned, sender, bpffs):
    with nothing_left_behind():
        agent = start_pinned("agent-0")
        agent.wait_for_metric(FRAMES, lambda _: True)
        offset = lab.wait_until(lambda: ahead_of_kernel(agent), "nobody sends")
        sender.set(media_mbps=50)
        for number in range(1, 6):
            wait_for_datagrams(sender, 500)
            agent.signal(signal.SIGKILL if number % 2 else signal.SIGTERM)
            agent.wait()
            wait_for_datagrams(sender, 500)
            agent = start_pinned(f"agent-{number}")
            assert agent.lines("kernel.pin: counting has gone on")
        sender.set(media_mbps=0)
        assert sent_datagrams(sender) > 5000
        lab.wait_until(lambda: ahead_of_kernel(agent) == offset, "the totals are the truth")

        # The gap makes no spike: rates begin with the first reading.
        agent.wait_for_reply("^up ")
        assert not agent.lines("node is down")
        assert agent.close() == 0
        unpinned = lab.run(lab.AGENT, "unpin", f"--kernel.pin-folder={bpffs}/agent")
        assert "removed" in unpinned
        assert not (bpffs / "agent").exists()
        assert "nothing is pinned" in lab.run(
            lab.AGENT, "unpin", f"--kernel.pin-folder={bpffs}/agent"
        )


def test_a_kill_in_the_midst_of_the_start_is_repaired(start, start_pinned, simulator, bpffs):
    with nothing_left_behind():
        options = ("--kernel.pin=on", f"--kernel.pin-folder={bpffs}/agent", *QUICK)
        for number in range(12):
            agent = start(lab.Agent, f"killed-{number}", f"--wcs-url={simulator.url}", *options)
            time.sleep(0.03 * number)
            agent.signal(signal.SIGKILL)
            agent.wait()
        agent = start_pinned("agent")
        agent.wait_for_metric(FRAMES, lambda _: True)
        assert agent.reply().startswith("up ")
        assert agent.close() == 0
        lab.run(lab.AGENT, "unpin", f"--kernel.pin-folder={bpffs}/agent")


def test_what_another_version_left_is_not_taken_over(start_pinned, sender, bpffs):
    agent = start_pinned("agent")
    sender.set(media_mbps=50)
    agent.wait_for_metric(FRAMES, lambda count: count > 1000)
    assert agent.close() == 0
    folder = next((bpffs / "agent").iterdir())
    identity = os.readlink(folder / "identity")
    (folder / "identity").unlink()
    (folder / "identity").symlink_to("0123456789abcdef" + identity[16:])
    sender.set(media_mbps=0)
    again = start_pinned("again")
    assert again.lines("kernel.pin: counting starts afresh.*another version")
    assert again.metrics()[FRAMES] < 1000
    assert os.readlink(folder / "identity") == identity


def test_a_second_agent_is_refused(start, start_pinned, simulator, bpffs):
    start_pinned("agent")
    second = start(
        lab.Agent,
        "second",
        *("--kernel.pin=on", f"--kernel.pin-folder={bpffs}/agent"),
        listen="127.0.0.1:9717",
        metrics="127.0.0.1:9718",
    )
    assert second.wait() == 1
    assert "another agent of this network namespace" in second.output()
    refused = subprocess.run(
        [lab.AGENT, "unpin", f"--kernel.pin-folder={bpffs}/agent"], capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "stop that first" in refused.stderr


def test_without_it_no_death_leaves_anything(start_agent, bpffs):
    for number, how in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)):
        with nothing_left_behind():
            agent = start_agent(f"--kernel.pin-folder={bpffs}/agent", name=f"agent-{number}")
            agent.wait_for_metric(FRAMES, lambda _: True)
            agent.signal(how)
            agent.wait()
            assert not (bpffs / "agent").exists()


def test_switched_off_it_removes_what_it_left(start_pinned, start_agent, bpffs):
    with nothing_left_behind():
        assert start_pinned("pinned").close() == 0
        agent = start_agent(f"--kernel.pin-folder={bpffs}/agent")
        agent.wait_for_line("kernel.pin is off: removed what an earlier agent left")
        assert not (bpffs / "agent").exists()
        assert agent.close() == 0


def test_an_interface_that_appears_later_is_pinned_too(start_pinned, bpffs):
    """By a process that has no capability left: on kernels with TCX."""
    agent = start_pinned("agent", "--interface=wan*")
    agent.wait_for_metric(FRAMES, lambda _: True)
    lab.ip("link", "add", "wan7", "type", "veth", "peer", "name", "wan8")
    try:
        for name in ("wan7", "wan8"):
            lab.ip("link", "set", name, "up")
        series = 'wcs_node_network_transmit_packets_total{device="wan7"}'
        agent.wait_for_metric(series, lambda _: True)
        folder = next((bpffs / "agent").iterdir())
        lab.wait_until(
            lambda: any(f"interface-{ifindex('wan7')}-" in p.name for p in folder.iterdir()),
            "it is pinned",
        )
        assert not agent.lines("will end with this process")
    finally:
        lab.ip("link", "delete", "wan7")
    lab.wait_until(
        lambda: not any("interface-" in p.name and not is_there(p) for p in folder.iterdir()),
        "and unpinned with it",
    )


def ifindex(name):
    shown = json.loads(lab.run("ip", "-j", "link", "show", name))
    return shown[0]["ifindex"]


def is_there(path):
    links = json.loads(lab.run("ip", "-j", "link", "show"))
    return int(path.name.split("-")[1]) in {link["ifindex"] for link in links}


def test_no_bpf_file_system_is_told_and_counting_goes_without(start_agent, tmp_path):
    agent = start_agent("--kernel.pin=on", f"--kernel.pin-folder={tmp_path}/agent")
    assert agent.lines("kernel.pin: counting will end with this process.*mount -t bpf")
    agent.wait_for_metric(FRAMES, lambda _: True)
