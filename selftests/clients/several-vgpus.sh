#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Two, four and eight vGPUs in one VM, and eight VMs at once, each vGPU with a picture of
# its own.  Of eight every other one is a virtio-gpu; the first of two is QEMU's display
# before the guest has a driver, too (ramfb=on).
. ../lib/ktap.sh
. ../lib/guest.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
picture=/tmp/several.png

# shows VGPU NONCE [OPTION]: the vGPU's picture is the card with this nonce
shows()
{
	guest_screen "$1" $picture || return 1
	_seen=$(../lib/check-picture ${3:+"$3"} $picture "$2" 2>&1)
	_ret=$?
	echo "# $1: $_seen"
	return $_ret
}

plus()
{
	printf %08x $(((0x$1 + $2) & 0xffffffff))
}

# framebuffer N: which framebuffer of the guest is on vGPU N; buses are numbered
# in the order of the ports
framebuffer()
{
	tr -d '\r' < "$guest_dir/serial" |
		sed -n 's/^guest: card drawn on fb\([0-9]*\), pci \(.*\)/\2 \1/p' |
		sort | sed -n "$(($1 + 1))s/.* //p"
}

# create TYPE: its UUID is $uuid
create()
{
	uuid=$(cat /proc/sys/kernel/random/uuid)
	uuids="$uuids $uuid"
	writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-$1/create"
}

# several TYPES SUFFIX [OPTION]: a guest with these vGPUs; the first has that QEMU
# driver and that option more, the last a monitor that prefers another mode
several()
{
	types=$1 driver=vfio-pci$2 option=${3:-} ramfb=${3:+yes}
	count=$(echo "$types" | wc -w)
	guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	set --
	n=0
	uuids=
	for type in $types; do
		create "$type"
		[ $n -lt $((count - 1)) ] ||
			writes ok resolution=1440x900 \
				"/sys/bus/mdev/devices/$uuid/vgpu/vgpu_params"
		set -- "$@" -device "pcie-root-port,id=port$n,chassis=$((8 + n))" \
			-device "$driver,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,bus=port$n,id=vgpu$n$option"
		driver=vfio-pci option=
		n=$((n + 1))
	done
	guest_start -vnc 127.0.0.1:7 "$@"
	# The firmware's mode; without ramfb QEMU shows a picture of its own.
	[ -z "$ramfb" ] || check "ramfb: the firmware has a screen" \
		within 60 guest_screen_is vgpu0 1024 768
	check "$count vGPUs: the guest comes up" guest_wait "guest: ready" 240
	check "$count vGPUs: bochs-drm drives its own" is \
		"$(grep -c "driver bochs-drm" "$guest_dir/serial")" \
		"$(echo "$types" | tr ' ' '\n' | grep -c Q)"
	check "$count vGPUs: virtio_gpu drives its own" is \
		"$(grep -c "virtio driver virtio_gpu" "$guest_dir/serial")" \
		"$(echo "$types" | tr ' ' '\n' | grep -c V)"
	n=0
	while [ $n -lt "$count" ]; do
		fb=$(framebuffer $n)
		# The text is on the first framebuffer.
		notext=--no-text
		[ "$fb" = 0 ] && notext=
		check "$count vGPUs: picture of vGPU $n" \
			shows "vgpu$n" "$(plus "$guest_nonce" "$fb")" $notext
		n=$((n + 1))
	done
	check "$count vGPUs: the mode that the last one's monitor prefers" \
		guest_screen_is "vgpu$((count - 1))" 1440 900
	check "$count vGPUs: QEMU has no complaint" \
		sh -c "! grep . '$guest_dir/qemu.log'"
}

end()
{
	guest_stop
	for uuid in $uuids; do
		check "$count vGPUs: remove" \
			writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
	done
}

several "16Q 16Q" -nohotplug ,ramfb=on
vnc_is_first()
{
	rm -f $picture
	gvnccapture -q 127.0.0.1:7 $picture || return 1
	_seen=$(../lib/check-picture --no-text $picture \
		"$(plus "$guest_nonce" "$(framebuffer 0)")" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}
check "ramfb: VNC shows the guest's picture" vnc_is_first
end
several "16Q 16Q 16Q 16Q" ""
end
several "64V 16Q 64V 16Q 64V 16Q 64V 16Q" ""
end

# The same in a VM each; they start one after the other and run at once.
up()
{
	guest_start -device "vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,id=vgpu,bus=slot1"
	guest_wait "guest: ready" 240
}

# In an emulated lab host one guest in thirty does not come up.
comes_up()
{
	up || { [ "$VGPU_TEST_GUEST_APPEND" ] && guest_stop && up; }
}

uuids='' running='' n=0
for type in 64V 16Q 64V 16Q 64V 16Q 64V 16Q; do
	create $type
	guest_nonce=0000000$n guest_dir=/tmp/vm$n
	check "eight VMs: guest $n comes up" comes_up
	running="$running $guest_pid $guest_cat"
	n=$((n + 1))
done
for n in 0 1 2 3 4 5 6 7; do
	guest_dir=/tmp/vm$n
	check "eight VMs: picture of guest $n" shows vgpu 0000000$n
	check "eight VMs: QEMU has no complaint" sh -c "! grep . $guest_dir/qemu.log"
done
exec 9>&-
# shellcheck disable=SC2086 # words
kill $running
# shellcheck disable=SC2086 # words
wait $running
for uuid in $uuids; do
	check "eight VMs: remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
done
ktap_end
