#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# test.sh PROGRAM: vgpu-smi on a sysfs that this makes.  Prints TAP.

# shellcheck disable=SC2317 # functions are called by check
here=$(dirname "$0")
smi=$(realpath "$1") || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$here/../../selftests/lib/ktap.sh"

# An error that a sanitizer finds must not look like one of the program's.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
export LSAN_OPTIONS=exitcode=99
export LC_ALL=C

sys=$tmp/sys
gpu0=$sys/devices/pcif000:00/f000:00:00.0
gpu1=$sys/devices/pci0000:00/0000:00:02.0
uuid0=11111111-2222-3333-4444-555555555555
uuid1=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
list=$gpu0/ecc/retired_list

# values DIR FILE=VALUE...
values()
{
	_dir=$1
	shift
	mkdir -p "$_dir"
	for _value; do
		echo "${_value#*=}" > "$_dir/${_value%%=*}"
	done
}

# type_dir GPU MODEL ID MIB AVAILABLE MAX
type_dir()
{
	values "$1/mdev_supported_types/vgpu-$3" "name=$2-$3" \
		"device_api=vfio-pci" "available_instances=$5" \
		"description=num_heads=4, frl_config=60, framebuffer=${4}M, max_resolution=1920x1200, max_instance=$6"
}

# vgpu GPU UUID TYPE BUSY
vgpu()
{
	values "$1/$2/vgpu" "busy=$4" frame_rate=0
	ln -s "../mdev_supported_types/$3" "$1/$2/mdev_type"
	ln -s "$1/$2" "$sys/bus/mdev/devices/$2"
}

# pages FILE [STATEMENT]: a list of three pages; the Python statement changes the
# header h, the entries e, or, with "raw", the bytes b when all is done
pages()
{
	python3 - "$1" "$2" <<-'EOF'
	import struct, sys, zlib
	h = dict(magic=b"VGPURETD", version=1, header_size=120, entry_size=24,
	         nr=None, reserved=0, vram=4 << 30, sbe=4, dbe=1,
	         identity=b"vgpu-soft f000:00:00.0")
	e = [[0x10, 0, 1, 1], [0x1234, 1700000000, 2, 0],
	     [0xfffff, 253402300799, 2, 1]]
	change = sys.argv[2]
	if not change.startswith("raw"):
	    exec(change)
	def image(crc):
	    nr = len(e) if h["nr"] is None else h["nr"]
	    return struct.pack("<8s6I3Q64s", h["magic"], h["version"], crc,
	                       h["header_size"], h["entry_size"], nr,
	                       h["reserved"], h["vram"], h["sbe"], h["dbe"],
	                       h["identity"]) + b"".join(
	                           struct.pack("<QQII", *x) for x in e)
	b = bytearray(image(zlib.crc32(image(0))))
	if change.startswith("raw"):
	    exec(change[4:])
	open(sys.argv[1], "wb").write(b)
	EOF
}

make_sysfs()
{
	rm -rf "$sys"
	mkdir -p "$sys/bus/pci/drivers/vgpu" "$sys/bus/mdev/devices"
	for _gpu in "$gpu0" "$gpu1"; do
		mkdir -p "$_gpu"
		ln -s "$_gpu" "$sys/bus/pci/drivers/vgpu/${_gpu##*/}"
	done
	# What else is in a driver's directory.
	touch "$sys/bus/pci/drivers/vgpu/bind"
	ln -s "$tmp" "$sys/bus/pci/drivers/vgpu/module"
	values "$gpu0" numa_node=1
	values "$gpu1" numa_node=-1
	type_dir "$gpu0" VSOFT 64Q 64 62 64
	type_dir "$gpu0" VSOFT 128Q 128 31 32
	type_dir "$gpu1" V-LIN 16C 16 1 1
	vgpu "$gpu0" $uuid0 vgpu-64Q 1
	vgpu "$gpu0" $uuid1 vgpu-128Q 0
	# Another driver's.
	mkdir -p "$sys/devices/mtty/cccccccc-2222-3333-4444-555555555555"
	ln -s "$sys/devices/mtty/cccccccc-2222-3333-4444-555555555555" \
		"$sys/bus/mdev/devices/"
	values "$gpu0/ecc" enabled=1 enabled_pending=0 sbe_volatile=3 \
		dbe_volatile=1 sbe_aggregate=18446744073709551615 \
		dbe_aggregate=2 spare_pages=1024 spare_pages_free=1021 \
		retired_pages=3 retired_pages_pending=1 reset=
	printf '%s\n' "dbe 0x1234000 1795000000 $uuid0" \
		"sbe 0x5000 1794999999 none" > "$gpu0/ecc/last_errors"
	pages "$list"
}

# run STATUS ARGUMENT...: the exit status is that; output in $tmp/out, $tmp/err
run()
{
	_want=$1
	shift
	"$smi" --sysfs "$sys" "$@" > "$tmp/out" 2> "$tmp/err"
	_status=$?
	[ "$_status" -eq "$_want" ] && return 0
	echo "# status $_status, not $_want: vgpu-smi $*"
	sed 's/^/# /' "$tmp/out" "$tmp/err"
	return 1
}

# shows PATTERN ARGUMENT...: succeeds, says nothing on stderr, and a line matches
shows()
{
	_pattern=$1
	shift
	run 0 "$@" || return 1
	is "$(cat "$tmp/err")" "" || return 1
	grep -Eq -e "$_pattern" "$tmp/out" && return 0
	echo "# no \"$_pattern\" in:"
	sed 's/^/# /' "$tmp/out"
	return 1
}

