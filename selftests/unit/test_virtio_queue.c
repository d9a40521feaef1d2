// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of the queues of a virtio-gpu, and how a driver is notified: vectors, the ISR
 * status, events and frames.
 */
#include "virtio_device.h"

TEST_F(virtio, queue_size)
{
	struct vgpu_model *m = &self->model;
	u32 nr, size, want;

	for (nr = 0; nr < 2; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		want = nr ? 16 : 256;
		for (size = 0; size <= 0xffff; size++) {
			v_out(m, V_Q_SIZE, 2, size);
			if (size && size <= 1024 && !(size & (size - 1)))
				want = size;
			ASSERT_EQ(want, v_in(m, V_Q_SIZE, 2));
		}
		EXPECT_EQ(1024, want);
	}
}

TEST_F(virtio, queue_enable)
{
	struct vgpu_model *m = &self->model;
	u32 value, reg;

	v_out(m, V_Q_SELECT, 2, 1);
	for (value = 0; value <= 0xffff; value++) {
		if (value == 1)
			continue;
		v_out(m, V_Q_ENABLE, 2, value);
		ASSERT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	}
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
		v_out(m, reg, 4, 0x89abcdef * reg);
		EXPECT_EQ(0x89abcdef * reg, v_in(m, reg, 4));
	}
	EXPECT_EQ(0x89abcdefULL * 0x24 << 32 | 0x89abcdefU * 0x20,
		  m->virtio.queues[1].desc);
	EXPECT_EQ(0x89abcdefULL * 0x2c << 32 | 0x89abcdefU * 0x28,
		  m->virtio.queues[1].avail);
	EXPECT_EQ(0x89abcdefULL * 0x34 << 32 | 0x89abcdefU * 0x30,
		  m->virtio.queues[1].used);
	v_out(m, V_Q_SIZE, 2, 4);
	v_out(m, V_Q_ENABLE, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* From here on nothing of it changes, and it is not disabled. */
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
		v_out(m, reg, 4, 0);
		EXPECT_EQ(0x89abcdef * reg, v_in(m, reg, 4));
	}
	v_out(m, V_Q_SIZE, 2, 8);
	EXPECT_EQ(4, v_in(m, V_Q_SIZE, 2));
	v_out(m, V_Q_ENABLE, 2, 0);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* Vectors do. */
	v_out(m, V_Q_VECTOR, 2, 2);
	EXPECT_EQ(2, v_in(m, V_Q_VECTOR, 2));
	/* The other queue is another. */
	v_out(m, V_Q_SELECT, 2, 0);
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(0, v_in(m, V_Q_DESC, 4));
	EXPECT_EQ(256, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(NO_VECTOR, v_in(m, V_Q_VECTOR, 2));
}

/* 4.1.4.3: a size of 0 tells the driver that there is no such queue. */
TEST_F(virtio, queue_select)
{
	struct vgpu_model *m = &self->model;
	struct vgpu_virtio_queue was[VGPU_NR_QUEUES];
	u32 nr, reg;

	EXPECT_EQ(0, v_in(m, V_Q_NOFF, 2));
	v_out(m, V_Q_SELECT, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_NOFF, 2));
	memcpy(was, m->virtio.queues, sizeof(was));
	for (nr = 2; nr <= 0xffff; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		ASSERT_EQ(nr, v_in(m, V_Q_SELECT, 2));
		for (reg = V_Q_SIZE; reg < V_Q_DESC; reg += 2) {
			v_out(m, reg, 2, 1);
			ASSERT_EQ(0, v_in(m, reg, 2));
		}
		for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
			v_out(m, reg, 4, ~0);
			ASSERT_EQ(0, v_in(m, reg, 4));
		}
		v_out(m, V_Q_RESET, 2, 1);
		ASSERT_EQ(0, v_in(m, V_Q_RESET, 2));
	}
	EXPECT_EQ(0, memcmp(was, m->virtio.queues, sizeof(was)));
}

