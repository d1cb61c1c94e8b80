# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests are given: a private network, and real programs in it.

Each run of pytest lives in a network namespace of its own, so that ports are free, also for a run
of other files at the same time, and nothing reaches the machine's network:

    here: lo; wan0 10.98.0.1 -- eth0 10.98.0.2: the network `peer`; default route by wan0
"""

import atexit
import os
import shutil
import socket
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lib"))
import lab  # noqa: E402

# The machine may be busy with other things, so cpu is off unless a test is about it. Most tests read from the
# weight what the agent sees, so it is the free share alone unless a test is about how the weight is made.
QUICK = (
    "--cpu=off",
    "--policy=proportional",
    "--sample-interval=100ms",
    "--window=500ms",
    "--wcs-interval=200ms",
    "--wcs-timeout=1s",
    "--stale-after=3s",
)


def quick_unless_told(options):
    """QUICK without what the options set themselves."""
    told = {option.split("=")[0] for option in options}
    return [option for option in QUICK if option.split("=")[0] not in told]


def pytest_configure():
    """A folder for temporary files that no other run shares: each run that begins takes from the shared one
    what open_to_all() gave, and an agent of this one could not read its configuration any more."""
    if "PYTEST_DEBUG_TEMPROOT" in os.environ:
        return
    root = Path(tempfile.mkdtemp(prefix="wna-"))  # short: a socket's path has 107 bytes
    root.chmod(0o755)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(root)
    atexit.register(shutil.rmtree, root, ignore_errors=True)  # after pytest's own cleaning, which comes later


@pytest.fixture(scope="session", autouse=True)
def peer():
    """Another network, one veth pair away."""
    if os.geteuid() != 0:
        pytest.skip("needs root: private networks, eBPF")
    lab.enter_private_network()
    with closing(lab.Network()) as network:
        network.join("wan0", "10.98.0.1/24", "10.98.0.2/24")
        lab.ip("route", "add", "default", "via", "10.98.0.2")
        yield network


def open_to_all(folder):
    """One that the agent's own user may enter, to read its configuration again."""
    for one in (folder, *list(folder.parents)[:2]):
        one.chmod(0o755)
    return folder


@pytest.fixture
def tmp_path(tmp_path):
    return open_to_all(tmp_path)


@contextmanager
def starting(folder):
    with ExitStack() as running:

        def start_one(kind, name, *arguments, **options):
            process = kind(folder / f"{name}.log", *arguments, **options)
            return running.enter_context(closing(process))

        yield start_one


@pytest.fixture
def start(tmp_path):
    """start(kind, name, ...) -> kind(log, ...), closed after the test."""
    with starting(tmp_path) as start_one:
        yield start_one


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory):
    """The same, closed after the last test of the file."""
    with starting(open_to_all(tmp_path_factory.mktemp("shared"))) as start_one:
        yield start_one


@pytest.fixture(scope="module")
def shared_simulator(start_shared):
    """wcs-sim with 25 subscribers."""
    simulator = start_shared(lab.Simulator, "shared-wcs-sim")
    simulator.set(streams_webrtc_out=25)
    return simulator


@pytest.fixture(scope="module")
def start_shared_agent(start_shared, shared_simulator):
    """start_shared_agent(*options) -> an agent for a file whose tests leave it as it was; on ports
    of its own, so that a test may start another."""

    def start_one(*options):
        agent = start_shared(
            lab.Agent,
            "shared-agent",
            *(f"--wcs-url={shared_simulator.url}", *quick_unless_told(options), *options),
            listen="127.0.0.1:9727",
            metrics="127.0.0.1:9728",
        )
        agent.wait_until_listening()
        agent.wait_for_reply(r"^up 75%( maxconn:\d+)?$")
        return agent

    return start_one


@pytest.fixture
def simulator(start):
    """wcs-sim with its idle page."""
    return start(lab.Simulator, "wcs-sim")


@pytest.fixture
def start_agent(start, simulator):
    """start_agent(*options, ...) -> an agent that listens and asks the simulator."""

    def start_one(*options, name="agent", **settings):
        options = (*quick_unless_told(options), *options)
        agent = start(lab.Agent, name, f"--wcs-url={simulator.url}", *options, **settings)
        agent.wait_until_listening()
        return agent

    return start_one


class SystemFaults:
    """What the system does wrong to an agent that has `environment`: see faults/faults.c."""

    _FIELDS = (
        *("wall_clock_offset", "proc_stat_error", "no_memory_in_sample", "least_allocation"),
        *("failed", "netlink_delay"),
    )

    def __init__(self, folder):
        library = Path(lab.AGENT).parent / "tests/e2e/libfaults.so"
        assert library.exists(), f"{library} is not built"
        path = folder / "faults"
        path.write_bytes(bytes(8 * len(self._FIELDS)))
        path.chmod(0o666)
        self._file = open(path, "r+b", buffering=0)
        preloaded = folder / library.name  # ld.so takes a space for the end of a path
        preloaded.symlink_to(library)
        self.environment = {"LD_PRELOAD": str(preloaded), "WNA_FAULTS": str(path)}

    def set(self, **faults):
        for name, value in faults.items():
            self._file.seek(8 * self._FIELDS.index(name))
            self._file.write(value.to_bytes(8, sys.byteorder, signed=True))

    def get(self, name):
        self._file.seek(8 * self._FIELDS.index(name))
        return int.from_bytes(self._file.read(8), sys.byteorder)

    def close(self):
        self._file.close()


@pytest.fixture
def faults(tmp_path):
    with closing(SystemFaults(tmp_path)) as system:
        yield system


@pytest.fixture
def notify_socket(tmp_path):
    """systemd's end: one datagram a message."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
        service_manager.bind(str(tmp_path / "notify"))
        (tmp_path / "notify").chmod(0o777)
        service_manager.settimeout(15)
        yield service_manager


@pytest.fixture
def media(start, peer):
    """Sends UDP payload out of wan0: media.set(media_mbps=N), 0 stops it."""
    start(lab.Simulator, "viewers", *("--media-receive", "10.98.0.2:5004"), network=peer)
    return start(lab.Simulator, "media", *("--media-send", "10.98.0.2:5004", "--media-rate", "1"))


@pytest.fixture
def agent(start_agent):
    return start_agent()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        given = item.funcargs.values()
        logs = {one.log for one in given if isinstance(one, lab.Process)}
        if "tmp_path" in item.funcargs:
            logs |= set(item.funcargs["tmp_path"].glob("*.log"))
        for log in sorted(logs):
            lines = log.read_text(errors="replace").splitlines()[-60:]
            report.sections.append((log.name, "\n".join(lines)))


@pytest.fixture
def readable_agent():
    """A copy of the agent that every user can run, wherever the tree is."""
    with tempfile.TemporaryDirectory(prefix="wcs-node-agent-") as folder:
        os.chmod(folder, 0o755)
        yield shutil.copy(lab.AGENT, folder)
