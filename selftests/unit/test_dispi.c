// SPDX-License-Identifier: GPL-2.0
/*
 * Display of head 0: from the registers, written as guests write them, to the
 * picture that the VMM is told of.
 */
#include "unit.h"

#define RGB565		REF_FOURCC('R', 'G', '1', '6')
#define XRGB8888	REF_FOURCC('X', 'R', '2', '4')

/* Index of a register, as in bochs-drm and in QEMU. */
enum {
	ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT,
	X_OFFSET, Y_OFFSET, MEMORY_64K,
};

FIXTURE(dispi)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
};

/* With a limit a flip waits for a frame.  Nothing else differs. */
FIXTURE_VARIANT(dispi)
{
	u32 frl_hz;
};

FIXTURE_VARIANT_ADD(dispi, unlimited) { 0 };
FIXTURE_VARIANT_ADD(dispi, limited) { 60 };

static void power_on(FIXTURE_DATA(dispi) *self, u64 fb_size, u32 max_width,
		     u32 max_height)
{
	self->profile.fb_size = fb_size;
	self->profile.num_heads = 1;
	self->profile.max_width = max_width;
	self->profile.max_height = max_height;
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->profile);
}

FIXTURE_SETUP(dispi)
{
	self->profile.frl_hz = variant->frl_hz;
	power_on(self, 16 * MIB, 1920, 1200);
}

FIXTURE_TEARDOWN(dispi)
{
}

static void check_fault(struct __test_metadata *_metadata,
			const struct vgpu_model *model)
{
	ASSERT_EQ(NULL, ref_fault(model))
		TH_LOG("%s", ref_fault(model));
}

static void check_shows(struct __test_metadata *_metadata,
			struct vgpu_model *model, u32 format, u32 width,
			u32 height, u32 pitch, u64 offset)
{
	const struct vgpu_head *head = &model->heads[0];
	const struct vgpu_scanout *s = &head->shown;

	/* Sees to it that no more than the offset waits. */
	check_fault(_metadata, model);
	if (model->frl_hz && head->flip)
		vgpu_heads_frame(model, 1);
	EXPECT_FALSE(head->flip);
	EXPECT_EQ(format, s->format);
	EXPECT_EQ(width, s->width);
	EXPECT_EQ(height, s->height);
	EXPECT_EQ(pitch, s->pitch);
	EXPECT_EQ(offset, s->offset);
}

static void check_dark(struct __test_metadata *_metadata,
		       struct vgpu_model *model)
{
	/* That never waits. */
	EXPECT_EQ(0, model->heads[0].shown.format);
	check_shows(_metadata, model, 0, 0, 0, 0, 0);
}

TEST_F(dispi, power_on)
{
	u32 reg;

	for (reg = XRES; reg < MEMORY_64K; reg++)
		EXPECT_EQ(0, unit_dispi_in(&self->model, reg));
	check_dark(_metadata, &self->model);
}

TEST_F(dispi, id)
{
	EXPECT_EQ(0xb0c5, unit_dispi_in(&self->model, ID));
	unit_dispi_out(&self->model, ID, 0xb0c0);
	EXPECT_EQ(0xb0c5, unit_dispi_in(&self->model, ID));
}

TEST_F(dispi, video_memory)
{
	static const u64 small[] = { 16 * MIB, 18 * MIB, 64 * MIB, GIB,
				     2 * GIB - 2 * MIB };
	static const u64 large[] = { 2 * GIB, 3 * GIB, 4 * GIB, 48 * GIB, TIB };
	u32 i, units;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		power_on(self, small[i], 1920, 1200);
		EXPECT_EQ(small[i] >> 16,
			  unit_dispi_in(&self->model, MEMORY_64K));
		unit_dispi_out(&self->model, MEMORY_64K, 0x1234);
		EXPECT_EQ(small[i] >> 16,
			  unit_dispi_in(&self->model, MEMORY_64K));
	}
	/* As much as the register can say, but never more than there is. */
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		power_on(self, large[i], 1920, 1200);
		units = unit_dispi_in(&self->model, MEMORY_64K);
		EXPECT_LE((u64)units << 16, large[i]);
		EXPECT_LE(0x7fff, units);
	}
}

/*
 * bochs-drm multiplies in int, sign-extends, and takes the smaller of that and
 * the BAR for what it may use.  In a framebuffer that is no power of two the
 * BAR is too much.
 */
