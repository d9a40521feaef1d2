// SPDX-License-Identifier: GPL-2.0
/*
 * PCI config space: identity, BAR sizing, which bit can be written, reset.
 *
 * The numbers are those of the PCI Local Bus Specification 3.0, chapter 6, and
 * of QEMU's bochs-display; none comes from the driver's headers.
 */
#include "unit.h"

FIXTURE(config)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
	u8 initial[256];	/* what a guest reads first */
	u8 writable[256];	/* and which bits it can change */
};

FIXTURE_VARIANT(config)
{
	u64 fb_size;
	u64 bar0_size;
};

FIXTURE_VARIANT_ADD(config, fb_16m) { 16 * MIB, 16 * MIB };
FIXTURE_VARIANT_ADD(config, fb_18m) { 18 * MIB, 32 * MIB };
FIXTURE_VARIANT_ADD(config, fb_62m) { 62 * MIB, 64 * MIB };
FIXTURE_VARIANT_ADD(config, fb_1g) { GIB, GIB };
FIXTURE_VARIANT_ADD(config, fb_1g_2m) { GIB + 2 * MIB, 2 * GIB };
FIXTURE_VARIANT_ADD(config, fb_2g) { 2 * GIB, 2 * GIB };
FIXTURE_VARIANT_ADD(config, fb_3g) { 3 * GIB, 4 * GIB };
FIXTURE_VARIANT_ADD(config, fb_4g) { 4 * GIB, 4 * GIB };
FIXTURE_VARIANT_ADD(config, fb_4g_2m) { 4 * GIB + 2 * MIB, 8 * GIB };
FIXTURE_VARIANT_ADD(config, fb_48g) { 48 * GIB, 64 * GIB };
FIXTURE_VARIANT_ADD(config, fb_1t_less_2m) { TIB - 2 * MIB, TIB };
FIXTURE_VARIANT_ADD(config, fb_1t) { TIB, TIB };

static void put(u8 *bytes, u32 offset, u32 len, u64 value)
{
	for (; len; len--, value >>= 8)
		bytes[offset++] = value;
}

FIXTURE_SETUP(config)
{
	self->profile.fb_size = variant->fb_size;
	self->profile.num_heads = 1;
	self->profile.max_width = 1920;
	self->profile.max_height = 1200;
	/* Whoever allocates a model need not clear it. */
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->profile);

	put(self->initial, 0x00, 4, 0x11111234);	/* device, vendor */
	put(self->initial, 0x08, 4, 0x03800002);	/* class, revision */
	put(self->initial, 0x10, 4, 0xc);		/* BAR0, 64 bit, pref */
	put(self->initial, 0x2c, 4, 0x76471234);	/* subsystem */
	put(self->initial, 0x06, 2, 0x0010);		/* has capabilities */
	put(self->initial, 0x34, 1, 0x40);
	put(self->initial, 0x3d, 1, 0x01);		/* INTA */
	/* Power management, no soft reset. */
	put(self->initial, 0x40, 8, 0x0000000800034801);
	/* MSI-X with three vectors for one head, table and PBA in BAR4. */
	put(self->initial, 0x48, 4, 0x00025411);
	put(self->initial, 0x4c, 4, 0x2004);
	put(self->initial, 0x50, 4, 0x3004);
	/* Vendor-specific: length 8, version 1.0, BAR4. */
	put(self->initial, 0x54, 8, 0x0004010000086009);
	/* PCI Express endpoint, version 2, 2.5 GT/s, x1. */
	put(self->initial, 0x60, 4, 0x00020010);
	put(self->initial, 0x64, 4, 0x10008000);	/* FLR, RBER */
	put(self->initial, 0x6c, 4, 0x00000011);
	put(self->initial, 0x72, 2, 0x0011);
	put(self->initial, 0x8c, 4, 0x00000002);
	put(self->initial, 0x90, 2, 0x0001);

	put(self->writable, 0x04, 2, 0x0406);	/* INTx off, master, memory */
	put(self->writable, 0x0c, 2, 0xffff);	/* cache line, latency */
	put(self->writable, 0x10, 8, ~(variant->bar0_size - 1));
	put(self->writable, 0x18, 4, 0xfffff000);	/* BAR2, 4 KiB */
	put(self->writable, 0x1c, 4, 0xfffff000);	/* BAR3, the same */
	put(self->writable, 0x20, 4, 0xffffc000);	/* BAR4, 16 KiB */
	put(self->writable, 0x3c, 1, 0xff);	/* interrupt line */
	put(self->writable, 0x44, 2, 0x0003);	/* power state */
	put(self->writable, 0x4a, 2, 0xc000);	/* MSI-X enable, mask all */
	put(self->writable, 0x68, 2, 0x781f);	/* device control */
}

