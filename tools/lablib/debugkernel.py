# SPDX-License-Identifier: GPL-2.0
"""The kernels that find mistakes, from the source of Debian's 6.12: "debug" with
KASAN, lockdep, kmemleak, fault injection, coverage and IOMMUFD, "race" with KCSAN.
Built in the root when first asked for, and again when the recipe changes."""
import hashlib
import os

from . import root
from .host import ROOT, LabError, locked, step

_HERE = os.path.dirname(os.path.realpath(__file__))
_IN_ROOT = "/vgpu/tools/lablib"

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
cat "$2" "$3" > "$1/vgpu-lab.config"
make -C "$1" KCONFIG_ALLCONFIG=vgpu-lab.config allnoconfig
"""

# modules_install also makes the link that modules are built through.
_BUILD = r"""
set -e
cd "$1"
shift
make -j"$(nproc)" "$@" bzImage modules
release=$(make -s kernelrelease)
rm -rf "/lib/modules/$release"
make modules_install
cp arch/x86/boot/bzImage "/boot/vmlinuz-$release"
"""


class _Kernel:
    def __init__(self, name, make=()):
        self.name = name
        self.make = make        # arguments for its build
        self.fragments = ("common.config", f"{name}.config")
        # In the root, and it stays there: modules are built against it.
        self.tree = f"/build/{name}-kernel"
        self.stamp = os.path.join(ROOT, self.tree.lstrip("/"),
                                  ".vgpu-lab-stamp")

    def options(self):
        """What is asked for, {name: value}."""
        options = {}
        for fragment in self.fragments:
            options.update(_read_config(os.path.join(_HERE, fragment)))
        return options

    def recipe(self):
        """What the kernel is made from; another one means another kernel."""
        recipe = [_CONFIGURE, _BUILD, *self.make,
                  *(f"{name}={value}" for name, value in
                    sorted(self.options().items()))]
        return hashlib.sha256("\n".join(recipe).encode()).hexdigest()


# What instruments the kernel itself for KCSAN is left out: its own races are not
# ours to find.
_KERNELS = {
    root.DEBUG_KERNEL: _Kernel(root.DEBUG_KERNEL),
    root.RACE_KERNEL: _Kernel(root.RACE_KERNEL, ("KCSAN_SANITIZE=n",)),
}


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


def _check_config(kernel):
    """Kconfig drops what it cannot have without a word, so compare."""
    have = _read_config(os.path.join(ROOT, kernel.tree.lstrip("/"), ".config"))
    lost = [f"{name}={value}" for name, value in kernel.options().items()
            if have.get(name, "n") != value]
    if lost:
        raise LabError(f"the {kernel.name} kernel cannot have " +
                       ", ".join(lost))


def _make(kernel, script, *args):
    return root.enter(["env", "DEBIAN_FRONTEND=noninteractive", "nice",
                       "sh", "-c", script, "sh", kernel.tree, *args])


def _build(kernel):
    name = kernel.name
    if not os.path.isdir(os.path.dirname(kernel.stamp)):
        # apt is for one at a time.
        with locked("apt"):
            step(f"fetching the source of the {name} kernel",
                 _make(kernel, _SOURCE, root.SUITE), f"{name}-source.log")
    if os.path.exists(kernel.stamp):
        os.remove(kernel.stamp)
    step(f"configuring the {name} kernel",
         _make(kernel, _CONFIGURE, *(f"{_IN_ROOT}/{fragment}"
                                     for fragment in kernel.fragments)),
         f"{name}-config.log")
    _check_config(kernel)
    step(f"building the {name} kernel, about 10 minutes on two processors",
         _make(kernel, _BUILD, *kernel.make), f"{name}-build.log")
    with open(kernel.stamp, "w") as stamp:
        stamp.write(kernel.recipe())


def tree(name):
    """Where the source of a kernel lies in the root."""
    return _KERNELS[name].tree


def is_built(name):
    kernel = _KERNELS[name]
    try:
        with open(kernel.stamp) as stamp:
            return stamp.read() == kernel.recipe()
    except FileNotFoundError:
        return False


def ensure(name):
    """Build and install a kernel unless an up-to-date one is there; return its
    release."""
    kernel = _KERNELS[name]
    with locked(f"{name}-kernel"):
        if not is_built(name):
            _build(kernel)
    return root.release(name)