TEST_F(dispi, video_memory_in_linux)
{
	static const u64 sizes[] = { 18 * MIB, GIB, 2 * GIB, 3 * GIB, 4 * GIB,
				     6 * GIB, 48 * GIB, TIB };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 bar, memory;

		power_on(self, sizes[i], 1920, 1200);
		bar = vgpu_bar0_size(&self->profile);
		memory = (int)(unit_dispi_in(&self->model, MEMORY_64K) *
			       0x10000U);
		if (memory > bar)
			memory = bar;
		EXPECT_LE(memory, sizes[i])
			TH_LOG("the guest uses %llu MiB of %llu",
			       memory / MIB, sizes[i] / MIB);
	}
}

/* bochs_hw_blank() */
static void bochs_blank(struct vgpu_model *model, bool blank)
{
	unit_out(model, 0x402, 1, 0x01);	/* VGA_MIS_W, VGA_MIS_COLOR */
	unit_in(model, 0x41a, 1);		/* VGA_IS1_RC */
	unit_out(model, 0x400, 1, blank ? 0 : 0x20);	/* VGA_ATT_W */
}

/* bochs_hw_setmode(), which turns on what is complete and not before. */
static void bochs_setmode(struct __test_metadata *_metadata,
			  struct vgpu_model *model, u16 width, u16 height)
{
	const u16 writes[][2] = {
		{ ENABLE, 0 }, { BPP, 32 }, { XRES, width }, { YRES, height },
		{ BANK, 0 }, { VIRT_WIDTH, width },
		{ VIRT_HEIGHT, model->profile->fb_size / (width * 4) },
		{ X_OFFSET, 0 }, { Y_OFFSET, 0 },
	};
	u32 i;

	bochs_blank(model, false);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		unit_dispi_out(model, writes[i][0], writes[i][1]);
		check_dark(_metadata, model);
	}
	unit_dispi_out(model, ENABLE, 0x41);
	check_shows(_metadata, model, XRGB8888, width, height, width * 4, 0);
	for (i = 1; i < ARRAY_SIZE(writes); i++)
		EXPECT_EQ(writes[i][1], unit_dispi_in(model, writes[i][0]));
	EXPECT_EQ(0x41, unit_dispi_in(model, ENABLE));
}

TEST_F(dispi, bochs_drm)
{
	static const u16 modes[][2] = {
		{ 1280, 800 }, { 1024, 768 }, { 640, 480 }, { 1920, 1200 },
		{ 1366, 768 },
	};
	struct vgpu_model *model = &self->model;
	u32 i;

	power_on(self, 64 * MIB, 1920, 1200);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		u16 w = modes[i][0], h = modes[i][1];

		bochs_setmode(_metadata, model, w, h);
		/* bochs_hw_setbase(), a page flip without a new mode */
		unit_dispi_out(model, VIRT_WIDTH, w + 64);
		unit_dispi_out(model, X_OFFSET, 16);
		unit_dispi_out(model, Y_OFFSET, h);
		check_shows(_metadata, model, XRGB8888, w, h, (w + 64) * 4,
			    (u64)h * (w + 64) * 4 + 64);
		bochs_blank(model, true);
		check_dark(_metadata, model);
		bochs_blank(model, false);
		check_shows(_metadata, model, XRGB8888, w, h, (w + 64) * 4,
			    (u64)h * (w + 64) * 4 + 64);
		bochs_blank(model, true);
	}
	EXPECT_EQ(0, model->bad_access);
}

TEST_F(dispi, every_bpp)
{
	struct vgpu_model *model = &self->model;
	u32 bpp;

	unit_mode(model, 640, 480, 32, 640, 0, 0);
	for (bpp = 0; bpp <= 0xffff; bpp++) {
		vgpu_dispi_write(model, BPP, bpp);
		if (bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32)
			check_shows(_metadata, model, ref_format(bpp), 640, 480,
				    640 * ref_bytes(ref_format(bpp)), 0);
		else
			check_dark(_metadata, model);
		EXPECT_EQ(bpp, vgpu_dispi_read(model, BPP));
	}
}

