# SPDX-License-Identifier: Apache-2.0
"""packaging/prometheus/rules by promtool: when each alert fires, and the neighbouring case in which it must not.

Series are promtool's: a value each minute, `0.5+0.1x3` for 0.5, 0.6, 0.7, 0.8 and `7x60` for 61 times 7.
"""

import json

import pytest
from monitoring_files import ALERTS, GROUPS, RULE_FILES, promtool


def node(metric, values, instance="n1:9708", **labels):
    """One series of a node's page."""
    pairs = {"job": "wcs", "instance": instance, **labels}
    matchers = ",".join(f'{name}="{value}"' for name, value in pairs.items())
    return {"series": f"{metric}{{{matchers}}}", "values": values}


def limit(values, name="band_out", **labels):
    return node("wcs_node_limit_utilization_ratio", values, limit=name, **labels)


def state(name, since=0, instance="n1:9708", until=120):
    """A node in that state for the whole test, since so many seconds of it, whose WCS answers."""
    values = {one: f"{int(one == name)}x{until}" for one in ("up", "down", "drain")}
    every = [node("wcs_node_state", values[one], instance, state=one) for one in values]
    changed = node("wcs_node_state_change_timestamp_seconds", f"{since}x{until}", instance)
    return [*every, changed, node("wcs_up", f"1x{until}", instance)]


def again(values):
    """The values over and over."""
    return " ".join([values] * 40)


def fleet(*utilizations):
    """Nodes that have been up since the beginning, each with the values of its only limit."""
    return [
        series
        for number, values in enumerate(utilizations, 1)
        for series in (*state("up", instance=f"n{number}:9708"), limit(values, instance=f"n{number}:9708"))
    ]


def weight(values, utilization, name="band_out"):
    return [*state("up"), node("wcs_node_weight_ratio", values), limit(utilization, name)]


def unknown(values, wcs_up):
    return [node("wcs_node_limit_unknown", values, limit="band_out"), node("wcs_up", wcs_up)]


def wcs(up, **faults):
    every = {"connect": "0x60", "timeout": "0x60", **faults}
    return [node("wcs_up", up), *(node("wcs_fault", values, reason=reason) for reason, values in every.items())]


def received(frames, lost):
    return [
        node("wcs_node_udp_receive_buffer_errors_total", lost),
        node("wcs_node_network_receive_packets_total", frames, device="eth0"),
        node("wcs_node_interface_selected", "1x120", device="eth0"),
        # A VLAN of that card has the same frames once more; it is not selected.
        node("wcs_node_network_receive_packets_total", frames, device="eth0.7"),
    ]


def cpu(busiest, mean):
    return [node("wcs_node_cpu_max_utilization_ratio", busiest), node("wcs_node_cpu_utilization_ratio", mean)]


def checks(values, reply="up"):
    return node("wcs_node_agent_checks_total", values, reply=reply)


def reports(share):
    return f"n1:9708 reports {share} of its weight."


def uses(share):
    return f"n1:9708 uses {share} of its limit band_out."


def will_be(share):
    return f"n1:9708 will be at {share} of its limit band_out in 15 minutes, if it goes on as in the last 15."


def no_page(reason):
    return f"No statistics page comes from the Web Call Server of n1:9708: {reason}."


def busy(share):
    return f"The busiest CPU of n1:9708 has been busy {share} of the time."


def without_one(share):
    return f"Without one of its nodes wcs would be {share} full."


def new(since):
    """A node that came up after so many seconds, and is empty."""
    return [*state("up", since, "n3:9708"), limit("0x120", instance="n3:9708")]


def told(word):
    """By an operator, for five hours."""
    return [node("wcs_node_operator_word", f"{int(one == word)}x300", word=one) for one in ("ready", "drain", "maint")]


def because(instance="n1:9708", **reasons):
    return [node("wcs_node_state_reason", values, instance, reason=reason) for reason, values in reasons.items()]


