// SPDX-License-Identifier: GPL-2.0
/*
 * VMMs of a virtio-gpu that map its rings again, look at what is at rest, are killed while
 * they wait, or leave the vGPU to another process.
 */
#include <linux/pci_regs.h>
#include <signal.h>
#include <sys/wait.h>

#include "robustness/virtio_slow.h"

/* Memory of this process that is pinned, in KiB, however that is counted. */
static long pinned(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long n, sum = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %ld", &n) == 1 ||
		    sscanf(line, "VmPin: %ld", &n) == 1)
			sum += n;
	if (file)
		fclose(file);
	return sum;
}

/* Both queues are used. */
static bool uses_queues(struct vv *v)
{
	struct virtio_gpu_resp_display_info info;

	return vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 1, 1, 0, 0) == OK &&
	       vv_display_info(v, &info) == VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

/* Rings that are unmapped and mapped again are pinned again. */
TEST_F_TIMEOUT(hostile, remap_pins, 300)
{
	struct vv *v = &self->v;
	long before = pinned(), first;
	unsigned int i;

	/* Those of the fixture are pinned by now, or are not. */
	ASSERT_TRUE(uses_queues(v));
	first = pinned();
	TH_LOG("%ld, then %ld KiB pinned", before, first);
	EXPECT_LT(0, first);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_STOP,
					NULL));
		ASSERT_EQ(0, vv_unmap(&self->dev, VV_IOVA, VV_MEM));
		EXPECT_EQ(0, pinned());
		ASSERT_EQ(0, vv_map(&self->dev, VV_IOVA, v->mem, VV_MEM,
				    READ | WRITE));
		ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_RUNNING,
					NULL));
		ASSERT_TRUE(uses_queues(v));
		EXPECT_EQ(first, pinned());
	}
	ASSERT_EQ(0, vv_reset(v));
	EXPECT_EQ(0, pinned());
	EXPECT_TRUE(vv_draws(v));
}

/* Nobody waits for commands who looks at what they do not change. */
TEST_F_TIMEOUT(hostile, look_at_rest, 300)
{
	struct vfio_device_gfx_plane_info info;
	struct vv *v = &self->v;
	struct slow slow;
	uint64_t since;
	int head, i;

	if (slow_begin(&slow, VT_MIB, -1))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, vv_map(&self->dev, OTHER, slow.mem, VT_MIB, READ | WRITE));
	ASSERT_EQ(OK, vv_create_blob(v, 2, VV_FREE, 4 * 64 * 64));
	ASSERT_EQ(OK, vv_scanout_blob(v, 0, 2, 64, 64, 4 * 64, 0));
	ASSERT_EQ(0, vt_plane(&self->dev, &info));
	head = send_transfer(v, OTHER);
	ASSERT_LE(0, head);
	ASSERT_TRUE(slow_is_asked(&slow));
	since = vt_now();
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, vt_plane(&self->dev, &info));
		EXPECT_EQ(64, info.width);
	}
	EXPECT_TRUE(in_time(&since, "looks"));
	slow.ms = 0;
	EXPECT_EQ(OK, vv_wait(v, VV_CONTROL, head, VV_TIMEOUT));
	EXPECT_TRUE(vv_draws(v));
	EXPECT_EQ(0, vv_unmap(&self->dev, OTHER, VT_MIB));
	slow_end(&slow);
}

/* What a VMM waits for that has memory which never comes, when it is killed. */
enum { NOTHING, RESET, FUNCTION_RESET, STOP, WAITS };

struct doomed {
	struct vt_dev *dev;
	int how;
};

