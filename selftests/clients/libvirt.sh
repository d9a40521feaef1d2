#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libvirt: node devices, and a domain whose display is a vGPU; another one is
# plugged into the running guest and unplugged.
. ../lib/ktap.sh
. ../lib/domain.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
parent=pci_$(echo "$bdf" | tr :. __)
uuid=$(cat /proc/sys/kernel/random/uuid)
dev=/sys/bus/mdev/devices/$uuid
second=$(cat /proc/sys/kernel/random/uuid)
node=mdev_$(echo "${uuid}_$bdf" | tr :.- ___)
picture=/tmp/libvirt.png
free=$(cat "$drv/$bdf/mdev_supported_types/vgpu-64Q/available_instances")
domain=vgpu-guest

if ! command -v virsh > /dev/null; then
	skip "libvirt" "not installed"
	ktap_end
fi

check "udev sees to events at once" udev on
check "nodedev-list --cap mdev_types" prints "$parent" \
	virsh -q nodedev-list --cap mdev_types
check "nodedev-dumpxml: type" prints "<type id='vgpu-64Q'>" \
	virsh -q nodedev-dumpxml "$parent"
check "nodedev-dumpxml: name" prints "<name>$vgpu_model-64Q</name>" \
	virsh -q nodedev-dumpxml "$parent"
check "nodedev-dumpxml: device API" prints "<deviceAPI>vfio-pci</deviceAPI>" \
	virsh -q nodedev-dumpxml "$parent"
check "nodedev-dumpxml: instances" \
	prints "<availableInstances>$free</availableInstances>" \
	virsh -q nodedev-dumpxml "$parent"

cat > /tmp/nodedev.xml <<EOF
<device>
  <parent>$parent</parent>
  <capability type='mdev'>
    <type id='vgpu-64Q'/>
    <uuid>$uuid</uuid>
  </capability>
</device>
EOF

# libvirt has mdevctl do this.
if command -v mdevctl > /dev/null; then
	check "nodedev-create" virsh -q nodedev-create /tmp/nodedev.xml
	check "created" test -e "$dev"
	check "nodedev-list --cap mdev" prints "$node" \
		virsh -q nodedev-list --cap mdev
	check "instances are used" \
		prints "<availableInstances>$((free - 1))</availableInstances>" \
		virsh -q nodedev-dumpxml "$parent"
	check "nodedev-destroy" virsh -q nodedev-destroy "$node"
	check "destroyed" test ! -e "$dev"
	check "nodedev-define" virsh -q nodedev-define /tmp/nodedev.xml
	check "nodedev-list --inactive" prints "$node" \
		virsh -q nodedev-list --cap mdev --inactive
	check "nodedev-start" virsh -q nodedev-start "$node"
	check "started" test -e "$dev"
	check "nodedev-dumpxml of a vGPU" prints "<uuid>$uuid</uuid>" \
		virsh -q nodedev-dumpxml "$node"
	check "nodedev-info" prints "Persistent:     yes" virsh nodedev-info "$node"
else
	skip "nodedev-create" "no mdevctl"
	writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create"
fi

guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
# The firmware leaves 2 MiB for a framebuffer that is plugged in later.
domain "$domain" "$uuid" 5907 "<qemu:commandline>
    <qemu:arg value='-global'/>
    <qemu:arg value='pcie-root-port.pref64-reserve=64M'/>
  </qemu:commandline>" > /tmp/domain.xml

# picture_is_card [OPTION]
picture_is_card()
{
	_seen=$(../lib/check-picture ${1:+"$1"} $picture \
		"$guest_nonce" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# qemu COMMAND ARGUMENTS: a command in QEMU's monitor; the arguments as JSON
qemu()
{
	virsh -q qemu-monitor-command $domain \
		"{\"execute\": \"$1\", \"arguments\": {$2}}"
}

# hostdevs N: libvirt lists so many
hostdevs()
{
	[ "$(virsh -q dumpxml $domain | grep -c "<hostdev")" = "$1" ]
}

# guest_has N: the guest has so many vGPUs
guest_has()
{
	echo 'lspci -d 1234:1111 | wc -l | sed "s/^/guest: vGPUs /"' >&9
	sleep 0.5
	[ "$(grep "guest: vGPUs" "$guest_dir/serial" | tail -n 1 |
		tr -d '\r')" = "guest: vGPUs $1" ]
}

# plug DISPLAY: give the second vGPU to the running guest
plug()
{
	hostdev "$second" "$1" > /tmp/hostdev.xml
	check "display $1: attach-device" \
		virsh -q attach-device $domain /tmp/hostdev.xml --live
	check "display $1: in use" in_use "$second" 1
	check "display $1: the guest has it" within 60 guest_has 2
}

check "define" virsh -q define /tmp/domain.xml
guest_serial
check "start" timeout 120 virsh -q start $domain
# shellcheck disable=SC2034 # guest_wait looks at it
guest_pid=$(cat /run/libvirt/qemu/$domain.pid)
check "the guest comes up" guest_wait "guest: ready" 240
check "screenshot" virsh -q screenshot $domain $picture
check "screenshot shows the guest's picture" picture_is_card
check "in use" in_use "$uuid" 1
check "a vGPU in use is not destroyed" \
	fails virsh -q nodedev-destroy "$node"

writes ok "$second" "$drv/$bdf/mdev_supported_types/vgpu-16Q/create"
plug off
check "display off: detach-device" \
	virsh -q detach-device $domain /tmp/hostdev.xml --live
check "display off: the guest lets go" within 60 guest_has 1
check "display off: libvirt knows" within 60 hostdevs 1
check "display off: nobody has it open" within 30 in_use "$second" 0

plug on
cat >&9 <<'EOF'
for _ in $(seq 50); do [ -e /dev/fb1 ] && break; sleep 0.1; done; /bin/card "$nonce" /dev/fb1; echo "guest: second $?"
EOF
check "display on: the guest draws" guest_wait "guest: second 0" 60
name=$(virsh -q dumpxml $domain |
	sed -n "s/.*<alias name='\(hostdev[0-9]*\)'.*/\1/p" | tail -n 1)
# virsh screenshot shows the first display.
check "display on: QEMU's picture of it" prints '"return":{}' qemu screendump \
	"\"device\": \"$name\", \"head\": 0, \"format\": \"png\", \"filename\": \"$picture\""
check "display on: it is the guest's" picture_is_card --no-text
check "display on: detach-device" \
	virsh -q detach-device $domain /tmp/hostdev.xml --live
check "display on: the guest lets go" within 60 guest_has 1
check "display on: QEMU has unplugged it" within 30 prints_not "\"$name\"" \
	qemu qom-list '"path": "/machine/peripheral"'
# See guest.sh.
if within 10 in_use "$second" 0; then
	check "display on: nobody has it open" true
else
	skip "display on: nobody has it open" \
		"QEMU keeps an unplugged device with display=on open"
fi

check "destroy" virsh -q destroy $domain
check "nobody has the first open" within 30 in_use "$uuid" 0
check "nobody has the second open" within 30 in_use "$second" 0
check "undefine" virsh -q undefine $domain
exec 9>&-
kill "$guest_cat" 2>/dev/null
echo 1 > "/sys/bus/mdev/devices/$second/remove"
if command -v mdevctl > /dev/null; then
	check "nodedev-destroy after use" virsh -q nodedev-destroy "$node"
	check "nodedev-undefine" virsh -q nodedev-undefine "$node"
	check "no vGPU is left" prints_not "$node" \
		virsh -q nodedev-list --cap mdev --all
else
	echo 1 > "$dev/remove"
fi
check "gone" test ! -e "$dev"
ktap_end
