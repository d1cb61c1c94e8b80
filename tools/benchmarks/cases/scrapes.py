# SPDX-License-Identifier: Apache-2.0
"""/metrics, against node_exporter and against nginx with the same bytes as a file."""

from report import Figure
from workbench import CannotMeasure, cpu_ns, median

NAME = "scrapes"
TITLE = "GET /metrics over loopback, on connections that stay open (kept) or one for each (new)"
SETTINGS = tuple((kind, at_once) for kind in ("kept", "new") for at_once in (1, 8))


# With eight connections the server always has something to do, and is what is measured; with one,
# each of the servers waits for the client's wake-ups most of the time, so that measures latency.
JUDGED = 8


def figures():
    for kind, at_once in SETTINGS:
        how = f"{kind}, {at_once} at once" if at_once > 1 else f"{kind}, one"
        key = f"{kind}_{at_once}"
        exporter, nginx = (50, 0.5) if at_once == JUDGED else (None, None)
        yield Figure(f"{key}_rate", f"{how}: scrapes a second", "/s")
        yield Figure(
            f"{key}_exporter_rate", f"{how}: scrapes a second, of node_exporter's",
            "times", at_least=exporter,
        )  # fmt: skip
        yield Figure(
            f"{key}_exporter_cpu", f"{how}: times less CPU than node_exporter",
            "times", at_least=exporter,
        )  # fmt: skip
        yield Figure(f"{key}_nginx_rate", f"{how}: scrapes a second, of nginx's", at_least=nginx)


FIGURES = tuple(figures())
EXPORTER, NGINX = "127.0.0.1:9100", "127.0.0.1:9180"

# Tuned as one would for such a page; one process, as the agent is one thread.
NGINX_CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=16 inactive=1h;
    default_type "application/openmetrics-text; version=1.0.0; charset=utf-8";
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen {address}; root {folder}; }}
}}
"""


def start_exporter(bench):
    command = [
        "/usr/bin/prometheus-node-exporter",
        "--collector.disable-defaults",
        "--collector.netdev",
        "--collector.cpu",
        f"--web.listen-address={EXPORTER}",
    ]
    return EXPORTER, bench.serve("node_exporter", command, EXPORTER).pid


def start_nginx(bench, page):
    folder = bench.scratch / "nginx"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "metrics").write_text(page)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX_CONFIGURATION.format(folder=folder, address=NGINX))
    command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(configuration)]
    return NGINX, bench.serve("nginx", command, NGINX).pid


def open_metrics_page(agent):
    """What the agent answers the client, for nginx to serve."""
    status, headers, page = agent.get("/metrics", Accept="application/openmetrics-text")
    if status != 200 or not headers["Content-Type"].startswith("application/openmetrics-text"):
        raise CannotMeasure(f"the agent answered {status}, {headers['Content-Type']}")
    return page


def scrape(bench, server, kind, at_once, seconds):
    address, pid = server
    before = cpu_ns(pid)
    result = bench.ask(address, kind, seconds, at_once=at_once, path="/metrics")
    result["cpu_us"] = (cpu_ns(pid) - before) / result["requests"] / 1e3
    result["rate"] = result["requests"] / result["seconds"]
    return result


def described(rows):
    rate = median([row["rate"] for row in rows])
    cpu = median([row["cpu_us"] for row in rows])
    return f"{rate:,.0f} /s, {cpu:.1f} us of CPU, {rows[-1]['bytes']:,} bytes"


def run(bench):
    rounds, seconds = bench.choose((2, 0.5), (7, 1.5))
    simulator = bench.simulator()
    agent = bench.agent(f"--wcs-url={simulator.url}")
    agent.metrics()  # waits for the first sample
    servers = {"agent": (agent.metrics_address, agent.pid)}
    absent = {}
    for name, start in (
        ("exporter", lambda: start_exporter(bench)),
        ("nginx", lambda: start_nginx(bench, open_metrics_page(agent))),
    ):
        try:
            servers[name] = start()
        except CannotMeasure as error:
            absent[name] = str(error)

    for kind, at_once in SETTINGS:
        key = f"{kind}_{at_once}"
        bench.progress(f"{kind}, {at_once} at once, {rounds} rounds")
        results = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                results[name].append(scrape(bench, server, kind, at_once, seconds))
        shown = {name: described(rows) for name, rows in results.items()}
        ours = results["agent"]
        bench.record(f"{key}_rate", median([r["rate"] for r in ours]), shown["agent"], **results)

        def times(name, what, by="agent"):
            """How many times as much of it one server has as another."""
            pairs = zip(results[name], results[by])
            return median([one[what] / other[what] for one, other in pairs])

        both = {"exporter", "nginx"} <= set(servers)
        if "exporter" in servers:
            rate, cpu = f"node_exporter {shown['exporter']}", ""
            if both:
                rate += f"; nginx {times('nginx', 'rate', 'exporter'):.1f} times node_exporter's"
                cpu = f"nginx {times('exporter', 'cpu_us', 'nginx'):.1f} times less"
            bench.record(f"{key}_exporter_rate", times("agent", "rate", "exporter"), rate)
            bench.record(f"{key}_exporter_cpu", times("exporter", "cpu_us"), cpu)
        else:
            bench.cannot_measure(f"{key}_exporter_rate", absent["exporter"])
            bench.cannot_measure(f"{key}_exporter_cpu", absent["exporter"])
        if "nginx" in servers:
            rate = times("agent", "rate", "nginx")
            bench.record(f"{key}_nginx_rate", rate, f"nginx {shown['nginx']}")
        else:
            bench.cannot_measure(f"{key}_nginx_rate", absent["nginx"])
