#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with the stock virtio-gpu driver, end to end: first on QEMU's own device, the
# peer, which shows that the test is right, then on a vGPU of that personality.
. ../lib/ktap.sh
. ../lib/heads.sh
need_guest

guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
device=peer

# head_is_that_of HEAD OTHER SEED WxH: it shows what the other should
head_is_that_of()
{
	head_picture $device "$1" $picture || return 1
	../lib/head-picture $picture "$3" "$2" "$4"
}

# What QEMU shows of head 0 is what vgpu-smi has seen.
qemu_shows()
{
	guest_screen gpu $picture || return 1
	_seen=$(../lib/head-picture $picture "$1" 0 "$2" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# cursor_is TEXT [SEED]: where that of head 0 is, and what it looks like
cursor_is()
{
	_seen=$(timeout 60 ../lib/dbus-picture --cursor 0 $bus $picture 2>&1) || {
		echo "# $_seen"
		return 1
	}
	is "$_seen" "$1" || return 1
	[ -z "$2" ] || {
		_seen=$(../lib/head-picture --cursor $picture "$2" 0 2>&1) || {
			echo "# $_seen"
			return 1
		}
	}
}

edids_are_good()
{
	[ "$(said | tail -n +"$((mark + 1))" | grep -c ' edid .* sum good')" = "$1" ]
}

edid_decodes()
{
	said | sed -n 's/^heads: edid 0 //p' | tail -n 1 |
		python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(
			sys.stdin.read()))' > /tmp/virtio-gpu.edid
	_seen=$(edid-decode --check /tmp/virtio-gpu.edid 2>&1) &&
		[ -s /tmp/virtio-gpu.edid ] && return 0
	echo "$_seen" | sed 's/^/# /'
	return 1
}

# From here on these are the tests, for either device.

boots()
{
	checks "the guest comes up" comes_up
	checks "virtio-pci binds by its own ids" says \
		"0x1af4:0x1050 0x1af4:0x1100 driver virtio-pci"
	checks "virtio-gpu binds" says "guest: virtio driver virtio_gpu"
	checks "framebuffer console" says "guest: fb virtio_gpudrmfb $1"
	checks "the console" within 20 console_is_card
}

four_heads()
{
	checks "each shows its own picture" tell "show all 100"
	checks "four pictures" heads_are 100 "$1"
	# They are not right whatever they show.
	checks "another seed is told apart" fails head_is 0 101 "$1"
	checks "another head is told apart" fails head_is_that_of 1 0 100 "$1"
	checks "other modes" tell "show 1 200 800x600"
	checks "other modes" tell "show 3 200 1024x768"
	checks "one is smaller" within 20 head_is 1 200 800x600
	checks "another is, too" within 20 head_is 3 200 1024x768
	checks "the first is as it was" head_is 0 100 "$1"
	checks "the third is as it was" head_is 2 100 "$1"
	checks "off" tell "off 2"
	checks "on again" tell "show 2 300"
	checks "it shows what is new" within 20 head_is 2 300 "$1"
	checks "all again" tell "show all 400"
	checks "four pictures again" heads_are 400 "$1"
}

parts()
{
	checks "draw a part" tell "draw 0 500 320 128 64 64"
	checks "say so" tell "dirty 0 320 128 64 64"
	checks "the part is there, nothing else is" within 20 head_is 0 400 "$1" \
		500,320,128,64,64
	# Neither begins where a tile or a page of memory does, one is at the edge.
	checks "draw another" tell "draw 0 600 1 3 61 59"
	checks "say so" tell "dirty 0 1 3 61 59"
	_x=$((${1%x*} - 33)) _y=$((${1#*x} - 21))
	checks "draw in the corner" tell "draw 0 800 $_x $_y 33 21"
	checks "say so" tell "dirty 0 $_x $_y 33 21"
	checks "all parts are there" within 20 head_is 0 400 "$1" \
		500,320,128,64,64 600,1,3,61,59 "800,$_x,$_y,33,21"
}

flipping()
{
	checks "flip" tell "flip all 900"
	sleep 3
	mark_it
	echo "stop all" >&9
	checks "stop" guest_until 60 answered "heads: stop: ok"
	checks "each has flipped" flips 4
	checks "four pictures after flips" heads_are 900 "$1"
}

cursors()
{
	checks "cursor" tell "cursor all 1000 100 120"
	if [ $device = peer ]; then
		checks "it is seen" cursor_is "64x64 at 100,120" 1000
	fi
	checks "move" tell "move all 333 222"
	if [ $device = peer ]; then
		checks "it is seen there" cursor_is "64x64 at 333,222" 1000
	fi
	checks "many moves" tell "circle all 200"
	checks "another" tell "cursor 0 1001 -5 -7"
	checks "hide" tell "hide all"
	if [ $device = peer ]; then
		checks "it is hidden" cursor_is hidden
	fi
	checks "the picture is as it was" head_is 0 900 "$1"
}

# The guest's driver goes and comes.
reload()
{
	checks "unload the driver" shell \
		'for vt in /sys/class/vtconsole/*/bind; do case $(cat ${vt%/bind}/name) in *frame*) echo 0 > $vt ;; esac; done; rmmod virtio_gpu'
	checks "load it" shell "load virtio_gpu; sleep 1; /bin/card $guest_nonce; for vt in /sys/class/vtconsole/*/bind; do echo 1 > \$vt; done; [ -e /dev/fb0 ]"
}

# back WxH SEED: after a reset all works as before
back()
{
	checks "heads" begin_heads
	checks "four heads are connected" says "heads: 4 heads, 4 connected"
	checks "each shows its own picture again" tell "show all $2"
	checks "four pictures again" heads_are "$2" "$1"
}

# Heads 1 to 3 of the peer are there once somebody has looked at them.
plug()
{
	checks "watch" tell "watch 1"
	for _head in 1 2 3; do
		mark_it
		checks "plug in head $_head" resize $_head 1280 800
		checks "the guest sees it" guest_until 60 answered \
			"heads: head $_head shows 1 at 1280x800"
	done
}

asleep()
{
	../lib/qmp "$guest_dir/qmp" query-status | grep -q '"suspended"'
}

# sleeps WxH SEED: to RAM, until QEMU wakes it up, which resets all devices
sleeps()
{
	checks "heads" begin_heads
	checks "each shows its own picture" tell "show all $2"
	checks "four pictures" heads_are "$2" "$1"
	mark_it
	echo suspend >&9
	checks "the guest sleeps" guest_until 120 asleep
	checks "wake it up" ../lib/qmp "$guest_dir/qmp" system_wakeup
	checks "it goes on" guest_until 120 answered "heads: suspend: ok"
	if [ $device = peer ]; then
		checks "the picture is lost" fails head_is 0 "$2" "$1"
		return
	fi
	checks "the pictures are there" heads_are "$2" "$1"
	checks "draw a part" tell "draw 0 $(($2 + 10)) 320 128 64 64"
	checks "say so" tell "dirty 0 320 128 64 64"
	checks "the part is there" within 20 head_is 0 "$2" "$1" \
		"$(($2 + 10)),320,128,64,64"
	checks "other pictures" tell "show all $(($2 + 20))"
	checks "four pictures" heads_are $(($2 + 20)) "$1"
	checks "end" end_heads
	checks "the console is back" within 20 console_is_card
	checks "the guest's log is clean" log_is_clean
}

# all CONNECTED WxH: how many heads are connected from the start
all()
{
	mark=0
	boots "$(echo "$2" | tr x ,)"
	checks "heads" begin_heads
	checks "so many heads" says "heads: 4 heads, $1 connected"
	[ $device != peer ] || plug
	checks "list" tell list
	checks "four heads are connected" says "heads: 4 heads, 4 connected"
	checks "their EDIDs are good" edids_are_good 4
	if [ $device != peer ]; then
		checks "EDID" tell "edid 0"
		checks "edid-decode --check" edid_decodes
	fi
	four_heads "$2"
	[ $device = peer ] || checks "QEMU shows the first" qemu_shows 400 "$2"
	parts "$2"
	flipping "$2"
	cursors "$2"
	checks "end" end_heads
	checks "the console is back" within 20 console_is_card
	checks "the guest's log is clean" log_is_clean

	reload
	checks "the console is there" within 20 console_is_card
	back "$2" 1100
	checks "end" end_heads
	checks "the guest's log is clean" log_is_clean

	# Out of the middle of it.
	checks "heads" begin_heads
	checks "each shows its own picture" tell "show all 1200"
	checks "flip" tell "flip all 1300"
	mark_it
	# Otherwise a reset is the end of QEMU here.
	checks "reset" ../lib/qmp "$guest_dir/qmp" set-action reboot=reset , \
		system_reset
	checks "the guest comes up again" comes_up
	checks "the console is there" within 20 console_is_card
	back "$2" 1400
	checks "end" end_heads
	checks "the guest's log is clean" log_is_clean
	[ $device = peer ] || sleeps "$2" 1500

	mark_it
	echo "reboot -f" >&9
	checks "the guest reboots" comes_up
	checks "the console is there" within 20 console_is_card
	checks "the guest's log is clean" log_is_clean
	# The peer's driver goes on with queues that are no more.
	[ $device != peer ] || sleeps "$2" 1500
	checks "QEMU has no complaint" sh -c "! grep . '$guest_dir/qemu.log'"
}

qemu-system-x86_64 --version | sed -n '1s/^/# /p'
if ! qemu-system-x86_64 -device virtio-gpu-pci,help > /dev/null 2>&1 ||
   ! qemu-system-x86_64 -display help 2>&1 | grep -q '^dbus'; then
	skip "the peer" "this QEMU has no virtio-gpu-pci, or no D-Bus display"
elif [ "${VGPU_TEST_PEER:-$(uname -r | cut -d. -f1-2)}" != 6.12 ]; then
	# As much again, for what says little of the driver.
	skip "the peer" "only on 6.12, or with VGPU_TEST_PEER=6.12"
else
	begin_bus
	guest_start -display "dbus,addr=$bus" \
		-device virtio-gpu-pci,id=gpu,max_outputs=4,bus=slot1
	all 1 1280x800
	guest_stop
	end_bus
fi

device=vgpu
if ! heads_type; then
	skip "vgpu" "no type of this GPU is a virtio-gpu"
	ktap_end
fi
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
writes ok "$uuid" "$type/create" || exit 1
# A resolution that is neither the peer's nor the default.
checks "vgpu_params" writes ok heads=4,resolution=1440x900 "$dev/vgpu/vgpu_params"
guest_start -device "vfio-pci,sysfsdev=$dev,display=on,id=gpu,bus=slot1"
all 4 1440x900
guest_stop

# QEMU writes an EDID only for a display with OpenGL, which wants a render node.
modprobe vgem 2>/dev/null
node=$(render_node)
if [ -z "$node" ]; then
	skip "$device: resized by QEMU" "no vgem"
else
	checks "closed" within 30 in_use "$uuid" 0
	checks "vgpu_params" writes ok console=dmabuf,heads=4,resolution=1280x1024 \
		"$dev/vgpu/vgpu_params"
	begin_bus
	mark=0
	guest_start -display "dbus,addr=$bus,gl=on,rendernode=$node" \
		-device "vfio-pci,sysfsdev=$dev,display=on,xres=1440,yres=900,id=gpu,bus=slot1"
	checks "the guest comes up" comes_up
	checks "heads" begin_heads
	checks "the first is as QEMU says" says \
		"heads: head 0 .* preferred 1440x900"
	checks "the last is not" says "heads: head 3 .* preferred 1280x1024"
	checks "each shows its own picture" tell "show all 1600"
	checks "the first picture" within 20 head_is 0 1600 1440x900
	checks "the last picture" within 20 head_is 3 1600 1280x1024
	checks "watch" tell "watch 1700"
	mark_it
	checks "QEMU resizes its window" resize 0 1152 864
	checks "the guest follows" guest_until 60 answered \
		"heads: head 0 shows 1700 at 1152x864"
	checks "the picture follows" within 20 head_is 0 1700 1152x864
	checks "the last picture is as it was" head_is 3 1600 1280x1024
	checks "end" end_heads
	checks "the guest's log is clean" log_is_clean
	guest_stop
	end_bus
fi
check "remove" writes ok 1 "$dev/remove"
ktap_end
