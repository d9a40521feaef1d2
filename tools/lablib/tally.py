# SPDX-License-Identifier: GPL-2.0
"""Counting results of tests."""
import io
import re
import sys

_RESULT = re.compile(r"^(# )?(ok|not ok) \d+ ?(.*)$")
# KVM has not got a guest's memory: no emulator can do that to it.
_FAULT = re.compile("kvm run failed Bad address")


class Tally:
    """Prints TAP as it comes and counts results: of the tests inside a
    program, and of the program itself where it has none inside."""

    def __init__(self, out=None):
        self._out = out or sys.stdout
        self.passed = self.failed = self.skipped = 0
        # Of each program that has come to its end: its name, how many of its
        # tests passed, failed and were skipped, and whether it is certainly
        # our fault.
        self.programs = []
        self._before = (0, 0, 0)
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
        self.passed += part.passed
        self.failed += part.failed
        self.skipped += part.skipped

    def result(self, good, name, skip=""):
        """A test of the lab itself."""
        word = "ok" if good else "not ok"
        self.print(f"{word} - {name}" + (f" # SKIP {skip}" if skip else ""))
        self._result(good, skip)

    def _result(self, good, skip):
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
            self.print(text)
            self._count(text)

    def flush(self):
        pass

    def totals(self):
        return (self.passed, self.failed, self.skipped)

    def end_line(self):
        """The closing line; returns the exit status."""
        self.print(f"{self.passed} passed, {self.failed} failed, "
                   f"{self.skipped} skipped")
        return 1 if self.failed else 0

    def begin(self):
        """A run of programs begins."""
        self.programs = []
        self._before = self.totals()

    def end(self):
        """It has ended; what a program that did not has printed is void."""
        self.passed, self.failed, self.skipped = self._before
        self._inside = self._inside_failed = 0
        self._fault = False

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
                              name.split("#")[0].split()[-1], *counts,
                              self._fault))
        self._before = self.totals()
        self._inside = self._inside_failed = 0
        self._fault = False

    def _count(self, text):
        match = _RESULT.match(text)
        if not match:
            self._fault |= bool(_FAULT.search(text))
            return
        inside, word, name = match.groups()
        skip = "# SKIP" in name
        good = word == "ok"
        if inside:
            self._inside += 1
            self._inside_failed += not good
        # Not what its tests have said one by one.
        if inside or not self._inside or not (good or self._inside_failed):
            self._result(good, skip)
        if not inside:
            self._end_program(name)
