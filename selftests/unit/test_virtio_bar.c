// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of each size to the registers of a virtio-gpu: in BAR2, through the window in
 * config space, and to the MSI-X table.
 */
#include "virtio_device.h"

/* Where the window is: bar, offset, length, data. */
struct window {
	u8 bar, offset, length, data;
};

static struct window find_window(struct vgpu_model *m)
{
	u32 nr;
	u8 pos = find_cap(m, 5, &nr);

	return (struct window){ pos + 4, pos + 8, pos + 12, pos + 16 };
}

static void set_window(struct vgpu_model *m, u8 bar, u32 offset, u32 length)
{
	struct window w = find_window(m);

	config_out(m, w.bar, 1, bar);
	config_out(m, w.offset, 4, offset);
	config_out(m, w.length, 4, length);
}

TEST_F(virtio, window)
{
	struct vgpu_model *m = &self->model;
	struct window w = find_window(m);

	set_window(m, 2, V_STATUS, 1);
	EXPECT_EQ(2, config_in(m, w.bar, 1));
	EXPECT_EQ(V_STATUS, config_in(m, w.offset, 4));
	EXPECT_EQ(1, config_in(m, w.length, 4));
	config_out(m, w.data, 1, S_ACKNOWLEDGE);
	EXPECT_EQ(S_ACKNOWLEDGE, v_status(m));
	EXPECT_EQ(S_ACKNOWLEDGE, config_in(m, w.data, 1));
	/* As SeaBIOS, which always accesses 4 bytes or as many as the length says. */
	config_out(m, w.data, 4, S_ACKNOWLEDGE | S_DRIVER | 0xabcdef00);
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER, v_status(m));
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER, config_in(m, w.data, 4) & 0xff);
	set_window(m, 2, V_Q_SIZE, 2);
	config_out(m, w.data, 2, 64);
	EXPECT_EQ(64, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(64, config_in(m, w.data, 2));
	set_window(m, 2, V_GF, 4);
	config_out(m, w.data, 4, 0x87654321);
	EXPECT_EQ(0x87654321, v_in(m, V_GF, 4));
	EXPECT_EQ(0x87654321, config_in(m, w.data, 4));
	/* Reading through it has the effect of reading. */
	vgpu_virtio_interrupt(m, 0);
	set_window(m, 2, V_ISR, 1);
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(1, config_in(m, w.data, 1));
	EXPECT_FALSE(vgpu_event_line(m));
	/* Less than the length is none, and neither is what is beside it. */
	vgpu_virtio_interrupt(m, 0);
	set_window(m, 2, V_ISR, 4);
	config_in(m, w.data, 1);
	config_in(m, w.data, 2);
	config_in(m, w.data + 1, 1);
	config_in(m, w.data - 4, 4);
	EXPECT_TRUE(vgpu_event_line(m));
	config_in(m, w.data, 4);
	EXPECT_FALSE(vgpu_event_line(m));
	/* FLR forgets it. */
	vgpu_model_reset(m);
	EXPECT_EQ(0, config_in(m, w.bar, 1));
	EXPECT_EQ(0, config_in(m, w.length, 4));
}

TEST_F(virtio, window_that_is_none)
{
	static const struct {
		u8 bar;
		u32 offset, length;
	} windows[] = {
		{ 0, V_GF, 4 }, { 1, V_GF, 4 }, { 3, V_GF, 4 }, { 255, V_GF, 4 },
		{ 2, V_GF, 0 }, { 2, V_GF, 3 }, { 2, V_GF, 5 }, { 2, V_GF, 8 },
		{ 2, V_GF, 0x104 }, { 2, V_GF, ~0U },
		{ 2, V_GF + 1, 4 }, { 2, V_GF + 2, 4 }, { 2, V_GF + 1, 2 },
		{ 2, V_SIZE, 1 }, { 2, V_SIZE, 2 }, { 2, V_SIZE, 4 },
		{ 2, V_SIZE - 2, 4 }, { 2, ~0U, 1 }, { 2, ~1U, 2 }, { 2, ~3U, 4 },
		{ 2, 0x80000000 + V_GF, 4 },
	};
	struct vgpu_model *m = &self->model;
	struct window w = find_window(m);
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		set_window(m, windows[i].bar, windows[i].offset,
			   windows[i].length);
		for (len = 1; len <= 4; len *= 2) {
			u64 bad = m->bad_access;

			config_out(m, w.data, len, ~0);
			config_in(m, w.data, len);
			EXPECT_EQ(0, v_in(m, V_GF, 4))
				TH_LOG("window %u, %u bytes", i, len);
			EXPECT_EQ(bad, m->bad_access);
		}
	}
	/* The last bytes of the BAR are in it, though no registers. */
	for (len = 1; len <= 4; len *= 2) {
		set_window(m, 2, V_SIZE - len, len);
		m->bad_access = 0;
		config_in(m, w.data, len);
		EXPECT_EQ(1, m->bad_access);
	}
}

