"""Rounds of chat requests until everything is written: formats, portions, thinking and usage."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import JsonValue

from together_video.errors import RequestRefused
from together_video.prompts.chat_requests import THINKING_TOKENS, AnswerFormat
from together_video.text import one_line

_MOST_THINKING = 4 * THINKING_TOKENS


class Writing(ABC):
    """Something that a chat model writes in portions, with feedback about its problems.

    If the API refuses a format, or nothing readable comes back, the next one is tried. Nothing here touches the
    network: `drive` gets the function that sends a request.

    Args:
        count: how many pieces to write.
        portion: how many one answer should have.
        rounds: the number of answers in which the pieces of one request must be complete.
    """

    def __init__(self, count: int, portion: int, rounds: int) -> None:
        self.problems: tuple[str, ...] = ()
        self.answers: tuple[str, ...] = ()
        self.usage: tuple[dict[str, JsonValue], ...] = ()
        self._formats = list(AnswerFormat)
        self._portion = portion
        self._thinking = THINKING_TOKENS
        self._rounds_left = math.ceil(count / portion) + rounds - 1

    @property
    @abstractmethod
    def missing(self) -> int:
        """How many pieces are still missing."""

    @abstractmethod
    def next_body(self) -> dict[str, Any] | None:
        """The next chat request, or None when everything is there or no rounds are left."""

    @abstractmethod
    def feed(self, answer: object) -> object:
        """Process an answer. Never raises."""

    @property
    def _asked(self) -> int:
        return min(self.missing, self._portion)

    async def drive(self, ask: Callable[[Mapping[str, Any]], Awaitable[object]]) -> None:
        """Ask until everything is there or no rounds are left; `ask` is the client's `chat`.

        Raises:
            TogetherError: the API refuses, fails, or does not answer.
        """
        while (body := self.next_body()) is not None:
            try:
                self.feed(await ask(body))
            except RequestRefused as error:
                if not self.refused(error.status, error.message):
                    raise

    def refused(self, status: int | None, message: str) -> bool:
        """Report that the API refused the request. True: `next_body` has another one to try.

        A gateway's message about an unknown format cannot be known beforehand, and a refused chat costs nothing. So
        each 400 and 422 leads to the next format, as long as there is one.
        """
        if status not in (400, 422):
            return False
        words = one_line(message, 160)
        self.problems += (f"A chat request was refused ({status}): {words}",)
        if "max_tokens" in message and self._asked > 1:
            self._portion = self._asked // 2
            return True
        if len(self._formats) == 1:
            return False
        self._formats.pop(0)
        return True

    def _answered(
        self, answer: object, *, usable: int, found: int, is_cut: bool, problems: tuple[str, ...]
    ) -> None:
        """Prepare the next request after an answer with so many usable pieces, of so many that were found."""
        self._rounds_left -= 1
        self.problems += problems
        self._note(answer)
        if is_cut:
            # As many as fitted, which is progress and not a lost round; otherwise, half of the requested number.
            self._portion = usable or max(1, self._asked // 2)
            self._thinking = min(2 * self._thinking, _MOST_THINKING)
            if usable:
                self._rounds_left = max(self._rounds_left, math.ceil(self.missing / self._portion))
        elif not found and len(self._formats) > 1:
            # Some models accept a format and then return nothing in it.
            self._formats.pop(0)

    def _note(self, answer: object) -> None:
        if not isinstance(answer, Mapping):
            return
        identity = answer.get("id")
        if isinstance(identity, str):
            self.answers += (identity.encode("utf-8", "ignore").decode(),)
        usage = answer.get("usage")
        if isinstance(usage, Mapping):
            self.usage += (_counts(usage),)


def _counts(usage: Mapping[str, Any], depth: int = 2) -> dict[str, JsonValue]:
    """The numbers of a usage object and of the objects in it; other values are dropped."""
    counts: dict[str, JsonValue] = {}
    for key, value in usage.items():
        name = str(key).encode("utf-8", "ignore").decode()
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            counts[name] = value
        elif isinstance(value, Mapping) and depth > 1:
            counts[name] = _counts(value, depth - 1)
    return counts
