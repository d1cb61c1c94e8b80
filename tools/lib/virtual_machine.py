# SPDX-License-Identifier: Apache-2.0
"""A virtual machine under a kernel of Debian's, for as long as one script runs.

Kernel.fetch() downloads a kernel and keeps it; run_inside() packs programs, kernel modules and a
script into an initramfs, boots it, and brings back what the script left in /out. Nothing is
installed and nothing is mounted: neither needs root.
"""

import io
import lzma
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import debian_archive

ROOT = debian_archive.ROOT
CACHE = ROOT / "build/vm"

# The Debian release that each kernel comes from, newest first.
KERNELS = {"6.12": "trixie", "6.1": "bookworm", "5.10": "bullseye"}


class MachineError(debian_archive.DebianError):
    """What did not work, and what to do about it."""


# Programs, and the libraries that they need


class HostPrograms:
    """Those of this machine."""

    def fetch(self):
        """They are here."""

    def find(self, name):
        found = shutil.which(name, path=debian_archive.SYSTEM_PATH) if "/" not in str(name) else name
        if not found or not Path(found).exists():
            raise MachineError(f"{name} is missing: build it, or see [vm] in tools/lib/packages")
        return Path(found)

    def libraries(self, program):
        """The shared libraries of a program and its interpreter, and where they belong; none if it is static."""
        shown = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        words = (word for line in shown.splitlines() for word in line.split())
        return {Path(word): Path(word).relative_to("/") for word in words if word.startswith("/")}


class ForeignPrograms:
    """Those of packages for another architecture, unpacked in build/vm at first use."""

    # Before sbin, where some are links to here that begin with /.
    PATH = ("usr/bin", "bin", "usr/sbin", "sbin")

    def __init__(self, architecture, release, packages):
        self._archive = debian_archive.Archive(release, architecture)
        self._packages = packages
        self._folder = CACHE / "-".join((architecture, *packages))

    def fetch(self):
        if not self._folder.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                unpacked = Path(scratch) / "programs"
                unpacked.mkdir()
                self._archive.unpack(self._packages, unpacked)
                unpacked.rename(self._folder)

    def find(self, name):
        choices = [Path(name)] if "/" in str(name) else [self._folder / folder / name for folder in self.PATH]
        found = next((path for path in choices if path.exists()), None)
        if not found:
            raise MachineError(f"{name} is missing: build it, or see the packages in tools/lib/virtual_machine.py")
        return found

    def libraries(self, program):
        """As of HostPrograms, by what the files themselves name: nothing of them runs here."""
        found, programs = {}, [program]
        while programs:
            shown = debian_archive.output("readelf", "--wide", "--dynamic", "--program-headers", programs.pop())
            for name in re.findall(r"(?:NEEDED\).*\[|program interpreter: )([^]\s]+)", shown):
                library = self._library(name)
                if library not in found:
                    found[library] = library.relative_to(self._folder)
                    programs.append(library)
        return found

    def _library(self, name):
        """By its name alone, or the interpreter's by its path."""
        where = name[1:] if name.startswith("/") else f"**/lib/*-linux-gnu/{name}"
        found = next(self._folder.glob(where), None)
        if not found:
            raise MachineError(f"{name} is in none of {', '.join(self._packages)}")
        return found


# Architectures


@dataclass(frozen=True)
class Architecture:
    """By Debian's name: the emulator and its options, the console, and the serial port that results leave by."""

    name: str
    programs: HostPrograms | ForeignPrograms
    emulator: tuple
    console: str
    results: str


AMD64 = Architecture(
    "amd64", HostPrograms(), ("qemu-system-x86_64", "-cpu", "max", "-serial", "chardev:results"), "ttyS0", "ttyS1"
)
ARM64 = Architecture(
    "arm64",
    ForeignPrograms("arm64", "bookworm", ("bpftool", "busybox-static", "dash", "iproute2", "procps")),
    # Pointers are signed by QEMU's own quick hash: a boot takes 3 s of CPU time, and by the architecture's 9.6.
    ("qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on", "-device", "pci-serial,chardev=results"),
    "ttyAMA0",
    "ttyS0",
)


# Kernels


@dataclass(frozen=True)
class Kernel:
    """A kernel image and its modules, unpacked from Debian's package."""

    version: str
    folder: Path
    architecture: Architecture

    @classmethod
    def fetch(cls, version, architecture=AMD64):
        """From build/vm, or else from the Debian mirror that apt uses on this machine."""
        folder = CACHE / (version if architecture is AMD64 else f"{version}-{architecture.name}")
        if not folder.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                unpacked = Path(scratch) / "kernel"
                archive = debian_archive.Archive(KERNELS[version], architecture.name)
                file = archive.download_first_dependency(f"linux-image-cloud-{architecture.name}", Path(scratch))
                debian_archive.output("dpkg-deb", "-x", file, unpacked)
                if not (unpacked / "lib").exists():  # as on any system whose / and /usr are merged
                    (unpacked / "lib").symlink_to("usr/lib")
                debian_archive.output("depmod", "-b", unpacked, cls(version, unpacked, architecture).release)
                unpacked.rename(folder)
        return cls(version, folder, architecture)

    @property
    def image(self):
        return next((self.folder / "boot").glob("vmlinuz-*"))

    @property
    def release(self):
        return self.image.name.removeprefix("vmlinuz-")

    def module_files(self, names):
        """The files of these modules and of what they need, in the order to load them in."""
        shown = debian_archive.output(
            "modprobe", "-d", self.folder, "-S", self.release, "--show-depends", "-a", *names
        )
        # `builtin NAME` for those that are built in; this folder may have a space in its path.
        files = re.findall(r"^insmod (.+\.ko(?:\.xz)?)\b", shown, re.MULTILINE)
        return [Path(file) for file in dict.fromkeys(files)]


