# SPDX-License-Identifier: GPL-2.0
"""tools/lab test: everything that is tested, and the closing line."""
import io
import json
import re
import subprocess

from . import bench, build, root, static, vm
from .host import LabError, say

# Programs of selftests/ in the order in which they run: what reloads modules
# or starts daemons comes after what must not be disturbed.
PROGRAMS = ("types", "config_space", "registers", "device", "plane",
            "edid_region", "interrupts", "heads", "params", "doorbell",
            "framebuffer", "mapping", "move", "ecc", "hwpoison", "dmabuf",
            "iommufd", "hostile", "stress", "lifecycle",
            "configfs.sh", "linear.sh", "smi.sh", "removal.sh", "guest.sh",
            "unplug.sh", "several.sh", "dmabuf.sh", "modules.sh", "edac.sh",
            "mdevctl.sh", "libvirt.sh")
# Those that start a guest.
GUEST_PROGRAMS = {"guest.sh", "unplug.sh", "several.sh", "dmabuf.sh",
                  "libvirt.sh"}
# Those that look at programs more than at the driver and take minutes run here;
# elsewhere when they are named.
CLIENT_PROGRAMS = {"several.sh", "unplug.sh", "mdevctl.sh", "libvirt.sh"}
CLIENT_RUNS = ((root.DEFAULT_KERNEL, "soft"), (root.DEFAULT_KERNEL, "ivshmem"))

# On which kernels and pGPUs they run ...
_RUNS = (*((kernel, "soft") for kernel in root.STOCK_KERNELS),
         (root.DEFAULT_KERNEL, "ivshmem"), (root.DEFAULT_KERNEL, "bochs"))
# ... and when a pattern begins with their name: a kernel that takes long to
# build.
_RUNS_NAMED = ((root.DEBUG_KERNEL, "soft"), (root.DEBUG_KERNEL, "ivshmem"))

# For all programs on one kernel, in seconds.
_TIMEOUT = 3600

_RESULT = re.compile(r"^(# )?(ok|not ok) \d+ ?(.*)$")


