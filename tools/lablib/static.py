# SPDX-License-Identifier: GPL-2.0
"""Checks of the source that run nothing of it: checkpatch, kernel-doc,
coccinelle with the kernel's scripts, shellcheck, codespell."""
import os
import subprocess

from . import programs, rooms, root
from .host import TREE

_SCRIPTS = "/usr/src/linux-selftests/scripts"

# Of checkpatch --strict, with the reason.
_CHECKPATCH_IGNORE = (
    "UNCOMMENTED_DEFINITION",   # a mutex is described in kernel-doc
    "BIT_MACRO",                # 1 << n is a size here, not a flag
    "MACRO_ARG_UNUSED",         # compat/: kernels without the operation
    "AVOID_EXTERNS",            # edac.c: declared in no header of a package
    "STATIC_CONST_CHAR_ARRAY",  # ecc.c: an array that is filled in
)

# Folders of selftests/ without tests for a lab host.
_NO_TESTS = ("backend/", "bench/", "guest/", "lib/", "modules/", "unit/")

_CODESPELL_IGNORE = ("iput", "tbe", "regio", "renderd", "inout")

# Says what it could not use, and everything that was found.  Scripts of which
# a part is in OCaml need a compiler for it.
_COCCI = r"""
cd /vgpu
ran=0 left=0
for script in $(grep -rl "virtual report" "$0" | sort); do
    if grep -q "script:ocaml" "$script"; then
        left=$((left + 1))
        continue
    fi
    ran=$((ran + 1))
    # What it has to say of the script, and not of us.
    spatch -D report --very-quiet --no-includes --cocci-file "$script" \
        --dir drivers 2>&1 | grep -v "should .* be a metavariable"
done
echo "$ran scripts ran, $left need OCaml" >&2
[ $ran -gt 50 ]
"""


def _files(*endings):
    """Files of the tree; what was built in it is left out."""
    found = []
    for where, directories, names in os.walk(TREE):
        directories[:] = sorted(name for name in directories if
                                not name.startswith((".", "__")))
        found += [os.path.relpath(os.path.join(where, name), TREE)
                  for name in sorted(names) if name.endswith(endings) and
                  not name.endswith((".o", ".ko", ".mod.c", ".cmd", ".png"))]
    return found


def _is_shell(name):
    with open(os.path.join(TREE, name), "rb") as text:
        line = text.readline()
    return name.endswith(".sh") or \
        line.startswith((b"#!/bin/sh", b"#!/bin/bash"))


def _checks():
    driver = [name for name in _files(".c", ".h")
              if name.startswith(("drivers/", "include/",
                                   "selftests/backend/"))]
    shell = [name for name in _files("") if _is_shell(name)]
    prose = [name for name in _files("") if "/corpus/" not in name]
    return (
        ("checkpatch --strict",
         [_SCRIPTS + "/checkpatch.pl", "--strict", "--no-tree", "--terse",
          "--quiet", "--no-summary", "--file", "--ignore", ",".join(_CHECKPATCH_IGNORE),
          *driver]),
        ("kernel-doc -Wall",
         [_SCRIPTS + "/kernel-doc", "-none", "-Wall", "-Werror", *driver]),
        ("coccinelle", ["sh", "-c", _COCCI, _SCRIPTS + "/coccinelle"]),
        ("shellcheck",
         ["shellcheck", "--severity=warning", "--external-sources",
          "--source-path=SCRIPTDIR", *shell]),
        ("codespell",
         ["codespell", "--ignore-words-list", ",".join(_CODESPELL_IGNORE),
          *prose]),
    )


def _unlisted():
    """Tests that are in a folder or in the table of programs, and not in both."""
    files = {name.removeprefix("selftests/").removesuffix(".c")
             for name in _files(".c", ".sh") if name.startswith("selftests/")}
    tests = {name for name in files if not name.startswith(_NO_TESTS)}
    return tests.symmetric_difference(
        program.path for program in programs.PROGRAMS)


def main(tally):
    """Each check is a result; what it finds is printed."""
    for name, command in _checks():
        done = subprocess.run(
            root.enter(["sh", "-c", 'cd /vgpu; exec "$@"', "sh", *command]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if name != "coccinelle" else None,
            check=False)
        tally.write(b"".join(b"# " + line + b"\n"
                             for line in done.stdout.splitlines()))
        tally.result(done.returncode == 0 and not done.stdout.strip(),
                     f"static: {name}")
    unlisted = sorted(_unlisted())
    for name in unlisted:
        tally.print(f"# selftests/{name}")
    tally.result(not unlisted, "static: the table of programs has all tests")
    upward = list(rooms.wrong())
    for line in upward:
        tally.print(f"# {line}")
    tally.result(not upward, "static: the driver's folders include downward")
