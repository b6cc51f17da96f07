"""One video and one fault, and the table of what happened: docs/faults.md."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.session import buying, finishing
from prefect_together_video.tasks.steps import download
from prefect_together_video.tasks.steps.ready_link import download_ready
from tests.faults.places import BucketPlace, FolderPlace, Place
from together_video.errors import VideoError
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
#: Set by `make faults`: the document is written, not compared.
WRITING = bool(os.environ.get("WRITE_FAULTS"))

SECTIONS = {
    "create": "The create: `POST /v2/videos`",
    "retrieve": "The wait: `GET /v2/videos/{id}`",
    "download": "The download",
    "s3": "The bucket",
    "folder": "The folder",
    "machine": "The machine and the process",
    "prefect": "Prefect",
}
_HEAD = (
    "| fault | ends as | what the user reads | in the archive afterwards | billed | the next run |\n"
    "|---|---|---|---|---|---|\n"
)
_INTRODUCTION = """\
# Faults and their effects

Each row is a test in `tests/faults/` that makes one video and causes one fault. The row says what the test found. The
faults of the create, the wait, the download and the machine are tested with a bucket and with a folder, with the same
result. `make faults` writes this page again. `make test-all` fails if it is wrong.

- **ends as**: the state of the video in the run's summary. *archived* and *reused*: the video is there. *refused*,
  *skipped* and *not begun* (the run stopped before any video): it cost nothing. *failed*: the provider gave up, and
  `--retry-failed` buys it again. *ambiguous*: it may have been charged, and is held until you decide. *submitted*: it
  is billed, and a later run archives it. *interrupted* and *killed*: the process ended at this point.
- **in the archive**: files under `inflight/<id>/`, the state in `records/<id>.json`, files under `videos/`. *on this
  machine*: the job id was kept in the spool folder instead.
- **billed**: how many jobs the provider has accepted for this video so far.
- **the next run**: how the same command ends after the fault, and what it still has to do.
"""

_MASKS = (
    (r"PyAV [0-9.]+", "PyAV"),
    (r"https?://127\.0\.0\.1:\d+", "{address}"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{job}"),
    (r"\b[0-9a-f]{24}\b", "{id}"),
    (r"probe-[0-9a-f]{32}", "probe-{id}"),
    (r"\b(videos|absent)-[0-9a-f]{12}\b", "{bucket}"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", "{time}"),
    (r"\d{4}-\d\d-\d\d", "{date}"),
    (r"(?<![\w.])/[\w./-]*/spool\b", "{spool}"),
    (r"(?<![\w.])/[\w./-]*/archive\b", "{folder}"),
    (r"\{id\}-[0-9a-f]{12}\b", "{id}-{job}"),
    (r"\b\d+ bytes", "{n} bytes"),
    (r"expected \d+", "expected {n}"),
    (r"\b\d+ h ago", "{n} h ago"),
    (r"is \d+ minutes (ahead|behind)", "is {n} minutes ahead"),
    (r"\b1[78]\d{8}\b", "{seconds}"),
    (r"\bsandbox-\d{6}\b", "{request}"),
    (r"\b\d+ were announced", "{n} were announced"),
    (r"(\{n\} bytes, )\d+\b", r"\1{n}"),
)


def masked(text: str) -> str:
    """Without what differs from run to run, on one line, as a table's cell."""
    for pattern, word in _MASKS:
        text = re.sub(pattern, word, text)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    section: str
    fault: str
    state: str
    sentence: str
    bucket: str
    billed: int
    following: str

    def line(self) -> str:
        cells = (self.fault, self.state, self.sentence or "—", self.bucket, str(self.billed), self.following)
        return f"| {' | '.join(cells)} |\n"