TEST_F(dispi, enable_bits)
{
	struct vgpu_model *model = &self->model;
	u32 enable;

	unit_mode(model, 640, 480, 32, 640, 0, 0);
	for (enable = 0; enable <= 0xffff; enable++) {
		vgpu_dispi_write(model, ENABLE, enable);
		ASSERT_EQ(enable, vgpu_dispi_read(model, ENABLE));
		ASSERT_EQ(enable & 1 ? XRGB8888 : 0,
			  model->heads[0].shown.format);
	}
}

TEST_F(dispi, getcaps)
{
	struct vgpu_model *model = &self->model;
	u32 reg;

	power_on(self, GIB, 7680, 4320);
	unit_mode(model, 640, 480, 16, 800, 3, 4);
	unit_dispi_out(model, ENABLE, 0x43);
	EXPECT_EQ(7680, unit_dispi_in(model, XRES));
	EXPECT_EQ(4320, unit_dispi_in(model, YRES));
	EXPECT_EQ(32, unit_dispi_in(model, BPP));
	EXPECT_EQ(0x43, unit_dispi_in(model, ENABLE));
	EXPECT_EQ(800, unit_dispi_in(model, VIRT_WIDTH));
	EXPECT_EQ(3, unit_dispi_in(model, X_OFFSET));
	EXPECT_EQ(4, unit_dispi_in(model, Y_OFFSET));
	/* What is asked for does not change what is shown. */
	check_shows(_metadata, model, RGB565, 640, 480, 1600, 4 * 1600 + 6);

	unit_dispi_out(model, ENABLE, 0x41);
	EXPECT_EQ(640, unit_dispi_in(model, XRES));
	EXPECT_EQ(480, unit_dispi_in(model, YRES));
	EXPECT_EQ(16, unit_dispi_in(model, BPP));

	/* All registers keep what was written, as in bochs-display. */
	for (reg = XRES; reg < MEMORY_64K; reg++) {
		unit_dispi_out(model, ENABLE, 0);
		unit_dispi_out(model, reg, 0xfffc);
		EXPECT_EQ(0xfffc, unit_dispi_in(model, reg));
	}
}

TEST_F(dispi, impossible)
{
	static const struct {
		u16 width, height, bpp, virt_width, x, y;
	} modes[] = {
		{ 0, 0, 32 },
		{ 0, 480, 32, 640 },
		{ 640, 0, 32, 640 },
		{ 640, 480, 0, 640 },
		{ 640, 480, 8, 640 },
		{ 1921, 1080, 32, 1924 },
		{ 1920, 1201, 32, 1920 },
		{ 65535, 1, 32 },
		{ 1, 65535, 32 },
		{ 65535, 65535, 32, 65535, 65535, 65535 },
		/* 16 MiB are 4096 lines of 1024 pixels. */
		{ 1024, 768, 32, 1024, 0, 3329 },
		{ 1024, 768, 32, 1024, 1024, 3328 },
		{ 1024, 768, 32, 1024, 0, 65535 },
		{ 1024, 768, 32, 5468 },
		{ 1024, 768, 32, 65532 },
		{ 1024, 768, 24, 65532 },
		{ 1024, 768, 16, 65534 },
		{ 1, 1, 32, 65532, 0, 65535 },
	};
	struct vgpu_model *model = &self->model;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		unit_mode(model, modes[i].width, modes[i].height, modes[i].bpp,
			  modes[i].virt_width, modes[i].x, modes[i].y);
		EXPECT_EQ(0, model->heads[0].shown.format)
			TH_LOG("mode %u", i);
		check_dark(_metadata, model);
		/* It harms nothing: a good one works right after. */
		unit_mode(model, 640, 480, 32, 640, 0, 0);
		check_shows(_metadata, model, XRGB8888, 640, 480, 2560, 0);
	}
	/* Large offsets alone do not make it impossible: lines of a pixel. */
	unit_mode(model, 1, 1, 32, 1, 65535, 65534);
	check_shows(_metadata, model, XRGB8888, 1, 1, 4,
		    (65535 + 65534) * 4);
}

TEST_F(dispi, largest)
{
	struct vgpu_model *model = &self->model;

	unit_mode(model, 1920, 1200, 32, 0, 0, 0);
	check_shows(_metadata, model, XRGB8888, 1920, 1200, 7680, 0);
	power_on(self, GIB, 7680, 4320);
	unit_mode(model, 7680, 4320, 32, 0, 0, 0);
	check_shows(_metadata, model, XRGB8888, 7680, 4320, 30720, 0);
}

