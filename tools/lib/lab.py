# SPDX-License-Identifier: Apache-2.0
"""A laboratory on one machine: private networks, and the real programs in them.

The demonstration, the benchmark and the end-to-end tests are built from these parts. Everything
ends with the process that made it, even if that is killed: networks have no names, and children
ask for the death signal of their parent.
"""

import contextlib
import csv
import ctypes
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AGENT = os.environ.get("WNA_AGENT", str(ROOT / "build/release/wcs-node-agent"))
SIMULATOR = os.environ.get("WNA_SIM", str(ROOT / "build/release/wcs-sim"))
HAPROXY_EXAMPLES = ROOT / "packaging/haproxy"
HAPROXY_EXAMPLE = HAPROXY_EXAMPLES / "haproxy.cfg"

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1


def wait_until(condition, what, timeout=15.0, every=0.05):
    """The first true value of condition(); AssertionError, naming what, after timeout seconds.

    every: the longest pause between two calls in seconds; the first ones follow at once.
    """
    deadline = time.monotonic() + timeout
    pause = min(0.002, every)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(pause)
        pause = min(2 * pause, every)


def watch(look, until, what, timeout=15.0):
    """All values of look(), up to the first for which until(value) is true, and that one."""
    seen = []

    def fits():
        seen.append(look())
        return until(seen[-1])

    wait_until(fits, what, timeout, every=0.02)
    return seen


def run(*command):
    """Runs a command to its end; its output is in the exception if it fails."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr or result.stdout}")
    return result.stdout


def ip(*arguments):
    run("ip", *arguments)


# Networks


def enter_private_network():
    """Moves the calling thread, and all children from now on, to a network of its own."""
    if _libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    ip("link", "set", "lo", "up")


class Network:
    """A network namespace beside the caller's; it lives as long as its keeper process."""

    def __init__(self):
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"], preexec_fn=die_with_parent
        )
        # unshare(1) becomes sleep(1) once it is in the new namespace.
        name = Path(f"/proc/{self.pid}/comm")
        wait_until(lambda: name.read_text() == "sleep\n", "a network namespace")
        self.ip("link", "set", "lo", "up")

    @property
    def pid(self):
        return self._keeper.pid

    def command(self, *command):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]

    def ip(self, *arguments):
        run(*self.command("ip", *arguments))

    def join(self, name, own_address, its_address, its_name="eth0"):
        """A veth pair from the caller's network (NAME) to this one; by eth0 it has its default route.

        Addresses as A.B.C.D/LENGTH.
        """
        ip("link", "add", name, "type", "veth", "peer", "name", its_name, "netns", str(self.pid))
        ip("address", "add", own_address, "dev", name)
        ip("link", "set", name, "up")
        self.ip("address", "add", its_address, "dev", its_name)
        self.ip("link", "set", its_name, "up")
        if its_name == "eth0":
            self.ip("route", "add", "default", "via", own_address.split("/")[0])

    def close(self):
        self._keeper.kill()
        self._keeper.wait()


# Processes


def die_with_parent():
    """For a child before it becomes its program: ends with the parent, even if that is killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child whose output goes to a file; network None is the caller's own.

    pass_fds: descriptors that it keeps.
    """

    def __init__(self, log, command, network=None, env=None, pass_fds=()):
        self.name = Path(command[0]).name
        self.log = Path(log)
        if network:
            command = network.command(*command)
        with open(self.log, "ab") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                pass_fds=pass_fds,
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child.poll() is None

    @property
    def status(self):
        """The exit status, negative for a signal; None while it runs."""
        return self._child.poll()

    def output(self):
        return self.log.read_text(errors="replace")

    def lines(self, pattern):
        """The lines of its output so far that hold the regular expression."""
        return [line for line in self.output().splitlines() if re.search(pattern, line)]

    def wait_for_line(self, pattern, timeout=15.0):
        """The match of pattern, once it is in the output; fails if the process ends before."""

        def found():
            running = self.running
            match = re.search(pattern, self.output(), re.MULTILINE)
            if not match and not running:
                raise AssertionError(f"{self.name} ended with {self.status}:\n{self.output()}")
            return match

        return wait_until(found, f"{pattern!r} from {self.name}", timeout)

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, timeout=15.0):
        return self._child.wait(timeout)

    def close(self):
        """SIGTERM, or after 5 s SIGKILL; the exit status."""
        if self.running:
            self._child.terminate()
            try:
                return self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
        return self._child.wait()


