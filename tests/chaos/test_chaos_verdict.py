"""The comparison of bill and bucket: it must see each kind of duplicate and loss, and no other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.chaos.verdict import Evidence, Kept, judge, judge_film


def billed(prompt: str, job: str) -> dict[str, Any]:
    return {"id": job, "prompt": prompt, "request_sha256": f"sha of {prompt}"}


def record(prompt: str, job: str | None, state: str = "archived") -> dict[str, Any]:
    plan = {"request": {"prompt": prompt}}
    stored = [{"key": f"p/videos/{job}.{ending}", "sha256": f"{job}{ending}"} for ending in ("mp4", "jpg")]
    return {"state": state, "job_id": job, "plan": plan, "video": stored[0], "poster": stored[1]}


def evidence(**other: Any) -> Evidence:
    """An archived fox, and an ambiguous owl that was billed."""
    kept = Kept(
        keys=["p/records/1.json", "p/inflight/owl/claim.json"],
        records=[record("fox", "a")],
        digests={"p/videos/a.mp4": "amp4", "p/videos/a.jpg": "ajpg"},
        claims=[{"id": "owl", "plan": {"request": {"prompt": "owl"}}}],
    )
    given: dict[str, Any] = {
        "wanted": Counter({"fox": 1, "owl": 1}),
        "billed": [billed("fox", "a"), billed("owl", "b")],
        "kept": kept,
        "held": {"owl"},
        "findings": [{"kind": "ambiguous", "key": "p/inflight/owl/", "message": ""}],
        "doubts": 1,
    }
    return Evidence(**{**given, **other})


def test_archived_or_held_is_good() -> None:
    """Whether the ambiguous video was billed or not."""
    assert judge(evidence()).is_good
    assert judge(evidence(billed=[billed("fox", "a")])).is_good


def test_what_is_held_and_not_billed() -> None:
    """On one machine each of these was a create without an answer. With several, nobody can tell."""
    unbilled = evidence(billed=[billed("fox", "a")])
    assert (judge(evidence()).unbilled, judge(unbilled).unbilled) == (0, 1)
    unbilled.unanswered = 1
    assert judge(unbilled).is_good
    unbilled.unanswered = 0
    assert judge(unbilled).surprises == ["1 are held and not billed, 0 creates had no answer"]


def test_billed_twice_is_a_duplicate() -> None:
    """Two bills for one wanted video. With two takes they are two videos, and one is missing."""
    twice = [billed("fox", "a"), billed("fox", "c"), billed("owl", "b")]
    assert [*map(str, judge(evidence(billed=twice)).duplicates)] == ["'fox': billed 2 times, 1 allowed"]
    takes = judge(evidence(billed=twice, wanted=Counter({"fox": 2, "owl": 1})))
    assert not takes.duplicates
    assert takes.losses == ["'fox': billed and not archived: c"]


def test_billed_and_nowhere_is_a_loss() -> None:
    """Neither archived nor held: money without a video."""
    found = evidence()
    found.kept.records.clear()
    assert judge(found).losses == ["'fox': billed and not archived: a"]


def test_held_more_often_than_ambiguous_is_a_loss() -> None:
    """One ambiguous video explains one lost job, not two."""
    jobs = [billed("fox", "a"), billed("owl", "b"), billed("owl", "c")]
    assert judge(evidence(billed=jobs)).losses == ["'owl': billed and not archived: b, c"]


def test_given_up_and_bought_again_is_allowed() -> None:
    """People who choose to resubmit may pay twice, but not more often."""
    found = evidence(held=set(), findings=[])
    found.kept.keys.pop()
    found.kept.claims.clear()
    found.kept.records += [record("owl", None, "abandoned"), record("owl", "c")]
    found.kept.digests |= {"p/videos/c.mp4": "cmp4", "p/videos/c.jpg": "cjpg"}
    found.billed.append(billed("owl", "c"))
    assert judge(found).is_good
    found.billed.append(billed("owl", "d"))
    verdict = judge(found)
    assert (len(verdict.duplicates), len(verdict.losses)) == (1, 1)


@pytest.mark.parametrize("digests", [{}, {"p/videos/a.mp4": "other", "p/videos/a.jpg": "ajpg"}])
def test_other_bytes_than_recorded_are_a_loss(digests: dict[str, str]) -> None:
    """A record is not enough: the video itself must be there."""
    found = evidence()
    found.kept.digests = digests
    assert "p/videos/a.mp4 is not what its record says" in judge(found).losses


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"held": set()}, "owl is in flight and not reported"),
        ({"findings": []}, "the audit says nothing of owl"),
        ({"doubts": 0}, "1 are held, 0 can be by what was killed"),
        ({"wanted": Counter({"fox": 1, "owl": 1, "elk": 1})}, "'elk': 1 wanted, 0 archived, 0 held"),
        ({"billed": [billed("owl", "b")]}, "job a is archived and was never billed"),
    ],
)
def test_what_is_not_as_promised_is_told(other: dict[str, Any], words: str) -> None:
    """Left in flight unseen, held for no reason, not made, made from nothing."""
    assert words in judge(evidence(**other)).surprises


def test_other_findings_of_the_audit_are_told() -> None:
    """An orphan is not a loss, but still a surprise."""
    found = evidence()
    found.findings.append({"kind": "orphan", "key": "p/videos/x.mp4", "message": "nobody names it"})
    assert judge(found).surprises == ["the audit finds orphan: p/videos/x.mp4: nobody names it"]


def test_a_failed_job_is_billed_again_only_where_that_is_asked_for() -> None:
    """Films are run with --retry-failed; in a batch the second bill is a duplicate."""
    twice = evidence(billed=[billed("fox", "a"), billed("fox", "c"), billed("owl", "b")])
    twice.kept.records.append(record("fox", "c", state="failed"))
    assert judge(twice).duplicates
    twice.buys_failed_again = True
    assert judge(twice).is_good


def test_a_film_is_that_of_an_undisturbed_run_and_alone() -> None:
    """The files that its record names are beside it, and nothing else."""
    film = {
        "id": "1",
        "video": {"key": "p/films/1/a.mp4"},
        "contact_sheet": {"key": "p/films/1/a.jpg"},
        "poster": None,
    }
    keys = ["p/films/1/a.mp4", "p/films/1/a.jpg", "p/films/1/film.json", "p/films/frames/2.json"]
    assert judge_film(Kept(keys=keys, films=[film]), "1") == []
    assert len(judge_film(Kept(keys=[*keys, "p/films/3/b.mp4"], films=[film]), "2")) == 2
    assert len(judge_film(Kept(), "1")) == 1
