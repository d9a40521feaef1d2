# SPDX-License-Identifier: GPL-2.0
#
# make                  build the modules for the running kernel
# make KDIR=...         for another one (a kernel's build directory)
# make modules_install  install them (as root)
# make clean

KDIR ?= /lib/modules/$(shell uname -r)/build

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

.DEFAULT_GOAL := modules
.PHONY: modules modules_install clean
