# SPDX-License-Identifier: Apache-2.0
"""The agent check, against the least that a server can do and against the documented script."""

import time

from report import Figure
from workbench import PEERS, PROGRAMS, CannotMeasure, cpu_ns, cpu_ns_with_the_dead, median

NAME = "checks"
TITLE = "HAProxy's agent check over loopback"
FIGURES = (
    Figure(
        "latency", "a check, from connect to close: median, of the minimal server's", at_most=1.05
    ),
    Figure("median", "a check, from connect to close: median", "us"),
    Figure("p99", "the same, 99th percentile", "us"),
    Figure("rate_1", "checks a second, one after the other", "/s"),
    Figure("rate_8", "checks a second, eight at once", "/s"),
    Figure("cpu", "CPU of the agent a check", "us"),
    Figure("script_time", "how often as fast as the documented script under xinetd", at_least=500),
    Figure(
        "script_cpu", "times less CPU than the documented script under xinetd", at_least=500
    ),
)
MINIMAL, XINETD = "127.0.0.1:9796", "127.0.0.1:9797"


def xinetd_configuration(bench, url):
    script = bench.scratch / "haproxy-agent-check.sh"
    script.write_bytes((PEERS / script.name).read_bytes())
    script.chmod(0o755)
    text = (PEERS / "xinetd.conf").read_text()
    path = bench.scratch / "xinetd.conf"
    path.write_text(text.replace("SCRIPT", str(script)).replace("WCS", url))
    return path


def measured(bench, address, pid, cpu, seconds, **how):
    """One run: what the client saw, with the CPU microseconds that each check cost the server."""
    before = cpu(pid)
    result = bench.ask(address, "check", seconds, **how)
    if how.get("requests"):
        time.sleep(0.5)  # the last script's end
    result["cpu_us"] = (cpu(pid) - before) / result["requests"] / 1e3
    return result


def run(bench):
    rounds, seconds, scripts = bench.choose((3, 0.7, 8), (11, 2.0, 40))
    simulator = bench.simulator()
    agent = bench.agent(f"--wcs-url={simulator.url}")
    command = [str(PROGRAMS / "minimal_server"), "--port", MINIMAL.split(":")[1]]
    minimal = bench.serve("minimal_server", command, MINIMAL)

    ours, least, eight = [], [], []
    for number in range(rounds):
        bench.progress(f"round {number + 1} of {rounds}")
        ours.append(measured(bench, agent.address, agent.pid, cpu_ns, seconds))
        least.append(measured(bench, MINIMAL, minimal.pid, cpu_ns, seconds))
        eight.append(measured(bench, agent.address, agent.pid, cpu_ns, seconds, at_once=8))

    def of(results, what):
        return median([result[what] for result in results])

    def rate(results):
        return median([result["requests"] / result["seconds"] for result in results])

    ratio = median([a["median_us"] / b["median_us"] for a, b in zip(ours, least)])
    bench.record(
        "latency", ratio,
        f"{of(ours, 'median_us'):.1f} us, minimal server {of(least, 'median_us'):.1f} us; "
        f"{rounds} rounds",
        agent=ours, minimal=least,
    )  # fmt: skip
    bench.record("median", of(ours, "median_us"), f"minimal server {of(least, 'median_us'):.1f} us")
    bench.record("p99", of(ours, "p99_us"), f"minimal server {of(least, 'p99_us'):.1f} us")
    bench.record("rate_1", rate(ours), f"minimal server {rate(least):,.0f}")
    bench.record("rate_8", rate(eight), f"CPU {of(eight, 'cpu_us'):.1f} us a check", eight=eight)
    bench.record("cpu", of(ours, "cpu_us"), f"minimal server {of(least, 'cpu_us'):.1f} us")

    bench.progress(f"{scripts} checks by xinetd and the script")
    configuration = xinetd_configuration(bench, simulator.url)
    pid_file = bench.scratch / "xinetd.pid"
    command = ["/usr/sbin/xinetd", "-dontfork", "-f", str(configuration), "-pidfile", str(pid_file)]
    try:
        xinetd = bench.serve("xinetd", command, XINETD)
        time.sleep(1)  # for the check by which it was found to listen
        script = measured(bench, XINETD, xinetd.pid, cpu_ns_with_the_dead, 0, requests=scripts)
    except CannotMeasure as error:
        bench.cannot_measure("script_time", str(error))
        bench.cannot_measure("script_cpu", str(error))
        return
    bench.record(
        "script_time", script["median_us"] / of(ours, "median_us"),
        f"{script['median_us'] / 1e3:.0f} ms a check there, {scripts} checks", script=[script],
    )  # fmt: skip
    bench.record(
        "script_cpu", script["cpu_us"] / of(ours, "cpu_us"),
        f"{script['cpu_us'] / 1e3:.0f} ms of CPU a check there, children counted",
    )  # fmt: skip
