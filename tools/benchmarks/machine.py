# SPDX-License-Identifier: Apache-2.0
"""On what the figures were measured."""

import json
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import lab

PACKAGES = ("g++", "clang", "libbpf-dev", "nginx", "prometheus-node-exporter", "xinetd")


def output(*command):
    """Its standard output, stripped; empty where the command is missing or fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, cwd=lab.ROOT)
    except OSError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def virtualisation():
    found = output("systemd-detect-virt")
    if found:
        return found
    return "some hypervisor" if " hypervisor" in Path("/proc/cpuinfo").read_text() else "none seen"


def mitigations():
    """Those that make indirect calls and returns, of which hooks are made, dear."""
    folder = Path("/sys/devices/system/cpu/vulnerabilities")
    names = ("spectre_v2", "indirect_target_selection", "retbleed")
    files = [folder / name for name in names]
    told = [f"{file.name}: {file.read_text().strip()}" for file in files if file.exists()]
    return "; ".join(told) or "not told"


def tracing_programs():
    """eBPF programs on the machine's tracepoints: with them, without is not without."""
    try:
        programs = json.loads(output("/usr/sbin/bpftool", "--json", "prog", "list") or "[]")
    except ValueError:
        return 0
    return sum(program.get("type") == "tracing" for program in programs)


def commit():
    name = output("git", "rev-parse", "--short", "HEAD") or "not from a repository"
    return name + (", with changes" if output("git", "status", "--porcelain") else "")


def describe():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    versions = [
        f"{name} {version}"
        for name in PACKAGES
        if (version := output("dpkg-query", "-W", "-f", "${Version}", name))
    ]
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "agent": output(lab.AGENT, "--version"),
        "CPU": f"{model[1] if model else platform.machine()}, {os.cpu_count()} CPUs",
        "virtualisation": virtualisation(),
        "kernel": platform.release(),
        "mitigations": mitigations(),
        "versions": ", ".join(versions),
        "load before": f"{os.getloadavg()[0]:.2f} (1 min), "
        f"{tracing_programs()} tracing programs of others attached",
    }