# errs STATUS PATTERN ARGUMENT...: fails like that, with that on stderr
errs()
{
	_code=$1 _pattern=$2
	shift 2
	run "$_code" "$@" || return 1
	grep -Eq -e "$_pattern" "$tmp/err" && return 0
	echo "# no \"$_pattern\" in:"
	sed 's/^/# /' "$tmp/err"
	return 1
}

# out_is EXPRESSION: what was printed is JSON, of which the expression is true
out_is()
{
	python3 -m json.tool "$tmp/out" > /dev/null || return 1
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval("(" + sys.argv[2] + ")"))' "$tmp/out" "$1" && return 0
	echo "# not: $1"
	sed 's/^/# /' "$tmp/out"
	return 1
}

# json EXPRESSION ARGUMENT...: succeeds, and so on
json()
{
	_expression=$1
	shift
	run 0 --json "$@" && is "$(cat "$tmp/err")" "" &&
		out_is "$_expression"
}

lines()
{
	is "$(wc -l < "$tmp/out")" "$1"
}

# list, types
make_sysfs
check "list: a pGPU" shows "^f000:00:00.0 +VSOFT +1 +2$" list
check "list: one without node and vGPU" shows "^0000:00:02.0 +V-LIN +- +0$" list
check "list: a vGPU that is open" \
	shows "^$uuid0 +f000:00:00.0 +VSOFT-64Q +64 MiB +yes$" list
check "list: one that is not" \
	shows "^$uuid1 +f000:00:00.0 +VSOFT-128Q +128 MiB +no$" list
check "list: nothing else" lines 7
cp "$tmp/out" "$tmp/list"
check "list is the default" run 0
check "list is the default: same output" cmp "$tmp/out" "$tmp/list"
check "--gpu: only that one" shows "0000:00:02.0" -g 0000:00:02.0
check "--gpu: not the other" lines 2
check "--gpu in capitals" shows "^f000:00:00.0" list --gpu=F000:00:00.0
check "list: JSON" json '[g["address"] for g in d["gpus"]] ==
	["0000:00:02.0", "f000:00:00.0"] and
	d["gpus"][0]["numa_node"] is None and d["gpus"][0]["vgpus"] == [] and
	d["gpus"][1]["model"] == "VSOFT" and d["gpus"][1]["numa_node"] == 1 and
	d["gpus"][1]["vgpus"][0] == {"uuid": "'$uuid0'", "type": "vgpu-64Q",
	"name": "VSOFT-64Q", "framebuffer_mib": 64, "busy": True}' list
rm "$gpu0/numa_node"
check "list: a kernel without NUMA" shows "^f000:00:00.0 +VSOFT +-? " list
values "$gpu0" numa_node=1
check "types" \
	shows "^f000:00:00.0 +vgpu-64Q +VSOFT-64Q +64 MiB +4 +1920x1200 +62 +64$" types
check "types: those of all pGPUs" lines 4
check "types: JSON" json 'd["gpus"][1]["types"][1] == {"type": "vgpu-128Q",
	"name": "VSOFT-128Q", "device_api": "vfio-pci", "framebuffer_mib": 128,
	"heads": 4, "frame_rate_limit": 60, "max_width": 1920,
	"max_height": 1200, "available_instances": 31, "max_instances": 32}' types

# ecc
check "ecc: mode" shows "^  mode +on, pending off$" ecc
check "ecc: volatile" shows "^  volatile errors +3 single-bit, 1 double" ecc
check "ecc: aggregate" shows "aggregate errors +18446744073709551615 " ecc
check "ecc: spare pages" shows "spare pages +1024, 1021 free$" ecc
check "ecc: retired pages" shows "retired pages +3, 1 pending$" ecc
check "ecc: last errors" shows \
	"^  last errors +2026-11-18T11:06:40Z  double-bit at 0x0001234000, vGPU $uuid0$" ecc
check "ecc: last errors: another" shows \
	"^ +2026-11-18T11:06:39Z  single-bit at 0x0000005000, vGPU none$" ecc
check "ecc: none" shows "^  no ECC support$" -g 0000:00:02.0 ecc
check "ecc: JSON" json 'd["gpus"] == [{"address": "0000:00:02.0", "ecc": None},
	{"address": "f000:00:00.0", "ecc": {"enabled": True,
	"enabled_pending": False,
	"volatile": {"single_bit": 3, "double_bit": 1},
	"aggregate": {"single_bit": 2**64 - 1, "double_bit": 2},
	"spare_pages": {"total": 1024, "free": 1021},
	"retired_pages": {"total": 3, "pending": 1},
	"last_errors": [{"time": "2026-11-18T11:06:40Z",
	"error": "double-bit", "address": "0x0001234000", "vgpu": "'$uuid0'"},
	{"time": "2026-11-18T11:06:39Z", "error": "single-bit",
	"address": "0x0000005000", "vgpu": None}]}}]' ecc
: > "$gpu0/ecc/last_errors"
check "ecc: no last errors" json 'd["gpus"][1]["ecc"]["last_errors"] == []' ecc
check "ecc --set on" shows "pending on" -g f000:00:00.0 ecc --set on
check "ecc --set on: written" is "$(cat "$gpu0/ecc/enabled_pending")" 1
check "ecc --set off" shows "pending off" -g f000:00:00.0 ecc --set off
check "ecc --set off: written" is "$(cat "$gpu0/ecc/enabled_pending")" 0
check "ecc: no reset until asked" is "$(cat "$gpu0/ecc/reset")" ""
check "ecc --reset" run 0 -g f000:00:00.0 ecc --reset
check "ecc --reset: written" is "$(cat "$gpu0/ecc/reset")" 1
check "ecc --set without ECC" errs 1 "0000:00:02.0: no ECC support" ecc \
	--set on
