"""The colours of the hours of a day, and those in between."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]

SUN_LIGHT, MOON_LIGHT, LAMP_LIGHT = (255, 236, 190), (226, 232, 246), (255, 226, 150)


@dataclass(frozen=True)
class Hour:
    """RGB colours from 0 to 255. `sun` is its height above the horizon, as a fraction of the picture's height. `stars`
    is their brightness, and `tint` how much colour things have in this light, both from 0 to 1.
    """

    top: Colour
    middle: Colour
    horizon: Colour
    cloud: Colour
    water: Colour
    deep: Colour
    tint: Colour
    sun: float
    stars: float

    def towards(self, other: Hour, share: float) -> Hour:
        """The hour between the two, `share` of the way."""
        return Hour(
            between(self.top, other.top, share),
            between(self.middle, other.middle, share),
            between(self.horizon, other.horizon, share),
            between(self.cloud, other.cloud, share),
            between(self.water, other.water, share),
            between(self.deep, other.deep, share),
            between(self.tint, other.tint, share),
            self.sun + (other.sun - self.sun) * share,
            self.stars + (other.stars - self.stars) * share,
        )


def between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def whole(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, round(part))) for part in colour)
    return red, green, blue


_SUNSET = Hour(
    top=(62, 70, 132),
    middle=(222, 116, 112),
    horizon=(255, 206, 128),
    cloud=(255, 170, 128),
    water=(226, 138, 112),
    deep=(44, 52, 96),
    tint=(1.0, 0.86, 0.78),
    sun=0.10,
    stars=0.0,
)
_DUSK = Hour(
    top=(28, 34, 88),
    middle=(108, 74, 138),
    horizon=(240, 146, 116),
    cloud=(186, 104, 138),
    water=(120, 88, 132),
    deep=(24, 30, 70),
    tint=(0.62, 0.55, 0.70),
    sun=-0.09,
    stars=0.35,
)
_NIGHT = Hour(
    top=(7, 11, 36),
    middle=(17, 31, 74),
    horizon=(46, 70, 118),
    cloud=(40, 54, 98),
    water=(36, 60, 108),
    deep=(10, 20, 52),
    tint=(0.30, 0.34, 0.50),
    sun=-0.35,
    stars=1.0,
)
_DAWN = Hour(
    top=(96, 132, 196),
    middle=(244, 184, 172),
    horizon=(255, 232, 178),
    cloud=(255, 214, 190),
    water=(226, 178, 160),
    deep=(46, 84, 128),
    tint=(1.0, 0.92, 0.86),
    sun=0.08,
    stars=0.0,
)
_DAY = Hour(
    top=(70, 138, 214),
    middle=(142, 194, 236),
    horizon=(214, 234, 244),
    cloud=(255, 255, 255),
    water=(110, 176, 206),
    deep=(22, 84, 130),
    tint=(1.0, 1.0, 1.0),
    sun=0.42,
    stars=0.0,
)
#: By the word in a prompt.
HOURS = {
    "sunset": _SUNSET,
    "dusk": _DUSK,
    "night": _NIGHT,
    "dawn": _DAWN,
    "sunrise": _DAWN,
    "day": _DAY,
    "noon": _DAY,
}
