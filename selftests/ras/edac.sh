#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Errors as EDAC has them, and the programs that look there: edac-util reads
# counters, rasdaemon listens.
. ../lib/ktap.sh
[ -z "$VGPU_PGPU" ] || skip_all "for software GPUs"

drv=/sys/bus/pci/drivers/vgpu
edac=/sys/devices/system/edac/mc
debugfs=/sys/kernel/debug

[ -d $edac ] || skip_all "no EDAC in this kernel"
[ -d $debugfs/vgpu ] || mount -t debugfs debugfs $debugfs

load()
{
	rmmod vgpu_soft && rmmod vgpu && modprobe vgpu "$@" &&
		modprobe vgpu-soft nr_gpus=2 vram_mib=64
}

inject()
{
	echo "$1" > "$debugfs/vgpu/$2/inject"
}

controllers()
{
	(cd $edac && ls -d mc[0-9]* 2>/dev/null | wc -l)
}

# Of the controller of a GPU: its directory
controller_of()
{
	grep -lx "VRAM of $1" $edac/mc*/dimm0/dimm_label |
		sed 's,/dimm0/.*,,'
}

rmmod vgpu_soft && rmmod vgpu && modprobe vgpu-soft
check "none without edac=1" is "$(controllers)" 0
check "load with edac=1" load edac=1
check "one for each GPU" is "$(controllers)" 2
first=$(basename "$(ls -d $drv/????:* | head -n 1)")
second=$(basename "$(ls -d $drv/????:* | tail -n 1)")
mc=$(controller_of "$first")
other=$(controller_of "$second")
check "kind" is "$(cat "$mc/mc_name")" soft
check "size, with the reserve" is "$(cat "$mc/size_mb")" 68

if command -v rasdaemon > /dev/null; then
	mkdir -p /var/lib/rasdaemon
	mount -t tmpfs tmpfs /var/lib/rasdaemon
	rasdaemon --foreground --record > /tmp/rasdaemon.log 2>&1 &
	rasdaemon=$!
	check "rasdaemon listens" within 60 \
		grep -q "mc_event" /tmp/rasdaemon.log
fi

check "a single-bit error" inject "sbe 0x5000" "$first"
check "and another" inject "sbe 0x6000" "$first"
check "a double-bit error" inject "dbe 0x1234567" "$first"
check "one beyond the memory is none" fails inject "dbe 0x12345678" "$first"
check "corrected ones" is "$(cat "$mc/ce_count")" 2
check "others" is "$(cat "$mc/ue_count")" 1
check "in the one module of memory" is "$(cat "$mc/dimm0/dimm_ce_count")" 2
check "none in the other GPU" is \
	"$(cat "$other/ce_count" "$other/ue_count" | tr '\n' ' ')" "0 0 "
check "the GPU itself counts the same" is \
	"$(cat "$drv/$first/ecc/sbe_volatile" "$drv/$first/ecc/dbe_volatile" | tr '\n' ' ')" "2 1 "

if command -v edac-util > /dev/null; then
	check "edac-util: corrected ones" \
		prints "$(basename "$mc"): Correctable errors:   2" \
		edac-util --report=simple
	check "edac-util: others" \
		prints "$(basename "$mc"): Uncorrectable errors: 1" \
		edac-util --report=simple
	# It reads them from what new kernels have no more.
	if [ -d "$mc/csrow0" ]; then
		check "edac-util: where they are" \
			prints "VRAM of $first: 2 Corrected Errors" \
			edac-util --report=full
	else
		skip "edac-util: where they are" "no csrow in this kernel"
	fi
else
	skip "edac-util" "not installed"
fi
if [ ! "$rasdaemon" ]; then
	skip "rasdaemon" "not installed"
elif grep -q "Listening to events" /tmp/rasdaemon.log; then
	check "rasdaemon: corrected ones" within 20 \
		prints "Corrected error(s): VGPU-ECC-SBE at VRAM of $first" \
		ras-mc-ctl --errors
	check "rasdaemon: others" \
		prints "Uncorrected error(s): VGPU-ECC-DBE at VRAM of $first" \
		ras-mc-ctl --errors
	check "rasdaemon: where it is" prints "VRAM address 0x1234000" \
		ras-mc-ctl --errors
else
	# On 6.1 it does not read before its buffer is full.
	trace=$debugfs/tracing/instances/rasdaemon/trace
	check "rasdaemon has them: corrected ones" prints \
		"1 Corrected error: VGPU-ECC-SBE on VRAM of $first" cat "$trace"
	check "rasdaemon has them: others" prints \
		"1 Uncorrected error: VGPU-ECC-DBE on VRAM of $first" cat "$trace"
	check "rasdaemon has them: where it is" \
		prints "VRAM address 0x1234000" cat "$trace"
fi
[ ! "$rasdaemon" ] || kill "$rasdaemon"

# A storm: nothing is lost, and the log has few lines of it.
# storm NUMBER KIND ADDRESS...: so many errors, at each address in turn
storm()
{
	_nr=$1 _kind=$2
	shift 2
	while [ "$_nr" -gt 0 ]; do
		inject "$_kind $1" "$first" || return 1
		set -- "$@" "$1"
		shift
		_nr=$((_nr - 1))
	done
}
# logged CODE: lines of EDAC's with that, and the errors that they are about
logged()
{
	dmesg | awk -v code="$1" '/EDAC MC/ && $0 ~ code {
		for (i = 1; i < NF; i++)
			if ($i ~ /^MC[0-9]+:$/)
				sum += $(i + 1)
		lines++
	}
	END { print lines + 0, sum + 0 }'
}
before=$(cat "$mc/ce_count")
dmesg -C
began=$(date +%s)
check "1000 errors of two pages" storm 1000 sbe 0x7000 0x8000
counted()
{
	[ "$(cat "$mc/ce_count")" = $((before + 1000)) ] &&
		[ "$(cat "$mc/dimm0/dimm_ce_count")" = $((before + 1000)) ]
}
check "all are counted" within 20 counted
seconds=$(($(date +%s) - began))
lines=$(logged VGPU-ECC-SBE)
echo "# $seconds s; lines and errors in the log: $lines"
check "all are in the log" is "${lines#* }" 1000
check "in few lines" test "${lines% *}" -le $(((seconds / 5 + 2) * 12))
# Those that wait are told when the controller goes, too.
dmesg -C
check "30 errors" storm 30 dbe 0x9000
check "unload" sh -c "rmmod vgpu_soft && rmmod vgpu"
lines=$(logged VGPU-ECC-DBE)
echo "# lines and errors in the log: $lines"
check "all are in the log, too" is "${lines#* }" 30
check "in few lines, too" test "${lines% *}" -lt 25
check "none left" is "$(controllers)" 0
check "load for the next test" modprobe vgpu-soft
ktap_end