/* The last pixel of the picture is the last of the framebuffer, or is not. */
TEST_F(dispi, end_of_framebuffer)
{
	static const struct {
		u64 fb_size;
		u16 width, height, bpp, virt_width;
		u16 x, y;	/* just fits; one pixel or line more does not */
	} modes[] = {
		{ 16 * MIB, 1024, 768, 32, 1024, 0, 3328 },
		{ 16 * MIB, 1000, 768, 32, 1024, 0, 3328 },
		{ 16 * MIB, 640, 480, 32, 2048, 0, 1568 },
		{ 16 * MIB, 1024, 768, 16, 1024, 0, 7424 },
		{ 16 * MIB, 1000, 1, 15, 1024, 0, 8191 },
		/* 16 MiB are 5461 lines and 341 pixels of 3 bytes, 1 left. */
		{ 16 * MIB, 341, 1, 24, 1024, 341, 5460 },
		{ 16 * MIB, 300, 100, 24, 1024, 341, 5361 },
		/* 32 MiB leave 2, so that one pixel more lacks a byte. */
		{ 32 * MIB, 682, 1, 24, 1024, 682, 10921 },
		/* The end is that of the framebuffer, not of the BAR. */
		{ 18 * MIB, 1024, 768, 32, 1024, 0, 3840 },
		{ 18 * MIB, 1000, 768, 16, 1024, 0, 8448 },
	};
	struct vgpu_model *model = &self->model;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		u32 format = ref_format(modes[i].bpp);
		u32 bytes = ref_bytes(format);
		u32 pitch = modes[i].virt_width * bytes;
		u64 offset = (u64)modes[i].y * pitch + modes[i].x * bytes;

		power_on(self, modes[i].fb_size, 1920, 1200);
		unit_mode(model, modes[i].width, modes[i].height, modes[i].bpp,
			  modes[i].virt_width, modes[i].x, modes[i].y);
		check_shows(_metadata, model, format, modes[i].width,
			    modes[i].height, pitch, offset);

		unit_dispi_out(model, X_OFFSET, modes[i].x + 1);
		check_dark(_metadata, model);
		unit_dispi_out(model, X_OFFSET, modes[i].x);
		check_shows(_metadata, model, format, modes[i].width,
			    modes[i].height, pitch, offset);
		unit_dispi_out(model, Y_OFFSET, modes[i].y + 1);
		check_dark(_metadata, model);
		unit_dispi_out(model, Y_OFFSET, modes[i].y);
		unit_dispi_out(model, YRES, modes[i].height + 1);
		check_dark(_metadata, model);
	}
}

/* Lines count as a whole, also what lies behind their visible part. */
TEST_F(dispi, whole_lines)
{
	struct vgpu_model *model = &self->model;

	power_on(self, 16 * MIB, 1920, 1200);
	unit_mode(model, 640, 1, 32, 65535, 0, 64);
	check_dark(_metadata, model);
	unit_mode(model, 640, 1, 32, 65535, 0, 63);
	check_shows(_metadata, model, XRGB8888, 640, 1, 262140, 63 * 262140);
}

/* Nothing wraps at 32 bits, neither to something small nor to nothing. */
TEST_F(dispi, large_offsets)
{
	struct vgpu_model *model = &self->model;
	u32 reg;

	power_on(self, TIB, 7680, 4320);
	for (reg = 0; reg <= MEMORY_64K; reg++)
		unit_dispi_out(model, reg, 0xffff);
	check_dark(_metadata, model);

	unit_mode(model, 7680, 4320, 32, 65535, 65535, 65535);
	check_shows(_metadata, model, XRGB8888, 7680, 4320, 262140,
		    65535ULL * 262140 + 262140);

	/* 2^32 bytes ahead: would be the first line if it wrapped. */
	power_on(self, 4 * GIB, 1920, 1200);
	unit_mode(model, 640, 480, 32, 32768, 0, 32768);
	check_dark(_metadata, model);
	unit_mode(model, 640, 480, 32, 32768, 0, 32768 - 480);
	check_shows(_metadata, model, XRGB8888, 640, 480, 131072,
		    4 * GIB - 480 * 131072);
}

