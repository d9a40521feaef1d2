// SPDX-License-Identifier: GPL-2.0
/*
 * Everybody at once: administrators make, remove, move, break and unbind what
 * VMMs open, map, reset and leave, some of them without a word (SIGKILL).
 * Nothing has to succeed; nothing may hang, crash or be lost.  What a race has
 * done wrong is found by the kernel (its log is looked at), and by counting at
 * the end.
 *
 * VGPU_TEST_SECONDS=N takes longer, VGPU_SEED=N chooses other delays.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"
#include "lib/vgpu_virtio.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define SECONDS		60
/* vGPUs that everybody means; there is room for three of them. */
#define NR_UUIDS	4
#define NR_CREATORS	2
#define NR_VMMS		3

FIXTURE(stress)
{
	struct vt_gpu gpu;
	const char *address;
	char uuids[NR_UUIDS][VT_UUID];
	unsigned int seed;
	unsigned int seconds;
	volatile bool stop;
};

typedef FIXTURE_DATA(stress) stress_data;

struct actor {
	stress_data *self;
	pthread_t thread;
	unsigned int seed;
	unsigned long tried;
	unsigned long done;
};

/* Where a thread goes on when what it touches is taken away. */
static __thread sigjmp_buf gone;
static __thread volatile bool touching;

static void on_sigbus(int sig)
{
	if (!touching) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	touching = false;
	siglongjmp(gone, 1);
}

static unsigned int below(struct actor *actor, unsigned int n)
{
	return rand_r(&actor->seed) % n;
}

static const char *any_uuid(struct actor *actor)
{
	return actor->self->uuids[below(actor, NR_UUIDS)];
}

static void count(struct actor *actor, int ret)
{
	actor->tried++;
	actor->done += ret >= 0;
}

static void *creator_main(void *arg)
{
	struct actor *actor = arg;
	stress_data *self = actor->self;

	while (!self->stop) {
		const char *uuid = any_uuid(actor);

		if (below(actor, 3))
			count(actor, vt_create(&self->gpu, below(actor, 2) ?
					       "16Q" : "16V", uuid));
		else
			count(actor, vt_remove(uuid));
		usleep(below(actor, 20000));
	}
	return NULL;
}

/* What is there for a whole GPU. */
static void *admin_main(void *arg)
{
	struct actor *actor = arg;
	stress_data *self = actor->self;
	char text[128];

	while (!self->stop) {
		switch (below(actor, 12)) {
		case 0:
			/* All vGPUs go, and wait for the VMMs. */
			count(actor, vt_write(self->address,
					      "/sys/bus/pci/drivers/vgpu/unbind"));
			usleep(below(actor, 20000));
			count(actor, vt_write(self->address,
					      "/sys/bus/pci/drivers/vgpu/bind"));
			break;
		case 1:
			count(actor, vt_write(below(actor, 2) ? "1" : "0",
					      "%s/ecc/enabled_pending",
					      self->gpu.dir));
			count(actor, vt_write("1", "%s/ecc/reset",
					      self->gpu.dir));
			break;
		case 2:
			count(actor, vt_read(text, sizeof(text),
					     "%s/ecc/last_errors",
					     self->gpu.dir));
			count(actor, vt_read(text, sizeof(text),
					     "%s/ecc/retired_list",
					     self->gpu.dir));
			break;
		case 3:
		case 4:
			snprintf(text, sizeof(text), "%s %s %lu",
				 below(actor, 4) ? "sbe" : "dbe",
				 any_uuid(actor),
				 below(actor, FB / PAGE) * PAGE);
			count(actor, vt_write(text, VT_DEBUGFS "/vgpu/%s/inject",
					      self->address));
			break;
		case 5:
			snprintf(text, sizeof(text), "sbe %#llx",
				 below(actor, 64) * VT_MIB);
			count(actor, vt_write(text, VT_DEBUGFS "/vgpu/%s/inject",
					      self->address));
			break;
		case 6:
			count(actor, vt_params(any_uuid(actor),
					       below(actor, 2) ?
					       "console=dmabuf" :
					       "frame_rate_limiter=0"));
			break;
		default:
			snprintf(text, sizeof(text), "%s %u", any_uuid(actor),
				 below(actor, FB / PAGE));
			count(actor, vt_write(text, VT_DEBUGFS "/vgpu/%s/move",
					      self->address));
		}
		usleep(below(actor, 5000));
	}
	return NULL;
}

