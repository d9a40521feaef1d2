#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest that draws moves from one QEMU to another on the same lab host, and
# through a file back.
. ../lib/ktap.sh
. ../lib/migrate.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
type=$drv/$bdf/mdev_supported_types/vgpu-64Q
picture=/tmp/migrate.png
state=/tmp/migrate.state

picture_is_card()
{
	guest_screen vgpu1 $picture || return 1
	_seen=$(../lib/check-picture $picture "$1" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# draw NAME: have the guest draw cards without end, until the file NAME is there,
# and then that of $last
draw()
{
	last=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	cat >&9 <<-EOT
	(n=0; while [ ! -e /$1 ]; do /bin/card \$(printf %08x \$n) > /dev/null; n=\$((n+1)); done; /bin/card $last; echo "guest: $1 \$? after \$n") &
	EOT
	sleep 3
}

# drawn NAME: it goes on drawing after it has moved, and ends with that card
drawn()
{
	echo ": > /$1" >&9
	guest_wait "guest: $1 0 after" 120 || return 1
	grep "guest: $1" "$guest_dir/serial" | sed 's/^/# /'
	picture_is_card "$last"
}

one=$(cat /proc/sys/kernel/random/uuid)
two=$(cat /proc/sys/kernel/random/uuid)
writes ok "$one" "$type/create" || exit 1
writes ok "$two" "$type/create" || exit 1
mdev=/sys/bus/mdev/devices
check "migration_version: the target takes the source" \
	writes ok "$(cat $mdev/$one/migration_version)" $mdev/$two/migration_version

guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
start /tmp/guest-one 7 "$one"
check "the guest comes up" guest_wait "guest: ready" 240
check "its picture" picture_is_card "$guest_nonce"
draw first

leave
start /tmp/guest-two 8 "$two" -incoming unix:/tmp/migrate.sock
check "the target waits" waits
check "live, from one QEMU to another" move unix:/tmp/migrate.sock
left
check "it runs there" arrived
check "it goes on drawing" drawn first
check "the first vGPU is free" within 10 in_use "$one" 0

# To a file, and on in a QEMU that is started later.
draw second
check "to a file" send "file:$state"
leave
left
check "the file is there" test -s $state
ls -l $state | sed 's/^/# /'
start /tmp/guest-one 7 "$one" -incoming "file:$state"
check "it runs again" arrived
check "it goes on drawing from the file" drawn second
guest_stop
rm -f $state

check "both can be removed" writes ok 1 $mdev/$one/remove
check "and the other" writes ok 1 $mdev/$two/remove
ktap_end
