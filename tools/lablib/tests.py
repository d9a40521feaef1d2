# SPDX-License-Identifier: GPL-2.0
"""tools/lab test: everything that is tested, and the closing line."""
import concurrent.futures
import functools
import io
import json
import os
import subprocess
import time

from . import bench, build, coverage, programs, root, static, vm
from .host import TREE, LabError, say
from .tally import Tally

# Lab hosts, and whatever else there is, that run beside each other.
_AT_ONCE = 2


def _builds(tally, wanted):
    for kernel in root.STOCK_KERNELS:
        name = f"build.{kernel}"
        if not wanted(name):
            continue
        try:
            build.check(kernel)
            tally.result(True, f"{name}: no warnings at W=1")
            build.calls(kernel)
            tally.result(True, f"{name}: the driver's folders call downward")
            build.sparse(kernel)
            tally.result(True, f"{name}: clean under sparse")
        except LabError as error:
            say(str(error))
            tally.result(False, f"{name}: no warnings, calls go downward, "
                         "clean under sparse")


# Tests that run in the root, without a kernel of ours.
_UNIT = (
    ("the device model", "make -s -C /vgpu/selftests/unit O=/build/unit "
     "KSELFTEST=/usr/src/linux-selftests/tools/testing/selftests "
     "EDID_DIR=/build/unit/edid run edid-check"),
    # In parallel, for what comes out in the end is what counts.
    ("the device model against fuzzers, 30 seconds each",
     "make -s -k -j2 -C /vgpu/selftests/unit O=/build/unit SECONDS=30 fuzz"),
    ("vgpu-smi", "make -s -C /vgpu/tools/vgpu-smi O=/build/vgpu-smi check"),
)


