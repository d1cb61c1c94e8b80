# SPDX-License-Identifier: Apache-2.0
"""tools/balance-table --limits: who comes how near to a bound that the agent's policy does not keep."""

import json
import os

import balance
import balance_limits
import balance_table
import pytest

STEADY = balance.Cell("steady", "roundrobin", 10)
JOIN = balance.Cell("join", "roundrobin", 10)


def result(imbalance, refused=0):
    return {
        **{"imbalance": imbalance, "hot_session_seconds": 0.1, "session_seconds": 1, "oscillation": 0},
        **{"over_limit_node_seconds": 0, "nodes": 10, "hours": 1, "sessions": 1000, "refused": refused},
    }


IMBALANCE = {
    **{("updown", None): 1.4, ("proportional", None): 1.3, ("headroom", None): 1.2, ("floor", None): 1},
    **{("central", str(gain)): 1.13 + gain / 100 for gain in balance_limits.GAINS},
    **{("central-maxconn", str(gain)): 1.16 - gain / 100 for gain in balance_limits.GAINS},
    **{("headroom-told", str(gain)): 1.11 - gain / 100 for gain in balance_limits.GAINS},
    ("floor-by-checks", None): 1.05,
}


def key_of(options):
    return options["--policy"], options.get("--gain")


@pytest.fixture
def asked(monkeypatch):
    """What balance-sim was asked for; nodes that are joined are even under all."""
    words_of_all = []

    def simulate(words):
        options = dict(zip(words[2::2], words[3::2]))
        words_of_all.append(options)
        if options["--workload"] == "join":
            return result(1)
        return result(IMBALANCE[key_of(options)])

    monkeypatch.setattr(balance, "simulate", simulate)
    return words_of_all


def test_the_best_of_all_gains_is_held_against_the_bound_that_is_broken(asked):
    found = balance.run("balance-sim", [STEADY, JOIN], seeds=(1,))
    del asked[:]
    reached = balance_limits.reach("balance-sim", found, seeds=(1,))
    assert reached == {
        STEADY: [
            balance_limits.Reach(
                balance.IMBALANCE_AGAINST_FLOOR, 1.2, pytest.approx(1.1), pytest.approx(1.12), pytest.approx(1.07), 1.05
            )
        ]
    }
    [reach] = reached[STEADY]
    assert (reach.by_weights_holds, reach.by_mean_holds, reach.by_checks_holds) == (False, True, True)
    assert {options["--workload"] for options in asked} == {"steady"}, "where all bounds hold nobody need be asked"


def test_who_turns_sessions_away_is_no_answer(monkeypatch):
    def simulate(words):
        options = dict(zip(words[2::2], words[3::2]))
        return result(1.01, 2) if options["--policy"] == "central-maxconn" else result(IMBALANCE[key_of(options)])

    monkeypatch.setattr(balance, "simulate", simulate)
    found = balance.run("balance-sim", [STEADY], seeds=(1,))
    [reach] = balance_limits.reach("balance-sim", found, seeds=(1,))[STEADY]
    assert reach.by_weights == pytest.approx(1.135)


def test_who_asks_no_haproxy_runs_once_for_all_algorithms(asked):
    cells = balance.grid((10,), ("steady",))
    balance_limits.reach("balance-sim", balance.run("balance-sim", cells, seeds=(1, 2)), seeds=(1, 2))
    policies = [options["--policy"] for options in asked]
    assert policies.count("floor-by-checks") == 2
    assert policies.count("central") == 2 * len(cells) * len(balance_limits.GAINS)


def test_the_tables_count_and_name_the_cells(asked):
    cells = balance.grid((10,), ("steady",), ("roundrobin", "random"))
    reached = balance_limits.reach("balance-sim", balance.run("balance-sim", cells, seeds=(1,)), seeds=(1,))
    name = balance.IMBALANCE_AGAINST_FLOOR
    assert balance_table.limits_summary(reached).splitlines()[2:] == [
        f"| {name} | roundrobin | 1 | 0 | 1 | 1 |",
        f"| {name} | random | 1 | 0 | 1 | 1 |",
    ]
    assert f"| steady | random | 10 | {name} | 1.2 | 1.1 | 1.12 | 1.07 (kept) | 1.05 (kept) |" in balance_table.limits_table(reached)


@pytest.mark.parametrize(("program_is_newer", "kept"), [(False, 4), (True, 1)])
def test_runs_of_an_older_program_are_forgotten_for_good(monkeypatch, tmp_path, program_is_newer, kept):
    runs, program = tmp_path / "runs.jsonl", tmp_path / "balance-sim"
    policies = ("updown", "proportional", "headroom", "headroom-told")
    rows = [{"words": ["balance-sim", "--policy", policy], "result": result(1)} for policy in policies]
    runs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    program.touch()
    os.utime(runs, (1000, 1000))
    os.utime(program, (1001, 1001) if program_is_newer else (999, 999))
    monkeypatch.setattr(balance_table, "RUNS", runs)
    monkeypatch.setattr(balance_table, "PROGRAM", str(program))
    monkeypatch.setattr(balance, "run", lambda *_, **__: {})
    for _ in range(2):
        balance_table.run_all([], True, False)
        assert len(balance_table.read_runs()) == kept