# Booting

_INIT = """#!/bin/busybox sh
RESULTS=%s
/bin/busybox --install -s /applets
export PATH=/usr/bin:/applets HOME=/ TERM=dumb
mkdir -p /proc /sys /dev /run /tmp /out
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
for module in $(cat /modules/order); do insmod "/modules/$module"; done
ip link set lo up
cd /
/bin/sh /script
echo $? >/out/status
stty -F "/dev/$RESULTS" raw
tar -c -C /out . >"/dev/$RESULTS"
poweroff -f
"""


@dataclass(frozen=True)
class Outcome:
    """How a script ended: its exit status, and the files that it left in /out by name."""

    status: int
    files: dict


def run_inside(kernel, programs, modules, script, timeout, tell=print, cpus="2"):
    """Boots the kernel, loads the modules, runs the shell script and powers off.

    programs are paths or names of what the script needs, for the kernel's architecture, static or with shared
    libraries; all are in the PATH inside. Each line of the console goes to tell. cpus is QEMU's -smp: those that run,
    and `N,maxcpus=M` where more could be plugged in. MachineError if there is no end
    within timeout seconds, or none with an outcome, as after a panic; the console's last lines are
    in it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        _fill(root, kernel, programs, modules, script)
        initramfs = Path(scratch) / "initramfs"
        _pack(root, initramfs)
        results = Path(scratch) / "results"
        console = _boot(kernel, initramfs, results, timeout, tell, cpus)
        try:
            with tarfile.open(fileobj=io.BytesIO(results.read_bytes())) as archive:
                members = [member for member in archive if member.isfile()]
                files = {
                    member.name.removeprefix("./"): archive.extractfile(member).read()
                    for member in members
                }
            return Outcome(int(files.pop("status")), files)
        except (OSError, tarfile.TarError, KeyError):
            raise MachineError(_with_end_of("it ended without an outcome", console)) from None


def _with_end_of(what, console):
    return "\n    ".join([f"{what}; the console's last lines:", *console[-30:]])


def _fill(root, kernel, programs, modules, script):
    for folder in ("bin", "usr/bin", "applets", "modules"):
        (root / folder).mkdir(parents=True)
    system = kernel.architecture.programs
    shutil.copy(system.find("busybox"), root / "bin/busybox")
    # Not busybox as the shell: its own programs go before those in the PATH.
    (root / "bin/sh").symlink_to("/usr/bin/dash")
    for program in map(system.find, ["dash", *programs]):
        shutil.copy(program, root / "usr/bin")
        for library, place in system.libraries(program).items():
            copy = root / place
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, copy)
    order = []
    for module in kernel.module_files(modules):
        name = module.name.removesuffix(".xz")
        if module.suffix == ".xz":
            (root / "modules" / name).write_bytes(lzma.decompress(module.read_bytes()))
        else:
            shutil.copy(module, root / "modules")
        order.append(name)
    (root / "modules/order").write_text("\n".join(order))
    (root / "script").write_text(script)
    (root / "init").write_text(_INIT % kernel.architecture.results)
    (root / "init").chmod(0o755)


def _pack(root, initramfs):
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(initramfs, "wb") as output:
        subprocess.run(
            [HostPrograms().find("cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"],
            input=names.encode(),
            stdout=output,
            cwd=root,
            check=True,
        )


def _boot(kernel, initramfs, results, timeout, tell, cpus):
    """The lines of the console, once the machine is off."""
    architecture = kernel.architecture
    emulator, *options = architecture.emulator
    # One thread for all CPUs: with one for each, a CPU can run into the breakpoint by which the
    # kernel patches its code (attaching to a tracepoint does) after it was taken out: an oops.
    command = [
        *(HostPrograms().find(emulator), "-accel", "tcg,thread=single", "-smp", cpus),
        *("-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", kernel.image, "-initrd", initramfs),
        *("-append", f"console={architecture.console} quiet panic=-1 oops=panic mitigations=off nokaslr"),
        *("-serial", "stdio", "-chardev", f"file,id=results,path={results}", *options),
    ]
    console = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as machine:
        timer = threading.Timer(timeout, machine.kill)
        timer.start()
        try:
            for line in machine.stdout:
                console.append(line.rstrip())
                tell(console[-1])
        finally:
            on_time = timer.is_alive()
            timer.cancel()
            machine.kill()
    if not on_time:
        raise MachineError(_with_end_of(f"no end within {timeout:g} s", console))
    return console