check "ecc --set: the others nevertheless" \
	is "$(cat "$gpu0/ecc/enabled_pending")" 1
rm "$gpu0/ecc/reset"
check "ecc --reset: missing" errs 1 "ecc/reset: No such file" \
	-g f000:00:00.0 ecc --reset
check "ecc --reset: missing, and not made" test ! -e "$gpu0/ecc/reset"
ln -s /dev/full "$gpu0/ecc/reset"
check "ecc --reset: refused" errs 1 "ecc/reset: No space left" \
	-g f000:00:00.0 ecc --reset

# Attributes that are not what they should be
# bad NAME FILE VALUE PATTERN ARGUMENT...
bad()
{
	_name=$1
	make_sysfs
	printf '%b' "$3" > "$gpu0/$2"
	_said=$4
	shift 4
	check "$_name" errs 1 "$_said" "$@"
	check "$_name: JSON is good, of the other pGPU" errs 1 "$_said" \
		--json "$@"
	check "$_name: ... all of it" \
		out_is '[g["address"] for g in d["gpus"]] == ["0000:00:02.0"]'
}
type=mdev_supported_types/vgpu-64Q
bad "number: none" ecc/sbe_volatile '\n' 'sbe_volatile: "" is not' ecc
bad "number: negative" ecc/sbe_volatile '-1\n' 'is not a number' ecc
bad "number: too large" ecc/dbe_volatile '18446744073709551616\n' 'is not a' ecc
bad "number: with a unit" ecc/spare_pages '5M\n' 'spare_pages: "5M"' ecc
bad "number: two lines" ecc/spare_pages '5\n6\n' 'not a line of text' ecc
bad "number: a null byte" ecc/spare_pages '5\00006\n' 'not a line of text' ecc
bad "mode" ecc/enabled '2\n' 'enabled: 2 is neither' ecc
for line in 'tbe 0x0 1 none' 'sbe 0 1 none' 'sbe 0x 1 none' 'sbe 0x0x1 1 none' \
	'sbe 0x11111111111111111 1 none' 'sbe 0x1' 'sbe 0x1 -1 none' \
	'sbe 0x1 253402300800 none' 'sbe 0x1 1' 'sbe 0x1 1 nobody' ''; do
	bad "last error: $line" ecc/last_errors "$line\n" 'not understood' ecc
done
bad "last errors: a null byte" ecc/last_errors 'sbe 0x1 1 none\n\0000\n' \
	'last_errors' ecc
bad "NUMA node" numa_node '-2\n' 'numa_node: "-2" is not' list
bad "NUMA node: large" numa_node '2147483648\n' 'is not a node' list
bad "description" $type/description 'num_heads=4\n' 'description: .*not under' types
bad "description: more" $type/description \
	'num_heads=4, frl_config=60, framebuffer=64M, max_resolution=1x1, max_instance=1, x\n' \
	'not understood' types
bad "name: too long" $type/name "$(printf '%5000s' x)" 'name: too long' list
bad "busy" "$uuid0/vgpu/busy" 'maybe\n' 'busy: "maybe"' list

make_sysfs
printf 'a\033[31m\377-64Q\n' > "$gpu0/$type/name"
check "text cannot harm a terminal" shows 'a\\x1b\[31m\\xff-64Q' types
check "text is UTF-8 in JSON" json \
	'd["gpus"][1]["types"][0]["name"] == "a\\x1b[31m\\xff-64Q"' types
make_sysfs
rm -r "$gpu0/$uuid0/vgpu"
check "a vGPU that comes or goes: not there" json \
	'len(d["gpus"][1]["vgpus"]) == 1' list
rm -r "${gpu0:?}/$uuid1"
check "a vGPU that has gone: not there" json 'd["gpus"][1]["vgpus"] == []' list
rm "$gpu0/ecc/sbe_volatile"
check "a file of ecc is missing" errs 1 "sbe_volatile: No such file" ecc
rm -r "$gpu0/mdev_supported_types"
check "types are missing" errs 1 "mdev_supported_types: No such file" types
mkdir "$gpu0/mdev_supported_types"
check "no types: no model" shows "^f000:00:00.0 +- +1 +0$" list
rm -r "$gpu0"
check "a GPU that has gone: not there" json 'len(d["gpus"]) == 1' list
check "a GPU that has gone: asked for" errs 1 "f000:00:00.0: not a GPU" \
	-g f000:00:00.0
rm "$sys/bus/pci/drivers/vgpu/"*:*
check "no GPU" json 'd == {"gpus": []}' list
rm -r "$sys/bus/pci/drivers/vgpu"
for verb in list types ecc retired-pages; do
	check "no driver: $verb" errs 1 "drivers/vgpu: No such file.*loaded" \
		$verb --json
	check "no driver: $verb prints nothing" lines 0
done

# retired-pages
make_sysfs
check "retired-pages: single-bit, retired" \
	shows "^f000:00:00.0 +0x0000010000 +single-bit +1970-01-01T00:00:00Z +retired$" \
	retired-pages
check "retired-pages: double-bit, pending" \
	shows " 0x0001234000 +double-bit +2023-11-14T22:13:20Z +pending$" \
	retired-pages
