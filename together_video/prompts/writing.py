"""Brief -> chat requests -> prompts: what to ask next, until there are enough.

Nothing here touches the network: whoever drives it gives the way to ask.

    await writing.drive(client.chat)
    prompts = writing.result(now)
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from together_video.errors import PromptError, RequestRefused
from together_video.prompts.briefs import Brief, brief_id, refuse_placeholder
from together_video.prompts.chat_requests import (
    PER_ANSWER,
    THINKING_TOKENS,
    AnswerFormat,
    chat_body,
    chat_requests,
)
from together_video.prompts.reading import PromptReading, read_prompts
from together_video.prompts.sets import PromptSet
from together_video.text import one_line

__all__ = [
    "Brief",
    "PromptReading",
    "PromptSet",
    "PromptWriting",
    "brief_id",
    "chat_requests",
    "read_prompts",
    "require",
]

_MOST_THINKING = 4 * THINKING_TOKENS


def require(
    prompts: tuple[str, ...], brief: Brief, *, problems: tuple[str, ...] = (), excerpt: str = ""
) -> None:
    """Demand as many prompts as the brief asks for.

    Raises:
        PromptError: there are none or too few; says why and quotes the last answer.
    """
    if len(prompts) >= brief.count:
        return
    found = "no usable prompt" if not prompts else f"only {len(prompts)} of {brief.count} prompts"
    sentences = [f"The chat model {brief.chat_model} gave {found}."]
    if problems:
        sentences += problems[-3:]
    sentences.append(
        "Try another chat model, a smaller count or a clearer subject, or give the prompts yourself."
    )
    if excerpt:
        sentences.append(f"Its last answer begins: {excerpt}")
    raise PromptError(" ".join(sentences))


class PromptWriting:
    """The writing of one brief's prompts: which chat request comes next, and what has been got so far.

    A format that the API refuses, or that yields nothing readable, is followed by the next one; what
    is missing after an answer is asked for again, with what was wrong. `rounds` is the number of
    answers in which the prompts of one request must be complete. `negative_limit` asks for negative
    prompts too, and is the longest that the video model takes, in characters.

    Raises:
        InputError: the brief is the placeholder of `prefect.yaml`.
    """

    def __init__(
        self,
        brief: Brief,
        prompt_limit: int,
        *,
        edition: str = "once",
        rounds: int = 4,
        negative_limit: int | None = None,
    ) -> None:
        refuse_placeholder(brief)
        self.brief = brief
        self.prompt_limit = prompt_limit
        self.negative_limit = negative_limit
        self.edition = edition
        self.prompts: tuple[str, ...] = ()
        self.negative_prompts: tuple[str | None, ...] = ()
        self.problems: tuple[str, ...] = ()
        self._formats = list(AnswerFormat)
        self._portion = PER_ANSWER
        self._thinking = THINKING_TOKENS
        self._rounds_left = math.ceil(brief.count / PER_ANSWER) + rounds - 1
        self._last = PromptReading()
        self._answers: list[str] = []
        self._usage: list[dict[str, JsonValue]] = []

    @property
    def missing(self) -> int:
        return self.brief.count - len(self.prompts)

    @property
    def _asked(self) -> int:
        return min(self.missing, self._portion)

    def next_body(self) -> dict[str, Any] | None:
        """The next chat request, or None when there are enough prompts or no rounds are left.

        It stays the same until an answer or a refusal is reported, so a call may be repeated.
        """
        if self.missing <= 0 or self._rounds_left <= 0:
            return None
        return chat_body(
            self.brief,
            self.prompt_limit,
            answer_format=self._formats[0],
            wanted=self._asked,
            thinking_tokens=self._thinking,
            already=self.prompts,
            problems=self._last.problems[:5],
            negative_limit=self.negative_limit,
        )

    async def drive(self, ask: Callable[[Mapping[str, Any]], Awaitable[object]]) -> None:
        """Ask until there are enough prompts or no rounds are left; `ask` is the client's `chat`.

        Raises:
            TogetherError: the API refuses, fails, or does not answer.
        """
        while (body := self.next_body()) is not None:
            try:
                self.feed(await ask(body))
            except RequestRefused as error:
                if not self.refused(error.status, error.message):
                    raise

    def feed(self, answer: object) -> PromptReading:
        """Take in an answer. Never raises; what was wrong with it is in the reading's problems."""
        reading = read_prompts(
            answer,
            self.brief,
            self.prompt_limit,
            already=self.prompts,
            asked=self._asked,
            negative_limit=self.negative_limit,
        )
        self._rounds_left -= 1
        self._last = reading
        self.prompts += reading.prompts
        self.negative_prompts += reading.negative_prompts
        self.problems += reading.problems
        self._note(answer)
        if reading.is_cut:
            # As many as fitted, which is progress and not a round in vain; else half of what was asked.
            self._portion = len(reading.prompts) or max(1, self._asked // 2)
            self._thinking = min(2 * self._thinking, _MOST_THINKING)
            if reading.prompts:
                self._rounds_left = max(self._rounds_left, math.ceil(self.missing / self._portion))
        elif not reading.found and len(self._formats) > 1:
            # Some models take a format and then answer nothing under it.
            self._formats.pop(0)
        return reading

    def refused(self, status: int | None, message: str) -> bool:
        """Report that the API refused the request. True: `next_body` has another one to try.

        Which words a gateway finds for a format that it does not know cannot be told beforehand, and
        a refused chat costs nothing: so each 400 and 422 leads to the next format, as long as there is one.
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

    def result(self, now: datetime) -> PromptSet:
        """The finished set, made at `now` (UTC).

        Raises:
            PromptError: there are too few prompts.
        """
        require(self.prompts, self.brief, problems=self.problems, excerpt=self._last.excerpt)
        return PromptSet(
            id=brief_id(self.brief, self.edition),
            brief=self.brief,
            edition=self.edition,
            chat_model=self.brief.chat_model,
            prompts=self.prompts,
            negative_prompts=self.negative_prompts if any(self.negative_prompts) else (),
            created_at=now,
            answers=tuple(self._answers),
            usage=tuple(self._usage),
            problems=self.problems,
        )

    def _note(self, answer: object) -> None:
        if not isinstance(answer, Mapping):
            return
        identity = answer.get("id")
        if isinstance(identity, str):
            self._answers.append(identity.encode("utf-8", "ignore").decode())
        usage = answer.get("usage")
        if isinstance(usage, Mapping):
            self._usage.append(_counts(usage))


def _counts(usage: Mapping[str, Any], depth: int = 2) -> dict[str, JsonValue]:
    """The numbers of a usage object and of the objects in it: what is no number has no business there."""
    counts: dict[str, JsonValue] = {}
    for key, value in usage.items():
        name = str(key).encode("utf-8", "ignore").decode()
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            counts[name] = value
        elif isinstance(value, Mapping) and depth > 1:
            counts[name] = _counts(value, depth - 1)
    return counts