TEST_F(virtio, queue_reset)
{
	struct vgpu_model *m = &self->model;

	set_up(m);
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_RESET, 2, 0);
	v_out(m, V_Q_RESET, 2, 2);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, take_work(m));
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
	EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m) & VGPU_CHANGED_WORK);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* 2.6.1: neither the device nor the other queue is reset. */
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(16, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(NO_VECTOR, v_in(m, V_Q_VECTOR, 2));
	EXPECT_EQ(0, v_in(m, V_Q_USED, 4));
	EXPECT_EQ(15, v_status(m));
	EXPECT_TRUE(vgpu_virtio_runs(m));
	v_out(m, V_Q_SELECT, 2, 0);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(8, v_in(m, V_Q_SIZE, 2));
	/* A queue that is disabled has nothing to reset. */
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	/* And then it is set up again. */
	set_up_queue(m, 1);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* Not while it is being reset. */
	v_out(m, V_Q_RESET, 2, 1);
	v_out(m, V_Q_ENABLE, 2, 1);
	v_out(m, V_Q_DESC, 4, 5);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(0, v_in(m, V_Q_DESC, 4));
}

TEST_F(virtio, queue_reset_not_negotiated)
{
	struct vgpu_model *m = &self->model;

	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER);
	v_features(m, F0_ALL, F1_ALL & ~F1_RING_RESET);
	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	set_up_queue(m, 0);
	v_set_status(m, 15);
	take_work(m);
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, take_work(m));
}

TEST_F(virtio, vectors)
{
	struct vgpu_model *m = &self->model;
	u32 value;

	for (value = 0; value <= 0xffff; value++) {
		u32 want = value < 3 ? value : NO_VECTOR;

		v_out(m, V_CONFIG_VECTOR, 2, value);
		ASSERT_EQ(want, v_in(m, V_CONFIG_VECTOR, 2));
		v_out(m, V_Q_SELECT, 2, value % 2);
		v_out(m, V_Q_VECTOR, 2, value);
		ASSERT_EQ(want, v_in(m, V_Q_VECTOR, 2));
	}
	v_out(m, V_NUM_QUEUES, 2, 9);
	EXPECT_EQ(2, v_in(m, V_NUM_QUEUES, 2));
}

TEST_F(virtio, messages)
{
	struct vgpu_model *m = &self->model;
	u32 i;

	set_up(m);
	/* set_up() has raised both. */
	EXPECT_EQ(3, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_sent(m, 1));
	EXPECT_EQ(2, vgpu_event_pending(m));
	/* Nothing was sent. */
	EXPECT_FALSE(vgpu_event_sent(m, 0));
	EXPECT_TRUE(vgpu_event_sent(m, 6));
	EXPECT_EQ(0, vgpu_event_pending(m));
	for (i = 0; i < 2; i++) {
		vgpu_virtio_interrupt(m, i);
		EXPECT_EQ(2 << i, vgpu_event_pending(m));
		EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
		vgpu_event_sent(m, 7);
	}
	/* Two queues can share one, and do with Linux when vectors are scarce. */
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_VECTOR, 2, 1);
	vgpu_virtio_interrupt(m, 0);
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(2, vgpu_event_pending(m));
	vgpu_event_sent(m, 7);
	v_out(m, V_Q_VECTOR, 2, NO_VECTOR);
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_valid(m));
}

TEST_F(virtio, isr)
{
	struct vgpu_model *m = &self->model;

	v_start(m);
	EXPECT_FALSE(vgpu_event_line(m));
	EXPECT_EQ(0, config_in(m, 0x06, 2) & 8);
	take_changed(m);
	EXPECT_EQ(0, v_in(m, V_ISR, 1));
	EXPECT_EQ(0, take_changed(m));
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(8, config_in(m, 0x06, 2) & 8);
	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	EXPECT_TRUE(vgpu_event_line(m));
	/* Writing it does nothing, reading it clears it and takes the pin back. */
	v_out(m, V_ISR, 1, 0xff);
	v_out(m, V_ISR, 1, 0);
	take_changed(m);
	EXPECT_EQ(3, v_in(m, V_ISR, 1));
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
	EXPECT_FALSE(vgpu_event_line(m));
	EXPECT_EQ(0, v_in(m, V_ISR, 1));
	EXPECT_EQ(0, config_in(m, 0x06, 2) & 8);
	/* Reading it in a wider access, as well. */
	vgpu_virtio_interrupt(m, 0);
	EXPECT_EQ(1, v_in(m, V_ISR, 4));
	EXPECT_FALSE(vgpu_event_line(m));
	/* Reading what is beside it does not. */
	vgpu_virtio_interrupt(m, 0);
	v_in(m, V_ISR - 2, 2);
	v_in(m, V_ISR + 1, 2);
	EXPECT_TRUE(vgpu_event_line(m));
}