FIXTURE_TEARDOWN(config)
{
}

static u32 config_in(struct vgpu_model *model, u32 offset, u32 len)
{
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 i, value = 0;

	vgpu_config_read(model, offset, buf.data, len);
	for (i = 0; i < len; i++)
		value |= (u32)buf.data[i] << 8 * i;
	free(buf.memory);
	return value;
}

static void config_out(struct vgpu_model *model, u32 offset, u32 len, u32 value)
{
	struct unit_buf buf = unit_buf(len, 0);

	put(buf.data, 0, len, value);
	vgpu_config_write(model, offset, buf.data, len);
	free(buf.memory);
}

/* Write @fill to @len bytes and make sure that nothing else happened. */
static void check_write(struct __test_metadata *_metadata,
			FIXTURE_DATA(config) *self, u32 offset, u32 len,
			u8 fill)
{
	struct vgpu_model before = self->model;
	struct unit_buf buf = unit_buf(len, fill);
	u32 i;

	vgpu_config_write(&self->model, offset, buf.data, len);
	free(buf.memory);
	for (i = 0; i < 256; i++) {
		u8 mask = i >= offset && i < offset + len ?
			  self->writable[i] : 0;
		u8 want = (before.config[i] & ~mask) | (fill & mask);

		ASSERT_EQ(want, self->model.config[i])
			TH_LOG("byte %#x after %#x+%u = %#x", i, offset, len,
			       fill);
	}
	ASSERT_EQ(0, memcmp(before.config_mask, self->model.config_mask, 256));
}

TEST_F(config, identity)
{
	struct unit_buf buf = unit_buf(256, 0xa5);
	u32 i;

	vgpu_config_read(&self->model, 0, buf.data, 256);
	for (i = 0; i < 256; i++)
		EXPECT_EQ(self->initial[i], buf.data[i])
			TH_LOG("byte %#x", i);
	free(buf.memory);

	EXPECT_EQ(0x1234, config_in(&self->model, 0x00, 2));
	EXPECT_EQ(0x1111, config_in(&self->model, 0x02, 2));
	EXPECT_EQ(0, config_in(&self->model, 0x04, 2));
	EXPECT_EQ(2, config_in(&self->model, 0x08, 1));
	EXPECT_EQ(0x038000, config_in(&self->model, 0x08, 4) >> 8);
	/* One function, with a header of type 0. */
	EXPECT_EQ(0, config_in(&self->model, 0x0e, 1));
}

/* The way the PCI core of a guest sizes BARs. */
TEST_F(config, bar_sizing)
{
	struct vgpu_model *model = &self->model;
	u32 low, high, offset;
	u64 size;

	EXPECT_EQ(0xc, config_in(model, 0x10, 4));
	EXPECT_EQ(0, config_in(model, 0x14, 4));
	config_out(model, 0x10, 4, 0xffffffff);
	low = config_in(model, 0x10, 4);
	config_out(model, 0x10, 4, 0xc);
	config_out(model, 0x14, 4, 0xffffffff);
	high = config_in(model, 0x14, 4);
	config_out(model, 0x14, 4, 0);

	EXPECT_EQ(0xc, low & 0xf);
	size = ~((u64)high << 32 | (low & ~0xfU)) + 1;
	EXPECT_EQ(variant->bar0_size, size);
	EXPECT_EQ(variant->bar0_size, vgpu_bar0_size(&self->profile));
	EXPECT_EQ(0, size & (size - 1));
	EXPECT_LE(variant->fb_size, size);
	EXPECT_GT(2 * variant->fb_size, size);

	for (offset = 0x18; offset <= 0x1c; offset += 4) {
		EXPECT_EQ(0, config_in(model, offset, 4));
		config_out(model, offset, 4, 0xffffffff);
		EXPECT_EQ(0xfffff000, config_in(model, offset, 4));
		config_out(model, offset, 4, 0);
	}

	config_out(model, 0x20, 4, 0xffffffff);
	EXPECT_EQ(0xffffc000, config_in(model, 0x20, 4));
	config_out(model, 0x20, 4, 0);

	/* There is no other BAR and no ROM. */
	for (offset = 0x24; offset <= 0x30; offset += 0xc) {
		config_out(model, offset, 4, 0xffffffff);
		EXPECT_EQ(0, config_in(model, offset, 4));
	}
	EXPECT_EQ(0, memcmp(self->initial, model->config, 256));
}

