# SPDX-License-Identifier: Apache-2.0
"""affected.py [REV]: which tests what changed since REV touches, one a line, for tools/test --changed:

    lint | unit ROOM | kernel | fuzz NAME | vm | packages | e2e FILE

A program is touched if a source that is linked into it has changed or includes what has. Exit status 1 if
nothing has changed at all, so that nothing passes for tested that was not.
"""
import functools
import pathlib
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
import includes  # noqa: E402

ROOT = includes.ROOT
E2E = ROOT / "tests/e2e"
ALL = "*"

BALANCER = ("haproxy_deaths", "haproxy_files", "haproxy_guide", "haproxy_symptoms")
DASHBOARDS = ("dashboards.py", "fleet_dashboard.py", "node_dashboard.py", "grafana.py")
# Files that are not compiled, or not only, and the end-to-end tests that look at them.
READ_BY = {
    "docs/": ("source_tree", "docs", "migration", "haproxy_guide", "monitoring"),
    "README.md": ("source_tree",),
    "CONTRIBUTING.md": ("source_tree",),
    "packaging/haproxy/": ("packaging", "quickstart", "browser", "haproxy", *BALANCER),
    "packaging/nginx/": ("packaging", "quickstart", "browser", "examples"),
    "packaging/prometheus/": ("packaging", "alerts", "monitoring"),
    "packaging/grafana/": ("packaging", "dashboards", "monitoring"),
    "packaging/completion/": ("packaging", "completion"),
    "packaging/scaling/": ("packaging", "monitoring"),
    "packaging/": ("packaging", "systemd", "haproxy_guide", "examples", "migration"),
    "tools/lib/lab.py": (ALL,),
    "tools/lib/guide_site.py": ("quickstart", "browser", "examples", "monitoring"),
    "tools/lib/nginx.py": ("quickstart", "browser", "examples", "wcs_tls"),
    "tools/lib/websdk.py": ("quickstart", "browser", "tools"),
    "tools/lib/npm_package.py": ("quickstart", "browser", "page", "tools"),
    "tools/lib/axe.py": ("page",),
    "tools/lib/balance": ("balance_sim", "balance_limits", "balance_real", "tools"),
    **dict.fromkeys((f"tools/lib/{name}" for name in DASHBOARDS), ("dashboards",)),
    "tools/balance-real": ("balance_real", "tools"),
    "tools/lib/": ("tools",),
    "tools/demo/": ("quickstart",),
    "tools/quickstart": ("quickstart",),
    "tools/bench": ("bench",),
    "tools/dashboards": ("dashboards", "tools"),
    "tools/": ("tools",),
    "tests/e2e/faults/": (ALL,),
    "tests/e2e/conftest.py": (ALL,),
    "tests/e2e/balancer.py": BALANCER,
    "tests/e2e/browser.py": ("browser", "page"),
    "tests/e2e/status_page.py": ("page",),
    "tests/e2e/documents.py": ("docs", "haproxy_guide", "migration", "monitoring"),
    "tests/e2e/monitoring_files.py": ("alerts", "dashboards", "monitoring"),
    "tests/e2e/service_manager.py": ("systemd", "migration", "haproxy_guide"),
    "tests/e2e/links.py": ("interfaces", "link_share", "rates"),
    "tests/e2e/pytest.ini": (ALL,),
    "tests/e2e/packages/": (),
    "tests/vm/": (),
}
# A change of these may change every program.
BUILD_FILES = ("CMakeLists.txt", ".cmake", "CMakePresets.json")
FOREIGN = ("tools/lib/debian_archive.py", "tools/lib/arm64_sysroot.py")
OTHER_KERNELS = ("bpf/", "src/kernel/", "tests/kernel/", "tests/vm/", "tools/lib/virtual_machine.py")
PACKAGES = ("packaging/", "tools/package", "tools/lib/package_roots.py", "tests/e2e/packages/", "docs/install.md")
DOCUMENTATION_TESTS = ("cli", "http")  # documentation_test.cpp and docs_tables read docs/
# Of the tree, or of another program.
NOT_OF_THE_PROGRAMS = {"source_tree", "suite", "tools", "balance_sim", "balance_limits", "alerts", "dashboards"}


