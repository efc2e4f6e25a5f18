"""Bars of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def bars(title: str, groups: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write an SVG with a group of bars for each thing measured, one for each library, by their medians."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    colours = dict(zip(names, mpl.colormaps["tab10"].colors))
    figure = Figure(figsize=(8, 1 + 0.28 * sum(len(group) + 1 for group in groups.values())), layout="constrained")
    axes, place, middles = figure.subplots(), 0.0, []
    for group in groups.values():
        places = [place + number for number in range(len(group))]
        drawn = axes.barh(places, list(group.values()), color=[colours[name] for name in group])
        axes.bar_label(drawn, [f"{name} {value:,.4g}" for name, value in group.items()], padding=3, fontsize=8)
        middles.append(place + (len(group) - 1) / 2)
        place += len(group) + 1
    axes.set_yticks(middles, list(groups))
    axes.invert_yaxis()
    axes.margins(x=0.35)
    axes.set_xlim(left=0)
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "mxtune", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
