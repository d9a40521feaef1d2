# SPDX-License-Identifier: GPL-2.0
"""tools/lab selfcheck: bugs that are planted, and have to be found."""
from . import build, root, vm
from .host import LabError, say

# Each kind of bug, and what the kernel says of it.  Locks first: any other report
# turns their check off.
_BUGS = {
    "lock-inversion": "possible circular locking",
    "sleep": "sleeping function called from invalid context",
    "out-of-bounds": "KASAN: slab-out-of-bounds",
    "use-after-free": "KASAN: slab-use-after-free",
    "leak": "unreferenced object",
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


def main():
    release = build.modules(root.DEBUG_KERNEL)
    module = build.planted(root.DEBUG_KERNEL)
    say("planting " + ", ".join(_BUGS))
    result = vm.run(release, "/vgpu/tools/labhost/selfcheck " +
                    " ".join([module, *_BUGS]), name="selfcheck", load=False,
                    append="kasan_multi_shot")
    vm.discard(result)
    segments = _segments(result.log)
    if "end" not in segments:
        raise LabError(f"no end: {result.trouble}; kernel log: {result.log}")
    missed = 0
    for bug, report in _BUGS.items():
        lines = segments.get(bug, [])
        good = any(report in line and vm.is_trouble(line) for line in lines)
        missed += not good
        print(f"{'ok' if good else 'not ok'} - {bug}: \"{report}\"")
    good = bool(result.trouble)
    missed += not good
    print(f"{'ok' if good else 'not ok'} - the run is a failure")
    return 1 if missed else 0