class Simulator(Process):
    """wcs-sim; page, control and, where it has one, websocket are its bound addresses."""

    def __init__(
        self,
        log,
        *options,
        listen=("127.0.0.1:0",),
        control="127.0.0.1:0",
        websocket=None,
        network=None,
    ):
        listeners = [word for address in listen for word in ("--listen", address)]
        if websocket:
            listeners += ["--websocket", websocket]
        super().__init__(log, [SIMULATOR, *listeners, "--control", control, *options], network)
        self.page = self.wait_for_line(r"^page (\S+)$")[1]
        self.control = self.wait_for_line(r"^control (\S+)$")[1]
        self.websocket = websocket and self.wait_for_line(r"^websocket (\S+)$")[1]
        self._network = network

    @property
    def url(self):
        return f"http://{self.page}/?action=stat"

    def page_text(self):
        """The statistics page."""
        with inside(self._network):
            return http_get(self.page, "/?action=stat")[2]

    def set(self, **values):
        self._ask("/set?" + urllib.parse.urlencode(values))

    def reset(self):
        self._ask("/reset")

    def state(self):
        return json.loads(self._ask("/state"))

    def _ask(self, path):
        if not self.running:
            raise RuntimeError(f"wcs-sim has ended with {self.status}")
        with inside(self._network):
            status, _, body = http_get(self.control, path)
        if status != 200:
            raise RuntimeError(f"wcs-sim {path}: {status} {body}")
        return body


class Agent(Process):
    """wcs-node-agent; listen and metrics None leave it to its configuration.

    control: a folder for its control socket and what it keeps; None: without the operator's word, which agents
    of other tests would share.
    """

    def __init__(
        self,
        log,
        *options,
        listen="127.0.0.1:9707",
        metrics="127.0.0.1:9708",
        network=None,
        env=None,
        prefix=(),
        command=("run",),
        control=None,
    ):
        self.address = listen or "127.0.0.1:9707"
        self.metrics_address = metrics or "127.0.0.1:9708"
        words = [*prefix, AGENT, *command]
        if listen:
            words += ["--agent-listen", listen]
        if metrics:
            words += ["--metrics-listen", metrics]
        if control:
            self.control_socket, self.state_file = Path(control, "control.sock"), Path(control, "state/operator.json")
            words += ["--control.socket", str(self.control_socket), "--control.state-file", str(self.state_file)]
        elif tuple(command) == ("run",):
            words += ["--control.socket", ""]
        super().__init__(log, [*words, *options], network, env)

    def wait_until_listening(self, timeout=15.0):
        """Returns once both ports accept and HTTP is served, so that the lines of the start are in the log; fails if the
        agent ends before."""

        def serves():
            if not self.running:
                raise AssertionError(f"the agent ended with {self.status}:\n{self.output()}")
            with contextlib.suppress(OSError):
                connect(self.address, 1).close()
                with connect(self.metrics_address, 1) as client:
                    client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                    client.recv(1)  # a refusal, or TLS's alert, is an answer too
                return True

        wait_until(serves, "the agent serves", timeout)

    def reply(self, timeout=15.0):
        return ask_agent(self.address, timeout)

    def wait_for_reply(self, pattern, timeout=15.0):
        last = []

        def fits():
            last[:] = [self.reply()]
            return re.search(pattern, last[0]) and last[0]

        try:
            return wait_until(fits, f"reply {pattern!r}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last[0]!r}") from None

    def get(self, path, **headers):
        return http_get(self.metrics_address, path, **headers)

    def status_json(self):
        """Once the first reply is due."""

        def page():
            status, _, text = self.get("/status")
            found = json.loads(text) if status == 200 else {"state": "starting"}
            return found["state"] != "starting" and found

        return wait_until(page, "a status with a state")

    def wait_for_samples(self, count=1, timeout=15.0):
        """Returns once so many more samples have been taken."""

        def taken_at():
            status, _, text = self.get("/status")
            found = json.loads(text) if status == 200 else {"state": "starting"}
            return found["uptime_seconds"] if found["state"] != "starting" else None

        first = taken_at()  # None: before the first one
        seen = set()

        def enough():
            seen.add(taken_at())
            return len(seen - {first, None}) >= count

        wait_until(enough, f"{count} more samples", timeout, every=0.02)

    def metrics(self):
        """Each series with its value, once the first reply is due."""

        def page():
            status, _, text = self.get("/metrics")
            return status == 200 and "\nwcs_node_state{" in text and text

        return parse_metrics(wait_until(page, "a page of metrics"))

    def wait_for_metric(self, series, holds, timeout=15.0):
        """The first value of the series for which holds(value) is true."""
        seen = []

        def fits():
            seen[:] = [self.metrics().get(series)]
            return seen[0] is not None and holds(seen[0])

        wait_until(fits, f"metric {series}", timeout)
        return seen[0]