TEST_F(dispi, virt_width)
{
	struct vgpu_model *model = &self->model;
	u32 virt_width;

	/* Too small and not there at all: as wide as the picture. */
	for (virt_width = 0; virt_width <= 800; virt_width += 4) {
		u32 pixels = virt_width < 640 ? 640 : virt_width;

		unit_mode(model, 640, 480, 32, virt_width, 1, 1);
		check_shows(_metadata, model, XRGB8888, 640, 480, pixels * 4,
			    pixels * 4 + 4);
	}
}

/* A guest must not be able to name a pitch that its VMM cannot take. */
TEST_F(dispi, pitch_in_words)
{
	static const u16 bpps[] = { 15, 16, 24, 32 };
	struct vgpu_model *model = &self->model;
	u32 i, width;

	for (i = 0; i < ARRAY_SIZE(bpps); i++) {
		u32 bytes = ref_bytes(ref_format(bpps[i]));

		for (width = 1360; width < 1368; width++) {
			unit_mode(model, width, 768, bpps[i], 0, 0, 0);
			EXPECT_EQ(width * bytes % 4 == 0,
				  model->heads[0].shown.format != 0)
				TH_LOG("%u pixels of %u bits: pitch %u", width,
				       bpps[i], model->heads[0].shown.pitch);
			unit_mode(model, 640, 480, bpps[i], width, 0, 0);
			EXPECT_EQ(width * bytes % 4 == 0,
				  model->heads[0].shown.format != 0)
				TH_LOG("%u pixels of %u bits: pitch %u", width,
				       bpps[i], model->heads[0].shown.pitch);
		}
	}
}

TEST_F(dispi, blank)
{
	struct vgpu_model *model = &self->model;
	const struct vgpu_scanout *s = &model->heads[0].shown;
	u32 port, value;

	unit_mode(model, 640, 480, 32, 640, 0, 0);
	/* Only PAS counts, and only in the index. */
	for (value = 0; value < 256; value++) {
		unit_in(model, 0x41a, 1);
		unit_out(model, 0x400, 1, value);
		ASSERT_EQ(value & 0x20 ? XRGB8888 : 0, s->format);
		unit_out(model, 0x400, 1, ~value);
		ASSERT_EQ(value & 0x20 ? XRGB8888 : 0, s->format);
		/* Index again, without a read between. */
		unit_out(model, 0x400, 1, ~value);
		ASSERT_EQ(value & 0x20 ? 0 : XRGB8888, s->format);
	}

	/* The registers of a blank mode are still there. */
	bochs_blank(model, true);
	check_dark(_metadata, model);
	EXPECT_EQ(640, unit_dispi_in(model, XRES));
	EXPECT_EQ(0x41, unit_dispi_in(model, ENABLE));
	unit_dispi_out(model, XRES, 320);
	check_dark(_metadata, model);
	bochs_blank(model, false);
	check_shows(_metadata, model, XRGB8888, 320, 480, 2560, 0);

	/* No other port does anything, and all read as zero. */
	for (port = 0x400; port < 0x420; port++) {
		EXPECT_EQ(0, unit_in(model, port, 1));
		if (port == 0x400)
			continue;
		for (value = 0; value < 256; value++)
			unit_out(model, port, 1, value);
		check_shows(_metadata, model, XRGB8888, 320, 480, 2560, 0);
	}
	EXPECT_EQ(0, model->bad_access);
}

/* Reading any port but 0x3da leaves the attribute port waiting for data. */
TEST_F(dispi, flip_flop)
{
	struct vgpu_model *model = &self->model;
	u32 port;

	unit_mode(model, 640, 480, 32, 640, 0, 0);
	for (port = 0x400; port < 0x420; port++) {
		unit_in(model, 0x41a, 1);
		unit_out(model, 0x400, 1, 0x20);
		unit_in(model, port, 1);
		unit_out(model, 0x400, 1, 0x00);
		EXPECT_EQ(port == 0x41a ? 0 : XRGB8888,
			  model->heads[0].shown.format)
			TH_LOG("port %#x", port - 0x400 + 0x3c0);
	}
}

