"""What a page may carry: prompts, labels, notes, links and settings lose what may be a secret, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from together_video.gallery.cards import card_of
from together_video.gallery.commands import commands_of
from together_video.gallery.public import is_public, public_payload
from together_video.gallery.public_text import is_plain, names_a_secret, public_address, public_text
from together_video.gallery.redo import RedoForm, redo_link
from together_video.gallery.rows import GalleryRow
from together_video.ledger.records import Sweep, VideoPlan
from together_video.ledger.summary import VideoOutcome, VideoState
from together_video.requests import VideoRequest

#: What stands for a secret in these tests.
S = "s3cr3tV4lu3"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
HOSTILE = [
    f"https://b.s3.test/a.png?X-Amz-Credential=AKIA&X-Amz-Signature={S}",
    f"as in https://b.test/a.png?sig={S}, slower",
    f"b.s3.amazonaws.com/a.png?X-Amz-Signature={S}",
    f"HTTPS://u:{S}@host.test/a",
    f"me:{S}@host.test/a",
    f"https://host.test/cb#access_token={S}",
    f"https://host.test/a;jsessionid={S}/b",
    f"https://host.test/a%3Ftoken%3D{S}",
    f"https://host.test/a%253Ftoken%253D{S}",
    f"https://host.test\\@evil.test/{S}?x",
    f"ftp://host.test/{S}",
    f"x=https://a.test/b?t={S}",
    f"{'a' * 30}=https://me:{S}@host.test/b",
    f"see(https://a.test/b?t={S})",
    f"见https://a.test/b?t={S}",
    f"token={S}",
    f"the api-key: {S}, please",
    f"X-Api-Key={S}",
    f'{{"client_secret": "{S}"}}',
    f"Authorization: Basic {S}AAAA==",
    f"bearer {S}",
    f"sk-{S}0123456789",
    f"data:image/png;base64,{S}",
    f"https://user:{S}@b.test:8443/x y",
]
TOKENS = [
    JWT,
    "0123456789abcdef" * 2,
    "tgp_v1_A9bC8dE7fG6hI5jK4lM3nO2pQ1r",
    "https://hooks.test/services/T0001/B0001/a1B2c3D4e5F6g7H8i9J0k1L2",
    "https://drive.test/file/d/1a2B3c4D5e6F7g8H9i0Jk/view",
    "https://host.test/0123456789abcdef0123/a.png",
    "AKIAIOSFODNN7EXAMPLE",
]
FINE = [
    "a fox trots along wet rocks, 24 mm lens, f/2.8; the camera tracks left",
    "Is it day? No = night. 50% (see line 3): it's 16:9 & 4K!",
    "The secret: a fox that keeps a token, in session",
    "well-known-fairy-tale-of-a-long-name-with-hyphens-2026",
    "https://en.wikipedia.org/wiki/Red_fox",
    "https://a.test/b@2.png",
    "s3://bucket/spring campaign/fox-03.png",
    "狐が濡れた岩の上を走る。カメラは左へ。" * 5,
    "ثعلب يركض على الصخور المبللة عند الفجر",
    "#fox @studio mail me at ada@studio.test",
    "the batch 20260304T093000-0a1b2c of 2026",
    "redo of 0123456789abcdef01234567",
    "basic cinematographically-minded framing",
]


def plan(**fields: Any) -> VideoPlan:
    sweep = fields.pop("sweep", None)
    request = VideoRequest.model_validate({"model": "acme/dream-1", "prompt": "a fox", **fields})
    return VideoPlan(request=request, sweep=sweep)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_secret_in_a_sentence_is_left_out(text: str) -> None:
    """Wherever it is in an address, however that is written, and beside a name that says what it is."""
    assert S not in public_text(text)
    assert public_text(public_text(text)) == public_text(text)


@pytest.mark.parametrize("text", TOKENS)
def test_what_looks_like_a_token_is_left_out(text: str) -> None:
    """Also where nothing says that it is one."""
    shown = public_text(text)
    assert "…" in shown
    assert max((len(part) for part in text.replace(".", "/").split("/") if part in shown), default=0) < 20


@pytest.mark.parametrize("text", FINE)
def test_sentences_stay_as_they_were_written(text: str) -> None:
    """Prose of any language, times, numbers, names of files and addresses without a query."""
    assert public_text(text) == text


def test_an_address_keeps_what_names_its_file() -> None:
    """Host and path are shown; user, query and fragment are marked as left out."""
    assert public_address("https://me:pw@b.test:8443/a/b.png?t=1#x") == "https://…@b.test:8443/a/b.png?…"
    assert public_address("s3://bucket/a b.png") == "s3://bucket/a b.png"
    assert public_address("file:///home/ada/a.png") == "file://…"


@pytest.mark.parametrize(
    "value", ["pan left", "16:9", "720p", "anime, soft", "acme/dream-v2", "24", "it's", ""]
)
def test_plain_settings(value: str) -> None:
    """What models take as settings is shown."""
    assert is_plain(value)


@pytest.mark.parametrize(
    "value", ["hunter2", "sk-0123456789", "a" * 31, "a=b", "https://a.test/b", "x\n", "1234567"]
)
def test_other_settings(value: str) -> None:
    """A setting that nobody knows may be a secret unless it is made of plain words."""
    assert not is_plain(value)


def test_names_of_secrets() -> None:
    """In each usual spelling, and not in words that only begin alike."""
    assert all(
        map(
            names_a_secret,
            ["apiKey", "api_key", "X-Amz-Signature", "authToken", "auth", "pass", "webhook_url"],
        )
    )
    assert not any(map(names_a_secret, ["keyframes", "author", "design", "passage", "monkey", "campaign"]))


def test_unknown_settings_are_shown_where_they_are_plain() -> None:
    """The allow-list of `extra`, in depth; names are part of it."""
    extra = {
        "camera": {"pan": [1, "left"], "note": S},
        "webhook": {"to": "left"},
        "apiKey": 7,
        f"{S}!": "left",
        "fast": True,
    }
    shown = public_payload(plan(extra=extra).request)
    assert shown["camera"] == {"pan": [1, "left"], "note": f"… ({len(S)} characters)"}
    assert (shown["webhook"], shown["apiKey"], shown["fast"], shown["…"]) == ("…", "…", True, "…")


PRIVATE: list[dict[str, Any]] = [
    *({"prompt": text} for text in HOSTILE + TOKENS),
    *({"negative_prompt": text} for text in HOSTILE),
    *({"labels": {"campaign": text}} for text in HOSTILE),
    {"labels": {"api_key": S}},
    *({"media": {"source_video": text}} for text in (*HOSTILE[:1], *HOSTILE[3:4], *HOSTILE[5:11], *TOKENS[3:6])),
    {"media": {"reference_images": ["data:image/png;base64,iVBORw0KGgo="]}},
    {"media": {"reference_images": ["iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB" * 4]}},
    {"media": {"reference_images": [f"archive:../{S}"]}},
    {"media": {"frame_images": [{"input_image": "/home/ada/secret plans/fox.png"}]}},
    {"extra": {"callback_url": "left"}},
    {"extra": {"a": {"b": [f"https://hook.test/?token={S}"]}}},
    {"resolution": f"https://a.test/?token={S}"},
]  # fmt: skip


@pytest.mark.parametrize("fields", PRIVATE, ids=lambda fields: json.dumps(fields)[:50])
def test_what_is_not_shown_is_in_no_command_and_no_link(fields: dict[str, Any]) -> None:
    """One rule for what a page shows, what it copies and where it leads."""
    video = plan(**fields)
    assert not is_public(video)
    assert commands_of(video, take=2) is None
    assert redo_link(RedoForm(page="http://127.0.0.1:4200/run"), video, take=2) is None
    assert S not in json.dumps(public_payload(video.request))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_card_holds_a_secret(text: str) -> None:
    """Prompt, labels, values of a sweep, message, remarks and the note of a reviewer."""
    video = plan(prompt=text, labels={"campaign": text}, sweep=Sweep(label="line 1", values={"style": text}))
    outcome = VideoOutcome.of_plan(video, VideoState.FAILED, error=f"422: {text}").model_copy(
        update={"notes": (text,)}
    )
    card = card_of(GalleryRow(outcome=outcome, plan=video, note=text), lambda key: None)
    assert S not in repr(card)


@pytest.mark.parametrize("fields", [{"prompt": text} for text in FINE] + [{"labels": {"key": "visual 3"}}])
def test_usual_requests_can_be_made_again(fields: dict[str, Any]) -> None:
    """Nothing that people write every day costs a card its commands."""
    assert is_public(plan(**fields))
    assert commands_of(plan(**fields), take=2) is not None


@pytest.mark.parametrize("part", ["w", "a.", "=", "a:", "?a=", "sk-", "x://", "key", "1a", "data:a,", " ="])
def test_a_long_text_is_read_in_no_time(part: str) -> None:
    """The longest prompt that the API takes, made of what patterns stumble over."""
    begun = time.perf_counter()
    public_text(part * (32_000 // len(part)))
    is_plain(part * 32_000)
    assert time.perf_counter() - begun < 2
