// SPDX-License-Identifier: GPL-2.0
/* A virtio-gpu whose guest suspends to RAM: what a reset puts aside, and who gets it back. */
#include "virtio_device.h"

/* What a guest does that suspends to RAM, and what its VMM does when it wakes up. */
static bool sleep_through_reset(struct vgpu_model *m)
{
	const u32 control = VGPU_CONFIG_PM + PCI_PM_CTRL;
	struct vgpu_virtio was;
	bool keep;

	config_out(m, control, 2, 3);
	config_out(m, control, 2, 0);
	config_out(m, PCI_COMMAND, 2, 0);
	was = m->virtio;
	keep = vgpu_virtio_asleep(m);
	vgpu_model_reset(m);
	if (keep)
		vgpu_virtio_keep(m, &was);
	return keep;
}

/* The PCI core of a guest that goes on. */
static void restore_config(struct vgpu_model *m)
{
	config_out(m, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	config_out(m, VGPU_CONFIG_MSIX + PCI_MSIX_FLAGS, 2,
		   PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	config_out(m, VGPU_CONFIG_MSIX + PCI_MSIX_FLAGS, 2,
		   PCI_MSIX_FLAGS_ENABLE);
}

static void expect_as_set_up(struct __test_metadata *_metadata,
			     struct vgpu_model *m)
{
	u32 nr, reg;

	EXPECT_EQ(15, v_status(m));
	EXPECT_TRUE(vgpu_virtio_runs(m));
	EXPECT_EQ(F0_ALL | (u64)F1_ALL << 32, m->virtio.features);
	EXPECT_EQ(0, v_in(m, V_CONFIG_VECTOR, 2));
	for (nr = 0; nr < 2; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		EXPECT_EQ(8, v_in(m, V_Q_SIZE, 2));
		EXPECT_EQ(1 + nr, v_in(m, V_Q_VECTOR, 2));
		EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
		for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4)
			EXPECT_EQ(0x1000 * reg + nr, v_in(m, reg, 4));
	}
}

#define WORK_GO_ON	(VGPU_WORK_WAKE | VGPU_WORK_FRAME | VGPU_WORK_QUEUE(0) | \
			 VGPU_WORK_QUEUE(1))

/* Linux 6.12 and 7.3: it restores config space and notifies. */
TEST_F(virtio, sleep)
{
	struct vgpu_model *m = &self->model;
	u32 era, i;

	set_up(m);
	for (i = 0; i < 3; i++) {
		era = m->virtio.era;
		ASSERT_TRUE(sleep_through_reset(m));
		/* Who executes commands goes on. */
		EXPECT_EQ(era, m->virtio.era);
		EXPECT_EQ(0, v_status(m));
		EXPECT_FALSE(vgpu_virtio_runs(m));
		EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
		EXPECT_EQ(0, m->irq_status);
		restore_config(m);
		expect_as_set_up(_metadata, m);
		EXPECT_EQ(WORK_GO_ON, take_work(m));
		/* No interrupt is lost, and no event. */
		EXPECT_EQ(7, m->irq_status);
		EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
		EXPECT_EQ(era, m->virtio.era);
	}
	/* It is awake: the next reset is one. */
	v_out(m, V_NOTIFY, 2, 0);
	EXPECT_FALSE(m->virtio.kept.valid);
	vgpu_model_reset(m);
	EXPECT_NE(era, m->virtio.era);
	restore_config(m);
	expect_power_on(_metadata, m);
}

