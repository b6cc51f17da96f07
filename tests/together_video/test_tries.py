"""Attempts, new seeds and fallback models as they are written, and what they make of a plan."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from together_video.inputs.fallbacks import first_made, understudies, with_tries
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import VideoPlan, video_id
from together_video.requests import VideoRequest
from together_video.tries import MOST_ATTEMPTS, Tries, new_seed

FIRST, SECOND, THIRD = "pixverse/pixverse-v5", "pixverse/pixverse-v6", "vidu/vidu-q3"


def request(**fields: Any) -> VideoRequest:
    return VideoRequest.model_validate({"model": FIRST, "prompt": "a fox", **fields})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"fallback_models": "a, b ,"}, ("a", "b")),
        ({"fallback_models": ["a", "b", "a"]}, ("a", "b")),
        ({"fallback_models": "a"}, ("a",)),
        ({"fallback_models": ""}, ()),
        ({}, None),
    ],
)
def test_models_are_a_list_or_a_text_with_commas(said: dict[str, Any], meant: Any) -> None:
    """A cell of a table holds text, a line of JSON a list."""
    assert Tries.model_validate(said).fallback_models == meant


@pytest.mark.parametrize(
    "said",
    [
        {"attempts": 0},
        {"attempts": MOST_ATTEMPTS + 1},
        {"attempts": "many"},
        {"fallback_models": "a,b,c,d,e,f"},
        {"fallback_models": [7]},
        {"fallback_models": ["x" * 201]},
        {"atempts": 2},
    ],
)
def test_what_is_out_of_bounds_is_refused(said: dict[str, Any]) -> None:
    """No video is bought more than ten times, whatever a line says."""
    with pytest.raises(ValidationError):
        Tries.model_validate(said)


def test_a_line_says_more_than_the_run() -> None:
    """What the line leaves open is the run's; an empty list is said."""
    usual = Tries(attempts=3, new_seed=True, fallback_models=("a",))
    assert Tries(attempts=1).over(usual) == Tries(attempts=1, new_seed=True, fallback_models=("a",))
    assert Tries(fallback_models=()).over(usual).fallback_models == ()
    assert Tries().over(usual) == usual


@given(seed=st.integers(-(2**63), 2**63), attempt=st.integers(2, 10))
def test_a_new_seed_is_another_one_in_the_range_of_every_model(seed: int, attempt: int) -> None:
    """From 0 to 2147483647, never the old one, and always the same."""
    found = new_seed(seed, attempt)
    assert 0 <= found < 2**31
    assert found != seed
    assert found == new_seed(seed, attempt)


def test_the_ids_of_a_chain_follow_from_the_first_plan() -> None:
    """Attempts keep the ids that they always had; another model's are derived from the requested id."""
    (plan,), _ = with_tries(
        plan_videos([request(seed=7)]),
        [Tries(attempts=2, new_seed=True, fallback_models=(SECOND, THIRD))],
    )
    again = plan.next_attempt()
    assert plan.id == video_id(plan.request)
    assert again.id == video_id(plan.request, attempt=2)
    assert again.request.seed != 7
    assert [one.request.model for one in plan.chain] == [FIRST, SECOND, THIRD]
    chain = [*plan.chain, again, plan.chain[1].next_attempt(), *again.chain[1:], plan.chain[1].chain[1]]
    assert {one.asked_id for one in chain} == {plan.id}
    assert {one.asked_model for one in plan.chain[1:]} == {FIRST}
    # However the chain is walked, the same model's first attempt has the same id, and the seed that was asked for.
    assert again.chain[1].id == plan.chain[1].id
    assert plan.chain[1].chain[1].id == plan.chain[2].id
    assert again.chain[1].request.seed == 7
    assert len({one.id for one in chain}) == 5
    read = VideoPlan.model_validate_json(plan.chain[1].next_attempt().model_dump_json())
    assert read.id == plan.chain[1].next_attempt().id


