#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mdevctl: types, definitions with attributes, and vGPUs that come back with the
# module.
. ../lib/ktap.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
params=vgpu/vgpu_params

if ! command -v mdevctl > /dev/null; then
	skip "mdevctl" "not installed"
	ktap_end
fi

check "types: parent" prints "$bdf" mdevctl types
check "types: type" prints "vgpu-64Q" mdevctl types
check "types: name" prints "Name: $vgpu_model-64Q" mdevctl types
check "types: API" prints "Device API: vfio-pci" mdevctl types

check "udev sees to events at once" udev on

# Only for now, without a definition
check "start" mdevctl start -u "$uuid" -p "$bdf" -t vgpu-64Q
check "there" test -e "$dev"
check "list" prints "$uuid $bdf vgpu-64Q" mdevctl list
check "not defined" prints_not "$uuid" mdevctl list --defined
check "stop" mdevctl stop -u "$uuid"
check "gone" test ! -e "$dev"

check "define" mdevctl define --auto -u "$uuid" -p "$bdf" -t vgpu-64Q
check "defined" prints "$uuid $bdf vgpu-64Q auto" mdevctl list --defined
check "not there yet" test ! -e "$dev"
check "start by definition" mdevctl start -u "$uuid"
check "there, as defined" prints "$uuid $bdf vgpu-64Q auto (defined)" mdevctl list

mdevctl stop -u "$uuid"
check "attribute" mdevctl modify -u "$uuid" --addattr=$params \
	--value=frame_rate_limiter=0
check "attribute in the definition" prints "$params" \
	mdevctl list --defined --dumpjson -u "$uuid"
check "start with the attribute" mdevctl start -u "$uuid"
check "it is in force" prints "frame_rate_limiter=0" cat "$dev/$params"
mdevctl stop -u "$uuid"
mdevctl modify -u "$uuid" --delattr --index=0
mdevctl modify -u "$uuid" --addattr=$params --value=no_such_key=1
check "a bad value is an error" fails mdevctl start -u "$uuid"
check "and leaves no vGPU" test ! -e "$dev"
mdevctl modify -u "$uuid" --delattr --index=0
mdevctl modify -u "$uuid" --addattr=$params --value=frame_rate_limiter=0

# Debian 13's rule for udev calls /usr/sbin/mdevctl, and its package installs
# /usr/bin/mdevctl.
rule=$(cat /usr/lib/udev/rules.d/60-mdevctl.rules 2>/dev/null)
case $rule in
*/usr/sbin/mdevctl*)
	[ -e /usr/sbin/mdevctl ] || ln -s ../bin/mdevctl /usr/sbin/mdevctl
	;;
esac

if [ "$rule" ] && [ -S /run/udev/control ]; then
	check "start before the reload" mdevctl start -u "$uuid"
	check "unload" sh -c "rmmod $vgpu_backend && rmmod vgpu"
	check "gone with the module" test ! -e "$dev"
	check "load" modprobe $vgpu_backend
	check "back with the module" within 30 test -e "$dev"
	# The rule runs for more than one event, and would start it once more.
	check "udev has seen to it" udevadm settle -t 60
	check "as it was defined" prints "$uuid $bdf vgpu-64Q auto (defined)" \
		mdevctl list
	check "with its attributes" \
		prints "frame_rate_limiter=0" cat "$dev/$params"
	check "stop after the reload" mdevctl stop -u "$uuid"
else
	skip "back with the module" "no udev"
fi
check "undefine" mdevctl undefine -u "$uuid"
check "not defined any more" prints_not "$uuid" mdevctl list --defined
check "nothing is left" test ! -e "$dev"
ktap_end
