#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest that draws moves from one QEMU to another on the same lab host, and
# through a file back.
. ./lib/ktap.sh
. /vgpu/tools/labhost/guest.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
type=$drv/$bdf/mdev_supported_types/vgpu-64Q
picture=/tmp/migrate.png
state=/tmp/migrate.state

# start DIR UUID DISPLAY [QEMU-ARGUMENT...]: a QEMU with that vGPU; what is asked
# of a guest from here on is asked of this one
start()
{
	guest_dir=$1 uuid=$2 display=$3
	shift 3
	guest_start -vnc "127.0.0.1:$display" -name "$guest_dir" \
		-device "vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,id=vgpu,bus=slot1,enable-migration=on" \
		"$@"
}

qmp()
{
	/vgpu/tools/labhost/qmp "$guest_dir/qmp" "$@"
}

# The word after STATUS in what QEMU says of itself.
status_is()
{
	_said=$(qmp "$1") || return 1
	case $_said in
	*"\"status\": \"failed\""*)
		echo "# $_said"
		return 0
		;;
	*"\"status\": \"$2\""*) return 0 ;;
	esac
	return 1
}

# send URI: move the guest there; it runs meanwhile
send()
{
	qmp migrate-set-parameters max-bandwidth=0 downtime-limit=20000 &&
		qmp migrate "uri=$1" && within 240 status_is query-migrate completed &&
		_said=$(qmp query-migrate) || return 1
	echo "$_said" | sed 's/.*"downtime": \([0-9]*\).*/# stopped for \1 ms/'
	echo "$_said" | sed 's/.*"vfio": {"transferred": \([0-9]*\)}.*/# \1 bytes of the vGPU/'
	case $_said in
	*completed*) return 0 ;;
	esac
	echo "# $_said"
	return 1
}

# arrived: the guest runs in this QEMU
arrived()
{
	within 120 status_is query-status running && return 0
	sed 's/^/# /' "$guest_dir/qemu.log"
	return 1
}

picture_is_card()
{
	guest_screen vgpu $picture || return 1
	_seen=$(/vgpu/tools/labhost/check-picture $picture "$1" 2>&1)
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
start /tmp/guest-one "$one" 7
check "the guest comes up" guest_wait "guest: ready" 240
check "its picture" picture_is_card "$guest_nonce"
draw first
one_dir=$guest_dir one_pid=$guest_pid one_cat=$guest_cat
exec 8>&9

start /tmp/guest-two "$two" 8 -incoming unix:/tmp/migrate.sock
two_pid=$guest_pid two_cat=$guest_cat
check "the target waits" within 60 status_is query-status inmigrate
guest_dir=$one_dir
check "live, from one QEMU to another" send unix:/tmp/migrate.sock
kill "$one_pid" "$one_cat"
wait "$one_pid" "$one_cat" 2> /dev/null
exec 8>&-
guest_dir=/tmp/guest-two guest_pid=$two_pid
check "it runs there" arrived
check "it goes on drawing" drawn first
check "the first vGPU is free" within 10 is "$(cat $mdev/$one/vgpu/busy)" 0

# To a file, and on in a QEMU that is started later.
draw second
check "to a file" send "file:$state"
kill "$two_pid" "$two_cat"
wait "$two_pid" "$two_cat" 2> /dev/null
check "the file is there" test -s $state
ls -l $state | sed 's/^/# /'
start /tmp/guest-one "$one" 7 -incoming "file:$state"
check "it runs again" arrived
check "it goes on drawing from the file" drawn second
guest_stop
rm -f $state

check "both can be removed" writes ok 1 $mdev/$one/remove
check "and the other" writes ok 1 $mdev/$two/remove
ktap_end
