"""The drawing board of the figures: bundled font, colours, the map frame, and files with fixed bytes.

What the figures show is in ``figures`` and ``maps``; here is only how any of them is set up and saved.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pylopdf_fonts_zh_cn as fonts
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from yrd_airq.brief.typography import printable, split_subscripts

DPI = 180
TEXT_WIDTH_IN = 6.7
REGION_FRAME = (114.5, 123.5, 27.0, 35.5)  # west, east, south, north: the region alone, no national frame
INK, MUTED, FAINT, SEA = "#1F2933", "#5B6770", "#C9D1D6", "#F2F6F8"
SERIES = ("#1F6FB2", "#D1495B", "#2E8B57", "#8C5FBF", "#C77D2B", "#3B8EA5", "#A34A6B", "#6B7A35")


@contextmanager
def style() -> Iterator[None]:
    """Settings under which every figure is drawn; the font comes from its file, not from the machine."""
    path = str(fonts.sans_path())
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    if path not in known:
        font_manager.fontManager.addfont(path)
    name = font_manager.FontProperties(fname=path).get_name()
    settings: Any = {  # the stubs of matplotlib want each key spelt out
        "font.family": [name],
        "font.size": 8,
        "mathtext.fontset": "custom",
        "mathtext.rm": name,
        "mathtext.it": name,
        "mathtext.bf": name,
        "mathtext.cal": name,
        "mathtext.tt": name,
        "mathtext.sf": name,
        "mathtext.default": "rm",
        "axes.unicode_minus": False,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.6,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "svg.fonttype": "path",
        "svg.hashsalt": "yrd-airq",
    }
    with mpl.rc_context(settings):
        yield


def label(text: str) -> str:
    """``text`` for a figure: chemical subscripts as true subscripts, all else literal."""
    pieces = [
        f"$_{{{piece}}}$" if sub else printable(piece).replace("\\", "＼").replace("$", r"\$")
        for piece, sub in split_subscripts(text)
    ]
    return "".join(pieces)


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure of the given size."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


def frame_map(axes: Axes, frame: tuple[float, float, float, float] = REGION_FRAME) -> None:
    """Axes as a map of ``frame`` (west, east, south, north), true to scale at its middle latitude."""
    west, east, south, north = frame
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / 0.857)  # cos 31°
    axes.set_facecolor(SEA)
    axes.set_xticks([])
    axes.set_yticks([])


def save(figure: Figure, folder: Path, key: str) -> None:
    """``<key>.png`` and ``<key>.svg``; the same figure gives the same bytes."""
    FigureCanvasAgg(figure)
    figure.savefig(folder / f"{key}.png", dpi=DPI, metadata={"Software": None})
    FigureCanvasSVG(figure)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    (folder / f"{key}.svg").write_text(text.getvalue(), encoding="utf-8")