check "retired-pages: last of the VRAM and of time" \
	shows " 0x00fffff000 +double-bit +9999-12-31T23:59:59Z +retired$" \
	retired-pages
check "retired-pages: none without ECC" \
	shows "^0000:00:02.0: no ECC support$" retired-pages
check "retired-pages: nothing else" lines 5
check "retired-pages: JSON" json 'd == {"gpus": [
	{"address": "0000:00:02.0", "retired_pages": None},
	{"address": "f000:00:00.0", "retired_pages": {
	"identity": "vgpu-soft f000:00:00.0", "vram_bytes": 2**32,
	"single_bit": 4, "double_bit": 1, "pages": [
	{"address": "0x0000010000", "cause": "single-bit",
	"time": "1970-01-01T00:00:00Z", "state": "retired"},
	{"address": "0x0001234000", "cause": "double-bit",
	"time": "2023-11-14T22:13:20Z", "state": "pending"},
	{"address": "0x00fffff000", "cause": "double-bit",
	"time": "9999-12-31T23:59:59Z", "state": "retired"}]}}]}' retired-pages

# --save, --file
dir=$tmp/lib/firmware/vgpu
saved=$dir/retired-pages-f000:00:00.0.bin
save()
{
	run 0 -g f000:00:00.0 retired-pages --save --dir "$dir" "$@"
}
# What is in the directory beside what is for the lock.
saved_names()
{
	find "$dir" -mindepth 1 -maxdepth 1 ! -name .vgpu-smi.lock -printf '%f\n'
}
check "--save: makes the directory" save
check "--save: the bytes" cmp "$list" "$saved"
check "--save: mode" is "$(stat -c %a "$saved")" 600
check "--save: nothing else there" is "$(saved_names)" "${saved##*/}"
check "--save: says where" grep -q ": 3 saved to $saved$" "$tmp/out"
# shellcheck disable=SC2016 # expanded by the inner shell
check "--save: for the owner whatever the umask" \
	sh -c 'umask 0; rm "$2"; "$1" --sysfs "$3" -g f000:00:00.0 \
	retired-pages --save --dir "$4" > /dev/null' \
	sh "$smi" "$saved" "$sys" "$dir"
check "--save: mode then" is "$(stat -c %a "$saved")" 600
check "--file" shows "^vgpu-soft f000:00:00.0 +0x0001234000 +double-bit" \
	retired-pages --file "$saved"
check "--file: JSON" json 'd["file"] == "'"$saved"'" and
	[p["address"] for p in d["retired_pages"]["pages"]] ==
	["0x0000010000", "0x0001234000", "0x00fffff000"]' \
	retired-pages --file "$saved"
check "--file needs no sysfs" shows 0x0001234000 --sysfs /nonexistent \
	retired-pages --file "$saved"

old=$(stat -c %i "$saved")
pages "$list" "h.update(sbe=98)"
check "--save: again" save --json
check "--save: JSON says where" out_is 'd["gpus"][0]["saved"] == "'"$saved"'"'
check "--save: again, the bytes" cmp "$list" "$saved"
check "--save: a new file" test "$old" != "$(stat -c %i "$saved")"
check "--save: again, nothing else there" is "$(saved_names)" "${saved##*/}"

# Pages that the GPU does not know of any more are kept, once.
cp "$saved" "$tmp/before"
pages "$list" "e.clear()"
check "--save: fewer pages" save
check "--save: fewer pages, the bytes" cmp "$list" "$saved"
check "--save: fewer pages, the old ones" cmp "$tmp/before" "$saved.old"
check "--save: fewer pages, mode" is "$(stat -c %a "$saved.old")" 600
check "--save: as many" save
cp "$tmp/before" "$saved"
check "--save: fewer pages again" errs 1 "bin.old: File exists" \
	-g f000:00:00.0 retired-pages --save --dir "$dir"
check "--save: fewer pages again, the old ones" cmp "$tmp/before" "$saved"
rm "$saved.old"
cp "$list" "$saved"

# Two at a time: one reads the list, and is held up; there is a page more, and another
# one saves that.  Whoever is the last to save has the newer list.
pages "$list" "e.pop()"
cp "$list" "$tmp/fewer"
rm "$list"
mkfifo "$list"
"$smi" --sysfs "$sys" -g f000:00:00.0 retired-pages --save --dir "$dir" \
	> /dev/null 2> "$tmp/err" &
first=$!
exec 8> "$list"
cat "$tmp/fewer" >&8
pages "$tmp/more"
mv "$tmp/more" "$list"
"$smi" --sysfs "$sys" -g f000:00:00.0 retired-pages --save --dir "$dir" \
	> /dev/null 2>> "$tmp/err" 8>&- &
second=$!
# It waits, or has ended.
within 3 sh -c "! kill -0 $second"
check "--save: two at a time: the second waits" kill -0 $second
exec 8>&-
check "--save: two at a time: the first" wait $first
check "--save: two at a time: the second" wait $second
check "--save: two at a time: nothing is said" is "$(cat "$tmp/err")" ""
check "--save: two at a time: the newer list" cmp "$list" "$saved"
check "--save: two at a time: nothing was put away" \
	is "$(saved_names)" "${saved##*/}"
pages "$list" "e.clear()"
cp "$list" "$saved"
check "--file: without entries" shows "no retired pages$" retired-pages \
	--file "$saved"
check "retired-pages: without entries" \
	shows "^f000:00:00.0: no retired pages$" retired-pages

