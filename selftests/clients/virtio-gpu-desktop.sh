#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A whole Debian with weston, Xorg, kmscube and drm_info, on QEMU's own virtio-gpu, the
# peer, and on a vGPU: what they print and what they show is the same.
. ../lib/ktap.sh
. ../lib/desktop.sh
need_desktop

# Nothing new is begun after so many seconds.
limit=${VGPU_TEST_SECONDS:-1400}
began=$(date +%s)
guest_nonce=0
seed=42
# How each head is to show the picture that is weston's background.
sizes="1280x800 800x600 1024x768 640x480"
transforms="normal rotate-180 flipped flipped-rotate-180"

# nth N WORD...
nth()
{
	shift "$(($1 + 1))"
	echo "$1"
}

# keeps NAME HEAD: what the head shows now
keeps()
{
	head_picture $device "$2" "/tmp/$device.$1.png"
}

# settled NAME HEAD: the same, when it has stood still
settled()
{
	keeps "$1" "$2"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		cp "/tmp/$device.$1.png" "/tmp/$device.before.png"
		sleep 3
		keeps "$1" "$2" || return 1
		same_picture before "$1" && return 0
	done
	return 1
}

# sized NAME HEAD WxH: the same, and the picture has that size
sized()
{
	settled "$1" "$2" && file -b "/tmp/$device.$1.png" |
		grep -q " ${3%x*} x ${3#*x},"
}

# printed NAME: what a program has printed in the guest is kept
printed()
{
	cp "$desktop_share/$1" "/tmp/$device.$1" && [ -s "/tmp/$device.$1" ]
}

# plug HEAD: a monitor
plug()
{
	if [ $device = peer ]; then
		resize "$1" 1280 800
	else
		writes ok heads=$(($1 + 1)) "$dev/vgpu/vgpu_params"
	fi
}

# point X Y: move the pointer; 0 to 32767 are the edges of all that the guest shows
point()
{
	../lib/qmp "$guest_dir/qmp" input-send-event \
		"events=[$(axis x "$1"),$(axis y "$2")]" > /dev/null
}

axis()
{
	echo "{\"type\":\"abs\",\"data\":{\"axis\":\"$1\",\"value\":$2}}"
}

# weston_shows HEAD: its background, and nothing else
weston_shows()
{
	head_picture $device "$1" $picture || return 1
	# shellcheck disable=SC2086 # lists
	_seen=$(../lib/head-picture --transform "$(nth "$1" $transforms)" \
		$picture $seed 0 "$(nth "$1" $sizes)" 2>&1) && return 0
	echo "# head $1: $_seen"
	return 1
}

# Of 10 (Debian 12), which also wants to have a virtual terminal, and of 14 (Debian 13).
weston_config()
{
	cat <<-EOT
		[core]
		backend=drm-backend.so
		idle-time=0
		[shell]
		panel-position=none
		background-image=/mnt/background.png
		background-type=tile
		animation=none
		startup-animation=none
		locking=false
	EOT
	for _each in $heads; do
		# shellcheck disable=SC2086 # lists
		cat <<-EOT
			[output]
			name=Virtual-$((_each + 1))
			mode=$(nth "$_each" $sizes)
			transform=$(nth "$_each" $transforms)
		EOT
	done
}

# weston_begins: or says why not
weston_begins()
{
	within 180 weston_shows 0 && return 0
	tail -n 5 $desktop_share/weston.log | sed 's/^/# weston: /'
	return 1
}

