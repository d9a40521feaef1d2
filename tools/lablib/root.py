# SPDX-License-Identifier: GPL-2.0
"""The Debian root directory that builds everything and that the lab host
boots from: trixie, with the kernels of Debian 12, 13 and backports."""
import hashlib
import os
import shutil
import subprocess

from .host import (CACHE, ROOT, TREE, LabError, locked, need_commands,
                   need_root, say, step)

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

PACKAGES = """
    linux-image-amd64 linux-headers-amd64 linux-source-6.12
    gcc make libc6-dev perl sparse clang libclang-rt-dev
    kmod udev procps iproute2 pciutils file cpio xz-utils zstd rsync
    busybox-static python3-pil virtme-ng qemu-system-x86 gvncviewer
    libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients mdevctl
    edid-decode libdrm-tests ca-certificates debian-archive-keyring
    qemu-system-modules-opengl libegl1 libgl1 libgl1-mesa-dri libgbm1
    dbus-daemon python3-gi pkg-config libjson-c-dev zlib1g-dev libpng-dev
    edac-utils rasdaemon dwarves gcovr shellcheck codespell coccinelle
    libpython3.13 ovmf grub-efi-amd64-bin
""".split()

# What the lab calls a kernel, and how its packages are found.  The kernel of
# the suite itself is there from the start.
# The first is that of the suite; the tests run on these in this order.
STOCK_KERNELS = ("6.12", "6.1", "7")
DEFAULT_KERNEL = "6.12"
# Built when asked for; debugkernel.py knows how.
DEBUG_KERNEL = "debug"
RACE_KERNEL = "race"
BUILT_KERNELS = (DEBUG_KERNEL, RACE_KERNEL)
KERNELS = (*STOCK_KERNELS, *BUILT_KERNELS)

# Runs in the root, as its last step.
_ADD_KERNELS = r"""
set -e
apt-get update
apt-get install -y -t trixie-backports linux-image-amd64 linux-headers-amd64
image=$(apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-amd64$' |
        cut -d' ' -f1 | sort -V | tail -n 1)
apt-get install -y "$image" "linux-headers-${image#linux-image-}"
# The emulator of the lab host; the QEMU that is tested in it is the suite's.
cd /tmp
apt-get download qemu-system-x86/trixie-backports \
    qemu-system-data/trixie-backports seabios/trixie-backports ipxe-qemu
mkdir /opt/qemu
for package in ./*.deb; do
    dpkg-deb -x "$package" /opt/qemu
    rm "$package"
done
/opt/qemu/usr/bin/qemu-system-x86_64 --version
# Of Debian's installer only the kernel and its initrd: a third of the package.
apt-get download debian-installer-13-netboot-amd64
mkdir /opt/installer
dpkg-deb --fsys-tarfile debian-installer-*.deb |
    tar -C /opt/installer --strip-components=10 --wildcards -x \
        '*/text/debian-installer/amd64/linux' \
        '*/text/debian-installer/amd64/initrd.gz'
rm debian-installer-*.deb
test -s /opt/installer/linux
test -s /opt/installer/initrd.gz
# A lab host may keep what it has read of this directory: without that each program
# is fetched anew each time it starts, which takes twice as long.
cd /usr/lib/python3/dist-packages/virtme
sed -i 's/trans=virtio,access=any/&,cache=loose,msize=512000/' \
    mkinitramfs.py commands/run.py
grep -q cache=loose mkinitramfs.py
grep -q 'rootflags=.*cache=loose' commands/run.py
cd /
apt-get clean
mkdir -p /vgpu /build /lab /share /usr/src/linux-selftests
tar -C /usr/src/linux-selftests --strip-components=1 -xf \
    /usr/src/linux-source-6.12.tar.xz \
    --wildcards '*/scripts/checkpatch.pl' '*/scripts/spdxcheck.py' \
    '*/scripts/const_structs.checkpatch' '*/scripts/spelling.txt' \
    '*/scripts/kernel-doc' '*/scripts/subarch.include' \
    '*/scripts/coccinelle/*' \
    '*/tools/testing/selftests/*.h' \
    '*/tools/testing/selftests/lib.mk' '*/tools/testing/selftests/kselftest' \
    '*/tools/testing/selftests/run_kselftest.sh' '*/samples/vfio-mdev/*.[ch]'
rm /usr/src/linux-source-6.12.tar.xz
"""


