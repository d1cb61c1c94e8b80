# SPDX-License-Identifier: Apache-2.0
"""The form of all sources and clang-tidy over those that the build compiles; see tools/lint."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
# Other releases format otherwise, do not know the checks, or cannot parse .clang-tidy.
FORMAT = "/usr/bin/clang-format-14"
TIDY = "/usr/bin/clang-tidy-22"
TIDY_ARGUMENTS = (
    "--quiet",
    f"-p={BUILD}",
    "--extra-arg=-Wno-unknown-warning-option",  # the build's are gcc's
    "--extra-arg=-Wno-cast-qual",  # OpenSSL's macros drop const
    "--extra-arg=-D_Bool=bool",  # bpftool's skeletons are C
    "--extra-arg=-Wno-deprecated-declarations",  # libstdc++'s stable_sort calls one
)
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


def compiled_sources():
    """All but what the build generates."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    files = {pathlib.Path(command["file"]) for command in commands}
    return sorted(file for file in files if BUILD not in file.parents)


def format_findings(files):
    """What clang-format would change; empty if nothing."""
    done = run(FORMAT, "--dry-run", "-Werror", *files)
    return (done.stderr or f"{FORMAT} ended with status {done.returncode}") if done.returncode else ""


def tidy(file, *arguments):
    """What clang-tidy found or could not do. A configuration that it cannot parse it only mentions, and goes on
    without: whatever it says besides REMARK is a failure."""
    done = run(TIDY, *arguments, file)
    remarks = [line for line in done.stderr.splitlines() if line and not REMARK.fullmatch(line)]
    found = "\n".join([*done.stdout.splitlines(), *remarks])
    return found or (f"{TIDY} ended with status {done.returncode}" if done.returncode else "")


def configuration_findings(files):
    """What is wrong with each .clang-tidy that holds for one of the files."""
    found = []
    folders = {folder for file in files for folder in file.parents if (folder / ".clang-tidy").exists()}
    for folder in sorted(folders):
        done = run(TIDY, "--verify-config", folder / "any.cpp", "--")
        said = (done.stdout + done.stderr).strip()
        if done.returncode or said != "No config errors detected.":
            found.append(f"{folder / '.clang-tidy'}: {said}")
    canary = BUILD / "lint_canary.cpp"
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


def main():
    parser = argparse.ArgumentParser(prog="tools/lint", add_help=False)
    parser.add_argument("files", nargs="*", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--junit")
    options = parser.parse_args()
    compiled = compiled_sources()
    files = [file for file in options.files or compiled if file in compiled]
    form = options.files or sources()
    unknown = [file for file in options.files if file.suffix not in SUFFIXES or not file.is_file()]
    if unknown or not compiled:
        sys.exit(f"tools/lint: not a source: {', '.join(map(str, unknown)) or BUILD}")

    results = {}

    def note(name, found):
        results[name] = found
        if found:
            print(found, flush=True)

    print(f"clang-format-14: {len(form)} files; clang-tidy-22: {len(files)} files", flush=True)
    note("format", format_findings(form))
    note("configuration", configuration_findings(files))
    if not results["configuration"]:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for file, found in zip(files, pool.map(lambda file: tidy(file, *TIDY_ARGUMENTS), files)):
                note(str(file.relative_to(ROOT)), found)
    failed = sum(map(bool, results.values()))
    print(f"{len(results) - failed} of {len(results)} without a finding")
    if options.junit:
        report(results, options.junit)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