class Table:
    """Gathers the rows of all tests, and compares each with the document as it comes.

    A fault that is tried with several archives has one row, and all have to agree on it.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        known = {known.fault: known for known in self.rows}.get(row.fault)
        if known is None:
            self.rows.append(row)
        else:
            assert row == known, "the faults need names of their own, or end alike in every archive"
        if not WRITING:
            text = DOCUMENT.read_text(encoding="utf-8")
            assert row.line() in text, (
                f"docs/faults.md does not say so (make faults writes it):\n{row.line()}"
            )

    def render(self) -> str:
        parts = [_INTRODUCTION]
        for section, title in SECTIONS.items():
            rows = [row.line() for row in self.rows if row.section == section]
            parts.append(f"\n## {title}\n\n{_HEAD}{''.join(rows)}")
        return "".join(parts)


@pytest.fixture(scope="session")
def table() -> Table:
    return Table()


@pytest.fixture
def document() -> Path:
    return DOCUMENT


@pytest.fixture
def writing() -> bool:
    return WRITING


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole table can only be looked at once it has all its rows."""
    items.sort(key=lambda item: item.path.name == "test_faults_table.py")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps as they are, with all their retries, and no pause before any of them."""
    steps = ("await_job", "fetch_clip", "store_clip")
    for module, name in ((buying, "buy_video"), *((finishing, name) for name in steps)):
        quick = getattr(module, name).with_options(retry_delay_seconds=0, retry_jitter_factor=0)
        monkeypatch.setattr(module, name, quick)
    passed = [0.0]

    async def sleep(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(
        download, "download_ready", partial(download_ready, clock=lambda: passed[0], sleep=sleep)
    )


class Strikes:
    """What an unruly server does with calls: each rule hits calls by method and piece of the path."""

    def __init__(self) -> None:
        self.rules: list[tuple[str, str, Any, int | None]] = []
        self.struck: Counter[int] = Counter()

    def at(self, method: str, piece: str, verdict: Any, times: int | None = None) -> Strikes:
        """`times` None: for ever. `method` may be "*"."""
        self.rules.append((method, piece, verdict, times))
        return self

    def __call__(self, method: str, path: str, _: dict[str, str]) -> Any:
        for number, (wanted, piece, verdict, times) in enumerate(self.rules):
            if wanted in {method, "*"} and piece in path and (times is None or self.struck[number] < times):
                self.struck[number] += 1
                return verdict() if callable(verdict) else verdict
        return None


def s3_error(status: int, code: str) -> tuple[int, str, dict[str, str]]:
    """An answer as S3 words its errors."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}.</Message></Error>'
    )
    return status, body, {"content-type": "application/xml"}


class Scene:
    """One video, an API, a bucket behind an unruly S3 server, a spool folder."""

    def __init__(
        self,
        start_api: Callable[..., Any],
        s3: Any,
        behind: Place,
        spool: Path,
        request: Any,
    ) -> None:
        self.now = time.time()
        self.place = behind
        self.s3, self.archive, self.spool, self.request = s3, behind.archive, spool, request
        self._start_api = start_api
        self._api: Any = None
        self.takes = 0.0
        self.timeouts: dict[str, float] = {}
        self.deadline = 60.0
        self.base_url: str | None = None

    @property
    def api(self) -> Any:
        """The sandbox; its clock stands still until the fault is gone."""
        if self._api is None:
            self._api = self._start_api(generation_seconds=self.takes, clock=lambda: self.now)
        return self._api

    @property
    def plan(self) -> VideoPlan:
        return VideoPlan(request=self.request)

    def impatient_s3(self, *, endpoint: str | None = None, **config: Any) -> None:
        """Let boto3 make one attempt, so that the steps' own retries are what is seen."""
        given = self.archive.credentials.aws_client_parameters  # type: ignore[union-attr]
        options = {"retries": {"mode": "standard", "total_max_attempts": 1}, **config}
        parameters = type(given)(endpoint_url=endpoint or self.s3.url, config=options)
        credentials = self.archive.credentials.model_copy(update={"aws_client_parameters": parameters})  # type: ignore[union-attr]
        self.archive = self.archive.model_copy(update={"credentials": credentials})

    async def run(self, **parameters: Any) -> tuple[str, str]:
        """The flow's own function: the state of the video and the sentence that the user reads."""
        together = self.api.credentials(**self.timeouts)
        if self.base_url is not None:
            together = together.model_copy(update={"base_url": self.base_url})
        usual = {
            "poll": PollPolicy.fixed(0.02, deadline=self.deadline),
            "together": together,
            "archive": self.archive,
        }
        state = await generate_video.fn(self.request, **{**usual, **parameters})
        return self.told(result_of(state.data))

    @staticmethod
    def told(data: Any) -> tuple[str, str]:
        data = result_of(data)
        if isinstance(data, VideoError):
            return "not begun", data.message
        assert isinstance(data, Summary)
        (outcome,) = data.videos
        return outcome.state.value, outcome.error or ""

    def bucket(self) -> str:
        """What is there, read without the unruly server."""
        keys = self.place.listed()
        records = [key for key in keys if key.startswith("records/")]
        found = {
            "inflight": [
                key.rsplit("/", 1)[1].removesuffix(".json") for key in keys if key[:9] == "inflight/"
            ],
            "records": [json.loads(self.place.read(key))["state"] for key in records],
            "videos": [key.rsplit(".", 1)[1] for key in keys if key[:7] == "videos/"],
            "on this machine": ["job id" for _ in self.spool.glob("*.job.json")],
        }
        parts = (f"{place}: {', '.join(sorted(things))}" for place, things in found.items() if things)
        return "; ".join(parts) or "nothing"

    def end_of_fault(self) -> None:
        """Everything is well again, and a job that was under way is done."""
        self.api.faults()
        self.s3.strike = lambda *_: None
        if isinstance(self.place, BucketPlace):
            self.s3.without = set()
        self.base_url = None
        self.deadline = 60.0
        self.timeouts = {}
        self.now += 7200


