"""What a person answers in a form: it is read as any text of a stranger, and makes exactly what was approved."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.errors import InputError
from together_video.ledger.approval import MOST_LISTED, Answer, Proposal, changed_words, listed_prompts
from together_video.ledger.plans import plan_videos
from together_video.requests import VideoRequest


def _proposal(*prompts: str, **fields: Any) -> Proposal:
    requests = [VideoRequest(model="minimax/hailuo-02", prompt=prompt, **fields) for prompt in prompts]
    plans = plan_videos(requests, "once", "batch", prices=[Decimal("0.5")] * len(requests))
    return Proposal(run="run", batch_id="batch", title="foxes", plans=tuple(plans), until=datetime.now(UTC))


def _answer(**fields: Any) -> Answer:
    return Answer.read({"decision": "approve", **fields})


def test_the_form_as_it_stands_changes_nothing() -> None:
    """Every plan is the one that was shown: the same purchase, at the same price."""
    proposal = _proposal("a fox", "an owl\nin two lines", "a fox", seconds="5")
    answer = _answer(**proposal.initial())
    assert proposal.edited(answer) == list(proposal.plans)
    assert [plan.take for plan in proposal.plans] == [1, 1, 2]
    assert changed_words(proposal.plans, proposal.plans) == "3 videos"


def test_prompts_are_edited_and_dropped() -> None:
    """What was not touched keeps its id; the order of the list does not matter."""
    proposal = _proposal("a fox", "an owl", "a cat", "a dog", seconds="5")
    made = proposal.edited(
        _answer(prompts=["4. a dog", "2.  a barn owl ", "1. a fox"], leave_out="4", budget_usd=0.5)
    )
    assert [plan.request.prompt for plan in made] == ["a fox", "a barn owl"]
    assert made[0] == proposal.plans[0]
    assert made[1].request.seconds == "5"
    assert made[1].estimate_usd is None
    assert changed_words(proposal.plans, made) == "2 of 4 videos, 1 edited"


def test_an_edit_that_equals_another_prompt_is_a_further_take() -> None:
    """Else two videos would be one purchase."""
    proposal = _proposal("a fox", "an owl", "a fox")
    made = proposal.edited(_answer(prompts=["1. a fox", "2. a fox", "3. a fox"]))
    assert sorted(plan.take for plan in made) == [1, 2, 3]
    assert len({plan.id for plan in made}) == 3
    assert (made[0].take, made[2].take) == (1, 2)


def test_another_model_is_for_all_videos() -> None:
    """The takes of identical ones stay apart."""
    proposal = _proposal("a fox", "a fox")
    made = proposal.edited(_answer(prompts=listed_prompts(proposal.plans), model=" vidu/vidu-q1 "))
    assert {plan.request.model for plan in made} == {"vidu/vidu-q1"}
    assert len({plan.id for plan in made}) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompts": ["a fox"]}, "does not begin with the number of a video that was shown"),
        ({"prompts": ["3. a fox"]}, "from 1 to 2"),
        ({"prompts": ["0. a fox"]}, "from 1 to 2"),
        ({"prompts": ["1. a fox", "1. an owl"]}, "Video 1 is listed twice"),
        ({"prompts": []}, "No prompt is left"),
        ({"prompts": ["1. a fox"], "leave_out": "1"}, "All videos are left out"),
        ({"prompts": ["1. a fox"], "leave_out": "2-1"}, "does not name videos to leave out"),
        ({"prompts": ["1. a fox"], "leave_out": "x\x1b[31m"}, "does not name videos to leave out"),
        ({"prompts": ["1. "]}, "Video 1 has no prompt"),
    ],
)
def test_answers_that_fit_no_video_are_refused(fields: dict[str, Any], words: str) -> None:
    """Each in a sentence without control characters."""
    proposal = _proposal("a fox", "an owl")
    with pytest.raises(InputError, match=words) as found:
        proposal.edited(_answer(**fields))
    assert found.value.message.isprintable()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"decision": "perhaps"},
        {"decision": "approve", "budget_usd": 0},
        {"decision": "approve", "budget_usd": -1},
        {"decision": "approve", "budget_usd": float("nan")},
        {"decision": "approve", "budget_usd": float("inf")},
        {"decision": "approve", "prompts": ["1. x"] * (MOST_LISTED + 1)},
        {"decision": "approve", "prompts": ["1. " + "x" * 50_000]},
        {"decision": "approve", "leave_out": "1," * 2_000},
        {"decision": "approve", "model": "m" * 101},
        {"decision": "approve", "prompts": "1. a fox"},
        {"decision": "approve", "more": 1},
        {"decision": ["approve"]},
        [],
        None,
    ],
)
def test_what_is_no_answer_is_refused(given: object) -> None:
    """A bound for each size, and nothing beside the fields of the form."""
    with pytest.raises(InputError, match="The answer cannot be used"):
        Answer.read(given)


def test_many_videos_are_left_out_by_their_numbers() -> None:
    """A form with hundreds of fields is of no use, so none is listed."""
    proposal = _proposal(*(f"fox {number}" for number in range(500)))
    assert proposal.initial()["prompts"] == []
    made = proposal.edited(_answer(leave_out="1, 3-499"))
    assert [plan.request.prompt for plan in made] == ["fox 1", "fox 499"]


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=30), st.text(max_size=20))
def test_no_text_of_a_form_makes_more_than_was_shown(prompts: list[str], out: str, model: str) -> None:
    """Whatever a person types: an error of ours, or at most the videos that were shown, each a purchase of its own."""
    proposal = _proposal("a fox", "an owl", "a fox")
    try:
        made = proposal.edited(_answer(prompts=prompts, leave_out=out, model=model))
    except InputError:
        return
    assert 1 <= len(made) <= 3
    assert len({plan.id for plan in made}) == len(made)
