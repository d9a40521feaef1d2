# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts whose guest is a whole Debian, with systemd, Xorg and
# weston.  What they tell it goes to a root shell on its serial line, see heads.sh.
. ../lib/heads.sh

# What the lab has made, see tools/lablib/desktop.py.
guest_files=${VGPU_TEST_DESKTOP:-$PWD/../guest/desktop-$(uname -r)}
# The guest has it at /mnt: what its programs print is left there.
desktop_share=/tmp/desktop.share
# Where it keeps its memory when it hibernates.
desktop_swap=/tmp/desktop.swap

# need_desktop: skip all where there is none
need_desktop()
{
	[ -e "$guest_files/disk" ] ||
		skip_all "no disk of a Debian in $guest_files; tools/lab makes one"
	rm -rf $desktop_share $desktop_swap
	mkdir -p $desktop_share
	# One without a signature would be waited for.
	truncate -s 1G $desktop_swap && chmod 600 $desktop_swap &&
		mkswap $desktop_swap > /dev/null
}

# desktop_start QEMU-ARGUMENT...
desktop_start()
{
	# shellcheck disable=SC2034 # for guest_append
	guest_options="root=/dev/vda ro resume=/dev/vdb mitigations=off"
	guest_start -m 1G \
		-drive "file=$guest_files/disk,format=raw,if=virtio,read-only=on" \
		-drive "file=$desktop_swap,format=raw,if=virtio,cache=unsafe" \
		-virtfs "local,path=$desktop_share,mount_tag=share,security_model=none" \
		-device virtio-tablet-pci -device virtio-rng-pci "$@"
}

# desktop_comes_up: the shell on the serial line does what it is told
desktop_comes_up()
{
	guest_until 400 says_prompt || return 1
	sleep 1
	# shellcheck disable=SC2016 # for the guest's shell
	echo 'stty -echo; PS1=; while read -r line; do eval "$line"; echo "guest: done $?"; done' >&9
	sleep 1
	shell "mount -t 9p -o trans=virtio,msize=512000 share /mnt; [ -d /mnt ]" &&
		shell "export HOME=/tmp XDG_RUNTIME_DIR=/tmp; cd /tmp"
}

says_prompt()
{
	said | tail -n +"$((mark + 1))" | grep '^root@desktop' > /dev/null
}
