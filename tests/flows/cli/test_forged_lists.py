"""Objects that somebody has forged: commands that read the archive never end in a traceback, nor print what a terminal
would obey.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.facts import claim_of, record_of
from together_video.ledger.index import Entry, packed
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest

EVIL = "\x1b]8;;http://evil.example\x07\x1b[2J\x9b31m\r\u202eno\x00\ud800\n\t[red]x[/red]"
BATCH = "20261127T120000-abcdef"
VALUES: list[Any] = [
    EVIL,
    "",
    "x" * 100_000,
    10**400,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    "1e999999999",
    "NaN",
    "9" * 5_000,
    True,
    None,
    [],
    [[]] * 3,
    {},
    {EVIL: EVIL},
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
]
PLAN = VideoPlan(
    request=VideoRequest.model_validate(
        {"model": "minimax/hailuo-02", "prompt": "a fox", "seed": 7, "labels": {"campaign": "spring"}}
    ),
    batch_id=BATCH,
    estimate_usd="0.30",  # type: ignore[arg-type]
)
VIDEO = {"key": "videos/v.mp4", "size": 3, "sha256": "0" * 64, "content_type": "video/mp4"}
CLIP = {"format": "mp4", "seconds": 5, "width": 64, "height": 48, "frames": 2, "fps": 8, "codec": "h264"}
REVIEW = {
    "review": 1,
    "id": PLAN.id,
    "mark": "reject",
    "note": "dark",
    "who": "Ann",
    "at": "2026-11-27T13:00:00Z",
}
REPORT = {
    "title": "Foxes",
    "about": {"title": "Foxes", "batch_id": BATCH, "style": "ink", "models": ["m"]},
    "videos": [
        {
            "id": PLAN.id,
            "state": "archived",
            "model": "m",
            "prompt": "a fox",
            "varies": {"seed": "1"},
            "labels": {},
        },
        {
            "id": "e" * 24,
            "state": "refused",
            "model": "m",
            "prompt": "an owl",
            "error": "no",
            "cost_usd": "1",
        },
    ],
}


def forged(document: Any, values: Sequence[Any] = VALUES) -> Iterator[Any]:
    """The document with each of its fields in turn replaced by each value; and each value by itself."""
    for evil in values:
        for path in _paths(document):
            copy = json.loads(json.dumps(document))
            place = copy
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = evil
            yield copy
        yield evil


def _paths(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        yield (*above, name)
        if isinstance(value, dict | list):
            yield from _paths(value, (*above, name))


def _time(number: int) -> str:
    minutes, seconds = divmod(number, 60)
    return f"20261127T13{minutes:02}{seconds:02}"


def put(folder: Path, key: str, content: Any) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


@pytest.fixture
def look(command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command on the archive, which must say something fit for a terminal."""
    monkeypatch.delenv("DISPLAY", raising=False)

    def run(*words: str) -> Any:
        done = command(*words, "--archive-folder", str(tmp_path / "archive"))
        assert done.code in {0, 1, 2}, words
        for text in (done.out, done.err):
            assert not [letter for letter in text if letter != "\n" and not letter.isprintable()], (
                words,
                text[:500],
            )
            assert "Traceback" not in text
            assert "Unexpected" not in text, text[:500]
        return done

    return run


def record() -> dict[str, Any]:
    made = record_of(
        PLAN, video=VIDEO, job_id="job-1", cost_usd="0.28", claimed_at="2026-11-27T11:00:00Z", notes=["odd"]
    )
    return {
        **made.model_dump(mode="json"),
        "clip": CLIP,
        "error": "none",
        "job": {"id": "job-1", "model": "m"},
    }


def test_forged_facts_are_shown_or_named(look: Callable[..., Any], tmp_path: Path) -> None:
    """Records, claims and job ids, each forged in one of its fields."""
    archive = tmp_path / "archive"
    for number, document in enumerate(forged(record())):
        name = f"{number:024x}"
        if isinstance(document, dict) and document.get("id") == PLAN.id:
            document["id"] = name
        put(archive, f"records/{name}.json", document)
    claim = claim_of(PLAN).model_dump(mode="json")
    for number, document in enumerate(forged(claim)):
        put(archive, f"inflight/{10_000 + number:024x}/claim.json", document)
    put(archive, f"inflight/{PLAN.id}/claim.json", claim)
    facts = {
        "id": PLAN.id,
        "token": "0" * 32,
        "job_id": "j",
        "submitted_at": "2026-11-27T12:00:00Z",
        "answer": {},
    }
    for number, document in enumerate(forged(facts)):
        video = f"{20_000 + number:024x}"
        put(archive, f"inflight/{video}/claim.json", {**claim, "id": video})
        put(archive, f"inflight/{video}/job.json", document)
    look("list", "--videos")
    look("list")
    look("list", "--videos", "--json")
    look("list", "--videos", "--csv", "-")
    for number in (*range(0, 1_000, 97), 10_001, 10_014, 10_050, 20_001, 20_004, 20_020):
        look("show", f"{number:024x}")
        look("open", f"{number:024x}")
    look("show", PLAN.id)


def test_forged_reviews_and_batches(look: Callable[..., Any], tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, f"records/{PLAN.id}.json", record())
    put(archive, "videos/v.mp4", b"mp4")
    for number, document in enumerate(forged(REVIEW)):
        put(archive, f"reviews/{PLAN.id}/{_time(number)}.000000Z-{number:032x}.json", document)
    batches = [f"{_time(number)}-abcdef" for number, _ in enumerate(forged(REPORT))]
    for batch, document in zip(batches, forged(REPORT), strict=True):
        put(archive, f"batches/{batch}/batch.json", document)
    look("list")
    look("list", "--json")
    look("show", PLAN.id)
    look("list", "--videos", "--mark", "reject")
    for batch in batches[::43]:
        look("list", "--batch", batch)
        look("open", batch)
    file = tmp_path / "marks.json"
    marks = {
        "review": 1,
        "batch": BATCH,
        "exported_at": "2026-11-27T13:00:00Z",
        "who": "Ann",
        "marks": [REVIEW],
    }
    for document in list(forged(marks))[::5]:
        file.write_text(json.dumps(document))
        look("review", str(file))


def test_a_forged_index(look: Callable[..., Any], tmp_path: Path) -> None:
    """An index that can be read is believed only for the records that it names, in words that can be printed."""
    archive = tmp_path / "archive"
    put(archive, f"records/{PLAN.id}.json", record())
    stat = (archive / f"records/{PLAN.id}.json").stat()
    made = record_of(PLAN, cost_usd="0.28")
    entry = Entry.of_record(made, f"{PLAN.id}.json", size=stat.st_size, written_at=made.recorded_at)
    entry = entry._replace(written=round(stat.st_mtime * 1_000_000))
    ((name, data),) = packed([entry])
    whole = json.loads(gzip.decompress(data))
    for number, document in enumerate(forged(whole)):
        text = json.dumps(document).encode()
        put(archive, f"index/2026-11/{number:032x}.json.gz", gzip.compress(text))
    put(archive, f"index/2026-11/{name}", gzip.compress(b"[" * 100_000))
    look("list", "--videos")
    look("list", "--videos", "--json")
    look("list")
