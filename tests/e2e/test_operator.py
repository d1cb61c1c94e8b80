# SPDX-License-Identifier: Apache-2.0
"""The operator's word: drain, maint and ready over the control socket, and what real HAProxys make of it."""

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import lab
import pytest

NODE = "127.0.0.11"
PATIENCE = 60  # s, for a machine that is busy with other things
NOBODY = 65534


def wait_until(condition, what):
    return lab.wait_until(condition, what, timeout=PATIENCE)


@pytest.fixture
def control():
    """A short path, which sockets need, that the agent's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="wna-", dir="/run"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run_agent(start, simulator, control):
    """run_agent(*options) -> an agent at NODE whose control socket is in `control`, once it answers."""

    def run_one(*options, name="agent", wcs=None, **settings):
        quick = (
            *("--cpu=off", "--policy=proportional", "--sample-interval=100ms", "--window=500ms"),
            *("--wcs-interval=200ms", "--wcs-timeout=1s", "--stale-after=3s", "--allow=127.0.0.0/8"),
        )
        settings = {"listen": f"{NODE}:9707", "metrics": f"{NODE}:9708", "control": control, **settings}
        agent = start(lab.Agent, name, f"--wcs-url={wcs or simulator.url}", *quick, *options, **settings)
        agent.wait_until_listening(PATIENCE)
        wait_until(agent.reply, "a first reply")
        return agent

    return run_one


def command(agent, *words, user=None):
    """The finished process of `wcs-node-agent WORDS`."""
    to_be, program = {}, lab.AGENT
    if user:  # who may not enter the folders that the build is in
        to_be = {"user": user, "group": user, "extra_groups": []}
        program = shutil.copy2(lab.AGENT, agent.control_socket.parent)
    return subprocess.run(
        [program, *words, "--control.socket", str(agent.control_socket)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        **to_be,
    )


def say(agent, *words):
    done = command(agent, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


class Waiting(lab.Process):
    """`drain --wait` under way."""

    def __init__(self, log, agent, *words):
        super().__init__(log, [lab.AGENT, "drain", "--wait", *words, "--control.socket", str(agent.control_socket)])


class Balancer(lab.Haproxy):
    """A real HAProxy that asks from its own address, with so many backends of the one node."""

    BACKEND = """
backend {name}
    source {source}
    default-server weight 100 check inter 500ms agent-check agent-addr {node} agent-port {port} agent-inter {inter}
    server node1 {node}:9708
