#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading: parameters, unload with vGPUs there, unbind and bind, and
# under the hands of everybody who uses them.
. ../lib/ktap.sh
[ -z "$VGPU_PGPU" ] || skip_all "for software GPUs"

drv=/sys/bus/pci/drivers/vgpu
# Where every allocation is watched each load takes seconds.
loads=10 rounds=4
if [ -e /sys/kernel/debug/kmemleak ]; then
	loads=3 rounds=2
fi
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
while [ $n -lt $loads ] && load nr_gpus=2 && unload; do
	n=$((n + 1))
done
check "$loads times load and unload" is $n $loads

# Others at it while modules go and come.  Each of them may be refused at any time;
# nothing may hang, which "ended" notices.
go=$(mktemp)
churn()
{
	while [ -e "$go" ]; do
		"$@"
		sleep 0.2
	done > /dev/null 2>&1
}
new_vgpu()
{
	for _create in "$drv"/????:*/mdev_supported_types/vgpu-16Q/create; do
		echo "$1" > "$_create"
	done
}
make_one()
{
	_uuid=$(cat /proc/sys/kernel/random/uuid)
	(new_vgpu "$_uuid")
	sleep 0.1
	(echo 1 > "/sys/bus/mdev/devices/$_uuid/remove")
}
read_types()
{
	cat $drv/????:*/mdev_supported_types/*/*
}
# Also while it is being opened, or after the modules went under it.
hold_one()
{
	_uuid=$(cat /proc/sys/kernel/random/uuid)
	(new_vgpu "$_uuid")
	if [ -e "/sys/bus/mdev/devices/$_uuid" ]; then
		../lib/holder "$_uuid" &
		sleep "0.$1"
		kill -9 $!
		wait $!
		echo held >> "$go.held"
	fi
	(echo 1 > "/sys/bus/mdev/devices/$_uuid/remove")
}
# ended COMMAND...: it ends, in its own way; its status is in _status
ended()
{
	rm -f "$go.status"
	(
		"$@" 2> /dev/null
		echo $? > "$go.status"
	) &
	_tries=0
	while [ ! -s "$go.status" ]; do
		_tries=$((_tries + 1))
		if [ $_tries -gt 600 ]; then
			echo "# does not end: $*"
			return 1
		fi
		sleep 0.1
	done
	_status=$(cat "$go.status")
	[ "$_status" = 0 ] && echo "$*" >> "$go.done"
	return 0
}
# Sooner or later nobody has a vGPU open.
busy_unload()
{
	for _ in 1 2 3 4 5; do
		ended rmmod vgpu_soft || return
		[ "$_status" = 0 ] && break
		sleep 0.1
	done
	ended rmmod vgpu
}
busy_round()
{
	busy_unload && ended modprobe vgpu-soft nr_gpus=2 && sleep 0.5
}

check "load for everybody" load nr_gpus=2
churn make_one &
churners=$!
churn read_types &
churners="$churners $!"
churn hold_one 1 &
churners="$churners $!"
churn hold_one 5 &
churners="$churners $!"
n=0
while [ $n -lt $rounds ] && busy_round; do
	n=$((n + 1))
done
check "nothing hangs under load" is $n $rounds
rm -f "$go"
# Each of them is in the middle of one round at most.
for pid in $churners; do
	check "process $pid ends" ended tail --pid="$pid" -f /dev/null
done
for what in "rmmod vgpu_soft" "rmmod vgpu" "modprobe vgpu-soft nr_gpus=2"; do
	n=$(grep -cx "$what" "$go.done")
	echo "# $what: $n times"
	check "$what succeeds under load" test "$n" -gt 0
done
n=$(wc -l < "$go.held")
echo "# held and killed: $n times"
check "held and killed" test "$n" -gt 0
rm -f "$go.held" "$go.done" "$go.status"
lsmod | grep -q vgpu_soft || load
check "unload after all that" within 10 unload
check "nothing is left" test ! -e /sys/module/vgpu

check "load for the next test" load
bdf=$(basename $drv/????:*)
check "vGPU of the next test" writes ok "$uuid" "$drv/$bdf/$type/create"
../lib/holder "$uuid" > "$go" &
holder=$!
check "opens" within 20 grep -q open "$go"
kill $holder
wait $holder 2> /dev/null
check "and goes" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
rm -f "$go"
ktap_end
