#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A VMM that does not let go of a vGPU: it is asked, then the vGPU is revoked,
# and removal completes when the VMM has closed it.
. ../lib/ktap.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
param=/sys/module/vgpu/parameters/revoke_seconds

says()
{
	grep -q "$1" /tmp/holder.out && return 0
	sed 's/^/# /' /tmp/holder.out
	return 1
}

wait_for()
{
	for _ in $(seq "$2"); do
		grep -q "$1" /tmp/holder.out && return 0
		sleep 0.5
	done
	sed 's/^/# /' /tmp/holder.out
	return 1
}

old=$(cat $param)
check "default time to let go" is "$old" 60
echo 10 > $param
writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-16Q/create"
check "not busy" is "$(cat "$dev/vgpu/busy")" 0
check "asking for an idle one" writes ok 1 "$dev/vgpu/request"
../lib/holder "$uuid" watch > /tmp/holder.out &
holder=$!
check "held" wait_for open 20
check "busy" is "$(cat "$dev/vgpu/busy")" 1

sh -c "echo 1 > $dev/remove; echo removed >> /tmp/holder.out" &
remover=$!
check "asked" wait_for asked 20
check "still there" says "config 1234"
check "revoked" wait_for "config ffff" 60
check "BAR0 reads ones" wait_for "bar0 ffffffff" 10
check "the mapping is gone" wait_for "SIGBUS" 10
check "reset is harmless" wait_for "reset" 10
check "not removed yet" sh -c "! grep -q removed /tmp/holder.out"
kill $holder
wait $holder 2>/dev/null
check "removed after close" wait_for removed 40
wait $remover
check "gone" test ! -e "$dev"
echo "$old" > $param

# The same by unbinding the GPU, with a holder that lets go when asked.
writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-16Q/create"
../lib/holder "$uuid" obey > /tmp/holder.out &
holder=$!
check "held again" wait_for open 20
check "unbind with an obedient user" timeout 30 sh -c "echo $bdf > $drv/unbind"
wait $holder
check "gone with the GPU" test ! -e "$dev"
check "bind" writes ok "$bdf" $drv/bind

# A PCI device is removed that is in use, and software GPUs are to come.
if [ "$VGPU_PGPU" ]; then
	writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-16Q/create"
	../lib/holder "$uuid" > /tmp/holder.out &
	holder=$!
	check "held once more" wait_for open 20
	sh -c "echo 1 > /sys/bus/pci/devices/$bdf/remove" &
	remover=$!
	check "it is being removed" within 20 \
		test ! -e "$drv/$bdf/mdev_supported_types/vgpu-16Q/migration_version"
	check "vgpu-soft is loaded" in_time 40 modprobe vgpu-soft nr_gpus=1
	check "its GPU is not there" sh -c "! ls -d $drv/f*:* 2>/dev/null"
	kill $holder
	wait $holder 2>/dev/null
	wait $remover
	check "its GPU comes" within 20 sh -c "ls -d $drv/f*:*"
	check "it is unloaded" in_time 20 rmmod vgpu_soft
	check "rescan" writes ok 1 /sys/bus/pci/rescan
	echo vgpu > "/sys/bus/pci/devices/$bdf/driver_override"
	[ -e "$drv/$bdf" ] || echo "$bdf" > $drv/bind
	check "the removed one is back" test -e "$drv/$bdf"
else
	skip "vgpu-soft is loaded" "it is there already"
fi
ktap_end
