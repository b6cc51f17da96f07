"""A batch that waits for approval: what is shown, the possible answers, and what is made after them.

The answers of a form are not trusted: sizes and numbers are checked, and that they name videos that were shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.errors import InputError
from together_video.ledger.records import Usd, VideoPlan
from together_video.money import usd_number_or_none
from together_video.requests import VideoRequest
from together_video.text import counted, one_line
from together_video.validation_messages import explain, validated

#: How long Prefect itself keeps a run suspended beyond the time for an answer, in seconds: `collect-videos` ends it as
#: Cancelled before Prefect ends it as Failed.
GRACE_SECONDS = 3600
#: With more videos, or more characters in total, a form lists no prompts: videos can be left out by number.
MOST_LISTED, MOST_CHARACTERS = 100, 60_000
#: Longest prompt that is read from a form, in characters; the models' own limits are checked afterwards.
_LONGEST_PROMPT = 40_000
_NUMBERED = re.compile(r"\s*(\d{1,6})\s*[.:)]\s?(.*)", re.DOTALL)
_NUMBERS = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


#: A run's budget as a field of a form.
Limit = Annotated[
    float | None,
    Field(
        gt=0,
        lt=1e9,
        allow_inf_nan=False,
        title="Budget (USD)",
        description="The most that the run may spend, in US dollars; videos that do not fit are skipped.",
    ),
]


def limit_of(budget_usd: float | None) -> Decimal | None:
    """A form's number as an amount."""
    return None if budget_usd is None else Decimal(str(budget_usd))


class Answer(BaseModel):
    """The answer to a plan that was shown: the fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["approve", "decline"] = Field(
        description="approve: the videos are made and paid for. decline: the run ends, and nothing is bought."
    )
    prompts: Annotated[
        list[Annotated[str, Field(max_length=_LONGEST_PROMPT + 10)]], Field(max_length=MOST_LISTED)
    ] = Field(
        default=[],
        description="Edit a prompt after its number, or remove it to leave its video out.",
    )
    leave_out: str = Field(
        default="", max_length=2_000, description="Numbers of videos to leave out, such as 3, 7-9."
    )
    model: str = Field(
        default="",
        max_length=100,
        description="Another model for all videos. Leave it empty or unchanged for the models that were shown.",
    )
    budget_usd: Limit = None

    @classmethod
    def read(cls, given: object) -> Answer:
        """Raises InputError: it is not an answer to the form."""
        return validated(cls, given, "The answer")

    @property
    def limit_usd(self) -> Decimal | None:
        return limit_of(self.budget_usd)


class ApprovalFact(BaseModel):
    """What a run that needs approval writes once: the run, its batch, its title, and its limit."""

    model_config = ConfigDict(frozen=True)

    run: str
    batch_id: str
    title: str
    budget_usd: Usd | None = None


class Waiting(ApprovalFact):
    """What is shown, and until when the run waits for an answer. `budget_usd` is the form's initial limit."""

    until: datetime

    def initial(self) -> dict[str, object]:
        """The initial values of the form's fields."""
        return {"budget_usd": usd_number_or_none(self.budget_usd)}


class Proposal(Waiting):
    """`batches/<batch>/proposal.json`: what a run shows before it buys, and how long it waits for an answer."""

    plans: tuple[VideoPlan, ...] = Field(min_length=1)

    def initial(self) -> dict[str, object]:
        models = {plan.request.model for plan in self.plans}
        return {
            "prompts": listed_prompts(self.plans),
            "model": models.pop() if len(models) == 1 else "",
            **super().initial(),
        }

    def edited(self, answer: Answer) -> list[VideoPlan]:
        """The approved plans, not yet checked; edited ones have no prices.

        Videos that were not edited keep their ids. An edited one that is now identical to another becomes a further
        take.

        Raises:
            InputError: the answer names videos that were not shown, leaves none, or makes an invalid request.
        """
        prompts = _prompts_of(answer, self.plans)
        requests = {
            number: _edited(self.plans[number - 1].request, prompt, answer.model)
            for number, prompt in prompts.items()
        }
        taken = {
            (plan.request.canonical(), plan.take)
            for number, plan in enumerate(self.plans, 1)
            if requests.get(number) == plan.request
        }
        made = []
        for number, request in requests.items():
            plan = self.plans[number - 1]
            if request != plan.request:
                take = 1
                while (request.canonical(), take) in taken:
                    take += 1
                taken.add((request.canonical(), take))
                # Built again from the fields: a fallback model's plan has the id of the request that was shown.
                plan = VideoPlan(
                    request=request,
                    take=take,
                    edition=plan.edition,
                    batch_id=plan.batch_id,
                    origin=plan.origin,
                    sweep=plan.sweep,
                    attempts=plan.attempts,
                    new_seed=plan.new_seed,
                    fallbacks=plan.fallbacks,
                )
            made.append(plan)
        return made


