"""Video prompts about any subject, put together from the parts that a good one has.

Shot, subject, action, setting, light, camera, pace: the order that the prompting guides of the
video models advise.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

from together_video.sandbox.chat.languages import words_of

_PLACED = re.compile(r"\b(in|on|at|under|over|above|below|beside|near|inside|along|across|through)\b", re.I)
#: Letters by which a prompt is found again in the text of those to avoid.
_KNOWN_BY = 140
_TRIES = 1000


def video_prompts(
    subject: str, *, style: str | None, seed: str, avoid: str = "", language: str | None = None
) -> Iterator[str]:
    """Endless different prompts, each of which names the subject. The same seed gives the same ones.

    Args:
        avoid: text whose prompts are not given again.
        language: English where None.
    """
    words = words_of(language)
    draw = random.Random(seed)  # noqa: S311 - words, not secrets
    seen: set[str] = set()
    where = words.moments if _PLACED.search(subject) else words.settings
    parts = (words.shots, words.actions, where, words.lights, words.cameras, words.endings)
    decks = [_Deck(part, draw) for part in parts]
    for tries in itertools.count():
        shot, action, setting, light, camera, ending = (deck.next() for deck in decks)
        text = words.form.format(
            shot=shot,
            subject=subject,
            action=action,
            setting=setting,
            light=_sentence(light),
            camera=camera,
            ending=ending,
        )
        if style:
            text += f" {_sentence(style.rstrip('.'))}."
        # A long subject fills the beginning by which earlier prompts are known: not for ever, then.
        if text not in seen and (text[:_KNOWN_BY] not in avoid or tries > _TRIES):
            seen.add(text)
            yield text


class _Deck:
    """Gives every word once, in a shuffled order, before any comes again."""

    def __init__(self, words: tuple[str, ...], draw: random.Random) -> None:
        self._words = words
        self._draw = draw
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = self._draw.sample(self._words, len(self._words))
        return self._left.pop()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
