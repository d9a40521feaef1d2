# SPDX-License-Identifier: GPL-2.0
"""Boot the lab host and run a command in it."""
import collections
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from . import emulation, root
from .host import CACHE, LOGS, LabError, say

# What a healthy kernel never prints.
_TROUBLE = re.compile(
    r"WARNING: |BUG: |Oops|general protection fault|Kernel panic|K[AC]SAN: |"
    r"UBSAN: |INFO: task .* blocked|rcu: INFO: .* detected|soft lockup|"
    r"possible (circular|recursive) locking|suspicious RCU usage|"
    r"refcount_t: |list_(add|del) corruption|Bad page state|"
    r"sleeping function called from invalid context|unreferenced object")

# ... but for what the bare kernel prints in the lab host without our modules.
_HARMLESS = re.compile(
    r"WARNING: No NUMA|MDS: Vulnerable|WARNING: Spectre|"
    r"TAA|MMIO Stale Data|VMSCAPE")

_APPEND = ("oops=panic panic=-1 softlockup_panic=1 "
           "sysctl.kernel.hung_task_timeout_secs=300 "
           "sysctl.kernel.hung_task_panic=1 "
           "sysctl.kernel.panic_on_rcu_stall=1")

# Below which that of backports is.
QEMU_PREFIX = "/opt/qemu/usr"
_QEMU = QEMU_PREFIX + "/bin/qemu-system-x86_64"

DEFAULT_TIMEOUT = 1800
# Until the command begins; a debug kernel beside other work has taken five
# minutes.
_BOOT_TIMEOUT = 600
# For the last words of a kernel.
_PANIC_TIMEOUT = 10


def _vng(release, accel, append="", qemu="", cpus=2, memory="4G", features="",
         options=()):
    """The command line of virtme-ng, to be run in the root directory."""
    cpu = ("host" if accel == "kvm" else "max") + features
    options_tcg = "" if accel == "kvm" else emulation.OPTIONS
    return (["vng", "--run", f"/boot/vmlinuz-{release}", "--force-9p",
             "--verbose", "--qemu", _QEMU, "--name", "labhost",
             "--cpus", str(cpus), "--memory", memory,
             "--append", f"{_APPEND} {append}".strip(),
             f"--qemu-opts=-cpu {cpu} {options_tcg} {qemu}".strip()] +
            ["--disable-kvm"] * (accel != "kvm") + list(options))


# Kinds of pGPU: the device that QEMU adds for it, and its default size.  An edu is
# for the example of a backend, see backend.sh.
_PGPUS = {
    "soft": ("-device edu", ""),
    "bochs": ("-device bochs-display,vgamem={size}", "256M"),
    # Beside it devices to be refused, or taken when asked for, see linear.sh.
    "ivshmem": ("-object memory-backend-ram,id=pgpu,size={size},share=on "
                "-device ivshmem-plain,memdev=pgpu "
                "-device VGA,vgamem_mb=32 -device bochs-display,vgamem=4M "
                "-device e1000 -device edu", "256M"),
}

# A node without processors beside the one that has everything.
NUMA = ("--numa=3584M,cpus=0-1", "--numa=512M")


def parse_pgpu(text):
    """'soft', 'bochs:128M' -> kind and arguments for QEMU."""
    kind, _, size = text.partition(":")
    if kind not in _PGPUS or (size and kind == "soft"):
        raise LabError(f"--pgpu {text}: soft, bochs or ivshmem, the last two "
                       "with :SIZE")
    qemu, default = _PGPUS[kind]
    return kind, qemu.format(size=size or default)


def accel():
    """'kvm' where a stock kernel really boots under KVM, else 'tcg'.  There
    are machines whose /dev/kvm runs only kernels made for it, so the only
    test is to boot; its result is kept."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    kept = os.path.join(CACHE, "accel")
    if os.path.exists(kept):
        with open(kept) as text:
            return text.read().strip()
    say("finding out whether KVM boots a stock kernel, 25 seconds at most")
    command = _vng(root.release(root.DEFAULT_KERNEL), "kvm", cpus=1,
                   memory="1G") + ["--", "echo it boots"]
    try:
        done = subprocess.run(root.enter(command), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, timeout=25,
                              check=False)
        result = "kvm" if "it boots" in done.stdout else "tcg"
    except subprocess.TimeoutExpired:
        result = "tcg"
    say(f"the lab host runs under {result.upper()}")
    with open(kept, "w") as text:
        text.write(result + "\n")
    return result


class _Copier(threading.Thread):
    """Copy what comes out of a pipe to files or functions until it ends."""

    def __init__(self, source, *sinks):
        super().__init__(daemon=True)
        self._source, self._sinks = source, sinks
        self.last = time.monotonic()    # when something came
        self.start()

    def run(self):
        while True:
            data = os.read(self._source.fileno(), 65536)
            if not data:
                return
            self.last = time.monotonic()
            for sink in self._sinks:
                sink.write(data)
                sink.flush()


class _Watch:
    """A sink that notices a kernel that has given up.  It ought to reboot, which
    ends the lab host, but may never get there."""

    def __init__(self):
        self.panic = threading.Event()
        self._last = b""

    def write(self, data):
        if b"Kernel panic - not syncing" in self._last + data:
            self.panic.set()
        self._last = data[-100:]

    def flush(self):
        pass


class _Tail(threading.Thread):
    """Copy a growing file to a sink."""

    def __init__(self, path, sink):
        super().__init__(daemon=True)
        self._path, self._sink = path, sink
        self._ended = threading.Event()
        self.start()

    def run(self):
        with open(self._path, "rb") as source:
            while True:
                last = self._ended.wait(0.2)
                data = source.read()
                if data:
                    self._sink.write(data)
                    self._sink.flush()
                elif last:
                    return

    def end(self):
        self._ended.set()
        self.join()


class Result:
    """How a command in the lab host ended."""

    def __init__(self, status, trouble, context, log, directory):
        self.status = status        # exit status, None when there is none
        self.trouble = trouble      # what the kernel or the lab complains of
        self.context = context      # lines of the log around that
        self.log = log              # the kernel's log
        self.directory = directory  # what the command left in /lab

    def check(self):
        if self.trouble:
            raise LabError(f"{self.trouble}; kernel log: {self.log}")
        return self.status


def is_trouble(line):
    """Whether a line of a kernel's log is a complaint."""
    return bool(_TROUBLE.search(line) and not _HARMLESS.search(line))


