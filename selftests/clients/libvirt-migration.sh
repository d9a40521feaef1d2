#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libvirt: a domain with a vGPU is saved and restored, and migrates live to a
# second libvirtd, which takes this lab host for another one.
. ../lib/ktap.sh
. ../lib/domain.sh
need_guest

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
type=$drv/$bdf/mdev_supported_types/vgpu-64Q
picture=/tmp/libvirt-migrate.png
state=/tmp/libvirt.state
domain=vgpu-mover
second=/tmp/second
second_uri="qemu+unix:///system?socket=$second/libvirt-sock"
one=$(cat /proc/sys/kernel/random/uuid)
two=$(cat /proc/sys/kernel/random/uuid)
mdev=/sys/bus/mdev/devices

command -v virsh > /dev/null || skip_all "libvirt is not installed"
[ -e /proc/self/ns/uts ] || skip_all "a kernel with one host name"

# libvirt does not know the option, without which QEMU refuses where the kernel
# keeps no log of what a device writes to the guest's memory.
migratable="<qemu:override>
    <qemu:device alias='hostdev0'>
      <qemu:frontend>
        <qemu:property name='enable-migration' type='string' value='on'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>"

# draws: the guest draws another card, and libvirt's screenshot shows it
draws()
{
	_card=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	echo "/bin/card $_card; echo \"guest: drew $_card \$?\"" >&9
	guest_wait "guest: drew $_card 0" 60 || return 1
	shown "$_card"
}

# shown CARD: in the screenshot of the libvirtd that $connect names
shown()
{
	# shellcheck disable=SC2086 # words, or none
	virsh -q $connect screenshot $domain $picture || return 1
	_seen=$(../lib/check-picture --no-text $picture "$1" 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# begin: before a QEMU comes up that the guest goes on in
begin()
{
	exec 9>&-
	kill "$guest_cat" 2> /dev/null
	wait "$guest_cat" 2> /dev/null
	guest_serial
}

# second_up: a libvirtd with directories and a host name of its own
second_up()
{
	mkdir -p $second
	unshare -m -u sh -c '
		hostname second
		conf=$(cat /etc/libvirt/qemu.conf)
		for dir in /etc/libvirt /run/libvirt /var/lib/libvirt \
			   /var/cache/libvirt /var/log/libvirt; do
			mount -t tmpfs tmpfs $dir || exit 1
		done
		mkdir -p /var/lib/libvirt/qemu /var/log/libvirt/qemu
		echo "$conf" > /etc/libvirt/qemu.conf
		cat > /etc/libvirt/libvirtd.conf <<-EOT
			unix_sock_dir = "$1"
			auth_unix_rw = "none"
			host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		EOT
		libvirtd -d -f /etc/libvirt/libvirtd.conf -p $1/pid < /dev/null > $1/log 2>&1
	' sh $second && within 20 virsh -q -c "$second_uri" version > /dev/null
}

check "udev sees to events at once" udev on
writes ok "$one" "$type/create" || exit 1
writes ok "$two" "$type/create" || exit 1
# shellcheck disable=SC2034 # for guest_append
guest_nonce=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
connect=
domain $domain "$one" 5907 "$migratable" > /tmp/mover.xml
check "define" virsh -q define /tmp/mover.xml
guest_serial
check "start" timeout 120 virsh -q start $domain
guest_pid=$(cat /run/libvirt/qemu/$domain.pid)
check "the guest comes up" guest_wait "guest: ready" 240
check "it draws" draws

check "save" timeout 240 virsh -q save $domain $state
check "nobody has the vGPU open" within 10 in_use "$one" 0
begin
check "restore" timeout 240 virsh -q restore $state
guest_pid=$(cat /run/libvirt/qemu/$domain.pid)
check "restored: the picture that it had drawn" shown "$_card"
check "restored: it draws" draws
rm -f $state

check "managedsave" timeout 240 virsh -q managedsave $domain
check "managedsave: it is off" prints "shut off" virsh -q domstate $domain
begin
check "managedsave: start" timeout 240 virsh -q start $domain
guest_pid=$(cat /run/libvirt/qemu/$domain.pid)
check "managedsave: the picture that it had drawn" shown "$_card"
check "managedsave: it draws" draws

check "a second libvirtd" second_up
guest_dir=/tmp/guest-second
domain $domain "$two" 5908 "$migratable" > /tmp/second.xml
source_cat=$guest_cat
exec 8>&9
guest_serial
check "migrate --live" timeout 400 virsh -q migrate --live $domain \
	"$second_uri" "unix:///$second/migrate" --xml /tmp/second.xml
check "the first libvirtd has it off" prints "shut off" virsh -q domstate $domain
check "nobody has the first vGPU open" within 10 in_use "$one" 0
connect="-c $second_uri"
# shellcheck disable=SC2086 # words
check "it runs in the second" prints running virsh -q $connect domstate $domain
check "the second vGPU is in use" in_use "$two" 1
check "migrated: the picture that it had drawn" shown "$_card"
guest_pid=$(pgrep -n -f "guest=$domain")
check "migrated: it draws" draws

# shellcheck disable=SC2086 # words
check "destroy" virsh -q $connect destroy $domain
# If it could not migrate.
virsh -q destroy $domain > /dev/null 2>&1
check "undefine" virsh -q undefine $domain
kill "$source_cat" "$guest_cat" 2> /dev/null
# There is none if it did not come up.
[ ! -e $second/pid ] || kill "$(cat $second/pid)"
exec 8>&- 9>&-
check "removed" within 10 writes ok 1 "$mdev/$one/remove"
check "and the other" within 10 writes ok 1 "$mdev/$two/remove"
ktap_end
