# SPDX-License-Identifier: GPL-2.0
"""The programs of selftests/: which there are, on which kernels and pGPUs they
run, and running them in a lab host."""
import dataclasses
import os

from . import build, coverage, desktop, emulation, vm
from .host import LabError, say


@dataclasses.dataclass(frozen=True)
class Program:
    """A program of selftests/, the runs in whose fast set it is, those whose full
    set has it as well, and what it needs:

    guest    a VM: built before, and run again when an emulated lab host fails
    desktop  a VM with a whole Debian, see desktop.py
    modules  those of selftests/modules
    quiet    no udev, which it would send tens of thousands of events; that takes
             longer than all tests together, and what waits takes kernel memory
    """
    path: str
    fast: str
    full: str = ""
    needs: str = ""

    @property
    def name(self):
        return os.path.basename(self.path)

    def runs(self, full):
        return (self.fast + " " + self.full * full).split()


# The one list of who runs where, in the order in which programs run: what reloads
# modules or starts daemons comes after what must not be disturbed.  With a name any
# program runs anywhere.
#
# Fast on 6.12 is what is not too long.  On other kernels runs what the kernel does in
# another way, fast what meets the kernel the most; behind a BAR what that memory does
# in another way, or where it meets ECC, a guest, another host, or a VMM that does not
# behave; on debug where the driver could be wrong and nothing else would show it; on
# race where threads meet.  Programs that look more at clients than at the driver take
# minutes and are for 6.12 alone.
PROGRAMS = (
    Program("front/types", "6.12 6.1 7", "debug"),
    Program("model/config_space", "6.12", "debug"),
    Program("model/registers", "6.12", "debug"),
    Program("front/ioctls", "6.12 6.1 7", "debug"),
    Program("device/plane", "6.12 6.1 7", "debug"),
    Program("model/edid_region", "6.12", "debug"),
    Program("device/interrupts", "6.12 6.1 7", "debug race"),
    Program("model/heads", "6.12", "debug race"),
    Program("device/virtio", "6.12 6.1 7", "debug race"),
    Program("device/virtio_display", "6.12", "6.1 7 debug race"),
    Program("device/virtio_drivers", "6.12", "6.1 7 debug race"),
    Program("device/virtio_sleep", "6.12 6.1 7", "debug race"),
    Program("front/params", "6.12", "debug"),
    Program("front/screen", "6.12 6.1 7", "debug race"),
    Program("device/doorbell", "6.12", "debug race"),
    Program("memory/framebuffer", "6.12 6.1 7 6.12-ivshmem", "6.12-bochs debug"),
    Program("memory/mapping", "6.12 6.1 7 6.12-ivshmem",
            "6.12-bochs debug debug-ivshmem"),
    Program("memory/page_moves", "6.12", "debug race debug-ivshmem"),
    Program("ras/ecc", "6.12", "6.12-ivshmem debug", "quiet"),
    Program("ras/retired", "6.12", "6.12-ivshmem debug", "quiet"),
    Program("migration/migration", "6.12 6.1 7", "6.12-ivshmem debug"),
    Program("migration/streams", "6.12", "6.1 7 6.12-ivshmem debug"),
    Program("migration/precopy", "6.12 6.1 7", "6.12-ivshmem debug race"),
    Program("migration/arrival", "6.12", "6.1 7 6.12-ivshmem debug"),
    Program("ras/hwpoison", "6.12 6.1 7", "6.12-ivshmem debug race", "modules"),
    Program("memory/dmabuf", "6.12 6.1 7", "7-ivshmem 6.12-bochs debug debug-ivshmem"),
    Program("memory/importers", "6.12 6.1 7",
            "7-ivshmem 6.12-bochs debug debug-ivshmem", "modules"),
    Program("front/iommufd", "6.12 6.1 7", "debug"),
    Program("robustness/fuzz", "6.12", "6.1 7 6.12-ivshmem debug race"),
    Program("robustness/sigkill", "6.12", "debug race"),
    Program("robustness/pressure", "6.12", "debug"),
    Program("robustness/faults", "6.12", "debug"),
    Program("robustness/virtio_faults", "", "debug"),
    Program("robustness/virtio_hostile", "6.12", "6.1 7 debug race"),
    Program("robustness/virtio_memory", "6.12", "6.1 7 debug race"),
    Program("robustness/virtio_vmm", "6.12 6.1 7", "debug race"),
    Program("robustness/stress", "6.12", "debug race", "quiet"),
    Program("front/lifecycle", "6.12", "debug", "quiet"),
    Program("pgpu/configfs.sh", "6.12 6.1 7", "debug"),
    Program("pgpu/linear.sh", "6.12 6.12-ivshmem", "debug debug-ivshmem"),
    Program("pgpu/backend.sh", "6.12", "6.1 7 debug"),
    Program("ras/smi.sh", "6.12"),
    Program("front/removal.sh", "6.12 6.1 7", "6.12-ivshmem debug race"),
    Program("clients/guest.sh", "6.12", "6.1 7 7-qemu debug", "guest"),
    Program("clients/qemu-migration.sh", "6.12", "6.1 7-qemu", "guest"),
    Program("clients/repeated-migration.sh", "", "6.12 6.12-ivshmem", "guest"),
    Program("pgpu/unplug.sh", "6.12", "7-qemu", "guest"),
    Program("clients/several-vgpus.sh", "", "6.12 7-qemu", "guest"),
    Program("clients/opengl.sh", "6.12", "", "guest"),
    Program("clients/virtio-gpu.sh", "", "6.12 6.1 7", "guest"),
    Program("clients/virtio-gpu-migration.sh", "", "6.12 6.1", "guest"),
    Program("clients/virtio-gpu-clients.sh", "", "6.12", "guest"),
    # By name alone until it has run as a whole on each kernel.
    Program("clients/virtio-gpu-desktop.sh", "", "", "guest desktop"),
    Program("clients/firmware.sh", "", "6.12", "guest"),
    Program("pgpu/modules.sh", "6.12", "debug"),
    Program("ras/edac.sh", "6.12", "debug"),
    Program("clients/mdevctl.sh", "6.12"),
    Program("clients/libvirt.sh", "", "6.12", "guest"),
    Program("clients/libvirt-migration.sh", "", "6.12", "guest"),
)
_NAMED = {program.name: program for program in PROGRAMS}


