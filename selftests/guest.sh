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
	-device "vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on"

check "guest comes up" guest_wait "guest: ready" 240
check "bochs-drm binds by its own ids" \
	says "0x1234:0x1111 0x1234:0x7647 driver bochs-drm"
check "framebuffer console" says "guest: fb bochs-drm.* 1280,800"
check "guest reads the EDID" says "guest: edid 128"
check "picture over VNC" picture_is_card "$guest_nonce"
check "another card is told apart" picture_is_not_card \
	"$(printf %08x $((0x$guest_nonce ^ 1)))"

# The card drawn anew, by the running guest.
second=$(printf %08x $((0x$guest_nonce ^ 0xffffffff)))
echo "/bin/card $second; sleep 1; echo guest: second \$?" >&9
check "guest draws again" guest_wait "guest: second 0" 60
check "second picture" picture_is_card "$second"

check "QEMU has no complaint" sh -c "! grep -v -e 'error recovery' '$guest_dir/qemu.log'"
guest_stop
check "vGPU can be removed" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
ktap_end