@pytest.fixture(scope="session")
def new_behind(new_archive: Callable[..., VideoArchive]) -> Iterator[Callable[..., BucketPlace]]:
    """Makes one bucket on a server, for all rows: the first write into a new one takes a while."""
    clients: list[Any] = []

    def make(url: str, pair: tuple[str, str]) -> BucketPlace:
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), pair, strict=True))
        clients.append(boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys))
        return BucketPlace(url, pair, new_archive(url, pair), clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def moto_behind(moto_url: str, new_behind: Callable[..., BucketPlace]) -> BucketPlace:
    """moto's server, which verifies nothing."""
    return new_behind(moto_url, ("key", "secret"))


@pytest.fixture(scope="session")
def seaweed_behind(seaweed: Any, new_behind: Callable[..., BucketPlace]) -> BucketPlace:
    """SeaweedFS, which verifies what it is sent."""
    return new_behind(seaweed.url, (seaweed.access_key, seaweed.secret_key))


@pytest.fixture
def folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPlace:
    place = FolderPlace(tmp_path / "archive")
    place.disturb(monkeypatch)
    return place


@pytest.fixture
def behind(request: pytest.FixtureRequest) -> Place:
    """A bucket on SeaweedFS; by parameter "moto", on moto's server, or "folder", a folder."""
    return request.getfixturevalue(f"{getattr(request, 'param', 'seaweed')}_behind")


@pytest.fixture
def strikes() -> Strikes:
    return Strikes()


@pytest.fixture
def s3_says(behind: Place) -> Callable[[int, str], Any]:
    """An S3 error, by status and code; of a folder an I/O error."""
    return s3_error if isinstance(behind, BucketPlace) else lambda *_: errno.EIO


@pytest.fixture
def scene(
    at_once: None,
    start_api: Callable[..., Any],
    behind: Place,
    new_unruly: Callable[[str], Any],
    small: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    spool = tmp_path / "spool"
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(spool))
    if isinstance(behind, FolderPlace):
        yield Scene(start_api, behind, behind, spool, small("a fox in the snow"))
        return
    made = Scene(start_api, new_unruly(behind.url), behind, spool, small("a fox in the snow"))
    made.impatient_s3()
    yield made
    for key in behind.listed():
        behind.remove(key)


@pytest.fixture
def expect(scene: Scene, table: Table) -> Callable[..., Any]:
    """Run into the fault, look, let it end, run again: everything must be as the case says.

    `sees` is the state; `reads` a piece of the sentence; `bucket` what lies there; `billed` the jobs
    on the bill; `then` the state of the next run, `work` what it still did. `first` replaces the
    first run, `cure` ends what the test itself has broken.
    """

    async def run(
        section: str,
        fault: str,
        *,
        rules: tuple[dict[str, Any], ...] = (),
        strike: Any = None,
        sees: str,
        reads: str = "",
        bucket: str,
        billed: int = 1,
        then: str,
        work: str = "",
        again: dict[str, Any] | None = None,
        first: Callable[[], Any] | None = None,
        cure: Callable[[], Any] | None = None,
    ) -> None:
        scene.api.faults(*rules)
        if strike is not None:
            scene.s3.strike = strike
        state, sentence = await (first or scene.run)()
        assert state == sees, sentence
        assert reads in sentence if reads else sentence == ""
        lies = scene.bucket()
        assert lies == bucket
        bill = scene.api.bill()
        assert len(bill["jobs"]) == billed
        if isinstance(strike, Strikes):
            assert all(strike.struck[number] for number in range(len(strike.rules))), "a fault never struck"
        scene.end_of_fault()
        if cure is not None:
            cure()
        following, words = await scene.run(**(again or {}))
        assert following == then, words
        after = scene.api.bill()
        done = [
            f"{count} {noun}{'' if count == 1 else 's'}"
            for noun, count in (
                ("create", after["posts"] - bill["posts"]),
                ("download", after["downloads"] - bill["downloads"]),
            )
            if count
        ]
        assert ", ".join(done) == work
        option = "".join(f" with `--{name.replace('_', '-')}`" for name in again or {})
        table.add(
            Row(
                section=section,
                fault=fault,
                state=state,
                sentence=masked(sentence),
                bucket=lies,
                billed=billed,
                following=f"{following}{option}: {', '.join(done) or 'no create, no download'}",
            )
        )

    return run
