# SPDX-License-Identifier: GPL-2.0
"""Build what the lab host needs, inside the root directory."""
import functools
import os
import threading

from . import debugkernel, rooms, root
from .host import CACHE, LabError, locked, step

# Sources are copied, so that each kernel has a directory of its own and the
# tree stays clean.  Products are left alone, so that make can use them again;
# what differs is new to it, also when it comes from an older commit.
_COPY = r"""
rsync -rlc --delete --prune-empty-dirs --include='*/' --include='*.[ch]' \
    --include=Kbuild --include=Makefile --include='*.mk' --include='*.sh' \
    --include='/selftests/lib/*' --include='/selftests/unit/streams/*' \
    --exclude='*' /vgpu/drivers /vgpu/include /vgpu/selftests /vgpu/Kbuild \
    /vgpu/Makefile "$dir/"
"""

_MODULES = r"""
set -e
release=$1 dir=$2; shift 2
mkdir -p "$dir"
""" + _COPY + r"""
# What sources that are gone have left; gcov would look for them.
find "$dir" -name '*.gcno' | while read -r note; do
    [ -e "${note%.gcno}.c" ] || rm -f "${note%.gcno}".*
done
make -C "$dir" KDIR="/lib/modules/$release/build" -j"$(nproc)" \
    VGPU_EXAMPLE=m "$@" modules
"""

_INSTALL = r"""
set -e
make -C "$2" KDIR="/lib/modules/$1/build" INSTALL_MOD_DIR=updates/vgpu \
    modules_install
depmod "$1"
"""

_SELFTESTS = r"""
set -e
dir=$1 installed=$2
mkdir -p "$dir"
""" + _COPY + r"""
make -C "$dir/selftests" -j"$(nproc)" install INSTALL_PATH="$installed" \
    KSELFTEST=/usr/src/linux-selftests/tools/testing/selftests
mkdir -p /build/vgpu-smi
make -C /vgpu/tools/vgpu-smi O=/build/vgpu-smi
"""

# The kernel's sample devices, for any kernel that their source compiles for.
_PEERS = r"""
set -e
release=$1 dir=$2
mkdir -p "$dir"
cp /usr/src/linux-selftests/samples/vfio-mdev/*.[ch] "$dir/"
echo "obj-m := mbochs.o mdpy.o mtty.o" > "$dir/Kbuild"
make -C "/lib/modules/$release/build" M="$dir" modules
"""


_TEST_MODULES = r"""
set -e
release=$1 dir=$2
rsync -rc /vgpu/selftests/modules/ "$dir/"
make -C "$dir" KDIR="/lib/modules/$release/build" modules
"""


def _once(make):
    """Make it for a kernel when it is first asked for and not again: a lab host may
    be using it by then, and modules that are installed anew are gone for a
    moment."""
    made = {}
    locks = {kernel: threading.Lock() for kernel in root.KERNELS}

    @functools.wraps(make)
    def once(kernel):
        with locks[kernel]:
            if kernel not in made:
                made[kernel] = make(kernel)
            return made[kernel]

    return once


def _release(kernel):
    """The release of a kernel that is there, or is built now."""
    if kernel in root.BUILT_KERNELS:
        return debugkernel.ensure(kernel)
    return root.release(kernel)


def takes_long(kernel):
    """Whether there is a kernel to be built first."""
    return kernel in root.BUILT_KERNELS and not debugkernel.is_built(kernel)


@_once
def modules(kernel):
    """Build and install the modules for a kernel; return its release."""
    release = _release(kernel)
    with locked("build"):
        step(f"building the modules for {release}",
             root.enter(["sh", "-c", _MODULES, "sh", release,
                         f"/build/{release}",
                         *["GCOV_PROFILE=y"] * (kernel == root.DEBUG_KERNEL)]),
             f"build-{kernel}.log")
        step(f"installing them for {release}",
             root.enter(["sh", "-c", _INSTALL, "sh", release,
                         f"/build/{release}"]),
             f"install-{kernel}.log")
    return release


def check(kernel):
    """Build once more, from nothing and with every warning on; any is an
    error.  What edac.c declares by itself must be what the kernel has."""
    release = _release(kernel)
    prototypes = f"/build/edac-{release}.h"
    with locked("build"):
        step(f"looking up prototypes in {release}",
             root.enter(["/vgpu/tools/labhost/edac-prototypes", release,
                         prototypes]), f"prototypes-{kernel}.log")
        log = step(f"building for {release} with W=1",
                   root.enter(["sh", "-c",
                               'rm -rf "$2"; sh -c "$0" sh "$@"', _MODULES,
                               release, _check_directory(release), "W=1",
                               f"CFLAGS_ras/edac.o=-include {prototypes}"]),
                   f"check-{kernel}.log")
    with open(log) as text:
        for line in text:
            if any(word in line for word in ("warning:", "WARNING:")):
                raise LabError(f"{release}: {line.strip()}; log: {log}")


def sparse(kernel):
    """Run sparse over what check() has compiled."""
    release = _release(kernel)
    with locked("build"):
        step(f"running sparse for {release}",
             root.enter(["/vgpu/tools/labhost/sparse-all",
                         _check_directory(release),
                         f"/lib/modules/{release}/build"]),
             f"sparse-{kernel}.log")


def calls(kernel):
    """Which folder of the driver calls which, in what check() has compiled."""
    release = _release(kernel)
    log = step(f"looking up calls in {release}",
               root.enter(["sh", "-c", 'cd "$0/drivers/vgpu" && '
                           'find main.o */ -name "*.o" -exec nm -A {} +',
                           _check_directory(release)]), f"calls-{kernel}.log")
    with open(log) as text:
        upward = list(rooms.wrong_calls(text.read()))
    if upward:
        raise LabError(f"{release}: " + "; ".join(upward))


def _check_directory(release):
    return f"/build/check-{release}"


def selftests():
    with locked("build"):
        step("building the tests",
             root.enter(["sh", "-c", _SELFTESTS, "sh", "/build/tests",
                         "/build/kselftest"]),
             "build-selftests.log")


def peers(kernel):
    """The kernel's sample devices, which bench compares ours with; return
    their directory in the root."""
    release = _release(kernel)
    directory = f"/build/peers-{release}"
    with locked("build"):
        step(f"building the sample devices for {release}",
             root.enter(["sh", "-c", _PEERS, "sh", release, directory]),
             f"peers-{kernel}.log")
    return directory


@_once
def test_modules(kernel):
    """The modules that tests load, in /build/test-modules-RELEASE; return their
    directory in the root."""
    release = _release(kernel)
    directory = f"/build/test-modules-{release}"
    with locked("build"):
        step(f"building the test modules for {release}",
             root.enter(["sh", "-c", _TEST_MODULES, "sh", release, directory]),
             f"test-modules-{kernel}.log")
    return directory


@_once
def guest(kernel):
    """The small Linux guest that runs in the lab host with a kernel, in
    /build/guest-RELEASE; built in the root.  It has the same kernel, but not one
    that finds mistakes: it would only find the guest's, and takes its time."""
    release = _release(kernel)
    own = root.release(root.DEFAULT_KERNEL if kernel in root.BUILT_KERNELS
                       else kernel)
    with locked("build"):
        step(f"building the guest for {release}",
             root.enter(["/vgpu/selftests/guest/mkguest", own,
                         f"/build/guest-{release}"]),
             f"guest-{kernel}.log")


def cache_path(path):
    """Where a file of the root directory lies on this machine."""
    return os.path.join(CACHE, "root", path.lstrip("/"))