def certificate(folder, *names):
    """site.pem in the folder, as HAProxy takes it: a certificate for the names and addresses, its issuer's, the key.

    Its root is ca.pem beside it; the parts are leaf.pem, intermediate.pem and leaf.key.
    """
    folder = Path(folder)

    def issue(name, issuer, *extensions):
        run(
            *("openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-keyout", f"{folder / name}.key", "-out", f"{folder / name}.pem"),
            *(("-CA", f"{folder / issuer}.pem", "-CAkey", f"{folder / issuer}.key") if issuer else ()),
            *(word for extension in extensions for word in ("-addext", extension)),
        )

    kinds = (f"{'IP' if re.fullmatch(r'[0-9.]+|.*:.*', name) else 'DNS'}:{name}" for name in names)
    issue("ca", None)
    issue("intermediate", "ca", "basicConstraints=critical,CA:TRUE")
    issue("leaf", "intermediate", "basicConstraints=critical,CA:FALSE", f"subjectAltName={','.join(kinds)}")
    bundle = folder / "site.pem"
    parts = ("leaf.pem", "intermediate.pem", "leaf.key")
    bundle.write_text("".join((folder / part).read_text() for part in parts))
    return bundle


def quick_haproxy(folder, example=HAPROXY_EXAMPLE, **times):
    """A copy in the folder of the example with other times: agent_inter="100ms" in place of `agent-inter 5s`."""
    text = Path(example).read_text()
    for word, time_of_it in times.items():
        word = word.replace("_", "-")
        text, found = re.subn(rf"(?m)^( +[^#\n]*(?<![\w-]){word}) \d+m?s\b", rf"\1 {time_of_it}", text)
        assert found == 1, f"{word} is {found} times in {example}"
    configuration = Path(folder) / Path(example).name
    configuration.write_text(text)
    return configuration


