#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# vgpu-smi on a real driver: what there is, what heads show, ECC, the list of retired
# pages and its way through a file and a new start of the GPU.
. ../lib/ktap.sh

command -v vgpu-smi > /dev/null || skip_all "vgpu-smi is not installed"

drv=/sys/bus/pci/drivers/vgpu
bdf=$(basename "$(ls -d $drv/????:* | head -n 1)")
debugfs=/sys/kernel/debug/vgpu/$bdf
saved=/tmp/smi-firmware
path=/sys/module/firmware_class/parameters/path
[ -e "$debugfs" ] || mount -t debugfs debugfs /sys/kernel/debug

smi()
{
	vgpu-smi -g "$bdf" "$@"
}

json()
{
	vgpu-smi --json "$@" 2> /dev/null | python3 -m json.tool
}

rm -f /tmp/smi-dbe
uuid=$(cat /proc/sys/kernel/random/uuid)
writes ok "$uuid" "$drv/$bdf/mdev_supported_types/vgpu-16Q/create"
check "list: the GPU" prints "$bdf" vgpu-smi list
check "list: the vGPU" prints "$uuid" vgpu-smi list
check "list: its type" prints "$vgpu_model-16Q" vgpu-smi list
check "types" prints "$vgpu_model-16Q" smi types
check "a GPU that there is not" fails vgpu-smi -g 0000:ff:1f.7 list
for verb in list types ecc retired-pages; do
	check "$verb: JSON" prints "$bdf" json $verb
done

# What heads show.
shots=/tmp/smi-shots
mkdir -p $shots
heads=$(cat /proc/sys/kernel/random/uuid)
writes ok "$heads" "$drv/$bdf/mdev_supported_types/vgpu-64Q/create"
shot()
{
	vgpu-smi screenshot -u "$heads" "$@"
}
dark()
{
	shot "$@" > /dev/null 2>&1
	is $? 3
}
# is_shot PNG HEAD [CURSOR]: what holder shows there
is_shot()
{
	python3 - "$@" <<-'EOP'
	import sys
	from PIL import Image
	image = Image.open(sys.argv[1])
	head, cursor = int(sys.argv[2]), len(sys.argv) > 3
	if image.size != (640 + head, 480):
	    sys.exit(f"# {image.size}")
	for i, pixel in enumerate(image.getdata()):
	    y, x = divmod(i, 640 + head)
	    want = (85 * head, y & 255, x & 255)
	    if cursor and 100 <= x < 116 and 200 <= y < 216:
	        want = (255, 255, 255)
	    if pixel != want:
	        sys.exit(f"# {x}, {y}: {pixel}, not {want}")
	EOP
}
check "screenshot: nobody has it open" dark -
../lib/holder "$heads" show > /tmp/holder.out &
holder=$!
check "screenshot: there is a picture" within 20 grep -q open /tmp/holder.out
check "screenshot: a head that is dark" dark $shots/0.png
for head in 1 2 3; do
	check "screenshot: head $head" shot --head $head $shots/$head.png
	check "screenshot: head $head: the picture" is_shot $shots/$head.png $head
done
check "screenshot: with the cursor" shot --head 3 --cursor $shots/3.png
check "screenshot: with the cursor: the picture" is_shot $shots/3.png 3 cursor
check "screenshot: a head that there is not" prints "has no head 4" \
	sh -c "vgpu-smi screenshot -u $heads --head 4 - 2>&1 || :"
check "screenshot: a type of one head" prints "has no head 1" \
	sh -c "vgpu-smi screenshot -u $uuid --head 1 - 2>&1 || :"
check "screenshot: for root alone" prints "Permission denied" sh -c \
	"setpriv --reuid 65534 --regid 65534 --clear-groups \
	vgpu-smi screenshot -u $heads --head 1 - 2>&1 || :"
kill $holder
wait $holder 2>/dev/null
check "screenshot: nobody has it open any more" dark --head 1 -
echo 1 > "/sys/bus/mdev/devices/$heads/remove"
check "screenshot: a vGPU that has gone" prints "no such vGPU" \
	sh -c "vgpu-smi screenshot -u $heads --head 1 - 2>&1 || :"
rm -r $shots

check "ecc: on" is "$(cat "$drv/$bdf/ecc/enabled")" 1
check "ecc --set off" smi ecc --set off
check "from the next reset on" is "$(cat "$drv/$bdf/ecc/enabled")" 1
../lib/holder "$uuid" watch > /tmp/holder.out &
holder=$!
check "in use" within 20 grep -q open /tmp/holder.out
check "no reset of a GPU in use" fails smi ecc --reset
kill $holder
wait $holder 2>/dev/null
check "ecc --reset" within 10 smi ecc --reset
check "ecc: off" is "$(cat "$drv/$bdf/ecc/enabled")" 0
check "ecc --set on" smi ecc --set on
check "ecc --reset again" smi ecc --reset

dbe()
{
	echo "$1" >> /tmp/smi-dbe
	echo "dbe $1" > "$debugfs/inject"
}