class Tally:
    """Prints TAP as it comes and counts results: of the tests inside a
    program, and of the program itself where it has none inside."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        # Of each program that has come to its end: its name, and how many of
        # its tests passed, failed and were skipped.
        self.programs = []
        self._before = (0, 0, 0)
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

    def totals(self):
        return (self.passed, self.failed, self.skipped)

    def begin(self):
        """A run of programs begins."""
        self.programs = []
        self._before = self.totals()

    def end(self):
        """It has ended; what a program that did not has printed is void."""
        self.passed, self.failed, self.skipped = self._before
        self._inside = self._inside_failed = 0

    def forget(self, names):
        """The results of these programs are void, too."""
        for name, *counts in self.programs:
            if name in names:
                self.passed -= counts[0]
                self.failed -= counts[1]
                self.skipped -= counts[2]

    def _end_program(self, name):
        counts = [now - before for now, before in
                  zip(self.totals(), self._before)]
        self.programs.append((name.split()[-1] if "#" not in name else
                              name.split("#")[0].split()[-1], *counts))
        self._before = self.totals()
        self._inside = self._inside_failed = 0

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
        # Not what its tests have said one by one.
        if inside or not self._inside or not (good or self._inside_failed):
            if skip:
                self.skipped += 1
            elif good:
                self.passed += 1
            else:
                self.failed += 1
        if not inside:
            self._end_program(name)


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


# Tests that run in the root, without a kernel of ours.
_UNIT = (
    ("the device model", "make -s -C /vgpu/selftests/unit O=/build/unit "
     "KSELFTEST=/usr/src/linux-selftests/tools/testing/selftests "
     "EDID_DIR=/build/unit/edid run edid-check"),
    ("vgpu-smi", "make -s -C /vgpu/tools/vgpu-smi O=/build/vgpu-smi check"),
)


def _unit(tally, wanted):
    if not wanted("unit"):
        return
    for what, command in _UNIT:
        say(f"running the unit tests of {what}")
        script = "mkdir -p /build/unit/edid /build/vgpu-smi; " + command
        done = subprocess.run(root.enter(["sh", "-c", script]), check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        tally.write(b"".join(b"# " + line + b"\n"
                             for line in done.stdout.splitlines()))
        tally.result(done.returncode == 0, f"unit tests of {what}")


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


_BENCH_KEYS = {"name", "unit", "ours", "peer", "peer_name", "limit",
               "ratio_peer", "ratio_limit", "spread"}


def _lab_bench(tally, wanted):
    """The figures that need nothing but a device: a register, a count."""
    if not wanted("lab.bench"):
        return
    rows = [row for row in bench.ROWS if row.name in (
        "register.config_read32", "bar0.page_faults_256m")]
    report = json.loads(json.dumps(
        bench.measure(root.DEFAULT_KERNEL, rows, runs=2)))
    register, faults = report["rows"]
    tally.result(report.keys() == {"kernel", "accel", "icount", "rows"} and
                 all(row.keys() == _BENCH_KEYS for row in report["rows"]),
                 "lab.bench: the form of the report")
    tally.result(all(row["ours"] and row["peer"] for row in report["rows"]),
                 "lab.bench: ours and the peer are measured")
    # A 4 KiB mapping has 65536 faults, which mbochs is one of.
    tally.result(faults["peer"] == 65536 and
                 0 < faults["ours"] <= faults["limit"] and
                 faults["ratio_limit"] >= 1 and register["limit"] is None,
                 "lab.bench: page faults are within the limit")
    if report["icount"]:
        tally.result(register["spread"] <= 0.01,
                     "lab.bench: instructions are counted")
    else:
        tally.result(True, "lab.bench: instructions are counted",
                     skip="no emulation")


def _run_name(kernel, pgpu):
    return kernel if pgpu == "soft" else f"{kernel}-{pgpu}"


# What an emulator that has lost an interrupt looks like from inside: a processor
# without its timer, which no module can take away from it; and what that may lead
# to where a guest runs.
_LOST = re.compile("rcu: INFO: .* detected stall")
_STALLED = re.compile("blocked for more than|detected stall|soft lockup")


def _run_programs(tally, release, pgpu, programs):
    """Run programs in a lab host; return it, and which have to run again."""
    tally.begin()
    result = vm.run(release, "/vgpu/tools/labhost/run-tests " +
                    " ".join(programs), out=tally, name=f"test-{pgpu}",
                    timeout=_TIMEOUT, pgpu=pgpu, numa=vm.NUMA)
    vm.discard(result)
    tally.end()
    left = programs[len(tally.programs):]
    again = [name for name, _, failed, _ in tally.programs
             if failed and name in GUEST_PROGRAMS]
    how = _STALLED if left and left[0] in GUEST_PROGRAMS else _LOST
    stalled = result.status is None and left and how.search(result.trouble)
    # Without a word, too, where a guest runs.
    stalled = stalled or (how is _STALLED and result.status is None and
                          not result.context)
    if vm.accel() == "kvm" or not (stalled or result.status is not None):
        again = []
    elif stalled:
        result.trouble = None
        again += left
    return result, again


def _selftests(tally, kernel, pgpu, wanted, everything=True):
    name = _run_name(kernel, pgpu)
    programs = [p for p in PROGRAMS if wanted(f"{name}/{p}") and
                (everything or p not in CLIENT_PROGRAMS)]
    if not programs:
        return
    try:
        release = build.modules(kernel)
        build.selftests()
        if GUEST_PROGRAMS.intersection(programs):
            build.guest(kernel)
    except LabError as error:
        say(str(error))
        tally.result(False, f"{name}: build")
        return
    print(f"# kernel {release}, pGPU {pgpu}")
    result, again = _run_programs(tally, release, pgpu, programs)
    if again and not result.trouble:
        # Emulation of a processor that runs a guest is not perfect: once in
        # some thirty starts an interrupt is lost, and the guest or the lab host
        # is never heard of again.  A fault of ours fails twice.
        print("# once more in a new lab host: " + " ".join(again))
        tally.forget(again)
        result, _ = _run_programs(tally, release, pgpu, again)
    if result.trouble:
        for line in result.context:
            print("# " + line.rstrip())
        say(f"{result.trouble}; kernel log: {result.log}")
    tally.result(not result.trouble, f"{name}: the kernel's log is clean")
    tally.result(result.status == 0, f"{name}: the runner came to its end")


def main(patterns):
    def wanted(name):
        return not patterns or any(pattern in name for pattern in patterns)

    tally = Tally()
    if wanted("static"):
        static.main(tally)
    _builds(tally, wanted)
    _unit(tally, wanted)
    _lab_run(tally, wanted)
    _lab_bench(tally, wanted)
    for run in _RUNS:
        _selftests(tally, *run, wanted,
                   everything=patterns or run in CLIENT_RUNS)
    for run in _RUNS_NAMED:
        if any(pattern.startswith(_run_name(*run)) for pattern in patterns):
            _selftests(tally, *run, wanted)
    if not tally.passed + tally.failed + tally.skipped:
        raise LabError("no test has " + " or ".join(
            f'"{pattern}"' for pattern in patterns) + " in its name")
    print(f"{tally.passed} passed, {tally.failed} failed, "
          f"{tally.skipped} skipped", flush=True)
    return 1 if tally.failed else 0
