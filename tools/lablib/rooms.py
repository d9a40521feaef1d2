# SPDX-License-Identifier: GPL-2.0
"""What a folder of the driver may include and call: itself, and those below it.  The
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


def wrong_calls(listing):
    """A line for each symbol that an object uses and that a folder above it defines.
    The listing is what nm -A prints of the driver's objects, with their paths in the
    driver.  What is called through a pointer has no symbol."""
    order = _order()
    defined, used = {}, []
    for line in listing.splitlines():
        path, kind, symbol = re.fullmatch(
            r"(.+)\.o:[0-9a-f ]* (\S) (\S+)", line).groups()
        room = path.split("/")[0]
        # main.c is above all folders.
        level = order.index(room) if room in order else len(order)
        if kind == "U":
            used.append((path, level, symbol))
        elif kind.isupper():
            defined[symbol] = (path, level)
    if not any(symbol in defined for _, _, symbol in used):
        yield "no call from one file to another"
    for path, level, symbol in used:
        other, above = defined.get(symbol, (path, level))
        if above > level:
            yield f"{path}.c uses {symbol} of {other}.c, which is above it"


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
