#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PCI devices as GPUs: what is refused, and why, and in what state it is then;
# several GPUs at a time.  The lab host has the devices for it beside an ivshmem.
. ../lib/ktap.sh

pci=/sys/bus/pci
drv=$pci/drivers/vgpu
param=/sys/module/vgpu_linear/parameters

# device ID CLASS: the address of the first PCI device with both
device()
{
	lspci -D -n -d "$1" | sed -n "s/ $2: .*//p" | head -n 1
}
nic=$(device 8086:100e 0200)
console=$(device 1234:1111 0300)
small=$(device 1234:1111 0380)
if ! [ "$VGPU_PGPU" ] || ! [ "$nic" ] || ! [ "$console" ] || ! [ "$small" ]; then
	skip_all "needs the devices beside --pgpu ivshmem"
fi

# free DEVICE: no driver has it
free()
{
	[ ! -e "$pci/devices/$1/driver" ] ||
		echo "$1" > "$pci/devices/$1/driver/unbind"
}

state()
{
	md5sum < "$pci/devices/$1/config"
	readlink "$pci/devices/$1/driver"
	cat "$pci/devices/$1/driver_override"
}

# refuses NAME ERROR DEVICE REASON: binding the device fails with that error and
# that reason in the log, and leaves the device as it is
refuses()
{
	free "$3"
	echo vgpu > "$pci/devices/$3/driver_override"
	_state=$(state "$3")
	dmesg -C
	check "$1: refused" writes "$2" "$3" $drv/bind
	check "$1: the log says why" prints "$4" dmesg
	check "$1: as it was" is "$(state "$3")" "$_state"
	echo > "$pci/devices/$3/driver_override"
}

# By its id, which the driver takes without knowing the device.
free "$nic"
dmesg -C
check "new_id of a NIC" writes ok "8086 100e" $drv/new_id
check "new_id of a NIC: not taken" test ! -e "$pci/devices/$nic/driver"
check "new_id of a NIC: the log says why" prints "$nic: no loaded backend" dmesg
check "remove_id" writes ok "8086 100e" $drv/remove_id
refuses "NIC" "No such device" "$nic" "$nic: no loaded backend"
if modprobe -q e1000; then
	check "the NIC works with its own driver" within 10 \
		test -e "$pci/drivers/e1000/$nic" -o \
		"$(echo "$nic" > $pci/drivers/e1000/bind 2>/dev/null)"
else
	skip "the NIC works with its own driver" "a kernel without it"
fi

refuses "4 MiB" "No such device" "$small" "smaller than the smallest type"
refuses "console" "No such device" "$console" "firmware's console"

# The same device, asked for.
echo 1 > $param/allow_console
echo vgpu > "$pci/devices/$console/driver_override"
check "console when asked for" writes ok "$console" $drv/bind
echo 0 > $param/allow_console
check "32 MiB" is \
	"$(cat "$drv/$console/mdev_supported_types/vgpu-32Q/available_instances")" 1

# Three GPUs of two kinds, each with memory of its own.
check "a software GPU beside them" modprobe vgpu-soft nr_gpus=1 vram_mib=64
soft=$(basename "$(ls -d $drv/f*:*)")
free16()
{
	cat "$drv/$1/mdev_supported_types/vgpu-16Q/available_instances"
}
before=$(free16 "$VGPU_PGPU")
uuids=
for gpu in "$VGPU_PGPU" "$console" "$soft"; do
	uuid=$(cat /proc/sys/kernel/random/uuid)
	uuids="$uuids $uuid"
	check "vGPU on $gpu" writes ok "$uuid" \
		"$drv/$gpu/mdev_supported_types/vgpu-16Q/create"
done
check "each took its own" is \
	"$(free16 "$VGPU_PGPU") $(free16 "$console") $(free16 "$soft")" \
	"$((before - 1)) 1 3"
for uuid in $uuids; do
	check "remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
done
check "unload the software GPU" rmmod vgpu_soft
check "the others stay" is "$(free16 "$VGPU_PGPU") $(free16 "$console")" \
	"$before 2"
free "$console"
echo > "$pci/devices/$console/driver_override"

# Sizes and types that are none.
echo "$VGPU_PGPU" > $drv/unbind
echo 17 > $param/vram_mib
dmesg -C
check "17 MiB" writes "out of range" "$VGPU_PGPU" $drv/bind
check "17 MiB: the log says why" prints "not a multiple of 2 MiB" dmesg
echo 8 > $param/vram_mib
check "8 MiB" writes "out of range" "$VGPU_PGPU" $drv/bind
dmesg -C
echo 2 > $param/vram_mib
echo 4 > $param/spare_mib
check "2 MiB, 4 of them spare" writes "out of range" "$VGPU_PGPU" $drv/bind
check "2 MiB: the log says why" prints "leave less than the smallest type" dmesg
echo 0 > $param/vram_mib
# 2^44 MiB are 0 bytes.
echo 17592186044416 > $param/spare_mib
check "more spare than there is" writes "out of range" "$VGPU_PGPU" $drv/bind
echo 0 > $param/spare_mib
echo 16X > $param/types
check "types 16X" writes "Invalid argument" "$VGPU_PGPU" $drv/bind
check "types 16X: the log says why" prints "bad list of types" dmesg
echo > $param/types
check "bind after all that" writes ok "$VGPU_PGPU" $drv/bind

# Bind during unbind: whoever comes second is told so.
busy()
{
	for _ in $(seq 50); do
		echo "$VGPU_PGPU" > "$drv/$1"
	done 2>/dev/null
}
busy bind &
binder=$!
busy unbind &
unbinder=$!
wait $binder $unbinder
echo "$VGPU_PGPU" > $drv/bind 2>/dev/null
check "bound after the race" is "$(free16 "$VGPU_PGPU")" "$before"
ktap_end
