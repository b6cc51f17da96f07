"""Plans: takes tell identical requests of one batch apart."""

from hypothesis import given
from hypothesis import strategies as st

from together_video.ledger.plans import in_parts, plan_videos, take_numbers
from together_video.ledger.records import Origin
from together_video.requests import VideoRequest

FOX = VideoRequest(model="m", prompt="a fox")
CAT = VideoRequest(model="m", prompt="a cat")


def test_identical_requests_are_numbered_in_their_order() -> None:
    """The second of two equal requests is take 2, wherever it stands; spelling does not matter."""
    six = VideoRequest.model_validate({"model": "m", "prompt": "a fox", "seconds": 6})
    same = VideoRequest.model_validate({"model": "m", "prompt": "a fox", "seconds": "6s"})
    assert take_numbers([FOX, CAT, six, FOX, same, FOX]) == [1, 1, 1, 2, 2, 3]


@given(st.lists(st.sampled_from([FOX, CAT]), max_size=8))
def test_every_plan_of_a_batch_has_an_id_of_its_own(requests: list[VideoRequest]) -> None:
    """No two videos of a batch share a purchase, and the same batch gives the same ids again."""
    ids = [plan.id for plan in plan_videos(requests)]
    assert len(set(ids)) == len(ids)
    assert ids == [plan.id for plan in plan_videos(iter(requests))]


def test_plans_carry_what_the_batch_knows() -> None:
    """Edition, batch and origin stand in every plan, the requests in their order."""
    origin = Origin(brief_id="b" * 24, chat_model="c")
    plans = plan_videos([FOX, CAT], "2026-11-20", "batch-1", origin)
    assert [plan.request for plan in plans] == [FOX, CAT]
    assert {(plan.edition, plan.batch_id, plan.origin) for plan in plans} == {
        ("2026-11-20", "batch-1", origin)
    }


@given(st.integers(0, 40), st.integers(1, 8), st.integers(1, 10), st.integers(100, 2_000))
def test_parts_hold_each_plan_once_and_are_not_too_large(
    count: int, workers: int, most: int, most_bytes: int
) -> None:
    """In order, none lost, none twice; a part is over its size only where a single plan is."""
    plans = plan_videos([FOX] * count)
    parts = in_parts(plans, workers, most_bytes=most_bytes, most=most)
    assert [plan for part in parts for plan in part] == plans
    for part in parts:
        assert 1 <= len(part) <= most
        assert len(part) == 1 or sum(len(plan.model_dump_json()) for plan in part) <= most_bytes


def test_each_worker_gets_about_as_much() -> None:
    """Ten videos for three workers are parts of four, four and two."""
    parts = in_parts(plan_videos([FOX] * 10), 3, most_bytes=10**6, most=100)
    assert [len(part) for part in parts] == [4, 4, 2]
