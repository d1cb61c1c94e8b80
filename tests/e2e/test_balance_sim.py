# SPDX-License-Identifier: Apache-2.0
"""balance-sim against what it simulates: a real HAProxy, and steady states that follow on paper."""

import collections
import json
import random
import select
import socket
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import balance
import lab
import pytest

BALANCE_SIM = str(Path(lab.AGENT).parent / "balance-sim")
SERVERS = 6
FRONTEND = "127.0.0.1:7000"
CONFIGURATION = """
global
    nbthread 1
    stats socket {socket} level admin
defaults
    mode tcp
    maxconn 8000
    timeout connect 5s
    timeout queue 5m
    timeout client 5m
    timeout server 5m
frontend sessions
    bind {frontend}
    default_backend nodes
backend nodes
    balance {algorithm}
"""


def balance_sim(*options, text=None):
    return subprocess.run([BALANCE_SIM, *options], input=text, capture_output=True, text=True)


def simulate(*options):
    result = balance_sim(*options, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class RealBalancer:
    """The verbs of `balance-sim --replay`, done to a HAProxy whose servers are this process."""

    def __init__(self, start, folder, stack, algorithm):
        self._stack = stack
        self._listeners = {}
        control = folder / "control.sock"
        text = CONFIGURATION.format(socket=control, frontend=FRONTEND, algorithm=algorithm)
        for number in range(SERVERS):
            listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            self._listeners[listener] = number
            text += "    server %d %s:%d weight 100\n" % (number, *listener.getsockname())
        path = folder / "haproxy.cfg"
        path.write_text(text)
        self._haproxy = start(lab.Haproxy, "haproxy", path, control)
        self.lines, self.answers = [], []  # what was asked, and what came of it
        self.at = {}  # name -> server
        self.waiting = []
        self._ends = {}  # name -> (client's, server's)

    def ask(self, *words):
        verb, name, *value = map(str, words)
        self.lines.append(" ".join((verb, name, *value)))
        if verb == "open":
            self._open(name)
        elif verb == "close":
            self._close(name)
        elif verb == "weight":
            self._haproxy.command(f"set weight nodes/{name} {value[0]}%")
        else:
            self._haproxy.command(f"set maxconn server nodes/{name} {value[0]}")
            self._settle()

    def _counts(self):
        """(connections of all servers, length of the queue)."""
        rows = self._haproxy.command("show stat nodes 6 -1").removeprefix("# ").splitlines()
        columns = rows[0].split(",")
        cells = [dict(zip(columns, row.split(","))) for row in rows[1:] if row]
        served = sum(int(row["scur"]) for row in cells if row["type"] == "2")
        return served, sum(int(row["qcur"]) for row in cells if row["type"] == "1")

    def _accept(self, timeout):
        """True if a server got a connection, which is noted."""
        ready = select.select(list(self._listeners), [], [], timeout)[0]
        for listener in ready:
            server_end = self._stack.enter_context(closing(listener.accept()[0]))
            server_end.sendall(b"!")
            waiting = {self._ends[name][0]: name for name in self.waiting}
            [client_end] = select.select(list(waiting), [], [], 5)[0]
            client_end.recv(1)
            name = waiting[client_end]
            self.waiting.remove(name)
            self.at[name] = self._listeners[listener]
            self._ends[name] = (client_end, server_end)
            self.answers.append(f"{name} {self.at[name]}")
        return bool(ready)

    def _open(self, name):
        client_end = self._stack.enter_context(closing(lab.connect(FRONTEND)))
        self._ends[name] = (client_end, None)
        self.waiting.append(name)

        def has_gone_somewhere():
            return self._accept(0.02) or self._counts()[1] == len(self.waiting)

        lab.wait_until(has_gone_somewhere, f"{name} is served or queued", every=0.002)
        if name in self.waiting:
            self.answers.append(f"{name} queued")

    def _close(self, name):
        del self.at[name]
        client_end, server_end = self._ends.pop(name)
        client_end.close()
        assert server_end.recv(1) == b""
        server_end.close()
        self._settle()

    def _settle(self):
        """Returns once HAProxy has let go of who left, and those in its queue have come or stay."""

        def is_settled():
            while self._accept(0.002 if self.waiting else 0):
                pass
            return self._counts() == (len(self.at), len(self.waiting))

        lab.wait_until(is_settled, "HAProxy has taken it in", every=0.002)


def replayed(algorithm, lines):
    result = balance_sim(
        *("--replay", "--nodes", str(SERVERS), "--algorithm", algorithm, "--slowstart", "0"),
        text="\n".join(lines) + "\n",
    )
    assert result.returncode == 0, result.stderr
    return [line for line in result.stdout.splitlines() if line]


def sessions_come_and_go(real, chance, count, changes, weights):
    """So many connections, of which most end; every now and then a weight changes."""
    for number in range(count):
        real.ask("open", f"c{len(real.lines)}")
        if len(real.at) > 60 and chance.random() < 0.9:
            real.ask("close", chance.choice(list(real.at)))
        if chance.random() < changes:
            real.ask("weight", chance.randrange(SERVERS), chance.choice(weights))


def shares(answers):
    """What part of the connections each server got."""
    servers = [answer.split()[1] for answer in answers]
    counts = collections.Counter(server for server in servers if server.isdigit())
    return [counts[str(number)] / counts.total() for number in range(SERVERS)]


@pytest.fixture
def real_balancer(start, tmp_path):
    """real_balancer(algorithm) -> a RealBalancer."""
    with ExitStack() as stack:
        yield lambda algorithm: RealBalancer(start, tmp_path, stack, algorithm)


@pytest.mark.parametrize(
    ("algorithm", "weights"),
    [
        ("roundrobin", (0, 1, 7, 30, 60, 100, 170, 256)),
        ("roundrobin", (0, 1, 2, 3, 5)),  # a round is as long as their sum: many rounds
        ("leastconn", (0, 1, 7, 30, 60, 100, 170, 256)),
    ],
)
def test_each_of_thousands_of_connections_goes_where_haproxy_sends_it(real_balancer, algorithm, weights):
    real = real_balancer(algorithm)
    sessions_come_and_go(real, random.Random(algorithm), 2500, 0.2, weights)
    assert replayed(algorithm, real.lines) == real.answers
    assert len(set(real.at.values())) > 3, "else this shows little"


def test_random_draws_give_the_shares_that_haproxy_gives(real_balancer):
    real = real_balancer("random(2)")
    for number, percent in enumerate((100, 90, 70, 50, 30, 20)):
        real.ask("weight", number, percent)
    for number in range(2500):
        real.ask("open", f"c{number}")
        if number >= 300:
            real.ask("close", f"c{number - 300}")
    theirs, ours = shares(real.answers), shares(replayed("random", real.lines))
    assert ours == pytest.approx(theirs, abs=0.02)
    assert theirs[0] > 0.2 > 0.1 > theirs[5], "else this shows little"


@pytest.mark.parametrize("algorithm", ["roundrobin", "leastconn"])
def test_full_servers_and_the_queue_are_haproxys(real_balancer, algorithm):
    real = real_balancer(algorithm)
    chance = random.Random(algorithm)
    for number in range(SERVERS):
        real.ask("maxconn", number, 3 + 4 * number)
    for _ in range(5):
        while len(real.waiting) < 15:
            real.ask("open", f"c{len(real.lines)}")
        for _ in range(35):
            real.ask("close", chance.choice(list(real.at)))
            if chance.random() < 0.5:
                real.ask("open", f"c{len(real.lines)}")
            if chance.random() < 0.2:
                real.ask("maxconn", chance.randrange(SERVERS), chance.randrange(2, 30))
            if chance.random() < 0.2:
                real.ask("weight", chance.randrange(SERVERS), chance.choice((0, 10, 100)))
    assert replayed(algorithm, real.lines) == real.answers


# Steady states


def test_free_percent_settles_where_the_closed_form_says():
    """Capacities 1:2:4: each gets sessions in proportion to 1 - U, so U = k(1 - U)/capacity."""
    run = simulate(
        *("--nodes", "9", "--capacity", "1:2:4", "--load", "0.80", "--room", "2000", "--spread", "1"),
        *("--hours", "1", "--warm-up", "7200", "--mean-length", "120"),
    )
    used = run["utilisation_by_capacity"]
    assert [used["1"], used["2"], used["4"]] == pytest.approx([0.90, 0.82, 0.69], abs=0.01)


def test_equal_shares_fill_unequal_nodes_by_their_size():
    run = simulate(
        *("--policy", "none", "--nodes", "90", "--capacity", "1:2:4", "--load", "0.3", "--room", "500"),
        *("--hours", "0.2", "--warm-up", "5000", "--mean-length", "120", "--spread", "1"),
    )
    used = run["utilisation_by_capacity"]
    assert used["1"] / used["4"] == pytest.approx(4, rel=0.02)
    assert used["2"] / used["4"] == pytest.approx(2, rel=0.02)


# The default policy, in a part of the grid of tools/balance-table


@pytest.fixture(scope="module")
def ten_nodes():
    few = balance.run(BALANCE_SIM, balance.grid((2, 10)), seeds=(1, 2, 3))
    # Which sessions the dead node had is one draw a run.
    return few | balance.run(BALANCE_SIM, balance.grid((10,), ("death",)), seeds=range(1, 21))


@pytest.mark.parametrize("workload", balance.WORKLOADS)
def test_the_default_policy_keeps_its_bounds(ten_nodes, workload):
    cells = {cell: results for cell, results in ten_nodes.items() if cell.workload == workload}
    assert len(cells) == 6
    assert balance.unexpected(cells) == []


@pytest.mark.parametrize("algorithm", balance.ALGORITHMS)
def test_the_weight_goes_by_how_sessions_follow_it(ten_nodes, algorithm):
    """What is calm under leastconn and random would be slow under roundrobin, and the agent knows which it is."""
    results = ten_nodes[balance.Cell("steady", algorithm, 10)]
    changes = {policy: balance.mean(of, "weight_changes_per_minute") for policy, of in results.items()}
    imbalances = {policy: balance.imbalance(of) - 1 for policy, of in results.items()}
    by_turns = algorithm == "roundrobin"
    assert changes["headroom"] < (1.05 if by_turns else 0.9) * changes["proportional"]
    if algorithm != "random":
        assert imbalances["headroom"] < 0.85 * imbalances["proportional"]
    ours = results["headroom"]
    assert (balance.mean(ours, "effect") < 1.45) == by_turns
    assert (balance.mean(ours, "arrival_dispersion") < 0.9) == by_turns
    if by_turns:
        assert balance.mean(ours, "level_known_ratio") > 0.9
        assert balance.mean(ours, "level_error") < 0.04, "of the utilisation that all have in the mean"
    else:
        assert balance.mean(ours, "level_known_ratio") < 0.1


@pytest.mark.parametrize("workload", ["diurnal", "flash-crowd"])
def test_no_node_of_a_hundred_takes_the_fleets_load_for_its_own(workload):
    cell = balance.Cell(workload, "roundrobin", 100)
    results = balance.run(BALANCE_SIM, [cell], seeds=(1,))
    assert balance.unexpected(results) == []
    imbalances = {policy: balance.imbalance(of) - 1 for policy, of in results[cell].items()}
    assert imbalances["headroom"] < 0.8 * imbalances["proportional"]


@pytest.mark.parametrize("algorithm", balance.ALGORITHMS)
@pytest.mark.parametrize("length", ["300", "60"])
def test_nothing_swings_where_chance_is_small(algorithm, length):
    run = simulate(
        *("--policy", "headroom", "--algorithm", algorithm, "--workload", "full", "--nodes", "6"),
        *("--room", "2000", "--spread", "1", "--hours", "0.5", "--mean-length", length),
    )
    assert run["oscillation"] < 0.03
    assert run["over_limit_node_seconds"] == 0


# The program


def test_a_run_is_the_same_for_its_seed_and_another_for_another():
    options = ("--nodes", "20", "--balancers", "3", "--algorithm", "random", "--hours", "0.2")
    assert simulate(*options) == simulate(*options)
    assert simulate(*options) != simulate(*options, "--seed", "2")


def test_a_trace_takes_the_place_of_the_workloads_sessions(tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("".join(f"{at} 1000 2 0.01\n" for at in range(-10, 90)))
    run = simulate("--trace", str(trace), "--nodes", "4", "--hours", "0.025", "--warm-up", "10")
    assert run["sessions"] == 90
    assert sum(run["sessions_by_node"]) == 90
    assert len(run["utilisation"]) == 89 and len(run["utilisation"][0]) == 4
    assert run["highest_utilisation"] < 0.3
    trace.write_text("0 10 1\n")
    wrong = balance_sim("--trace", str(trace))
    assert wrong.returncode == 2 and f"{trace}: line 1: '0 10 1'" in wrong.stderr


def test_quicker_times_are_the_agents_and_haproxys():
    """Each changes the course of a flash crowd."""
    options = ("--policy", "headroom", "--workload", "flash-crowd", "--hours", "0.3", "--nodes", "4")
    usual = simulate(*options)
    for name, value in (("window", 30), ("recent-sessions", 0), ("capacity-window", 1), ("queue-timeout", 1)):
        changed = simulate(*options, f"--{name}", str(value))
        assert changed != {**usual, "events": changed["events"]}, name
    assert simulate(*options, "--spread-checks") != usual


def test_all_that_is_listed_can_be_run():
    listed = balance_sim("--list").stdout.split("workloads\n")
    policies, workloads = ([line.split()[0] for line in text.splitlines() if line[0] == " "] for text in listed)
    assert {"updown", "proportional", "floor"} <= set(policies)
    assert {"steady", "flash-crowd", "unequal"} <= set(workloads)
    for policy in policies:
        simulate("--policy", policy, "--hours", "0.05", "--warm-up", "60")
    for workload in workloads:
        run = simulate("--workload", workload, "--nodes", "4", "--hours", "0.5", "--warm-up", "60")
        assert run["sessions"] > 0 and run["workload"] == workload


@pytest.mark.parametrize(
    "wrong",
    [
        ("--policy", "none such"),
        ("--workload", "none such"),
        ("--algorithm", "first"),
        ("--capacity", "1:0"),
        ("--capacity", "1:2x"),
        ("--nodes", "0"),
        ("--load", "-1"),
        ("--window", "0"),
        ("--trace", "/no/such/file"),
        ("--no-such-option",),
    ],
)
def test_a_wrong_option_is_refused(wrong):
    result = balance_sim(*wrong)
    assert result.returncode == 2, result.stdout
    assert wrong[0] in result.stderr
