#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with virtio-gpu-pci of QEMU loses its picture in suspend to RAM.  QEMU resets the
# device when the VM wakes up, and Linux's virtio_gpu does not set it up again: with 6.12
# nothing is written to a device that says that it keeps its state in D3hot.  What shows
# the picture then is a device without resources, so the screen has the size that QEMU
# gives it, and is black.
#
# Seen with Linux 6.12.117 of Debian 13 and QEMU 10.0.13.
set -e
release=6.12.117+deb13-amd64
kernel=6.12.117-1
qemu=1:10.0.13+ds-0+deb13u1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
	--include="linux-image-$release=$kernel,qemu-system-x86=$qemu,busybox-static,cpio,kmod,xz-utils" \
	trixie "$dir/root"

cat > "$dir/root/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t sysfs sys /sys
for module in $(/bin/busybox cat /modules); do
	/bin/busybox insmod "$module"
done
while [ ! -e /dev/fb0 ]; do
	/bin/busybox sleep 1
done
/bin/busybox sleep 3
# All of it white, but for the end.
/bin/busybox head -c 4000000 /dev/zero | /bin/busybox tr '\0' '\377' > /dev/fb0
echo drawn > /dev/ttyS0
/bin/busybox sleep 10
echo mem > /sys/power/state
echo awake > /dev/ttyS0
/bin/busybox sleep 1000
EOF
cat > "$dir/root/show" <<'EOF'
set -e
release=$1
mkdir -p /guest/bin /guest/dev /guest/sys
cp /init /guest
cp /bin/busybox /guest/bin
chmod 755 /guest/init
modprobe -S "$release" --show-depends virtio-gpu | sed -n 's/^insmod //p' |
while read -r module _; do
	name=$(basename "$module" .xz)
	xz -dc "$module" > "/guest/$name"
	echo "/$name" >> /guest/modules
done
(cd /guest && find . | cpio -o -H newc --quiet) > /initrd
mkfifo /monitor.in /monitor.out
qemu-system-x86_64 -machine q35,accel=tcg -m 512 -nodefaults -display none -vga none \
	-device virtio-gpu-pci,xres=1280,yres=800 -serial file:/serial \
	-monitor pipe:/monitor -kernel "/boot/vmlinuz-$release" -initrd /initrd \
	-append "console=ttyS0 quiet vt.global_cursor_default=0" &
qemu=$!
trap 'kill $qemu' EXIT
cat /monitor.out > /log &
exec 3> /monitor.in

# said WORD FILE COMMAND: wait until it is there, with this command every second
said()
{
	for _ in $(seq 300); do
		! grep -q "$1" "$2" 2> /dev/null || return 0
		[ -z "$3" ] || echo "$3" >&3
		sleep 1
	done
	return 1
}

said drawn /serial ""
sleep 3
echo "screendump /before.ppm" >&3
said "paused (suspended)" /log "info status"
echo system_wakeup >&3
said awake /serial ""
sleep 5
echo "screendump /after.ppm" >&3
sleep 5
EOF
chroot "$dir/root" sh /show "$release"

# white FILE: bytes that are white; a pixel has 3
white()
{
	tr -cd '\377' < "$dir/root/$1" | wc -c
}
echo "Linux $kernel, $(chroot "$dir/root" qemu-system-x86_64 --version | head -n 1)"
echo "before: $(white before.ppm) bytes of the picture are white"
echo "after: $(white after.ppm) bytes of the picture are white"
if [ "$(white before.ppm)" -lt 2000000 ] || [ "$(white after.ppm)" -gt 1000 ]; then
	echo "no longer so"
	exit 1
fi
echo "still so: the picture is lost"
