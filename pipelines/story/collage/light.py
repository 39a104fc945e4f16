"""The colours of a page: what the hour, the weather and the season do to sky, land and figures."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.story.collage.staging import Stage
from pipelines.story.landscape import Colour, mix, rgb8

Light = tuple[float, float, float]  # what red, green and blue are multiplied by


@dataclass(frozen=True)
class Palette:
    """OKLCH colours from the sky down, and the light on the backdrop and on figures."""

    sky: tuple[Colour, Colour]
    hills: tuple[Colour, Colour, Colour]  # far, middle, near
    ground: tuple[Colour, Colour]  # at its edge, at the foot of the page
    water: tuple[Colour, Colour]
    haze: Colour
    cloud: Colour
    land_light: Light
    figure_light: Light
    night: bool = False


_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((0.74, 0.10, 236), (0.93, 0.045, 205)),
    "dawn": ((0.80, 0.07, 265), (0.93, 0.075, 68)),
    "evening": ((0.62, 0.10, 300), (0.87, 0.115, 58)),
    "night": ((0.235, 0.075, 272), (0.47, 0.085, 262)),
}
_LANDS: dict[str, tuple[Colour, Colour, Colour, Colour, Colour]] = {  # hills (3), ground (2)
    "meadow": (
        (0.83, 0.06, 165), (0.78, 0.09, 145), (0.72, 0.12, 138),
        (0.75, 0.14, 130), (0.58, 0.12, 138),
    ),
    "autumn": (
        (0.82, 0.06, 80), (0.76, 0.10, 68), (0.70, 0.12, 60),
        (0.76, 0.12, 88), (0.60, 0.10, 72),
    ),
    "winter": (
        (0.90, 0.025, 240), (0.925, 0.02, 235), (0.95, 0.014, 230),
        (0.975, 0.008, 230), (0.88, 0.025, 240),
    ),
    "desert": (
        (0.86, 0.06, 62), (0.82, 0.09, 68), (0.80, 0.10, 72),
        (0.86, 0.09, 80), (0.72, 0.10, 68),
    ),
    "mountains": (
        (0.78, 0.05, 262), (0.72, 0.06, 225), (0.70, 0.09, 155),
        (0.74, 0.12, 135), (0.58, 0.11, 140),
    ),
    "sand": (
        (0.84, 0.05, 200), (0.80, 0.06, 180), (0.78, 0.08, 150),
        (0.90, 0.06, 85), (0.80, 0.08, 78),
    ),
    "city": (
        (0.82, 0.03, 255), (0.74, 0.04, 258), (0.66, 0.05, 260),
        (0.80, 0.02, 260), (0.66, 0.025, 262),
    ),
    "forest": (
        (0.76, 0.06, 165), (0.68, 0.08, 152), (0.60, 0.09, 148),
        (0.66, 0.12, 135), (0.48, 0.09, 142),
    ),
    "space": (
        (0.42, 0.05, 290), (0.48, 0.05, 285), (0.56, 0.045, 280),
        (0.70, 0.03, 285), (0.52, 0.04, 285),
    ),
}  # fmt: skip
_LIGHTS: dict[str, tuple[Light, Light]] = {  # on the land, on figures
    "day": ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    "dawn": ((1.0, 0.94, 0.90), (1.0, 0.97, 0.94)),
    "evening": ((0.93, 0.79, 0.74), (1.0, 0.92, 0.86)),
    "night": ((0.40, 0.48, 0.66), (0.88, 0.90, 0.97)),
}


def palette(stage: Stage) -> Palette:
    """The colours of a stage."""
    time = "night" if stage.place == "space" else stage.time
    sky = _SKIES[time]
    if stage.weather in ("rain", "storm", "cloudy", "fog", "snow") and time != "night":
        grey = (0.60, 0.035, 245) if stage.weather in ("rain", "storm") else (0.78, 0.02, 240)
        sky = (mix(sky[0], grey, 0.75), mix(sky[1], (0.84, 0.02, 235), 0.7))
    land = _LANDS[_land(stage)]
    land_light, figure_light = _LIGHTS[time]
    if stage.place in ("room", "cave") and time == "night":
        land_light, figure_light = (0.86, 0.79, 0.74), (1.0, 0.96, 0.91)  # by a lamp
    if stage.weather in ("rain", "storm", "fog", "cloudy"):
        land_light = _times(land_light, (0.86, 0.90, 0.94))
        figure_light = _times(figure_light, (0.94, 0.96, 0.98))
    water: tuple[Colour, Colour] = ((0.80, 0.075, 225), (0.62, 0.11, 240))
    if time in ("dawn", "evening"):
        water = (mix(sky[1], (0.75, 0.07, 240), 0.35), (0.58, 0.09, 275))
    haze = mix(sky[1], land[0], 0.3)
    cloud: Colour = (0.985, 0.006, 230)
    if time == "night":
        cloud = (0.44, 0.06, 268)
        water = ((0.52, 0.075, 255), (0.30, 0.07, 266))
    elif stage.weather in ("rain", "storm", "cloudy"):
        cloud = (0.80, 0.014, 245)
    elif time == "evening":
        cloud = (0.90, 0.06, 35)
    return Palette(
        sky, land[:3], land[3:], water, haze, cloud, land_light, figure_light, time == "night"
    )


def _land(stage: Stage) -> str:
    if stage.place in ("desert", "space"):
        return stage.place
    if stage.weather == "snow" or stage.season == "winter":
        return "winter"
    if stage.place in ("mountains", "city"):
        return stage.place
    if stage.place == "sea":
        return "sand"
    if stage.season == "autumn":
        return "autumn"
    return "forest" if stage.place == "forest" else "meadow"


def lit(colour: Colour, light: Light) -> str:
    """'#rrggbb' of a colour in a light."""
    red, green, blue = (
        min(255, round(channel * share)) for channel, share in zip(rgb8(colour), light, strict=True)
    )
    return f"#{red:02x}{green:02x}{blue:02x}"


def plain(colour: Colour) -> str:
    """'#rrggbb' of a colour as it is."""
    return lit(colour, (1.0, 1.0, 1.0))


def matrix(light: Light, haze: Colour, share: float) -> str:
    """Values of an SVG feColorMatrix: the light, then `share` of the haze over it."""
    rows = []
    for channel, (scale, mist) in enumerate(zip(light, rgb8(haze), strict=True)):
        row = ["0"] * 5
        row[channel] = f"{scale * (1 - share):.4f}"
        row[4] = f"{mist / 255 * share:.4f}"
        rows.append(" ".join(row))
    return " ".join([*rows, "0 0 0 1 0"])


def _times(a: Light, b: Light) -> Light:
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]
