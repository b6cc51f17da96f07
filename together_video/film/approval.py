"""A film that waits for a person: what is shown, what may be answered, and what is made then."""

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
    """What a person says of a film that was shown: the fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["approve", "decline"] = Field(
        description="approve: the shots are made and paid for. decline: the run ends, and nothing is bought."
    )
    budget_usd: Limit = None

    @classmethod
    def read(cls, given: object) -> FilmAnswer:
        """Raises InputError: it is no answer to the form."""
        return validated(cls, given, "The answer")

    @property
    def limit_usd(self) -> Decimal | None:
        return limit_of(self.budget_usd)


class FilmApproved(ApprovalFact):
    """`batches/<batch>/approved.json`: the storyboard that is made, whichever process makes it, and for how much.

    `plans` are its purchases: of shots that are made from the one before as far as that is known.
    """

    storyboard: Storyboard
    plans: tuple[VideoPlan, ...] = Field(min_length=1)

    def refuse_others(self, plans: Sequence[VideoPlan]) -> None:
        """Raises InputError: these are not the purchases that were approved, as an image is another one by now."""
        shown = [plan.id for plan in self.plans]
        others = [
            number
            for number, plan in enumerate(plans, 1)
            if number > len(shown) or plan.id != shown[number - 1]
        ]
        if others or len(plans) != len(shown):
            raise InputError(
                f"Shot {', '.join(map(str, others)) or len(shown)} is not what was approved: media that it names have "
                "changed since. Nothing was bought; start another run."
            )


class FilmProposal(FilmApproved, Waiting):
    """`batches/<batch>/proposal.json`: the film that a run shows before it buys, and until when it waits."""