/* The same with the pin, so that the first that is heard of it is a notification. */
TEST_F(virtio, sleep_intx)
{
	struct vgpu_model *m = &self->model;

	set_up(m);
	ASSERT_TRUE(sleep_through_reset(m));
	take_work(m);
	config_out(m, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	expect_power_on(_metadata, m);
	ASSERT_TRUE(m->virtio.kept.valid);
	v_out(m, V_NOTIFY + 4, 2, 1);
	expect_as_set_up(_metadata, m);
	EXPECT_EQ(WORK_GO_ON, take_work(m));
	EXPECT_FALSE(m->virtio.kept.valid);
}

/* Linux 6.1: all but queues is set up again, before messages or after. */
TEST_F(virtio, sleep_reset)
{
	struct vgpu_model *m = &self->model;
	u32 late;

	for (late = 0; late < 2; late++) {
		vgpu_model_reset(m);
		set_up(m);
		ASSERT_TRUE(sleep_through_reset(m));
		take_work(m);
		if (!late)
			restore_config(m);
		v_set_status(m, 0);
		EXPECT_EQ(VGPU_WORK_RESET, take_work(m) & VGPU_WORK_RESET);
		EXPECT_EQ(!late, m->virtio.resetting);
		vgpu_virtio_reset_done(m, 0);
		expect_power_on(_metadata, m);
		v_negotiate(m);
		EXPECT_FALSE(vgpu_virtio_runs(m));
		EXPECT_TRUE(m->virtio.kept.valid);
		v_set_status(m, 15);
		expect_as_set_up(_metadata, m);
		EXPECT_EQ(WORK_GO_ON, take_work(m));
		EXPECT_FALSE(m->virtio.kept.valid);
	}
}

/* Whoever boots finds nothing. */
TEST_F(virtio, sleep_and_boot)
{
	struct vgpu_model *m = &self->model;
	u32 era;

	set_up(m);
	ASSERT_TRUE(sleep_through_reset(m));
	era = m->virtio.era;
	take_work(m);
	v_set_status(m, 0);
	v_negotiate(m);
	/* Linux has messages on before queues. */
	restore_config(m);
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, v_status(m));
	EXPECT_EQ(0, take_work(m) & VGPU_WORK_WAKE);
	v_out(m, V_Q_SELECT, 2, 0);
	v_out(m, V_Q_ENABLE, 2, 1);
	EXPECT_FALSE(m->virtio.kept.valid);
	EXPECT_EQ(era + 1, m->virtio.era);
	EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
	v_set_status(m, 15);
	EXPECT_EQ(0, m->virtio.queues[1].enabled);
	EXPECT_EQ(0, take_work(m) & VGPU_WORK_WAKE);
	/* With other features. */
	vgpu_model_reset(m);
	set_up(m);
	ASSERT_TRUE(sleep_through_reset(m));
	era = m->virtio.era;
	v_set_status(m, 0);
	v_features(m, 0, F1_VERSION_1);
	v_set_status(m, 15);
	EXPECT_FALSE(m->virtio.kept.valid);
	EXPECT_EQ(era + 1, m->virtio.era);
	EXPECT_EQ(0, m->virtio.queues[0].enabled);
}

/* Resets that nobody sleeps through. */
TEST_F(virtio, no_sleep)
{
	const u32 control = VGPU_CONFIG_PM + PCI_PM_CTRL;
	struct vgpu_model *m = &self->model;

	/* There is nothing yet. */
	EXPECT_FALSE(sleep_through_reset(m));
	set_up(m);
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	/* It was asleep, and woke up. */
	config_out(m, control, 2, 3);
	EXPECT_TRUE(vgpu_virtio_asleep(m));
	config_out(m, control, 2, 0);
	EXPECT_TRUE(vgpu_virtio_asleep(m));
	v_in(m, V_STATUS, 1);
	EXPECT_TRUE(vgpu_virtio_asleep(m));
	v_out(m, V_NOTIFY, 2, 0);
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	/* It asks for the reset itself. */
	config_out(m, control, 2, 3);
	config_out(m, control, 2, 0);
	EXPECT_TRUE(config_out(m, VGPU_CONFIG_EXP + PCI_EXP_DEVCTL, 2,
			       PCI_EXP_DEVCTL_BCR_FLR));
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	/* A queue or the device needs a reset, or is in one, or memory failed. */
	m->virtio.asleep = true;
	m->virtio.queues[1].resetting = true;
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	m->virtio.queues[1].resetting = false;
	m->ecc.error = true;
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	m->ecc.error = false;
	EXPECT_TRUE(vgpu_virtio_asleep(m));
	vgpu_virtio_broken(m);
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	vgpu_model_reset(m);
	set_up(m);
	m->virtio.asleep = true;
	m->virtio.resetting = true;
	EXPECT_FALSE(vgpu_virtio_asleep(m));
	/* What is put aside is gone with the next reset. */
	vgpu_model_reset(m);
	set_up(m);
	ASSERT_TRUE(sleep_through_reset(m));
	ASSERT_TRUE(m->virtio.kept.valid);
	EXPECT_FALSE(sleep_through_reset(m));
	EXPECT_FALSE(m->virtio.kept.valid);
}

/* Before a migration there is nothing left that is put aside. */
TEST_F(virtio, sleep_settle)
{
	struct vgpu_model *m = &self->model;
	u32 era;

	EXPECT_FALSE(vgpu_virtio_settle(m));
	set_up(m);
	EXPECT_FALSE(vgpu_virtio_settle(m));
	ASSERT_TRUE(sleep_through_reset(m));
	EXPECT_FALSE(vgpu_virtio_settle(m));
	expect_as_set_up(_metadata, m);
	EXPECT_FALSE(m->virtio.kept.valid);
	ASSERT_TRUE(sleep_through_reset(m));
	restore_config(m);
	EXPECT_FALSE(vgpu_virtio_settle(m));
	expect_as_set_up(_metadata, m);
	EXPECT_FALSE(m->virtio.kept.valid);
	/* A driver is on its way. */
	ASSERT_TRUE(sleep_through_reset(m));
	v_set_status(m, S_ACKNOWLEDGE);
	era = m->virtio.era;
	EXPECT_TRUE(vgpu_virtio_settle(m));
	EXPECT_EQ(era + 1, m->virtio.era);
	EXPECT_EQ(S_ACKNOWLEDGE, v_status(m));
	EXPECT_FALSE(m->virtio.kept.valid);
}

TEST_HARNESS_MAIN