def _find_trouble(log):
    """The first line that is trouble, and what stands around it."""
    before = collections.deque(maxlen=10)
    with open(log, errors="replace") as lines:
        for line in lines:
            if is_trouble(line):
                return line.strip(), [*before, line,
                                      *itertools.islice(lines, 120)]
            before.append(line)
    return None, []


def _started(directory):
    return os.path.exists(os.path.join(directory, "started"))


def _wait(vm, out, panic, directory, timeout, silence):
    """Wait for the end of a lab host; return why it was not waited for."""
    began = time.monotonic()
    while True:
        try:
            vm.wait(1)
            return None
        except subprocess.TimeoutExpired:
            pass
        if panic.is_set():
            time.sleep(_PANIC_TIMEOUT)
            return None if vm.poll() is not None else "it did not reboot"
        now = time.monotonic()
        passed = now - began
        if not _started(directory) and passed > min(timeout, _BOOT_TIMEOUT):
            return "it did not come up"
        if passed > timeout:
            return f"no end after {timeout:.0f} seconds"
        if silence and now - out.last > silence:
            return f"not a word for {silence} seconds"


def _boot(command, out, log, directory, timeout, silence):
    """Run a lab host to its end; return what was wrong with that."""
    watch = _Watch()
    with open(log, "wb") as kernel:
        vm = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            copiers = [_Copier(vm.stdout, out),
                       _Copier(vm.stderr, kernel, watch)]
            trouble = _wait(vm, copiers[0], watch.panic, directory,
                            timeout, silence)
        finally:
            # With unshare dies everything in its PID namespace.
            vm.kill()
            vm.wait()
        for copier in copiers:
            copier.join(5)
    return trouble


def run(release, command, load=True, out=None, err=None, share="",
        timeout=DEFAULT_TIMEOUT, silence=0, name="run", pgpu="soft", qemu="",
        numa=(), **options):
    """Boot a lab host with the modules of that release, run a shell command
    in it as root, and wait for the end: for timeout seconds, and if it says
    nothing only for silence seconds.  Standard output goes to out, standard
    error to err, both binary files."""
    out = out or sys.stdout.buffer
    err = err or sys.stderr.buffer
    kind, device = parse_pgpu(pgpu)
    os.makedirs(LOGS, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="run-", dir=CACHE)
    # Of this run alone as long as it lasts; another lab may be at the same.
    log = os.path.join(directory, "kernel.log")
    kept = os.path.join(LOGS, f"kernel-{name}-{release}.log")
    with open(os.path.join(directory, "command"), "w") as text:
        text.write(command + "\n")
    open(os.path.join(directory, "stderr"), "w").close()
    emulated = accel() != "kvm"
    with open(os.path.join(directory, "environment"), "w") as text:
        for name, value in emulation.ENVIRONMENT.items() if emulated else ():
            text.write(f"export {name}='{value}'\n")
    shares = ["--rwdir=/lab=/lab"] + ["--rwdir=/share=/share"] * bool(share)
    vng = _vng(release, accel(), options=[*shares, *numa],
               qemu=f"{device} {qemu}", **options) + [
        "--", f"/vgpu/tools/labhost/job {'load' if load else 'no-load'} "
        f"{kind}"]

    tail = _Tail(os.path.join(directory, "stderr"), err)
    boots = emulation.BOOTS if emulated else 1
    for boot in range(boots):
        say(f"booting the lab host with {release}")
        trouble = _boot(root.enter(vng, run=directory, share=share), out, log,
                        directory, timeout, silence)
        if _started(directory) or boot + 1 == boots:
            break
        say("it did not come up; once more")
        os.replace(log, kept + ".first")
    tail.end()

    status = None
    try:
        with open(os.path.join(directory, "status")) as text:
            status = int(text.read())
    except (FileNotFoundError, ValueError):
        trouble = trouble or "the lab host ended before the command did"
    seen, context = _find_trouble(log)
    os.replace(log, kept)
    return Result(status, seen or trouble, context, kept, directory)


def discard(result):
    shutil.rmtree(result.directory, ignore_errors=True)


def shell(release, share="", pgpu="soft", qemu="", **options):
    """An interactive shell in a lab host; replaces this process."""
    shares = ["--rwdir=/share=/share"] * bool(share)
    kind, device = parse_pgpu(pgpu)
    vng = [word for word in _vng(release, accel(), options=shares,
                                 qemu=f"{device} {qemu}", **options)
           if word != "--verbose"]
    say("the modules are installed: modprobe vgpu-"
        f"{'soft' if kind == 'soft' else 'linear'}; leave with exit")
    time.sleep(0.1)
    command = root.enter(vng, share=share)
    os.execvp(command[0], command)
