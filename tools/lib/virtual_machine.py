# SPDX-License-Identifier: Apache-2.0
"""A virtual machine under a kernel of Debian's, for as long as one script runs.

Kernel.fetch() downloads a kernel and keeps it; run_inside() packs programs, kernel modules and a
script into an initramfs, boots it, and brings back what the script left in /out. Nothing is
installed and nothing is mounted: neither needs root.
"""

import io
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build/vm"

# The Debian release that each kernel comes from, newest first.
KERNELS = {"6.12": "trixie", "6.1": "bookworm", "5.10": "bullseye"}

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class MachineError(Exception):
    """What did not work, and what to do about it."""


def _program(name):
    found = shutil.which(name, path=_SYSTEM_PATH) if "/" not in str(name) else name
    if not found or not Path(found).exists():
        raise MachineError(f"{name} is missing: build it, or see [vm] in tools/lib/packages")
    return Path(found)


def _output(*command, **options):
    command = [_program(command[0]), *command[1:]]
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        raise MachineError(f"{' '.join(map(str, command))}: {said}")
    return result.stdout


# Kernels


@dataclass(frozen=True)
class Kernel:
    """A kernel image and its modules, unpacked from Debian's package."""

    version: str
    folder: Path

    @classmethod
    def fetch(cls, version):
        """From build/vm, or else from the Debian mirror that apt uses on this machine."""
        folder = CACHE / version
        if not folder.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                unpacked = Path(scratch) / "kernel"
                _output("dpkg-deb", "-x", _download(KERNELS[version], Path(scratch)), unpacked)
                if not (unpacked / "lib").exists():  # as on any system whose / and /usr are merged
                    (unpacked / "lib").symlink_to("usr/lib")
                _output("depmod", "-b", unpacked, cls(version, unpacked).release)
                unpacked.rename(folder)
        return cls(version, folder)

    @property
    def image(self):
        return next((self.folder / "boot").glob("vmlinuz-*"))

    @property
    def release(self):
        return self.image.name.removeprefix("vmlinuz-")

    def module_files(self, names):
        """The files of these modules and of what they need, in the order to load them in."""
        shown = _output(
            "modprobe", "-d", self.folder, "-S", self.release, "--show-depends", "-a", *names
        )
        # `builtin NAME` for those that are built in; this folder may have a space in its path.
        files = re.findall(r"^insmod (.+\.ko(?:\.xz)?)\b", shown, re.MULTILINE)
        return [Path(file) for file in dict.fromkeys(files)]


def _download(release, scratch):
    """Debian's cloud kernel of that release, as a package file.

    apt checks its signature; its lists are kept apart from the machine's own.
    """
    mirror = debian_mirror()
    print(f"downloading the kernel of Debian {release} from {mirror}", flush=True)
    state = scratch / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {release} main\n")
    (state / "apt.conf").write_text(
        f'Dir::State "{state}";\n'
        f'Dir::State::status "{state}/status";\n'
        f'Dir::Cache "{state}/cache";\n'
        f'Dir::Etc::SourceList "{state}/sources.list";\n'
        'Dir::Etc::SourceParts "/dev/null";\n'
        'APT::Sandbox::User "root";\n'
        'APT::Update::Error-Mode "any";\n'
        "#clear APT::Update::Post-Invoke;\n"
        "#clear APT::Update::Post-Invoke-Success;\n"
    )
    options = {"cwd": scratch, "env": {**os.environ, "APT_CONFIG": str(state / "apt.conf")}}
    try:
        _output("apt-get", "update", "-qq", **options)
        depends = _output("apt-cache", "depends", "linux-image-cloud-amd64", **options)
        package = depends.split("Depends: ")[1].split()[0]
        _output("apt-get", "download", "-qq", package, **options)
    except MachineError as error:
        raise MachineError(
            f"the kernel of Debian {release} could not be downloaded from {mirror}: {error}\n"
            f"Is the mirror reachable, and does it still have {release}? Other kernels can be "
            "tested alone: tests/vm/run --kernel VERSION"
        ) from None
    return next(scratch.glob("*.deb"))


def debian_mirror():
    """The one that apt uses on this machine."""
    known = _output(
        *("apt-get", "indextargets", "--format", "$(REPO_URI)"),
        *("Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"),
    )
    if not known:
        raise MachineError(
            "apt knows no Debian mirror to download kernels from: run `apt-get update` if its "
            "sources name one, or else add one"
        )
    return known.split()[0]


# Booting

_INIT = """#!/bin/busybox sh
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
stty -F /dev/ttyS1 raw
tar -c -C /out . >/dev/ttyS1
poweroff -f
"""


@dataclass(frozen=True)
class Outcome:
    """How a script ended: its exit status, and the files that it left in /out by name."""

    status: int
    files: dict


def run_inside(kernel, programs, modules, script, timeout, tell=print, cpus="2"):
    """Boots the kernel, loads the modules, runs the shell script and powers off.

    programs are paths or names of what the script needs, static or with shared libraries; all are
    in the PATH inside. Each line of the console goes to tell. cpus is QEMU's -smp: those that run,
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
        console = _boot(kernel.image, initramfs, results, timeout, tell, cpus)
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
    shutil.copy(_program("busybox"), root / "bin/busybox")
    # Not busybox as the shell: its own programs go before those in the PATH.
    (root / "bin/sh").symlink_to("/usr/bin/dash")
    for program in map(_program, ["dash", *programs]):
        shutil.copy(program, root / "usr/bin")
        for library in _libraries(program):
            copy = root / library.relative_to("/")
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
    (root / "init").write_text(_INIT)
    (root / "init").chmod(0o755)


def _libraries(program):
    """The shared libraries of a program and its interpreter; none if it is static."""
    shown = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    words = (word for line in shown.splitlines() for word in line.split())
    return [Path(word) for word in words if word.startswith("/")]


def _pack(root, initramfs):
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(initramfs, "wb") as output:
        subprocess.run(
            [_program("cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"],
            input=names.encode(),
            stdout=output,
            cwd=root,
            check=True,
        )


def _boot(image, initramfs, results, timeout, tell, cpus):
    """The lines of the console, once the machine is off."""
    # One thread for all CPUs: with one for each, a CPU can run into the breakpoint by which the
    # kernel patches its code (attaching to a tracepoint does) after it was taken out: an oops.
    command = [
        *(_program("qemu-system-x86_64"), "-accel", "tcg,thread=single"),
        *("-cpu", "max", "-smp", cpus),
        *("-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", image, "-initrd", initramfs),
        *("-append", "console=ttyS0 quiet panic=-1 oops=panic mitigations=off nokaslr"),
        *("-serial", "stdio", "-serial", f"file:{results}"),
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