weston()
{
	weston_config > $desktop_share/weston.ini
	../lib/head-picture --make $desktop_share/background.png $seed 0 1280x800
	checks "weston" shell "chmod 700 /tmp; weston --use-pixman --config=/mnt/weston.ini --log=/mnt/weston.log < /dev/tty3 > /mnt/weston.out 2>&1 & weston=\$!"
	checks "weston: the first head" weston_begins
	for _head in 1 2 3; do
		checks "weston: plug in head $_head" plug $_head
		checks "weston: head $_head" within 120 weston_shows $_head
	done
	for _head in 0 1 2; do
		checks "weston: head $_head is as it was" within 120 weston_shows $_head
	done
	# Some driver's cursor is in a plane, and not in this picture.
	checks "weston: the pointer moves" point 16000 16000
	sleep 3
	checks "weston: the pointer's picture" settled pointer 0
	for _x in 100 9000 18000 27000 32000; do
		point $_x 32000
	done
	checks "weston: the pointer in a corner" point 32767 32767
	sleep 3
	checks "weston: a picture" settled corner 0
	resized weston
	sleep 3
	checks "weston: a picture after that" settled weston-resized 0
	file -b "/tmp/$device.weston-resized.png" | sed "s/^/# $device: /"
	checks "weston ends" shell "kill \$weston; wait \$weston"
}

# resized WHO: the guest's driver follows a window of QEMU
resized()
{
	if [ "$glless" ]; then
		skip "$device: $1: resized by QEMU" "$glless"
		return
	fi
	checks "$1: QEMU resizes its window" resize 0 1152 864
	checks "$1: the guest sees it" shell "for i in \$(seq 60); do grep -qx 1152x864 /sys/class/drm/card*-Virtual-1/modes && break; sleep 1; done; [ \$(head -n 1 /sys/class/drm/card*-Virtual-1/modes) = 1152x864 ]"
}

xorg()
{
	checks "Xorg" shell "(X :0 vt2 -noreset -nolisten tcp -logfile /mnt/xorg.log < /dev/null > /mnt/xorg.out 2>&1 &); export DISPLAY=:0; for i in \$(seq 100); do xrandr > /mnt/xrandr 2>&1 && break; sleep 1; done; grep -q ' connected' /mnt/xrandr"
	checks "Xorg: modesetting" grep -q 'modeset(0): Output Virtual-4' \
		$desktop_share/xorg.log
	checks "Xorg: four heads" shell "xrandr --output Virtual-1 --mode 1024x768 --pos 0x0 --output Virtual-2 --mode 800x600 --pos 1024x0 --output Virtual-3 --mode 640x480 --pos 0x768 --output Virtual-4 --mode 1280x800 --pos 640x768; xrandr | grep connected > /mnt/xrandr"
	checks "Xorg: what it says of them" printed xrandr
	checks "Xorg: clients" shell "xsetroot -solid '#204060' -cursor_name left_ptr; for i in '-geometry 300x300+100+100' '-bg orange -fg blue -geometry 200x250+1100+200' '-bg green -geometry 300x300+800+800'; do (xlogo \$i > /dev/null 2>&1 &); done; (xterm -geometry 60x20+50+800 -e 'ls /usr; sleep 1000' > /dev/null 2>&1 &); sleep 20; [ \$(pidof xlogo xterm | wc -w) = 4 ]"
	_each=0
	for _size in 1024x768 800x600 640x480 1280x800; do
		checks "Xorg: the picture of head $_each" sized xorg$_each $_each $_size
		_each=$((_each + 1))
	done
	# Of 1920 by 1568 pixels.
	checks "Xorg: move the pointer" point 5120 12538
	checks "Xorg: the cursor is there" within 20 cursor_at 300 600
	checks "Xorg: move the pointer" point 8534 4180
	checks "Xorg: the cursor is there" within 20 cursor_at 500 200
	checks "Xorg: move the pointer to another head" point 20480 4180
	checks "Xorg: the cursor is on that head" within 20 cursor_gone
	if [ ! "$glless" ]; then
		checks "Xorg: the size that QEMU gives" shell "xrandr --output Virtual-1 --auto"
		checks "Xorg: the picture has it" within 30 sized resized 0 1152x864
	fi
	checks "Xorg: heads off" shell "xrandr --output Virtual-3 --off --output Virtual-4 --off"
	checks "Xorg: heads on" shell "xrandr --output Virtual-3 --mode 640x480 --pos 0x1000"
	checks "Xorg ends" shell "pkill -x Xorg; for i in \$(seq 30); do pidof Xorg || break; sleep 1; done; ! pidof Xorg"
}

