# SPDX-License-Identifier: GPL-2.0
"""tools/lab selfcheck: bugs that are planted, and have to be found."""
from . import build, root, vm
from .host import LabError, say
from .tally import Tally

# The kernel that is to find each kind of bug, and what it says of it.  Locks first:
# any other report turns their check off.
_BUGS = {
    root.DEBUG_KERNEL: {
        "lock-inversion": "possible circular locking",
        "sleep": "sleeping function called from invalid context",
        "out-of-bounds": "KASAN: slab-out-of-bounds",
        "use-after-free": "KASAN: slab-use-after-free",
        "leak": "unreferenced object",
    },
    root.RACE_KERNEL: {
        "race": "KCSAN: data-race",
    },
}


def _segments(log):
    """The lines of the log after each "selfcheck: BUG"."""
    found = {}
    lines = None
    with open(log, errors="replace") as text:
        for line in text:
            if "selfcheck: " in line:
                lines = found.setdefault(
                    line.split("selfcheck: ")[1].strip(), [])
            elif lines is not None:
                lines.append(line)
    return found


def _plant(tally, kernel, bugs):
    release = build.modules(kernel)
    module = build.test_modules(kernel) + "/planted.ko"
    say("planting " + ", ".join(bugs))
    result = vm.run(release, "/vgpu/tools/labhost/selfcheck " +
                    " ".join([module, *bugs]), name="selfcheck", load=False,
                    append="kasan_multi_shot")
    vm.discard(result)
    segments = _segments(result.log)
    if "end" not in segments:
        raise LabError(f"no end: {result.trouble}; kernel log: {result.log}")
    for bug, report in bugs.items():
        tally.result(any(report in line and vm.is_trouble(line)
                         for line in segments.get(bug, [])),
                     f"{bug}: \"{report}\"")
    tally.result(bool(result.trouble), f"the run on {kernel} is a failure")


def main():
    tally = Tally()
    for kernel, bugs in _BUGS.items():
        _plant(tally, kernel, bugs)
    return tally.end_line()
