#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with the stock bochs-drm driver, end to end: QEMU, VNC, a picture.
. ./lib/ktap.sh
. /vgpu/tools/labhost/guest.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
picture=/tmp/guest.png

says()
{
	grep -q "$1" "$guest_dir/serial" && return 0
	grep "^guest: " "$guest_dir/serial" | sed 's/^/# /'
	return 1
}

picture_is_card()
{
	rm -f $picture
	gvnccapture -q 127.0.0.1:7 $picture || return 1
	_seen=$(/vgpu/tools/labhost/check-picture $picture "$1" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# A nonce of another run must not pass: the check itself can fail.
picture_is_not_card()
{
	! picture_is_card "$1"
}

writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create" || exit 1
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
guest_start -vnc 127.0.0.1:7 \
	-device "vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,id=vgpu,bus=slot1"

check "guest comes up" guest_wait "guest: ready" 240
check "bochs-drm binds by its own ids" \
	says "0x1234:0x1111 0x1234:0x7647 driver bochs-drm"
check "framebuffer console" says "guest: fb bochs-drm.* 1280,800"
# The default monitor, made by "VGP": QEMU 10 writes an EDID of its own only for
# its OpenGL display.
check "guest reads the EDID" says "guest: edid 128 bytes from 58f0"
check "picture over VNC" picture_is_card "$guest_nonce"
check "another card is told apart" picture_is_not_card \
	"$(printf %08x $((0x$guest_nonce ^ 1)))"

# The card drawn anew, by the running guest.
second=$(printf %08x $((0x$guest_nonce ^ 0xffffffff)))
echo "/bin/card $second; sleep 1; echo guest: second \$?" >&9
check "guest draws again" guest_wait "guest: second 0" 60
check "second picture" picture_is_card "$second"

# What the guest makes of config space, twice, with a function reset between.
cat >&9 <<'EOF'
for i in 1 2; do lspci -vvv -d 1234:1111 | grep -v -e Region -e 'Control: I/O' > /lspci.$i; cat /lspci.$i; [ $i = 2 ] || echo 1 > /sys/bus/pci/devices/$(lspci -D -d 1234:1111 | cut -d' ' -f1)/reset; echo "guest: reset $?"; done; cmp /lspci.1 /lspci.2 && echo "guest: lspci is stable"
EOF
check "lspci in the guest" guest_wait "guest: lspci is stable" 60
check "the guest can reset it" says "guest: reset 0"
check "power management" says "NoSoftRst+"
check "MSI-X" says "MSI-X: Enable. Count=6"
check "function-level reset" says "FLReset+"
check "vendor capability" says "Vendor Specific Information: Len=08"

check "QEMU has no complaint" sh -c "! grep . '$guest_dir/qemu.log'"

# Removed while the guest runs: QEMU is asked, the guest lets go.
busy=/sys/bus/mdev/devices/$uuid/vgpu/busy
check "busy" is "$(cat "$busy")" 1
echo 1 > "/sys/bus/mdev/devices/$uuid/remove" &
gone()
{
	for _ in $(seq 100); do
		[ ! -e "/sys/bus/mdev/devices/$uuid" ] && return 0
		sleep 0.5
	done
	tail -n 5 "$guest_dir/serial" | sed 's/^/# /'
	return 1
}
check "removal of a vGPU in use" gone
echo 'lspci -d 1234:1111 | wc -l | sed "s/^/guest: left /"' >&9
check "the guest lives on without it" guest_wait "guest: left 0" 60
guest_stop
wait
ktap_end
