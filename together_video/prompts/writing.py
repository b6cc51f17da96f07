"""Brief -> chat requests -> prompts: decides on the next request until there are enough prompts.

Nothing here touches the network: the caller passes the function that sends a request.

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
    """Check that there are as many prompts as the brief requests.

    Raises:
        PromptError: there are none or too few; the message says why and quotes the last answer.
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
    """The writing of one brief's prompts: the next chat request, and the prompts so far.

    If the API refuses a format, or nothing readable comes back, the next one is tried. Prompts that are missing after
    an answer are requested again, with the problems. `rounds` is the number of answers in which the prompts of one
    request must be complete. `negative_limit` also requests negative prompts, and is the longest that the video model
    takes, in characters.

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

        It stays the same until an answer or a refusal is reported, so calls can be repeated.
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
        """Process an answer. Never raises; its problems are in the reading."""
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
