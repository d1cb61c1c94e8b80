# SPDX-License-Identifier: Apache-2.0
"""How the cost grows with interfaces and with the WCS page, and whether a check waits for it."""

import lab
from report import Figure
from workbench import PROGRAMS, CannotMeasure

NAME = "scale"
TITLE = "many interfaces, a large page of WCS"
INTERFACES = (1, 100, 1000)
STREAMS = (1, 100_000)
FORMATS = {"text": "", "json": "&format=json"}


def figures():
    yield Figure("check_control", "a check, 99th percentile, of the minimal server: delays of this machine", "ms")
    for count in INTERFACES:
        yield Figure(f"sample_{count}", f"one sample, {count:,} interfaces: CPU, read to rendered", "us")
    yield Figure("sample_growth", "of it, for each interface more", "us")
    for count in INTERFACES[1:]:
        yield Figure(f"check_{count}", f"a check, 99th percentile, while the agent samples {count:,} interfaces", "ms", at_most=5)
    for name in FORMATS:
        for count in STREAMS:
            yield Figure(f"parse_{name}_{count}", f"one page, {name}, {count:,} streams: CPU to take it apart", "ms")
        yield Figure(f"check_{name}", f"a check, 99th percentile, while such a page ({name}, {STREAMS[-1]:,}) comes every second", "ms", at_most=5)


FIGURES = tuple(figures())


def delay_of_checks(bench, agent, seconds, network=None):
    """At fixed times, so that a standstill of the agent delays all checks that come meanwhile."""
    result = bench.ask(agent.address, "check", seconds, every=1000, network=network)
    return result["p99_us"] / 1e3, f"{result['requests']:,} checks, 1,000 a second; median {result['median_us']:.0f} us, most {result['most_us'] / 1e3:.1f} ms"


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


def interfaces(bench):
    costs = {}
    for count in INTERFACES:
        if bench.quick and count == INTERFACES[-1]:
            for key in (f"sample_{count}", f"check_{count}"):
                bench.cannot_measure(key, "not in the quick form: attaching takes a minute")
            continue
        bench.progress(f"{count} interfaces")
        network = with_interfaces(bench, count)
        cost = bench.program("sample_cost", "--calls", 101, network=network)
        costs[count] = cost["read"] + cost["judge"] + cost["render"]
        bench.record(
            f"sample_{count}", costs[count],
            f"read {cost['read']:.0f}, judge {cost['judge']:.0f}, render {cost['render']:.0f} us; "
            f"{cost['page_bytes']:,} bytes; following them took {cost['follow'] / 1e3:.0f} ms once",
            cost=cost,
        )  # fmt: skip
        if count == 1:
            continue
        simulator = bench.simulator(network=network)
        agent = bench.agent(f"--wcs-url={simulator.url}", network=network, timeout=600)
        p99, detail = delay_of_checks(bench, agent, bench.choose(3, 15), network)
        bench.record(f"check_{count}", p99, detail)
        agent.close()
    least, most = min(costs), max(costs)
    bench.record("sample_growth", (costs[most] - costs[least]) / (most - least), f"from {least} to {most}")


def control(bench):
    address = "127.0.0.1:9796"
    bench.serve("minimal_server", [str(PROGRAMS / "minimal_server"), "--port", "9796"], address)
    result = bench.ask(address, "check", bench.choose(3, 15), every=1000)
    bench.record("check_control", result["p99_us"] / 1e3, f"most {result['most_us'] / 1e3:.1f} ms")


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
            bench.record(f"parse_{name}_{count}", cost["parse"] / 1e3, f"{cost['bytes']:,} bytes", cost=cost)
        agent = bench.agent(f"--wcs-url={simulator.url}{query}")
        p99, detail = delay_of_checks(bench, agent, bench.choose(4, 20))
        if not agent.metrics().get("wcs_up"):
            raise CannotMeasure(f"the agent does not take the page:\n{agent.output()}")
        bench.record(f"check_{name}", p99, detail)
        agent.close()


def run(bench):
    # Pages first: they need no interfaces, and a kernel without veth still tells of them.
    control(bench)
    pages(bench)
    interfaces(bench)
