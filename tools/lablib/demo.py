# SPDX-License-Identifier: GPL-2.0
"""tools/lab demo: a guest's console drawn through a vGPU, as a picture."""
import os
import shutil

from . import build, vm
from .host import LabError, say


def main(kernel, output):
    release = build.modules(kernel)
    build.guest(kernel)
    result = vm.run(release, "/vgpu/tools/labhost/demo", name="demo")
    picture = os.path.join(result.directory, "console.png")
    if os.path.exists(picture):
        shutil.copy(picture, output)
    if result.check():
        raise LabError(f"the demo failed with status {result.status}; what "
                       f"the guest printed is in {result.directory}, kernel "
                       f"log: {result.log}")
    vm.discard(result)
    say(f"the guest's console: {os.path.realpath(output)}")
    return 0
