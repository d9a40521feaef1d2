# SPDX-License-Identifier: GPL-2.0
"""tools/lab demo: what a guest shows on a vGPU, as a picture."""
import os
import shutil

from . import build, vm
from .host import LabError, say


# Of a vGPU: that of bochs-drm, whose console QEMU shows, and that of virtio-gpu, of
# which two heads show a picture each.
SERIES = ("Q", "V")


def main(kernel, series, output):
    release = build.modules(kernel)
    build.guest(kernel)
    result = vm.run(release, f"/vgpu/tools/labhost/demo {series}",
                    name="demo")
    picture = os.path.join(result.directory, "demo.png")
    if os.path.exists(picture):
        shutil.copy(picture, output)
    if result.check():
        raise LabError(f"the demo failed with status {result.status}; what "
                       f"the guest printed is in {result.directory}, kernel "
                       f"log: {result.log}")
    vm.discard(result)
    say(f"what the guest shows: {os.path.realpath(output)}")
    return 0
