#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest's console as a dma-buf, with an OpenGL display of QEMU: over D-Bus,
# which hands on the driver's own buffer.  VNC takes none, and egl-headless has
# EGL import it, which Mesa's software renderers cannot.
. ../lib/ktap.sh
. ../lib/guest.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
picture=/tmp/dmabuf.png
bus=unix:path=/tmp/dmabuf.bus

picture_is_card()
{
	_seen=$(../lib/dbus-picture $bus XR24 $picture 2>&1 &&
		../lib/check-picture $picture "$guest_nonce" 2>&1)
	_ret=$?
	echo "$_seen" | sed 's/^/# /'
	return $_ret
}

writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create" || exit 1
modprobe vgem 2>/dev/null
node=$(render_node)
if [ -z "$node" ]; then
	skip "console=dmabuf" "no vgem"
else
	check "vgpu_params" writes ok console=dmabuf "$dev/vgpu/vgpu_params"
	dbus-daemon --session --nofork --address=$bus > /dev/null 2>&1 &
	daemon=$!
	guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	within 10 test -S "${bus#*=}"
	guest_start -display "dbus,addr=$bus,gl=on,rendernode=$node" \
		-device "vfio-pci,sysfsdev=$dev,display=on,xres=1440,yres=900,id=vgpu,bus=slot1"
	check "guest comes up" guest_wait "guest: ready" 240
	check "the guest has the monitor that QEMU gives it" \
		grep -q "guest: fb bochs-drm.* 1440,900" "$guest_dir/serial"
	check "the dma-buf shows the guest's picture" picture_is_card
	check "QEMU lives on" kill -0 "$guest_pid"
	guest_stop
	kill $daemon
	wait $daemon 2>/dev/null
fi
check "remove" writes ok 1 "$dev/remove"
ktap_end
