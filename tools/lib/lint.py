# SPDX-License-Identifier: Apache-2.0
"""The form of all sources and clang-tidy over those that the build compiles; see tools/lint."""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
import includes  # noqa: E402

ROOT = includes.ROOT
# The preset that compiles each source by itself, for some, and the one that compiles several as one, for all: what
# clang-tidy spends is the parsing of libraries. Their commands and generated headers are read.
SINGLY = ROOT / "build/dev"
TOGETHER = ROOT / "build/release"
# Other releases format otherwise, do not know the checks, or cannot parse .clang-tidy.
FORMAT = "/usr/bin/clang-format-14"
TIDY = "/usr/bin/clang-tidy-22"
TIDY_ARGUMENTS = (
    "--quiet",
    "--extra-arg=-Wno-unknown-warning-option",  # the build's are gcc's
    "--extra-arg=-Wno-cast-qual",  # OpenSSL's macros drop const
    "--extra-arg=-D_Bool=bool",  # bpftool's skeletons are C
    "--extra-arg=-Wno-deprecated-declarations",  # libstdc++'s stable_sort calls one
)
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "wcs-node-agent/lint")
CACHE_DAYS = 30
FOLDERS = ("bpf", "include", "src", "tools", "tests", "cmake")
SUFFIXES = (".c", ".h", ".cpp", ".hpp")

# What clang-tidy says even where nothing is wrong.
REMARK = re.compile(r"\d+ warnings? generated\.|Suppressed \d+ warnings.*")
# bugprone, misc and performance each find one thing here; a configuration that is not read finds none.
CANARY = """#include <string>
static int unused_parameter(int value) { return 0; }
bool redundant(int value) { return value == value; }
std::size_t copies(std::string text) { return text.size() + sizeof(sizeof(int)); }
"""
CANARY_CHECKS = ("bugprone-sizeof-expression", "misc-redundant-expression", "performance-unnecessary-value-param")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def sources():
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in paths if path.suffix in SUFFIXES)


def format_findings(files):
    """What clang-format would change; empty if nothing."""
    done = run(FORMAT, "--dry-run", "-Werror", *files)
    return (done.stderr or f"{FORMAT} ended with status {done.returncode}") if done.returncode else ""


def tidy(file, command):
    """What clang-tidy found or could not do. A configuration that it cannot parse it only mentions, and goes on
    without: whatever it says besides REMARK is a failure."""
    done = run(TIDY, *TIDY_ARGUMENTS, file, "--", *command)
    remarks = [line for line in done.stderr.splitlines() if line and not REMARK.fullmatch(line)]
    found = "\n".join([*done.stdout.splitlines(), *remarks])
    return found or (f"{TIDY} ended with status {done.returncode}" if done.returncode else "")


@dataclasses.dataclass(frozen=True)
class Unit:
    """What is compiled at once."""

    name: str
    file: pathlib.Path
    command: tuple

    def tidy(self):
        return tidy(self.file, self.command)

    def files(self):
        return includes.files_of(self.file, includes.include_folders(self.command))


def single_units():
    return [
        Unit(str(file.relative_to(ROOT)), file, flags(command, file))
        for file, command in includes.compile_commands(SINGLY).items()
    ]


def joined_units():
    """All sources, as the build joins them. A joined source is written anew where the .clang-tidy holds for it that
    holds for those that it includes; that it includes them is no finding."""
    joined = TOGETHER / "lint"
    shutil.rmtree(joined, ignore_errors=True)
    for configuration in configurations():
        copy = joined / configuration.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(configuration, copy)
    units = []
    for file, command in includes.compile_commands(TOGETHER, generated=True).items():
        if TOGETHER not in file.parents:
            units.append(Unit(str(file.relative_to(ROOT)), file, flags(command, file)))
        elif match := re.search(r"([^/]+)\.dir/Unity/(unity_\d+)_cxx\.cxx$", str(file)):
            text = file.read_text().replace(".cpp\"", ".cpp\"  // NOLINT(bugprone-suspicious-include)")
            sources = [pathlib.Path(name) for name in re.findall('#include "(.+)"', text)]
            folder = sources[0].parent.relative_to(ROOT)
            copy = joined / folder / f"{match[1]}_{match[2]}.cpp"
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
            units.append(Unit(f"{folder}/{match[1]}_{match[2]}: {len(sources)} sources", copy, flags(command, file)))
    return sorted(units, key=lambda unit: unit.name)


def flags(command, file):
    """What the compiler is told, without what it writes and reads."""
    words = iter(command)
    for word in words:
        if re.search(r"(^|/)(g\+\+|c\+\+|gcc|cc|clang(\+\+)?)(-\d+)?$", word):
            break
    kept = []
    for word in words:
        if word in ("-o", "-MT", "-MF"):
            next(words)
        elif word not in ("-c", "-MD", str(file)):
            kept.append(word)
    return tuple(kept)


