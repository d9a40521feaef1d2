#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A backend that knows nothing of the core but Documentation/backend.md: bound,
# used, tested with programs that run on any pGPU, and unloaded.
. ../lib/ktap.sh

drv=/sys/bus/pci/drivers/vgpu
edu=$(lspci -D -n -d 1234:11e8 | cut -d' ' -f1)
[ "$edu" ] || skip_all "needs QEMU's device edu"
modprobe -n -q vgpu-example || skip_all "built without VGPU_EXAMPLE=m"
dev=/sys/bus/pci/devices/$edu
types=$drv/$edu/mdev_supported_types

# program FOLDER/NAME: a C test on the edu
program()
{
	VGPU_PGPU=$edu VGPU_BACKEND=vgpu_example "../$1" > /tmp/backend.out 2>&1
	_status=$?
	sed 's/^/# /' /tmp/backend.out
	return $_status
}

check "given to the driver" writes ok vgpu "$dev/driver_override"
check "probed without its backend" writes ok "$edu" /sys/bus/pci/drivers_probe
check "not bound" test ! -e "$dev/driver"
check "load the backend" modprobe vgpu-example
check "bound" test -e "$drv/$edu"
check "name of a type" is "$(cat "$types/vgpu-64Q/name")" VEXAMPLE-64Q

uuid=$(cat /proc/sys/kernel/random/uuid)
check "create" writes ok "$uuid" "$types/vgpu-64Q/create"
check "all VRAM is used" is "$(cat "$types/vgpu-16Q/available_instances")" 0
../lib/holder "$uuid" > /tmp/hold.out &
hold=$!
check "held" within 20 grep -q open /tmp/hold.out
debug=/sys/kernel/debug/vgpu/$edu
if [ -e "$debug" ]; then
	check "a page moves to the reserve" writes ok "$uuid 0" "$debug/move"
	check "one spare page" is "$(cat "$debug/spare")" 1
fi
check "unload while a vGPU is open: refused" fails rmmod vgpu_example
kill $hold
wait $hold 2>/dev/null
check "remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
if [ -e "$debug" ]; then
	check "no spare page" is "$(cat "$debug/spare")" 0
fi

check "framebuffer" program memory/framebuffer
check "unload" rmmod vgpu_example
check "unbound" test ! -e "$dev/driver"
echo > "$dev/driver_override"
ktap_end
