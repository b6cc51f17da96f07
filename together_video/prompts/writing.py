"""Brief -> chat requests -> prompts: what to ask next, until there are enough.

Nothing here touches the network: whoever drives it gives the way to ask.

    await writing.drive(client.chat)
    prompts = writing.result(now)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from together_video.errors import PromptError
from together_video.prompts.briefs import Brief, brief_id, refuse_placeholder
from together_video.prompts.chat_requests import PER_ANSWER, chat_body, chat_requests
from together_video.prompts.reading import PromptReading, read_prompts
from together_video.prompts.rounds import Writing
from together_video.prompts.sets import PromptSet

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


class PromptWriting(Writing):
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
        super().__init__(brief.count, PER_ANSWER, rounds)
        self._last = PromptReading()

    @property
    def missing(self) -> int:
        return self.brief.count - len(self.prompts)

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
        self._last = reading
        self.prompts += reading.prompts
        self.negative_prompts += reading.negative_prompts
        self._answered(
            answer,
            usable=len(reading.prompts),
            found=reading.found,
            is_cut=reading.is_cut,
            problems=reading.problems,
        )
        return reading

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
            answers=self.answers,
            usage=self.usage,
            problems=self.problems,
        )