class Cache:
    """The units that were found clean, by all that decides it. Without CCACHE_DISABLE: it is for compilers too."""

    def __init__(self):
        self._used = not os.environ.get("CCACHE_DISABLE")
        packages = run("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", "*-dev", "clang-tidy-22").stdout
        texts = (path.read_text() for path in configurations())
        self._common = "\0".join([packages, *texts, *TIDY_ARGUMENTS])
        if self._used:
            CACHE.mkdir(parents=True, exist_ok=True)
            for path in CACHE.iterdir():
                if time.time() - path.stat().st_mtime > CACHE_DAYS * 86400:
                    path.unlink(missing_ok=True)

    def _entry(self, unit):
        key = hashlib.sha256("\0".join([self._common, *unit.command]).replace(str(ROOT), "").encode())
        for file in sorted(unit.files()):
            text = file.read_bytes().replace(bytes(ROOT), b"")
            key.update(str(file.relative_to(ROOT)).encode() + b"\0" + text + b"\0")
        return CACHE / key.hexdigest()

    def knows(self, unit):
        if not self._used or not (entry := self._entry(unit)).exists():
            return False
        entry.touch()
        return True

    def remember(self, unit):
        if self._used:
            self._entry(unit).touch()


def configurations():
    below = (path for folder in FOLDERS for path in (ROOT / folder).glob("**/.clang-tidy"))
    return [ROOT / ".clang-tidy", *sorted(below)]


def configuration_findings(files):
    """What is wrong with each .clang-tidy that holds for one of the files."""
    found = []
    folders = {folder for file in files for folder in file.parents if (folder / ".clang-tidy").exists()}
    for folder in sorted(folders):
        done = run(TIDY, "--verify-config", folder / "any.cpp", "--")
        said = (done.stdout + done.stderr).strip()
        if done.returncode or said != "No config errors detected.":
            found.append(f"{folder / '.clang-tidy'}: {said}")
    canary = ROOT / "build/lint_canary.cpp"
    canary.write_text(CANARY)
    said = run(TIDY, f"--config-file={ROOT / '.clang-tidy'}", canary, "--", "-std=c++20").stdout
    found += [f"{check} does not find what it is there for" for check in CANARY_CHECKS if check not in said]
    return "\n".join(found)


def report(results, junit):
    suite = xml.Element("testsuite", name="lint")
    for name, found in results.items():
        case = xml.SubElement(suite, "testcase", classname="Lint", name=name)
        if found:
            xml.SubElement(case, "failure", message=f"tools/lint {name}").text = found
    root = xml.Element("testsuites")
    root.append(suite)
    xml.ElementTree(root).write(junit)


def selected(options):
    """(sources and headers whose form is looked at, units for clang-tidy)."""
    if options.files:
        wrong = [file for file in options.files if file.suffix not in SUFFIXES or not file.is_file()]
        if wrong:
            sys.exit(f"tools/lint: not a source: {', '.join(map(str, wrong))}")
        return options.files, [unit for unit in single_units() if unit.file in options.files]
    if options.changed is None:
        return sources(), joined_units()
    base = options.changed or includes.base_of_changes()
    changed = includes.changed_files(base)
    if changed is None:
        sys.exit(f"tools/lint: git knows no {base}")
    print(f"what changed since {base}", flush=True)
    if any(file.name == ".clang-tidy" for file in changed):
        return sources(), joined_units()
    form = [file for file in sources() if file in changed]
    return form, [unit for unit in single_units() if unit.files() & changed]


def main():
    parser = argparse.ArgumentParser(prog="tools/lint", add_help=False)
    parser.add_argument("files", nargs="*", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--changed", nargs="?", const="")
    parser.add_argument("--junit")
    options = parser.parse_args()
    form, units = selected(options)
    if not (units or options.files or options.changed is not None):
        sys.exit(f"tools/lint: no source in {TOGETHER}")

    results = {}

    def note(name, found):
        results[name] = found
        if found:
            print(found, flush=True)

    cache = Cache()
    known = {unit for unit in units if cache.knows(unit)}
    print(f"clang-format-14: {len(form)} files; clang-tidy-22: {len(units)} translation units, "
          f"{len(known)} of them known to be clean", flush=True)
    note("format", format_findings(form) if form else "")
    note("configuration", configuration_findings(form))

    def check(unit):
        return "" if unit in known else unit.tidy()

    if not results["configuration"]:
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for unit, found in zip(units, pool.map(check, units)):
                note(unit.name, found)
                if not found:
                    cache.remember(unit)
    failed = sum(map(bool, results.values()))
    print(f"{len(results) - failed} of {len(results)} without a finding")
    if options.junit:
        report(results, options.junit)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
