"""Writing SVG elements without the noise of quotes."""

from __future__ import annotations


def tag(name: str, **attributes: object) -> str:
    """`<name .../>`; numbers are rounded, `stroke_width` is `stroke-width`."""
    inside = " ".join(
        f'{key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items()
    )
    return f"<{name} {inside}/>"


def path(shape: str, **attributes: object) -> str:
    return tag("path", d=shape, **attributes)


def shape(*parts: str | float) -> str:
    """The `d` of a path: letters and coordinates, one after the other."""
    return " ".join(part if isinstance(part, str) else f"{part:.1f}" for part in parts)


def placed(
    svg: str, x: float, y: float, scale: float, *, more: str = "", flip: bool = False
) -> str:
    """`svg` with its corner at (x, y), `scale` times as large; `more` are attributes.

    A pictogram may be turned round (`flip`).
    """
    inside = f'<g transform="translate(128 0) scale(-1 1)">{svg}</g>' if flip else svg
    where = f"translate({x:.1f} {y:.1f}) scale({scale:.4f})"
    group = f'<g transform="{where}">{inside}</g>'
    return f"<g {more}>{group}</g>" if more else group


def _value(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
