"""Every parser of what others write, with arbitrary input: a value or its own error, soon, in little memory."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import StoredBytes
from prefect_together_video.flows.cli.galleries.gallery_export import _Batch
from prefect_together_video.tasks.job_ref import VideoJobRef
from tests.facts import claim_of, record_of
from together_video.api.responses import Answer
from together_video.catalogue.live import LiveModels, live_models
from together_video.catalogue.own import with_own_models
from together_video.errors import ArchiveError, ConfigurationError, InputError, VideoError
from together_video.inputs.files import parse_requests
from together_video.inputs.inbox import read_order
from together_video.inputs.rows import RowFormat
from together_video.jobs import VideoJob
from together_video.ledger.index import Entry, unpacked
from together_video.ledger.records import Ambiguity, Submission, VideoPlan
from together_video.ledger.reviews import Mark, parse_review, stored_mark
from together_video.media.sources import form_of, inline_bytes, path_of
from together_video.network.trusted_hosts import TrustedHosts
from together_video.polling.learner import DurationFacts
from together_video.prompts import Brief, PromptSet
from together_video.prompts.reading import read_prompts
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PLAN = VideoPlan(request=VideoRequest(model="minimax/hailuo-02", prompt="a fox in the snow"))
CLAIM = claim_of(
    PLAN,
    claimed_at=NOW,
)
FACTS: list[Any] = [
    CLAIM,
    Submission(id=PLAN.id, token="0" * 32, job_id="j", submitted_at=NOW, answer={"id": "j"}),
    Ambiguity(id=PLAN.id, token="0" * 32, found_at=NOW, reason="no answer"),
    record_of(PLAN, state="failed", recorded_at=NOW, error="refused"),
]
BATCH = {
    "batch_id": "b",
    "title": "Kites",
    "brief": "kites over a bay",
    "run_url": "https://prefect.test/runs/flow-run/1",
    "made_at": NOW.isoformat(),
    "videos": [{"id": PLAN.id, "state": "archived", "model": "m", "key": "videos/v.mp4"}],
}
ORDER = {"subject": "a lighthouse", "count": 2, "settings": {"model": "minimax/hailuo-02", "seconds": 6}}
LINE = {
    "model": "minimax/hailuo-02",
    "prompt": "a fox",
    "frame_images": [{"input_image": "https://a.test/b.png"}],
}
JOB = {"id": "j", "status": "completed", "outputs": {"cost": 0.28, "video_url": "https://a.test/v.mp4"}}
CHAT = {"choices": [{"message": {"content": json.dumps({"prompts": ["one fox", "two owls"]})}}]}
OWN = {"models": [{"name": "me/mine", "tasks": ["text"]}], "default_model": "me/mine"}

MARK = Mark.model_validate(
    {"id": PLAN.id, "mark": "reject", "note": "too dark", "at": "2026-11-26T21:00:00Z"}
)
REVIEW = {"review": 1, "batch": None, "who": "Ann", "marks": [json.loads(MARK.content)]}
LINE_OF_INDEX = Entry.of_record(FACTS[3], f"{PLAN.id}.json", size=9, written_at=NOW)
INDEX = {**{name: [value] for name, value in LINE_OF_INDEX._asdict().items()}, "index": 2}

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def mutated(document: Any) -> st.SearchStrategy[bytes]:
    """The bytes of a document that is right, changed: cut, with other bytes in it, or with another value somewhere."""
    right = json.dumps(document).encode()

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        how = draw(st.integers(0, 3))
        if how == 0:
            return right[: draw(st.integers(0, len(right)))]
        if how == 1:
            place = draw(st.integers(0, len(right)))
            return right[:place] + draw(st.binary(max_size=6)) + right[place + draw(st.integers(0, 4)) :]
        other = json.loads(right)
        places: list[tuple[Any, Any]] = []

        def walk(value: Any) -> None:
            for name in (
                value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
            ):
                places.append((value, name))
                walk(value[name])

        walk(other)
        if places:
            holder, name = draw(st.sampled_from(places))
            holder[name] = draw(JSON)
        return json.dumps(other).encode("utf-8", "surrogatepass")

    return made() | st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())


class _Store:
    def uri(self, key: str) -> str:
        return f"s3://b/{key}"


def fact_of(kind: type[Any], data: bytes) -> None:
    ledger = Ledger.__new__(Ledger)
    ledger.store = _Store()  # type: ignore[assignment]
    stored = StoredBytes(data=data, written_at=datetime.now(UTC), age_seconds=1)
    try:
        fact = ledger._decoded(f"inflight/{PLAN.id}/claim.json", kind, stored)
    except ArchiveError:
        return
    assert fact.id == PLAN.id


def decoded(data: bytes) -> Any:
    """JSON as the client decodes an answer of the API. None if it is not JSON."""
    try:
        return Answer(200, None, data).json()  # type: ignore[arg-type]
    except (ValueError, RecursionError):
        return None


def job_of(data: bytes) -> None:
    try:
        job = VideoJob.from_json(decoded(data))
    except ValueError:
        return
    assert len(job.model_dump_json()) < 400_000


def prompts_of(data: bytes) -> None:
    read_prompts(decoded(data), Brief(subject="x", count=2), 500, negative_limit=100)


def batch_of(data: bytes) -> None:
    try:
        batch = _Batch.model_validate_json(data)
    except ValidationError:
        return
    rows, about = batch.videos, batch.about
    assert len(about.title or "") <= 4_000
    assert not about.run_url or about.run_url.startswith(("http://", "https://"))
    assert not any(row.key and (row.key.startswith("/") or ".." in row.key.split("/")) for row in rows)


def order_of(data: bytes) -> None:
    for name in ("x.jsonl", "x.json", "x.csv", "x.txt", "x"):
        with suppress(InputError):
            read_order(name, data, limit_usd=10)


def own_of(data: bytes, folder: Path) -> None:
    file = folder / "models.json"
    file.write_bytes(data)
    packaged = {"models": [], "sources": {}, "general": {}, "default_model": "x"}
    with suppress(ConfigurationError):
        with_own_models(packaged, str(file))


def marks_of(data: bytes) -> None:
    with suppress(InputError):
        assert all(mark.note.isprintable() for mark in parse_review(data, "marks.json", now=NOW))


def mark_of(data: bytes) -> None:
    with suppress(ValueError):
        stored_mark(MARK.id, MARK.object_name, data)


def index_of(data: bytes) -> None:
    for packed in (data, gzip.compress(data)):
        with suppress(ValueError):
            assert all(len(line) == len(Entry._fields) for line in unpacked(packed))


def simple(kind: Any) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with suppress(ValidationError):
            kind.model_validate_json(data)

    return read


def lists_of(data: bytes) -> None:
    answer = decoded(data)
    live_models(answer, answer, NOW)


def ref_of(data: bytes) -> None:
    with suppress(InputError):
        VideoJobRef.of(decoded(data))


PARSERS: dict[str, tuple[Any, Callable[[bytes], None]]] = {
    **{
        type(fact).__name__: (json.loads(fact.model_dump_json()), partial(fact_of, type(fact)))
        for fact in FACTS
    },
    "batch.json": (BATCH, batch_of),
    "a file of marks": (REVIEW, marks_of),
    "a mark": (json.loads(MARK.content), mark_of),
    "the index": (INDEX, index_of),
    "a brief in the inbox": (ORDER, order_of),
    "a line in the inbox": (LINE, order_of),
    "an answer of the API": (JOB, job_of),
    "an answer of a chat model": (CHAT, prompts_of),
    "statistics": ({"model": "m", "seconds": [1.0], "written_at": NOW.isoformat()}, simple(DurationFacts)),
    "models of a day": (
        {"models": [{"name": "m", "status": "hidden", "price_usd": "0.1"}], "read_at": NOW.isoformat()},
        simple(LiveModels),
    ),
    "lists of models": (
        {
            "data": [
                {
                    "id": "m",
                    "type": "video",
                    "pricing": {"video": {"example_price": 0.1}},
                    "status": "X_HIDDEN",
                }
            ]
        },
        lists_of,
    ),
    "prompts of a brief": ({"id": "x", "prompts": ["a"]}, simple(PromptSet)),
    "an event's brief": (ORDER, simple(Brief)),
    "an event's request": (LINE, simple(VideoRequest)),
    "a reference to a job": (
        {"video_id": PLAN.id, "state": "submitted", "title": "", "model": "m", "location": "x"},
        ref_of,
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_anything_is_a_value_or_the_parsers_own_error(name: str) -> None:
    document, parse = PARSERS[name]

    @given(mutated(document))
    @settings(max_examples=60, derandomize=True, deadline=None)
    def holds(data: bytes) -> None:
        parse(data)

    parse(json.dumps(document).encode())
    holds()


@given(mutated(OWN))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_catalogue_file_is_taken_or_named(tmp_path_factory: Any, data: bytes) -> None:
    own_of(data, tmp_path_factory.getbasetemp())


SIZE = 120_000
LARGE = {
    "brackets": b"[" * SIZE,
    "braces": b'{"a":' * (SIZE // 5),
    "digits": b"9" * SIZE,
    "an exponent": b"1e" + b"9" * SIZE,
    "escapes": b'"' + b"\\u0000" * (SIZE // 6) + b'"',
    "quotes": b'"' * SIZE,
    "commas": b"," * SIZE,
    "spaces": b" " * SIZE,
    "line ends": b"\r\n" * (SIZE // 2),
    "zeros": b"\0" * SIZE,
    "one line": b"a" * SIZE,
    "equal names": b"{" + b",".join([b'"a":1'] * (SIZE // 6)) + b"}",
    "many names": json.dumps({f"n{number}": number for number in range(SIZE // 16)}).encode(),
    "no text": b"\xff\xfe" * (SIZE // 2),
    "backslashes": b"\\" * SIZE,
    "halves": b'"' + b"\\ud83e" * (SIZE // 6) + b'"',
}


@pytest.mark.parametrize("shape", LARGE)
@pytest.mark.parametrize("name", PARSERS)
def test_what_is_large_takes_little_time_and_memory(name: str, shape: str) -> None:
    """Nothing takes a time that grows faster than its length, nor many times its length in memory."""
    _, parse = PARSERS[name]
    tracemalloc.start()
    begin = time.process_time()
    try:
        parse(LARGE[shape])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < 20
    assert peak < 150_000_000


@given(st.text(max_size=80))
@settings(derandomize=True, deadline=None)
def test_any_text_under_media_has_a_form(text: str) -> None:
    for read in (form_of, path_of, inline_bytes):
        with suppress(InputError):
            read(text)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
@settings(derandomize=True, deadline=None)
def test_any_list_of_hosts_is_read_or_named(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch, suppress(ConfigurationError):
        patch.setenv("TOGETHER_VIDEO_TRUSTED_HOSTS", text)
        TrustedHosts.from_env()


@given(st.text(max_size=300))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_any_text_is_a_list_or_an_error(text: str) -> None:
    with suppress(VideoError):
        parse_requests(text, RowFormat.TEXT, "list")
