# SPDX-License-Identifier: GPL-2.0
"""What the lab needs of the machine it runs on: paths, progress, commands."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
CACHE = os.environ.get("VGPU_LAB_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
    "vgpu-lab")
ROOT = os.path.join(CACHE, "root")
LOGS = os.path.join(CACHE, "logs")

_started = time.monotonic()


class LabError(Exception):
    """Something that the user has to know, in one line."""


def say(text):
    """One line of progress, with the seconds since the lab started."""
    print(f"lab [{time.monotonic() - _started:4.0f}s] {text}",
          file=sys.stderr, flush=True)


def _tail(path, lines=15):
    with open(path, errors="replace") as log:
        return "".join(log.readlines()[-lines:])


def step(what, command, log, **kwargs):
    """Run a command with its output in a log; say what failed and where."""
    say(what)
    os.makedirs(LOGS, exist_ok=True)
    path = os.path.join(LOGS, log)
    with open(path, "w") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, check=False, **kwargs)
    if done.returncode:
        sys.stderr.write(_tail(path))
        raise LabError(f"{what}: failed with status {done.returncode}; "
                       f"log: {path}")
    return path


@contextlib.contextmanager
def locked(name):
    """Hold a lock among labs; the second one says that it waits."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + ".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another lab ({name})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def need_root():
    if os.geteuid() != 0:
        raise LabError("needs root to build and enter a Debian root "
                       "directory; run it with sudo")


def need_commands(packages):
    """Install the packages whose command is missing: {command: package}."""
    missing = sorted({p for c, p in packages.items() if not shutil.which(c)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabError("needs " + ", ".join(missing) +
                       "; this is not a Debian machine, install them by hand")
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    step("reading the package lists", ["apt-get", "update"],
         "apt-update.log", env=env)
    step("installing " + ", ".join(missing),
         ["apt-get", "install", "-y", "--no-install-recommends"] + missing,
         "apt-install.log", env=env)
