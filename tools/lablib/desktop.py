# SPDX-License-Identifier: GPL-2.0
"""Guests that are a whole Debian, with systemd, Xorg, weston and Debian's kernels and
nothing of ours: a disk, which is only read, and a kernel with its initrd for each."""
import hashlib
import os
import shutil

from . import root
from .host import ROOT, locked, need_commands, step

PACKAGES = """
    linux-image-amd64 initramfs-tools systemd-sysv udev kmod procps dbus pciutils
    weston seatd xserver-xorg-core xserver-xorg-input-libinput xinit
    x11-xserver-utils x11-apps xterm xfonts-base fonts-dejavu-core
    kmscube drm-info libdrm-tests libgl1-mesa-dri
""".split()

# The suite whose guest goes with a kernel of the lab, and what the release of its own
# kernel begins with.
_GUESTS = {"6.1": ("bookworm", "6.1."), "6.12": ("trixie", "6.12."),
           "7": ("trixie", "7.")}
# Suites that have a newer kernel in backports.
_BACKPORTS = ("trixie",)

# Runs with the suite's root directory as $1, and the kernel of backports or not as $2.
#
# A root shell is on the serial line.  The disk is the same at each start, so that a
# guest that has hibernated goes on with it: what has to be written is in memory.
_CUSTOMIZE = r"""
set -e
root=$1 suite=$2 backports=$3
printf 'MODULES=list\nCOMPRESS=lz4\nRESUME=/dev/vdb\n' \
    > "$root/etc/initramfs-tools/conf.d/guest"
printf '%s\n' virtio_pci virtio_blk ext4 > "$root/etc/initramfs-tools/modules"
if [ "$backports" ]; then
    chroot "$root" apt-get install -y -t "$suite-backports" linux-image-amd64
fi
chroot "$root" update-initramfs -u -k all
for where in /tmp /var/tmp /var/log /var/lib/systemd /var/lib/xkb; do
    mkdir -p "$root$where"
    echo "tmpfs $where tmpfs mode=$(stat -c %a "$root$where") 0 0"
done > "$root/etc/fstab"
mkdir -p "$root/etc/systemd/system/serial-getty@ttyS0.service.d"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty -a root -L 115200 %%I dumb\n' \
    > "$root/etc/systemd/system/serial-getty@ttyS0.service.d/root.conf"
echo desktop > "$root/etc/hostname"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
"""

_DISK = r"""
set -e
root=$1 out=$2
rm -rf "$out"
mkdir -p "$out"
for image in "$root"/boot/vmlinuz-*; do
    release=${image##*/vmlinuz-}
    mkdir "$out/$release"
    mv "$image" "$out/$release/vmlinuz"
    mv "$root/boot/initrd.img-$release" "$out/$release/initrd"
done
# A quarter more than the files, for what a file system is beside them.
size=$(du -sm "$root" | cut -f1)
mke2fs -q -t ext4 -O ^has_journal -L desktop -d "$root" "$out/disk" "$((size * 5 / 4))M"
"""


def _recipe(suite):
    recipe = " ".join([suite, *PACKAGES, _CUSTOMIZE, _DISK])
    return hashlib.sha256(recipe.encode()).hexdigest()


def _directory(suite):
    """Below the lab's root directory."""
    return f"/build/desktop-{suite}"


def _build(suite):
    need_commands({"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"})
    out = os.path.join(ROOT, _directory(suite).lstrip("/"))
    partial = out + ".root"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(os.path.dirname(out), exist_ok=True)
    uri = root.archive()
    sources = [f"deb {uri} {suite} main"]
    backports = suite in _BACKPORTS
    if backports:
        sources.append(f"deb {uri} {suite}-backports main")
    step(f"building the guest with a desktop ({suite}), about four minutes",
         ["mmdebstrap", "--mode=root", "--variant=minbase",
          "--format=directory",
          "--aptopt=Acquire::Check-Valid-Until \"false\"",
          "--aptopt=APT::Install-Recommends \"false\"",
          "--dpkgopt=path-exclude=/usr/share/doc/*",
          "--dpkgopt=path-exclude=/usr/share/man/*",
          "--dpkgopt=path-exclude=/usr/share/locale/*",
          "--include=" + ",".join(PACKAGES),
          "--customize-hook=" + f"set -- \"$1\" {suite} {'y' * backports}\n" +
          _CUSTOMIZE, suite, partial, *sources], f"desktop-{suite}.log",
         env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    step(f"making its disk ({suite})",
         ["sh", "-c", _DISK, "sh", partial, out], f"desktop-{suite}-disk.log")
    shutil.rmtree(partial)
    with open(os.path.join(out, "stamp"), "w") as stamp:
        stamp.write(_recipe(suite))


def _ensure(suite):
    """Build the disk of a suite unless an up-to-date one is there."""
    stamp = os.path.join(ROOT, _directory(suite).lstrip("/"), "stamp")
    try:
        with open(stamp) as text:
            if text.read() == _recipe(suite):
                return
    except FileNotFoundError:
        pass
    _build(suite)


def ensure(kernel):
    """The guest that goes with a kernel of the lab, in /build/desktop-RELEASE: disk,
    vmlinuz and initrd."""
    own = kernel if kernel in _GUESTS else root.DEFAULT_KERNEL
    suite, begin = _GUESTS[own]
    directory = _directory(suite)
    guest = os.path.join(ROOT, f"build/desktop-{root.release(kernel)}")
    with locked(f"desktop-{suite}"):
        _ensure(suite)
        release = next(name for name in os.listdir(
            os.path.join(ROOT, directory.lstrip("/"))) if name.startswith(begin))
        os.makedirs(guest, exist_ok=True)
        for link in (f"{directory}/disk", f"{directory}/{release}/vmlinuz",
                     f"{directory}/{release}/initrd"):
            path = os.path.join(guest, os.path.basename(link))
            if not os.path.islink(path) or os.readlink(path) != link:
                if os.path.lexists(path):
                    os.remove(path)
                os.symlink(link, path)
