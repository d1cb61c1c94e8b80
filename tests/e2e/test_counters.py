# SPDX-License-Identifier: Apache-2.0
"""Counters that never fall, wrap or freeze, whatever the system says."""

import os
import signal
from pathlib import Path

import lab
import pytest
from links import link, send_frames

BUSY = 'wcs_node_cpu_busy_seconds_total{cpu="0"}'
STEAL = 'wcs_node_cpu_steal_seconds_total{cpu="0"}'


class ProcStat:
    """Stands where /proc/stat is in the mount namespace of a process that has `prefix`."""

    def __init__(self, path):
        self._path = path
        self.set(user=1000, steal=500)
        mount = f'mount --bind "{path}" /proc/stat && exec "$@"'
        self.prefix = ("unshare", "--mount", "sh", "-c", mount, "sh")

    def set(self, user, steal):
        text = f"cpu0 {user} 0 0 5000 0 0 0 {steal}\n".ljust(100)
        with open(self._path, "r+b" if self._path.exists() else "wb", buffering=0) as file:
            file.write(text.encode())


@pytest.fixture
def proc_stat(tmp_path):
    return ProcStat(tmp_path / "stat")


@pytest.mark.parametrize("source", ["ebpf", "procfs"])
@pytest.mark.parametrize("odd", [10, 10**12, 2**64 - 1], ids=["fallen", "huge", "greatest"])
def test_steal_that_nobody_stole(start_agent, proc_stat, source, odd):
    """As after a live migration."""
    agent = start_agent(f"--source={source}", prefix=proc_stat.prefix)
    assert agent.metrics()[STEAL] == 5
    for steal in (odd, odd - 5 if odd > 10 else 15, 3):
        proc_stat.set(user=1000, steal=steal)
        agent.wait_for_samples(2)
        assert 5 <= agent.metrics()[STEAL] <= 5.05
    before = agent.metrics()[STEAL]
    proc_stat.set(user=1000, steal=8)
    agent.wait_for_metric(STEAL, lambda steal: abs(steal - before - 0.05) < 1e-9)


def test_busy_time_that_no_cpu_had(start_agent, proc_stat):
    """As in a container whose CPUs are numbered anew."""
    agent = start_agent("--source=procfs", prefix=proc_stat.prefix)
    assert agent.metrics()[BUSY] == 15
    for user in (10**6, 10, 10**12, 0):
        proc_stat.set(user=user, steal=500)
        agent.wait_for_samples(2)
        assert agent.metrics()[BUSY] == 15
    proc_stat.set(user=5, steal=500)
    agent.wait_for_metric(BUSY, lambda busy: abs(busy - 15.05) < 1e-9)


def test_swapped_names_move_no_frame_to_another_interface(start_agent):
    """Links are listed at the start alone, so the agent never gets to know the new names."""

    def sent(device):
        return agent.metrics()[f'wcs_node_network_transmit_packets_total{{device="{device}"}}']

    pairs = [link(f"{name}0", "veth", "peer", "name", f"{name}1") for name in ("sa", "sb")]
    with pairs[0], pairs[1]:
        for peer in ("sa1", "sb1"):
            lab.ip("link", "set", peer, "addrgenmode", "none", "up")
        agent = start_agent("--source=procfs", "--follow-interfaces=off")
        before = [sent("sa0"), sent("sb0")]
        for old, new in (("sa0", "swap0"), ("sb0", "sa0"), ("swap0", "sb0")):
            lab.ip("link", "set", old, "down", "addrgenmode", "none")
            lab.ip("link", "set", old, "name", new)
        lab.ip("link", "set", "sa0", "up")
        send_frames("sa0", 5_000, 986)
        agent.wait_for_samples(2)
        assert sent("sb0") >= before[1] + 5_000, "sa0 now"
        # The kernel speaks too (MLD, a frame or two), at any moment of an interface's life.
        assert sent("sa0") < before[0] + 50


SPIN = "while :; do :; done"


@pytest.mark.parametrize("offset", [-1500, 100_000])
def test_a_time_namespace_changes_no_figure(start_agent, start, offset):
    """What the kernel programs write is by the host's clock."""
    for cpu in os.sched_getaffinity(0):
        start(lab.Process, f"spinner{cpu}", ["taskset", "-c", str(cpu), "sh", "-c", SPIN])
    agent = start_agent(
        "--source=ebpf", prefix=("unshare", "--time", "--monotonic", str(offset), "--fork")
    )
    child = int(Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text())
    try:
        agent.wait_for_metric("wcs_node_cpu_utilization_ratio", lambda ratio: ratio > 0.9)
        before = agent.metrics()[BUSY]
        agent.wait_for_samples(3)
        assert before < agent.metrics()[BUSY] < before + 10
    finally:
        os.kill(child, signal.SIGTERM)  # unshare does not hand it on, and ends with it
        agent.wait()


def test_what_the_kernel_keeps_of_the_programs_is_exported(start_agent):
    enabled = Path("/proc/sys/kernel/bpf_stats_enabled")
    before = enabled.read_text()
    with link("st0", "veth", "peer", "name", "st1"):
        lab.ip("link", "set", "st1", "up")
        agent = start_agent("--interface=st0")
        attached = 'wcs_node_agent_program_attached{program="%s"}'
        agent.wait_for_metric(attached % "count_transmit", lambda interfaces: interfaces >= 1)
        assert agent.metrics()[attached % "count_drop"] == 1
        try:
            enabled.write_text("1")
            send_frames("st0", 100, 86)
            agent.wait_for_metric('wcs_node_agent_program_runs_total{program="count_transmit"}', lambda runs: runs >= 100)
            seconds = agent.metrics()['wcs_node_agent_program_run_seconds_total{program="count_transmit"}']
            assert 0 < seconds < 0.1
        finally:
            enabled.write_text(before)
