# SPDX-License-Identifier: Apache-2.0
"""Signals, standard streams, namespaces, service managers: whatever the process stands in."""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import lab
import pytest
from links import link


def wait_until_signals_are_held(agent):
    """Until main() a process has the kernel's defaults, while the dynamic linker is at work."""
    held = 1 << (signal.SIGHUP - 1)

    def is_held():
        status = Path(f"/proc/{agent.pid}/status").read_text()
        mask = re.search(r"^SigBlk:\s+(\S+)$", status, re.M)
        return mask and int(mask[1], 16) & held

    lab.wait_until(is_held, "signals are held", every=0.001)


def with_shell(redirections):
    """A prefix that starts the agent with these redirections."""
    return ("sh", "-c", f'exec "$0" "$@" {redirections}')


def reload_with(agent, path, **values):
    path.write_text(json.dumps(values))
    agent.signal(signal.SIGHUP)


def state_of(agent):
    return re.search(r"^State:\s+(\S)", Path(f"/proc/{agent.pid}/status").read_text(), re.M)[1]


@pytest.mark.parametrize("delay", [0, 0.01, 0.03, 0.05, 0.1])
def test_a_reload_that_is_asked_for_during_the_start_happens_once_it_serves(start, simulator, delay):
    agent = start(lab.Agent, "agent", f"--wcs-url={simulator.url}", "--cpu=off")
    wait_until_signals_are_held(agent)
    time.sleep(delay)
    agent.signal(signal.SIGHUP)
    agent.wait_for_line("reload: done")
    assert agent.reply().startswith("up ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0, 0.02, 0.05, 0.15])
def test_an_end_that_is_asked_for_during_the_start_is_a_clean_one(start, simulator, delay, number):
    agent = start(lab.Agent, "agent", f"--wcs-url={simulator.url}", "--cpu=off")
    wait_until_signals_are_held(agent)
    time.sleep(delay)
    for _ in range(3):  # and signals while it ends change nothing
        agent.signal(number)
        agent.signal(signal.SIGHUP)
    assert agent.wait() == 0
    assert agent.lines("stopping")


def test_signals_that_are_not_for_it_change_nothing(agent):
    for number in (signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXFSZ, signal.SIGTTOU):
        agent.signal(number)
    agent.wait_for_samples(3)
    assert agent.reply().startswith("up ")
    assert state_of(agent) in "SR"


@pytest.mark.parametrize("closed", ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&- 2>&-"])
def test_standard_streams_that_are_closed_are_nobody_elses(start_agent, closed):
    agent = start_agent("--log-level=debug", prefix=with_shell(closed))
    for _ in range(3):
        agent.signal(signal.SIGHUP)  # which logs
        agent.wait_for_samples(2)
    assert agent.reply().startswith("up ")
    for number in re.findall(r"(\d)[<>]", closed):
        assert os.readlink(f"/proc/{agent.pid}/fd/{number}") == "/dev/null"


def test_check_and_others_say_that_their_output_cannot_be_written():
    done = subprocess.run(
        [lab.AGENT, "config", "show"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE
    )
    assert (done.returncode, b"cannot be written" in done.stderr) == (1, True)


def test_a_log_whose_reader_has_gone(start_agent, simulator, tmp_path):
    config = tmp_path / "config.json"
    config.write_text("{}")
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    agent = start_agent(
        f"--config={config}", prefix=with_shell(f"2>'{tmp_path / 'fifo'}'")
    )
    agent.wait_for_samples(1)
    os.close(reader)
    for fault in range(5):
        reload_with(agent, config, bogus=fault)
    lost = agent.wait_for_metric("wcs_node_agent_lost_log_lines_total", lambda lines: lines >= 1)
    assert lost >= 1
    assert agent.reply().startswith("up ")


def test_a_log_that_has_its_largest_size(start_agent, tmp_path):
    config = tmp_path / "config.json"
    config.write_text("{}")
    agent = start_agent(
        f"--config={config}", prefix=("sh", "-c", 'ulimit -f 2; exec "$0" "$@"'), network=None
    )
    for fault in range(60):
        reload_with(agent, config, bogus=fault)
        time.sleep(0.01)
    agent.wait_for_metric("wcs_node_agent_lost_log_lines_total", lambda lines: lines >= 1)
    assert agent.reply().startswith("up ")


@pytest.mark.parametrize("name", ["a\x1b[31mred", "a\x9bK", "a\xff\u2028"])
def test_names_that_others_choose_are_masked_in_the_log(start_agent, name):
    """Of interfaces; bytes, as the kernel takes any but white space, slashes and colons."""
    raw = name.encode("latin-1", "ignore") if name != "a\xff\u2028" else b"a\xff\xe2\x80\xa8"
    with link(raw, "veth", "peer", "name", "masked1"):
        agent = start_agent("--interface=a*")
        agent.wait_for_line("included in the bandwidth limits: a")
        log = agent.log.read_bytes()
        assert raw not in log
        assert b"\\x" in log
        log.decode()  # UTF-8 throughout


def test_the_journal_gets_a_level_in_front_of_each_line(start, simulator, tmp_path):
    log = tmp_path / "agent.log"
    log.touch()
    status = log.stat()
    config = tmp_path / "config.json"
    config.write_text("{}")
    env = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    options = (f"--wcs-url={simulator.url}", f"--config={config}", "--cpu=off")
    agent = start(lab.Agent, "agent", *options, env=env)
    agent.wait_for_line("^<6>answering HAProxy")
    reload_with(agent, config, bogus=1)
    agent.wait_for_line("^<3>reload: nothing changed: .*bogus")
    assert agent.lines("^(?!<[2-7]>)") == []
    agent.close()
    other = start(lab.Agent, "agent", *options, env=env)
    assert other.wait() == 2
    assert other.lines("^<3>.*bogus"), "of a start that fails too"


def test_a_journal_of_somebody_else_changes_nothing(start_agent):
    """The variable is inherited by what runs in a shell of a service, with streams of its own."""
    agent = start_agent(env={"JOURNAL_STREAM": "8:12345"})
    agent.wait_for_line(r"^\d{4}-\d\d-\d\dT\S+ info: answering HAProxy")


def test_root_of_a_small_user_namespace(start_agent):
    agent = start_agent("--source=procfs", prefix=("unshare", "--user", "--map-root-user"))
    assert agent.lines("warning: this process stays root, .*: this user namespace")
    assert agent.reply().startswith("up ")
    status = Path(f"/proc/{agent.pid}/status").read_text()
    assert re.search(r"^CapEff:\s+0+$", status, re.M), "nothing is left all the same"


def test_root_without_the_privilege_to_become_another(start_agent):
    drop = ("setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all")
    agent = start_agent("--source=procfs", prefix=drop)
    assert agent.lines("warning: this process stays root, .*: it has no CAP_SETUID and CAP_SETGID")
    assert agent.reply().startswith("up ")


def test_a_user_that_is_named_is_insisted_on(start):
    agent = start(
        lab.Agent, "agent", "--user=daemon", prefix=("unshare", "--user", "--map-root-user")
    )
    assert agent.wait() == 2
    assert agent.lines('user: this process cannot become "daemon": this user namespace')


BUSY = 'wcs_node_cpu_busy_seconds_total{cpu="0"}'
CPU_OPTIONS = ("--cpu=100", "--publishers=off", "--hls=off")


def test_without_proc_stat_the_kernels_programs_know_how_busy_cpus_are(start_agent, faults, media):
    """As in a container whose lxcfs has ended: ENOTCONN."""
    agent = start_agent(*CPU_OPTIONS, "--source=ebpf", env=faults.environment)
    before = agent.metrics()[BUSY]
    faults.set(proc_stat_error=errno.ENOTCONN)
    agent.wait_for_line("warning: CPU time cannot be read: /proc/stat: Transport endpoint")
    agent.wait_for_metric(BUSY, lambda busy: busy > before + 0.2)
    assert agent.metrics()['wcs_node_limit_unknown{limit="cpu"}'] == 0
    assert agent.get("/healthz")[0] == 200
    faults.set(proc_stat_error=0)
    agent.wait_for_line("info: CPU time can be read again")
    assert agent.metrics()["wcs_node_agent_sample_failures_total"] == 0


def test_without_proc_stat_the_fallback_knows_all_but_the_cpus(start_agent, faults, media):
    media.set(media_mbps=8)
    agent = start_agent(
        *CPU_OPTIONS, "--band-out=16", "--stale-after=2s", "--source=procfs", env=faults.environment
    )
    agent.wait_for_reply("^up ")
    faults.set(proc_stat_error=errno.ENOTCONN)
    agent.wait_for_reply(r"^up \d+% # cpu unknown: /proc/stat: Transport endpoint")
    page = agent.metrics()
    assert page['wcs_node_limit_unknown{limit="cpu"}'] == 1
    assert BUSY not in page and "wcs_node_cpu_utilization_ratio" not in page
    rate = 'wcs_node_bandwidth_bytes_per_second{direction="out"}'
    agent.wait_for_metric(rate, lambda rate: abs(rate / 1e6 - 1) < 0.3)
    assert agent.get("/healthz")[0] == 200
    faults.set(proc_stat_error=0)
    agent.wait_for_reply(r"^(up \d+%|down # cpu \d+\.\d of 100.*)$")  # a machine that tests has no CPU to spare


def test_a_start_without_proc_stat(start_agent, faults):
    faults.set(proc_stat_error=errno.ENOTCONN)
    for source in ("ebpf", "procfs"):
        agent = start_agent(*CPU_OPTIONS, f"--source={source}", "--stale-after=2s", name=source, env=faults.environment)
        agent.wait_for_reply(r"^up \d+% # cpu unknown: /proc/stat: Transport endpoint")
        assert 'wcs_node_network_transmit_bytes_total{device="wan0"}' in agent.metrics()
        agent.close()


def test_a_socket_that_is_bound_anew_gets_the_next_message(start_agent, notify_socket):
    path = notify_socket.getsockname()
    agent = start_agent(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
    while notify_socket.recv(4096) != b"WATCHDOG=1":
        pass
    notify_socket.close()
    os.unlink(path)
    agent.wait_for_line("warning: systemd at .* cannot be notified")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as anew:
        anew.bind(path)
        os.chmod(path, 0o777)
        anew.settimeout(15)
        while anew.recv(4096) != b"WATCHDOG=1":
            pass
    assert len(agent.lines("cannot be notified")) == 1


def test_the_watchdog_has_a_pace_of_its_own(start_agent, notify_socket):
    start_agent(
        *("--sample-interval=10s", "--window=10s", "--wcs-interval=1s", "--stale-after=1m"),
        env={"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "600000"},
    )
    times = []
    while len(times) < 8:
        if notify_socket.recv(4096) == b"WATCHDOG=1":
            times.append(time.monotonic())
    assert max(b - a for a, b in zip(times, times[1:])) < 3, "not with the samples"


def test_the_watchdog_is_not_fed_without_samples(start_agent, notify_socket, faults):
    agent = start_agent(
        env={
            "NOTIFY_SOCKET": notify_socket.getsockname(),
            "WATCHDOG_USEC": "400000",
            **faults.environment,
        },
    )
    agent.wait_for_samples(2)
    faults.set(no_memory_in_sample=1)
    agent.wait_for_line("sampling fails")
    time.sleep(3)  # fresh for 2 s
    notify_socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            notify_socket.recv(4096)
    notify_socket.settimeout(1.5)
    with pytest.raises(TimeoutError):
        notify_socket.recv(4096)


def test_ready_arrives_also_where_the_manager_reads_late(start_agent, tmp_path):
    """Its queue has net.unix.max_dgram_qlen messages, of all services that start."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        os.chmod(path, 0o777)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
            others.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    others.sendto(b"STATUS=another service", path)
        agent = start_agent(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        agent.reply()
        agent.wait_for_line("cannot be notified")
        manager.settimeout(20)
        messages = []
        while b"WATCHDOG=1" not in messages:
            messages.append(manager.recv(4096))
        assert b"READY=1" in messages
