#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Software GPUs through configfs: attributes are checked, power works, two GPUs
# do not get in each other's way.
. ../lib/ktap.sh
[ -z "$VGPU_PGPU" ] || skip_all "for software GPUs"

root=/sys/kernel/config/vgpu-soft
a=$root/a
pci=/sys/bus/pci/devices

check "mkdir" mkdir $a
check "default size" is "$(cat $a/vram_size)" 4294967296
check "default types" is "$(cat $a/types)" ""
check "off" is "$(cat $a/power)" 0
check "no address while off" is "$(cat $a/pci_address)" ""

for bad in " " x -1 1 4097 16777215 64Mx "64 M" 1G1 0x4000000; do
	check "vram_size \"$bad\"" writes "Invalid argument" "$bad" $a/vram_size
done
# 2^44 TiB and 64 MiB are 64 MiB in 64 bits.
for bad in 0 2M 14M 2T 16E 18446744073776660480 17592186044480M; do
	check "vram_size $bad" writes "out of range" $bad $a/vram_size
done
check "vram_size 64M" writes ok 64M $a/vram_size
check "vram_size reads back" is "$(cat $a/vram_size)" 67108864
check "vram_size in decimal" writes ok 064M $a/vram_size
check "vram_size in decimal reads back" is "$(cat $a/vram_size)" 67108864
check "vram_size in bytes" writes ok 134217728 $a/vram_size

for bad in x Q 16 16q 16QQ 016Q ,16Q "16Q," "16Q 32Q" 16X 99999999Q; do
	check "types \"$bad\"" writes "Invalid argument" "$bad" $a/types
done
for bad in 8Q 256Q 17Q; do
	check "types $bad" writes "out of range" $bad $a/types
done
check "types twice" writes "File exists" 16Q,32Q,16Q $a/types
check "types too long" writes "too long" "$(printf '16Q,%.0s' $(seq 200))16Q" $a/types
check "types 16Q,128C" writes ok 16Q,128C $a/types
check "types read back" is "$(cat $a/types)" 16Q,128C
check "VRAM below the types" writes "out of range" 64M $a/vram_size

for bad in x 0x -2 1024 99999 99999999999; do
	check "numa_node \"$bad\"" writes "Invalid argument" "$bad" $a/numa_node
done
check "default numa_node" is "$(cat $a/numa_node)" -1
check "numa_node 0" writes ok 0 $a/numa_node

check "power x" writes "Invalid argument" x $a/power
check "power on" writes ok 1 $a/power
check "power reads 1" is "$(cat $a/power)" 1
check "power on again" writes ok 1 $a/power
check "vram_size while on" writes "busy" 256M $a/vram_size
check "types while on" writes "busy" 16Q $a/types
bdf=$(cat $a/pci_address)
check "numa_node while on" writes "busy" -1 $a/numa_node
if [ -e "$pci/$bdf/numa_node" ]; then
	check "numa_node of the PCI device" is "$(cat "$pci/$bdf/numa_node")" 0
else
	skip "numa_node of the PCI device" "a kernel without NUMA"
fi
check "PCI device" test -e "$pci/$bdf/mdev_supported_types"
check "driver" is "$(basename "$(readlink "$pci/$bdf/driver")")" vgpu
check "its types" is "$(cd "$pci/$bdf/mdev_supported_types" && echo *)" \
	"vgpu-128C vgpu-16Q"

b=$root/b
mkdir $b
check "second GPU, generated types" writes ok 16M $b/vram_size
check "second GPU on" writes ok 1 $b/power
bdf2=$(cat $b/pci_address)
check "another address" test "$bdf" != "$bdf2"
check "second GPU's types" is "$(cd "$pci/$bdf2/mdev_supported_types" && echo *)" \
	"vgpu-16B vgpu-16C vgpu-16Q vgpu-16V"

uuid=$(cat /proc/sys/kernel/random/uuid)
check "vGPU" writes ok "$uuid" "$pci/$bdf/mdev_supported_types/vgpu-16Q/create"
check "power off with an idle vGPU" writes ok 0 $a/power
check "vGPU gone" test ! -e "/sys/bus/mdev/devices/$uuid"
check "PCI device gone" test ! -e "$pci/$bdf"
check "on again" writes ok 1 $a/power

# In use: a process holds the vGPU's group and device open.
drv=/sys/bus/pci/drivers/vgpu
hold_one()
{
	bdf=$(cat $a/pci_address)
	check "vGPU again" writes ok "$uuid" \
		"$pci/$bdf/mdev_supported_types/vgpu-16Q/create"
	../lib/holder "$uuid" > /tmp/holder.out &
	holder=$!
	check "held" within 20 grep -q open /tmp/holder.out
}
# unplug COMMAND: run it, which waits for the process, until it has begun to remove the
# vGPU; it goes on as $unplugger
unplug()
{
	sh -c "$1" &
	unplugger=$!
	check "the vGPU is being removed" within 20 \
		test ! -e "$pci/$bdf/mdev_supported_types/vgpu-16Q/migration_version"
}
let_go()
{
	kill $holder
	wait $holder 2>/dev/null
}

hold_one
check "power off while in use" writes "busy" 0 $a/power
check "rmmod while in use" sh -c '! rmmod vgpu_soft 2>/dev/null'
let_go
check "power off after use" writes ok 0 $a/power

# While its driver is being unbound, which waits for the process.
check "on once more" writes ok 1 $a/power
hold_one
unplug "echo $bdf > $drv/unbind"
check "power off while unbinding" in_time 20 writes "busy" 0 $a/power
check "another GPU meanwhile: off" in_time 20 writes ok 0 $b/power
check "another GPU meanwhile: on" in_time 20 writes ok 1 $b/power
check "a backend is loaded meanwhile" in_time 20 modprobe vgpu-linear
check "and unloaded" in_time 20 rmmod vgpu_linear
let_go
wait $unplugger
check "power off after unbinding" in_time 20 writes ok 0 $a/power

# While its PCI device is removed: that holds a lock of all of PCI until the process
# lets go.  Who does not need it does not wait for it, and who does not for long.
c=$root/c
mkdir $c
check "on for a removal" writes ok 1 $a/power
bdf2=$(cat $b/pci_address)
hold_one
unplug "echo 1 > $pci/$bdf/remove"
check "power off while removing" in_time 20 writes "busy" 0 $a/power
check "power on of another GPU" in_time 20 writes "busy" 1 $c/power
check "it is off" is "$(cat $c/power)" 0
check "power off of another GPU" in_time 20 writes ok 0 $b/power
check "its types are gone" test ! -e "$pci/$bdf2/mdev_supported_types"
check "its PCI device waits" test -e "$pci/$bdf2"
check "rmdir of another GPU" in_time 20 rmdir $b
let_go
wait $unplugger
check "its PCI device goes then" within 20 test ! -e "$pci/$bdf2"
check "power on of another GPU then" in_time 20 writes ok 1 $c/power
check "without its PCI device it goes off" in_time 20 writes ok 0 $a/power

bdf2=$(cat $c/pci_address)
check "rmdir while on" rmdir $c
check "its PCI device gone" test ! -e "$pci/$bdf2"
check "rmdir" rmdir $a
ktap_end