/* Every register, so that an access at any place and of any width can be judged. */
static const struct {
	u32 start, nr, width;
} registers[] = {
	{ 0x0000, 4, 4 }, { 0x0010, 2, 2 }, { 0x0014, 2, 1 }, { 0x0016, 5, 2 },
	{ 0x0020, 6, 4 }, { 0x0038, 2, 2 }, { 0x1000, 1, 1 }, { 0x2000, 4, 4 },
	{ 0x3000, 4, 2 },
};

static u32 width_at(u32 offset, bool *begins)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		u32 pos = offset - registers[i].start;

		if (offset < registers[i].start ||
		    pos >= registers[i].nr * registers[i].width)
			continue;
		*begins = pos % registers[i].width == 0;
		return registers[i].width;
	}
	return 0;
}

/* What an access has whole reads as by itself; of the rest nothing is read. */
TEST_F(virtio, access)
{
	struct vgpu_model *m = &self->model;
	u8 whole[V_SIZE] = { }, buf[16];
	u32 offset, len, i, width;
	bool begins = false;

	set_up(m);
	v_out(m, V_DFSELECT, 4, 1);
	v_out(m, V_GFSELECT, 4, 0);
	m->virtio.isr = 0;
	for (offset = 0; offset < V_SIZE; offset++) {
		width = width_at(offset, &begins);
		if (width && begins) {
			m->bad_access = 0;
			vgpu_virtio_bar_read(m, offset, whole + offset, width);
			ASSERT_EQ(0, m->bad_access);
		}
	}
	for (offset = 0; offset < V_SIZE; offset++) {
		if (offset % 0x1000 > 0x60 && offset % 0x1000 < 0xff0)
			continue;
		for (len = 1; len <= 16 && offset + len <= V_SIZE; len++) {
			memset(buf, 0xa5, sizeof(buf));
			vgpu_virtio_bar_read(m, offset, buf, len);
			for (i = 0; i < len;) {
				u32 n = 1, j;
				bool good;

				width = width_at(offset + i, &begins);
				good = width && begins && i + width <= len;
				if (good)
					n = width;
				for (j = 0; j < n; j++)
					ASSERT_EQ(good ? whole[offset + i + j] : 0,
						  buf[i + j])
						TH_LOG("%#x+%u byte %u", offset,
						       len, i + j);
				i += n;
			}
			for (; i < sizeof(buf); i++)
				ASSERT_EQ(0xa5, buf[i]);
		}
	}
}

/* A part of a register cannot be written, and an access beside it does not reach it. */
TEST_F(virtio, partial_writes)
{
	static const u8 wide[16] = { 1, 0, 0, 0, 9, 9, 9, 9,
				     1, 0, 0, 0, 5, 0, 0, 0 };
	struct vgpu_model *m = &self->model;
	struct vgpu_virtio was;
	u32 i, reg, at;
	u8 ones[4];

	memset(ones, 0xff, sizeof(ones));
	was = m->virtio;
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		u32 width = registers[i].width, end;

		for (reg = 0; reg < registers[i].nr; reg++)
			for (at = 0; at < width; at++)
				for (end = at + 1; end <= width; end++) {
					if (end - at == width)
						continue;
					m->bad_access = 0;
					vgpu_virtio_bar_write(m, registers[i].start +
							      reg * width + at,
							      ones, end - at);
					ASSERT_EQ(1, m->bad_access);
					ASSERT_EQ(0, memcmp(&was, &m->virtio,
							    sizeof(was)));
				}
	}
	/* A wide one is as many as it covers: both selects, with features between. */
	v_out(m, V_DFSELECT, 4, 0);
	vgpu_virtio_bar_write(m, V_DFSELECT, wide, sizeof(wide));
	EXPECT_EQ(1, m->virtio.device_select);
	EXPECT_EQ(1, m->virtio.driver_select);
	EXPECT_EQ(5ULL << 32, m->virtio.features);
}

TEST_F(virtio, msix)
{
	struct vgpu_model *m = &self->model;
	struct unit_buf buf = unit_buf(4, 0);
	u32 i;

	for (i = 0; i < 3 * 16; i += 4) {
		memset(buf.data, 0x11 * (i / 4), 4);
		vgpu_virtio_msix_write(m, i, buf.data, 4);
	}
	for (i = 0; i < 3 * 16; i += 4) {
		vgpu_virtio_msix_read(m, i, buf.data, 4);
		EXPECT_EQ(0x11 * (i / 4), buf.data[0]);
	}
	EXPECT_EQ(0, m->bad_access);
	/* Behind the table. */
	vgpu_virtio_msix_write(m, 3 * 16, buf.data, 4);
	vgpu_virtio_msix_read(m, 3 * 16, buf.data, 4);
	EXPECT_EQ(0, buf.data[0]);
	EXPECT_EQ(2, m->bad_access);
	m->msix_pending = 5;
	vgpu_virtio_msix_write(m, 0x800, buf.data, 4);
	vgpu_virtio_msix_read(m, 0x800, buf.data, 4);
	EXPECT_EQ(5, buf.data[0]);
	vgpu_virtio_msix_read(m, 0x804, buf.data, 4);
	EXPECT_EQ(0, buf.data[0]);
	free(buf.memory);
}

TEST_HARNESS_MAIN
