"""Plans: takes tell identical requests of one batch apart."""

from hypothesis import given
from hypothesis import strategies as st

from together_video.plans import plan_videos, take_numbers
from together_video.records import Origin
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
