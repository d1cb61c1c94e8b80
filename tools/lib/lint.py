# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the sources of the release build; see tools/lint."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
PROGRAMS = ("clang-tidy-22", "clang-tidy-19", "clang-tidy")
ARGUMENTS = (
    "--quiet",
    f"-p={BUILD}",
    "--extra-arg=-Wno-unknown-warning-option",  # the build's are gcc's
    "--extra-arg=-Wno-cast-qual",  # OpenSSL's macros drop const
    "--extra-arg=-D_Bool=bool",  # bpftool's skeletons are C
    "--extra-arg=-Wno-deprecated-declarations",  # libstdc++'s stable_sort calls one
)


def compiled_sources():
    """All but what the build generates."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    files = {pathlib.Path(command["file"]) for command in commands}
    return sorted(file for file in files if BUILD not in file.parents)


def findings(program, file):
    """Empty: there are none."""
    done = subprocess.run([program, *ARGUMENTS, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (done.stdout or f"{program} ended with status {done.returncode}") if done.returncode else ""


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
    program = next(filter(shutil.which, PROGRAMS))
    files = options.files or compiled_sources()
    print(f"{program}: {len(files)} files", flush=True)
    results = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda file: findings(program, file), files)
        for file, text in zip(files, found):
            name = str(file.relative_to(ROOT))
            results[name] = text
            if text:
                print(text, flush=True)
    failed = sum(map(bool, results.values()))
    print(f"{len(results) - failed} of {len(results)} without a finding")
    if options.junit:
        report(results, options.junit)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