pages "$list"
pages "$saved" "h.update(sbe=99)"
cp "$saved" "$tmp/before"
pages "$list" "h.update(version=2)"
check "--save: a bad list" errs 1 "retired_list: version 2" -g f000:00:00.0 \
	retired-pages --save --dir "$dir"
check "--save: a bad list: old file kept" cmp "$tmp/before" "$saved"
pages "$list"
# shellcheck disable=SC2016 # expanded by the inner shell
check "--save: no room" sh -c 'trap "" XFSZ; said=$(ulimit -f 0
	"$1" --sysfs "$2" -g f000:00:00.0 retired-pages --save --dir "$3" 2>&1)
	[ $? -eq 1 ] && echo "$said" | grep -q "\.bin\..*: File too large"' \
	sh "$smi" "$sys" "$dir"
check "--save: no room: old file kept" cmp "$tmp/before" "$saved"
check "--save: no room: no temporary left" is "$(saved_names)" "${saved##*/}"
rm "$saved"
mkdir "$saved"
touch "$saved/kept"
check "--save: a directory is there" errs 1 "\.bin: (Is a|File exists|Directory)" \
	-g f000:00:00.0 retired-pages --save --dir "$dir"
check "--save: a directory is there: no temporary left" \
	is "$(saved_names)" "${saved##*/}"
check "--save: into a file" errs 1 "before/.*: Not a directory" \
	-g f000:00:00.0 retired-pages --save --dir "$tmp/before"
check "--save: below a file" errs 1 "before/x: Not a directory" \
	-g f000:00:00.0 retired-pages --save --dir "$tmp/before/x"
check "--save: where nothing can be made" errs 1 "/proc/x: No such file" \
	-g f000:00:00.0 retired-pages --save --dir /proc/x
check "--save: without ECC" errs 1 "0000:00:02.0: no ECC support" \
	retired-pages --save --dir "$tmp/all"
check "--save: the others nevertheless" \
	cmp "$list" "$tmp/all/retired-pages-f000:00:00.0.bin"

# Lists that must be refused, as a file and from a GPU
# refuses NAME PATTERN STATEMENT
refuses()
{
	rm -f "$tmp/bad"
	pages "$tmp/bad" "$3"
	check "--file: $1" errs 1 "^vgpu-smi: $tmp/bad: .*$2" retired-pages \
		--file "$tmp/bad"
	check "--file: $1: prints nothing" lines 0
	cp "$tmp/bad" "$list"
	check "GPU: $1" errs 1 "retired_list: .*$2" retired-pages --json
	check "GPU: $1: JSON of the others" out_is 'len(d["gpus"]) == 1'
}
refuses "empty" truncated "raw b.clear()"
refuses "part of a header" truncated "raw del b[100:]"
refuses "part of an entry" truncated "raw del b[-1]"
refuses "an entry less" truncated "raw del b[-24:]"
refuses "a byte more" "too long" "raw b.append(0)"
refuses "an entry more" "too long" "raw b.extend(bytes(24))"
refuses "longer than any list" "too long" "raw b.extend(bytes(25 << 20))"
refuses "another format" "bad magic" "raw b[:] = b'\x7fELF' + bytes(200)"
refuses "corrupt header" corrupt "raw b[40] ^= 1"
refuses "corrupt entry" corrupt "raw b[150] ^= 1"
refuses "corrupt checksum" corrupt "raw b[12] ^= 1"
refuses "version" "version 3" "h['version'] = 3"
refuses "header_size" "header_size 4294967295" "h['header_size'] = 2**32 - 1"
refuses "entry_size" "entry_size 0" "h['entry_size'] = 0"
refuses "number" "4294967295 entries" "h['nr'] = 2**32 - 1"
refuses "reserved" reserved "h['reserved'] = 1"
refuses "identity" "identity does not end" "h['identity'] = b'x' * 64"
refuses "descending" ascending "e.reverse()"
refuses "twice" ascending "e[1][0] = e[0][0]"
refuses "outside" "not in the VRAM" "e[2][0] = 0x100000"
refuses "cause" "unknown cause" "e[0][2] = 0"
refuses "state" "unknown state" "e[0][3] = 2"
refuses "time" "time .* out of range" "e[0][1] = 2**64 - 1"
check "--file: missing" errs 1 "nothing: No such file" retired-pages \
	--file "$tmp/nothing"
check "--file: a directory" errs 1 "Is a directory" retired-pages --file "$tmp"
check "--file: without end" errs 1 "/dev/zero: too long" retired-pages \
	--file /dev/zero
pages "$tmp/odd" "h['identity'] = bytes([0x1b, 0xff, 0x22])"
check "--file: odd identity" json \
	'd["retired_pages"]["identity"] == "\\x1b\\xff\""' \
	retired-pages --file "$tmp/odd"

# screenshot

