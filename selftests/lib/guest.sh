# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts that run a guest on a vGPU.  They run in a folder beside
# this one.

# A guest that has ended is told from what it did not say.
trap '' PIPE

# What guest/mkguest has made.
guest_files=${VGPU_TEST_GUEST:-$PWD/../guest/$(uname -r)}
guest_dir=${guest_dir:-/tmp/guest}
# More for its kernel's command line, and how long to wait for one that said nothing.
guest_options='' guest_silent=''

# need_guest: skip all where there is none
need_guest()
{
	[ -e "$guest_files/vmlinuz" ] ||
		skip_all "no guest in $guest_files; guest/mkguest makes one"
}

# guest_serial: make what QEMU's pipe chardev $guest_dir/input needs; what the
# guest says goes to $guest_dir/serial, what is written to descriptor 9 to it
guest_serial()
{
	mkdir -p "$guest_dir"
	rm -f "$guest_dir/input.in" "$guest_dir/input.out"
	mkfifo "$guest_dir/input.in" "$guest_dir/input.out"
	cat "$guest_dir/input.out" > "$guest_dir/serial" &
	guest_cat=$!
	# For reading too, or it waits for a QEMU that may never come up.
	exec 9<> "$guest_dir/input.in"
}

# VGPU_TEST_GUEST_APPEND is more for the command line of every guest's kernel.
guest_append()
{
	# shellcheck disable=SC2154 # a variable of who includes this
	echo "console=ttyS0 quiet loglevel=3 $VGPU_TEST_GUEST_APPEND" \
		"card=$guest_nonce $guest_options"
}

# guest_run QEMU-ARGUMENT...: start a QEMU without devices; see guest_serial
guest_run()
{
	guest_silent=
	guest_serial
	qemu-system-x86_64 -nodefaults -display none -vga none -no-reboot \
		-chardev pipe,id=serial,path="$guest_dir/input" \
		-serial chardev:serial \
		-qmp "unix:$guest_dir/qmp,server=on,wait=off" \
		"$@" > "$guest_dir/qemu.log" 2>&1 9>&- &
	guest_pid=$!
}

# guest_start QEMU-ARGUMENT...: start the guest.  There are PCI Express ports
# "slot1" and "slot2" for devices that are to be unplugged.
guest_start()
{
	guest_cpu=max
	[ -e /dev/kvm ] && guest_cpu=host
	guest_run -machine q35,accel=kvm:tcg -cpu "$guest_cpu" -m 256M \
		-kernel "$guest_files/vmlinuz" \
		-initrd "$guest_files/initrd" \
		-append "$(guest_append)" \
		-device pcie-root-port,id=slot1,chassis=1 \
		-device pcie-root-port,id=slot2,chassis=2 "$@"
}

# render_node: one for EGL; vgem's is there without hardware
render_node()
{
	for _node in /sys/class/drm/renderD*; do
		case $(readlink -f "$_node") in
		*/vgem/*)
			echo "/dev/dri/$(basename "$_node")"
			return
			;;
		esac
	done
}

# in_use UUID 0|1: whether a VMM has the vGPU open
in_use()
{
	[ "$(cat "/sys/bus/mdev/devices/$1/vgpu/busy")" = "$2" ]
}

# guest_screen DEVICE FILE: what QEMU would show of a device, as PNG
guest_screen()
{
	rm -f "$2"
	../lib/qmp "$guest_dir/qmp" screendump "device=$1" head=0 \
		format=png "filename=$2" > /dev/null
}

# guest_screen_is DEVICE WIDTH HEIGHT
guest_screen_is()
{
	guest_screen "$1" "$guest_dir/screen.png" &&
		file -b "$guest_dir/screen.png" | grep -q " $2 x $3,"
}

# guest_unplugged DEVICE: QEMU has it no more, though it may hold it open
guest_unplugged()
{
	_list=$(../lib/qmp "$guest_dir/qmp" qom-list \
		path=/machine/peripheral) || return 1
	case $_list in
	*"\"$1\""*) return 1 ;;
	esac
}

# guest_said: what its QEMU has said
guest_said()
{
	sed 's/^/# QEMU: /' "$guest_dir/qemu.log"
}

# guest_state: how it is, for one that does not do what it is waited for
guest_state()
{
	tail -n 3 "$guest_dir/serial" | sed 's/^/# guest: /'
	guest_said
	for _what in status registers lapic; do
		../lib/qmp "$guest_dir/qmp" human-monitor-command \
			command-line="info $_what"
	done 2>&1 | sed 's/\\r\\n/\n/g' |
		grep -E 'status|RIP|LVTT.t|Timer|TPR|ISR|IRR' | sed 's/^/# QEMU: /'
}

# guest_until SECONDS COMMAND...: wait until the command succeeds; not for long if
# the one before waited in vain
guest_until()
{
	_seconds=${guest_silent:-$1}
	_until=$(($(date +%s) + _seconds))
	shift
	until "$@"; do
		if ! kill -0 "$guest_pid" 2>/dev/null; then
			echo "# the guest has ended: $(tail -n 3 "$guest_dir/serial")"
			guest_said
			return 1
		fi
		if [ "$(date +%s)" -ge $_until ]; then
			guest_silent=5
			echo "# not within $_seconds seconds: $*"
			guest_state
			return 1
		fi
		sleep 0.2
	done
}

# guest_wait TEXT SECONDS: wait until the guest has printed a line with TEXT
guest_wait()
{
	guest_until "$2" grep -q "$1" "$guest_dir/serial"
}

# guest_counts NUMBER: it sees so many vGPUs, says what it was asked last
guest_counts()
{
	echo 'lspci -d 1234:1111 | wc -l | sed "s/^/guest: vGPUs /"' >&9
	sleep 0.5
	[ "$(tr -d '\r' < "$guest_dir/serial" |
		sed -n 's/^guest: vGPUs //p' | tail -n 1)" = "$1" ]
}

# guest_stop: end it and wait until it is gone
guest_stop()
{
	exec 9>&-
	kill "$guest_pid" "$guest_cat" 2>/dev/null || :
	wait "$guest_pid" "$guest_cat" 2>/dev/null || :
}
