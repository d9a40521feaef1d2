// SPDX-License-Identifier: GPL-2.0
/*
 * BAR2: accesses of every length at every offset, checked against a second
 * walk that goes byte by byte where the driver goes register by register.
 */
#include "unit.h"

#define BAR2_SIZE	0x1000
#define MAX_LEN		16

/* One byte of BAR2. */
struct ref_byte {
	u32 reg;	/* offset of the register that it belongs to */
	u32 width;	/* of that register, 0 for a hole */
	u32 unit;	/* number of the register or hole */
};

FIXTURE(mmio)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
	struct ref_byte map[BAR2_SIZE];
	u8 content[BAR2_SIZE];	/* what whole registers read */
};

static void map_block(struct ref_byte *map, u32 start, u32 size, u32 width)
{
	u32 i;

	for (i = 0; i < size; i++) {
		map[start + i].reg = start + i / width * width;
		map[start + i].width = width;
	}
}

static void make_map(struct ref_byte *map)
{
	u32 i, unit = 0;

	map_block(map, 0x000, 0x400, 1);	/* EDID */
	map_block(map, 0x400, 0x020, 1);	/* VGA ports */
	map_block(map, 0x500, 0x016, 2);	/* dispi */
	map_block(map, 0x600, 0x008, 4);	/* extended */
	for (i = 1; i < BAR2_SIZE; i++) {
		if (map[i].width ? map[i].reg == i : map[i - 1].width)
			unit++;
		map[i].unit = unit;
	}
}

FIXTURE_SETUP(mmio)
{
	struct vgpu_model *model = &self->model;
	u32 i;

	self->profile.fb_size = 0x1234 * 2 * MIB;
	self->profile.num_heads = 1;
	self->profile.max_width = 1920;
	self->profile.max_height = 1200;
	vgpu_model_init(model, &self->profile);

	/* No two neighbours alike, so that a byte in the wrong place shows. */
	for (i = 0; i < sizeof(model->edid); i++)
		model->edid[i] = i * 37 + (i >> 8) + 1;
	for (i = 0; i < 11; i++)
		unit_dispi_out(model, i, 0x8182 + i * 0x0202);
	model->bad_access = 0;

	make_map(self->map);
	memcpy(self->content, model->edid, sizeof(model->edid));
	for (i = 0; i < 11; i++) {
		u16 value = 0x8182 + i * 0x0202;

		if (i == 0)
			value = 0xb0c5;
		if (i == 10)
			value = unit_dispi_in(model, i); /* for test_dispi.c */
		/* GETCAPS is among the bits of ENABLE. */
		if (i == 1)
			value = 1920;
		if (i == 2)
			value = 1200;
		if (i == 3)
			value = 32;
		self->content[0x500 + 2 * i] = value;
		self->content[0x501 + 2 * i] = value >> 8;
	}
	self->content[0x600] = 8;
	memset(self->content + 0x604, 0x1e, 4);
}

FIXTURE_TEARDOWN(mmio)
{
}

/* Whether an access has all bytes of the register that byte @at belongs to. */
static bool covered(const struct ref_byte *map, u32 at, u32 offset, u32 len)
{
	return map[at].width && map[at].reg >= offset &&
	       map[at].reg + map[at].width <= offset + len;
}

/* How many registers and holes were hit without being covered. */
static u32 count_bad(const struct ref_byte *map, u32 offset, u32 len)
{
	u32 at, bad = 0;

	for (at = offset; at < offset + len; at++)
		if (!covered(map, at, offset, len) &&
		    (at == offset || map[at - 1].unit != map[at].unit))
			bad++;
	return bad;
}