# screens FILE [STATEMENT]: heads 0 to 3 of a vGPU; the Python statement changes them:
# heads[n].  Head 0 shows nothing.
screens()
{
	rm -f "$1"
	python3 - "$1" "$2" <<-'EOP'
	import random, struct, sys
	random.seed(7)
	class Head:
	    def __init__(self, number, format, width, height, bytes):
	        self.magic, self.version, self.number = 0x53504756, 1, number
	        self.format, self.width, self.height = format, width, height
	        self.pitch = width * bytes + -width * bytes % 4 + 8
	        self.start, self.flips = 4096, 5
	        self.pixels = random.randbytes(self.pitch * height)
	        self.cursor_format, self.cursor_size = b"", (0, 0)
	        self.cursor_pitch = self.cursor_start = 0
	        self.at, self.hot, self.cursor = (0, 0), (0, 0), b""
	    def show_cursor(self, x, y, width=4, height=3):
	        self.cursor_format, self.cursor_size = b"AR24", (width, height)
	        self.cursor_pitch = 4 * width
	        self.cursor_start = 8192
	        self.at, self.hot = (x, y), (1, 2)
	        self.cursor = random.randbytes(4 * width * height)
	    def header(self):
	        return struct.pack("<4I4s5I4s4I2i2I", self.magic, self.version,
	                           self.number, 4, self.format, self.width,
	                           self.height, self.pitch, self.start, self.flips,
	                           self.cursor_format, *self.cursor_size,
	                           self.cursor_pitch, self.cursor_start, *self.at,
	                           *self.hot)
	heads = [Head(0, b"", 0, 0, 0), Head(1, b"XR24", 7, 5, 4),
	         Head(2, b"XR24", 9, 6, 4), Head(3, b"RG16", 4, 2, 2)]
	heads[0].start = heads[0].pitch = heads[0].flips = 0
	heads[2].show_cursor(-1, 4)
	exec(sys.argv[2])
	with open(sys.argv[1], "wb") as f:
	    for n, head in enumerate(heads):
	        f.seek(n << 36)
	        f.write(head.header().ljust(4096, b"\0"))
	        f.write(head.pixels)
	        if head.cursor:
	            f.seek((n << 36) + head.cursor_start)
	            f.write(head.cursor)
	EOP
}

# is_picture PNG FILE HEAD [CURSOR]: whether that is in the PNG, each pixel of it
is_picture()
{
	python3 - "$@" <<-'EOP'
	import struct, sys
	from PIL import Image
	image = Image.open(sys.argv[1])
	assert image.format == "PNG" and image.mode == "RGB", image.mode
	f = open(sys.argv[2], "rb")
	base = int(sys.argv[3]) << 36
	f.seek(base)
	(format, width, height, pitch, start, _, _, cursor_width, cursor_height,
	 cursor_pitch, cursor_start, x, y) = struct.unpack("<4s5I4s4I2i",
	                                                   f.read(68)[16:])
	f.seek(base + start)
	data = f.read(pitch * height)
	f.seek(base + cursor_start)
	cursor = f.read(cursor_pitch * cursor_height)
	if len(sys.argv) < 5:
	    cursor_height = 0
	def wide(value, bits):
	    return value << (8 - bits) | value >> (2 * bits - 8)
	def pixel(x, y):
	    at = y * pitch
	    def byte(size, n):
	        return data[at + x * size + n]
	    if format == b"XR24":
	        return byte(4, 2), byte(4, 1), byte(4, 0)
	    if format == b"XB24":
	        return byte(4, 0), byte(4, 1), byte(4, 2)
	    if format == b"BX24":
	        return byte(4, 1), byte(4, 2), byte(4, 3)
	    if format == b"RX24":
	        return byte(4, 3), byte(4, 2), byte(4, 1)
	    if format == b"RG24":
	        return byte(3, 2), byte(3, 1), byte(3, 0)
	    word = byte(2, 0) | byte(2, 1) << 8
	    if format == b"RG16":
	        return (wide(word >> 11, 5), wide(word >> 5 & 63, 6),
	                wide(word & 31, 5))
	    assert format == b"XR15", format
	    return (wide(word >> 10 & 31, 5), wide(word >> 5 & 31, 5),
	            wide(word & 31, 5))
	want = {(x, y): pixel(x, y) for x in range(width) for y in range(height)}
	for cy in range(cursor_height):
	    for cx in range(cursor_width):
	        b, g, r, a = cursor[cy * cursor_pitch + 4 * cx:][:4]
	        old = want.get((x + cx, y + cy))
	        if old:
	            want[x + cx, y + cy] = tuple(
	                min(255, new + (o * (255 - a) + 127) // 255)
	                for new, o in zip((r, g, b), old))
	if image.size != (width, height):
	    sys.exit(f"# {image.size}, not {width}x{height}")
	for at, colour in want.items():
	    if image.getpixel(at) != colour:
	        sys.exit(f"# {at}: {image.getpixel(at)}, not {colour}")
	EOP
}

make_sysfs
screen=$gpu0/$uuid0/vgpu/screen
shots=$tmp/shots
png=$shots/a.png
mkdir "$shots"
screens "$screen"
shot()
{
	run 0 screenshot -u $uuid0 "$@" && is "$(cat "$tmp/err")" ""
}
check "screenshot" shot --head 1 "$png"
check "screenshot: the picture" is_picture "$png" "$screen" 1
check "screenshot: prints nothing" lines 0
check "screenshot: mode" is "$(stat -c %a "$png")" 600
cp "$png" "$tmp/head1.png"
check "screenshot: another head over it" shot --head=3 "$png"
check "screenshot: its picture" is_picture "$png" "$screen" 3
check "screenshot: nothing else there" is "$(ls -A "$shots")" a.png
ln -s a.png "$shots/link.png"
check "screenshot: behind a link" shot --head=1 "$shots/link.png"
check "screenshot: behind a link: the link" test -L "$shots/link.png"
check "screenshot: behind a link: the picture" cmp "$png" "$tmp/head1.png"
rm "$shots/link.png"
check "screenshot: to standard output" shot --head 1 -
check "screenshot: to standard output: the same" \
	cmp "$tmp/out" "$tmp/head1.png"
cp --sparse=always "$screen" "$gpu0/$uuid1/vgpu/screen"
check "screenshot: UUID in capitals" run 0 screenshot \
	-u "$(echo $uuid1 | tr a-f A-F)" --head 1 -
check "screenshot: UUID in capitals: the same" cmp "$tmp/out" "$tmp/head1.png"
rm "$gpu0/$uuid1/vgpu/screen"
# shellcheck disable=SC2016 # expanded by the inner shell
check "screenshot: in this directory" sh -c 'cd "$4" && rm a.png &&
	"$1" --sysfs "$2" screenshot --head 1 --uuid "$3" a.png &&
	cmp a.png "$5"' sh "$smi" "$sys" $uuid0 "$shots" "$tmp/head1.png"
for format in XR24 XB24 BX24 RX24 RG24 RG16 XR15; do
	case $format in
	*15 | *16) bytes=2 ;;
	RG24) bytes=3 ;;
	*) bytes=4 ;;
	esac
	screens "$screen" "heads[0] = Head(0, b'$format', 123, 45, $bytes)"
	check "screenshot: $format" shot "$png"
	check "screenshot: $format: the picture" is_picture "$png" "$screen" 0