/* Firmware that never heard of blanking sets a mode after a guest's reboot. */
TEST_F(dispi, enable_unblanks)
{
	struct vgpu_model *model = &self->model;

	unit_mode(model, 640, 480, 32, 640, 0, 0);
	bochs_blank(model, true);
	unit_dispi_out(model, ENABLE, 0x40);
	bochs_blank(model, true);
	unit_dispi_out(model, XRES, 800);
	check_dark(_metadata, model);
	unit_dispi_out(model, ENABLE, 0x41);
	check_shows(_metadata, model, XRGB8888, 800, 480, 3200, 0);
}

TEST_F(dispi, reset)
{
	struct vgpu_model *model = &self->model;
	u32 reg;

	unit_mode(model, 640, 480, 32, 640, 8, 8);
	bochs_blank(model, true);
	vgpu_model_reset(model);
	check_dark(_metadata, model);
	EXPECT_FALSE(model->dispi_on);
	for (reg = XRES; reg < MEMORY_64K; reg++)
		EXPECT_EQ(0, unit_dispi_in(model, reg));
	/* Not blank, and the attribute port takes an index. */
	unit_dispi_out(model, XRES, 640);
	unit_dispi_out(model, YRES, 480);
	unit_dispi_out(model, BPP, 32);
	unit_out(model, 0x400, 1, 0x00);
	unit_dispi_out(model, ENABLE, 0x01);
	check_shows(_metadata, model, XRGB8888, 640, 480, 2560, 0);
	vgpu_model_reset(model);
	unit_out(model, 0x400, 1, 0x00);
	EXPECT_TRUE(model->blanked);
	vgpu_model_reset(model);
	EXPECT_FALSE(model->blanked);
}

/* Values near the ones that matter are more telling than any value. */
static u16 random_value(u64 *state, u32 reg)
{
	static const u16 edges[] = { 0, 1, 2, 3, 4, 640, 1024, 1200, 1201, 1920,
				     1921, 4320, 7680, 7681, 32767, 32768,
				     65534, 65535 };
	static const u16 bpps[] = { 15, 16, 24, 32, 32, 0, 8, 65535 };

	if (reg == BPP)
		return bpps[unit_random(state) % ARRAY_SIZE(bpps)];
	switch (unit_random(state) % 4) {
	case 0:
		return unit_random(state);
	case 1:
		return edges[unit_random(state) % ARRAY_SIZE(edges)];
	default:
		return unit_random(state) % 2048;
	}
}

TEST_F(dispi, random_writes)
{
	static const struct {
		u64 fb_size;
		u32 width, height;
	} profiles[] = {
		{ 16 * MIB, 1920, 1200 }, { 18 * MIB, 1920, 1200 },
		{ 128 * MIB, 2560, 1600 }, { 256 * MIB, 4096, 2160 },
		{ 3 * GIB, 7680, 4320 }, { TIB, 7680, 4320 },
	};
	struct vgpu_model *model = &self->model;
	const struct vgpu_head *head = &model->heads[0];
	u32 i, round, shown = 0, flips = 0;
	u64 state = 1;

	for (i = 0; i < ARRAY_SIZE(profiles); i++) {
		power_on(self, profiles[i].fb_size, profiles[i].width,
			 profiles[i].height);
		for (round = 0; round < 50000; round++) {
			u32 reg = unit_random(&state) % 13;
			struct vgpu_scanout want;

			if (reg == 12)
				vgpu_heads_frame(model, 1);
			else if (reg == 11)
				vgpu_vga_write(model, unit_random(&state) % 32,
					       unit_random(&state) & 0xff);
			else
				vgpu_dispi_write(model, reg,
						 random_value(&state, reg));
			/* Mostly on, or there would be little to see. */
			if (unit_random(&state) % 4)
				vgpu_dispi_write(model, ENABLE, 0x41);
			want = ref_scanout(model);
			ASSERT_TRUE(unit_same_scanout(&want, ref_target(head)))
				TH_LOG("profile %u, round %u", i, round);
			ASSERT_EQ(NULL, ref_fault(model))
				TH_LOG("profile %u, round %u: %s", i, round,
				       ref_fault(model));
			ASSERT_FALSE(head->flip && !variant->frl_hz);
			ASSERT_EQ(model->dispi[ENABLE] & 1, model->dispi_on);
			shown += head->shown.format != 0;
		}
		flips += head->flips;
	}
	/* A test that never sees a picture would say nothing. */
	EXPECT_LT(10000, shown);
	EXPECT_LT(100, flips);
}

TEST_HARNESS_MAIN
