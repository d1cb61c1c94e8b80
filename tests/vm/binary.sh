# SPDX-License-Identifier: Apache-2.0
# The released binary on a machine that has nothing else of it: each `case` is one line of /out/cases.
# HOOK: tcx or clsact, what this kernel is expected to have.

case_of() { # NAME COMMAND...: passed if the command succeeds; what it says is the reason if not
    name=$1
    shift
    if said=$("$@" 2>&1); then result=passed; else result=failed; fi
    printf '%s %s %s\n' "$name" "$result" "$(echo "$said" | tail -n 3 | tr '\n' ' ')" >>/out/cases
    echo "$name $result $said"
}

page() { wget -q -O - "http://127.0.0.1:9708/metrics"; }
value() { page | awk -v series="$1" '$1 == series { print $2 }'; }
is() { [ "$1" = "$2" ] || { echo "$3: $1, not $2"; return 1; }; }
control() { wget -q -O - "http://127.0.0.1:8082/$1"; }
wait_for() { # COMMAND...
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "not within 30 s: $*"
    return 1
}
reply() { nc -w 5 127.0.0.1 9707 </dev/null; }
replies() { reply | grep -q '^up [0-9]*%\( maxconn:[0-9]*\)\?$'; }
programs() { bpftool prog show | grep -c '^[0-9]'; }
agent() { wcs-node-agent run --interface wan --cpu off "$@" >>/out/agent.log 2>&1; }

answers_a_check() { wait_for replies && reply; }

counts_by_ebpf() {
    is "$(value 'wcs_node_agent_source{source="ebpf"}')" 1 "source" &&
        grep "traffic on $HOOK" /out/agent.log
}

sent() { control state | awk -F'[:,]' '/media_sent_packets/ { print $2 + 0 }'; }
many_are_sent() { [ "$(sent)" -gt 200 ]; }
all_are_counted() { [ $(($(value "$frames") - frames_before)) -ge "$(sent)" ]; }

counts_traffic() {
    frames='wcs_node_network_transmit_packets_total{device="wan"}'
    bytes='wcs_node_network_transmit_bytes_total{device="wan"}'
    frames_before=$(value "$frames") bytes_before=$(value "$bytes")
    control "set?media_mbps=2" >/dev/null
    wait_for many_are_sent || return 1
    control "set?media_mbps=0" >/dev/null
    sleep 0.1 # the last one may be under way
    wait_for all_are_counted
    sent=$(sent)
    is "$(value "$frames")" $((frames_before + sent)) frames &&
        is "$(value "$bytes")" $((bytes_before + sent * (1200 + 42))) bytes && echo "$sent frames"
}

busy_and_when() { # CPU: its busy seconds, and between which readings of the clock they were asked for
    echo "$(uptime_seconds) $(value "wcs_node_cpu_busy_seconds_total{cpu=\"$1\"}") $(uptime_seconds)"
}
uptime_seconds() { cut -d' ' -f1 /proc/uptime; }

counts_cpu_time() {
    taskset 2 sh -c 'while :; do :; done' &
    spinner=$!
    sleep 0.5
    first=$(busy_and_when 1)
    sleep 8
    last=$(busy_and_when 1)
    kill "$spinner"
    # On a busy host a page is slow to come, and its sample up to half a second old.
    awk -v read="$first $last" 'BEGIN {
        split(read, v, " "); busy = v[5] - v[2]; least = v[4] - v[3] - 0.5; most = v[6] - v[1] + 0.5
        print "busy for", busy, "of", least, "to", most, "s"; exit !(busy > 0.9 * least && busy < most) }'
}

