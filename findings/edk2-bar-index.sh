#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# edk2 counts the BARs of a PCI device by number, and one of 64 bits once: what a
# driver gets from EFI_PCI_IO_PROTOCOL.GetBarAttributes() for BAR index 3 is BAR4 of a
# device whose BAR2 is of 64 bits.  A driver that takes PCI's own numbers finds nothing,
# or another BAR.
#
# Seen with OVMF 2025.02 (QemuVideoDxe looks for the registers of a bochs-display at
# index 2), shown here on virtio-vga of QEMU, with an application that asks.
set -e
version=2025.02-8+deb13u1
qemu=1:10.0.13+ds-0+deb13u1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
	--include="ovmf=$version,qemu-system-x86=$qemu,clang-19,lld-19" trixie "$dir/root"

cat > "$dir/root/bars.c" <<'EOF'
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

/* A function at an offset of a table of UEFI's. */
#define CALL(table, offset, type) (*(type *)((u8 *)(table) + (offset)))
#define FIELD(table, offset) (*(void **)((u8 *)(table) + (offset)))

typedef u64 (*print_fn)(void *out, unsigned short *text);
typedef u64 (*find_fn)(u32 by, u8 *guid, void *key, u64 *nr, void ***handles);
typedef u64 (*open_fn)(void *handle, u8 *guid, void **protocol);
typedef u64 (*read_fn)(void *io, u32 width, u32 offset, u64 n, void *to);
typedef u64 (*bar_fn)(void *io, u8 index, u64 *supports, void **resources);
typedef void (*reset_fn)(u32 type, u64 status, u64 size, void *data);

static void *out;

static void put(char c)
{
	unsigned short text[2] = { c, 0 };

	CALL(out, 8, print_fn)(out, text);
}

static void print(const char *text)
{
	while (*text)
		put(*text++);
}

static void print_hex(u64 value)
{
	int shift;

	for (shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

u64 efi_main(void *image, void *system)
{
	/* EFI_PCI_IO_PROTOCOL_GUID */
	u8 guid[] = { 0x00, 0xb2, 0xf5, 0x4c, 0xb8, 0x68, 0xa5, 0x4c,
		      0x9e, 0xec, 0xb2, 0x3e, 0x3f, 0x50, 0x02, 0x9a };
	void *boot = FIELD(system, 96), *io, **handles, *res;
	u64 nr, i;
	u32 word;

	out = FIELD(system, 64);
	CALL(boot, 312, find_fn)(2, guid, 0, &nr, &handles);
	for (i = 0; i < nr; i++) {
		CALL(boot, 152, open_fn)(handles[i], guid, &io);
		CALL(io, 48, read_fn)(io, 2, 0, 1, &word);
		if (word != 0x10501af4)	/* virtio-vga */
			continue;
		for (u32 bar = 0; bar < 6; bar++) {
			CALL(io, 48, read_fn)(io, 2, 0x10 + 4 * bar, 1, &word);
			print("PCI BAR");
			put('0' + bar);
			print(" ");
			print_hex(word);
			print("\r\n");
		}
		for (u32 bar = 0; bar < 6; bar++) {
			res = 0;
			print("edk2 BAR");
			put('0' + bar);
			print(" ");
			if (!CALL(io, 128, bar_fn)(io, bar, 0, &res) && res &&
			    *(u8 *)res == 0x8a)
				print_hex(*(u64 *)((u8 *)res + 14));
			else
				print("none");
			print("\r\n");
		}
	}
	CALL(FIELD(system, 88), 104, reset_fn)(2, 0, 0, 0);
	return 0;
}
EOF
cat > "$dir/root/show" <<'EOF'
set -e
mkdir -p /esp/EFI/BOOT
clang-19 -target x86_64-unknown-windows -ffreestanding -fno-stack-protector \
	-mno-red-zone -O1 -nostdlib -fuse-ld=lld-link-19 -Wl,-entry:efi_main \
	-Wl,-subsystem:efi_application -o /esp/EFI/BOOT/BOOTX64.EFI /bars.c
cp /usr/share/OVMF/OVMF_VARS_4M.fd /vars.fd
timeout 300 qemu-system-x86_64 -machine q35,accel=tcg -m 256 -nodefaults \
	-display none -vga none -no-reboot -serial file:/serial \
	-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
	-drive if=pflash,format=raw,unit=1,file=/vars.fd \
	-drive if=none,id=esp,format=raw,readonly=on,file=fat:/esp \
	-device virtio-blk-pci,drive=esp -device virtio-vga
EOF
chroot "$dir/root" sh /show
tr -d '\r' < "$dir/root/serial" | grep -ao '[a-zA-Z0-9]* BAR[0-5] [0-9a-f]*none\|[a-zA-Z0-9]* BAR[0-5] [0-9a-f]*' |
	sort -u > "$dir/seen"
echo "OVMF $version, $(chroot "$dir/root" qemu-system-x86_64 --version | head -n 1)"
cat "$dir/seen"

# bar WHOSE NUMBER: its address, without the bits that say what it is
bar()
{
	sed -n "s/^$1 BAR$2 \([0-9a-f]*\).$/\10/p" "$dir/seen"
}

# BAR2 is of 64 bits, so BAR4 comes next, and edk2 calls it 3.
[ -n "$(bar PCI 4)" ] && [ "$(bar edk2 3)" = "$(bar PCI 4)" ] &&
	grep -q "^edk2 BAR4 none" "$dir/seen" || {
	echo "no longer so"
	exit 1
}
echo "still so: index 3 is BAR4"