TEST_F(config, bar_address)
{
	struct vgpu_model *model = &self->model;
	u64 address = 3 * variant->bar0_size;

	config_out(model, 0x10, 4, address);
	config_out(model, 0x14, 4, address >> 32);
	config_out(model, 0x18, 4, 0xfebf1000);
	config_out(model, 0x1c, 4, 0xfebf2000);
	EXPECT_EQ((u32)address | 0xc, config_in(model, 0x10, 4));
	EXPECT_EQ(address >> 32, config_in(model, 0x14, 4));
	EXPECT_EQ(0xfebf1000, config_in(model, 0x18, 4));
	EXPECT_EQ(0xfebf2000, config_in(model, 0x1c, 4));
}

/* Each bit alone, on a background of zeroes and on one of ones. */
TEST_F(config, every_bit)
{
	u32 offset, bit;

	for (offset = 0; offset < 256; offset++) {
		for (bit = 0; bit < 8; bit++) {
			check_write(_metadata, self, offset, 1, 1 << bit);
			check_write(_metadata, self, offset, 1, ~(1 << bit));
			check_write(_metadata, self, offset, 1, 0);
		}
	}
	check_write(_metadata, self, 0, 256, 0xff);
	for (offset = 0; offset < 256; offset++) {
		for (bit = 0; bit < 8; bit++) {
			check_write(_metadata, self, offset, 1, ~(1 << bit));
			check_write(_metadata, self, offset, 1, 0xff);
		}
	}
}

TEST_F(config, every_length)
{
	static const u32 lens[] = { 1, 2, 3, 4, 5, 8, 15, 16, 64, 255, 256 };
	u32 offset, i, j;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (offset = 0; offset + lens[i] <= 256; offset++) {
			struct unit_buf buf = unit_buf(lens[i], 0xa5);

			check_write(_metadata, self, offset, lens[i], 0xff);
			check_write(_metadata, self, offset, lens[i], 0x5a);
			vgpu_config_read(&self->model, offset, buf.data,
					 lens[i]);
			for (j = 0; j < lens[i]; j++)
				ASSERT_EQ(self->model.config[offset + j],
					  buf.data[j])
					TH_LOG("%#x+%u, byte %u", offset,
					       lens[i], j);
			free(buf.memory);
			check_write(_metadata, self, offset, lens[i], 0);
		}
	}
}

/* Only a write that reaches the bit asks for a function-level reset. */
TEST_F(config, function_level_reset)
{
	static const u8 ones[4] = { 0xff, 0xff, 0xff, 0xff };
	static const u8 zeroes[4];
	u32 offset, len;

	for (offset = 0x60; offset < 0x70; offset++) {
		for (len = 0; len <= 4; len++) {
			bool hit = offset <= 0x69 && offset + len > 0x69;

			EXPECT_EQ(hit, vgpu_config_write(&self->model, offset,
							 ones, len));
			EXPECT_FALSE(vgpu_config_write(&self->model, offset,
						       zeroes, len));
		}
	}
	EXPECT_EQ(0, config_in(&self->model, 0x68, 2) & 0x8000);
}

TEST_F(config, memory_space)
{
	struct vgpu_model *model = &self->model;

	EXPECT_FALSE(vgpu_config_memory(model));
	config_out(model, 0x04, 2, 0x0004);
	EXPECT_FALSE(vgpu_config_memory(model));
	config_out(model, 0x04, 2, 0x0002);
	EXPECT_TRUE(vgpu_config_memory(model));
	config_out(model, 0x44, 2, 0x0003);
	EXPECT_FALSE(vgpu_config_memory(model));
	config_out(model, 0x44, 2, 0x0000);
	EXPECT_TRUE(vgpu_config_memory(model));
}

