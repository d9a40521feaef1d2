# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts that run a guest on a vGPU in the lab host.

# A guest that has ended is told from what it did not say.
trap '' PIPE

guest_release=$(uname -r)
guest_dir=${guest_dir:-/tmp/guest}

# guest_start QEMU-ARGUMENT...: start the guest; its serial line goes to
# $guest_dir/serial, and what is written to descriptor 9 goes to it.  There is
# a PCI Express port "slot1" for a device that is to be unplugged.
guest_start()
{
	mkdir -p "$guest_dir"
	rm -f "$guest_dir/input.in" "$guest_dir/input.out"
	mkfifo "$guest_dir/input.in" "$guest_dir/input.out"
	cat "$guest_dir/input.out" > "$guest_dir/serial" &
	guest_cat=$!
	guest_cpu=max
	[ -e /dev/kvm ] && guest_cpu=host
	qemu-system-x86_64 -machine q35,accel=kvm:tcg -cpu "$guest_cpu" -m 256M \
		-nodefaults -display none -vga none -no-reboot \
		-chardev pipe,id=serial,path="$guest_dir/input" \
		-serial chardev:serial \
		-kernel "/boot/vmlinuz-$guest_release" \
		-initrd "/build/guest-$guest_release.cpio" \
		-append "console=ttyS0 quiet loglevel=3 card=$guest_nonce" \
		-device pcie-root-port,id=slot1,chassis=1 \
		"$@" > "$guest_dir/qemu.log" 2>&1 &
	guest_pid=$!
	exec 9> "$guest_dir/input.in"
}

# guest_wait TEXT SECONDS: wait until the guest has printed a line with TEXT
guest_wait()
{
	_n=$(($2 * 5))
	while ! grep -q "$1" "$guest_dir/serial"; do
		if ! kill -0 "$guest_pid" 2>/dev/null; then
			echo "the guest has ended: $(tail -n 3 "$guest_dir/qemu.log")" >&2
			return 1
		fi
		_n=$((_n - 1))
		if [ $_n -le 0 ]; then
			echo "no \"$1\" from the guest within $2 seconds" >&2
			return 1
		fi
		sleep 0.2
	done
}

# guest_stop: end it and wait until it is gone
guest_stop()
{
	exec 9>&-
	kill "$guest_pid" "$guest_cat" 2>/dev/null || :
	wait "$guest_pid" "$guest_cat" 2>/dev/null || :
}