TEST_F(virtio, config)
{
	struct vgpu_model *m = &self->model;
	u32 heads;

	for (heads = 1; heads <= 4; heads++) {
		self->profile.num_heads = heads;
		EXPECT_EQ(heads, v_in(m, V_CONFIG + 8, 4));
	}
	EXPECT_EQ(0, v_in(m, V_CONFIG + 4, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 12, 4));
	v_out(m, V_CONFIG, 4, ~0);
	v_out(m, V_CONFIG + 8, 4, ~0);
	v_out(m, V_CONFIG + 12, 4, ~0);
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(4, v_in(m, V_CONFIG + 8, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 12, 4));

	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	v_out(m, V_CONFIG, 4, 0);
	v_out(m, V_CONFIG + 4, 4, ~1);
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 4, 4));
	v_out(m, V_CONFIG + 4, 4, 1);
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
}

TEST_F(virtio, monitor)
{
	const u32 link = 20;	/* of struct vfio_region_gfx_edid */
	struct vgpu_model *m = &self->model;
	u8 down[4] = { 2 }, up[4] = { 1 }, bad[4] = { 3 };

	v_negotiate(m);
	v_out(m, V_CONFIG_VECTOR, 2, 0);
	ASSERT_EQ(0, vgpu_link_write(m, link, down, 4));
	/* It is told, but before DRIVER_OK by nothing but a generation. */
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(1, v_in(m, V_GENERATION, 1));
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_FALSE(vgpu_event_line(m));
	v_set_status(m, 15);
	EXPECT_EQ(0, vgpu_event_pending(m));
	take_changed(m);
	ASSERT_EQ(0, vgpu_link_write(m, link, up, 4));
	EXPECT_EQ(2, v_in(m, V_GENERATION, 1));
	EXPECT_EQ(1, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m) & VGPU_CHANGED_EVENTS);
	EXPECT_EQ(2, v_in(m, V_ISR, 1));
	ASSERT_EQ(-EINVAL, vgpu_link_write(m, link, bad, 4));
	EXPECT_EQ(2, v_in(m, V_GENERATION, 1));
	m->virtio.generation = 0xff;
	ASSERT_EQ(0, vgpu_link_write(m, link, up, 4));
	EXPECT_EQ(0, v_in(m, V_GENERATION, 1));
	v_out(m, V_GENERATION, 1, 7);
	EXPECT_EQ(0, v_in(m, V_GENERATION, 1));
}

TEST_F(virtio, frames)
{
	struct vgpu_model *m = &self->model;
	u32 head;

	v_start(m);
	take_work(m);
	take_changed(m);
	for (head = 0; head < 4; head++) {
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(0, take_work(m));
		EXPECT_EQ(0, take_changed(m));
		m->virtio.frames_wanted = true;
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(VGPU_WORK_FRAME, take_work(m));
		EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m));
		/* Once. */
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(0, take_work(m));
	}
	EXPECT_EQ(0, vgpu_event_pending(m));
	/* Of errors a driver of virtio-gpu knows nothing. */
	vgpu_event_raise(m, VGPU_EVENT_ECC);
	EXPECT_EQ(0, take_work(m));
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
}

TEST_F(virtio, notify)
{
	struct vgpu_model *m = &self->model;
	u32 queue;

	for (queue = 0; queue < 2; queue++) {
		/* What is written is the number of the queue, which is not needed. */
		v_out(m, V_NOTIFY + 4 * queue, 2, queue);
		EXPECT_EQ(1 << queue, take_work(m));
		EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m));
		v_out(m, V_NOTIFY + 4 * queue, 2, 0xffff);
		EXPECT_EQ(1 << queue, take_work(m));
		v_out(m, V_NOTIFY + 4 * queue, 4, 0);
		EXPECT_EQ(1 << queue, take_work(m));
		take_changed(m);
		v_out(m, V_NOTIFY + 4 * queue, 1, 0);
		v_out(m, V_NOTIFY + 4 * queue + 1, 2, 0);
		v_out(m, V_NOTIFY + 4 * queue + 2, 2, 0);
		EXPECT_EQ(0, take_work(m));
		EXPECT_EQ(0, take_changed(m));
		EXPECT_EQ(0, v_in(m, V_NOTIFY + 4 * queue, 2));
	}
	v_out(m, V_NOTIFY + 8, 2, 2);
	v_out(m, V_NOTIFY + 0xffe, 2, 0);
	EXPECT_EQ(0, take_work(m));
}

TEST_HARNESS_MAIN
