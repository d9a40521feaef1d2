#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mdevctl and libvirt find the GPU, its types and its vGPUs.
. ./lib/ktap.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
node=pci_$(echo "$bdf" | tr :. __)
uuid=$(cat /proc/sys/kernel/random/uuid)

says()
{
	_text=$1
	shift
	_out=$("$@" 2>&1)
	case $_out in
	*"$_text"*) return 0 ;;
	esac
	echo "$_out" | sed 's/^/# /'
	return 1
}

if command -v mdevctl > /dev/null; then
	check "mdevctl types: parent" says "$bdf" mdevctl types
	check "mdevctl types: type" says "vgpu-64Q" mdevctl types
	check "mdevctl types: name" says "Name: VSOFT-64Q" mdevctl types
	check "mdevctl start" mdevctl start -u "$uuid" -p "$bdf" -t vgpu-64Q
	check "mdevctl list" says "$uuid $bdf vgpu-64Q" mdevctl list
	check "mdevctl stop" mdevctl stop -u "$uuid"
	check "gone" test ! -e "/sys/bus/mdev/devices/$uuid"
else
	skip "mdevctl" "not installed"
fi

if command -v virsh > /dev/null; then
	check "virsh nodedev-list --cap mdev_types" says "$node" \
		virsh -q nodedev-list --cap mdev_types
	check "virsh nodedev-dumpxml" says "<type id='vgpu-64Q'>" \
		virsh -q nodedev-dumpxml "$node"
	check "libvirt: device API" says "<deviceAPI>vfio-pci</deviceAPI>" \
		virsh -q nodedev-dumpxml "$node"
	check "libvirt: instances" says "<availableInstances>64</availableInstances>" \
		virsh -q nodedev-dumpxml "$node"
else
	skip "libvirt" "not installed"
fi
ktap_end