@dataclasses.dataclass(frozen=True)
class Run:
    """A kernel, a kind of pGPU, and whose QEMU the guests have: the suite's or that
    of backports."""
    kernel: str
    pgpu: str = "soft"
    backports: bool = False

    @property
    def name(self):
        return "-".join([self.kernel] + [self.pgpu] * (self.pgpu != "soft") +
                        ["qemu"] * self.backports)

    def programs(self, full):
        """Names of the programs of the fast set, or of the full one."""
        return [program.name for program in PROGRAMS
                if self.name in program.runs(full)]

    def rest(self):
        """What the fast set leaves."""
        return [name for name in self.programs(True)
                if name not in self.programs(False)]


# In the order in which they run.
RUNS = (
    Run("6.12"),
    # Its migration has less, and QEMU takes another way with it.
    Run("6.1"),
    Run("7"),
    # With the QEMU that has learnt what that kernel offers.
    Run("7", backports=True),
    Run("6.12", "ivshmem"),
    Run("7", "ivshmem"),
    # Nothing of ours but a BAR, and mapped in another way.
    Run("6.12", "bochs"),
    # Kernels that may have to be built first.
    Run("debug"),
    Run("race"),
    Run("debug", "ivshmem"),
)
# One that is not there would be left out without a word.
assert {run for program in PROGRAMS for run in program.runs(True)} <= {
    run.name for run in RUNS}

