#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading: parameters, unload with vGPUs there, unbind and bind.
. ./lib/ktap.sh
[ -z "$VGPU_PGPU" ] || skip_all "for software GPUs"

drv=/sys/bus/pci/drivers/vgpu
gpus()
{
	(cd $drv && ls -d ????:* 2>/dev/null | wc -l)
}
load()
{
	modprobe vgpu-soft "$@" 2>/dev/null
}
unload()
{
	rmmod vgpu_soft && rmmod vgpu
}
refused()
{
	if load "$@"; then
		return 1
	fi
	[ "$(gpus)" = 0 ]
}

check "unload what was loaded" unload
check "nr_gpus=3" load nr_gpus=3 vram_mib=64
check "three GPUs" is "$(gpus)" 3
check "unload three" unload
check "nr_gpus=0" load nr_gpus=0
check "no GPU" is "$(gpus)" 0
check "unload none" unload
check "nr_gpus=17 refused" refused nr_gpus=17
check "vram_mib=0 refused" refused vram_mib=0
check "vram_mib=17 refused" refused vram_mib=17
check "vram_mib=8 refused" refused vram_mib=8
check "vram_mib too large refused" refused vram_mib=1048578
rmmod vgpu 2>/dev/null

check "load" load
bdf=$(basename $drv/????:*)
uuid=$(cat /proc/sys/kernel/random/uuid)
type=mdev_supported_types/vgpu-64Q
check "vGPU" writes ok "$uuid" "$drv/$bdf/$type/create"
check "unbind with a vGPU" writes ok "$bdf" $drv/unbind
check "vGPU gone" test ! -e "/sys/bus/mdev/devices/$uuid"
check "types gone" test ! -e "/sys/bus/pci/devices/$bdf/mdev_supported_types"
check "bind" writes ok "$bdf" $drv/bind
check "vGPU after bind" writes ok "$uuid" "$drv/$bdf/$type/create"
check "unload with a vGPU" unload
check "vGPU gone with the module" test ! -e "/sys/bus/mdev/devices/$uuid"

# The device can go by itself; the GPU behind it stays until unload.
check "load again" load
bdf=$(basename $drv/????:*)
check "remove the PCI device" writes ok 1 "/sys/bus/pci/devices/$bdf/remove"
check "no GPU left" is "$(gpus)" 0
check "rescan" writes ok 1 /sys/bus/pci/rescan
check "GPU back" is "$(gpus)" 1
check "unload after rescan" unload

n=0
while [ $n -lt 10 ] && load nr_gpus=2 && unload; do
	n=$((n + 1))
done
check "ten times load and unload" is $n 10
check "load for the next test" load
ktap_end