class Haproxy(Process):
    """A real HAProxy; env are the variables that its configuration asks for.

    This is its master, which stays root: a process that becomes another user forgets whose death it asked to be told.
    The worker ends with its master. SIGUSR2 reloads.
    Without a SITE_PEM it gets a certificate for localhost. What else it keeps is beside the statistics socket.
    """

    def __init__(self, log, configuration, statistics_socket, env=None, pass_fds=()):
        self.statistics_socket = str(statistics_socket)
        folder = Path(statistics_socket).parent
        env = {"STATE_FILE": str(folder / "haproxy.state"), **(env or {})}
        if "SITE_PEM" not in env:
            env["SITE_PEM"] = str(certificate(folder, "localhost", "127.0.0.1"))
        if not Path(env["STATE_FILE"]).exists():
            Path(env["STATE_FILE"]).write_text("1\n")  # the format's version: a state of no server
        super().__init__(
            log,
            ["/usr/sbin/haproxy", "-W", "-f", str(configuration)],
            env={"STATISTICS_SOCKET": self.statistics_socket, **env},
            pass_fds=pass_fds,
        )
        wait_until(self._answers, "HAProxy's statistics socket")

    def _answers(self):
        if not self.running:
            raise AssertionError(f"haproxy ended with {self.status}:\n{self.output()}")
        with contextlib.suppress(OSError):
            return self.command("show info")

    def command(self, text):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(self.statistics_socket)
            client.sendall(text.encode() + b"\n")
            return _read_all(client).decode()

    def servers(self):
        """What HAProxy knows of each server, by its name: the columns of `show stat`."""
        text = self.command("show stat").removeprefix("# ").strip()
        rows = csv.DictReader(text.splitlines())
        return {row["svname"]: row for row in rows if row["type"] == "2"}


class Prometheus(Process):
    """A real Prometheus that scrapes as `scrapes` says, and evaluates rules as often; its data is in folder."""

    address = "127.0.0.1:9090"

    def __init__(self, log, folder, interval, scrapes, rule_files=()):
        configuration = Path(folder) / "prometheus.yml"
        configuration.write_text(
            json.dumps(  # JSON is YAML
                {
                    "global": {
                        "scrape_interval": interval,
                        "scrape_timeout": interval,
                        "evaluation_interval": interval,
                    },
                    "rule_files": [str(path) for path in rule_files],
                    "scrape_configs": scrapes,
                }
            )
        )
        super().__init__(
            log,
            [
                "/usr/bin/prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={Path(folder) / 'prometheus'}",
                f"--web.listen-address={self.address}",
            ],
        )
        self.wait_for_line("Server is ready", timeout=60)

    def ask(self, what, **parameters):
        """The data of /api/v1/`what`; AssertionError with its reason if it has none to give."""
        path = f"/api/v1/{what}?" + urllib.parse.urlencode(parameters)
        answer = json.loads(http_get(self.address, path)[2])
        assert answer["status"] == "success", f"{parameters}: {answer.get('error')}"
        return answer["data"]

    def query(self, expression):
        """The values of the series that it has now."""
        return [float(row["value"][1]) for row in self.ask("query", query=expression)["result"]]


# Clients


@contextlib.contextmanager
def inside(network):
    """Runs the block in that network; None: where the caller is."""
    if network is None:
        yield
        return
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{network.pid}/ns/net") as other:
        _set_network(other)
        try:
            yield
        finally:
            _set_network(own)


def _set_network(namespace):
    if _libc.setns(namespace.fileno(), _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def split_address(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _read_all(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def processes_marked(mark):
    """The command lines of all processes that have the mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            process = Path("/proc", pid)
            if mark.encode() in process.joinpath("environ").read_bytes().split(b"\0"):
                found.append(process.joinpath("cmdline").read_text().replace("\0", " "))
    return found


def connect(address, timeout=15.0):
    return socket.create_connection(split_address(address), timeout)


def ask_agent(address, timeout=15.0):
    """What an agent check hears, its newline included; empty if it is closed without a word."""
    with connect(address, timeout) as client:
        return _read_all(client).decode()


def http_get(address, path, method="GET", timeout=15.0, **headers):
    """(status, headers, text)."""
    host, port = split_address(address)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def parse_metrics(text):
    """Each series of a Prometheus page, as `name{labels}`, with its value."""
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    return {series: float(value) for series, value in rows}