def reported_down(reason):
    return f"n1:9708 has reported down to HAProxy for two minutes: {reason}."


UP, DOWN = state("up"), state("down")
# Another node's reason, and that of another answer of the same node.
OTHERS = [*because("n2:9708", cpu="1x60"), node("wcs_node_state_reason", "1x60", reason="hls", profile="edge")]
AGE = "wcs_node_agent_sample_age_seconds"
UNSTEADY = " ".join(f"{0.1 + 0.03 * minute + 0.015 * (-1) ** minute:.3f}" for minute in range(40))
OUT, ALL = {"limit": "band_out"}, {"instance": None}
DEAD = [
    node("wcs_up", "0x60", "n3:9708"),
    node("wcs_node_state", "1x60", "n3:9708", state="down"),
    limit("0.05x60", "cpu", instance="n3:9708"),
]


def fires(alert, what, minute, series, description, **labels):
    """labels: beside the node's own; None for one that the alert does not have."""
    return pytest.param(alert, series, minute, description, labels, id=f"{alert}: {what}")


def silent(alert, what, minute, series):
    return pytest.param(alert, series, minute, None, {}, id=f"{alert}, silent: {what}")


CASES = [
    fires("WcsNodeDown", "for 2 min", 2, DOWN, reported_down("reason unknown"), state="down"),
    fires("WcsNodeDown", "full", 2, [*DOWN, *because(cpu="1x60", hls="0x60")], reported_down("cpu"), state="down"),
    fires("WcsNodeDown", "another", 3, [*DOWN, *because(cpu="1 0x60", hls="0 1x60")], reported_down("hls"), state="down"),
    fires("WcsNodeDown", "others' reasons", 2, [*DOWN, *OTHERS], reported_down("reason unknown"), state="down"),
    silent("WcsNodeDown", "for a minute", 1, DOWN),
    silent("WcsNodeDown", "up", 60, UP),
    silent("WcsNodeDown", "drained", 60, state("drain")),
    #
    fires("WcsNodeKeptOut", "for 4 h", 240, told("drain"), "n1:9708 has been told drain for four hours.", word="drain"),
    fires("WcsNodeKeptOut", "in maintenance", 240, told("maint"), "n1:9708 has been told maint for four hours.", word="maint"),
    silent("WcsNodeKeptOut", "for less", 239, told("drain")),
    silent("WcsNodeKeptOut", "ready", 300, told("ready")),
    #
    fires("WcsNodeWeightLow", "9 %, and no limit is near", 10, weight("0.09x60", "0.89x60"), reports("9%")),
    fires("WcsNodeWeightLow", "20 % now and then", 30, weight(again("0.02 0.02 0.2"), "0.5x60"), reports("8%")),
    fires("WcsNodeWeightLow", "a soft limit", 10, weight("0.01x60", "1.2x60", "udp_loss"), reports("1%")),
    silent("WcsNodeWeightLow", "11 %", 60, weight("0.11x60", "0.5x60")),
    silent("WcsNodeWeightLow", "a limit that is near", 60, weight("0.09x60", "0.91x60")),
    silent("WcsNodeWeightLow", "down", 60, [*DOWN, node("wcs_node_weight_ratio", "0x60")]),
    silent("WcsNodeWeightLow", "for 9 min", 9, weight("0.01x60", "0.5x60")),
    #
    fires("WcsNodeLimitNear", "91 %", 5, [limit("0.91x60")], uses("91%"), **OUT),
    fires("WcsNodeLimitNear", "80 % now and then", 30, [limit(again("0.97 0.97 0.8"))], uses("91.33%"), **OUT),
    silent("WcsNodeLimitNear", "89 %", 60, [limit("0.89x60")]),
    silent("WcsNodeLimitNear", "for 4 min", 4, [limit("0.91x60")]),
    silent("WcsNodeLimitNear", "one sample of 100 %", 21, [limit("0.5x20 1 0.5x60")]),
    silent("WcsNodeLimitNear", "what measures bursts", 60, [limit("2x60", "band_out_peak")]),
    #
    fires("WcsNodeLimitReachedSoon", "3 % a minute, at 70 %", 20, [limit("0.1+0.03x40")], will_be("115%"), **OUT),
    fires("WcsNodeLimitReachedSoon", "3 % a minute, unsteadily", 23, [limit(UNSTEADY)], will_be("123.2%"), **OUT),
    silent("WcsNodeLimitReachedSoon", "3 % a minute, for 4 min", 19, [limit("0.1+0.03x40")]),
    silent("WcsNodeLimitReachedSoon", "1 % a minute, at 82 %", 45, [limit("0.37+0.01x60")]),
    silent("WcsNodeLimitReachedSoon", "a step", 25, [limit("0.3x20 0.75x40")]),
    silent("WcsNodeLimitReachedSoon", "a rise that has ended", 32, [limit("0.1x10 0.1+0.04x15 0.7x40")]),
    silent("WcsNodeLimitReachedSoon", "a rise that slows down", 31, [limit("0.1x10 0.1+0.04x15 0.715+0.013x9")]),
    silent("WcsNodeLimitReachedSoon", "a rise that has begun", 42, [limit("0.2x30 0.2+0.06x20")]),
    silent("WcsNodeLimitReachedSoon", "less than 15 min of history", 14, [limit("0.3+0.04x30")]),
    silent("WcsNodeLimitReachedSoon", "reached already", 60, [limit("1.05x60")]),
    silent("WcsNodeLimitReachedSoon", "falling", 25, [limit("0.99-0.01x30")]),
    silent("WcsNodeLimitReachedSoon", "what measures faults", 20, [limit("0.1+0.03x40", "udp_loss")]),
    #
    fires(
        *("WcsNodeLimitUnknown", "for 5 min", 5, unknown("1x60", wcs_up="1x60")),
        "n1:9708 does not know the value of its limit band_out, and goes on without it unless when_unreadable says"
        " otherwise.",
        **OUT,
    ),
    silent("WcsNodeLimitUnknown", "for 4 min", 4, unknown("1x60", wcs_up="1x60")),
    silent("WcsNodeLimitUnknown", "known", 60, unknown("0x60", wcs_up="1x60")),
    silent("WcsNodeLimitUnknown", "WCS is silent", 60, unknown("1x60", wcs_up="0x60")),
    #
    fires("WcsNodeWcsSilent", "for 2 min", 2, wcs("0x60", timeout="1x60"), no_page("timeout")),
    fires("WcsNodeWcsSilent", "other reasons", 2, wcs("0x60", connect="1 0x60", timeout="0 1x60"), no_page("timeout")),
    silent("WcsNodeWcsSilent", "for a minute", 2, wcs("1 0 0 1x60", connect="0 1 1 0x60")),
    silent("WcsNodeWcsSilent", "a name that its page lacks", 60, wcs("1x60", missing_name="1x60")),
    #
    fires(
        *("WcsNodeUdpLoss", "0.11 % of 1,000 a second", 10, received("0+60000x60", lost="0+66x60")),
        "n1:9708 loses 0.11% of the datagrams that reach it, as sockets are not read in time.",
    ),
    silent("WcsNodeUdpLoss", "for 4 min", 9, received("0+60000x60", lost="0+66x60")),
    silent("WcsNodeUdpLoss", "0.09 % of 2,000 a second", 60, received("0+120000x60", lost="0+108x60")),
    silent("WcsNodeUdpLoss", "1 % of 90 a second", 60, received("0+5400x60", lost="0+54x60")),
    silent("WcsNodeUdpLoss", "one burst", 25, received("0+60000x60", lost="0x20 3000x40")),
    #
    fires("WcsNodeCpuCoreFull", "97 %, the mean 60 %", 10, cpu("0.97x60", "0.6x60"), busy("97%")),
    fires("WcsNodeCpuCoreFull", "not always", 30, cpu(again("1 1 0.88"), again("0.5 0.5 1")), busy("96%")),
    silent("WcsNodeCpuCoreFull", "for 9 min", 9, cpu("0.97x60", "0.6x60")),
    silent("WcsNodeCpuCoreFull", "94 %", 60, cpu("0.94x60", "0.6x60")),
    silent("WcsNodeCpuCoreFull", "all are full", 60, cpu("0.99x60", "0.8x60")),
    #
    fires(
        *("WcsNodeAgentUnreachable", "for 2 min", 2, [node("up", "0x60")]),
        "n1:9708 has not been scraped for two minutes; HAProxy may hear nothing either.",
    ),
    silent("WcsNodeAgentUnreachable", "for a minute", 1, [node("up", "0x60")]),
    silent("WcsNodeAgentUnreachable", "another job", 60, [node("up", "0x60", job="node")]),
    #
    fires("WcsNodeAgentStale", "31 s, for a minute", 1, [node(AGE, "31x60")], "The figures of n1:9708 are 31s old."),
    silent("WcsNodeAgentStale", "29 s", 60, [node(AGE, "29x60")]),
    silent("WcsNodeAgentStale", "once", 0, [node(AGE, "31x60")]),
    #
    fires(
        *("WcsNodeAgentNotAsked", "for a minute", 2, [checks("7x60")]),
        "HAProxy has not asked n1:9708 for five minutes, so it keeps the node's last weight.",
    ),
    silent("WcsNodeAgentNotAsked", "a start", 1, [checks("7x60")]),
    silent("WcsNodeAgentNotAsked", "asked, and down", 60, [checks("7x60"), checks("0+12x60", "down")]),
    silent("WcsNodeAgentNotAsked", "every 3 min", 32, [checks(" ".join(f"{n} {n} {n}" for n in range(20)))]),
    #
    fires(
        *("WcsFleetNoNodeUp", "one down, one drained", 1, [*DOWN, *state("drain", instance="n2:9708")]),
        "Every node of wcs that can be scraped is down or drained.",
        instance=None,
    ),
    silent("WcsFleetNoNodeUp", "once", 0, DOWN),
    silent("WcsFleetNoNodeUp", "one is up", 60, [*DOWN, *state("up", instance="n2:9708")]),
    #
    fires("WcsFleetHeadroomShort", "three at 62 %", 10, fleet(*["0.62x60"] * 3), without_one("93%"), **ALL),
    fires("WcsFleetHeadroomShort", "45 % at times", 30, fleet(*[again("0.7 0.7 0.45")] * 3), without_one("92.5%"), **ALL),
    fires("WcsFleetHeadroomShort", "the only one is full", 10, [*DOWN, limit("1.05x60")], without_one("105%"), **ALL),
    fires("WcsFleetHeadroomShort", "one has no WCS", 10, [*fleet(*["0.5x60"] * 2), *DEAD], without_one("100%"), **ALL),
    silent("WcsFleetHeadroomShort", "three at 58 %", 60, fleet("0.58x60", "0.58x60", "0.58x60")),
    silent("WcsFleetHeadroomShort", "for 9 min", 9, fleet("0.62x60", "0.62x60", "0.62x60")),
    silent("WcsFleetHeadroomShort", "lost datagrams", 60, [*fleet("0.1x60", "0.1x60"), limit("2x60", "udp_loss")]),
    #
    fires(
        *("WcsFleetUneven", "56 %, 24.5 % and 24.5 %", 46, fleet("0.56x120", "0.245x120", "0.245x120")),
        "The fullest node of wcs has 1.6 times the mean utilisation.",
        instance=None,
    ),
    silent("WcsFleetUneven", "for 14 min", 45, fleet("0.56x120", "0.245x120", "0.245x120")),
    silent("WcsFleetUneven", "54 %, 36 % and 36 %", 110, fleet("0.54x120", "0.36x120", "0.36x120")),
    silent("WcsFleetUneven", "nearly idle", 110, fleet("0.5x120", "0.15x120", "0.15x120")),
    silent("WcsFleetUneven", "a new node that is empty", 85, [*fleet("0.6x120", "0.6x120"), *new(3600)]),
    silent("WcsFleetUneven", "one at 80 % for 5 min", 60, fleet("0.4x50 0.8x5 0.4x60", "0.4x120", "0.4x120")),
    silent("WcsFleetUneven", "a fleet of one", 110, fleet("0.8x120")),
]


