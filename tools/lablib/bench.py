# SPDX-License-Identifier: GPL-2.0
"""tools/lab bench: what the driver costs, beside the kernel's own samples of
mediated devices and beside what is possible."""
import collections
import dataclasses
import io
import json
import sys

from . import build, root, vm
from .host import LabError, say

RUNS = 3

# One instruction is a nanosecond, and time jumps where nobody runs.
_ICOUNT = "-icount shift=0,sleep=off"
# A repeated string instruction counts once for each byte or word.  Processors
# do many at once; moves by words in a loop come nearer to that than bytes.
_FEATURES = ",-erms,-fsrm,-fzrm,-fsrs"

# A PCI device to be a GPU, and one like it that no driver has.
_DEVICES = " ".join(
    f"-object memory-backend-ram,id={name},size={size},share=on "
    f"-device ivshmem-plain,memdev={name}"
    for name, size in (("pgpu", "1G"), ("bare", "64M")))


@dataclasses.dataclass(frozen=True)
class Row:
    """A row, in terms of what selftests/bench measures: MEASURE@TYPE."""
    name: str
    unit: str
    ours: str
    peer: str
    # What is possible or allowed: a number, or so many times what is measured.
    limit: object = None
    limit_times: float = 1
    more_is_better: bool = False

    def measures(self):
        limit = [self.limit] if isinstance(self.limit, str) else []
        return [self.ours, self.peer, *limit]


def _frames(name, unit, measure, times):
    """A row of what frames of a guest cost, against QEMU's own device."""
    peer = measure + "@virtio-gpu-pci"
    return Row("virtio." + name, unit, measure + "@vgpu-256V", peer,
               limit=peer, limit_times=times)


ROWS = (
    Row("register.config_read32", "ns", "config_read32@vgpu-256Q",
        "config_read32@mbochs-large"),
    Row("register.bar2_read16", "ns", "bar2_read16@vgpu-256Q",
        "bar2_read16@mbochs-large"),
    Row("register.bar2_write8", "ns", "bar2_write8@vgpu-256Q",
        "bar2_write8@mbochs-large"),
    # It has no BAR4; this is a register of it that it knows.
    Row("register.bar4_read32", "ns", "bar4_read32@vgpu-256Q",
        "bar2_read16@mbochs-large"),
    # What a VMM has to do where there is no ioeventfd.
    Row("register.doorbell_ioeventfd", "ns", "doorbell_ioeventfd@vgpu-256Q",
        "doorbell_mmio@mbochs-large"),
    Row("bar0.first_touch_64m", "ns", "first_touch@vgpu-256Q",
        "first_touch@mbochs-large", limit="first_touch@anonymous"),
    Row("bar0.page_faults_256m", "faults", "page_faults@vgpu-256Q",
        "page_faults@mbochs-large", limit=256 * 2**20 / 4096 / 50),
    Row("bar0.bandwidth", "MiB/s", "bandwidth@vgpu-256Q",
        "bandwidth@mbochs-large", limit="bandwidth@anonymous",
        more_is_better=True),
    Row("bar0.copy_wc", "MiB/s", "copy@vgpu-1024Q", "copy@bare",
        limit="copy@bare", limit_times=0.98, more_is_better=True),
    Row("bar0.pread_4k", "ns", "pread_4k@vgpu-256Q", "pread_4k@mbochs-large",
        limit="pread_4k@mbochs-large", limit_times=1 / 50),
    Row("plane.query", "ns", "plane_query@vgpu-256Q",
        "plane_query@mbochs-large"),
    Row("plane.dmabuf_get", "ns", "dmabuf_get@vgpu-256Q",
        "dmabuf_get@mbochs-large"),
    # The work may be done in the query before it, so that counts here too.
    Row("plane.dmabuf_new", "ns", "dmabuf_new@vgpu-256Q",
        "dmabuf_new@mbochs-large"),
    # Its dma-bufs cannot be mapped; a picture in its BAR0 can.
    Row("plane.dmabuf_map_1080p", "ns", "dmabuf_map@vgpu-256Q",
        "picture_map@mbochs-large"),
    Row("lifecycle.create_1", "ns", "create_1@vgpu-16Q",
        "create_1@mbochs-small"),
    Row("lifecycle.create_10", "ns", "create_10@vgpu-16Q",
        "create_10@mbochs-small"),
    Row("lifecycle.create_500", "ns", "create_500@vgpu-16Q",
        "create_500@mbochs-small", limit="create_10@vgpu-16Q",
        limit_times=1.2),
    Row("lifecycle.create_1000", "ns", "create_1000@vgpu-16Q",
        "create_1000@mbochs-small"),
    # All of the PCI device's memory, against the smallest part of it.
    Row("lifecycle.create_1g", "ns", "create_1@vgpu-1024Q",
        "create_1@mbochs-large", limit="create_1@vgpu-16C", limit_times=1.2),
    Row("lifecycle.idle_bytes", "bytes", "idle_bytes@vgpu-16Q",
        "idle_bytes@mbochs-small"),
    Row("migration.save_rate", "MiB/s", "save_rate@vgpu-64Q",
        "memcpy@anonymous", limit="memcpy@anonymous", limit_times=0.5,
        more_is_better=True),
    Row("migration.load_rate", "MiB/s", "load_rate@vgpu-64Q",
        "memcpy@anonymous", limit="memcpy@anonymous", limit_times=0.5,
        more_is_better=True),
    # Against a device that has to be stopped to be sent.
    Row("migration.stop_idle_64m", "ns", "stop_idle@vgpu-64Q",
        "stop_cold@vgpu-64Q", limit="stop_idle@vgpu-64Q", limit_times=1.2),
    Row("migration.stop_idle_256m", "ns", "stop_idle@vgpu-256Q",
        "stop_cold@vgpu-256Q", limit="stop_idle@vgpu-64Q", limit_times=1.2),
    Row("migration.stop_idle_1g", "ns", "stop_idle@vgpu-1024B",
        "stop_cold@vgpu-1024B", limit="stop_idle@vgpu-64Q", limit_times=1.2),
    # An eighth of all, and 20 %.
    Row("migration.stop_redraw_8m", "ns", "stop_redraw@vgpu-256Q",
        "stop_cold@vgpu-256Q", limit="stop_cold@vgpu-64Q",
        limit_times=1.2 / 8),
    # What the size of the parts that are noticed is weighed by.
    Row("migration.stop_cursor", "ns", "stop_cursor@vgpu-256Q",
        "stop_cold@vgpu-256Q"),
    Row("migration.redraw_8m", "ns", "redraw@vgpu-256Q",
        "redraw_free@vgpu-256Q"),
    _frames("flip_1080p", "ns", "frame_flip", 0.1),
    _frames("transfer_1080p", "ns", "frame_transfer", 1),
    _frames("damage_64x64", "ns", "frame_damage", 0.8),
    _frames("transfer_64x64", "ns", "frame_damage_classic", 0.8),
    _frames("cursor_move", "ns", "frame_cursor", 0.8),
    _frames("main_loop", "ns", "main_fast", 0.2),
    _frames("exits_100", "exits", "exits_flip", 1),
    _frames("kicks_100", "kicks", "kicks_flip", 1),
    _frames("interrupts_100", "interrupts", "interrupts_flip", 1),
    # Its driver does not wait for anything then; with blobs it does.
    _frames("fast_kicks_100", "kicks", "kicks_fast", 1),
    _frames("fast_interrupts_100", "interrupts", "interrupts_fast", 1),
)


