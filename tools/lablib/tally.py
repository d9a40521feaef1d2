# SPDX-License-Identifier: GPL-2.0
"""Counting results of tests."""
import collections
import io
import re
import sys

from . import emulation

_RESULT = re.compile(r"^(# )?(ok|not ok) \d+ ?(.*)$")


class Tally:
    """Prints TAP as it comes and counts results: of the tests inside a
    program, and of the program itself where it has none inside."""

    def __init__(self, out=None):
        self._out = out or sys.stdout
        # Of each test its result and its name, in lists that can be emptied: that
        # of a program, and what comes between programs.
        self._results = [[]]
        # Of each program that has come to its end: its name, its results, and
        # whether a failure is certainly ours.
        self.programs = []
        self._run = ""
        self._inside = 0
        self._inside_failed = 0
        self._fault = False
        self._line = b""

    def print(self, text):
        print(text, file=self._out, flush=True)

    def part(self):
        """A tally for something that goes on beside others."""
        return Tally(io.StringIO())

    def add(self, part):
        """Print and count what a part has gathered."""
        self._out.write(part._out.getvalue())
        self._out.flush()
        self._results += part._results

    def result(self, good, name, skip=""):
        """A test of the lab itself."""
        word = "ok" if good else "not ok"
        self.print(f"{word} - {name}" + (f" # SKIP {skip}" if skip else ""))
        self._result(good, skip, name)

    def _result(self, good, skip, name):
        word = "skipped" if skip else "passed" if good else "failed"
        self._results[-1].append((word, name))

    def write(self, data):
        """A binary sink for what the lab host prints."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            self.print(text)
            self._count(text)

    def flush(self):
        pass

    def _all(self):
        return [result for results in self._results for result in results]

    def empty(self):
        return not self._all()

    def end_line(self):
        """What failed, which is hard to find in what all have said, and the closing
        line; returns the exit status."""
        results = self._all()
        count = collections.Counter(word for word, _ in results)
        for word, name in results:
            if word == "failed":
                self.print(f"# failed: {name}")
        self.print(f"{count['passed']} passed, {count['failed']} failed, "
                   f"{count['skipped']} skipped")
        return 1 if count["failed"] else 0

    def begin(self, run):
        """A run of programs begins."""
        self.programs = []
        self._run = run
        self._results.append([])

    def end(self):
        """It has ended; what a program that did not has printed is void."""
        self._results[-1].clear()
        self._inside = self._inside_failed = 0
        self._fault = False

    def failed(self):
        """The programs that failed, and need not have by a fault of ours."""
        return [name for name, results, fault in self.programs
                if not fault and any(word == "failed" for word, _ in results)]

    def forget(self, names):
        """The results of these programs are void, too."""
        for name, results, _ in self.programs:
            if name in names:
                results.clear()

    def _end_program(self, name):
        program = name.split("#")[0].split()[-1]
        results = self._results[-1]
        results[:] = [(word, f"{self._run}/{program}: {test}")
                      for word, test in results]
        self.programs.append((program, results, self._fault))
        self._results.append([])
        self._inside = self._inside_failed = 0
        self._fault = False

    def _count(self, text):
        match = _RESULT.match(text)
        if not match:
            self._fault |= bool(emulation.NOT_EMULATION.search(text))
            return
        inside, word, name = match.groups()
        skip = "# SKIP" in name
        good = word == "ok"
        if inside:
            self._inside += 1
            self._inside_failed += not good
        # Not what its tests have said one by one.
        if inside or not self._inside or not (good or self._inside_failed):
            self._result(good, skip, name)
        if not inside:
            self._end_program(name)