static void check_model(struct __test_metadata *_metadata,
			const struct vgpu_model *want,
			const struct vgpu_model *got, u32 offset, u32 len)
{
	bool same = want->profile == got->profile &&
		!memcmp(want->config, got->config, sizeof(got->config)) &&
		!memcmp(want->config_mask, got->config_mask,
			sizeof(got->config_mask)) &&
		!memcmp(want->edid, got->edid, sizeof(got->edid));

	ASSERT_TRUE(same)
		TH_LOG("%#x+%u changed what is not in BAR2", offset, len);
	ASSERT_EQ(0, memcmp(want->dispi, got->dispi, sizeof(got->dispi)))
		TH_LOG("%#x+%u left wrong dispi registers", offset, len);
	ASSERT_EQ(want->att_data, got->att_data)
		TH_LOG("%#x+%u", offset, len);
	ASSERT_EQ(want->blanked, got->blanked)
		TH_LOG("%#x+%u", offset, len);
	ASSERT_EQ(want->bad_access, got->bad_access)
		TH_LOG("%#x+%u", offset, len);
	ASSERT_EQ(want->dispi_on, got->dispi_on)
		TH_LOG("%#x+%u", offset, len);
	ASSERT_TRUE(unit_same_scanout(&want->heads[0].shown,
				      &got->heads[0].shown))
		TH_LOG("%#x+%u", offset, len);
}

static void check_read(struct __test_metadata *_metadata,
		       FIXTURE_DATA(mmio) *self, u32 offset, u32 len)
{
	struct vgpu_model want = self->model;
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 at;

	vgpu_bar2_read(&self->model, offset, buf.data, len);
	for (at = offset; at < offset + len; at++) {
		u8 byte = covered(self->map, at, offset, len) ?
			  self->content[at] : 0;

		ASSERT_EQ(byte, buf.data[at - offset])
			TH_LOG("%#x+%u, byte %#x", offset, len, at);
	}
	free(buf.memory);

	want.bad_access += count_bad(self->map, offset, len);
	if (offset <= 0x41a && 0x41a < offset + len)
		want.att_data = false;
	check_model(_metadata, &want, &self->model, offset, len);
}

/* What a write does, by register. */
static void ref_write(struct vgpu_model *model, u32 reg, u16 value)
{
	if (reg == 0x400) {
		if (!model->att_data)
			model->blanked = !(value & 0x20);
		model->att_data = !model->att_data;
	}
	if (reg >= 0x502 && reg < 0x514) {
		if (reg == 0x508 && (value & 1))
			model->blanked = false;
		model->dispi[(reg - 0x500) / 2] = value;
	}
}

static void check_write(struct __test_metadata *_metadata,
			FIXTURE_DATA(mmio) *self, u32 offset, u32 len, u64 seed)
{
	struct vgpu_model want = self->model;
	struct unit_buf buf = unit_buf(len, 0);
	u32 at;

	for (at = 0; at < len; at++)
		buf.data[at] = unit_random(&seed);
	for (at = offset; at < offset + len; at++) {
		u16 value = buf.data[at - offset];

		if (self->map[at].reg != at ||
		    !covered(self->map, at, offset, len))
			continue;
		if (self->map[at].width > 1)
			value |= buf.data[at - offset + 1] << 8;
		ref_write(&want, at, value);
	}
	want.bad_access += count_bad(self->map, offset, len);
	want.heads[0].shown = ref_scanout(&want);
	want.dispi_on = want.dispi[REF_ENABLE] & 1;

	vgpu_bar2_write(&self->model, offset, buf.data, len);
	free(buf.memory);
	check_model(_metadata, &want, &self->model, offset, len);
}

TEST_F(mmio, known_registers)
{
	struct vgpu_model *model = &self->model;

	EXPECT_EQ(model->edid[0], unit_in(model, 0x000, 1));
	EXPECT_EQ(model->edid[0x3ff], unit_in(model, 0x3ff, 1));
	EXPECT_EQ(0, unit_in(model, 0x3ff, 2) >> 8);
	EXPECT_EQ(0xb0c5, unit_in(model, 0x500, 2));
	EXPECT_EQ(0x0780b0c5, unit_in(model, 0x500, 4));
	EXPECT_EQ(8, unit_in(model, 0x600, 4));
	EXPECT_EQ(0x1e1e1e1e, unit_in(model, 0x604, 4));
	EXPECT_EQ(0, model->bad_access);

	/* Half a register, and none. */
	EXPECT_EQ(0, unit_in(model, 0x500, 1));
	EXPECT_EQ(1, model->bad_access);
	EXPECT_EQ(0, unit_in(model, 0x600, 2));
	EXPECT_EQ(2, model->bad_access);
	EXPECT_EQ(0, unit_in(model, 0xffc, 4));
	EXPECT_EQ(3, model->bad_access);
	/* Halves of two registers are two. */
	EXPECT_EQ(0, unit_in(model, 0x503, 2));
	EXPECT_EQ(5, model->bad_access);
}

