"""Reviews: many requests checked and estimated before the first is paid for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from together_video.catalogue import Catalogue, Review, check, estimate
from together_video.catalogue.findings import Level
from together_video.errors import InputError
from together_video.requests import VideoRequest

MODEL = "google/veo-3.1"


def asked(**fields: Any) -> VideoRequest:
    return VideoRequest.model_validate(
        {"model": MODEL, "prompt": "a fox in the snow", "seconds": 6, **fields}
    )


GOOD, BAD, DOUBTFUL = asked(), asked(model="no/such-model"), asked(fps=7)


def test_each_request_is_checked_and_estimated() -> None:
    """In the order given, by the same rules as one alone."""
    review = Review.of([GOOD, BAD])
    assert [reviewed.request for reviewed in review.requests] == [GOOD, BAD]
    for reviewed in review.requests:
        assert list(reviewed.findings) == check(reviewed.request)
        assert reviewed.estimate == estimate(reviewed.request)


def test_what_can_work_passes() -> None:
    """No errors, nothing raised; nothing at all is a batch of nothing."""
    for review in (Review.of([GOOD, GOOD]), Review.of([])):
        assert review.errors == []
        review.refuse_errors()


def test_errors_carry_the_number_of_their_request() -> None:
    """Counted from 1, as lines of a file are."""
    review = Review.of([GOOD, BAD, DOUBTFUL, BAD])
    assert [(number, request) for number, request, _ in review.errors] == [(2, BAD), (4, BAD)]
    assert {finding.level for _, _, finding in review.errors} == {Level.ERROR}


def test_strict_makes_warnings_errors() -> None:
    """And only warnings; without it they are remarks."""
    assert Review.of([DOUBTFUL]).errors == []
    strict = Review.of([GOOD, DOUBTFUL], strict=True)
    assert [number for number, _, _ in strict.errors] == [2]
    with pytest.raises(InputError):
        strict.refuse_errors()


def test_one_request_is_refused_in_its_own_words() -> None:
    """No counting where there is nothing to count."""
    with pytest.raises(InputError) as caught:
        Review.of([BAD]).refuse_errors()
    (finding,) = check(BAD)
    assert str(caught.value) == f"{finding.message} Nothing was sent."
    assert caught.value.exit_code == 2


def test_many_requests_are_refused_line_by_line() -> None:
    """Number, title and problem of each."""
    with pytest.raises(InputError) as caught:
        Review.of([GOOD, BAD, BAD]).refuse_errors()
    (finding,) = check(BAD)
    assert str(caught.value).splitlines() == [
        "2 problems in 3 requests; nothing was sent.",
        f"  request 2 (a fox in the snow): {finding.message}",
        f"  request 3 (a fox in the snow): {finding.message}",
    ]


@pytest.mark.parametrize(("count", "lines", "last"), [(10, 11, "request 10"), (11, 12, "… and 1 more")])
def test_a_long_list_of_problems_is_cut(count: int, lines: int, last: str) -> None:
    """Ten are listed, the rest is counted."""
    with pytest.raises(InputError) as caught:
        Review.of([BAD] * count).refuse_errors()
    told = str(caught.value).splitlines()
    assert len(told) == lines
    assert last in told[-1]


def test_a_remark_about_several_requests_is_made_once() -> None:
    """With how many it concerns; errors are not among the remarks."""
    (once,) = Review.of([DOUBTFUL]).remarks
    assert once.startswith(f"warning: {MODEL}, fps: ")
    assert Review.of([DOUBTFUL, GOOD, BAD, DOUBTFUL]).remarks == [f"{once} (2 requests)"]


def test_the_total_is_the_sum() -> None:
    """High and low; a request without a known price leaves the whole unknown."""
    single = estimate(GOOD)
    assert single.usd is not None
    assert single.low_usd is not None
    total = Review.of([GOOD] * 3).total
    assert (total.usd, total.low_usd) == (3 * single.usd, 3 * single.low_usd)
    assert Review.of([GOOD, BAD]).total.usd is None
    assert Review.of([]).total.usd == Decimal(0)


def test_another_catalogue_may_be_used() -> None:
    """A name that it does not know is not a model."""
    known = Catalogue.load()
    fewer = [model for model in known.model_dump(by_alias=True)["models"] if model["name"] != MODEL]
    smaller = Catalogue.model_validate({**known.model_dump(by_alias=True), "models": fewer})
    assert Review.of([GOOD], catalogue=known).errors == []
    assert len(Review.of([GOOD], catalogue=smaller).errors) == 1
