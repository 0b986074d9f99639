"""From a matplotlib figure to inline SVG: small, deterministic, with a title and a description.

Artists whose gid is `class:a b c` become `<g class="a b c">`, so that the page can show, hide or
highlight them; all other ids are prefixed with the name of the figure, so that ids stay unique in a page
with many figures. Text stays text in the font of the page; layout is measured in DejaVu Sans, which is
wider than the usual screen fonts, so that what fits here fits there.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT = 8.0
INK, MUTED, GRID, REFERENCE_GREY = "#1A1A1A", "#4D4D4D", "#DDDDDD", "#8C8C8C"
_STYLE: Any = {  # the keys of rcParams are a closed type
    "svg.fonttype": "none",
    "svg.hashsalt": "metachron",
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "axes.titlesize": FONT,
    "axes.labelsize": FONT,
    "xtick.labelsize": FONT,
    "ytick.labelsize": FONT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "axes.unicode_minus": True,
    "axes.grid": False,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "path.simplify": True,
}


@contextmanager
def style() -> Iterator[None]:
    """The look of all figures; restores the user's settings of matplotlib."""
    import matplotlib as mpl

    with mpl.rc_context({k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}):
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure outside pyplot (nothing global to close); size in inches."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def mark(*classes: str) -> str:
    """A gid that becomes the class of the group."""
    return "class:" + " ".join(classes)


def to_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Inline SVG of a figure. `name` is the unique prefix of its ids."""
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.S)
    text = re.sub(r"<defs>\s*</defs>", "", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r'<g id="class:([^"]*)"', r'<g class="\1"', text)
    text = re.sub(r'<g id="(?:figure|patch|axes|text|line2d|matplotlib|xtick|ytick)[^"]*"', "<g", text)
    text = _rename_ids(text, name)
    text = _smaller(text)
    head = re.compile(r"<svg[^>]*?viewBox=\"([^\"]*)\"[^>]*>")
    found = head.search(text)
    assert found is not None
    opening = Markup(
        '<svg class="chart" viewBox="{box}" role="img" aria-labelledby="{n}-title {n}-desc" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<title id="{n}-title">{title}</title><desc id="{n}-desc">{desc}</desc>'
    ).format(box=found.group(1), n=name, title=title, desc=description)
    return Markup(str(opening) + text[found.end() :])  # matplotlib escapes the text it draws


def _rename_ids(text: str, name: str) -> str:
    text = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", text)
    return re.sub(r'xlink:href="#([^"]*)"', rf'href="#{name}-\1"', text)


def _smaller(text: str) -> str:
    """Coordinates to a hundredth of a point, no fonts, no line breaks in paths."""
    text = re.sub(r"(\d+\.\d\d)\d+", r"\1", text)
    text = re.sub(r"font-family:[^;\"]*;?", "", text)
    text = re.sub(r"font: (?:(\d{3}|bold) )?([\d.]+px)[^;\"]*", r"font-size: \2; font-weight: \1", text)
    text = text.replace("font-weight: ;", "").replace('font-weight: "', '"')
    text = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", text)
    text = re.sub(r"\s*\n\s*", " ", text)
    return re.sub(r"> <", "><", text)


def plain_text(text: str) -> str:
    """Text for matplotlib: a dollar sign would start mathematics."""
    return text.replace("$", r"\$")
