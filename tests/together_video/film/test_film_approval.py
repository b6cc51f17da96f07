"""A film that waits for approval: exactly what was shown is made, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from together_video.errors import InputError
from together_video.film.approval import FilmAnswer, FilmApproved, FilmProposal
from together_video.film.reading import storyboard_of
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest


def plan(prompt: str) -> VideoPlan:
    return VideoPlan(request=VideoRequest(model="m", prompt=prompt))


def test_other_purchases_than_those_that_were_approved_are_refused() -> None:
    """Another first frame makes another purchase, which nobody has agreed to; so does a shot more or less."""
    board = storyboard_of({"title": "Owls", "shots": ["an owl", "its nest"]})
    plans = (plan("an owl"), plan("its nest"))
    facts = {"run": "r", "batch_id": "b", "title": "Owls", "storyboard": board, "plans": plans}
    approved = FilmApproved.model_validate_json(FilmApproved.model_validate(facts).model_dump_json())
    assert approved.storyboard == board
    approved.refuse_others(plans)
    for others in ((plan("an owl"), plan("a den")), (*plans, plan("a den")), plans[:1]):
        with pytest.raises(InputError, match=r"Shot 2|Shot 3") as refused:
            approved.refuse_others(others)
        assert "Nothing was bought" in refused.value.message


def test_the_form_of_a_film_offers_its_price() -> None:
    """Decision and budget are all that it has: what it does not have is refused."""
    board = storyboard_of({"title": "Owls", "shots": ["an owl"]})
    proposal = FilmProposal(
        run="r", batch_id="b", title="Owls", storyboard=board, plans=(plan("an owl"),), budget_usd="0.3",
        until=datetime.now(UTC),
    )  # fmt: skip
    assert proposal.initial() == {"budget_usd": 0.3}
    assert str(FilmAnswer.read({"decision": "approve", "budget_usd": 0.1}).limit_usd) == "0.1"
    for wrong in ({}, {"decision": "approve", "leave_out": "2"}, {"decision": "approve", "budget_usd": -1}):
        with pytest.raises(InputError):
            FilmAnswer.read(wrong)