# Capabilities and users belong to threads: the serving one and the sampling one.
of_all_threads() { awk "/^$1/ && !seen[\$2]++ { print \$2 }" "/proc/$(pidof wcs-node-agent)"/task/*/status; }

gives_privilege_up() {
    kept=0000000000000000
    [ "$HOOK" = tcx ] || kept=0000000000001000 # CAP_NET_ADMIN
    is "$(of_all_threads CapEff)" "$kept" CapEff &&
        is "$(of_all_threads CapPrm)" "$kept" CapPrm &&
        is "$(of_all_threads Uid)" 65530 Uid &&
        is "$(of_all_threads Threads)" 2 Threads
}

follows_new_interfaces() {
    ip link add late type veth peer name latest && ip link set late up &&
        wait_for sh -c 'wget -q -O - http://127.0.0.1:9708/metrics | grep -q late' &&
        ip link delete late
}

has_filters() { tc filter show dev wan ingress | grep count_receive && tc filter show dev wan egress | grep count_transmit; }
counts_more() { [ "$(value 'wcs_node_network_transmit_packets_total{device="wan"}')" -gt "$1" ]; }

counts_on_whatever_others_do() {
    wcs-node-agent check --interface wan --cpu off || return 1
    if [ "$HOOK" = clsact ]; then # as an unprivileged user, but for CAP_NET_ADMIN
        has_filters || return 1
        tc filter del dev wan ingress
        tc qdisc del dev wan clsact
        wait_for has_filters || return 1
    fi
    control "set?media_mbps=2" >/dev/null
    wait_for counts_more "$(value 'wcs_node_network_transmit_packets_total{device="wan"}')"
    outcome=$?
    control "set?media_mbps=0" >/dev/null
    sleep 1 # what is under way is counted
    return $outcome
}

# With clsact its verdict hides the frames from ours, and ours cannot come before it: the interface counts.
counts_past_a_filter_that_accepts() {
    tc qdisc add dev wan clsact 2>/dev/null # with TCX there is none yet
    tc filter add dev wan egress pref 1 protocol ip u32 match u32 0 0 action ok || return 1
    device=$(ip -s -j link show wan | sed 's/.*"tx":{"bytes":[0-9]*,"packets":\([0-9]*\).*/\1/')
    counted=$(value 'wcs_node_network_transmit_packets_total{device="wan"}')
    control "set?media_mbps=2" >/dev/null
    sleep 3
    control "set?media_mbps=0" >/dev/null
    sleep 1 # what is under way is counted
    device=$(($(ip -s -j link show wan | sed 's/.*"tx":{"bytes":[0-9]*,"packets":\([0-9]*\).*/\1/') - device))
    counted=$(($(value 'wcs_node_network_transmit_packets_total{device="wan"}') - counted))
    fallen_back=$(value 'wcs_node_interface_fallback{device="wan"}')
    tc filter del dev wan egress pref 1
    [ "$HOOK" = clsact ] || tc qdisc del dev wan clsact
    is "$counted" "$device" frames && [ "$device" -gt 100 ] &&
        is "$fallen_back" "$([ "$HOOK" = clsact ] && echo 1 || echo 0)" fallback
}

bears_steps_of_the_clock() {
    before=$(value 'wcs_node_network_transmit_bytes_total{device="wan"}')
    for step in 86400 -172800 86400; do
        date -s "@$(($(date +%s) + step))" >/dev/null
        sleep 0.6 # two samples
        replies || { echo "after $step: $(reply)"; return 1; }
        value wcs_node_agent_sample_age_seconds | awk '{ exit !($1 >= 0 && $1 < 2) }' ||
            { echo "after $step a sample's age is wrong"; return 1; }
        value wcs_stat_age_seconds | awk '{ exit !($1 >= 0 && $1 < 5) }' ||
            { echo "after $step the page's age is wrong"; return 1; }
    done
    is "$(value 'wcs_node_network_transmit_bytes_total{device="wan"}')" "$before" bytes
}

ends_and_leaves_nothing() {
    kill "$(pidof wcs-node-agent)"
    wait_for test -s /out/ended && is "$(cat /out/ended)" 0 status && wait_for sh -c "[ \$(bpftool prog show | grep -c '^[0-9]') -le $programs_before ]" &&
        is "$(tc filter show dev wan ingress)$(tc filter show dev wan egress)" "" filters
}

falls_back_without_types() {
    mkdir -p /empty && mount -o bind /empty /sys/kernel/btf || return 1
    wcs-node-agent run --source ebpf --interface wan >/out/insists.log 2>&1
    is $? 1 "status of --source ebpf" && grep -q BTF /out/insists.log || return 1
    agent --source auto &
    wait_for replies && is "$(value 'wcs_node_agent_source{source="procfs"}')" 1 procfs &&
        grep "counting from /proc.*BTF" /out/agent.log && wcs-node-agent doctor | grep BTF
    told=$?
    kill "$(pidof wcs-node-agent)"
    return $told
}

sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add wan type veth peer name peer
ip netns add there
ip link set peer netns there
ip address add 10.77.0.1/24 dev wan
ip link set wan up
ip -n there address add 10.77.0.2/24 dev peer
ip -n there link set peer up
ip neighbour add 10.77.0.2 dev wan lladdr "$(ip netns exec there cat /sys/class/net/peer/address)"
# Nor does anybody ask for an address, as for the answer that nobody listens there.
ip -n there neighbour add 10.77.0.1 dev peer lladdr "$(cat /sys/class/net/wan/address)"
wcs-sim --media-send 10.77.0.2:9000 --media-rate 0 >/dev/null 2>&1 &
programs_before=$(programs)
{
    agent
    echo $? >/out/ended
} &

case_of AnswersACheck answers_a_check
case_of CountsByEbpf counts_by_ebpf
case_of CountsTraffic counts_traffic
case_of CountsCpuTime counts_cpu_time
case_of GivesPrivilegeUp gives_privilege_up
case_of FollowsNewInterfaces follows_new_interfaces
case_of CountsOnWhateverOthersDo counts_on_whatever_others_do
case_of CountsPastAFilterThatAccepts counts_past_a_filter_that_accepts
case_of BearsStepsOfTheClock bears_steps_of_the_clock
case_of EndsAndLeavesNothing ends_and_leaves_nothing
case_of FallsBackWithoutTypes falls_back_without_types
