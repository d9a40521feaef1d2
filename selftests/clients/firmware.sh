#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What there is to see before an operating system is: OVMF, GRUB, SeaBIOS, and the
# kernel of Debian's installer.  Each shows on a vGPU what it shows on QEMU's
# bochs-display, and on a virtio-gpu what it shows on QEMU's virtio-gpu-pci.
. ../lib/ktap.sh
. ../lib/guest.sh

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
uuid=$(cat /proc/sys/kernel/random/uuid)
vgpu=vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid,display=on,id=vgpu
peer=bochs-display,vgamem=64M,id=peer
ovmf=/usr/share/OVMF
dir=/tmp/firmware

writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create" || exit 1
mkdir -p $dir/esp

# shows DEVICE: keep what it shows
shows()
{
	guest_screen "$1" "$dir/$1.png"
}

same()
{
	_seen=$(../lib/same-picture $dir/vgpu.png $dir/peer.png 2>&1)
	_ret=$?
	echo "# $_seen"
	return $_ret
}

# Both in one VM, as long as the VM writes to both.
both_show_the_same()
{
	shows vgpu && shows peer && same
}

# fills DEVICE: it shows a dialogue, all of it
fills()
{
	shows "$1" && cp "$dir/$1.png" $dir/before.png && sleep 2 && shows "$1" &&
		../lib/same-picture --least 5 "$dir/$1.png" \
			$dir/before.png > /dev/null 2>&1
}

silent()
{
	! grep . "$guest_dir/qemu.log"
}

# With the ROM of QEMU's bochs-display, which that has by itself.
seabios()
{
	: > $dir/bios.log
	guest_run -machine q35,accel=kvm:tcg -m 128M -device "$2" \
		-chardev file,id=log,path=$dir/bios.log \
		-device isa-debugcon,iobase=0x402,chardev=log
	check "SeaBIOS comes up with $1" \
		guest_until 120 grep -q "No bootable device" $dir/bios.log
	guest_screen "$1" "$dir/$1.png"
	check "QEMU has no complaint" silent
	guest_stop
}

# Debian's installer, whose kernel has both drivers as modules; the first question fills
# the screen.
guest_cpu=max
[ -e /dev/kvm ] && guest_cpu=host
installer()
{
	guest_run -machine q35,accel=kvm:tcg -cpu $guest_cpu -m 900M \
		-device "$2" -kernel /opt/installer/linux \
		-initrd /opt/installer/initrd.gz \
		-append "quiet $VGPU_TEST_GUEST_APPEND"
	check "Debian's installer asks with $1" guest_until 600 fills "$1"
	check "QEMU has no complaint" silent
	guest_stop
}
installers()
{
	installer peer "$1"
	installer vgpu "$vgpu"
	check "it shows the same" same
}

# OVMF has its console on every GPU, and so has GRUB through it.  In the lab not always
# with KVM.
cat > $dir/grub.cfg <<'EOF'
terminal_output console
terminal_input console
set timeout=-1
menuentry "a menu on a vGPU" { true }
menuentry "another entry" { true }
EOF
grub-mkstandalone --format=x86_64-efi --output=$dir/esp/grub.efi \
	--install-modules="normal" --fonts= --locales= --themes= \
	boot/grub/grub.cfg=$dir/grub.cfg > $dir/grub.log 2>&1 ||
	sed 's/^/# /' $dir/grub.log

# ovmf KIND PEER: that one and the vGPU in one VM
ovmf()
{
	cp $ovmf/OVMF_VARS_4M.fd $dir/vars.fd
	guest_run -machine "q35,accel=${VGPU_TEST_FIRMWARE_ACCEL:-kvm:tcg}" -m 256M \
		-drive if=pflash,format=raw,unit=0,readonly=on,file=$ovmf/OVMF_CODE_4M.fd \
		-drive if=pflash,format=raw,unit=1,file=$dir/vars.fd \
		-drive if=none,id=esp,format=raw,readonly=on,file=fat:$dir/esp \
		-device virtio-blk-pci,drive=esp -device "$vgpu" -device "$2"
	check "OVMF comes up with $1" guest_wait "Shell>" 600
	check "its shell is on both" guest_until 60 both_show_the_same
	# It wants a carriage return.
	printf 'fs0:\\grub.efi\r' >&9
	check "GRUB comes up" guest_wait "another entry" 300
	check "its menu is on both" guest_until 60 both_show_the_same
	check "QEMU has no complaint" silent
	guest_stop
}

seabios peer "$peer"
seabios vgpu "$vgpu,romfile=vgabios-bochs-display.bin"
check "it shows the same" same
installers "$peer"
ovmf bochs-display "$peer"
check "remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"

writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-64V/create" || exit 1
installers virtio-gpu-pci,id=peer
ovmf virtio-gpu virtio-gpu-pci,id=peer
check "remove" writes ok 1 "/sys/bus/mdev/devices/$uuid/remove"
ktap_end
