# SPDX-License-Identifier: Apache-2.0
"""What packaging/grafana/wcs-node.json shows."""

from grafana import BY_NODE, GREEN, OF_A_LIMIT, RED, STATE, STATES, dashboard, plot, rate, reasons, stat, states

NODE = dashboard(
    "wcs-node",
    "WCS node",
    "Why one node has the weight that it has: its limits, traffic, CPUs, streams, and the agent itself.",
    ("WCS fleet", "wcs-fleet"),
    [
        (
            "Verdict",
            [
                stat("State", "What the node reports to HAProxy.", "none", STATE, BY_NODE, mappings=STATES),
                stat(
                    *("Weight", "The share of its server line's weight that it reports.", "percentunit"),
                    *('wcs_node_weight_ratio{NODES, profile=""}', BY_NODE),
                    decimals=0,
                    steps=((None, RED), (0.1, GREEN)),
                ),
                stat(
                    *("Bottleneck", "The most used limit.", "percentunit"),
                    'topk by (job, instance) (1, wcs_node_limit_utilization_ratio{NODES, profile=""})',
                    "{{instance}} {{limit}}",
                    decimals=0,
                    steps=OF_A_LIMIT,
                ),
                stat(
                    *("In this state since", "When the reported state changed last.", "dateTimeFromNow"),
                    *('1000 * wcs_node_state_change_timestamp_seconds{NODES, profile=""}', BY_NODE),
                ),
                stat(
                    *("Web Call Server", "Whether the last fetch of its statistics page got one.", "none"),
                    *("wcs_up{NODES}", BY_NODE),
                    mappings=((0, "silent", RED), (1, "answers", GREEN)),
                ),
                stat(
                    *("Capacity", "Sessions that fill the node, as set or as estimated.", "none"),
                    *('wcs_node_capacity_sessions{NODES, profile=""}', BY_NODE),
                    decimals=0,
                ),
                *reasons(),
            ],
        ),
        (
            "Limits",
            [
                plot(
                    *("Limits", "Each limit's share in use; the highest makes the weight."),
                    *("percentunit", ('wcs_node_limit_utilization_ratio{NODES, profile=""}', "{{instance}} {{limit}}")),
                    steps=OF_A_LIMIT,
                ),
                plot(
                    *("Unknown limits", "1 while the value of a limit is not known.", "none"),
                    ('wcs_node_limit_unknown{NODES, profile=""}', "{{instance}} {{limit}}"),
                    max=1,
                ),
                plot(
                    *("Media ports", "Ports of WCS for media, on top of one another.", "none"),
                    ('wcs_stat{NODES, key=~"ports_media_(busy|quarantine|free)"}', "{{instance}} {{key}}"),
                    stacked=True,
                ),
            ],
        ),
        (
            "Bandwidth",
            [
                plot(
                    "Sent",
                    "Mean wire rate over the window, the highest rate within a second, and the limit.",
                    "bps",
                    ('8 * wcs_node_bandwidth_bytes_per_second{NODES, direction="out"}', "{{instance}} mean"),
                    ('8 * wcs_node_bandwidth_peak_bytes_per_second{NODES, direction="out"}', "{{instance}} peak"),
                    ('8 * wcs_node_limit{NODES, profile="", limit="band_out"}', "{{instance}} limit"),
                ),
                plot(
                    "Received",
                    "Mean wire rate over the window, the highest rate within a second, and the limit.",
                    "bps",
                    ('8 * wcs_node_bandwidth_bytes_per_second{NODES, direction="in"}', "{{instance}} mean"),
                    ('8 * wcs_node_bandwidth_peak_bytes_per_second{NODES, direction="in"}', "{{instance}} peak"),
                    ('8 * wcs_node_limit{NODES, profile="", limit="band_in"}', "{{instance}} limit"),
                ),
                plot(
                    "Time above the limit",
                    "Share of a second's buckets of time that were above the limit: bursts.",
                    *("percentunit", ("wcs_node_bandwidth_over_limit_ratio{NODES}", "{{instance}} {{direction}}")),
                    max=1,
                ),
                plot(
                    *("Interfaces", "Rate of each interface, received below zero.", "bps"),
                    ("8 * " + rate("wcs_node_network_transmit_bytes_total"), "{{instance}} {{device}} sent"),
                    (
                        "-8 * " + rate("wcs_node_network_receive_bytes_total"),
                        "{{instance}} {{device}} received",
                    ),
                    min=None,
                ),
                plot(
                    *("Frames", "Frames on the wire of each interface, received below zero.", "pps"),
                    (rate("wcs_node_network_transmit_packets_total"), "{{instance}} {{device}} sent"),
                    (
                        "-" + rate("wcs_node_network_receive_packets_total"),
                        "{{instance}} {{device}} received",
                    ),
                    min=None,
                ),
                plot(
                    "Losses",
                    "Datagrams that sockets had no room for, and frames that the kernel dropped, by its reason.",
                    "pps",
                    (rate("wcs_node_udp_receive_buffer_errors_total"), "{{instance}} UDP buffers"),
                    (rate("wcs_node_softnet_dropped_total"), "{{instance}} CPU queues"),
                    (rate("wcs_node_network_dropped_packets_total"), "{{instance}} {{reason}}"),
                ),
            ],
        ),
        (
            "CPU",
            [
                plot(
                    "CPU",
                    "Mean over the CPUs, the busiest one over 10 s, and the limit of the mean.",
                    "percentunit",
                    ("wcs_node_cpu_utilization_ratio{NODES}", "{{instance}} mean"),
                    ("wcs_node_cpu_max_utilization_ratio{NODES}", "{{instance}} busiest"),
                    ('wcs_node_limit{NODES, profile="", limit="cpu"}', "{{instance}} limit"),
                    max=1,
                ),
                plot(
                    "Each CPU",
                    "Share of time that each CPU was busy, interrupts and stolen time included.",
                    "percentunit",
                    (rate("wcs_node_cpu_busy_seconds_total"), "{{instance}} {{cpu}}"),
                    max=1,
                ),
                plot(
                    "Stolen and squeezed",
                    "CPUs' worth of time that the hypervisor took; turns of receiving cut short.",
                    "none",
                    (
                        f"sum by (instance) ({rate('wcs_node_cpu_steal_seconds_total')})",
                        "{{instance}} stolen CPUs",
                    ),
                    (rate("wcs_node_softnet_time_squeeze_total"), "{{instance}} squeezes a second"),
                ),
            ],
        ),
        (
            "WCS",
            [
                plot(
                    *("Publishers", "Streams published to the node, by protocol.", "none"),
                    ("wcs_publishers{NODES}", "{{instance}} {{protocol}}"),
                    stacked=True,
                ),
                plot(
                    *("Subscribers", "Streams played from the node, by protocol; HLS beside them.", "none"),
                    ("wcs_subscribers{NODES}", "{{instance}} {{protocol}}"),
                    ("wcs_hls_streams{NODES}", "{{instance}} hls"),
                    stacked=True,
                ),
                plot(
                    "Connections",
                    "Connections of clients, as WCS counts them; and the bound that HAProxy is given.",
                    "none",
                    ('wcs_stat{NODES, key="connections"}', "{{instance}}"),
                    ('wcs_node_maxconn{NODES, profile=""}', "{{instance}} maxconn"),
                ),
                plot(
                    "Statistics page",
                    "Age of the last page that could be read, and how long the last fetch took.",
                    "s",
                    ("wcs_stat_age_seconds{NODES}", "{{instance}} age"),
                    ("wcs_fetch_duration_seconds{NODES}", "{{instance}} fetch"),
                ),
                plot(
                    *("Failed fetches", "Fetches of the statistics page that failed, by the reason.", "cps"),
                    (rate("wcs_fetch_failures_total"), "{{instance}} {{reason}}"),
                ),
            ],
        ),
        (
            "Balance",
            [
                plot(
                    *("Weight", "What is reported, and what the bottleneck alone leaves free.", "percentunit"),
                    ('wcs_node_weight_ratio{NODES, profile=""}', "{{instance}} reported"),
                    ('clamp_min(wcs_node_weight_raw_ratio{NODES, profile=""}, 0)', "{{instance}} free"),
                    ('wcs_node_ramp_ratio{NODES, profile=""}', "{{instance}} ramp"),
                ),
                plot(
                    "Recent sessions",
                    "Sessions that came lately, by the part of their load that does not show yet.",
                    "none",
                    ('wcs_node_recent_sessions{NODES, profile=""}', "{{instance}}"),
                ),
                plot(
                    "Trend",
                    "Factor of the weight for what the node is above or below the fleet, or its own load of late; how many "
                    "times more sessions come after the weight rose than after it fell; how unevenly they come (chance: 1).",
                    "none",
                    ('wcs_node_trend_ratio{NODES, profile=""}', "{{instance}} trend"),
                    ('wcs_node_weight_effect_ratio{NODES, profile=""}', "{{instance}} effect"),
                    ('wcs_node_arrival_dispersion_ratio{NODES, profile=""}', "{{instance}} dispersion"),
                ),
                plot(
                    "Fleet level",
                    "Utilisation of the other nodes as far as what comes at each tells it: under roundrobin alone.",
                    "percentunit",
                    ('wcs_node_fleet_level_ratio{NODES, profile=""}', "{{instance}}"),
                ),
                plot(
                    *("Expected load", "Utilisation that the recent sessions are expected to add.", "percentunit"),
                    ('wcs_node_recent_utilization_ratio{NODES, profile=""}', "{{instance}}"),
                ),
                plot(
                    *("Capacity", "Sessions that fill the node, and the room at which it reports 100 %.", "none"),
                    ('wcs_node_capacity_sessions{NODES, profile=""}', "{{instance}} capacity"),
                    ('wcs_node_capacity_reference_sessions{NODES, profile=""}', "{{instance}} reference"),
                ),
                plot(
                    *("Balancers", "Server lines of HAProxy over which the room is divided.", "none"),
                    ('wcs_node_balancers{NODES, profile=""}', "{{instance}}"),
                ),
                states("State", "What the node reports to HAProxy.", STATE, BY_NODE, STATES),
            ],
        ),
        (
            "Agent",
            [
                plot(
                    "Age of the sample",
                    "How old all of these figures are. Below a second, unless the agent is held up.",
                    "s",
                    ("wcs_node_agent_sample_age_seconds{NODES}", "{{instance}}"),
                ),
                plot(
                    *("Checks", "Agent checks of HAProxy, by the state in the reply.", "reqps"),
                    (rate("wcs_node_agent_checks_total"), "{{instance}} {{profile}} {{reply}}"),
                ),
                plot(
                    "Closed connections",
                    "Connections whose source is not allowed, and those evicted by newer ones.",
                    "cps",
                    (rate("wcs_node_agent_rejected_connections_total"), "{{instance}} not allowed"),
                    (rate("wcs_node_agent_displaced_connections_total"), "{{instance}} evicted"),
                ),
                plot(
                    *("Faults", "What should not happen: the log says why.", "cps"),
                    (rate("wcs_node_agent_sample_failures_total"), "{{instance}} failed samples"),
                    (rate("wcs_node_agent_failed_reloads_total"), "{{instance}} failed reloads"),
                    (rate("wcs_node_agent_lost_log_lines_total"), "{{instance}} lost log lines"),
                    (rate("wcs_node_agent_unplaced_packets_total"), "{{instance}} frames not counted"),
                ),
                plot(
                    "Fallbacks",
                    "1 where figures are less exact: no eBPF, or an interface counted by its own counters.",
                    "none",
                    ('wcs_node_agent_source{NODES, source="procfs"}', "{{instance}} /proc"),
                    ("wcs_node_interface_fallback{NODES}", "{{instance}} {{device}}"),
                    max=1,
                ),
                plot(
                    *("Scrapes", "How long Prometheus took to scrape the agent.", "s"),
                    ("scrape_duration_seconds{NODES}", "{{instance}}"),
                ),
            ],
        ),
    ],
)
