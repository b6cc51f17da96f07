"""Gallery pages with real videos on disk, for the browser tests."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.facts import record_of
from together_video.gallery import About, GalleryRow, relative_link, render_gallery
from together_video.gallery.film import FilmView
from together_video.ledger.layout import Layout
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import StoredObject, Sweep, VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.media.clips import ClipInfo, inspect_clip
from together_video.requests import VideoRequest
from together_video.sandbox.rendering.clip import Clip
from together_video.sandbox.rendering.render import render

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
BATCH = "20260304T093000-0a1b2c"
PAGE = Layout().batch(BATCH, "index.html")
SIZE = {"width": 256, "height": 144}


@cache
def _files(prompt: str, seed: int) -> tuple[bytes, bytes]:
    """A video of two seconds and its poster."""
    clip = Clip(prompt, "acme/dream-1", **SIZE, seconds=2, fps=12, container="MP4", seed=seed, settings="")
    data = render(clip)
    with TemporaryDirectory() as folder:
        file = Path(folder, "clip.mp4")
        file.write_bytes(data)
        return data, inspect_clip(file).poster or b""


def made(
    folder: Path,
    prompt: str,
    *,
    like: str | None = None,
    seed: int = 1,
    model: str = "acme/dream-1",
    cost: str = "0.14",
    seconds: float = 2,
    minute: int = 0,
    sweep: Sweep | None = None,
    labels: dict[str, str] | None = None,
    **marks: Any,
) -> GalleryRow:
    """A row with a real video and poster in the folder, as in the bucket. The clip shows the words `like`."""
    request = VideoRequest.model_validate(
        {"model": model, "prompt": prompt, "seed": seed, "labels": labels or {}, **SIZE}
    )
    plan = VideoPlan(request=request, sweep=sweep)
    video, poster = Layout().media(plan, NOW)
    data, picture = _files(like or prompt, 1 if like else seed)
    (folder / video).parent.mkdir(parents=True, exist_ok=True)
    (folder / video).write_bytes(data)
    (folder / poster).write_bytes(picture)
    digest = hashlib.sha256(data).hexdigest()
    record = record_of(
        plan,
        state="archived",
        job_id="job-42",
        recorded_at=NOW + timedelta(minutes=minute),
        cost_usd=Decimal(cost),
        video=StoredObject(key=video, size=len(data), sha256=digest, content_type="video/mp4"),
        poster=StoredObject(key=poster, size=9, sha256="cd" * 32, content_type="image/jpeg"),
        clip=ClipInfo(seconds=seconds, fps=12, codec="h264", **SIZE),
    )
    outcome = VideoOutcome.of_record(record, VideoState.ARCHIVED, place=ArchivePlace(bucket="b"))
    return GalleryRow(outcome=outcome, record=record, plan=plan, **marks)


def not_made(state: VideoState, prompt: str, error: str) -> GalleryRow:
    plan = VideoPlan(request=VideoRequest(model="acme/dream-1", prompt=prompt))
    return GalleryRow(outcome=VideoOutcome.of_plan(plan, state, error=error), plan=plan)


def write_page(
    folder: Path,
    rows: Sequence[GalleryRow],
    *,
    title: str = "Foxes",
    name: str = "index.html",
    redo: Callable[[VideoPlan], str | None] | None = None,
    film: FilmView | None = None,
) -> Path:
    """The page of these rows, where a batch has it in the bucket."""
    file = folder / Layout().batch(BATCH, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    about = About(batch_id=BATCH, brief="A day of a fox", style="hand-drawn", made_at=NOW)
    if film is not None:
        about = About(batch_id=film.record.id, made_at=film.record.made_at)
    text = render_gallery(
        title,
        rows,
        made_at=NOW,
        summary_sentence=Summary.of(row.outcome for row in rows).sentence,
        link=partial(relative_link, PAGE),
        redo=redo,
        about=about,
        film=film,
    )
    file.write_text(text, encoding="utf-8")
    return file


def sixty(folder: Path) -> list[GalleryRow]:
    """Sixty clips of two models, with two that were not made."""
    prompts = [
        "A fox trots along wet rocks at first light, the camera tracks left",
        "The keeper climbs the spiral stairs, seen from above, lantern in hand, his shadow long behind him",
        "Gulls rise",
    ]
    rows = [
        made(
            folder,
            f"{prompts[number % 3]}, number {number}",
            like=prompts[number % 3],
            model=("acme/dream-1", "beta/vision-2")[number % 2],
            cost=f"0.{10 + number}",
            minute=number,
            labels={"campaign": ("spring", "autumn")[number % 2]},
        )
        for number in range(58)
    ]
    rows.insert(20, not_made(VideoState.FAILED, "an owl at night", "moderation_blocked: not this owl."))
    rows.append(
        not_made(VideoState.AMBIGUOUS, "a bear wakes", "The create had no clear answer. Use --on-ambiguous.")
    )
    return rows


def downloaded(folder: Path, pattern: str) -> Path:
    """The file as soon as it is whole."""
    deadline = time.monotonic() + 30
    while not (found := [file for file in folder.glob(pattern) if file.stat().st_size]):
        assert time.monotonic() < deadline, list(folder.iterdir())
        time.sleep(0.1)
    return found[0]