/* Touch pages at random; false when they are gone. */
static bool touch(struct actor *actor, volatile uint32_t *map, size_t len)
{
	int i;

	if (sigsetjmp(gone, 1))
		return false;
	touching = true;
	for (i = 0; i < 64; i++) {
		volatile uint32_t *word = map + below(actor, len / PAGE) *
					  (PAGE / 4);

		if (below(actor, 2))
			*word = i;
		else
			(void)*word;
	}
	touching = false;
	return true;
}

static void use_mapping(struct actor *actor, struct vt_dev *dev)
{
	static const unsigned int regions[] = {
		BAR0, VGPU_REGION_CONSOLE, VGPU_REGION_CURSOR,
	};
	void *map = vt_mmap(dev, regions[below(actor, 3)], 0, FB);

	if (!map)
		return;
	count(actor, touch(actor, map, FB) ? 0 : -EFAULT);
	munmap(map, FB);
}

static void use_interrupts(struct actor *actor, struct vt_dev *dev)
{
	int fd = vt_eventfd(dev, below(actor, VFIO_PCI_NUM_IRQS), 0);

	count(actor, fd);
	close(fd);
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, below(actor, 256));
}

/* The dma-buf of the picture, which may outlive the vGPU. */
static int use_picture(struct actor *actor, struct vt_dev *dev)
{
	vt_head_mode(dev, below(actor, 4), 640, 480, below(actor, 64) * PAGE);
	return vt_dmabuf(dev);
}

static void use_dmabuf(struct actor *actor, int fd)
{
	size_t len = 640 * 480 * 4;
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return;
	count(actor, touch(actor, map, len) ? 0 : -EFAULT);
	munmap(map, len);
}

/* Some state, some data of it or for it, and another state. */
static void use_migration(struct actor *actor, struct vt_dev *dev)
{
	struct vt_stream stream = { };
	char junk[64] = { };
	int fd = -1;

	count(actor, vt_mig_set(dev, below(actor, 9), &fd));
	if (fd >= 0) {
		vt_drain_some(fd, &stream, below(actor, 2) * VT_MIB + 1);
		count(actor, write(fd, junk, sizeof(junk)));
	}
	vt_mig_set(dev, below(actor, 9), NULL);
	if (fd >= 0)
		close(fd);
	free(stream.data);
}

