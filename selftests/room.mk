# SPDX-License-Identifier: GPL-2.0
#
# A folder of tests in kselftest form: every program in it is one.  A folder that sets
# TEST_GEN_PROGS_EXTENDED has programs for others and no tests.

ifeq ($(wildcard $(KSELFTEST)/lib.mk),)
$(error set KSELFTEST to tools/testing/selftests of a kernel source)
endif

TESTS := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

ifndef TEST_GEN_PROGS_EXTENDED
TEST_GEN_PROGS := $(basename $(wildcard *.c))
TEST_PROGS := $(wildcard *.sh)
endif
LOCAL_HDRS := $(wildcard *.h $(TESTS)/lib/*.h) \
	      $(wildcard $(TESTS)/../include/uapi/linux/*.h)

CFLAGS += -O2 -g -std=gnu11 -Wall -Werror
CFLAGS += -I$(KSELFTEST) -I$(TESTS)/../include/uapi -I$(TESTS)
LDLIBS += -lpthread
EXTRA_CLEAN = $(OUTPUT)/lib.o

include $(KSELFTEST)/lib.mk

# What all share, as one object.
$(OUTPUT)/lib.o: $(wildcard $(TESTS)/lib/vgpu_*.c) $(LOCAL_HDRS)
	$(CC) $(CFLAGS) -r -o $@ $(filter %.c,$^)
$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(OUTPUT)/lib.o
