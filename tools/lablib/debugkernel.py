# SPDX-License-Identifier: GPL-2.0
"""The debug kernel: Debian's 6.12 source with KASAN, lockdep, kmemleak, fault
injection and IOMMUFD, which no kernel of Debian has.  Built in the root when
first asked for, and again when its configuration changes."""
import hashlib
import os

from . import root
from .host import ROOT, LabError, locked, step

FRAGMENT = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                        "debug.config")
# In the root, and it stays there: modules are built against it.
TREE = "/build/debug-kernel"
_STAMP = os.path.join(ROOT, TREE.lstrip("/"), ".vgpu-lab-stamp")

# The suite is named because bookworm-security has a 6.12 of its own.  AMD's GPU
# driver is a third of the source and is not built; its Kconfig is read.
_SOURCE = r"""
set -e
dir=$1 suite=$2
apt-get update
apt-get install -y --no-install-recommends flex bison bc libelf-dev
apt-get clean
rm -rf "$dir.partial"
mkdir -p "$dir.partial"
cd "$dir.partial"
apt-get download "linux-source-6.12/$suite"
dpkg-deb --fsys-tarfile linux-source-6.12_*.deb |
    tar -xO ./usr/src/linux-source-6.12.tar.xz |
    tar -xJ --strip-components=1 --exclude='*/drivers/gpu/drm/amd/*.[ch]'
rm linux-source-6.12_*.deb
mv "$dir.partial" "$dir"
"""

_CONFIGURE = r"""
set -e
make -C "$1" KCONFIG_ALLCONFIG=/vgpu/tools/lablib/debug.config allnoconfig
"""

# modules_install also makes the link that modules are built through.
_BUILD = r"""
set -e
cd "$1"
make -j"$(nproc)" bzImage modules
release=$(make -s kernelrelease)
rm -rf "/lib/modules/$release"
make modules_install
cp arch/x86/boot/bzImage "/boot/vmlinuz-$release"
"""


def _recipe():
    """What the kernel is made from; another one means another kernel."""
    with open(FRAGMENT) as text:
        recipe = text.read() + _CONFIGURE + _BUILD
    return hashlib.sha256(recipe.encode()).hexdigest()


def _read_config(path):
    """The options of a configuration, {name: value}, 'n' for unset ones."""
    options = {}
    with open(path) as lines:
        for line in lines:
            if line.startswith("CONFIG_"):
                name, _, value = line.strip().partition("=")
                options[name] = value
            elif line.startswith("# CONFIG_") and "is not set" in line:
                options[line.split()[1]] = "n"
    return options


def _check_config():
    """Kconfig drops what it cannot have without a word, so compare."""
    have = _read_config(os.path.join(ROOT, TREE.lstrip("/"), ".config"))
    lost = [f"{name}={value}" for name, value in _read_config(FRAGMENT).items()
            if have.get(name, "n") != value]
    if lost:
        raise LabError("the debug kernel cannot have " + ", ".join(lost))


def _make(script, *args):
    return root.enter(["env", "DEBIAN_FRONTEND=noninteractive", "nice",
                       "sh", "-c", script, "sh", TREE, *args])


def _build():
    directory = os.path.dirname(_STAMP)
    if not os.path.isdir(directory):
        step("fetching the source of the debug kernel",
             _make(_SOURCE, root.SUITE), "debug-source.log")
    if os.path.exists(_STAMP):
        os.remove(_STAMP)
    step("configuring the debug kernel", _make(_CONFIGURE),
         "debug-config.log")
    _check_config()
    step("building the debug kernel, about 10 minutes on two processors",
         _make(_BUILD), "debug-build.log")
    with open(_STAMP, "w") as stamp:
        stamp.write(_recipe())


def ensure():
    """Build and install the debug kernel unless an up-to-date one is there;
    return its release."""
    with locked("debug-kernel"):
        try:
            with open(_STAMP) as stamp:
                current = stamp.read() == _recipe()
        except FileNotFoundError:
            current = False
        if not current:
            _build()
    return root.release(root.DEBUG_KERNEL)
