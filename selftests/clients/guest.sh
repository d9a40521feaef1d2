#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest with the stock bochs-drm driver, end to end: QEMU, VNC, a picture.
. ../lib/ktap.sh
. ../lib/guest.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
picture=/tmp/guest.png

says()
{
	grep -q "$1" "$guest_dir/serial" && return 0
	grep "^guest: " "$guest_dir/serial" | sed 's/^/# /'
	return 1
}

picture_is_card()
{
	rm -f $picture
	gvnccapture -q 127.0.0.1:7 $picture || return 1
	_seen=$(../lib/check-picture $picture "$1" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# A nonce of another run must not pass: the check itself can fail.
picture_is_not_card()
{
	! picture_is_card "$1"
}

qemu-system-x86_64 --version | sed -n '1s/^/# /p'
writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create" || exit 1
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
# With an IOMMU, so that the guest has VFIO for itself.
guest_start -machine kernel-irqchip=split \
	-device intel-iommu,intremap=on,caching-mode=on -vnc 127.0.0.1:7 \
	-device "vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,id=vgpu,bus=slot1"

check "guest comes up" guest_wait "guest: ready" 240
check "bochs-drm binds by its own ids" \
	says "0x1234:0x1111 0x1234:0x7647 driver bochs-drm"
check "framebuffer console" says "guest: fb bochs-drm.* 1280,800"
# The default monitor, made by "VGP": QEMU 10 writes an EDID of its own only for
# its OpenGL display.
check "guest reads the EDID" says "guest: edid 128 bytes from 58f0"
check "picture over VNC" picture_is_card "$guest_nonce"
check "another card is told apart" picture_is_not_card \
	"$(printf %08x $((0x$guest_nonce ^ 1)))"

# The card drawn anew, by the running guest.
second=$(printf %08x $((0x$guest_nonce ^ 0xffffffff)))
echo "/bin/card $second; sleep 1; echo guest: second \$?" >&9
check "guest draws again" guest_wait "guest: second 0" 60
check "second picture" picture_is_card "$second"

# What the guest makes of config space, twice, with a function reset between.
cat >&9 <<'EOF'
for i in 1 2; do lspci -vvv -d 1234:1111 | grep -v -e Region -e 'Control: I/O' > /lspci.$i; cat /lspci.$i; [ $i = 2 ] || echo 1 > /sys/bus/pci/devices/$(lspci -D -d 1234:1111 | cut -d' ' -f1)/reset; echo "guest: reset $?"; done; cmp /lspci.1 /lspci.2 && echo "guest: lspci is stable"
EOF
check "lspci in the guest" guest_wait "guest: lspci is stable" 60
check "the guest can reset it" says "guest: reset 0"
check "power management" says "NoSoftRst+"
check "MSI-X" says "MSI-X: Enable. Count=6"
check "function-level reset" says "FLReset+"
check "vendor capability" says "Vendor Specific Information: Len=08"

# The EDID that the guest has read, checked by somebody else.
edid_decodes()
{
	tr -d '\r' < "$guest_dir/serial" | sed -n 's/^guest: hex edid //p' |
		python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(
			sys.stdin.read()))' > /tmp/guest.edid
	_seen=$(edid-decode --check /tmp/guest.edid 2>&1) &&
		[ -s /tmp/guest.edid ] && return 0
	echo "$_seen" | sed 's/^/# /'
	return 1
}
if command -v edid-decode > /dev/null; then
	# shellcheck disable=SC2016 # the guest expands it
	echo 'echo "guest: hex edid $edid"; echo "guest: edid $?"' >&9
	check "the guest prints the EDID" guest_wait "guest: edid 0" 60
	check "edid-decode --check" edid_decodes
else
	skip "edid-decode --check" "no edid-decode"
fi

# modetest: what the guest's DRM knows of the monitor, and another mode.
cat >&9 <<'EOF'
modetest -M bochs-drm -c > /modes; cat /modes; connector=$(awk '$3 == "connected" { print $1; exit }' /modes); echo "guest: connected $connector end"
EOF
check "modetest: a monitor is connected" guest_wait "guest: connected [0-9]* end" 60
check "modetest: preferred mode" says \
	"1280x800 .*type: preferred"
# It shows the mode until it reads a line.
cat >&9 <<'EOF'
(while [ ! -e /leave ]; do sleep 0.2; done; echo) | modetest -M bochs-drm -s "$connector:1024x768" > /dev/null & test=$!
EOF
check "modetest: the host sees the new mode" within 30 guest_screen_is vgpu 1024 768
# shellcheck disable=SC2016 # the guest expands it
echo ': > /leave; wait $test; echo "guest: modetest $?"' >&9
check "modetest ends" guest_wait "guest: modetest 0" 60
check "the console is back" within 30 guest_screen_is vgpu 1280 800

# Interrupts, which bochs-drm has no use for, so the device goes to vfio-pci.
cat >&9 <<'EOF'
dev=$(lspci -D -d 1234:1111 | cut -d' ' -f1); pci=/sys/bus/pci; bind() { echo "$dev" > $pci/devices/$dev/driver/unbind; echo "$1" > $pci/devices/$dev/driver_override; echo "$dev" > $pci/drivers/$1/bind; }
load vfio-pci; load vfio_iommu_type1; bind vfio-pci; irqs "$dev"; echo "guest: irqs $?"; bind bochs-drm; echo "guest: bochs-drm $?"
EOF
check "interrupts are counted" guest_wait "guest: irqs 0" 180
# 60 a second for two seconds; a slow lab host merges some.
irqs()
{
	tr -d '\r' < "$guest_dir/serial" |
		sed -n 's/^irqs: \([0-9]*\) seen, .* \([0-9]*\) frames$/\1 \2/p' |
		{
			read -r seen frames
			echo "# $seen interrupts, $frames frames in two seconds"
			[ "$seen" -ge 10 ] && [ "$seen" -le 160 ] &&
				[ "$frames" -ge 100 ] && [ "$frames" -le 160 ]
		}
}
check "about 60 a second" irqs
check "back to bochs-drm" guest_wait "guest: bochs-drm 0" 60

check "QEMU has no complaint" sh -c "! grep . '$guest_dir/qemu.log'"

# Removed while the guest runs: QEMU is asked, the guest lets go.
check "busy" is "$(cat "/sys/bus/mdev/devices/$uuid/vgpu/busy")" 1
rm -f /tmp/removed
{ echo 1 > "/sys/bus/mdev/devices/$uuid/remove" && : > /tmp/removed; } &
check "the guest lets go of a vGPU that is removed" guest_until 60 guest_counts 0
check "QEMU has unplugged it" within 30 guest_unplugged vgpu
# Not the directory, which goes before the wait for the VMM begins.  QEMU 10
# holds on to a device with display=on, through its console and the mapping of
# the picture, until it ends.
if within 10 test -e /tmp/removed; then
	check "removed" true
else
	skip "removed" "QEMU keeps an unplugged device with display=on open"
fi
guest_stop
check "removed when QEMU has ended" within 30 test -e /tmp/removed
wait
ktap_end