done
screens "$screen" "heads[0] = Head(0, b'RG24', 1, 1, 3)"
check "screenshot: one pixel" shot "$png"
check "screenshot: one pixel: it" is_picture "$png" "$screen" 0
for at in "2, 1" "-2, -2" "8, 5" "-4, 0" "9, 6" "-32768, 32767" \
	"-(1 << 31), (1 << 31) - 1"; do
	screens "$screen" "heads[2].show_cursor($at)"
	check "screenshot: cursor at $at" shot --head 2 --cursor "$png"
	check "screenshot: cursor at $at: the picture" \
		is_picture "$png" "$screen" 2 cursor
done
check "screenshot: not the cursor" shot --head 2 "$png"
check "screenshot: not the cursor: the picture" is_picture "$png" "$screen" 2
check "screenshot: a cursor that there is not" shot --head 1 --cursor "$png"
check "screenshot: without a cursor" cmp "$png" "$tmp/head1.png"

# What cannot be
no_shot()
{
	_why=$1 _wanted=$2 _text=$3
	shift 3
	check "screenshot: $_why" errs "$_wanted" "$_text" screenshot "$@"
	check "screenshot: $_why: as it was" cmp "$png" "$tmp/head1.png"
	check "screenshot: $_why: nothing else there" \
		is "$(ls -A "$shots")" a.png
}
screens "$screen"
no_shot "a head that is dark" 3 "$uuid0: head 0 shows nothing" -u $uuid0 "$png"
no_shot "a head that there is not" 1 "$uuid0: has no head 4" -u $uuid0 \
	--head 4 "$png"
no_shot "no vGPU" 1 "^vgpu-smi: 00000000-.*: no such vGPU$" \
	-u 00000000-2222-3333-4444-555555555555 "$png"
no_shot "no such file" 1 "vgpu/screen: No such file" -u $uuid1 "$png"
no_shot "no directory" 1 "nothing/.*: No such file" -u $uuid0 --head 1 \
	"$tmp/nothing/x.png"
no_shot "to a directory" 1 "$shots: Is a directory" -u $uuid0 --head 1 "$shots"
no_shot "to a device" 1 "/dev/null: not a regular file" -u $uuid0 --head 1 \
	/dev/null
check "screenshot: to a device: it is one" test -c /dev/null
chmod 755 "$tmp" "$shots"
chmod 400 "$screen"
[ "$(id -u)" = 0 ] && as_other="setpriv --reuid 65534 --regid 65534 --clear-groups"
[ "$as_other" ] || chmod 0 "$screen"
real_smi=$smi
cat > "$tmp/other" <<EOP
#!/bin/sh
exec $as_other "$smi" "\$@"
EOP
chmod 755 "$tmp/other"
smi=$tmp/other
no_shot "no right" 1 "vgpu/screen: Permission denied" -u $uuid0 --head 1 "$png"
smi=$real_smi
chmod 600 "$screen"
# shellcheck disable=SC2016 # expanded by the inner shell
check "screenshot: no room" sh -c 'trap "" XFSZ; said=$(ulimit -f 0
	"$1" --sysfs "$2" screenshot -u "$3" --head 1 "$4" 2>&1)
	[ $? -eq 1 ] && echo "$said" | grep -q "\.a\.png\..*: File too large"' \
	sh "$smi" "$sys" $uuid0 "$png"
check "screenshot: no room: nothing else there" is "$(ls -A "$shots")" a.png
# shellcheck disable=SC2016 # expanded by the inner shell
check "screenshot: standard output is full" sh -c '"$1" --sysfs "$2" \
	screenshot -u "$3" --head 1 - 2>&1 > /dev/full |
	grep -q "standard output: No space"' sh "$smi" "$sys" $uuid0

# Headers and files that must be refused
# refuses_screen NAME PATTERN STATEMENT: of head 3
refuses_screen()
{
	screens "$screen" "h = heads[3]; $3"
	no_shot "$1" 1 "$2" -u $uuid0 --head 3 --cursor "$png"
}
refuses_screen "magic number" "screen: head 3: bad magic" "h.magic = 0"
refuses_screen "version" "version 2 is not" "h.version = 2"
refuses_screen "head" "head 2 in place of head 3" "h.number = 2"
refuses_screen "format" "format 0x3231564e is not" "h.format = b'NV12'"
refuses_screen "no width" "picture of 0x2" "h.width = 0"
refuses_screen "no height" "picture of 4x0" "h.height = 0"
refuses_screen "width" "picture of 16385x2" "h.width = 16385"
refuses_screen "height" "picture of 4x4294967295" "h.height = 2**32 - 1"
refuses_screen "pitch" "4 pixels in 7 bytes" "h.pitch = 7"
refuses_screen "size" "picture: too large" \
	"h.pitch = 2**18; h.height = 2**13"
