"""Figures as inline SVG, written directly: small, deterministic, with a title and a description.

A `Drawing` is a sheet in points (72 to the inch), a `Panel` a frame on it with axes in data units. Parts
given classes become `<g class="...">`, so that the page can show, hide or highlight them. Text stays text in
the font of the page and is anchored, never measured: leave it room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

FONT = 8.0
INK, MUTED, GRID, REFERENCE_GREY = "#1A1A1A", "#4D4D4D", "#DDDDDD", "#8C8C8C"
INCH = 72.0
THIN, GRID_WIDTH = 0.7, 0.6
TICK = 3.5  # length, points
TICK_GAP = 3.5  # from tick to its label
MIDDLE = 0.36  # half the height of a capital or a digit, in sizes of the font
ASCENT = 0.76  # from the top of digits and capitals to their baseline, in sizes of the font
SPACING = 1.2  # between the baselines of lines

Points = Iterable[tuple[float, float]]


def _n(value: float) -> str:
    """A coordinate to a hundredth of a point."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _path(points: Points) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


class Drawing:
    """A sheet of `width` x `height` inches whose parts are written in order, later ones on top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width * INCH, height * INCH
        self._parts: list[str] = []

    def add(self, markup: str, classes: Sequence[str] = ()) -> None:
        """Put a piece of SVG on the sheet, in a group of its own when it has classes."""
        if classes:
            markup = f'<g class="{escape(" ".join(classes))}">{markup}</g>'
        self._parts.append(markup)

    def line(
        self,
        points: Points,
        colour: str,
        width: float,
        *,
        dash: Sequence[float] = (),
        classes: Sequence[str] = (),
    ) -> None:
        """A line through points; `dash` in widths of the line."""
        dashes = f' stroke-dasharray="{" ".join(_n(d * width) for d in dash)}"' if dash else ""
        self.add(
            f'<path d="{_path(points)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashes}/>',
            classes,
        )

    def area(self, points: Points, colour: str, *, opacity: float = 1.0, classes: Sequence[str] = ()) -> None:
        """A filled shape without an edge."""
        self.add(f'<path d="{_path(points)}Z" fill="{colour}"{_opacity(opacity)}/>', classes)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = FONT,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
        spacing: float = SPACING,
        turned: bool = False,
        classes: Sequence[str] = (),
    ) -> None:
        """Lines of text whose first baseline is at y; `turned`: reads upwards."""
        style = f'font-size="{_n(size)}" fill="{colour}"'
        if anchor != "start":
            style += f' text-anchor="{anchor}"'
        if bold:
            style += ' font-weight="bold"'
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        for i, row in enumerate(text.split("\n")):
            base = y + i * spacing * size
            self.add(f'<text x="{_n(x)}" y="{_n(base)}" {style}{turn}>{escape(row)}</text>', classes)

    def middle_text(
        self, x: float, y: float, text: str, *, size: float = FONT, spacing: float = SPACING, **style: object
    ) -> None:
        """`text` whose block of lines is centred on y."""
        above = spacing * size * text.count("\n") / 2.0
        first = y + MIDDLE * size - above
        self.text(x, first, text, size=size, spacing=spacing, **style)  # type: ignore[arg-type]

    def to_svg(self, name: str, title: str, description: str) -> Markup:
        """The whole figure. `name` is the unique prefix of its ids."""
        opening = Markup(
            '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{n}-title {n}-desc" '
            'xmlns="http://www.w3.org/2000/svg">'
            '<title id="{n}-title">{title}</title><desc id="{n}-desc">{desc}</desc>'
        ).format(w=_n(self.width), h=_n(self.height), n=name, title=title, desc=description)
        return Markup(str(opening) + "".join(self._parts) + "</svg>")  # every text was escaped when added


def _opacity(opacity: float) -> str:
    return "" if opacity >= 1.0 else f' opacity="{_n(opacity)}"'


@dataclass(frozen=True)
class Panel:
    """A frame on a drawing: left, top, width and height in points; limits of x and y in data units.

    The limits of y are those at the lower and the upper edge; a table of rows has the greater one first.
    """

    sheet: Drawing
    left: float
    top: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        low, high = self.xlim
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self.ylim
        return self.bottom - self.height * (value - low) / (high - low)

    def within(self, value: float) -> float:
        """The value, held between the limits of x."""
        return min(max(value, min(self.xlim)), max(self.xlim))

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str,
        width: float,
        *,
        dash: Sequence[float] = (),
        classes: Sequence[str] = (),
    ) -> None:
        points = ((self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True))
        self.sheet.line(points, colour, width, dash=dash, classes=classes)

    def band(
        self,
        xs: Sequence[float],
        low: Sequence[float],
        high: Sequence[float],
        colour: str,
        opacity: float,
        classes: Sequence[str] = (),
    ) -> None:
        """The area between two curves."""
        there = [(self.x(x), self.y(y)) for x, y in zip(xs, high, strict=True)]
        back = [(self.x(x), self.y(y)) for x, y in zip(xs, low, strict=True)]
        self.sheet.area([*there, *reversed(back)], colour, opacity=opacity, classes=classes)

    def bar(self, start: float, end: float, y: float, tall: float, colour: str, opacity: float = 1.0) -> None:
        """A bar from start to end, `tall` in units of y, cut at the edges of the panel."""
        a, b = self.x(self.within(start)), self.x(self.within(end))
        top = min(self.y(y - tall / 2), self.y(y + tall / 2))
        high = abs(self.y(y + tall / 2) - self.y(y - tall / 2))
        if b > a:
            self.sheet.add(
                f'<rect x="{_n(a)}" y="{_n(top)}" width="{_n(b - a)}" height="{_n(high)}"'
                f' fill="{colour}"{_opacity(opacity)}/>'
            )

    def mark(
        self,
        shape: str,
        x: float,
        y: float,
        size: float,
        colour: str,
        *,
        fill: str | None = None,
        edge: float = 1.0,
        opacity: float = 1.0,
        classes: Sequence[str] = (),
    ) -> None:
        """A marker of `size` points: `o` circle, `D` diamond, `>` and `<` triangles."""
        cx, cy, r = self.x(x), self.y(y), size / 2.0
        look = f'fill="{fill or colour}" stroke="{colour}" stroke-width="{_n(edge)}"{_opacity(opacity)}'
        if shape == "o":
            self.sheet.add(f'<circle cx="{_n(cx)}" cy="{_n(cy)}" r="{_n(r)}" {look}/>', classes)
            return
        d = r * 2**0.5
        corners = {
            "D": [(cx - d, cy), (cx, cy - d), (cx + d, cy), (cx, cy + d)],
            ">": [(cx + r, cy), (cx - r, cy - r), (cx - r, cy + r)],
            "<": [(cx - r, cy), (cx + r, cy - r), (cx + r, cy + r)],
        }[shape]
        self.sheet.add(f'<path d="{_path(corners)}Z" {look}/>', classes)

    # --- axes ------------------------------------------------------------------------------------------

    def grid(self, *, xs: Sequence[float] = (), ys: Sequence[float] = ()) -> None:
        """Pale lines behind what is drawn later."""
        for x in xs:
            self._rule(self.x(x), self.top, self.x(x), self.bottom, GRID, GRID_WIDTH)
        for y in ys:
            self._rule(self.left, self.y(y), self.left + self.width, self.y(y), GRID, GRID_WIDTH)

    def x_axis(
        self, ticks: Sequence[float], labels: Sequence[str] | None, *, title: str = "", size: float = FONT
    ) -> None:
        """The lower edge with ticks; labels below them (None: none), and what is measured below those."""
        self._rule(self.left, self.bottom, self.left + self.width, self.bottom, MUTED, THIN)
        for tick in ticks:
            self._rule(self.x(tick), self.bottom, self.x(tick), self.bottom + TICK, MUTED, THIN)
        base = self.bottom + TICK + TICK_GAP + ASCENT * FONT
        for tick, label in zip(ticks, labels or (), strict=False):
            self.sheet.text(self.x(tick), base, label, anchor="middle")
        if title:
            spacing = 1.5 if "\n" in title else SPACING
            below = base + 0.5 * FONT + 1.5 + ASCENT * size
            middle = self.left + self.width / 2
            self.sheet.text(middle, below, title, size=size, anchor="middle", spacing=spacing)

    def y_axis(self, ticks: Sequence[float], labels: Sequence[str] | None, *, title: str = "") -> None:
        """The left edge with ticks; labels beside them (None: none); the title reads upwards."""
        self._rule(self.left, self.top, self.left, self.bottom, MUTED, THIN)
        for tick in ticks:
            self._rule(self.left - TICK, self.y(tick), self.left, self.y(tick), MUTED, THIN)
        for tick, label in zip(ticks, labels or (), strict=False):
            self.sheet.middle_text(self.left - TICK - TICK_GAP, self.y(tick), label, anchor="end")
        if title:
            middle = self.top + self.height / 2
            self.sheet.text(self.left - 36.0, middle, title, anchor="middle", turned=True)

    def title(self, text: str, *, pad: float, size: float, colour: str = INK, bold: bool = False) -> None:
        """Above the panel, at its left; more lines grow upwards."""
        first = self.top - pad - 0.1 * size - 1.1 * size * text.count("\n")
        self.sheet.text(self.left, first, text, size=size, colour=colour, bold=bold, spacing=1.1)

    def _rule(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> None:
        self.sheet.line(((x1, y1), (x2, y2)), colour, width)


def grid_of(
    sheet: Drawing,
    rows: int,
    columns: int,
    edges: tuple[float, float, float, float],
    gaps: tuple[float, float],
) -> list[tuple[float, float, float, float]]:
    """Frames (left, top, width, height; points) of equal panels, row by row.

    `edges`: left, top, right, bottom (inches); `gaps`: between columns and rows, as shares of a panel.
    """
    left, top, right, bottom = (INCH * e for e in edges)
    width = (sheet.width - left - right) / (columns + gaps[0] * (columns - 1))
    height = (sheet.height - top - bottom) / (rows + gaps[1] * (rows - 1))
    return [
        (left + c * width * (1 + gaps[0]), top + r * height * (1 + gaps[1]), width, height)
        for r in range(rows)
        for c in range(columns)
    ]


def round_ticks(limit: float, most: int) -> list[float]:
    """At most `most` ticks from -limit to limit, nought among them, at round steps."""
    steps = (m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5))
    step, side = next((step, side) for step in steps if 2 * (side := int(limit / step + 1e-9)) + 1 <= most)
    return [i * step for i in range(-side, side + 1)]
