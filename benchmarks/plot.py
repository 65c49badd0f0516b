"""A plot of a few series on two logarithmic axes, as a small SVG text.

No dependency and no script; readable on light and dark pages. The same points give the
same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
LINE = 16
COLOURS = ("#0b7a75", "#d1495b", "#8367c7", "#b7791f")


@dataclass(frozen=True, slots=True)
class Series:
    """A named line through ``(x, y)`` points, both positive."""

    name: str
    points: tuple[tuple[float, float], ...]


def plot(title: str, across: str, upwards: str, series: tuple[Series, ...]) -> str:
    """The plot as SVG."""
    points = [point for each in series for point in each.points]
    x_axis = _decades([x for x, _ in points])
    y_axis = _decades([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        part_x = (log10(x) - x_axis[0]) / (x_axis[1] - x_axis[0])
        part_y = (log10(y) - y_axis[0]) / (y_axis[1] - y_axis[0])
        return round(LEFT + wide * part_x, 1), round(HEIGHT - BOTTOM - high * part_y, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
        _text(LEFT, 24, title, weight=600),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across, anchor="middle"),
        _text(LEFT, TOP - 4, upwards, size=11),
    ]
    for decade in range(x_axis[0], x_axis[1] + 1):
        x, low = place(10**decade, 10 ** y_axis[0])
        parts.append(_line(x, TOP, x, low))
        parts.append(_text(x, low + 18, _power(decade), anchor="middle", size=11))
    for decade in range(y_axis[0], y_axis[1] + 1):
        x, y = place(10 ** x_axis[0], 10**decade)
        parts.append(_line(x, y, WIDTH - RIGHT, y))
        parts.append(_text(x - 8, y + 4, _power(decade), anchor="end", size=11))
    named: list[float] = []
    for each, colour in zip(series, COLOURS, strict=False):
        placed = [place(x, y) for x, y in each.points]
        path = " ".join(f"{x},{y}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in placed]
        x, y = placed[-1]
        while any(abs(y - other) < LINE for other in named):  # names do not overlap
            y += 1
        named.append(y)
        parts.append(_text(x + 10, y + 4, each.name, fill=colour, weight=600))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _decades(numbers: list[float]) -> tuple[int, int]:
    low, high = floor(log10(min(numbers))), ceil(log10(max(numbers)))
    return low, max(high, low + 1)


def _power(decade: int) -> str:
    return f"{10**decade:,}" if decade >= 0 else f"{10.0**decade:.{-decade}f}"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#e2e5e9"/>'


def _text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    size: int = 13,
    fill: str = "#30363d",
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" fill="{fill}">{escape(content)}</text>'
    )
