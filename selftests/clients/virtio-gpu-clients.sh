#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libdrm's modetest in a guest with the stock virtio-gpu driver, on QEMU's own device,
# the peer, and on a vGPU: what it prints and what it shows is the same.
. ../lib/ktap.sh
. ../lib/heads.sh
need_guest

# shellcheck disable=SC2034 # for guest_append
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
mode=1024x768

# keep NAME OPTIONS: what modetest prints
keep()
{
	shell "modetest -M virtio_gpu $2 > /$1 2>&1; ret=\$?; sed 's/^/modetest: /' /$1; (exit \$ret)" ||
		return 1
	said | tail -n +"$((mark + 1))" | sed -n 's/^modetest: //p' > "/tmp/$device.$1"
	[ -s "/tmp/$device.$1" ]
}

# Where modetest shows a picture until it may leave.
begin()
{
	shell "rm -f /leave; (while [ ! -e /leave ]; do sleep 0.2; done; echo) | modetest -M virtio_gpu $1 > /log 2>&1 & test=\$!"
}

end()
{
	shell ": > /leave; wait \$test" && return 0
	shell "sed 's/^/# /' /log"
	said | tail -n +"$((mark + 1))"
	return 1
}

# shows NAME: head 0 has that mode; the picture is kept
shows()
{
	head_picture $device 0 "/tmp/$device.$1.png" &&
		file -b "/tmp/$device.$1.png" | grep -q " ${mode%x*} x ${mode#*x},"
}

# picture NAME OPTIONS
picture()
{
	checks "$1" begin "$2"
	checks "$1: the mode" within 30 shows "$1"
	checks "$1: it ends" end
}

# all: every option that ends, or shows a picture
all()
{
	checks "the guest comes up" comes_up
	checks "lists encoders and CRTCs" keep crtcs "-e -p"
	checks "lists connectors" keep connectors -c
	checks "lists framebuffers" keep framebuffers -f
	connector=$(awk '$3 == "connected" { print $1; exit }' "/tmp/$device.connectors")
	crtc=$(awk '/^CRTCs/ { getline; getline; print $1; exit }' "/tmp/$device.crtcs")
	plane=$(awk '/^Planes/ { getline; getline; print $1; exit }' "/tmp/$device.crtcs")
	echo "# connector $connector, CRTC $crtc, plane $plane"
	for pattern in smpte tiles gradient plain; do
		picture $pattern "-F $pattern -s $connector@$crtc:$mode"
	done
	picture atomic "-a -s $connector@$crtc:$mode -P $plane@$crtc:$mode"
	# Flips and the cursor do not stand still.
	checks "flips" begin "-v -s $connector@$crtc:$mode"
	sleep 5
	checks "flips end" end
	checks "so many a second" shell "grep -q '^freq: [1-9]' /log"
	checks "cursor" begin "-C -s $connector@$crtc:$mode"
	sleep 3
	checks "cursor: it ends" end
	checks "the console is back" within 20 console_is_card
	checks "the guest's log is clean" log_is_clean
	checks "QEMU has no complaint" sh -c "! grep . '$guest_dir/qemu.log'"
	guest_stop
}

# same NAME SED-COMMAND: modetest has printed the same of both, in lines that it leaves
same()
{
	for _each in peer vgpu; do
		sed "$2" "/tmp/$_each.$1" > "/tmp/$_each.seen"
	done
	diff -u /tmp/peer.seen /tmp/vgpu.seen > /tmp/diff && [ -s /tmp/peer.seen ] &&
		return 0
	sed 's/^/# /' /tmp/diff
	return 1
}

heads_type || skip_all "no type of this GPU is a virtio-gpu"
qemu-system-x86_64 -device virtio-gpu-pci,help > /dev/null 2>&1 ||
	skip_all "this QEMU has no virtio-gpu-pci"
device=peer
guest_start -device virtio-gpu-pci,id=gpu,max_outputs=4,bus=slot1
all

device=vgpu mark=0
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
writes ok "$uuid" "$type/create" || exit 1
guest_start -device "vfio-pci,sysfsdev=$dev,display=on,id=gpu,bus=slot1"
all
check "remove" writes ok 1 "$dev/remove"

# Modes, the size in millimeters and the EDID itself are the monitor's.
check "the same encoders, CRTCs and planes" same crtcs '/^  *#[0-9]/d'
check "the same connectors" same connectors '/connected/!d
	s/[0-9]*x[0-9]*.*//'
check "the same framebuffers" same framebuffers ''
for pattern in smpte tiles gradient plain atomic; do
	check "the same picture: $pattern" same_pixels $pattern
done
# They are not the same whatever they show.
cp /tmp/peer.tiles.png /tmp/peer.other.png
cp /tmp/vgpu.smpte.png /tmp/vgpu.other.png
check "another is told apart" fails same_pixels other
ktap_end