class Approved(ApprovalFact):
    """`batches/<batch>/approved.json`: exactly what any process makes, and for how much."""

    plans: tuple[VideoPlan, ...] = Field(min_length=1)


def listed_prompts(plans: Sequence[VideoPlan]) -> list[str]:
    """`1. a fox in the snow`: the prompts as a form lists them; none if there are too many."""
    items = [f"{number}. {plan.request.prompt or ''}" for number, plan in enumerate(plans, 1)]
    if len(items) > MOST_LISTED or sum(map(len, items)) > MOST_CHARACTERS:
        return []
    return items


def _prompts_of(answer: Answer, plans: Sequence[VideoPlan]) -> dict[int, str | None]:
    """The prompt of each video to make, by number, in the order of the plans."""
    if answer.prompts:
        chosen: dict[int, str | None] = {}
        for item in answer.prompts:
            number, text = _numbered(item, len(plans))
            if number in chosen:
                raise InputError(f"Video {number} is listed twice: give each number once.")
            before = plans[number - 1].request.prompt
            if before and not text.strip():
                raise InputError(
                    f"Video {number} has no prompt: write one, or remove it from the list to leave it out."
                )
            chosen[number] = before if text.strip() == (before or "").strip() else text.strip()
    elif listed_prompts(plans):
        raise InputError("No prompt is left: decline if you want no videos.")
    else:
        chosen = {number: plan.request.prompt for number, plan in enumerate(plans, 1)}
    left = {
        number: chosen[number]
        for number in sorted(chosen)
        if number not in _numbers(answer.leave_out, len(plans))
    }
    if not left:
        raise InputError("All videos are left out: decline if you want no videos.")
    return left


def _numbered(item: str, most: int) -> tuple[int, str]:
    found = _NUMBERED.fullmatch(item)
    if found is None or not 1 <= int(found[1]) <= most:
        raise InputError(
            f"{one_line(item, 60)!r} does not begin with the number of a video that was shown, from 1 to {most}, such "
            "as '1. a fox'."
        )
    return int(found[1]), found[2]


def _numbers(text: str, most: int) -> set[int]:
    numbers: set[int] = set()
    for piece in filter(None, (part.strip() for part in text.split(","))):
        found = _NUMBERS.fullmatch(piece)
        first = int(found[1]) if found else 0
        last = int(found[2] or found[1]) if found else 0
        if not 1 <= first <= last <= most:
            raise InputError(
                f"{one_line(piece, 40)!r} does not name videos to leave out: give numbers from 1 to {most}, such as "
                "3, 7-9."
            )
        numbers.update(range(first, last + 1))
    return numbers


def _edited(request: VideoRequest, prompt: str | None, model: str) -> VideoRequest:
    """Raises InputError: the request is invalid with this prompt or model."""
    model = model.strip()
    changes: dict[str, object] = {}
    if prompt != request.prompt:
        changes["prompt"] = prompt or None
    if model and model != request.model:
        changes["model"] = model
    if not changes:
        return request
    try:
        return VideoRequest.model_validate({**request.model_dump(exclude_unset=True), **changes})
    except ValidationError as error:
        raise InputError(
            f"{one_line(request.title, 60)}: {'; '.join(explain(error, VideoRequest))}."
        ) from error


def changed_words(shown: Sequence[VideoPlan], made: Sequence[VideoPlan]) -> str:
    """What an approval changed, such as `3 of 4 videos, 1 edited`."""
    ids = {plan.id for plan in shown}
    edited = sum(plan.id not in ids for plan in made)
    words = counted(len(made), "video") if len(made) == len(shown) else f"{len(made)} of {len(shown)} videos"
    return f"{words}, {edited} edited" if edited else words
