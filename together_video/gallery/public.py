"""Which parts of a request and its outcome may appear on a page, in a command that it offers, or in a link.

All three follow this one rule, so a page never copies what it does not show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from together_video.gallery.public_text import (
    GONE,
    inline,
    is_name,
    is_plain,
    names_a_secret,
    public_address,
    public_text,
)
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoOutcome
from together_video.media.sources import REFERENCE, MediaForm, form_of, with_media
from together_video.requests import VideoRequest

#: Longest text of a request, in characters. Longer ones are cut.
_VALUE_SHOWN = 2_000
#: Fields in which people write sentences. Other fields, apart from `extra`, are words and numbers.
_PROSE = {"prompt", "negative_prompt"}


def public_payload(request: VideoRequest) -> dict[str, Any]:
    """The JSON that was sent, with an ellipsis for each value that may be a secret or is too long to show."""
    return {name: _cut(value) for name, value in _public(request).items()}


def is_public(plan: VideoPlan) -> bool:
    """Whether a page may show all of the request, its labels and its edition."""
    request = plan.request
    texts = {**request.labels, "edition": plan.edition}
    return public_labels(texts) == texts and _public(request) == request.payload()


def public_outcome(outcome: VideoOutcome) -> VideoOutcome:
    """The outcome, with the texts that others wrote made safe for a page."""
    changed = {
        "prompt": outcome.prompt and public_text(outcome.prompt),
        "error": outcome.error and public_text(outcome.error),
        "notes": tuple(map(public_text, outcome.notes)),
        "labels": public_labels(outcome.labels),
        "varies": public_labels(outcome.varies),
    }
    return outcome.model_copy(update=changed)


def public_labels(values: Mapping[str, str]) -> dict[str, str]:
    """Names and values that people chose, made safe for a page: labels, and what varies in a sweep."""
    return {
        name: public_text(text) if is_plain(text) or not names_a_secret(name) else GONE
        for name, text in values.items()
    }


def public_setting(value: Any) -> Any:
    """An unknown value, reduced to numbers, switches and plain words, alone or in lists and objects."""
    if isinstance(value, dict):
        return {
            (name if is_name(name) else GONE): public_setting(inner)
            if is_name(name) and not names_a_secret(name)
            else GONE
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [public_setting(inner) for inner in value]
    if isinstance(value, str):
        return value if is_plain(value) else f"{GONE} ({len(value):,} characters)"
    return value if value is None or isinstance(value, bool | int | float) else GONE


def _public(request: VideoRequest) -> dict[str, Any]:
    own = request.model_copy(update={"extra": {}})
    payload = with_media(own, lambda _, text: _medium(text)).payload()
    known = {
        name: value if name in {"media", *_PROSE} or not isinstance(value, str) else public_text(value)
        for name, value in payload.items()
    }
    prose = {name: public_text(payload[name]) for name in _PROSE if name in payload}
    return {**known, **prose, **public_setting(request.extra)}


def _medium(text: str) -> str:
    match form_of(text):
        case MediaForm.LINK | MediaForm.S3:
            return public_address(text)
        case MediaForm.INLINE:
            return inline(text)
        case MediaForm.HANDLE:
            return text
        case MediaForm.REFERENCE:
            return text if REFERENCE.fullmatch(text) else GONE
    if "://" in text:
        return public_address(text)
    # Where people keep their files is private.
    is_relative = not re.match(r"[/\\~]|[A-Za-z][\w+.-]*:", text)
    name = public_text(text if is_relative else re.split(r"[/\\]", text)[-1])
    return name if is_relative else f"{GONE}/{name}"


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(inner) for inner in value]
    if isinstance(value, str) and len(value) > _VALUE_SHOWN:
        return f"{value[:_VALUE_SHOWN]}{GONE} ({len(value):,} characters)"
    return value
