#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Physical GPUs that go while a guest uses a vGPU of each: one is unbound, the
# other removed from its bus.  The guest lets go of one vGPU and keeps the other.
. ../lib/ktap.sh
. ../lib/guest.sh
need_guest

pci=/sys/bus/pci
drv=$pci/drivers/vgpu
config=/sys/kernel/config/vgpu-soft
first=$(basename "$(ls -d $drv/????:* | head -n 1)")

# With a PCI device as the first, the second is of another kind.
[ -e $config ] || modprobe vgpu-soft nr_gpus=0
mkdir $config/unplug && echo 64M > $config/unplug/vram_size &&
	echo 1 > $config/unplug/power || exit 1
second=$(cat $config/unplug/pci_address)
check "two GPUs" test "$first" != "$second"

# new GPU: a vGPU on it, its UUID in $uuid
new()
{
	uuid=$(cat /proc/sys/kernel/random/uuid)
	check "vGPU on ${2:-it}" writes ok "$uuid" \
		"$drv/$1/mdev_supported_types/vgpu-16Q/create"
}

new "$first" "the first"
a=$uuid
full=$(($(cat "$drv/$first/mdev_supported_types/vgpu-16Q/available_instances") + 1))
new "$second" "the second"
b=$uuid
mdev=/sys/bus/mdev/devices
# shellcheck disable=SC2034 # guest.sh uses it
guest_nonce=00000000
guest_start \
	-device "vfio-pci,sysfsdev=$mdev/$a,display=off,bus=slot1,id=a" \
	-device "vfio-pci,sysfsdev=$mdev/$b,display=off,bus=slot2,id=b"
check "the guest comes up" guest_wait "guest: ready" 240

check "it has both" guest_until 20 guest_counts 2

# ends COMMAND: within a hundred seconds; else the guest ends, and with it what
# waits for it
ends()
{
	rm -f /tmp/unplug.done
	{ sh -c "$1" && : > /tmp/unplug.done; } &
	_pid=$!
	if within 100 test -e /tmp/unplug.done; then
		return 0
	fi
	guest_state
	kill "$guest_pid"
	wait $_pid
	return 1
}

check "unbind the first" ends "echo $first > $drv/unbind"
check "its vGPU is gone" test ! -e "$mdev/$a"
check "the guest has the other" guest_until 20 guest_counts 1
check "QEMU too" guest_unplugged a
check "bind it again" writes ok "$first" $drv/bind
check "all of its memory is free" is \
	"$(cat "$drv/$first/mdev_supported_types/vgpu-16Q/available_instances")" \
	"$full"

check "remove the second" ends "echo 1 > $pci/devices/$second/remove"
check "its vGPU is gone" test ! -e "$mdev/$b"
check "the guest has none" guest_until 20 guest_counts 0
check "rescan" writes ok 1 $pci/rescan
check "the second is back" test -e "$drv/$second"
echo 'echo "guest: lives at $((6 * 7))"' >&9
check "the guest lives on" guest_wait "guest: lives at 42" 10
# But for these: as soon as it closes the last device, VFIO detaches the group
# from the container, and sometimes is faster than QEMU, which wants to do that
# itself and to unmap the guest's memory before.
check "QEMU has no complaint" sh -c "! grep -v -e 'error disconnecting group' \
	-e 'dma_unmap.* -22 (Invalid argument)' '$guest_dir/qemu.log'"
guest_stop

# As good as before.
new "$first" "the first again"
check "remove" writes ok 1 "$mdev/$uuid/remove"
new "$second" "the second again"
check "remove" writes ok 1 "$mdev/$uuid/remove"
check "power off" rmdir $config/unplug
[ -z "$VGPU_PGPU" ] || rmmod vgpu_soft
ktap_end
