"""What a prompt says about a lighthouse, a ship and the sea: one moment per sentence, in order.

What a sentence does not mention stays as it was: "Dusk, a lighthouse. Night falls." starts at dusk and ends at night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from together_video.sandbox.rendering.seaside.colours import HOURS, Hour

_SENTENCE = re.compile(r"[.;!?\n]+")
_SUBJECT = re.compile(r"\b(lighthouse|ship)\b")
_HOUR = re.compile(rf"\b({'|'.join(HOURS)})\b")
_DARK = re.compile(r"\b(unlit|dark lamp|lamp is (?:still )?dark|goes out)\b")
_LIT = re.compile(r"\b(beam|lit|lights|shines)\b")
#: The lighthouse's height, as a fraction of the picture's, by the first of these words in the sentence.
_TOWER = (("horizon", 0.10), ("far", 0.17), ("wide", 0.44), ("closer", 0.58), ("close", 0.68))
_TOWER_USUAL = 0.50
#: The ship's height, and its position from the left edge.
_SHIP = (("tiny", 0.08, 0.16), ("small", 0.15, 0.30), ("home", 0.28, 0.47))
_SHIP_USUAL = (0.46, 0.34)
_SWELL = (("calm", 0.35), ("gentle", 0.55), ("waves", 1.0), ("storm", 1.3))


@dataclass(frozen=True)
class Moment:
    """Sizes and positions are fractions of the picture's height and width. `lamp` and `swell` are at least 0."""

    hour: Hour
    lamp: float = 0.0
    tower: float = 0.0
    ship: float = 0.0
    ship_at: float = 0.2
    swell: float = 0.55

    def towards(self, other: Moment, share: float) -> Moment:
        """The moment between the two, `share` of the way."""

        def mixed(one: float, another: float) -> float:
            return one + (another - one) * share

        return Moment(
            self.hour.towards(other.hour, share),
            mixed(self.lamp, other.lamp),
            mixed(self.tower, other.tower),
            mixed(self.ship, other.ship),
            mixed(self.ship_at, other.ship_at),
            mixed(self.swell, other.swell),
        )


def moments_of(prompt: str) -> tuple[Moment, ...]:
    """The moments of a prompt. None if it names neither a lighthouse nor a ship."""
    found: list[Moment] = []
    for sentence in _SENTENCE.split(prompt.lower()[:10_000]):
        before = found[-1] if found else Moment(HOURS["day"])
        if _SUBJECT.search(sentence) or (found and _HOUR.search(sentence)):
            found.append(_moment(sentence, before))
    return tuple(found[:20])


def at(moments: tuple[Moment, ...], share: float) -> Moment:
    """The moment at this point of the clip, from 0 to 1. Each change starts and ends slowly."""
    if len(moments) == 1:
        return moments[0]
    place = min(max(share, 0.0), 1.0) * (len(moments) - 1)
    index = min(int(place), len(moments) - 2)
    part = place - index
    return moments[index].towards(moments[index + 1], part * part * (3 - 2 * part))


def _moment(sentence: str, before: Moment) -> Moment:
    now = before
    if hour := _HOUR.search(sentence):
        now = replace(now, hour=HOURS[hour[1]])
    if _DARK.search(sentence):
        now = replace(now, lamp=0.0)
    elif _LIT.search(sentence):
        now = replace(now, lamp=1.0)
    if "lighthouse" in sentence:
        usual = before.tower or _TOWER_USUAL
        now = replace(now, tower=next((size for word, size in _TOWER if _says(sentence, word)), usual))
    if _says(sentence, "ship"):
        usual_size = (before.ship, before.ship_at) if before.ship else _SHIP_USUAL
        size, place = next(((s, x) for word, s, x in _SHIP if _says(sentence, word)), usual_size)
        now = replace(now, ship=size, ship_at=place)
    for word, swell in _SWELL:
        if _says(sentence, word):
            now = replace(now, swell=swell)
    return now


def _says(sentence: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", sentence) is not None
