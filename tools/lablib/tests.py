# SPDX-License-Identifier: GPL-2.0
"""tools/lab test: everything that is tested, and the closing line."""
import io
import re
import subprocess

from . import build, root, vm
from .host import LabError, say

# Programs of selftests/ in the order in which they run: what reloads modules
# or starts daemons comes after what must not be disturbed.
PROGRAMS = ("types", "config_space", "registers", "device", "plane",
            "edid_region", "interrupts", "framebuffer", "mapping",
            "lifecycle", "configfs.sh", "removal.sh", "modules.sh",
            "clients.sh", "guest.sh")

_RESULT = re.compile(r"^(# )?(ok|not ok) \d+ ?(.*)$")


class Tally:
    """Prints TAP as it comes and counts results: of the tests inside a
    program, and of the program itself where it has none inside."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self._inside = 0
        self._inside_failed = 0
        self._line = b""

    def result(self, good, name, skip=""):
        """A test of the lab itself."""
        word = "ok" if good else "not ok"
        print(f"{word} - {name}" + (f" # SKIP {skip}" if skip else ""),
              flush=True)
        if skip:
            self.skipped += 1
        elif good:
            self.passed += 1
        else:
            self.failed += 1

    def write(self, data):
        """A binary sink for what the lab host prints."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            print(text, flush=True)
            self._count(text)

    def flush(self):
        pass

    def _count(self, text):
        match = _RESULT.match(text)
        if not match:
            return
        inside, word, name = match.groups()
        skip = "# SKIP" in name
        good = word == "ok"
        if inside:
            self._inside += 1
            self._inside_failed += not good
        elif self._inside and (good or self._inside_failed):
            # Its tests have been counted one by one.
            self._inside = self._inside_failed = 0
            return
        if skip:
            self.skipped += 1
        elif good:
            self.passed += 1
        else:
            self.failed += 1
        if not inside:
            self._inside = self._inside_failed = 0


def _builds(tally, wanted):
    for kernel in root.STOCK_KERNELS:
        name = f"build.{kernel}"
        if not wanted(name):
            continue
        try:
            build.check(kernel)
            tally.result(True, f"{name}: no warnings at W=1")
            build.sparse(kernel)
            tally.result(True, f"{name}: clean under sparse")
        except LabError as error:
            say(str(error))
            tally.result(False, f"{name}: no warnings, clean under sparse")


def _unit(tally, wanted):
    if not wanted("unit"):
        return
    say("running the unit tests of the device model")
    script = ("make -s -C /vgpu/selftests/unit O=/build/unit KSELFTEST="
              "/usr/src/linux-selftests/tools/testing/selftests "
              "EDID_DIR=/build/unit/edid run edid-check")
    script = "mkdir -p /build/unit/edid; " + script
    done = subprocess.run(root.enter(["sh", "-c", script]), check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    tally.write(b"".join(b"# " + line + b"\n"
                         for line in done.stdout.splitlines()))
    tally.result(done.returncode == 0, "unit tests with ASan and UBSan")


def _lab_run(tally, wanted):
    """The lab tells a command's status and output, and a sick kernel."""
    if not wanted("lab.run"):
        return
    release = build.modules(root.DEFAULT_KERNEL)
    out, err = io.BytesIO(), io.BytesIO()
    result = vm.run(release, "echo out; echo err >&2; lsmod | grep -c ^vgpu; "
                    "exit 7", load=False, out=out, err=err, name="lab-run")
    tally.result(result.status == 7 and not result.trouble,
                 "lab.run: the exit status is the command's")
    tally.result(out.getvalue() == b"out\n0\n" and b"err" in err.getvalue(),
                 "lab.run: standard output is the command's alone")
    vm.discard(result)
    result = vm.run(release, "echo 'BUG: planted by a test' > /dev/kmsg",
                    load=False, out=out, err=err, name="lab-trouble")
    tally.result(result.status == 0 and "planted" in (result.trouble or ""),
                 "lab.run: a kernel's complaint is a failure")
    vm.discard(result)
    result = vm.run(release, "echo c > /proc/sysrq-trigger; sleep 60",
                    load=False, out=out, err=err, name="lab-panic")
    tally.result(result.status is None and bool(result.trouble),
                 "lab.run: a panic is a failure")
    vm.discard(result)


def _selftests(tally, kernel, wanted):
    programs = [p for p in PROGRAMS if wanted(f"{kernel}/{p}")]
    if not programs:
        return
    try:
        release = build.modules(kernel)
        build.selftests()
        if "guest.sh" in programs:
            build.guest(kernel)
    except LabError as error:
        say(str(error))
        tally.result(False, f"{kernel}: build")
        return
    print(f"# kernel {release}")
    result = vm.run(release, "/vgpu/tools/labhost/run-tests " +
                    " ".join(programs), out=tally, name="test")
    vm.discard(result)
    if result.trouble:
        say(f"{result.trouble}; kernel log: {result.log}")
    tally.result(not result.trouble, f"{kernel}: the kernel's log is clean")
    tally.result(result.status == 0, f"{kernel}: the runner came to its end")


def main(pattern):
    def wanted(name):
        return pattern in name

    tally = Tally()
    _builds(tally, wanted)
    _unit(tally, wanted)
    _lab_run(tally, wanted)
    for kernel in root.STOCK_KERNELS:
        _selftests(tally, kernel, wanted)
    if not tally.passed + tally.failed + tally.skipped:
        raise LabError(f"no test has \"{pattern}\" in its name")
    print(f"{tally.passed} passed, {tally.failed} failed, "
          f"{tally.skipped} skipped", flush=True)
    return 1 if tally.failed else 0
