# SPDX-License-Identifier: GPL-2.0
"""Faults of QEMU's emulation of a processor (TCG), and what the lab does about each.

All of this is for a lab host that is emulated; under KVM nothing of it is done.
Documentation/emulator.md has how each fault was found.

An interrupt comes twice.  When KVM of the lab host injects an interrupt as it enters
its guest, QEMU also notes the vector as an exception to be raised, and does not take
that back.  If something asks the processor to leave its loop before the next exit
from the guest, the guest gets the interrupt once more, with interrupts off.  Nothing
asks in the usual run, but when the buffer of translations is full and thrown away.
So OPTIONS has the largest buffer; a guest that starts takes some 150 MB of it.

An interrupt is lost.  A processor of the lab host, or the guest on it, is never heard
of again, or the host goes on with the registers of its guest, mostly GS, and overflows
its stack in the first fault.  That happens in one of some thirty starts of a guest, so
programs with a guest that failed run once more in a new lab host, and so does what was
left when a lab host has ended in that way.  A fault of ours fails twice.  A lab host
that does not come up is started once more, too.

A timer interrupt of a guest is lost.  A guest that had asked for that one alone waits
for ever, so guests have a periodic tick (VGPU_TEST_GUEST_APPEND).

A translation stays.  A write to code throws away the translation before memory
changes, not after; another processor can translate the old code in between and keeps
it.  A kernel that patches a jump label has a breakpoint there for a moment, and may
die of it later.  KVM patches jump labels when the first VM comes, when the last one
goes, and when none has an APIC that is off, so a VM whose processor never runs is
there as long as the command is (VGPU_LAB_KEEP_VM).

An assertion.  QEMU ends when its guest runs OVMF under KVM, so the firmware runs in an
emulation of its own (VGPU_TEST_FIRMWARE_ACCEL).

The emulator stands still.  On a busy machine it does so for seconds; the test
"pressure" measures that and subtracts it from what an operation of the driver took.
"""
import re

# For the QEMU that runs the lab host.
OPTIONS = "-accel tcg,tb-size=2047"

# For the lab host and the tests in it.
ENVIRONMENT = {
    "VGPU_LAB_KEEP_VM": "1",
    "VGPU_TEST_GUEST_APPEND": "lapic=notscdeadline nohz=off highres=off",
    "VGPU_TEST_FIRMWARE_ACCEL": "tcg",
}

# How often a lab host may be started until it comes up.
BOOTS = 2

# A processor without its timer, which no module can take away from it.
_LOST = re.compile("rcu: INFO: .* detected stall")
# What that may lead to where a guest runs.
_LOST_WITH_GUEST = re.compile(
    "blocked for more than|detected stall|soft lockup|"
    "stack guard page was hit|corrupted stack end")

# KVM has not got a guest's memory: no emulator can do that to it.
NOT_EMULATION = re.compile("kvm run failed Bad address")


def _lost(result, guest):
    """Whether a lab host ended by a fault of the emulator, while a guest ran in it or
    none did.  It may have ended without a word where a guest runs."""
    if guest and not result.context:
        return True
    return (_LOST_WITH_GUEST if guest else _LOST).search(result.trouble)


def again(result, failed, left, guests):
    """Which programs run once more after a result of a lab host: of those that failed,
    and of those left when it ended.  Those in guests have a guest."""
    failed = [name for name in failed if name in guests]
    if result.status is not None:
        return failed
    if not left or not _lost(result, left[0] in guests):
        return []
    result.trouble = None
    return failed + left
