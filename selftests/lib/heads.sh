# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts whose guest draws on all heads, with guest/heads.c.
. ../lib/guest.sh

# "peer", which is QEMU's own virtio-gpu, or "vgpu" with its UUID.
device=vgpu uuid=''
heads="0 1 2 3"
# The last one that was looked at.
picture=/tmp/heads.png
# Lines that the guest had said when it was asked last.
mark=0
# For QEMU's D-Bus display.
bus=unix:path=/tmp/heads.bus

# checks NAME COMMAND...: check, with whose device it is
checks()
{
	_checked=$device:\ $1
	shift
	check "$_checked" "$@"
}

# heads_type: the directory of a type of series V is $type
heads_type()
{
	_types=$(echo /sys/bus/pci/drivers/vgpu/????:*/mdev_supported_types)
	_types=${_types%% *}
	for type in "$_types/vgpu-128V" "$_types/vgpu-256V" "$_types/vgpu-64V"; do
		[ ! -e "$type" ] || return 0
	done
	return 1
}

said()
{
	tr -d '\r' < "$guest_dir/serial"
}

# says TEXT: the guest has said so since the last mark
says()
{
	said | tail -n +"$((mark + 1))" | grep "$1" > /dev/null && return 0
	said | tail -n 8 | sed 's/^/# /'
	return 1
}

mark_it()
{
	mark=$(said | wc -l)
}

answered()
{
	said | tail -n +"$((mark + 1))" | grep "^$1" > /dev/null
}

# shell COMMAND: the guest's shell runs it, and succeeds
shell()
{
	mark_it
	echo "$1" >&9
	guest_until 120 answered "guest: done" && says "^guest: done 0"
}

# tell COMMAND: heads in the guest does that
tell()
{
	mark_it
	echo "$1" >&9
	guest_until 120 answered "heads: ${1%% *}: " && says "^heads: ${1%% *}: ok"
}

begin_heads()
{
	mark_it
	echo heads >&9
	guest_until 60 answered "heads: ready"
}

end_heads()
{
	tell quit && guest_until 20 answered "guest: done 0"
}

# head_picture DEVICE HEAD FILE: what a head of the peer or of a vGPU shows, as PNG
head_picture()
{
	rm -f "$3"
	case $1 in
	peer)
		../lib/qmp "$guest_dir/qmp" screendump device=gpu "head=$2" \
			format=png "filename=$3" > /dev/null
		;;
	*)
		vgpu-smi screenshot -u "$uuid" --head "$2" "$3" > /dev/null
		;;
	esac
}

# head_is HEAD SEED WxH [PART...]
head_is()
{
	_head=$1 _seed=$2
	shift 2
	head_picture $device "$_head" $picture || return 1
	_seen=$(../lib/head-picture $picture "$_seed" "$_head" "$@" 2>&1) && return 0
	echo "# head $_head: $_seen"
	return 1
}

# heads_are SEED WxH: each the picture of that seed for itself
heads_are()
{
	for _each in $heads; do
		within 20 head_is "$_each" "$@" || head_is "$_each" "$@" || return 1
	done
}

console_is_card()
{
	head_picture $device 0 $picture || return 1
	_seen=$(../lib/check-picture $picture "$guest_nonce" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

flips()
{
	said | tail -n +"$((mark + 1))" | sed -n 's/^heads: \(head .* flips\)/# \1/p'
	[ "$(said | tail -n +"$((mark + 1))" |
		grep -c '^heads: head [0-9]*: [1-9][0-9]* flips')" = "$1" ]
}

# What the driver and the kernel complain of in the guest, since it has started.
log_is_clean()
{
	shell "dmesg | grep -E 'response 0x|timed out|WARNING:|BUG:|Oops|Call Trace|\*ERROR\*|blocked for|virtio.*(fail|error)' | sed 's/^/guest: log /'; true" || return 1
	! said | tail -n +"$((mark + 1))" | grep '^guest: log' | sed 's/^/# /' | grep .
}

comes_up()
{
	guest_until 240 answered "guest: ready"
}

begin_bus()
{
	dbus-daemon --session --nofork --address=$bus > /dev/null 2>&1 &
	daemon=$!
	within 10 test -S "${bus#*=}"
}

end_bus()
{
	kill $daemon
	wait $daemon 2>/dev/null
	rm -f "${bus#*=}"
}

# resize HEAD WIDTH HEIGHT: a window of QEMU
resize()
{
	timeout 60 dbus-send --bus=$bus --print-reply --dest=org.qemu \
		"/org/qemu/Display1/Console_$1" \
		org.qemu.Display1.Console.SetUIInfo uint16:0 uint16:0 int32:0 \
		int32:0 "uint32:$2" "uint32:$3" > /dev/null
}

# same_pixels NAME: what the peer has shown as peer.NAME.png is in vgpu.NAME.png
same_pixels()
{
	python3 -c 'import sys
from PIL import Image
one, other = (Image.open(name).convert("RGB") for name in sys.argv[1:])
sys.exit(one.size != other.size or one.tobytes() != other.tobytes())' \
		"/tmp/peer.$1.png" "/tmp/vgpu.$1.png"
}
