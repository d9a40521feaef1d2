// SPDX-License-Identifier: GPL-2.0
/* mdev_supported_types: which types there are and what their files say. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

FIXTURE(types)
{
	struct vt_gpu gpu;
};

FIXTURE_SETUP(types)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", NULL));
}

FIXTURE_TEARDOWN(types)
{
	vt_gpu_del(&self->gpu);
}

/* The exact texts, because management tools take them apart. */
static const struct {
	const char *id, *description, *available;
} expected[] = {
	{ "64Q", "num_heads=4, frl_config=60, framebuffer=64M, max_resolution=1920x1200, max_instance=1\n", "1\n" },
	{ "32Q", "num_heads=2, frl_config=60, framebuffer=32M, max_resolution=1920x1200, max_instance=2\n", "2\n" },
	{ "16Q", "num_heads=1, frl_config=60, framebuffer=16M, max_resolution=1920x1200, max_instance=4\n", "4\n" },
	{ "64B", "num_heads=4, frl_config=45, framebuffer=64M, max_resolution=1920x1200, max_instance=1\n", "1\n" },
	{ "32B", "num_heads=2, frl_config=45, framebuffer=32M, max_resolution=1920x1200, max_instance=2\n", "2\n" },
	{ "16B", "num_heads=1, frl_config=45, framebuffer=16M, max_resolution=1920x1200, max_instance=4\n", "4\n" },
	{ "64C", "num_heads=1, frl_config=60, framebuffer=64M, max_resolution=1920x1200, max_instance=1\n", "1\n" },
	{ "32C", "num_heads=1, frl_config=60, framebuffer=32M, max_resolution=1920x1200, max_instance=2\n", "2\n" },
	{ "16C", "num_heads=1, frl_config=60, framebuffer=16M, max_resolution=1920x1200, max_instance=4\n", "4\n" },
	{ "64V", "num_heads=4, frl_config=60, framebuffer=64M, max_resolution=1280x800, max_instance=1\n", "1\n" },
	{ "32V", "num_heads=2, frl_config=60, framebuffer=32M, max_resolution=1280x800, max_instance=2\n", "2\n" },
	{ "16V", "num_heads=1, frl_config=60, framebuffer=16M, max_resolution=1280x800, max_instance=4\n", "4\n" },
};

#define NR_EXPECTED (sizeof(expected) / sizeof(expected[0]))

TEST_F(types, texts)
{
	const char *dir = self->gpu.dir;
	char text[256], name[80];
	unsigned int i;

	for (i = 0; i < NR_EXPECTED; i++) {
		const char *id = expected[i].id;

		snprintf(name, sizeof(name), "%s-%s\n",
			 vt_pgpu() ? "VLIN" : "VSOFT", id);
		ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/name", dir, id));
		EXPECT_STREQ(name, text);
		ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/description", dir, id));
		EXPECT_STREQ(expected[i].description, text);
		ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/device_api", dir, id));
		EXPECT_STREQ("vfio-pci\n", text);
		ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/available_instances", dir, id));
		EXPECT_STREQ(expected[i].available, text);
		EXPECT_TRUE(vt_exists("%s/mdev_supported_types/vgpu-%s/devices", dir, id));
		snprintf(name, sizeof(name), "vgpu format=1 type=%s ", id);
		ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/migration_version", dir, id));
		EXPECT_EQ(0, strncmp(name, text, strlen(name)))
			TH_LOG("%s", text);
		/* It is there to be written, not read. */
		EXPECT_EQ(-EACCES, vt_read(text, sizeof(text), "%s/mdev_supported_types/vgpu-%s/create", dir, id));
	}
}

/* One odd entry would make libvirt and mdevctl fail for all of them. */
TEST_F(types, nothing_else)
{
	char path[VT_PATH + 32];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/mdev_supported_types", self->gpu.dir);
	dir = opendir(path);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		EXPECT_EQ(DT_DIR, entry->d_type);
		EXPECT_EQ(0, strncmp(entry->d_name, "vgpu-", 5));
		n++;
	}
	closedir(dir);
	EXPECT_EQ(NR_EXPECTED, n);
}