def promtool_test(folder, series, **expected):
    """Fails unless the rules make of the series what is expected."""
    case = {
        "rule_files": [str(path) for path in RULE_FILES],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in GROUPS],
        "tests": [{"interval": "1m", "input_series": series, **expected}],
    }
    (folder / "case.yml").write_text(json.dumps(case))
    promtool("test", "rules", folder / "case.yml")


@pytest.mark.parametrize("alert, series, minute, description, labels", CASES)
def test_alert(tmp_path, alert, series, minute, description, labels):
    own = ALERTS[alert]
    named = {"job": "wcs", "instance": "n1:9708", **own["labels"], **labels}
    fired = {
        "exp_labels": {name: value for name, value in named.items() if value is not None},
        "exp_annotations": {**own["annotations"], "description": description},
    }
    expected = {"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": [fired] if description else []}
    promtool_test(tmp_path, series, alert_rule_test=[expected])


def test_each_alert_has_a_row_in_which_it_fires_and_one_in_which_it_does_not():
    for fires in (True, False):
        assert {case.values[0] for case in CASES if bool(case.values[3]) == fires} == set(ALERTS)


MIXED = [
    *fleet("0.2x60", "0.6x60"),
    limit("0.3x60", "cpu"),
    limit("3x60", "udp_loss"),
    *DEAD,
    *state("down", instance="n4:9708"),
    limit("1.1x60", instance="n4:9708"),
    *state("drain", instance="n5:9708"),
    limit("0x60", instance="n5:9708"),
]


