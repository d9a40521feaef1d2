# SPDX-License-Identifier: GPL-2.0
"""What a folder of the driver may include: itself, and those below it.  The
order is that of the folders in the driver's Kbuild, from the top down."""
import os
import re

from .host import TREE

_DRIVER = "drivers/vgpu"
# Not on the list, and below all.
_LOWEST = "compat"


def _order():
    """The folders, the lowest first."""
    with open(os.path.join(TREE, _DRIVER, "Kbuild"), encoding="utf-8") as text:
        rooms = re.findall(r"\b(\w+)/(?:\w+/)*[ ,\w]*\w+\.o", text.read())
    order = list(dict.fromkeys(rooms))
    return [_LOWEST] + order[::-1]


def _includes(path):
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            found = re.match(r'#include "([^"]+)"', line)
            if found:
                yield number, found[1]


def wrong():
    """A line for each include that is not downward, or not by its whole path."""
    order = _order()
    driver = os.path.join(TREE, _DRIVER)
    for where, _, names in sorted(os.walk(driver)):
        room = os.path.relpath(where, driver).split(os.sep)[0]
        for name in sorted(names):
            path = os.path.join(where, name)
            if room == "." or not name.endswith((".c", ".h")):
                continue
            for number, header in _includes(path):
                at = f"{os.path.relpath(path, TREE)}:{number}"
                other = header.split("/")[0]
                if room not in order:
                    yield f"{at}: {room} is not in Kbuild"
                elif not os.path.exists(os.path.join(driver, header)):
                    yield f"{at}: no {header} in {_DRIVER}"
                elif order.index(other) > order.index(room):
                    yield f"{at}: {room} is below {other}"
