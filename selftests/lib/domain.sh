# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Shell functions for scripts that run a guest under libvirt.
. ../lib/guest.sh

# The same wherever it goes.
domain_uuid=$(cat /proc/sys/kernel/random/uuid)

# hostdev UUID DISPLAY: a vGPU in the XML of a domain
hostdev()
{
	cat <<EOF
<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='$2'>
  <source><address uuid='$1'/></source>
</hostdev>
EOF
}

# domain NAME UUID PORT MORE: the XML of a domain whose display is that vGPU, with
# a VNC server on PORT; see guest_serial
domain()
{
	_type=qemu _cpu="<cpu mode='maximum'/>"
	[ -e /dev/kvm ] && _type=kvm _cpu="<cpu mode='host-passthrough'/>"
	cat <<EOF
<domain type='$_type' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$1</name>
  <uuid>$domain_uuid</uuid>
  <memory unit='MiB'>256</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$guest_files/vmlinuz</kernel>
    <initrd>$guest_files/initrd</initrd>
    <cmdline>$(guest_append)</cmdline>
  </os>
  <features><acpi/><apic/></features>
  $_cpu
  <devices>
    <controller type='usb' model='none'/>
    <controller type='pci' model='pcie-root'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/>
    <serial type='pipe'><source path='$guest_dir/input'/></serial>
    $(hostdev "$2" on)
    <graphics type='vnc' port='$3' autoport='no'/>
    <video><model type='none'/></video>
    <memballoon model='none'/>
  </devices>
  $4
</domain>
EOF
}