@pytest.mark.parametrize(
    "record, series, expected",
    [
        # Up, up, down since it is full; neither the one without its WCS nor the one that is drained.
        ("instance:wcs_node_utilization_ratio:max", MIXED, {"n1:9708": 0.3, "n2:9708": 0.6, "n4:9708": 1.1}),
        ("job:wcs_node_utilization_ratio:avg", MIXED, {"": 2 / 3}),
        ("job:wcs_node_utilization_ratio:max", MIXED, {"": 1.1}),
        ("job:wcs_node_utilization_ratio:sum_without_one", MIXED, {"": 1}),
        ("job:wcs_node_utilization_ratio:sum_without_one", fleet("0.4x60"), {"": 0.4}),
        ("job_state:wcs_node_state:sum", MIXED, {"up": 2, "down": 2, "drain": 1}),
        (
            "instance:wcs_node_udp_receive_buffer_errors:ratio_rate5m",
            received("0+1000x60", lost="0+20x60"),
            {"n1:9708": 0.02},
        ),
        ("instance:wcs_node_udp_receive_buffer_errors:ratio_rate5m", received("5x60", lost="5x60"), {}),
        # Eleven samples; the second node has been up for 28 min.
        (
            "instance:wcs_node_settled_utilization_ratio:avg10m",
            [*fleet(again("0.2 0.4")), *new(1600)],
            {"n1:9708": 0.309},
        ),
    ],
)
def test_recording_rule(tmp_path, record, series, expected):
    value = f"label_replace(max by (instance, state) (round({record}, 0.001)), 'instance', '$1', 'state', '(.+)')"
    samples = [
        {"labels": f'{{instance="{name}"}}' if name else "{}", "value": round(number, 3)}
        for name, number in expected.items()
    ]
    test = {"expr": f"max by (instance) ({value})", "eval_time": "55m", "exp_samples": samples}
    promtool_test(tmp_path, series, promql_expr_test=[test])
