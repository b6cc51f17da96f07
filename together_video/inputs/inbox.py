"""Files that others put into the archive under `<prefix>/inbox/`: their content, and what became of them.

    inbox/<name>                     waits
    inbox/done/<time>-<name>         was processed; its summary is beside it
    inbox/refused/<time>-<name>      cannot be used; the reason is beside it
    inbox/tried/<mark>-<number>      a failed try at a waiting file; see `MOST_TRIES`

A file has requests in any format of `files`, or a brief: a JSON object with a `subject`. `film.inbox` reads
storyboards. Local paths are refused: anyone who can write to the bucket could otherwise read files of this machine.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from together_video.catalogue import Catalogue, Review
from together_video.errors import InputError
from together_video.inputs.fallbacks import first_made, with_tries
from together_video.inputs.files import read_requests
from together_video.inputs.lines import SourcedRequest
from together_video.inputs.presets import make_request
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary
from together_video.media.sources import refuse_paths
from together_video.money import usd
from together_video.prompts.briefs import Brief
from together_video.text import printable
from together_video.tries import Tries
from together_video.validation_messages import explain

FOLDER = "inbox"
DONE: Final = "done"
REFUSED: Final = "refused"
TRIED: Final = "tried"
#: A file is refused after this many errors that are not known to be temporary.
MOST_TRIES = 5
#: Largest file that is read from an inbox, in bytes: 10,000 requests fit easily.
LARGEST = 16 * 1024 * 1024
#: Longest file name and suffix, in bytes; a moved file's name is cut to this, so that it fits into 255 with the time.
_NAME, _SUFFIX = 200, 16


class Order(BaseModel):
    """The order in a file: a brief with settings that its videos share, or requests."""

    model_config = ConfigDict(frozen=True)

    brief: Brief | None = None
    settings: dict[str, Any] | None = None
    requests: tuple[SourcedRequest, ...] = ()


class InboxRow(BaseModel):
    """What became of one file. `kept`: it waits for the next run, because the problem may be temporary. `moved_to` is
    its new key; the reason or the summary is beside it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    state: Literal["done", "refused", "kept"]
    message: str
    moved_to: str | None = None
    summary: Summary | None = None

    @property
    def sentence(self) -> str:
        """`prompts.jsonl: refused, moved to inbox/refused/…: 2 of 3 lines cannot be used; nothing was sent.`"""
        name = printable(self.name)
        words = "; ".join(line.strip() for line in self.message.removeprefix(f"{name}: ").splitlines())
        place = f", moved to {printable(self.moved_to)}" if self.moved_to else ""
        return f"{name}: {self.state}{place}: {words}"


class InboxReport(BaseModel):
    """The result of one run over the inbox."""

    model_config = ConfigDict(frozen=True)

    files: tuple[InboxRow, ...]

    @property
    def is_good(self) -> bool:
        """Every file was used, and every video of it is in the archive."""
        return all(row.state == "done" and row.summary and row.summary.is_good for row in self.files)

    @property
    def sentence(self) -> str:
        """`3 files: 2 done, 1 refused`"""
        if not self.files:
            return "the inbox is empty"
        states = [row.state for row in self.files]
        parts = [f"{states.count(s)} {s}" for s in ("done", "refused", "kept") if s in states]
        return f"{len(states)} {'file' if len(states) == 1 else 'files'}: {', '.join(parts)}"


def waiting(keys: Iterable[str], folder: str) -> list[str]:
    """The keys of waiting files: those directly under `folder` (which ends with a slash)."""
    return [
        key for key in keys if key.startswith(folder) and (rest := key[len(folder) :]) and "/" not in rest
    ]


def mark_of(name: str, etag: str | None) -> str:
    """The mark under which the tries of one version of a file are counted."""
    return hashlib.sha256(f"{name}\n{etag}".encode("utf-8", "replace")).hexdigest()[:24]


