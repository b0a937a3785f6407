"""A soak's numbers over time, as a picture and as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

from flatness import MIB
from watch import Sample

PANELS = (
    ("own memory, MiB", "own", MIB),
    ("resident memory, rings included, MiB", "rss", MIB),
    ("proportional share of memory (PSS), MiB", "pss", MIB),
    ("memory nobody else maps now (USS), MiB", "uss", MIB),
    ("descriptors", "descriptors", 1),
    ("threads", "threads", 1),
    ("mappings", "mappings", 1),
    ("ring: highest fill of a second", "ring fill", 1),
    ("/metrics: series", "series", 1),
    ("/metrics: KiB", "bytes", 1024),
    ("connections open", "connections", 1),
)


def write(path: Path, samples: Sequence[Sample]) -> None:
    """One line a sample; what a sample lacks is empty."""
    names = dict.fromkeys(name for sample in samples for name in sample)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({name: f"{value:.12g}" for name, value in sample.items()} for sample in samples)


def draw(path: Path, samples: Sequence[Sample], marks: Sequence[tuple[float, str]]) -> None:
    """Every sample as a line, lulls as dots; `marks` are moments at which something was done.

    ModuleNotFoundError where there is no matplotlib.
    """
    import matplotlib as mpl  # noqa: PLC0415 (numbers can be had without it)

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 (as above)

    figure, axes = plt.subplots(len(PANELS), 1, sharex=True, figsize=(12, 2.2 * len(PANELS)), layout="constrained")
    for axis, (title, name, unit) in zip(axes, PANELS, strict=True):
        axis.set_title(title, loc="left", fontsize=9)
        for key in sorted({key for sample in samples for key in sample if key in {name, f"page {name}"} or
                           key.endswith(f" {name}")}):  # fmt: skip
            points = [(sample["seconds"], sample[key] / unit, sample["lull"]) for sample in samples if key in sample]
            times, values, _ = zip(*points, strict=True)
            (line,) = axis.plot(times, values, linewidth=0.8, label=key.removesuffix(f" {name}"))
            quiet = [point for point in points if point[2]]
            axis.plot([one[0] for one in quiet], [one[1] for one in quiet], ".", color=line.get_color(), markersize=4)
        for at, what in marks:
            axis.axvline(at, linewidth=0.5, color={"reload": "#bbbbbb"}.get(what, "#cc4444"), zorder=0)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="lower right", ncols=4)
    axes[-1].set_xlabel("seconds; dots: lulls, red: a process killed, grey: reloads")
    figure.savefig(path, dpi=90)
    plt.close(figure)