# Where the cursor of head 0 is, give or take a pixel: QEMU says it of the peer; of a
# vGPU the picture has a difference, whose corner is beside it.
cursor_seen()
{
	if [ $device = peer ]; then
		timeout 60 ../lib/dbus-picture --cursor 0 $bus $picture 2>&1
		return
	fi
	vgpu-smi screenshot -u "$uuid" --cursor /tmp/with.png > /dev/null &&
		vgpu-smi screenshot -u "$uuid" /tmp/without.png > /dev/null &&
		python3 -c 'from PIL import Image, ImageChops
one, other = (Image.open(f"/tmp/{name}.png").convert("RGB")
	      for name in ("with", "without"))
box = ImageChops.difference(one, other).getbbox()
print("cursor at {},{}".format(*box) if box else "hidden")'
}

cursor_at()
{
	_seen=$(cursor_seen) || return 1
	echo "# $_seen"
	_at=${_seen##* }
	[ "${_at%,*}" -ge $(($1 - 4)) ] && [ "${_at%,*}" -le $(($1 + 4)) ] &&
		[ "${_at#*,}" -ge $(($2 - 4)) ] && [ "${_at#*,}" -le $(($2 + 4)) ]
}

cursor_gone()
{
	_seen=$(cursor_seen) || return 1
	echo "# $_seen"
	case $_seen in
	*hidden*) return 0 ;;
	esac
	# Or beyond the edge, which is as good.
	_at=${_seen##* }
	[ "${_at%,*}" -ge 1024 ]
}

others()
{
	# kmscube ends when something is typed.
	checks "drm_info" shell "drm_info > /mnt/drm_info 2>&1"
	checks "drm_info: what it says" printed drm_info
	checks "kmscube" shell "mkfifo /tmp/none; timeout 200 kmscube -c 20 <> /tmp/none > /mnt/kmscube 2>&1; echo status \$? >> /mnt/kmscube"
	checks "kmscube: what it says" printed kmscube
	tail -n 3 "/tmp/$device.kmscube" | sed "s/^/# $device: /"
}

# Debian's own way asks for a login manager.
hibernates()
{
	checks "a console" shell "umount /mnt; cd /; swapon /dev/vdb; printf '\033[2J\033[H\033[?25l' > /dev/tty1; ls -l / > /dev/tty1"
	checks "its picture" settled awake 0
	mark_it
	echo 'echo shutdown > /sys/power/disk; echo disk > /sys/power/state' >&9
	checks "hibernates" has_ended
	guest_stop
	[ $device = peer ] || checks "closed" within 30 in_use "$uuid" 0
	mark=0
	start
	checks "goes on" guest_until 400 answered "guest: done 0"
	sleep 5
	woken=black
	if keeps woken 0 && same_picture awake woken; then
		woken=same
	fi
	echo "# $device: the picture after hibernation: $woken"
}

# Its QEMU has, by itself.
has_ended()
{
	_until=$(($(date +%s) + 300))
	while kill -0 "$guest_pid" 2>/dev/null; do
		[ "$(date +%s)" -lt $_until ] || return 1
		sleep 1
	done
}

# same_picture NAME NAME
same_picture()
{
	python3 -c 'import sys
from PIL import Image
one, other = (Image.open(name).convert("RGB") for name in sys.argv[1:])
sys.exit(one.size != other.size or one.tobytes() != other.tobytes())' \
		"/tmp/$device.$1.png" "/tmp/$device.$2.png"
}

# in_time_yet NAME: whether there is time for that; it is skipped if not
in_time_yet()
{
	[ $(($(date +%s) - began)) -gt "$limit" ] || return 0
	skip "$device: $1" "$limit seconds are over"
	return 1
}

# Without it nothing else makes sense.
comes()
{
	desktop_comes_up && came=yes
}

# all: the results can be compared when that is complete for both
complete=0
all()
{
	woken='' came=''
	in_time_yet "all" || return
	mark=0
	start
	checks "Debian comes up" comes
	if [ ! "$came" ]; then
		guest_stop
		return
	fi
	checks "systemd is content" shell "systemctl is-system-running --wait; systemctl --failed --no-legend; systemctl is-system-running -q; systemctl stop getty@tty1"
	said | tail -n +"$((mark + 1))" | sed 's/^/# /'
	for _stage in weston others xorg; do
		if ! in_time_yet "$_stage"; then
			guest_stop
			return
		fi
		$_stage
	done
	checks "the guest's log is clean" log_is_clean
	checks "QEMU has no complaint" sh -c "! grep . '$guest_dir/qemu.log'"
	complete=$((complete + 1))
	if in_time_yet "hibernation"; then
		hibernates
	fi
	guest_stop
}

# same NAME SED-COMMAND: programs have printed the same of both, in lines that it leaves
same()
{
	for _each in peer vgpu; do
		sed -E "$2" "/tmp/$_each.$1" > "/tmp/$_each.seen"
	done
	diff -u /tmp/peer.seen /tmp/vgpu.seen > /tmp/diff && [ -s /tmp/peer.seen ] &&
		return 0
	sed 's/^/# /' /tmp/diff
	return 1
}

as_good()
{
	[ "$woken" = same ] || [ "$peer_woken" = black ]
}

heads_type || skip_all "no type of this GPU is a virtio-gpu"
if ! qemu-system-x86_64 -device virtio-gpu-pci,help > /dev/null 2>&1 ||
   ! qemu-system-x86_64 -display help 2>&1 | grep -q '^dbus'; then
	skip_all "this QEMU has no virtio-gpu-pci, or no D-Bus display"
fi
begin_bus

device=peer glless=''
start()
{
	desktop_start -display "dbus,addr=$bus" \
		-device virtio-gpu-pci,id=gpu,max_outputs=4,bus=slot1
}
all
peer_woken=$woken

device=vgpu
modprobe vgem 2>/dev/null
node=$(render_node)
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
writes ok "$uuid" "$type/create" || exit 1
# QEMU writes an EDID only for a display with OpenGL, which wants a render node.
if [ "$node" ]; then
	checks "vgpu_params" writes ok console=dmabuf "$dev/vgpu/vgpu_params"
	start()
	{
		desktop_start -display "dbus,addr=$bus,gl=on,rendernode=$node" \
			-device "vfio-pci,sysfsdev=$dev,display=on,xres=1280,yres=800,id=gpu,bus=slot1"
	}
else
	glless="no vgem"
	start()
	{
		desktop_start \
			-device "vfio-pci,sysfsdev=$dev,display=on,id=gpu,bus=slot1"
	}
fi
all
end_bus
check "remove" writes ok 1 "$dev/remove"
[ $complete = 2 ] || ktap_end

# Modes, sizes and the EDID itself are the monitor's; which framebuffer a plane shows is
# the console's.
check "drm_info: the same" same drm_info \
	'/[0-9]+x[0-9]+@|EDID|[Ss]ize: |Object ID|F[Bb][ _]ID|[Pp]itch|MODE_ID|blob|_[WH]"/d'
check "kmscube: the same" same kmscube '/Rendered|frames|0x[0-9a-f]{6,}/d'
check "xrandr: the same" same xrandr 's/[0-9]+mm x [0-9]+mm//'
check "weston: the same picture with the pointer" same_pixels pointer
check "weston: the same picture with the pointer in a corner" same_pixels corner
for each in $heads; do
	check "Xorg: the same picture on head $each" same_pixels xorg"$each"
done
[ "$glless" ] || check "Xorg: the same picture in another size" same_pixels resized
check "weston: the same picture after its head has changed" same_pixels weston-resized
# What the peer does, at least.
if [ "$woken" ] && [ "$peer_woken" ]; then
	check "hibernation: as good as the peer's ($peer_woken)" as_good
fi
ktap_end