dbe 0x345000
echo "sbe 0x9000" > "$debugfs/inject"
echo "sbe 0x9000" > "$debugfs/inject"
check "retired: the double-bit error" prints 0x0000345000 smi retired-pages
check "retired: the single-bit errors" prints 0x0000009000 smi retired-pages
check "--save" smi retired-pages --save --dir $saved/vgpu
file=$saved/vgpu/retired-pages-$bdf.bin
check "--file" prints 0x0000345000 vgpu-smi retired-pages --file "$file"
cmp "$file" "$drv/$bdf/ecc/retired_list" && same=0
check "as the driver has it" is "${same:-1}" 0

# By itself, when there is one more.
rules=/run/udev/rules.d/60-vgpu-smi.rules
installed=${VGPU_TEST_SMI_RULES:-/usr/lib/udev/rules.d/60-vgpu-smi.rules}
if [ -S /run/udev/control ] && [ -e "$installed" ]; then
	mkdir -p "${rules%/*}"
	sed "s,/usr/bin/vgpu-smi \(.*--save\),$(command -v vgpu-smi) \1 --dir $saved/vgpu," \
		"$installed" > $rules
	# A new one, for one that is busy may go on with the rules that it has.
	udev on
	udevadm monitor --kernel --udev --property > /tmp/smi-udev &
	monitor=$!
	within 20 grep -q UDEV /tmp/smi-udev
	dbe 0x567000
	check "the rule for udev saves" within 60 \
		prints 0x0000567000 vgpu-smi retired-pages --file "$file"
	kill "$monitor"
	[ "$ktap_failed" = 0 ] || sed 's/^/# /' /tmp/smi-udev
	udevadm settle -t 60
	rm $rules
	udev on
else
	skip "the rule for udev saves" "no udev, or no rule"
fi

# A new start of the GPU.
restart()
{
	echo "$bdf" > $drv/unbind && echo "$bdf" > $drv/bind
}
old=$(cat $path)
printf %s $saved > $path
check "restart" restart
check "retired as before" prints 0x0000345000 smi retired-pages
check "counted as before" is "$(cat "$drv/$bdf/ecc/dbe_aggregate")" \
	"$(grep -c . /tmp/smi-dbe)"
truncate -s -1 "$file"
dmesg -C
check "restart with a bad file" restart
check "the log says so" prints "VGPU-ECC-LIST" dmesg
check "none is retired" is "$(cat "$drv/$bdf/ecc/retired_pages")" 0

# More pages than any list had before: 4 GiB and a page of a GPU of 8 GiB.
pages=1048577
config=/sys/kernel/config/vgpu-soft/smi
# make_list GPU FILE: of that many pages; what else is in it is the GPU's
make_list()
{
	python3 - "$drv/$1/ecc/retired_list" "$2" $pages <<-'EOF'
	import struct
	import sys
	import zlib

	nr = int(sys.argv[3])
	head = bytearray(open(sys.argv[1], "rb").read(120))
	struct.pack_into("<I", head, 24, nr)
	struct.pack_into("<I", head, 12, 0)
	pages = b"".join(struct.pack("<QQII", page, 1700000000, 2, 1)
	                 for page in range(nr))
	struct.pack_into("<I", head, 12, zlib.crc32(head + pages))
	open(sys.argv[2], "wb").write(head + pages)
	EOF
}
if [ "$VGPU_PGPU" ]; then
	skip "$pages pages" "for software GPUs"
else
	mkdir $config && echo 8G > $config/vram_size && echo 1 > $config/power
	big=$(cat $config/pci_address)
	file=$saved/vgpu/retired-pages-$big.bin
	check "a list of $pages pages" make_list "$big" "$file"
	check "unbind" writes ok "$big" $drv/unbind
	began=$(date +%s)
	check "bind" writes ok "$big" $drv/bind
	echo "# bound in $(($(date +%s) - began)) s"
	check "all are retired" is "$(cat "$drv/$big/ecc/retired_pages")" $pages
	check "none is in use" \
		is "$(cat "$drv/$big/ecc/retired_pages_pending")" 0
	# The 16 MiB of the reserve stand in for more than the page beyond the half.
	check "the rest can be used" is "$(cat \
		"$drv/$big/mdev_supported_types/vgpu-2048Q/available_instances")" 2
	began=$(date +%s)
	check "the list is as it was" cmp "$file" "$drv/$big/ecc/retired_list"
	echo "# read in $(($(date +%s) - began)) s"
	rm "$file"
	check "--save: all of them" vgpu-smi -g "$big" retired-pages --save \
		--dir $saved/vgpu
	check "--save: the bytes" cmp "$file" "$drv/$big/ecc/retired_list"
	rmdir $config
fi
rm -r $saved
printf %s "${old:- }" > $path
check "restart without" restart

# A kernel that has been told to ask a program for what it does not find.  Nobody
# answers, and nothing waits for that with locks held.
ask=/proc/sys/kernel/firmware_config/force_sysfs_fallback
if [ -e $ask ]; then
	echo 1 > $ask
	check "restart without a helper" in_time 30 restart
	echo 0 > $ask
else
	skip "restart without a helper" "the kernel has none"
fi
ktap_end
