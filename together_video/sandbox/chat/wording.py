"""Video prompts about any subject, composed of the parts of a good prompt.

Shot, subject, action, setting, light, camera, pace: the order that the prompting guides of the video models recommend.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

_SHOTS = (
    "Wide establishing shot",
    "Close-up",
    "Medium shot",
    "Low-angle shot",
    "Aerial view",
    "Over-the-shoulder view",
    "Macro shot",
    "Long-lens shot",
    "Eye-level shot",
    "High-angle shot",
)
ACTIONS = (
    "slowly coming into view",
    "pausing for a moment, then moving on",
    "turning towards the light",
    "crossing the frame from left to right",
    "emerging from the mist",
    "standing out sharply against the horizon",
    "growing clearer as the haze lifts",
    "caught in a sudden gust of wind",
    "mirrored in still water",
    "framed by drifting leaves",
    "revealed as the shadows retreat",
    "moving in a calm, steady rhythm",
)
_SETTINGS = (
    "on a wild and empty coast",
    "at the edge of a quiet old town",
    "in a wide green valley",
    "beside perfectly still water",
    "under an immense, slowly moving sky",
    "against a line of distant mountains",
    "amid tall golden grass",
    "in a clearing ringed by birches",
    "in a landscape white with frost",
    "among warm sandstone walls",
    "where a river bends out of sight",
    "in a sea of morning mist",
)
#: For a subject that includes its place.
_MOMENTS = (
    "just after the rain has stopped",
    "early in the morning, before anyone is about",
    "at the very end of a long day",
    "in the first minutes of dawn",
    "while a light breeze picks up",
    "as the clouds break open",
    "in perfect silence",
    "with a storm far off on the horizon",
)
LIGHTS = (
    "warm low sunlight with long shadows",
    "soft overcast light",
    "blue hour with the first lamps lit",
    "bright midday sun and crisp contrast",
    "moonlight and a faint silver rim",
    "neon reflections on wet ground",
    "candle-like glow against deep shade",
    "golden backlight with gentle lens flare",
    "pale morning light through fog",
)
CAMERAS = (
    "the camera tracks alongside at walking pace",
    "the camera pushes in slowly",
    "the camera circles in a smooth half orbit",
    "the camera rises on a crane and tilts down",
    "a locked-off camera lets the motion carry the scene",
    "the camera pulls back to show the whole place",
    "a gentle handheld camera follows from behind",
    "the camera glides just above the ground",
)
ENDINGS = (
    "then the focus shifts to a small detail",
    "while life in the background carries on unhurriedly",
    "until the last second, when everything falls still",
    "with colours that deepen towards the end",
    "as particles drift past in shallow focus",
    "ending on a wide, open view",
)

_PLACED = re.compile(r"\b(in|on|at|under|over|above|below|beside|near|inside|along|across|through)\b", re.I)
#: How many letters identify a prompt in the text of prompts to avoid.
_KNOWN_BY = 140
_TRIES = 1000


def video_prompts(
    subject: str, *, style: str | None, seed: str, avoid: str = "", language: str | None = None
) -> Iterator[str]:
    """Endless different prompts that all name the subject. The same seed gives the same ones.

    Args:
        avoid: text with prompts that must not be repeated.
        language: the language of the prompts. All are in English. The name of another language is put in front of each,
            to show that it was requested.
    """
    name = (language or "English").strip()
    marked = "" if name.casefold().startswith("en") else f"[{name[:40]}] "
    draw = random.Random(seed)  # noqa: S311 - words, not secrets
    seen: set[str] = set()
    where = _MOMENTS if _PLACED.search(subject) else _SETTINGS
    parts = (_SHOTS, ACTIONS, where, LIGHTS, CAMERAS, ENDINGS)
    decks = [Deck(part, draw) for part in parts]
    for tries in itertools.count():
        shot, action, setting, light, camera, ending = (deck.next() for deck in decks)
        text = f"{marked}{shot} of {subject}, {action}, {setting}. {sentence(light)}; {camera}, {ending}."
        if style:
            text += f" {sentence(style.rstrip('.'))}."
        # A long subject fills the letters that identify a prompt, so stop avoiding repeats after some tries.
        if text not in seen and (text[:_KNOWN_BY] not in avoid or tries > _TRIES):
            seen.add(text)
            yield text


class Deck:
    """Gives every word once, in shuffled order, before any is repeated."""

    def __init__(self, words: tuple[str, ...], draw: random.Random) -> None:
        self._words = words
        self._draw = draw
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = self._draw.sample(self._words, len(self._words))
        return self._left.pop()


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
