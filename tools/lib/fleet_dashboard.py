# SPDX-License-Identifier: Apache-2.0
"""What packaging/grafana/wcs-fleet.json shows."""

from grafana import BY_NODE, OF_A_LIMIT, STATE, STATES, WELL, dashboard, plot, rate, reasons, stat, states, table

# Of the nodes in service, by the recording rules: it has no value of the others.
FULL = "instance:wcs_node_utilization_ratio:max{NODES}"

FLEET = dashboard(
    "wcs-fleet",
    "WCS fleet",
    "The nodes of a fleet beside one another: how full, how even, who is out. Needs rules/recording.yml.",
    ("WCS node", "wcs-node"),
    [
        (
            "Fleet",
            [
                stat(
                    *("Nodes up", "Nodes that report up to HAProxy.", "none"),
                    'sum(wcs_node_state{NODES, profile="", state="up"})',
                ),
                stat(
                    *("Nodes out", "Nodes that are down, drained or in maintenance.", "none"),
                    'sum(wcs_node_state{NODES, profile="", state!="up"})',
                    steps=WELL,
                ),
                stat(
                    *("Agents unreachable", "Agents that Prometheus could not scrape.", "none", "sum(1 - up{NODES})"),
                    steps=WELL,
                ),
                stat(
                    "Mean utilisation",
                    "How full the nodes in service are: the mean of the most used limit of each.",
                    *("percentunit", f"avg by (job) ({FULL})", "{{job}}"),
                    steps=OF_A_LIMIT,
                    decimals=0,
                ),
                stat(
                    *("Without one node", "How full the others would be if one node went, all counted alike."),
                    *("percentunit", f"sum by (job) ({FULL}) / clamp_min(count by (job) ({FULL}) - 1, 1)", "{{job}}"),
                    steps=OF_A_LIMIT,
                    decimals=0,
                ),
                stat(
                    "Room",
                    "Sessions that the nodes in service have room for, by the capacity that each estimates.",
                    "none",
                    f'sum by (job) (clamp_min(wcs_node_capacity_sessions{{NODES, profile=""}} * (1 - {FULL}), 0))',
                    "{{job}}",
                    decimals=0,
                ),
            ],
        ),
        (
            "Balance",
            [
                plot(
                    *("Utilisation", "The most used limit of each node in service."),
                    *("percentunit", (FULL, BY_NODE)),
                    steps=OF_A_LIMIT,
                ),
                plot(
                    "Fullest over mean",
                    "1 is a fleet that is loaded evenly; over 1.4 for long there is an alert.",
                    *("none", (f"max by (job) ({FULL}) / avg by (job) ({FULL})", "{{job}}")),
                    min=1,
                    decimals=2,
                ),
                plot(
                    *("Weight", "What each node reports to HAProxy, as a share of the weight of its server line."),
                    *("percentunit", ('wcs_node_weight_ratio{NODES, profile=""}', BY_NODE)),
                ),
                states("State", "What each node reports to HAProxy.", STATE, BY_NODE, STATES),
                table(
                    *("Bottlenecks", "The most used limit of each node: what its weight is made of."),
                    "percentunit",
                    'topk by (job, instance) (1, wcs_node_limit_utilization_ratio{NODES, profile=""})',
                    {"instance": "Node", "limit": "Limit", "Value": "In use"},
                    steps=OF_A_LIMIT,
                    decimals=0,
                ),
                *reasons(),
            ],
        ),
        (
            "Limits",
            [
                plot(
                    *("Limits", "Of each limit the node that uses most of it."),
                    "percentunit",
                    ('max by (limit) (wcs_node_limit_utilization_ratio{NODES, profile=""})', "{{limit}}"),
                    steps=OF_A_LIMIT,
                ),
                plot(
                    *("Unknown limits", "On how many nodes the value of a limit is not known."),
                    *("none", ('sum by (limit) (wcs_node_limit_unknown{NODES, profile=""})', "{{limit}}")),
                ),
                plot(
                    *("Busiest CPU", "Of each node the CPU that is busiest, over 10 s."),
                    *("percentunit", ("wcs_node_cpu_max_utilization_ratio{NODES}", BY_NODE)),
                    max=1,
                ),
            ],
        ),
        (
            "Bandwidth",
            [
                plot(
                    *("Sent", "Wire rate of the selected interfaces, the nodes on top of one another."),
                    *("bps", ('8 * wcs_node_bandwidth_bytes_per_second{NODES, direction="out"}', BY_NODE)),
                    stacked=True,
                ),
                plot(
                    *("Received", "Wire rate of the selected interfaces, the nodes on top of one another."),
                    *("bps", ('8 * wcs_node_bandwidth_bytes_per_second{NODES, direction="in"}', BY_NODE)),
                    stacked=True,
                ),
                plot(
                    *("Lost datagrams", "UDP datagrams that the buffers of sockets had no room for."),
                    *("pps", (rate("wcs_node_udp_receive_buffer_errors_total"), BY_NODE)),
                ),
            ],
        ),
        (
            "WCS",
            [
                plot(
                    *("Publishers", "Streams published to the fleet, by protocol.", "none"),
                    ("sum by (protocol) (wcs_publishers{NODES})", "{{protocol}}"),
                    stacked=True,
                ),
                plot(
                    *("Subscribers", "Streams played from the fleet, by protocol; HLS beside them.", "none"),
                    ("sum by (protocol) (wcs_subscribers{NODES})", "{{protocol}}"),
                    ("sum(wcs_hls_streams{NODES})", "hls"),
                    stacked=True,
                ),
                plot(
                    "Silent servers",
                    "Nodes whose Web Call Server gives no statistics page, by the reason.",
                    "none",
                    ("sum by (reason) (wcs_fault{NODES})", "{{reason}}"),
                ),
            ],
        ),
        (
            "Agents",
            [
                plot(
                    *("Checks", "Agent checks that each node answers. None: no balancer asks it.", "reqps"),
                    (f"sum by (instance) ({rate('wcs_node_agent_checks_total')})", BY_NODE),
                ),
                plot(
                    "Age of samples",
                    "How old the figures of each node are. Below a second, unless an agent is held up.",
                    "s",
                    ("wcs_node_agent_sample_age_seconds{NODES}", BY_NODE),
                ),
                plot(
                    *("Versions", "Agents of each version.", "none"),
                    ("count by (version) (wcs_node_agent_build_info{NODES})", "{{version}}"),
                    stacked=True,
                ),
            ],
        ),
    ],
)
