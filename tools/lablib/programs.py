# SPDX-License-Identifier: GPL-2.0
"""The programs of selftests/: which there are, on which kernels and pGPUs they
run, and running them in a lab host."""
import re

from . import build, coverage, root, vm
from .host import LabError, say

# In the order in which they run: what reloads modules or starts daemons comes
# after what must not be disturbed.
PROGRAMS = ("types", "config_space", "registers", "device", "plane",
            "edid_region", "interrupts", "heads", "params", "doorbell",
            "framebuffer", "mapping", "move", "ecc", "migration", "streams",
            "precopy", "arrives", "hwpoison", "dmabuf", "iommufd", "hostile",
            "killed", "pressure", "faults", "stress", "lifecycle",
            "configfs.sh", "linear.sh", "backend.sh", "smi.sh", "removal.sh",
            "guest.sh", "migrate.sh", "pingpong.sh", "unplug.sh", "several.sh",
            "dmabuf.sh", "firmware.sh", "modules.sh", "edac.sh", "mdevctl.sh", "libvirt.sh",
            "libvirt-migrate.sh")
# Those that start a guest.
_GUEST = {"guest.sh", "migrate.sh", "pingpong.sh", "unplug.sh", "several.sh",
          "dmabuf.sh", "firmware.sh", "libvirt.sh", "libvirt-migrate.sh"}
# Those that look at programs more than at the driver and take minutes: on the
# default kernel alone, elsewhere when they are named.
_CLIENTS = ("migrate.sh", "pingpong.sh", "several.sh", "unplug.sh", "mdevctl.sh",
            "firmware.sh", "libvirt.sh", "libvirt-migrate.sh")
_NO_CLIENTS = tuple(name for name in PROGRAMS if name not in _CLIENTS)
# What is too long for the fast set.
_FAST = tuple(name for name in PROGRAMS
              if name not in ("pingpong.sh", "several.sh", "firmware.sh",
                              "libvirt.sh", "libvirt-migrate.sh"))
# What another kernel does in another way.
_OTHER_KERNEL = ("types", "device", "plane", "interrupts", "framebuffer",
                 "mapping", "migration", "streams", "precopy", "arrives",
                 "hwpoison", "dmabuf", "iommufd", "hostile", "configfs.sh",
                 "backend.sh", "removal.sh", "guest.sh")
# Of that, what meets the kernel the most.
_FAST_KERNEL = tuple(name for name in _OTHER_KERNEL
                     if name not in ("streams", "arrives", "hostile",
                                     "backend.sh", "guest.sh"))
# Whose guests are on a QEMU without OpenGL.
_QEMU = ("guest.sh", "migrate.sh", "unplug.sh", "several.sh")
# What memory behind a BAR does in another way, where the driver could be wrong.
_OTHER_MEMORY = ("mapping", "move", "dmabuf", "linear.sh")
_FAST_MEMORY = ("framebuffer", "mapping", "linear.sh")
# And where it meets ECC, a guest, another host, or somebody who does not behave.
_MORE_MEMORY = ("framebuffer", "mapping", "ecc", "migration", "streams",
                "precopy", "arrives", "hwpoison", "hostile", "linear.sh",
                "removal.sh", "pingpong.sh")
# Nothing of ours but a BAR, and mapped in another way.
_BARE_MEMORY = ("framebuffer", "mapping", "dmabuf")
# Where the driver could be wrong and nothing else would show it.  dmabuf.sh looks
# at OpenGL, smi.sh at a program of ours.
_DEBUG = tuple(name for name in _NO_CLIENTS
               if name not in ("dmabuf.sh", "smi.sh"))
# Where threads meet.
_RACES = ("interrupts", "heads", "doorbell", "move", "precopy", "hwpoison",
          "hostile", "killed", "stress", "removal.sh")

# For all programs on one kernel, for a lab host that has fallen silent, and to build
# a kernel, in seconds.
_TIMEOUT = 3600
_SILENCE = 900
_KERNEL_TIME = 1500


class Run:
    """Programs on a kernel and a kind of pGPU, whose guests have the QEMU of the
    suite or that of backports.  Those in fast are in the fast set; all is what
    the full set has.  Others can be named."""

    def __init__(self, kernel, pgpu, fast, everything, backports=False):
        self.kernel, self.pgpu, self.backports = kernel, pgpu, backports
        self.fast, self.all = fast, everything
        self.name = "-".join([kernel] + [pgpu] * (pgpu != "soft") +
                             ["qemu"] * backports)

    def rest(self):
        """What the fast set leaves."""
        return tuple(name for name in self.all if name not in self.fast)


# In the order in which they run.
RUNS = (
    Run("6.12", "soft", _FAST, PROGRAMS),
    # Its migration has less, and QEMU takes another way with it.
    Run("6.1", "soft", _FAST_KERNEL, _OTHER_KERNEL + ("migrate.sh",)),
    Run("7", "soft", _FAST_KERNEL, _OTHER_KERNEL),
    # With the QEMU that has learnt what that kernel offers.
    Run("7", "soft", (), _QEMU, backports=True),
    Run("6.12", "ivshmem", _FAST_MEMORY, _MORE_MEMORY),
    Run("7", "ivshmem", (), ("dmabuf",)),
    Run("6.12", "bochs", (), _BARE_MEMORY),
    # Kernels that may have to be built first.
    Run("debug", "soft", (), _DEBUG),
    Run("race", "soft", (), _RACES),
    Run("debug", "ivshmem", (), _OTHER_MEMORY),
)

# More than so many are for two lab hosts.
_MANY = 20


def parts(names):
    """Programs as they go into lab hosts, none of which is empty."""
    if len(names) <= _MANY:
        return [names] if names else []
    scripts = [name for name in names if name.endswith(".sh")]
    return [part for part in (scripts, [name for name in names
                                        if name not in scripts]) if part]


# What an emulator that has lost an interrupt looks like from inside: a processor
# without its timer, which no module can take away from it; and what that may lead
# to where a guest runs.  The overflow of a stack is one of host code that runs
# with the guest's GS: a fault between the exit from the guest and what restores
# that.
_LOST = re.compile("rcu: INFO: .* detected stall")
_STALLED = re.compile("blocked for more than|detected stall|soft lockup|"
                      "stack guard page was hit|corrupted stack end")


def _boot(tally, release, run, programs, timeout, name):
    """Run programs in a lab host; return it, and which have to run again."""
    tally.begin(run.name)
    command = ["/vgpu/tools/labhost/run-tests", *programs]
    if run.backports:
        command.insert(0, f"VGPU_TEST_QEMU={vm.QEMU_PREFIX}")
    result = vm.run(release, " ".join(command), out=tally, name=name,
                    timeout=timeout,
                    silence=_SILENCE, pgpu=run.pgpu, numa=vm.NUMA)
    coverage.add(result.directory, release)
    vm.discard(result)
    tally.end()
    left = programs[len(tally.programs):]
    again = [name for name in tally.failed() if name in _GUEST]
    how = _STALLED if left and left[0] in _GUEST else _LOST
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
        if _GUEST.intersection(programs):
            build.guest(run.kernel)
        if "dmabuf" in programs and run.pgpu != "soft":
            build.importer(run.kernel)
        # Ours have no kprobes.
        if "hwpoison" in programs and run.kernel in root.STOCK_KERNELS:
            build.poison(run.kernel)
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
        # Emulation of a processor that runs a guest is not perfect: once in
        # some thirty starts an interrupt is lost, and the guest or the lab host
        # is never heard of again.  A fault of ours fails twice.
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