"""

    def __init__(self, log, folder, source, inter="300ms", ports=(9707, 9707)):
        folder.mkdir(exist_ok=True)
        backends = [
            self.BACKEND.format(name=f"b{number}", source=source, node=NODE, port=port, inter=inter)
            for number, port in enumerate(ports)
        ]
        configuration = folder / "haproxy.cfg"
        configuration.write_text(
            'global\n    stats socket "${STATISTICS_SOCKET}" level admin\ndefaults\n    mode http\n'
            "    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n" + "".join(backends)
        )
        super().__init__(log, configuration, folder / "haproxy.sock", {"SITE_PEM": "none"})

    def rows(self):
        text = self.command("show stat").removeprefix("# ").strip()
        return {row["pxname"]: row for row in csv.DictReader(text.splitlines()) if row["svname"] == "node1"}

    def wait_for(self, status, backends=("b0", "b1")):
        last = []

        def fits():
            last[:] = [self.rows()]
            return all(re.search(status, last[0][name]["status"]) for name in backends)

        try:
            wait_until(fits, status)
        except AssertionError as error:
            shown = [(row["status"], row["last_chk"], row["last_agt"]) for row in last[0].values()]
            raise AssertionError(f"{error}; last: {shown}") from None
        return last[0]


@pytest.fixture
def balancers(start, control):
    """balancers(source) -> a Balancer."""

    def start_one(source, name="haproxy", **options):
        return start(Balancer, name, control / name, source, **options)

    return start_one


def without_ready(agent):
    """Returns once somebody who was told nothing is not told `ready`, and nobody is to hear it any more."""
    wait_until(lambda: agent.metrics()["wcs_node_operator_awaiting_ready"] == 0, "everybody has heard ready")


def test_two_balancers_hear_it_and_one_that_was_away_hears_ready_when_it_is_back(run_agent, balancers):
    agent = run_agent("--control.repeat-ready=2s")
    first, second = balancers("127.0.0.21", "first"), balancers("127.0.0.22", "second")
    for one in (first, second):
        one.wait_for("^UP")
    assert re.fullmatch(r"drain by root since \S+Z\n", say(agent, "drain"))
    for one in (first, second):
        row = one.wait_for("^DRAIN")["b1"]
        assert re.fullmatch(r"via agent : up \(by root since \S+Z\)", row["last_agt"]), row["last_agt"]

    # One is away while `ready` is given: stopped as it is, it still holds the drain.
    os.kill(workers_of(second), signal.SIGSTOP)
    asked = agent.metrics()['wcs_node_agent_checks_total{reply="drain"}']
    wait_until(lambda: agent.metrics()['wcs_node_agent_checks_total{reply="drain"}'] > asked, "the first one asks on")
    say(agent, "ready")
    first.wait_for("^UP")
    wait_until(lambda: agent.metrics()["wcs_node_operator_awaiting_ready"] == 1, "the second one is still to hear it")

    # An operator's own drain on the first one is left alone, once it has heard `ready` for as long as it is said.
    wait_until(lambda: told(agent) == {"127.0.0.22"}, "it is not said to the first one any more")
    first.command("set server b0/node1 state drain")
    # What has to be heard yet is kept over a restart of the agent.
    agent.close()
    agent = run_agent("--control.repeat-ready=2s", name="again")
    assert told(agent) == {"127.0.0.22"}
    second_worker = workers_of(second)
    os.kill(second_worker, signal.SIGCONT)
    second.wait_for("^UP")
    without_ready(agent)
    wait_until(lambda: told(agent) == set(), "nobody has to hear it")
    checks = agent.metrics()['wcs_node_agent_checks_total{reply="up"}']
    wait_until(
        lambda: agent.metrics()['wcs_node_agent_checks_total{reply="up"}'] > checks + 20, "many more checks"
    )
    rows = first.rows()
    assert rows["b0"]["status"].startswith("DRAIN") and rows["b1"]["status"] == "UP"


def workers_of(haproxy):
    """The process below the master that serves."""
    return int(subprocess.run(["pgrep", "-P", str(haproxy.pid)], capture_output=True, text=True).stdout.split()[0])


def told(agent):
    """The addresses that the agent has on its list, as it is kept."""
    return {one["address"] for one in json.loads(agent.state_file.read_text())["balancers"]}


def test_backends_of_one_balancer_all_hear_ready_whatever_their_intervals(run_agent, start, control):
    """From one address they cannot be told apart: the slow one has to hear it too."""
    agent = run_agent("--control.repeat-ready=20s")
    quick = start(Balancer, "quick", control / "quick", "127.0.0.21", inter="200ms")
    slow = start(Balancer, "slow", control / "slow", "127.0.0.21", inter="5s")
    for one in (quick, slow):
        one.wait_for("^UP")
    say(agent, "maint")
    for one in (quick, slow):
        one.wait_for("^MAINT")
    say(agent, "ready")
    for one in (quick, slow):
        one.wait_for("^UP")


def test_it_holds_over_a_restart_and_is_shown_everywhere(run_agent, balancers):
    agent = run_agent()
    balancer = balancers("127.0.0.21")
    say(agent, "drain")
    assert say(agent, "drain").startswith("already drain by root since ")
    balancer.wait_for("^DRAIN")
    agent.close()
    agent = run_agent(name="again")
    agent.wait_for_line(r"the operator's word holds: drain by root since \S+Z", PATIENCE)
    agent.wait_for_reply(r"^up drain # by root since \S+Z$", PATIENCE)
    status = agent.status_json()
    assert (status["state"], status["weight"]) == ("drain", 0)
    assert status["reply"].startswith("up drain # by root since ")
    assert {name: status["operator"][name] for name in ("word", "by")} == {"word": "drain", "by": "root"}
    shown = subprocess.run(
        [lab.AGENT, "status", "--metrics-listen", agent.metrics_address], capture_output=True, text=True
    ).stdout
    assert re.search(r"(?m)^operator +drain by root since \S+Z$", shown), shown
    page = agent.metrics()
    assert page['wcs_node_state{state="drain"}'] == page['wcs_node_operator_word{word="drain"}'] == 1
    assert page['wcs_node_state_reason{reason="operator"}'] == 1
    assert page["wcs_node_operator_word_timestamp_seconds"] > 1.7e9
    agent.wait_for_line("node is drain: by root since", PATIENCE)
    balancer.wait_for("^DRAIN")
    say(agent, "maint")
    balancer.wait_for("^MAINT")
    say(agent, "ready")
    balancer.wait_for("^UP")
    agent.wait_for_line("the operator says ready by root since .*, before: maint by root", PATIENCE)


def test_check_passes_it_on_in_words_that_the_next_reply_undoes(run_agent):
    """Who asks `check` under xinetd is not known, and would never hear `ready`."""
    agent = run_agent()

    def check():
        return subprocess.run([lab.AGENT, "check"], capture_output=True, text=True).stdout

    say(agent, "drain")
    wait_until(lambda: check().startswith("up 0% # by root since "), "weight 0")
    say(agent, "maint")
    wait_until(lambda: check().startswith("down # by root since "), "down")
    say(agent, "ready")
    wait_until(lambda: check() == "up 100%\n", "up again")


def test_all_profiles_say_it_and_a_node_over_its_limit_is_down_in_it(run_agent, simulator, tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"profiles": {"publish": {"agent_listen": [f"{NODE}:9717"], "subscribers": "off"}}}))
    file.chmod(0o644)
    agent = run_agent(f"--config={file}")
    simulator.set(streams_webrtc_out=120)
    agent.wait_for_reply(r"^down # subscribers 120 of 100", PATIENCE)
    say(agent, "drain")
    agent.wait_for_reply(r"^down drain # by root since \S+Z; subscribers 120 of 100", PATIENCE)
    assert re.fullmatch(r"up drain # by root since \S+Z\n", lab.ask_agent(f"{NODE}:9717"))
    say(agent, "ready")
    # Who was told by one of the answers hears `ready` in that one.
    for address, reply in ((agent.address, "^down ready # sub"), (f"{NODE}:9717", r"^up ready \d+%$")):
        wait_until(lambda: re.search(reply, lab.ask_agent(address)), f"{reply} at {address}")


def test_drain_wait_ends_when_the_node_is_empty_enough(run_agent, simulator, start, balancers):
    agent = run_agent()
    balancers("127.0.0.21").wait_for("^UP")
    simulator.set(streams_webrtc_in=1, streams_webrtc_out=25, streams_hls=2)
    agent.wait_for_reply("^up 75%", PATIENCE)
    waiting = start(Waiting, "waiting", agent, "--until-sessions", "5", "--deadline", "10m")
    waiting.wait_for_line("^28 sessions are left$", PATIENCE)
    simulator.set(streams_webrtc_out=2)
    assert waiting.wait(PATIENCE) == 0, waiting.output()
    assert waiting.output().endswith("done: 5 sessions are left\n")
    assert say(agent, "drain").startswith("already drain")


def test_drain_wait_goes_on_until_every_balancer_has_heard(run_agent, start):
    """One that has not asked since the word may still send sessions."""
    agent = run_agent()
    agent.reply()
    time.sleep(8)  # a balancer that asks so seldom is waited for three times as long
    for _ in range(2):
        agent.reply()
    waiting = start(Waiting, "waiting", agent)
    waiting.wait_for_line("^0 sessions are left; 1 balancer has not asked since$", PATIENCE)
    assert agent.reply().startswith("up drain")
    assert waiting.wait(PATIENCE) == 0, waiting.output()
    assert waiting.output().endswith("done: 0 sessions are left\n")


def test_drain_wait_ends_at_its_deadline_when_taken_back_and_when_interrupted(run_agent, simulator, start):
    agent = run_agent()
    simulator.set(streams_webrtc_out=25)
    agent.wait_for_reply("^up 75%", PATIENCE)
    late = start(Waiting, "late", agent, "--deadline", "1s")
    assert late.wait(PATIENCE) == 1
    assert "deadline reached: 25 sessions are left; the node stays as it is: wcs-node-agent ready takes it back" in late.output()
    for number in (signal.SIGINT, signal.SIGTERM):
        stopped = start(Waiting, f"stopped-{number}", agent)
        stopped.wait_for_line("25 sessions are left", PATIENCE)
        stopped.signal(number)
        assert stopped.wait(PATIENCE) == 1
        assert "interrupted: 25 sessions are left; the node stays as it is" in stopped.output()
        agent.wait_for_reply("^up drain # by root", PATIENCE)
    back = start(Waiting, "back", agent)
    back.wait_for_line("25 sessions are left", PATIENCE)
    say(agent, "ready")
    assert back.wait(PATIENCE) == 1
    assert re.search(r"(?m)^taken back: ready by root since \S+Z$", back.output())


def test_a_silent_wcs_or_agent_is_not_an_empty_node(run_agent, simulator, start):
    agent = run_agent()
    waiting = start(Waiting, "waiting", agent, "--until-sessions", "10")
    assert waiting.wait(PATIENCE) == 0, waiting.output()
    simulator.set(streams_webrtc_out=25)
    wait_until(lambda: agent.status_json()["wcs"]["merged"]["subscribers"]["value"] == 25, "the page")
    simulator.close()
    wait_until(lambda: agent.status_json()["wcs"]["up"] is False, "WCS is silent")
    waiting = start(Waiting, "silent", agent)
    waiting.wait_for_line("^how many sessions are left is unknown: wcs: ", PATIENCE)
    agent.close()
    waiting.wait_for_line("^the agent does not answer, which is waited for: ", PATIENCE)
    assert waiting.running
    other = start(lab.Simulator, "other-wcs-sim", listen=("127.0.0.1:8099",))
    run_agent(name="again", wcs=other.url)
    assert waiting.wait(PATIENCE) == 0, waiting.output()


@pytest.mark.parametrize(
    "words, want",
    [
        (("drain", "--until-sessions", "5"), "--until-sessions: needs --wait"),
        (("drain", "--deadline", "5s"), "--deadline: needs --wait"),
        (("drain", "--wait", "--until-sessions", "-1"), "--until-sessions: must be"),
        (("drain", "--wait", "--deadline", "soon"), "--deadline: must be"),
        (("maint", "--wait"), "--wait: unknown option"),
        (("ready", "now"), "now: unexpected argument"),
    ],
)
def test_wrong_usage_is_status_2(words, want):
    done = subprocess.run([lab.AGENT, *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert want in done.stderr


def test_where_no_agent_listens_it_says_what_to_do(control):
    for path in (control / "nothing.sock", control / "nowhere" / "control.sock"):
        done = subprocess.run([lab.AGENT, "drain", "--control.socket", str(path)], capture_output=True, text=True)
        assert done.returncode == 1
        assert f"{path}: no agent listens there. Is it running" in done.stderr


def test_the_socket_is_for_root_and_its_group(run_agent):
    agent = run_agent("--control.group=nogroup")
    status = agent.control_socket.stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o660, 0, NOBODY)
    other = command(agent, "drain", user=1)
    assert other.returncode == 1
    assert re.search(r"permission denied to \S+: root and members of the group nogroup may", other.stderr)
    agent.wait_for_reply("^up 100%$", PATIENCE)
    member = command(agent, "drain", user=NOBODY)
    assert (member.returncode, member.stderr) == (0, "")
    assert member.stdout.startswith("drain by nobody since ")
    agent.wait_for_reply("^up drain # by nobody since ", PATIENCE)


def test_without_a_group_it_is_for_root_alone(run_agent):
    agent = run_agent()
    other = command(agent, "drain", user=NOBODY)
    assert other.returncode == 1
    assert "permission denied to nobody: root may (the setting control.group lets a group in)" in other.stderr


def test_a_dead_agents_path_is_replaced_and_a_live_ones_is_not(run_agent, control):
    agent = run_agent()
    second = run_agent(name="second", listen="127.0.0.12:9707", metrics="127.0.0.12:9708")
    second.wait_for_line("drain, maint and ready do not reach this agent: .*: another agent listens there", PATIENCE)
    say(agent, "drain")
    agent.wait_for_reply("^up drain", PATIENCE)
    second.wait_for_reply("^up 100%$", PATIENCE)
    second.close()
    agent.signal(signal.SIGKILL)
    agent.wait()
    assert agent.control_socket.exists()
    agent = run_agent(name="again")
    assert say(agent, "ready").startswith("ready by root")
    agent.close()
    if agent.control_socket.exists():
        agent.control_socket.unlink()
    agent.control_socket.write_text("not a socket")
    agent = run_agent(name="third")
    agent.wait_for_line("there is something that is no socket", PATIENCE)
    assert agent.control_socket.read_text() == "not a socket"


@pytest.mark.parametrize("text", ["", "drain", '{"word": "drain"}', '{"word": "halt", "by": "root", "since": 1, "balancers": []}', "[" * 100_000])
def test_a_bad_file_is_told_and_ignored(run_agent, control, text):
    state = control / "state"
    state.mkdir(mode=0o755)
    (state / "operator.json").write_text(text)
    (state / "operator.json").chmod(0o644)
    agent = run_agent()
    agent.wait_for_line(r"operator\.json .*: ignored, the operator's word is ready", PATIENCE)
    agent.wait_for_reply("^up 100%$", PATIENCE)


def test_a_word_that_cannot_be_kept_holds_and_says_so(run_agent, control):
    (control / "state").mkdir(mode=0o755)  # root's
    agent = run_agent()
    done = command(agent, "drain")
    assert done.returncode == 0
    assert re.search(r"a restart of the agent would not know it: .*operator\.json cannot be written: Permission denied", done.stderr)
    agent.wait_for_reply("^up drain", PATIENCE)


def open_descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def test_hostile_clients_hold_up_nobody(run_agent):
    agent = run_agent()
    say(agent, "drain")
    say(agent, "ready")
    before = open_descriptors(agent)
    with contextlib.ExitStack() as stack:

        def client(data=b""):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(PATIENCE)
            one.connect(str(agent.control_socket))
            with contextlib.suppress(OSError):
                one.sendall(data)
            return one

        silent = [client() for _ in range(100)]
        slow = [client(b"dra") for _ in range(20)]
        for data in (b"x" * 1_000_000, b"\0" * 64, b"drain" * 20 + b"\n", b"\n", b"DRAIN\n", b"\xff\xfe\n"):
            client(data)
        for _ in range(50):
            client(b"look\n").close()  # reads nothing
        unread = [client(b"look\n") for _ in range(50)]
        assert say(agent, "drain").startswith("drain by root")
        assert say(agent, "ready").startswith("ready by root")
        assert open_descriptors(agent) < before + 40
        for one in silent[:-5] + slow[:2]:  # evicted, or cut off after some seconds
            with contextlib.suppress(ConnectionResetError):
                assert one.recv(100) == b""
        for one in slow:
            with contextlib.suppress(ConnectionResetError):
                assert one.recv(100) == b"", "half a request is none"
        assert unread
    wait_until(lambda: open_descriptors(agent) <= before, "no descriptor is left")
    assert agent.reply().startswith("up ")


def test_an_error_is_answered_and_changes_nothing(run_agent):
    agent = run_agent()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(agent.control_socket))
        client.sendall(b"halt\n")
        reply = json.loads(client.makefile().readline())
    assert (reply["word"], reply["error"]) == ("ready", "is not a request: drain, maint, ready, look, reload")