def _mirror():
    """The Debian mirror that this machine uses, or None for the default."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)",
         "Created-By: Packages"], stdout=subprocess.PIPE, text=True,
        check=False)
    for line in done.stdout.splitlines():
        origin, _, uri = line.partition(" ")
        if origin == "Debian" and "security" not in uri:
            return uri.rstrip("/")
    return None


def archive(directory=ROOT):
    """Where the packages of a root directory are from."""
    with open(os.path.join(directory, "etc/apt/sources.list")) as sources:
        return next(word for word in sources.read().split()
                    if word.startswith("http"))


def _stamp():
    recipe = " ".join([SUITE, *PACKAGES, _ADD_KERNELS])
    return hashlib.sha256(recipe.encode()).hexdigest()


def _build():
    need_commands({"mmdebstrap": "mmdebstrap", "unshare": "util-linux"})
    if not os.path.exists(KEYRING):
        raise LabError(f"needs the package debian-archive-keyring ({KEYRING})")
    partial = ROOT + ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    mirror = _mirror()
    env = dict(os.environ, INITRD="No", DEBIAN_FRONTEND="noninteractive")
    step(f"building the Debian root ({SUITE}), about a minute",
         ["mmdebstrap", "--mode=root", "--variant=minbase",
          "--format=directory",
          "--aptopt=Acquire::Check-Valid-Until \"false\"",
          "--aptopt=APT::Install-Recommends \"false\"",
          "--dpkgopt=path-exclude=/usr/share/doc/*",
          "--dpkgopt=path-exclude=/usr/share/locale/*",
          "--include=" + ",".join(PACKAGES), SUITE, partial] +
         ([mirror] if mirror else []), "root.log", env=env)

    uri = archive(partial)
    security = uri.rstrip("/") + "-security"
    with open(os.path.join(partial, "etc/apt/sources.list.d/kernels.list"),
              "w") as sources:
        for where, suite in ((uri, SUITE + "-backports"), (uri, "bookworm"),
                             (security, "bookworm-security")):
            sources.write(f"deb [signed-by={KEYRING}] {where} {suite} main\n")
    shutil.copy("/etc/resolv.conf", os.path.join(partial, "etc/resolv.conf"))
    step("adding the kernels of Debian 12 and of backports, about a minute",
         enter(["env", "INITRD=No", "DEBIAN_FRONTEND=noninteractive",
                "sh", "-c", _ADD_KERNELS], root=partial),
         "root-kernels.log")
    with open(os.path.join(partial, "etc/vgpu-lab-stamp"), "w") as stamp:
        stamp.write(_stamp())
    shutil.rmtree(ROOT, ignore_errors=True)
    os.rename(partial, ROOT)


def ensure():
    """Build the root directory unless an up-to-date one is there."""
    need_root()
    with locked("root"):
        try:
            with open(os.path.join(ROOT, "etc/vgpu-lab-stamp")) as stamp:
                if stamp.read() == _stamp():
                    return
        except FileNotFoundError:
            pass
        _build()


# Everything that is mounted goes away with the mount namespace.
_ENTER = r"""
set -e
root=$1 tree=$2 run=$3 share=$4
shift 4
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/vgpu" "$root/lab" "$root/share"
mount --bind -o ro "$tree" "$root/vgpu"
[ -z "$run" ] || mount --bind "$run" "$root/lab"
[ -z "$share" ] || mount --bind "$share" "$root/share"
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" "$@"
"""


def enter(command, root=ROOT, run="", share=""):
    """The command line that runs a command in the root directory, with this
    tree at /vgpu and the directories run and share at /lab and /share."""
    # Nothing of it outlives the lab, however that ends.
    return ["setpriv", "--pdeathsig", "KILL",
            "unshare", "--mount", "--fork", "--pid", "--kill-child",
            "sh", "-c", _ENTER, "sh", root, TREE, run, share, *command]


def release(kernel):
    """The full release of a kernel of the lab: '6.12' -> '6.12.107+deb13'."""
    modules = os.path.join(ROOT, "lib/modules")
    found = [name for name in os.listdir(modules)
             if (name.endswith(f"-vgpu-{kernel}") if kernel in BUILT_KERNELS
                 else name.startswith(kernel + ".") and "-vgpu-" not in name)]
    if not found:
        raise LabError(f"no kernel {kernel} in {modules}")
    return max(found, key=lambda name: os.stat(
        os.path.join(modules, name)).st_mtime)


def clean():
    """Remove the cache."""
    need_root()
    with locked("root"):
        say(f"removing {CACHE}")
        shutil.rmtree(CACHE, ignore_errors=True)
