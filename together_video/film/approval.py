"""A film that waits for a person: what the form shows, the possible answers, and what is then made."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from together_video.errors import InputError
from together_video.film.storyboard import Storyboard
from together_video.ledger.approval import ApprovalFact, Limit, Waiting, limit_of
from together_video.ledger.records import VideoPlan
from together_video.validation_messages import validated


class FilmAnswer(BaseModel):
    """A person's answer about a film: the fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["approve", "decline"] = Field(
        description="approve: the shots are made and paid for. decline: the run ends and buys nothing."
    )
    budget_usd: Limit = None

    @classmethod
    def read(cls, given: object) -> FilmAnswer:
        """Raises InputError: this is not a valid answer to the form."""
        return validated(cls, given, "The answer")

    @property
    def limit_usd(self) -> Decimal | None:
        return limit_of(self.budget_usd)


class FilmApproved(ApprovalFact):
    """`batches/<batch>/approved.json`: the approved storyboard, whichever process makes it, and its price limit.

    `plans` are its purchases. For shots made from the previous one, they hold only what is known so far.
    """

    storyboard: Storyboard
    plans: tuple[VideoPlan, ...] = Field(min_length=1)

    def refuse_others(self, plans: Sequence[VideoPlan]) -> None:
        """Raises InputError: these are not the approved purchases, because an image has changed since."""
        shown = [plan.id for plan in self.plans]
        others = [
            number
            for number, plan in enumerate(plans, 1)
            if number > len(shown) or plan.id != shown[number - 1]
        ]
        if others or len(plans) != len(shown):
            raise InputError(
                f"Shot {', '.join(map(str, others)) or len(shown)} is not what was approved: media that it names "
                "changed after the approval. Nothing was bought. Start another run."
            )


class FilmProposal(FilmApproved, Waiting):
    """`batches/<batch>/proposal.json`: the film that a run shows before it buys, and how long the run waits."""
