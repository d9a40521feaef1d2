#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with two vGPUs, whose memory it writes and checks all the time, moves
# back and forth between QEMUs, VGPU_TEST_MIGRATIONS times; and between GPUs of two
# kinds, where there is a PCI device and a software GPU.
. ../lib/ktap.sh
. ../lib/migrate.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
# Beside a PCI device, the other kind.
[ -z "$VGPU_PGPU" ] || modprobe vgpu-soft
first=$(ls -d $drv/????:* | sed -n 1p)
last=$(ls -d $drv/????:* | sed -n '$p')
mdev=/sys/bus/mdev/devices
times=${VGPU_TEST_MIGRATIONS:-2}

here_1='' here_2='' there_1='' there_2=''
for vgpu in here_1 here_2 there_1 there_2; do
	uuid=$(cat /proc/sys/kernel/random/uuid)
	gpu=$first
	[ "${vgpu%_?}" = here ] || gpu=$last
	writes ok "$uuid" "$gpu/mdev_supported_types/vgpu-64Q/create" || exit 1
	eval "$vgpu=$uuid"
done

# slab: KiB that the kernel has for itself
slab()
{
	sed -n 's/^Slab: *\([0-9]*\).*/\1/p' /proc/meminfo
}

# there N: move to vGPUs and a QEMU that nobody uses, the Nth time
there()
{
	leave
	if [ $(($1 % 2)) = 1 ]; then
		start "/tmp/guest-$1" 8 "$there_1" "$there_2" \
			-incoming unix:/tmp/pingpong.sock
	else
		start "/tmp/guest-$1" 7 "$here_1" "$here_2" \
			-incoming unix:/tmp/pingpong.sock
	fi
	waits && move unix:/tmp/pingpong.sock
	_moved=$?
	left
	rm -rf "$source_dir"
	[ $_moved = 0 ] && arrived
}

# shellcheck disable=SC2034 # for guest_append
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
# Memory of a device that has a driver is else nobody's to map.
guest_options=iomem=relaxed
start /tmp/guest-0 7 "$here_1" "$here_2"
check "the guest comes up" guest_wait "guest: ready" 240
cat >&9 <<'EOF'
for dev in /sys/bus/pci/devices/*; do [ "$(cat $dev/vendor)" = 0x1234 ] && resources="$resources $dev/resource0"; done; (/bin/pattern /stop $resources; echo "guest: pattern $?") &
EOF
sleep 3
before=$(slab)
n=0
failed=0
while [ $n -lt "$times" ] && [ $failed = 0 ]; do
	n=$((n + 1))
	there $n || failed=$n
done
check "$times migrations of two vGPUs" is $failed 0
echo "# from ${first##*/} to ${last##*/} and back"
grew=$(($(slab) - before))
echo "# slab grew by $grew KiB"
if [ -e /sys/kernel/debug/kmemleak ]; then
	skip "nothing is left behind" "kmemleak and KASAN keep memory of their own"
else
	check "nothing is left behind" test $grew -lt 4096
fi
echo ": > /stop" >&9
check "the guest has found what it had written" guest_wait "guest: pattern 0" 120
grep "^pattern" "$guest_dir/serial" | sed 's/^/# /'
guest_stop
for uuid in $here_1 $here_2 $there_1 $there_2; do
	check "removed" writes ok 1 "$mdev/$uuid/remove"
done
[ -z "$VGPU_PGPU" ] || rmmod vgpu_soft
ktap_end