def test_a_fallback_is_no_purchase_that_others_ask_for() -> None:
    """Two videos that end at the same model stay two, also beside one that was asked from it."""
    asked = [request(seconds=5), request(seconds=5, model=SECOND), request(seconds=4)]
    plans, _ = with_tries(plan_videos(asked), [Tries(fallback_models=(SECOND,))] * 3)
    ids = [one.id for plan in plans for one in plan.chain]
    assert len(set(ids)) == len(ids)


def test_the_dearest_model_counts() -> None:
    """For the price before buying; and all purchases together for a limit that must hold whatever happens."""
    (plan,), _ = with_tries(
        plan_videos([request(seconds=5)], prices=[Decimal("0.30")]),
        [Tries(attempts=2, fallback_models=("google/veo-3.1",))],
    )
    dear = plan.fallbacks[0].estimate_usd
    assert dear is not None
    assert dear > Decimal("0.30")
    assert plan.highest_usd == dear
    assert plan.most_usd == 2 * (dear + Decimal("0.30"))
    assert plan.model_copy(update={"estimate_usd": None}).highest_usd is None


def test_a_request_is_made_to_fit_the_model_that_takes_over() -> None:
    """Its size, its length and its settings, each with a remark; what cannot be fitted is left out, with the reason."""
    asked = request(width=1280, height=720, seconds=5, negative_prompt="rain")
    models = ("minimax/hailuo-02", "Wan-AI/wan2.7-i2v", FIRST, "ByteDance/Seedance-2.0")
    found = understudies(asked, models)
    assert [one.model for one in found.fallbacks] == ["minimax/hailuo-02", "ByteDance/Seedance-2.0"]
    assert found.fallbacks[0].changes == {
        "negative_prompt": None,
        "width": 1366,
        "height": 768,
        "seconds": "10",
    }
    tier = {"width": None, "height": None, "resolution": "720p", "ratio": "16:9"}
    assert found.fallbacks[1].changes == tier
    assert any(remark.startswith("Wan-AI/wan2.7-i2v will not take over: ") for remark in found.remarks)
    assert any("makes 10 s, not 5" in remark for remark in found.remarks)


def test_the_shape_is_kept_where_no_document_lists_any() -> None:
    """A portrait stays one on a model of which nothing is known: by its tier and ratio, or by a ratio."""
    portrait = request(model="ByteDance/Seedance-2.0", ratio="9:16", resolution="720p")
    changes = understudies(portrait, (SECOND,)).fallbacks[0].changes
    assert not {"ratio", "resolution", "width", "height"} & set(changes)
    pixels = request(width=720, height=1280)
    assert understudies(pixels, ("MiniMaxAI/MiniMax-H3",)).fallbacks[0].changes["ratio"] == "9:16"


def test_strict_and_a_budget_leave_out_more() -> None:
    """A model of which the check would warn, and one without a price."""
    ended = understudies(request(), ("openai/sora-2",))
    assert [one.model for one in ended.fallbacks] == ["openai/sora-2"]
    assert not understudies(request(), ("openai/sora-2",), strict=True).fallbacks
    unpriced = ("Wan-AI/wan2.7-videoedit",)
    video = request(media={"source_video": "https://example.com/a.mp4"})
    assert understudies(video, unpriced).fallbacks
    assert not understudies(video, unpriced, needs_price=True).fallbacks
    assert understudies(video, unpriced, needs_price=True, price_usd=Decimal(1)).fallbacks


def test_a_model_that_is_gone_is_replaced_at_once() -> None:
    """Only where the check refuses the model itself: any other error is for the user to fix."""
    gone = request(model="pixverse/pixverse-v4")
    assert first_made(gone, (SECOND,)).model == SECOND
    assert first_made(gone, ()).model == gone.model
    assert first_made(request(model="openai/sora-2"), (SECOND,)).model == "openai/sora-2"
    assert first_made(request(model="openai/sora-2"), (SECOND,), strict=True).model == SECOND
    wordless = request(prompt=None)
    assert first_made(wordless, (SECOND,)).model == FIRST