def _ratio(row, figure, ours):
    """How much better than a figure ours is."""
    if not figure or not ours:
        return None
    return ours / figure if row.more_is_better else figure / ours


def _figures(row, runs):
    """A row of the report from {MEASURE@TYPE: [figure of each run]}."""
    def middle(what):
        figures = sorted(runs.get(what, ()))
        return figures[len(figures) // 2] if figures else None

    ours, peer = middle(row.ours), middle(row.peer)
    limit = middle(row.limit) if isinstance(row.limit, str) else row.limit
    if limit is not None:
        limit *= row.limit_times
    figures = runs.get(row.ours)
    spread = None
    if figures and min(figures):
        spread = (max(figures) - min(figures)) / min(figures)
    return {"name": row.name, "unit": row.unit, "ours": ours, "peer": peer,
            "peer_name": " ".join(reversed(row.peer.split("@"))),
            "limit": limit, "ratio_peer": _ratio(row, peer, ours),
            "ratio_limit": _ratio(row, limit, ours), "spread": spread}


def measure(kernel, rows, runs=RUNS):
    """Boot a lab host and measure; return what --json writes."""
    release = build.modules(kernel)
    build.selftests()
    if any(row.name.startswith("virtio.") for row in rows):
        build.guest(kernel)
    peers = build.peers(kernel)
    icount = vm.accel() != "kvm"
    measures = dict.fromkeys(what for row in rows for what in row.measures())
    out = io.BytesIO()
    result = vm.run(release, " ".join(["/vgpu/tools/labhost/bench", str(runs),
                                       peers, *measures]),
                    out=out, name="bench", cpus=1,
                    qemu=f"{_DEVICES} {_ICOUNT if icount else ''}",
                    features=_FEATURES if icount else "")
    if result.check():
        raise LabError(f"bench: status {result.status} in the lab host")
    vm.discard(result)
    figures = collections.defaultdict(list)
    for line in out.getvalue().decode().splitlines():
        what, figure = line.split()
        figures[what].append(float(figure))
    return {"kernel": release, "accel": vm.accel(), "icount": icount,
            "rows": [_figures(row, figures) for row in rows]}


def _number(figure):
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def _print(report):
    print(f"kernel {report['kernel']}, {report['accel']}"
          f"{', one instruction is 1 ns' if report['icount'] else ''}")
    lines = [("name", "unit", "ours", "peer", "limit", "of peer", "of limit",
              "spread", "peer is")]
    for row in report["rows"]:
        ratios = ["-" if row[key] is None else f"{row[key]:.3f}"
                  for key in ("ratio_peer", "ratio_limit")]
        spread = "-" if row["spread"] is None else f"{row['spread']:.2%}"
        lines.append((row["name"], row["unit"], _number(row["ours"]),
                      _number(row["peer"]), _number(row["limit"]), *ratios,
                      spread, row["peer_name"]))
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = [cell.ljust(width) if i in (0, 1, 8) else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()


def main(names, kernel, path):
    rows = [row for row in ROWS
            if not names or any(name in row.name for name in names)]
    if not rows:
        raise LabError(f"no row has {' or '.join(names)} in its name")
    report = measure(kernel, rows)
    _print(report)
    if path == "-":
        print(json.dumps(report, indent=1), flush=True)
    elif path:
        with open(path, "w") as text:
            text.write(json.dumps(report, indent=1) + "\n")
    unknown = [row["name"] for row in report["rows"]
               if row["ours"] is None or row["peer"] is None]
    if unknown:
        say("could not be measured: " + ", ".join(unknown))
    return 1 if unknown else 0