refuses_screen "start" "picture at 4095" "h.start = 4095"
refuses_screen "start: far" "picture: too large" "h.start = 2**31"
refuses_screen "a file that is too short" "the mode changed each time" \
	"h.pixels = h.pixels[:-1]"
refuses_screen "cursor: format" "cursor: format 0x34325258" \
	"h.show_cursor(0, 0); h.cursor_format = b'XR24'"
refuses_screen "cursor: size" "cursor of 257x3" \
	"h.show_cursor(0, 0); h.cursor_size = (257, 3)"
refuses_screen "cursor: pitch" "cursor: 4 pixels in 15" \
	"h.show_cursor(0, 0); h.cursor_pitch = 15"
refuses_screen "cursor: start" "cursor at 4096" \
	"h.show_cursor(0, 0); h.cursor_start = 4096"
refuses_screen "cursor: too short" "the mode changed each time" \
	"h.show_cursor(0, 0); h.cursor = h.cursor[1:]"
screens "$screen"
truncate -s $(((3 << 36) + 75)) "$screen"
no_shot "a header that is too short" 1 "head 3: truncated" -u $uuid0 --head 3 \
	"$png"
truncate -s $((3 << 36)) "$screen"
no_shot "a head that has no header" 1 "has no head 3" -u $uuid0 --head 3 "$png"
rm "$screen"
mkdir "$screen"
no_shot "a directory" 1 "screen: Is a directory" -u $uuid0 "$png"
rmdir "$screen"

# A guest that shows another picture whenever somebody looks: in the end one is taken.
screens "$screen" "heads[1] = Head(1, b'XR24', 2000, 1000, 4)"
python3 - "$screen" "$tmp/changes" <<-'EOP' &
	import mmap, sys
	f = open(sys.argv[1], "r+b")
	header = mmap.mmap(f.fileno(), 4096, offset=1 << 36)
	n = 0
	while True:
	    n = (n + 1) % 2**32
	    header[36:40] = n.to_bytes(4, "little")
	    if n == 1:
	        open(sys.argv[2], "w")
EOP
guest=$!
within 20 test -e "$tmp/changes"
check "screenshot: of what changes" run 0 screenshot -u $uuid0 --head 1 "$png"
check "screenshot: of what changes: says so" \
	grep -q "head 1: the picture changed each time" "$tmp/err"
kill $guest
wait $guest 2> /dev/null
check "screenshot: of what changes: the picture" \
	is_picture "$png" "$screen" 1

# The command line
make_sysfs
check "--help" shows "retired-pages  pages" --help
check "--version" shows "^vgpu-smi [0-9]" --version
check "unknown verb" errs 2 "frobnicate: no such verb" frobnicate
check "two verbs" errs 2 "types: one verb" list types
check "unknown option" errs 2 "unrecognized option" --frobnicate
check "no argument" errs 2 "requires an argument" list --gpu
for address in "" x f000 00:02.0 0000:00:02 0000:00:02.00 0000:0g:02.0 \
	0000:00:02.0/ ../0000:00:02.0 000000000:00:02.0; do
	check "bad address \"$address\"" errs 2 "not a PCI address" \
		-g "$address"
done
check "no such GPU" errs 1 "drivers/vgpu/0000:99:00.0: not a GPU" \
	-g 0000:99:00.0
check "--set what?" errs 2 "neither on nor off" ecc --set maybe
check "--set without ecc" errs 2 "for the verb ecc" --set on
check "--reset without ecc" errs 2 "for the verb ecc" types --reset
check "--save without retired-pages" errs 2 "for the verb" ecc --save
check "--dir without --save" errs 2 "is for --save" retired-pages --dir /
check "--dir empty" errs 2 "empty" retired-pages --save --dir ""
check "--file and --save" errs 2 "not for" retired-pages --file x --save
check "--file and --gpu" errs 2 "not for" -g 0000:00:02.0 retired-pages --file x
for arguments in "-u $uuid0" "$png" "-u $uuid0 $png x" "-u $uuid0 --head 256 $png" \
	"-u $uuid0 --head -1 $png" "-u $uuid0 --head 1x $png" "-u x $png" \
	"-u $uuid0/.. $png" "-u $uuid0 --json $png" \
	"-u $uuid0 -g f000:00:00.0 $png"; do
	# shellcheck disable=SC2086 # several words
	check "screenshot $arguments" errs 2 "screenshot|head|UUID|one file" \
		screenshot $arguments
done
check "screenshot to no name" errs 2 "name of the file is empty" screenshot \
	-u $uuid0 ""
for arguments in "-u $uuid0" "--head 0" --cursor; do
	# shellcheck disable=SC2086 # several words
	check "$arguments without screenshot" errs 2 "for the verb screenshot" \
		list $arguments
done
# shellcheck disable=SC2016 # expanded by the inner shell
check "output that cannot be written" sh -c '"$1" --sysfs "$2" list \
	2>&1 > /dev/full | grep -q "standard output: No space"' \
	sh "$smi" "$sys"

ktap_end