TEST_F(config, intx)
{
	struct vgpu_model *model = &self->model;

	EXPECT_TRUE(vgpu_config_intx(model));
	config_out(model, 0x04, 2, 0x0400);
	EXPECT_FALSE(vgpu_config_intx(model));
	config_out(model, 0x04, 2, 0x0000);
	config_out(model, 0x4a, 2, 0x8000);
	EXPECT_FALSE(vgpu_config_intx(model));
	config_out(model, 0x4a, 2, 0x4000);
	EXPECT_TRUE(vgpu_config_intx(model));
	config_out(model, 0x44, 2, 0x0003);
	EXPECT_FALSE(vgpu_config_intx(model));
	config_out(model, 0x44, 2, 0x0000);
	EXPECT_TRUE(vgpu_config_intx(model));
}

/* Every state of bus master, MSI-X and power: messages in one, never with INTx. */
TEST_F(config, messages)
{
	struct vgpu_model *model = &self->model;
	u32 state;

	EXPECT_FALSE(vgpu_config_messages(model));
	for (state = 0; state < 64; state++) {
		bool off = state & 1, master = state & 2, enable = state & 4;
		bool mask = state & 8, d3 = state >> 4;

		config_out(model, 0x04, 2, (off ? 0x0400 : 0) |
			   (master ? 0x0004 : 0));
		config_out(model, 0x4a, 2, (enable ? 0x8000 : 0) |
			   (mask ? 0x4000 : 0));
		config_out(model, 0x44, 2, state >> 4);
		EXPECT_EQ(enable && !mask && master && !d3,
			  vgpu_config_messages(model))
			TH_LOG("state %#x", state);
		EXPECT_EQ(!off && !enable && !d3, vgpu_config_intx(model))
			TH_LOG("state %#x", state);
	}
	vgpu_model_reset(model);
	EXPECT_FALSE(vgpu_config_messages(model));
}

/* Interrupt Status is there for the reader alone, in every kind of access. */
TEST_F(config, interrupt_status)
{
	static const u8 ones[256] = { [0 ... 255] = 0xff };
	struct vgpu_model *model = &self->model;
	u32 offset, len;

	vgpu_event_raise(model, 0);
	EXPECT_EQ(0x0010, config_in(model, 0x06, 2));
	unit_reg_out(model, 0x44, 0x2);
	EXPECT_EQ(0x0010, config_in(model, 0x06, 2));
	unit_reg_out(model, 0x44, 0x1);
	for (offset = 0; offset < 16; offset++) {
		for (len = 1; len <= 16; len++) {
			struct unit_buf buf = unit_buf(len, 0xa5);
			u32 i;

			vgpu_config_read(model, offset, buf.data, len);
			for (i = 0; i < len; i++)
				ASSERT_EQ(self->initial[offset + i] |
					  (offset + i == 6 ? 0x08 : 0),
					  buf.data[i])
					TH_LOG("%#x+%u, byte %u", offset, len,
					       i);
			free(buf.memory);
		}
	}
	/* Nothing clears it but the cause of it. */
	vgpu_config_write(model, 0x06, ones, 2);
	EXPECT_EQ(0x0018, config_in(model, 0x06, 2));
	EXPECT_EQ(0, memcmp(self->initial, model->config, 256));
	/* Switching INTx off leaves it as it is. */
	config_out(model, 0x04, 2, 0x0400);
	EXPECT_EQ(0x0018, config_in(model, 0x06, 2));
	/* With MSI-X there is no line to share. */
	config_out(model, 0x4a, 2, 0x8000);
	EXPECT_EQ(0x0010, config_in(model, 0x06, 2));
	config_out(model, 0x4a, 2, 0);
	EXPECT_EQ(0x0018, config_in(model, 0x06, 2));
	unit_reg_out(model, 0x40, 0x1);
	EXPECT_EQ(0x0010, config_in(model, 0x06, 2));
	vgpu_event_raise(model, 0);
	EXPECT_EQ(0x0018, config_in(model, 0x06, 2));
	vgpu_model_reset(model);
	EXPECT_EQ(0x0010, config_in(model, 0x06, 2));
}

TEST_F(config, reset)
{
	struct vgpu_model *model = &self->model;
	u32 i;

	for (i = 0; i < 2; i++) {
		check_write(_metadata, self, 0, 256, 0xff);
		ASSERT_NE(0, memcmp(self->initial, model->config, 256));
		vgpu_model_reset(model);
		ASSERT_EQ(0, memcmp(self->initial, model->config, 256));
	}
	/* And everything that was writable still is. */
	check_write(_metadata, self, 0, 256, 0xff);
}

TEST_HARNESS_MAIN
