# SPDX-License-Identifier: Apache-2.0
"""How the cost grows with interfaces and with the WCS page, and whether a check waits for it."""

import statistics
import time

import lab
from report import Figure
from workbench import PROGRAMS, CannotMeasure

NAME = "scale"
TITLE = "many interfaces, a large page of WCS"
INTERFACES = (1, 100, 1000)
STREAMS = (1, 10_000)
RECEIVED = "wcs_node_network_receive_bytes_total{"  # one series an interface
FORMATS = {"text": "", "json": "&format=json"}


FOLLOWED_WITHIN = 120  # seconds: some 20 ms of attaching each, and a rest after each


def figures():
    yield Figure(
        "check_control", "a check, 99th percentile, of the minimal server: delays of this machine",
        "ms",
    )  # fmt: skip
    for count in INTERFACES:
        yield Figure(
            f"sample_{count}", f"one sample, {count:,} interfaces: CPU to read and judge", "us"
        )
    yield Figure("sample_growth", "of it, for each interface more", "us")
    for count in INTERFACES:
        yield Figure(
            f"page_{count}",
            f"page of metrics, {count:,} interfaces: CPU to render it, once a sample if scraped",
            "us",
        )
    for count in INTERFACES[1:]:
        yield Figure(
            f"check_new_{count}",
            f"a check, 99th percentile, while the first of {count:,} interfaces are followed",
            "ms", at_most=100,
        )  # fmt: skip
        yield Figure(
            f"check_{count}",
            f"a check, 99th percentile, while the agent samples {count:,} interfaces",
            "ms", at_most=5,
        )  # fmt: skip
    for name in FORMATS:
        for count in STREAMS:
            yield Figure(
                f"parse_{name}_{count}",
                f"one page, {name}, {count:,} streams: CPU to take it apart",
                "ms",
            )
        yield Figure(
            f"check_{name}",
            f"a check, 99th percentile, while such a page ({name}, {STREAMS[-1]:,}) comes "
            "every second",
            "ms", at_most=5,
        )  # fmt: skip


FIGURES = tuple(figures())


def delay_of_checks(bench, address, network=None):
    """At fixed times, so that a standstill delays all checks that come meanwhile. The median of
    several rounds, as a standstill of the machine is in one of them."""
    rounds = [
        bench.ask(address, "check", 3, every=1000, network=network)
        for _ in range(bench.choose(1, 7))
    ]
    each = sorted(one["p99_us"] / 1e3 for one in rounds)
    requests = sum(one["requests"] for one in rounds)
    most = max(one["most_us"] for one in rounds) / 1e3
    return statistics.median(each), (
        f"{requests:,} checks, 1,000 a second; {len(each)} rounds, {each[0]:.2f} to "
        f"{each[-1]:.2f}, most of all {most:.1f} ms"
    )


def with_interfaces(bench, count):
    """A network with so many veth interfaces, their other ends elsewhere."""
    network, elsewhere = bench.keep(lab.Network()), bench.keep(lab.Network())
    batch = bench.scratch / f"interfaces-{count}"
    batch.write_text(
        "".join(
            f"link add veth{n} type veth peer name veth{n} netns {elsewhere.pid}\n"
            f"link set veth{n} up\n"
            for n in range(count)
        )
    )
    network.ip("-batch", str(batch))
    return network


def wait_until_followed(agent, count, network):
    """The agent follows them one after the other, while it already answers; seconds it took."""
    began = time.monotonic()
    followed = 0

    def all_are():
        nonlocal followed
        time.sleep(0.5)
        followed = sum(series.startswith(RECEIVED) for series in agent.metrics())
        return followed >= count

    with lab.inside(network):
        try:
            lab.wait_until(all_are, "the interfaces are followed", FOLLOWED_WITHIN)
        except AssertionError:
            raise CannotMeasure(
                f"the agent followed {followed} of {count:,} interfaces in {FOLLOWED_WITHIN} s"
            ) from None
    return time.monotonic() - began


def interfaces(bench):
    costs = {}
    for count in INTERFACES:
        if bench.quick and count == INTERFACES[-1]:
            for row in ("sample", "page", "check_new", "check"):
                key = f"{row}_{count}"
                bench.cannot_measure(key, "not in the quick form: following takes two minutes")
            continue
        bench.progress(f"{count} interfaces")
        network = with_interfaces(bench, count)
        cost = bench.program("sample_cost", "--calls", 101, network=network)
        costs[count] = cost["read"] + cost["judge"]
        bench.record(
            f"sample_{count}", costs[count],
            f"read {cost['read']:.0f}, judge {cost['judge']:.0f} us; "
            f"following them took {cost['follow'] / 1e3:.0f} ms without a rest",
            cost=cost,
        )  # fmt: skip
        bench.record(f"page_{count}", cost["render"], f"{cost['page_bytes']:,} bytes")
        if count == 1:
            continue
        simulator = bench.simulator(network=network)
        agent = bench.agent(f"--wcs-url={simulator.url}", network=network)
        new = bench.ask(agent.address, "check", 3, every=1000, network=network)
        bench.record(
            f"check_new_{count}", new["p99_us"] / 1e3,
            f"{new['requests']:,} checks in the first 3 s, most of all {new['most_us'] / 1e3:.1f} ms",
        )  # fmt: skip
        try:
            followed = wait_until_followed(agent, count, network)
        except CannotMeasure as error:
            bench.cannot_measure(f"check_{count}", str(error))
        else:
            p99, detail = delay_of_checks(bench, agent.address, network)
            detail += f"; all were followed {3 + followed:.0f} s after it listened"
            bench.record(f"check_{count}", p99, detail)
        agent.close()
    least, most = min(costs), max(costs)
    growth = (costs[most] - costs[least]) / (most - least)
    bench.record("sample_growth", growth, f"from {least} to {most}")


def control(bench):
    address = "127.0.0.1:9796"
    command = [str(PROGRAMS / "minimal_server"), "--port", "9796"]
    bench.serve("minimal_server", command, address)
    bench.record("check_control", *delay_of_checks(bench, address))


def pages(bench):
    simulator = bench.simulator()
    for name, query in FORMATS.items():
        for count in STREAMS:
            bench.progress(f"a page of {count} streams, {name}")
            simulator.set(streams=count)
            body = lab.http_get(simulator.page, "/?action=stat" + query)[2]
            path = bench.scratch / f"page-{name}-{count}"
            path.write_text(body)
            cost = bench.program("parse_cost", "--page", path, "--calls", bench.choose(5, 21))
            told = f"{cost['bytes']:,} bytes"
            bench.record(f"parse_{name}_{count}", cost["parse"] / 1e3, told, cost=cost)
        agent = bench.agent(f"--wcs-url={simulator.url}{query}")
        p99, detail = delay_of_checks(bench, agent.address)
        if not agent.metrics().get("wcs_up"):
            raise CannotMeasure(f"the agent does not take the page:\n{agent.output()}")
        bench.record(f"check_{name}", p99, detail)
        agent.close()


def run(bench):
    # Pages first: they need no interfaces, and a kernel without veth still tells of them.
    control(bench)
    pages(bench)
    interfaces(bench)