/* A guest's driver that sends what it likes, and waits for no answer for long. */
static int use_virtio(struct actor *actor, struct vv *v)
{
	const uint32_t id = 1 + below(actor, 4), head = below(actor, 5);
	const uint32_t size = 1 + below(actor, 300), x = below(actor, 100);

	switch (below(actor, 11)) {
	case 0:
		return vv_start(v, VV_LINUX);
	case 1:
		vv_unmap(v->dev, VV_IOVA, VV_MEM);
		return vv_map(v->dev, VV_IOVA, v->mem, VV_MEM,
			      VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	case 2:
		return vv_create_2d(v, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
				    size, size);
	case 3:
		return vv_create_blob(v, id, VV_FREE, 4 * size * size);
	case 4:
		return vv_attach(v, id, VV_IOVA + VV_FREE, 4 * size * size);
	case 5:
		return vv_transfer(v, id, 0, 0, x, x, 0);
	case 6:
		return vv_scanout(v, head, id, 0, 0, x, x);
	case 7:
		return vv_scanout_blob(v, head, id, x, x, 4 * size, 0);
	case 8:
		return vv_cursor(v, VIRTIO_GPU_CMD_UPDATE_CURSOR, head, id, x, x,
				 0, 0);
	case 9:
		return vv_unref(v, id);
	default:
		return vv_flush(v, id, 0, 0, x, x);
	}
}

/* A VMM, from open to close. */
static void vmm(struct actor *actor)
{
	int rounds = below(actor, 30), dmabuf = -1;
	struct vt_dev dev = { };
	struct vv v = { };
	char buf[PAGE];
	int ret;

	ret = vv_open(&dev, any_uuid(actor));
	count(actor, ret);
	if (ret)
		return;
	/* Of the other series, or being taken away, it is none. */
	if (vv_init(&v, &dev)) {
		vv_fini(&v);
		v.mem = NULL;
	} else {
		v.timeout = 50;
		count(actor, vv_start(&v, VV_LINUX));
		rounds *= 4;
	}
	while (rounds-- && !actor->self->stop) {
		if (v.mem && below(actor, 4)) {
			count(actor, use_virtio(actor, &v));
			continue;
		}
		switch (below(actor, 9)) {
		case 0:
			count(actor, vt_reset(&dev));
			vt_memory(&dev, true);
			break;
		case 1:
			use_interrupts(actor, &dev);
			break;
		case 2:
			if (dmabuf >= 0)
				close(dmabuf);
			dmabuf = use_picture(actor, &dev);
			break;
		case 3:
			count(actor, vt_pwrite(&dev, BAR0, below(actor, FB - PAGE),
					       buf, PAGE));
			break;
		case 4:
			count(actor, vt_pread(&dev, BAR0, below(actor, FB - PAGE),
					      buf, PAGE));
			break;
		case 5:
			vt_reg_set(&dev, VGPU_DOORBELL(0), rounds);
			count(actor, 0);
			break;
		case 6:
			use_migration(actor, &dev);
			break;
		default:
			use_mapping(actor, &dev);
		}
		usleep(below(actor, 1000));
	}
	if (v.mem)
		vv_fini(&v);
	vt_close(&dev);
	if (dmabuf >= 0) {
		use_dmabuf(actor, dmabuf);
		close(dmabuf);
	}
}

static void *vmm_main(void *arg)
{
	struct actor *actor = arg;

	while (!actor->self->stop) {
		vmm(actor);
		usleep(below(actor, 2000));
	}
	return NULL;
}

/* VMMs that are killed in the middle of something. */
static void *killer_main(void *arg)
{
	struct actor *actor = arg;
	pid_t pid;

	while (!actor->self->stop) {
		pid = fork();
		if (!pid)
			for (;;)
				vmm(actor);
		usleep(below(actor, 30000));
		kill(pid, SIGKILL);
		count(actor, waitpid(pid, NULL, 0) == pid ? 0 : -1);
		actor->seed += 7;
	}
	return NULL;
}

FIXTURE_SETUP(stress)
{
	const char *seconds = getenv("VGPU_TEST_SECONDS");
	const char *seed = getenv("VGPU_SEED");
	struct sigaction action = { .sa_handler = on_sigbus };
	int i;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	self->seconds = seconds ? atoi(seconds) : SECONDS;
	self->seed = seed ? atoi(seed) : getpid();
	TH_LOG("VGPU_SEED=%u", self->seed);
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q,16V"));
	self->address = strrchr(self->gpu.dir, '/') + 1;
	for (i = 0; i < NR_UUIDS; i++)
		vt_uuid(self->uuids[i]);
	sigemptyset(&action.sa_mask);
	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));
}

FIXTURE_TEARDOWN(stress)
{
	vt_gpu_del(&self->gpu);
}

TEST_F_TIMEOUT(stress, everything, 36000)
{
	static const struct {
		const char *name;
		void *(*main)(void *arg);
		int nr;
	} kinds[] = {
		{ "creator", creator_main, NR_CREATORS },
		{ "admin", admin_main, 1 },
		{ "vmm", vmm_main, NR_VMMS },
		{ "killer", killer_main, 1 },
	};
	struct actor actors[8] = { };
	int i, n, nr = 0;

	for (i = 0; i < 4; i++)
		for (n = 0; n < kinds[i].nr; n++, nr++) {
			actors[nr].self = self;
			actors[nr].seed = self->seed + nr;
			ASSERT_EQ(0, pthread_create(&actors[nr].thread, NULL,
						    kinds[i].main,
						    &actors[nr]));
		}
	sleep(self->seconds);
	self->stop = true;
	for (i = 0; i < nr; i++)
		pthread_join(actors[i].thread, NULL);
	for (i = 0, nr = 0; i < 4; i++)
		for (n = 0; n < kinds[i].nr; n++, nr++) {
			TH_LOG("%s: %lu of %lu", kinds[i].name, actors[nr].done,
			       actors[nr].tried);
			EXPECT_LT(0, actors[nr].done);
		}

	/* All comes back, with what errors have cost. */
	vt_write(self->address, "/sys/bus/pci/drivers/vgpu/bind");
	for (i = 0; i < NR_UUIDS; i++)
		vt_remove(self->uuids[i]);
	EXPECT_EQ(0, vt_write(self->address,
			      "/sys/bus/pci/drivers/vgpu/unbind"));
	EXPECT_EQ(0, vt_write(self->address,
			      "/sys/bus/pci/drivers/vgpu/bind"));
	EXPECT_EQ(4, vt_available(&self->gpu, "16Q"));
}

TEST_HARNESS_MAIN
