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
# shellcheck disable=SC2016 # expanded by the inner shell
check "output that cannot be written" sh -c '"$1" --sysfs "$2" list \
	2>&1 > /dev/full | grep -q "standard output: No space"' \
	sh "$smi" "$sys"

ktap_end