def _unit(tally, wanted):
    if not wanted("unit"):
        return
    for what, command in _UNIT:
        say(f"testing {what}")
        script = "mkdir -p /build/unit/edid /build/vgpu-smi; " + command
        done = subprocess.run(root.enter(["sh", "-c", script]), check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        tally.write(b"".join(b"# " + line + b"\n"
                             for line in done.stdout.splitlines()))
        tally.result(done.returncode == 0, f"unit: {what}")


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
    """A register and a count, which need nothing but a device, and a guest's flips."""
    if not wanted("lab.bench"):
        return
    rows = [row for row in bench.ROWS if row.name in (
        "register.config_read32", "bar0.page_faults_256m",
        "virtio.flip_1080p")]
    report = json.loads(json.dumps(
        bench.measure(root.DEFAULT_KERNEL, rows, runs=2)))
    register, faults, flip = report["rows"]
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
    tally.result((flip["ratio_limit"] or 0) >= 1,
                 "lab.bench: a guest's flips are within the limit")
    if report["icount"]:
        tally.result(register["spread"] <= 0.01,
                     "lab.bench: instructions are counted")
    else:
        tally.result(True, "lab.bench: instructions are counted",
                     skip="no emulation")


class _Time:
    """How long all may take.  Nothing is begun that has no chance to end."""

    _ENOUGH = 300

    def __init__(self, minutes):
        self._end = time.monotonic() + 60 * minutes if minutes else None
        # Whether something has not run, or not to its end.
        self.short = False

    def _left(self):
        return self._end - time.monotonic()

    def _has(self, seconds):
        has = self._end is None or self._left() > seconds
        self.short |= not has
        return has

    def enough(self, more):
        return self._has(self._ENOUGH + more)

    def over(self):
        return not self._has(0)

    def limit(self, seconds):
        return seconds if self._end is None else min(seconds, self._left())


def _here(tally, wanted):
    """What needs no lab host."""
    if wanted("static"):
        static.main(tally)
    _builds(tally, wanted)
    _unit(tally, wanted)


def _lab(tally, wanted):
    _lab_run(tally, wanted)
    _lab_bench(tally, wanted)


def _programs(run, names, limit):
    """Jobs for these programs: none, one, or two that can run at a time."""
    return [functools.partial(programs.execute, run=run, programs=part,
                              time=limit) for part in programs.parts(names)]


def _some(patterns, limit):
    """What has one of the patterns in its name."""
    def wanted(name):
        return any(pattern in name for pattern in patterns)

    jobs = [lambda tally: (_here(tally, wanted), _lab(tally, wanted))]
    for run in programs.RUNS:
        # What takes long to build is named with the beginning of its name.
        if run.kernel in root.STOCK_KERNELS or any(
                pattern.startswith(run.name) for pattern in patterns):
            jobs += _programs(run, [program.name for program in programs.PROGRAMS
                                    if wanted(f"{run.name}/{program.name}")], limit)
    return jobs


def _git(*arguments):
    """What git prints of the tree, as lines; nothing where it is no checkout."""
    result = subprocess.run(["git", "-C", TREE, *arguments], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False)
    return result.stdout.split("\n") if not result.returncode else []


def _new():
    """Files that the commits of the day before the last one have changed."""
    last = "".join(_git("log", "-1", "--format=%ct"))
    if not last:
        return set()
    return set(_git("log", f"--since={int(last) - 24 * 3600}", "--name-only",
                    "--format="))


def _rest(limit):
    """What the fast set leaves: programs that are new, then the others.  Kernels that
    find mistakes come first for what is new.  Which of the others do differs from commit
    to commit, so that what there is no time for is not always the same."""
    changed = _new()
    begin = len(_git("rev-list", "HEAD")) % len(programs.RUNS)
    new, old = [], []
    for run in sorted(programs.RUNS,
                      key=lambda run: run.kernel in root.STOCK_KERNELS):
        names = [name for name in run.rest() if changed &
                 set(programs.files(name))]
        new += _programs(run, names, limit)
    for run in programs.RUNS[begin:] + programs.RUNS[:begin]:
        names = [name for name in run.rest() if not changed &
                 set(programs.files(name))]
        old += _programs(run, names, limit)
    return new + old


def _all(full, limit):
    """The fast set, or all.  What needs no lab host is long and comes early, so
    that it does not end alone."""
    def wanted(name):
        return True

    jobs = []
    for run in programs.RUNS:
        jobs += _programs(run, run.programs(False), limit)
        if run is programs.RUNS[0]:
            jobs += [functools.partial(job, wanted=wanted)
                     for job in (_here, _lab)]
    if full:
        return jobs + _rest(limit)
    for run in programs.RUNS:
        if run.rest():
            jobs.append(lambda tally, run=run: tally.print(
                f"# left to --full: {run.name}: " + " ".join(run.rest())))
    return jobs


def _run(tally, job):
    try:
        job(tally)
    except LabError as error:
        tally.result(False, str(error))


def _run_all(tally, jobs):
    """Run jobs beside each other, and print what each says when it has ended."""
    vm.accel()
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        parts = {}
        for job in jobs:
            part = tally.part()
            parts[pool.submit(_run, part, job)] = part
        try:
            for ended in concurrent.futures.as_completed(parts):
                ended.result()
                tally.add(parts.pop(ended))
        except KeyboardInterrupt:
            say("interrupted; what had not ended has said this")
            for part in parts.values():
                tally.add(part)
            # Lab hosts end with whoever waits for them.
            os._exit(130)


def main(patterns, full, minutes):
    began = time.monotonic()
    tally = Tally()
    limit = _Time(minutes)
    coverage.clear()
    jobs = _some(patterns, limit) if patterns else _all(full, limit)
    # What few say is printed as it comes; the first of those that have been asked
    # for by name is mostly empty.
    if len(jobs) > 2:
        _run_all(tally, jobs)
    else:
        for job in jobs:
            _run(tally, job)
    coverage.report(tally, judge=full and not limit.short)
    if tally.empty():
        raise LabError("no test has " + " or ".join(
            f'"{pattern}"' for pattern in patterns) + " in its name")
    tally.print(f"# {(time.monotonic() - began) / 60:.1f} minutes")
    return tally.end_line()