TEST_F(types, read_only_files)
{
	static const char *const names[] = {
		"name", "description", "device_api", "available_instances",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_EQ(-EACCES, vt_write("x", "%s/mdev_supported_types/vgpu-16Q/%s",
					    self->gpu.dir, names[i]));
}

/* What libvirt, Nova and KubeVirt look for around a parent. */
TEST_F(types, parent)
{
	const char *bdf = strrchr(self->gpu.dir, '/') + 1;
	char text[64];

	EXPECT_TRUE(vt_exists("/sys/bus/pci/drivers/vgpu/%s/mdev_supported_types/vgpu-16Q/create", bdf));
	EXPECT_TRUE(vt_exists("/sys/class/mdev_bus/%s", bdf));
	if (vt_pgpu())
		return;
	ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/vendor", self->gpu.dir));
	EXPECT_STREQ("0x1234\n", text);
	ASSERT_EQ(0, vt_read(text, sizeof(text), "%s/class", self->gpu.dir));
	EXPECT_STREQ("0x038000\n", text);
}

/* Whether the kernel's log says that from here on. */
static bool log_says(int log, const char *what)
{
	char line[4096];
	bool said = false;
	ssize_t n;

	while ((n = read(log, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		said |= !!strstr(line, what);
	}
	return said;
}

/* @text with @value in place of what @key has. */
static void with_value(char *out, const char *text, const char *key,
		       const char *value)
{
	const char *at = strstr(text, key) + strlen(key);

	sprintf(out, "%.*s%s%s", (int)(at - text), text, value,
		at + strcspn(at, " \n"));
}

/*
 * Who is refused finds in the log what the matter is; there are limits to how
 * often it is said.
 */
TEST_F_TIMEOUT(types, migration_version_log, 120)
{
	static const struct {
		const char *key, *value, *says;
	} wrong[] = {
		{ " type=", "16B", "migration_version: type, differs" },
		{ " device=", "131072", "migration_version: device version, differs" },
		{ " features=", "1152921504606846976", "migration_version: features, differs" },
		{ " format=", "2", "migration_version: format version, differs" },
		{ " fb=", "x", "migration_version: framebuffer size, not understood" },
		{ NULL, "i915-GVTg_V5_4\n", "migration_version: driver, differs" },
	};
	char q[512], text[1024], paths[2][VT_PATH + 64], uuid[VT_UUID];
	unsigned int i, way, tries;
	bool said;
	int log;

	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid));
	snprintf(paths[0], sizeof(paths[0]),
		 "%s/mdev_supported_types/vgpu-16Q/migration_version",
		 self->gpu.dir);
	snprintf(paths[1], sizeof(paths[1]),
		 "/sys/bus/mdev/devices/%s/migration_version", uuid);
	ASSERT_EQ(0, vt_read(q, sizeof(q), "%s", paths[0]));
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, log);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (wrong[i].key) {
			ASSERT_NE(NULL, strstr(q, wrong[i].key));
			with_value(text, q, wrong[i].key, wrong[i].value);
		} else {
			strcpy(text, wrong[i].value);
		}
		for (way = 0; way < 2; way++) {
			said = false;
			for (tries = 0; tries < 10 && !said; tries++) {
				if (tries)
					sleep(1);
				lseek(log, 0, SEEK_END);
				EXPECT_GT(0, vt_write(text, "%s", paths[way]));
				said = log_says(log, wrong[i].says);
			}
			EXPECT_TRUE(said) TH_LOG("not said: %s", wrong[i].says);
		}
	}
	/* Nothing of what fits. */
	lseek(log, 0, SEEK_END);
	EXPECT_EQ(0, vt_write(q, "%s", paths[0]));
	EXPECT_EQ(0, vt_write(q, "%s", paths[1]));
	EXPECT_FALSE(log_says(log, "migration_version"));
	close(log);
	EXPECT_EQ(0, vt_remove(uuid));
}

/* What a type or vGPU says of itself is taken by others of the same type. */
TEST_F(types, migration_version)
{
	const char *dir = self->gpu.dir;
	char q[512], b[512], text[512], *large;
	char uuid[VT_UUID];

	ASSERT_EQ(0, vt_read(q, sizeof(q), "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	ASSERT_EQ(0, vt_read(b, sizeof(b), "%s/mdev_supported_types/vgpu-16B/migration_version", dir));
	EXPECT_EQ(0, vt_write(q, "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	EXPECT_EQ(-ENODEV, vt_write(b, "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	EXPECT_EQ(-ENODEV, vt_write("i915-GVTg_V5_4\n", "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));

	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid));
	EXPECT_EQ(0, vt_read(text, sizeof(text), "/sys/bus/mdev/devices/%s/migration_version", uuid));
	EXPECT_STREQ(q, text);
	EXPECT_EQ(0, vt_write(q, "/sys/bus/mdev/devices/%s/migration_version", uuid));
	EXPECT_EQ(-ENODEV, vt_write(b, "/sys/bus/mdev/devices/%s/migration_version", uuid));
	/* Without its end, and of a page, and of more. */
	q[strlen(q) - 4] = '\0';
	EXPECT_EQ(-EINVAL, vt_write(q, "/sys/bus/mdev/devices/%s/migration_version", uuid));
	EXPECT_EQ(-EINVAL, vt_write(q, "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	large = calloc(1, 16384);
	ASSERT_NE(NULL, large);
	memset(large, '1', 4096);
	EXPECT_EQ(-EINVAL, vt_write(large, "/sys/bus/mdev/devices/%s/migration_version", uuid));
	EXPECT_EQ(-EINVAL, vt_write(large, "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	memset(large, '1', 16383);
	EXPECT_EQ(-EINVAL, vt_write(large, "/sys/bus/mdev/devices/%s/migration_version", uuid));
	EXPECT_EQ(-EINVAL, vt_write(large, "%s/mdev_supported_types/vgpu-16Q/migration_version", dir));
	free(large);
	EXPECT_EQ(0, vt_remove(uuid));
}

/* available_instances follows what other types have taken. */
TEST_F(types, available)
{
	char a[VT_UUID], b[VT_UUID];

	vt_uuid(a);
	vt_uuid(b);
	ASSERT_EQ(0, vt_create(&self->gpu, "16B", a));
	EXPECT_EQ(0, vt_available(&self->gpu, "64Q"));
	EXPECT_EQ(1, vt_available(&self->gpu, "32C"));
	EXPECT_EQ(3, vt_available(&self->gpu, "16Q"));
	ASSERT_EQ(0, vt_create(&self->gpu, "32Q", b));
	EXPECT_EQ(0, vt_available(&self->gpu, "32C"));
	EXPECT_EQ(1, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(0, vt_remove(a));
	EXPECT_EQ(1, vt_available(&self->gpu, "32C"));
	EXPECT_EQ(0, vt_remove(b));
	EXPECT_EQ(1, vt_available(&self->gpu, "64Q"));
}

TEST_HARNESS_MAIN