static void *doomed_main(void *arg)
{
	struct doomed *doomed = arg;
	struct vt_dev *dev = doomed->dev;

	switch (doomed->how) {
	case RESET:
		vt_reset(dev);
		break;
	case FUNCTION_RESET:
		vt_config_set(dev, vt_cap(dev, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
			      PCI_EXP_DEVCTL_BCR_FLR, 2);
		break;
	case STOP:
		vt_mig_set(dev, VFIO_DEVICE_STATE_STOP, NULL);
		break;
	}
	return NULL;
}

/* Tell the parent, which keeps a copy, where the memory's userfaultfd is, and wait. */
static void doomed_vmm(hostile_data *self, int how, int out)
{
	struct doomed doomed = { &self->dev, how };
	struct vv *v = &self->v;
	struct slow slow;
	pthread_t thread;

	if (slow_begin(&slow, VT_MIB, -1))
		_exit(KSFT_SKIP);
	if (vv_open(&self->dev, self->dev.uuid) || vv_init(v, &self->dev) ||
	    vv_start(v, VV_LINUX) ||
	    vv_map(&self->dev, OTHER, slow.mem, VT_MIB, READ | WRITE) ||
	    send_transfer(v, OTHER) < 0)
		_exit(1);
	if (!slow_is_asked(&slow) ||
	    pthread_create(&thread, NULL, doomed_main, &doomed))
		_exit(1);
	usleep(300000);
	if (write(out, &slow.uffd, sizeof(int)) == sizeof(int))
		pause();
	_exit(1);
}

static bool gone(pid_t pid)
{
	uint64_t end = vt_now() + 20000000000ULL;

	while (vt_now() < end) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F_TIMEOUT(hostile, memory_never_and_kill, 600)
{
	struct vv *v = &self->v;
	int fds[2], uffd, pidfd, how;
	pid_t pid;

	for (how = NOTHING; how < WAITS; how++) {
		vv_fini(v);
		vt_close(&self->dev);
		ASSERT_EQ(0, pipe(fds));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			doomed_vmm(self, how, fds[1]);
		close(fds[1]);
		if (read(fds[0], &uffd, sizeof(uffd)) != sizeof(uffd)) {
			kill(pid, SIGKILL);
			ASSERT_TRUE(gone(pid));
			ASSERT_EQ(0, vv_open(&self->dev, self->dev.uuid));
			ASSERT_EQ(0, vv_init(v, &self->dev));
			SKIP(return, "no userfaultfd");
		}
		close(fds[0]);
		/* As long as somebody has it, it is no end of the wait that the VMM goes. */
		pidfd = syscall(__NR_pidfd_open, pid, 0);
		uffd = syscall(__NR_pidfd_getfd, pidfd, uffd, 0);
		EXPECT_LE(0, uffd);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(gone(pid))
			TH_LOG("it does not die, %d", how);
		close(pidfd);
		close(uffd);
		ASSERT_EQ(0, vv_open(&self->dev, self->dev.uuid));
		ASSERT_EQ(0, vv_init(v, &self->dev));
		EXPECT_TRUE(vv_draws(v));
	}
}

/* The process that opened the vGPU is no more, but another one has it. */
static int orphan(hostile_data *self)
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	};
	struct vfio_device_gfx_plane_info info;
	pid_t parent = getppid();
	struct vv *v = &self->v;
	int i;

	for (i = 0; i < 10000 && getppid() == parent; i++)
		usleep(1000);
	/* Its memory goes a little later. */
	for (i = 0; i < 2; i++) {
		do {
			vv_submit(v, VV_CONTROL, &req, sizeof(req), 0, 0, 408);
			vv_notify(v, VV_CONTROL);
			usleep(10000);
		} while (vv_used(v, VV_CONTROL, NULL, VV_SECOND) >= 0);
		if (!needs_reset(v))
			return 2;
		if (vt_plane(&self->dev, &info))
			return 3;
		if (vv_reset(v))
			return 4;
		if (vv_start(v, VV_LINUX))
			return 5;
	}
	return vt_reset(&self->dev) ? 6 : vv_reset(v) ? 7 : 0;
}

TEST_F_TIMEOUT(hostile, orphan, 300)
{
	struct vv *v = &self->v;
	int fds[2], ret = -1;
	pid_t pid;

	vv_fini(v);
	vt_close(&self->dev);
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (vv_open(&self->dev, self->dev.uuid) ||
		    vv_init(v, &self->dev) || vv_start(v, VV_LINUX))
			_exit(1);
		if (!fork()) {
			ret = orphan(self);
			_exit(write(fds[1], &ret, sizeof(ret)) != sizeof(ret));
		}
		_exit(0);
	}
	close(fds[1]);
	EXPECT_EQ((ssize_t)sizeof(ret), read(fds[0], &ret, sizeof(ret)));
	EXPECT_EQ(0, ret);
	close(fds[0]);
	ASSERT_TRUE(gone(pid));
	/* The last one closes it a moment later. */
	while (vv_open(&self->dev, self->dev.uuid))
		usleep(10000);
	ASSERT_EQ(0, vv_init(v, &self->dev));
	EXPECT_TRUE(vv_draws(v));
}

TEST_HARNESS_MAIN
