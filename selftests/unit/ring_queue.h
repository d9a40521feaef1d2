/* SPDX-License-Identifier: GPL-2.0 */
/* A queue that the tests of a virtqueue begin with. */
#ifndef _UNIT_RING_QUEUE_H
#define _UNIT_RING_QUEUE_H

#include "ring.h"
#include "unit.h"

FIXTURE(ring)
{
	struct guest guest;
	struct vgpu_chain chain;
};

/* A queue of 16 with all features; tests of something else make their own. */
FIXTURE_SETUP(ring)
{
	guest_init(&self->guest, 16, true, true);
	memset(&self->chain, 0xa5, sizeof(self->chain));
}

FIXTURE_TEARDOWN(ring)
{
	EXPECT_EQ(0, self->guest.empty);
}

#endif /* _UNIT_RING_QUEUE_H */
