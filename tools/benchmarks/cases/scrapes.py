# SPDX-License-Identifier: Apache-2.0
"""/metrics, against node_exporter and against nginx with the same bytes as a file."""

from report import Figure
from workbench import CannotMeasure, cpu_ns, median

NAME = "scrapes"
TITLE = "GET /metrics over loopback, on connections that stay open (kept) or one for each (new)"
SETTINGS = tuple((kind, at_once) for kind in ("kept", "new") for at_once in (1, 8))


def figures():
    for kind, at_once in SETTINGS:
        how = f"{kind}, {at_once} at once" if at_once > 1 else f"{kind}, one"
        key = f"{kind}_{at_once}"
        yield Figure(f"{key}_rate", f"{how}: scrapes a second", "/s")
        yield Figure(f"{key}_exporter_rate", f"{how}: scrapes a second, of node_exporter's", "times", at_least=50)
        yield Figure(f"{key}_exporter_cpu", f"{how}: times less CPU than node_exporter", "times", at_least=50)
        yield Figure(f"{key}_nginx_rate", f"{how}: scrapes a second, of nginx's", at_least=0.5)


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
    default_type "text/plain; version=0.0.4; charset=utf-8";
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
    return NGINX, bench.serve("nginx", ["/usr/sbin/nginx", "-p", str(folder), "-c", str(configuration)], NGINX).pid


def scrape(bench, server, kind, at_once, seconds):
    address, pid = server
    before = cpu_ns(pid)
    result = bench.ask(address, kind, seconds, at_once=at_once, path="/metrics")
    result["cpu_us"] = (cpu_ns(pid) - before) / result["requests"] / 1e3
    result["rate"] = result["requests"] / result["seconds"]
    return result


def run(bench):
    rounds, seconds = bench.choose((2, 0.5), (7, 1.5))
    simulator = bench.simulator()
    agent = bench.agent(f"--wcs-url={simulator.url}")
    servers = {"agent": (agent.metrics_address, agent.pid)}
    absent = {}
    for name, start in (
        ("exporter", lambda: start_exporter(bench)),
        ("nginx", lambda: start_nginx(bench, agent.get("/metrics")[2])),
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
        told = {
            name: f"{median([r['rate'] for r in rows]):,.0f} /s, {median([r['cpu_us'] for r in rows]):.1f} us of CPU, {rows[-1]['bytes']:,} bytes"
            for name, rows in results.items()
        }
        ours = results["agent"]
        bench.record(f"{key}_rate", median([r["rate"] for r in ours]), told["agent"], **results)

        def times(peer, ratio):
            return median([ratio(our, its) for our, its in zip(ours, results[peer])])

        if "exporter" in servers:
            rate = times("exporter", lambda our, its: our["rate"] / its["rate"])
            bench.record(f"{key}_exporter_rate", rate, f"node_exporter {told['exporter']}")
            cpu = times("exporter", lambda our, its: its["cpu_us"] / our["cpu_us"])
            bench.record(f"{key}_exporter_cpu", cpu)
        else:
            bench.cannot_measure(f"{key}_exporter_rate", absent["exporter"])
            bench.cannot_measure(f"{key}_exporter_cpu", absent["exporter"])
        if "nginx" in servers:
            rate = times("nginx", lambda our, its: our["rate"] / its["rate"])
            bench.record(f"{key}_nginx_rate", rate, f"nginx {told['nginx']}")
        else:
            bench.cannot_measure(f"{key}_nginx_rate", absent["nginx"])
