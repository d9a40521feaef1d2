#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with the stock virtio-gpu driver moves between QEMUs: with four pictures that
# stay, and VGPU_TEST_MIGRATIONS times back and forth while it flips on all heads.
. ../lib/ktap.sh
. ../lib/migrate.sh
. ../lib/heads.sh
need_guest

times=${VGPU_TEST_MIGRATIONS:-1}
# Of each head, none as another's.
sizes="800x600 640x480 1024x768 720x480"

heads_type || skip_all "no type of this GPU is a virtio-gpu"
here=$(cat /proc/sys/kernel/random/uuid)
there=$(cat /proc/sys/kernel/random/uuid)
for uuid in $here $there; do
	writes ok "$uuid" "$type/create" || exit 1
	writes ok heads=4 "/sys/bus/mdev/devices/$uuid/vgpu/vgpu_params" || exit 1
done

# size HEAD
size()
{
	echo "$sizes" | cut -d' ' -f$(($1 + 1))
}

# show SEED: pictures, every other one of which the device does not read by itself
show()
{
	for _each in $heads; do
		tell "transfer $((_each % 2))" &&
			tell "show $_each $1 $(size "$_each")" || return 1
	done
}

# all_are SEED[,SEED]
all_are()
{
	for _each in $heads; do
		head_is "$_each" "$1" "$(size "$_each")" || return 1
	done
}

# take NAME: what heads show, with their cursors
take()
{
	for _each in $heads; do
		vgpu-smi screenshot -u "$uuid" --head "$_each" --cursor \
			"/tmp/$1-$_each.png" || return 1
	done
}

# same NAME NAME
same()
{
	for _each in $heads; do
		cmp "/tmp/$1-$_each.png" "/tmp/$2-$_each.png" || return 1
	done
}

# differ NAME NAME: each of what heads show now, called by the second name
differ()
{
	take "$2" || return 1
	for _each in $heads; do
		! cmp -s "/tmp/$1-$_each.png" "/tmp/$2-$_each.png" || return 1
	done
}

# move_on: to the other vGPU, and a QEMU that is started for that
migrations=0
move_on()
{
	migrations=$((migrations + 1))
	leave
	if [ "$uuid" = "$here" ]; then
		uuid=$there
	else
		uuid=$here
	fi
	start /tmp/guest-$migrations $((7 + migrations % 2)) "$uuid" \
		-incoming unix:/tmp/heads.sock
	waits && move unix:/tmp/heads.sock
	_moved=$?
	left
	rm -rf "$source_dir"
	# What it says comes from here, from the start.
	mark=0
	[ $_moved = 0 ] && arrived
}

# is_right HEAD SEED,SEED: it shows what was right before, or is now
is_right()
{
	head_picture $device "$1" $picture || return 1
	for _right in "/tmp/right-$1"-*; do
		! cmp -s "$_right" $picture || return 0
	done
	head_is "$1" "$2" "$(size "$1")" && cp $picture "/tmp/right-$1-$migrations"
}

# all_are_right SEED,SEED
all_are_right()
{
	for _each in $heads; do
		is_right "$_each" "$1" || return 1
	done
}

# flips_on: all heads flip, and what they show is a picture of theirs
flips_on()
{
	tell "count all" && flips 4 || return 1
	# Otherwise the picture changes while it is read.
	qmp stop > /dev/null && all_are_right 300,301
	_ret=$?
	qmp cont > /dev/null && return $_ret
}

# back_and_forth: flipping all the time
back_and_forth()
{
	_times=0
	while [ $_times -lt "$times" ]; do
		_times=$((_times + 1))
		if ! move_on || ! flips_on; then
			echo "# migration $_times"
			return 1
		fi
		[ $((_times % 10)) != 0 ] || echo "# $_times migrations, $(date +%T)"
	done
}

# QEMU sends all of the guest's memory where the kernel has no log of writes.
no_complaint()
{
	! grep -v "doesn't support device and IOMMU dirty tracking" \
		"$guest_dir/qemu.log" | sed 's/^/# QEMU: /' | grep .
}

uuid=$here
# shellcheck disable=SC2034 # for guest_append
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
start /tmp/guest-0 7 "$uuid"
check "the guest comes up" comes_up
check "heads" begin_heads
check "four heads are connected" says "heads: 4 heads, 4 connected"
check "pictures" show 100
check "cursors" tell "cursor all 200 100 120"
check "each shows its own" within 20 all_are 100
check "take pictures" take before
check "move" move_on
check "each shows its own there" within 20 all_are 100
check "take pictures there" take after
check "all pixels are the same" same before after
# They are not the same whatever they show.
check "move cursors" tell "move all 55 33"
check "they have moved" within 20 differ before moved

check "flip" tell "flip all 300"
check "migrations while all heads flip: $times" back_and_forth
check "stop" tell "stop all"
check "each shows its own" within 20 all_are 300
check "other pictures" show 400
check "each shows its own" within 20 all_are 400
check "hide cursors" tell "hide all"
check "end" end_heads
check "the console is back" within 20 console_is_card
check "the guest's log is clean" log_is_clean
check "QEMU has no complaint" no_complaint
guest_stop
for uuid in $here $there; do
	check "remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
done
ktap_end