# For all programs on one kernel, for a lab host that has fallen silent, and to build
# a kernel, in seconds.
_TIMEOUT = 3600
_SILENCE = 900
_KERNEL_TIME = 1500

# More than so many are for two lab hosts.
_MANY = 20


def table():
    """PROGRAMS as text: F is the fast set, f the full one."""
    runs = [run.name for run in RUNS]
    lines = [["", *runs, "needs"]]
    for program in PROGRAMS:
        lines.append([program.path, *(
            "F" if run in program.runs(False) else
            "f" if run in program.runs(True) else "." for run in runs),
            program.needs])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n"
                   for line in lines)


def files(name):
    """Where a program may come from, in the tree."""
    path = "selftests/" + _NAMED[name].path
    return [path, path + ".c", path + ".h"]


def _need(what, names):
    """Those of the programs that need this."""
    return [name for name in names if what in _NAMED[name].needs.split()]


def parts(names):
    """Programs as they go into lab hosts, none of which is empty."""
    if len(names) <= _MANY:
        return [names] if names else []
    scripts = [name for name in names if name.endswith(".sh")]
    return [part for part in (scripts, [name for name in names
                                        if name not in scripts]) if part]


def _boot(tally, release, run, programs, timeout, name):
    """Run programs in a lab host; return it, and which have to run again."""
    tally.begin(run.name)
    quiet, guests = _need("quiet", programs), _need("guest", programs)
    command = ["/vgpu/tools/labhost/run-tests"]
    for program in programs:
        command += ["-q"] * (program in quiet) + [_NAMED[program].path]
    if run.backports:
        command.insert(0, f"VGPU_TEST_QEMU={vm.QEMU_PREFIX}")
    result = vm.run(release, " ".join(command), out=tally, name=name,
                    timeout=timeout,
                    silence=_SILENCE, pgpu=run.pgpu, numa=vm.NUMA)
    coverage.add(result.directory, release)
    vm.discard(result)
    tally.end()
    again = []
    if vm.accel() != "kvm":
        again = emulation.again(result, tally.failed(),
                                programs[len(tally.programs):], guests)
    return result, again


def _complain(tally, result):
    for line in result.context:
        tally.print("# " + line.rstrip())
    if result.trouble:
        say(f"{result.trouble}; kernel log: {result.log}")


def execute(tally, run, programs, time):
    """Run programs of a run in a lab host and count their results.  No longer
    than there is time: what is left then is skipped."""
    if not time.enough(_KERNEL_TIME * build.takes_long(run.kernel)):
        tally.result(True, f"{run.name}: " + " ".join(programs),
                     skip="no time left")
        return
    try:
        release = build.modules(run.kernel)
        build.selftests()
        if _need("guest", programs):
            build.guest(run.kernel)
        if _need("desktop", programs):
            desktop.ensure(run.kernel)
        if _need("modules", programs):
            build.test_modules(run.kernel)
    except LabError as error:
        say(str(error))
        tally.result(False, f"{run.name}: build")
        return
    tally.print(f"# kernel {release}, pGPU {run.pgpu}")
    # Of the log; others may be at the same kernel.
    name = f"test-{run.name}-{programs[0]}"
    result, again = _boot(tally, release, run, programs,
                          time.limit(_TIMEOUT), name)
    if again and not result.trouble and not time.over():
        _complain(tally, result)
        tally.print("# once more in a new lab host: " + " ".join(again))
        tally.forget(again)
        result, _ = _boot(tally, release, run, again, time.limit(_TIMEOUT),
                          name + "-again")
    if time.over() and result.status is None and not result.context:
        tally.result(True, f"{run.name}: the rest", skip="no time left")
        return
    _complain(tally, result)
    tally.result(not result.trouble, f"{run.name}: the kernel's log is clean")
    tally.result(result.status == 0, f"{run.name}: the runner came to its end")