def moved_name(name: str, moment: datetime) -> str:
    """The name of a moved file. The time keeps files of the same name apart."""
    path = PurePosixPath(name)
    suffix = path.suffix.encode("utf-8", "replace")[:_SUFFIX].decode(errors="ignore")
    stem = path.stem.encode("utf-8", "replace")[: _NAME - len(suffix.encode())].decode(errors="ignore")
    return f"{moment:%Y%m%dT%H%M%S}-{stem}{suffix}"


def read_order(
    name: str,
    data: bytes,
    *,
    limit_usd: float | None = None,
    usual: Tries = Tries(),  # noqa: B008 - frozen
) -> Order:
    """The order in the file, checked.

    Args:
        limit_usd: the most that it may cost, in US dollars, by the highest estimate: with every attempt, from every
            model that may take over.
        usual: the attempts and fallback models of requests that do not set them.

    Raises:
        InputError: the file cannot be used; the message explains everything.
    """
    order = _brief(data) or Order(requests=tuple(_requests(name, data)))
    _within(order, limit_usd, usual)
    return order


def _brief(data: bytes) -> Order | None:
    """A brief, if the file is one JSON object with a subject."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "subject" not in value:
        return None
    settings = value.pop("settings", None)
    if settings is not None and not isinstance(settings, dict):
        raise InputError("settings: must be an object of request fields.")
    try:
        brief = Brief.model_validate(value)
    except ValidationError as error:
        raise InputError("\n".join(f"{line}." for line in explain(error, Brief))) from error
    return Order(brief=brief, settings=settings)


def _requests(name: str, data: bytes) -> list[SourcedRequest]:
    suffix = PurePosixPath(name).suffix[:16]
    with tempfile.TemporaryDirectory(prefix="together-video-inbox-") as folder:
        path = Path(folder) / f"file{suffix if suffix.isascii() and suffix.isprintable() else ''}"
        path.write_bytes(data)
        try:
            return read_requests(path, None, Catalogue.load().default_model.name)
        except InputError as error:
            raise InputError(error.message.replace(str(path), printable(name))) from error


def _within(order: Order, limit_usd: float | None, usual: Tries) -> None:
    """Refuse orders that name a local file, can only fail, or cost too much."""
    requests = [found.request for found in order.requests]
    count = 1
    if order.brief is not None:
        count = order.brief.count
        model = order.brief.model or Catalogue.load().default_model.name
        fields: dict[str, Any] = {"model": model}
        if order.brief.seconds is not None:
            fields["seconds"] = order.brief.seconds
        requests = [make_request({**fields, **(order.settings or {}), "prompt": "to come"})[0]]
    refuse_paths(requests)
    tries = [found.tries.over(usual) for found in order.requests] or [usual]
    first = [
        first_made(request, one.fallback_models or ()) for request, one in zip(requests, tries, strict=True)
    ]
    review = Review.of(first, chosen=[found.chosen for found in order.requests] or None)
    review.refuse_errors()
    prices = [found.estimate.usd for found in review.requests]
    plans, _ = with_tries(plan_videos(requests, prices=prices), tries)
    refuse_above(limit_usd, plans, count)


def refuse_above(limit_usd: float | None, plans: Sequence[VideoPlan], count: int = 1) -> None:
    """Raises InputError: these plans, so many times, may cost more than the limit for a file, or their price is
    unknown.
    """
    if limit_usd is None:
        return
    limit = Decimal(str(limit_usd))
    for plan in plans:
        for one in plan.chain:
            if one.estimate_usd is None:
                raise InputError(
                    f"{one.request.model} has no known price, so the limit of {usd(limit)} per file cannot be checked."
                )
    cost = sum((plan.most_usd or Decimal(0) for plan in plans), Decimal(0)) * count
    if cost > limit:
        raise InputError(f"It may cost {usd(cost)}, but the limit per file is {usd(limit)}.")
