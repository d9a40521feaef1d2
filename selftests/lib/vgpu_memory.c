// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

static uint32_t vt_word(uint32_t seed, size_t i)
{
	uint32_t x = seed ^ (uint32_t)i * 2654435761u;

	return x ^ x >> 15 ^ (uint32_t)(i >> 32);
}

void vt_fill(void *buf, size_t len, uint32_t seed)
{
	uint32_t *word = buf;
	size_t i;

	for (i = 0; i < len / 4; i++)
		word[i] = vt_word(seed, i);
}

long long vt_differs(const void *buf, size_t len, uint32_t seed)
{
	const uint32_t *word = buf;
	size_t i;

	for (i = 0; i < len / 4; i++)
		if (word[i] != vt_word(seed, i))
			return i * 4;
	return -1;
}

bool vt_is_zero(const void *buf, size_t len)
{
	const char *p = buf;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, 1);
}

bool vt_faults(volatile uint8_t *p)
{
	void (*old)(int) = signal(SIGBUS, bus_error);
	volatile bool ret = true;

	if (!sigsetjmp(on_bus_error, 1)) {
		*p;
		ret = false;
	}
	signal(SIGBUS, old);
	return ret;
}

int vt_child_faults(volatile uint8_t *p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		*p;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