class Programs:
    """The programs of a build folder, and the files of the tree that each is made of."""

    def __init__(self, build):
        self._build = build
        self._is_configured = (build / "compile_commands.json").exists()
        self._commands = {}
        if self._is_configured:
            commands = includes.compile_commands(build, generated=True)
            self._commands = {str(file): command for file, command in commands.items()}

    @functools.cache
    def files(self, target):
        done = subprocess.run(
            ["ninja", "-C", self._build, "-t", "inputs", target], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"affected.py: no {target} in {self._build}: {done.stderr}")
        found = set()
        for line in done.stdout.splitlines():
            [name] = shlex.split(line)  # quoted as for a shell
            path = (self._build / name).resolve()
            if ROOT not in path.parents or not path.is_file():
                continue
            command = self._commands.get(str(path))
            folders = includes.include_folders(command) if command else ()
            found |= includes.files_of(path, folders) if path.suffix in (".cpp", ".cxx", ".c") else {path}
        return found

    def is_touched(self, target, changed):
        return not self._is_configured or bool(self.files(target) & changed)


@functools.cache
def programs_in(preset):
    return Programs(ROOT / "build" / preset)


def end_to_end(changed, program_touched, balance_touched):
    """The names of the files of tests, without test_ and .py."""
    every = {path.stem.removeprefix("test_") for path in E2E.glob("test_*.py")}
    touched = every - NOT_OF_THE_PROGRAMS if program_touched else set()
    touched |= {"balance_sim", "balance_real"} if balance_touched else set()
    touched |= {path.stem.removeprefix("test_") for path in changed if path.parent == E2E and path.is_file()}
    for name in (str(path.relative_to(ROOT)) for path in changed):
        start = next((start for start in READ_BY if name.startswith(start)), None)
        touched |= every if start and ALL in READ_BY[start] else set(READ_BY.get(start, ()))
    # The tree's own rules hold for each file.
    return (touched | {"source_tree"}) & every


def affected(changed):
    names = {str(path.relative_to(ROOT)) for path in changed}
    release, fuzzers = programs_in("release"), programs_in("asan-ubsan")
    everything = any(name.endswith(BUILD_FILES) for name in names)

    def touched(target):
        return everything or release.is_touched(target, changed)

    yield "lint"
    rooms = (path.parent.name for path in sorted((ROOT / "tests/unit").glob("*/CMakeLists.txt")))
    for room in rooms:
        read = room in DOCUMENTATION_TESTS and any(name.startswith("docs/") for name in names)
        if read or touched(f"tests/unit/{room}/unit_{room}"):
            yield f"unit {room}"
    if touched("tests/kernel/kernel_tests"):
        yield "kernel"
    for fuzzer in sorted((ROOT / "tests/fuzz").glob("*_fuzz.cpp")):
        name = fuzzer.stem.removesuffix("_fuzz")
        inputs = any(path.startswith((f"tests/fuzz/seeds/{name}/", f"tests/fuzz/found/{name}/")) for path in names)
        if everything or inputs or fuzzers.is_touched(f"tests/fuzz/{name}_fuzz", changed):
            yield f"fuzz {name}"
    if everything or any(name.startswith((*OTHER_KERNELS, *FOREIGN)) for name in names):
        yield "vm"
    if everything or any(name.startswith((*PACKAGES, *FOREIGN)) for name in names):
        yield "packages"
    for name in sorted(end_to_end(changed, touched("wcs-node-agent") or touched("wcs-sim"), touched("balance-sim"))):
        yield f"e2e {name}"


def main():
    base = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else includes.base_of_changes()
    changed = includes.changed_files(base)
    if not changed:
        sys.exit(f"nothing differs from {base}" if changed is not None else f"git knows no {base}")
    for line in affected(changed):
        print(line)


if __name__ == "__main__":
    main()
