"""Links to Prefect's form: what they fill in, and when there are none."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from together_video.gallery.links import safe_link
from together_video.gallery.redo import LONGEST, RedoForm, redo_link, redo_links
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest

PAGE = "http://127.0.0.1:4200/deployments/deployment/0b6c8f9e-1111-4222-8333-444455556666/run"
FORM = RedoForm(page=PAGE)


def plan(take: int = 1, edition: str = "once", **fields: Any) -> VideoPlan:
    request = VideoRequest.model_validate({"model": "m/x", "prompt": "a fox", **fields})
    return VideoPlan(request=request, take=take, edition=edition)


def filled(link: str | None, *, decoded: int = 1) -> Any:
    """What the form holds. Prefect's first UI decodes what it gets once more than its second one."""
    assert link is not None
    assert link == safe_link(link)
    text = urlsplit(link).query.removeprefix("parameters=")
    for _ in range(decoded):
        text = unquote(text)
    return json.loads(text)


@pytest.mark.parametrize("decoded", [1, 2])
@pytest.mark.parametrize(
    "prompt",
    [
        "a fox",
        "100% wool, 50%25 & more? yes #1 + 2 = 3",
        "\"quoted\" 'both' <b>\\n</b>\nin two lines",
        "灯台と海 🦊 é",
    ],
)
def test_a_form_holds_the_request_and_the_next_take(prompt: str, decoded: int) -> None:
    """Whatever the prompt is made of, and however often it is decoded."""
    video = plan(prompt=prompt, seconds=5, seed=7, labels={"campaign": "spring"})
    form = filled(redo_link(FORM, video, take=2), decoded=decoded)
    assert form == {
        "request": {
            "model": "m/x",
            "prompt": prompt,
            "seconds": "5",
            "seed": 7,
            "labels": {"campaign": "spring", "redo_of": video.id},
        },
        "take": 2,
    }
    again = VideoRequest.model_validate(form["request"])
    assert again.fingerprint() == video.request.fingerprint()


def test_saved_blocks_go_along() -> None:
    """The second UI would lose them. What was written out in the deployment may be a key, and stays there."""
    block = {"$ref": {"block_document_id": "3f8a"}}
    parameters = {
        "archive": block,
        "together": {"api_key": "secret"},
        "budget_usd": 5,
        "strict": True,
        "poll": None,
        "price_usd": "x" * 101,
        "edition": "sk-0123456789",
        "take": 7,
        "more": {
            "on_ambiguous": "hold",
            "attempts": 2,
            "fallback_models": ["a/b"],
            "settings": {"a": 1},
            "edition": "x" * 101,
        },
    }
    form = filled(redo_link(RedoForm(page=PAGE, parameters=parameters), plan(), take=2))
    assert form.pop("request")
    more = {"on_ambiguous": "hold", "attempts": 2, "fallback_models": ["a/b"]}
    assert form == {"archive": block, "budget_usd": 5, "strict": True, "take": 2, "more": more}


def test_the_edition_is_kept() -> None:
    """Another take of Tuesday's video is Tuesday's."""
    assert filled(redo_link(FORM, plan(edition="2026-11-24"), take=2))["more"] == {"edition": "2026-11-24"}


def test_the_take_is_the_first_that_none_has() -> None:
    """Identical requests beside each other have takes of their own; another request's do not count."""
    plans = [plan(1), plan(2), plan(3), plan(9, edition="x"), plan(5, prompt="an owl")]
    redo = redo_links(FORM, plans)
    assert [filled(redo(video))["take"] for video in plans] == [4, 4, 4, 10, 6]
    assert filled(redo(plan(7, prompt="not among them")))["take"] == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"media": {"reference_images": ["data:image/png;base64,iVBORw0KGgo="]}},
        {"media": {"reference_images": ["iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB" * 4]}},
        {"media": {"source_video": "https://bucket.example/a.mp4?X-Amz-Signature=0123"}},
        {"media": {"source_video": {"video": "https://user:secret@host.example/a.mp4"}}},
        {"extra": {"callback": {"urls": ["https://hook.example/?token=1"]}}},
        {"prompt": "a long walk " * 600},
    ],
)
def test_some_requests_have_no_link(fields: dict[str, Any]) -> None:
    """Embedded files, addresses that may hold a signature or a password, and anything too long for an address."""
    assert redo_link(FORM, plan(**fields), take=2) is None


def test_media_of_the_archive_are_linked() -> None:
    """What is kept by its content is named by it."""
    reference = f"archive:media/{'ab' * 32}.png"
    form = filled(redo_link(FORM, plan(media={"reference_images": [reference]}), take=2))
    assert form["request"]["media"] == {"reference_images": [reference]}


def test_a_link_has_an_end() -> None:
    """Just below the limit there is one."""
    link = redo_link(FORM, plan(prompt="x" * (LONGEST - len(PAGE) - 220)), take=2)
    assert link is not None
    assert LONGEST - 220 < len(link) <= LONGEST