TEST_F(mmio, read_everywhere)
{
	u32 offset, len;

	for (offset = 0; offset < BAR2_SIZE; offset++) {
		for (len = 1; len <= MAX_LEN && offset + len <= BAR2_SIZE;
		     len++) {
			self->model.att_data = true;
			check_read(_metadata, self, offset, len);
		}
	}
}

TEST_F(mmio, write_everywhere)
{
	struct vgpu_model saved = self->model;
	u32 offset, len, round;

	for (offset = 0; offset < BAR2_SIZE; offset++) {
		for (len = 1; len <= MAX_LEN && offset + len <= BAR2_SIZE;
		     len++) {
			for (round = 0; round < 4; round++) {
				self->model = saved;
				self->model.att_data = round & 1;
				self->model.blanked = round & 2;
				self->model.heads[0].shown =
					ref_scanout(&self->model);
				check_write(_metadata, self, offset, len,
					    offset * 64 + len * 4 + round + 1);
			}
		}
	}
}

/* As one long copy, which VFIO passes on in one piece. */
TEST_F(mmio, long_accesses)
{
	static const u32 lens[] = { 17, 63, 64, 255, 1024, 4095, 4096 };
	u32 i, offset, seed = 1;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		u32 last = BAR2_SIZE - lens[i];
		u32 step = last > 64 ? last / 64 : 1;

		for (offset = 0; offset <= last; offset += step)
			check_read(_metadata, self, offset, lens[i]);
		check_read(_metadata, self, last, lens[i]);
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		check_write(_metadata, self, 0, lens[i], seed++);
		check_write(_metadata, self, BAR2_SIZE - lens[i], lens[i],
			    seed++);
	}
}

TEST_F(mmio, zero_length)
{
	struct vgpu_model before = self->model;
	u8 none;

	vgpu_bar2_read(&self->model, 0x500, &none, 0);
	vgpu_bar2_write(&self->model, 0x500, &none, 0);
	vgpu_bar2_read(&self->model, BAR2_SIZE, &none, 0);
	vgpu_bar2_write(&self->model, BAR2_SIZE, &none, 0);
	check_model(_metadata, &before, &self->model, 0x500, 0);
}

/* What cannot be written is there and is no bad access. */
TEST_F(mmio, read_only)
{
	struct vgpu_model *model = &self->model;
	u32 i;

	for (i = 0; i < 0x400; i++)
		unit_out(model, i, 1, ~self->content[i]);
	unit_out(model, 0x500, 2, 0x1234);
	unit_out(model, 0x514, 2, 0x1234);
	unit_out(model, 0x600, 4, 0x12345678);
	unit_out(model, 0x604, 4, 0xbebebebe);
	EXPECT_EQ(0, model->bad_access);
	check_read(_metadata, self, 0, BAR2_SIZE);
}

/* A counter that grows without bound must not end at 32 bits. */
TEST_F(mmio, bad_access_is_wide)
{
	self->model.bad_access = 0xffffffff;
	unit_in(&self->model, 0x700, 4);
	unit_out(&self->model, 0x700, 4, 0);
	EXPECT_EQ(0x100000001ULL, self->model.bad_access);
}

/* Counters outlive a reset, and so does the EDID. */
TEST_F(mmio, reset)
{
	struct vgpu_model before;
	u32 i;

	unit_in(&self->model, 0x700, 4);
	before = self->model;
	vgpu_model_reset(&self->model);
	EXPECT_EQ(1, self->model.bad_access);
	EXPECT_EQ(0, memcmp(before.edid, self->model.edid,
			    sizeof(before.edid)));
	for (i = 1; i < 10; i++)
		EXPECT_EQ(0, unit_dispi_in(&self->model, i));
}

TEST_HARNESS_MAIN
