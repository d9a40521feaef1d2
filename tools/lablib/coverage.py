# SPDX-License-Identifier: GPL-2.0
"""Which lines of the modules the tests have reached: gcov's counters from lab
hosts with the debug kernel, put together and reported by gcovr."""
import os
import shutil
import subprocess

from . import debugkernel, root
from .host import ROOT, LabError, locked

# In the root: a trace of each lab host.
_TRACES = "/build/coverage"
# The share of lines that is asked for, of the driver and not of the backends.
_WANTED = 85

# gcov wants counters beside what the compiler has noted, and to be where the
# compiler was: with the source of the kernel.  Two processors may count at once,
# and what is a difference of counts then be less than nothing.
_TRACE = r"""
set -e
build=$1 kernel=$2 trace=$3
cd "$build"
gcovr --root . --object-directory "$kernel" --filter drivers/ --json "$trace" \
    --gcov-ignore-parse-errors=negative_hits.warn_once_per_file .
find . -name '*.gcda' -delete
"""

_REPORT = r"""
set -e
cd "$1"
shift
set -- "$@" $(for trace in "$0"/*.json; do echo "--add-tracefile $trace"; done)
exec gcovr --root . "$@"
"""


def _enter(script, *args):
    done = subprocess.run(root.enter(["sh", "-c", script, *args]),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LabError("coverage: " + (done.stderr.strip().splitlines() or
                                       ["gcovr failed"])[-1])
    return done.stdout


def _in_root(path):
    return os.path.join(ROOT, path.lstrip("/"))


def clear():
    shutil.rmtree(_in_root(_TRACES), ignore_errors=True)


def add(directory, release):
    """Add the counters that a lab host has left in a directory, if any."""
    build = f"/build/{release}"
    source = os.path.join(directory, "gcov", build.lstrip("/"))
    if not os.path.isdir(source):
        return
    with locked("coverage"):
        shutil.copytree(source, _in_root(build), dirs_exist_ok=True)
        os.makedirs(_in_root(_TRACES), exist_ok=True)
        number = len(os.listdir(_in_root(_TRACES)))
        _enter(_TRACE, "sh", build, debugkernel.tree(root.DEBUG_KERNEL),
               f"{_TRACES}/{number}.json")


def report(tally, judge):
    """Print what was reached and what was not, if it was counted.  With judge too
    little is a failure, or nothing."""
    if not os.path.isdir(_in_root(_TRACES)):
        if judge:
            tally.result(False, "coverage: nothing was counted")
        return
    build = f"/build/{root.release(root.DEBUG_KERNEL)}"
    try:
        text = _enter(_REPORT, _TRACES, build, "--txt")
        total = _enter(_REPORT, _TRACES, build, "--filter", "drivers/vgpu/",
                       "--txt-metric", "line", "--txt-summary")
    except LabError as error:
        tally.result(False, str(error))
        return
    for line in text.splitlines():
        tally.print(f"# {line}")
    percent = next(float(line.split()[1].rstrip("%"))
                   for line in total.splitlines() if line.startswith("lines"))
    what = f"coverage: {percent} % of the lines of drivers/vgpu"
    if judge:
        tally.result(percent >= _WANTED, f"{what}, of {_WANTED} %")
    else:
        tally.print(f"# {what}")
