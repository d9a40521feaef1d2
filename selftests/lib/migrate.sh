# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts that move a guest from one QEMU to another.
. ../lib/guest.sh

# Where the kernel keeps a log of what devices write to the guest's memory, QEMU
# migrates without being told to.
migrate_option=,enable-migration=on
grep -q ' iova_bitmap_set' /proc/kallsyms && migrate_option=
# How long a guest may stand still, in ms, and how fast the last data goes.  A kernel
# without MIG_DATA_SIZE (before 6.2) does not say how much that is, and QEMU takes it
# for 100 GiB, which at the speed that it has seen would take too long.
migrate_limits="downtime-limit=20000"
case $(uname -r) in
6.1.*) migrate_limits="$migrate_limits avail-switchover-bandwidth=10737418240" ;;
esac

# start DIR DISPLAY UUID... [-QEMU-ARGUMENT...]: a QEMU with those vGPUs, called
# vgpu1 and so on; what is asked of a guest from here on is asked of this one
start()
{
	guest_dir=$1 _display=$2 _n=0 _vgpus=
	shift 2
	while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
		_n=$((_n + 1))
		_vgpus="$_vgpus -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/$1,display=on,id=vgpu$_n,bus=slot$_n$migrate_option"
		shift
	done
	# shellcheck disable=SC2086 # words
	guest_start -vnc "127.0.0.1:$_display" -name "$guest_dir" $_vgpus "$@"
}

# qmp COMMAND...: what QEMU answers
qmp()
{
	../lib/qmp "$guest_dir/qmp" "$@"
}

# waits: this QEMU has come up and waits for a guest
waits()
{
	qmp query-status until:status=inmigrate > /dev/null
}

# send URI: move the guest there; it runs meanwhile
send()
{
	# shellcheck disable=SC2086 # words
	_said=$(qmp migrate-set-parameters max-bandwidth=0 $migrate_limits , \
		migrate "uri=$1" , query-migrate "until:status=completed|failed") ||
		return 1
	echo "$_said" | sed 's/.*"downtime": \([0-9]*\).*/# stopped for \1 ms/'
	echo "$_said" | sed 's/.*"vfio": {"transferred": \([0-9]*\)}.*/# \1 bytes of vGPUs/'
	case $_said in
	*completed*) return 0 ;;
	esac
	echo "# $_said"
	return 1
}

# arrived: the guest runs in this QEMU
arrived()
{
	qmp query-status until:status=running > /dev/null && return 0
	guest_said
	return 1
}

# leave: remember the QEMU that is asked now as the source, before start()
leave()
{
	source_dir=$guest_dir source_pid=$guest_pid source_cat=$guest_cat
	exec 8>&9
}

# move URI: from the source to the QEMU that was started last
move()
{
	_target=$guest_dir guest_dir=$source_dir
	send "$1"
	_ret=$?
	[ $_ret = 0 ] || guest_said
	guest_dir=$_target
	return $_ret
}

# left: the source ends, if it has not by itself
left()
{
	if ! kill "$source_pid" 2> /dev/null; then
		wait "$source_pid" 2> /dev/null
		echo "# the source had ended already, status $?"
	fi
	kill "$source_cat" 2> /dev/null
	wait "$source_pid" "$source_cat" 2> /dev/null
	exec 8>&-
}
