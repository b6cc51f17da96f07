"""The operating guide is true: its commands are understood, its numbers measured, its examples read."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from cyclopts import App, CycloptsError
from prefect.cli._app import _app

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.durations import DurationStatistics
from prefect_together_video.flows.__main__ import app
from prefect_together_video.flows.audit import audit_archive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.video import generate_video
from together_video.ledger.audit import Kind
from together_video.ledger.records import Submission, VideoPlan, VideoRecord
from together_video.polling.learner import DurationFacts

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
TOP = Path(__file__).parents[2]
GUIDE = (TOP / "docs" / "operating.md").read_text()
OPERATIONS = ("PUT", "LIST", "POST", "GET", "HEAD", "DELETE")


def blocks(language: str) -> list[str]:
    """The fenced examples in one language, without the margin of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", GUIDE, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{margin}", "", text, flags=re.MULTILINE) for margin, text in found]


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first heading this is, as cells."""
    after = GUIDE.partition(f"\n| {first} |")[2].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in after.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not row[0].startswith("-")]


def commands(program: str) -> Iterator[list[str]]:
    """The words after `program` of each command, in examples and in running text."""
    shell = "\n".join(blocks("sh")).replace("\\\n", " ")
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL))
    for line in [*shell.splitlines(), *(span for span in spans if "…" not in span)]:
        words = shlex.split(line, comments=True)
        if words[:2] == ["docker", "run"]:
            # The image and the command in it have the same name.
            words = words[words.index(program) + 1 :] if program in words else []
        if words[:1] == [program] and words[1:]:
            yield words[1:]


def refusals(program: App, calls: list[list[str]]) -> list[str]:
    found = []
    for words in calls:
        try:
            program.parse_args(words, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            found.append(f"{shlex.join(words)}: {error}")
    return found


def test_every_command_is_one() -> None:
    """Each `together-video …` is taken by the command line, which would refuse an option that it does not have."""
    calls = list(commands("together-video"))
    assert {words[0] for words in calls} >= {
        "generate",
        "collect",
        "audit",
        "spend",
        "save-notifications",
        "models",
        "serve",
        "gallery",
        "share",
    }
    assert len(calls) > 10
    assert refusals(app, calls) == []
    assert len(refusals(app, [["collect", "--wiat", "600"], ["colect"]])) == 2


def test_every_prefect_command_is_one() -> None:
    """Each `prefect …` is taken by Prefect's own command line."""
    calls = [words[words[0] == "--no-prompt" :] for words in commands("prefect")]
    assert {" ".join(words[:2]) for words in calls} >= {
        "gcl create",
        "work-pool create",
        "work-pool set-concurrency-limit",
        "work-pool pause",
        "worker start",
        "block register",
        "server database",
        "deploy --all",
        "deployment schedule",
    }
    assert refusals(_app, calls) == []


def test_files_that_are_named_are_there() -> None:
    """Links, and paths under deployments/."""
    named = set(re.findall(r"\]\(\.\./([^)]+)\)", GUIDE))
    named |= set(re.findall(r"\bdeployments/[\w./-]*\w", GUIDE)) - {"deployments/.env"}
    assert len(named) > 6
    assert [path for path in sorted(named) if not (TOP / path).exists()] == []


def test_lists_are_whole() -> None:
    """Every deployment, event and audit finding has its row, and no row is left over."""
    deployed = yaml.safe_load((TOP / "deployments" / "prefect.yaml").read_text())["deployments"]
    flows = {
        "prefect_together_video.flows.batch.generate_batch": "generate-batch",
        "prefect_together_video.flows.video.generate_video": "generate-video",
        "prefect_together_video.flows.film.generate_film": "generate-film",
        "prefect_together_video.flows.part.generate_part": "generate-part",
        "prefect_together_video.flows.collect.collect_videos": "collect-videos",
        "prefect_together_video.flows.audit.audit_archive": "audit-archive",
        "prefect_together_video.flows.inbox.watch_inbox": "watch-inbox",
        "prefect_together_video.flows.spend.report_spend": "report-spend",
    }
    names = {f"`{flows[entry['entrypoint']]}/{entry['name']}`" for entry in deployed}
    assert {row[0] for row in table("deployment")} == names
    sent = set(
        re.findall(
            r"together-video\.(?:batch|budget|film|month|plan)\.\w+(?=\")",
            (TOP / "flows" / "reporting" / "events.py").read_text(),
        )
    )
    videos = {
        f"together-video.video.{state}"
        for state in ("archived", "failed", "ambiguous", "ambiguous-for-a-day")
    }
    assert {row[0].strip("`") for row in table("event")} == sent | videos
    alerts = yaml.safe_load((TOP / "deployments" / "automations.yaml").read_text())["automations"]
    assert {f"together-video {row[0]}" for row in table("automation")} == {alert["name"] for alert in alerts}
    findings = {word for row in table("finding") for word in re.findall(r"`([\w-]+)`", row[0])}
    assert findings == set(get_args(Kind))


def test_examples_of_the_ledger_can_be_read() -> None:
    """They are what the project itself writes, shortened."""
    given = [json.loads(text) for text in blocks("json")]
    assert len(given) == 3
    facts = [Submission.model_validate(fact) for fact in given if "token" in fact]
    assert {fact.id for fact in facts} == {"dc313648c1c46555d55c9a47", "81d504c9df5f609bcd88a141"}
    (record,) = (VideoRecord.model_validate(fact) for fact in given if "token" not in fact)
    assert (record.state, record.id) == ("archived", record.plan.id)


@pytest.fixture
def archive_at(seaweed: Any, new_archive: Make) -> Make:
    """An archive in a new bucket of a server that verifies checksums, reached by another address."""

    def make(url: str, **fields: Any) -> VideoArchive:
        archive = new_archive(
            seaweed.url, (seaweed.access_key, seaweed.secret_key), prefix="production", **fields
        )
        parameters = archive.credentials.aws_client_parameters.model_copy(update={"endpoint_url": url})
        credentials = archive.credentials.model_copy(update={"aws_client_parameters": parameters})
        return archive.model_copy(update={"credentials": credentials})

    return make


async def test_what_s3_is_asked_for(
    watch: Make,
    seaweed: Any,
    archive_at: Make,
    api: Any,
    poll: Any,
    small: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of requests, measured on the wire; what other tests have left in their spool is not looked for."""
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "spool"))
    seen = watch(seaweed.url)

    async def counted(archive: VideoArchive, flow: Any, **given: Any) -> Counter[str]:
        together = {} if flow is audit_archive else {"together": api.credentials()}
        state = await flow.fn(**together, **given, archive=archive)
        assert state.is_completed(), state.message
        return Counter(call.operation for call in seen.calls(archive.bucket))

    def video(name: str) -> dict[str, Any]:
        return {"request": small(name), "poll": poll}

    archive = archive_at(seen.url)
    await counted(archive, generate_video, **video("first: it writes store.json"))
    start = (
        again := await counted(archive, generate_video, **video("first: it writes store.json"))
    ) - Counter(GET=1)
    async with archive.open() as ledger:
        kept = await ledger.store.list(ledger.layout.models(""))
        await ledger.store.delete(found.key for found in kept)
    seen.calls(archive.bucket)
    of_a_day = await counted(archive, generate_video, **video("first: it writes store.json")) - again
    one = await counted(archive, generate_video, **video("a fox")) - start
    listed = [small("one"), small("two")]
    page = await counted(archive, generate_batch, requests=listed, poll=poll) - start - one - one
    rebuilt = await counted(archive, collect_videos)
    idle = await counted(archive, collect_videos)
    inbox = await counted(archive, watch_inbox)
    audits = [
        await counted(archive, audit_archive, **given)
        for given in ({}, {}, {"full": True}, {"deep": True, "full": True})
    ]
    # Else it would wait for as long as a video usually takes.
    quick = DurationFacts(
        model=small("an owl").model, written_at=datetime(2026, 1, 1, tzinfo=UTC), seconds=(1.0,) * 30
    )
    async with archive.open() as ledger:
        await DurationStatistics(ledger.store, ledger.layout).keep(quick)
    seen.calls(archive.bucket)
    learning = await counted(archive, generate_video, request=small("an owl")) - start - one
    limited = archive_at(seen.url, monthly_limit_usd=100)
    await counted(limited, generate_video, **video("first: it writes store.json"))
    # It makes the index, of which each further video adds an object.
    await counted(limited, collect_videos)
    bounded = await counted(limited, generate_video, **video("a fox")) - start - one
    both = await counted(limited, generate_batch, requests=listed, poll=poll, in_flight=1)
    each = both - start - page - one - one - bounded - Counter(GET=1)

    def row(counts: Counter[str]) -> list[str]:
        return [str(counts[name]) for name in OPERATIONS]

    # The archive holds four videos by then, and the index one object, which is replaced where a line has changed.
    first, nothing_new, full, deep = audits
    listings, changed = Counter(LIST=nothing_new["LIST"]), Counter(PUT=1, DELETE=1)
    # The first also writes that the index is complete.
    of_four = first - nothing_new - changed - Counter(PUT=1)
    assert full == nothing_new + of_four
    every, every_deep = (
        Counter({name: number // 4 for name, number in counts.items()})
        for counts in (of_four, deep - listings - changed)
    )
    assert again == start + Counter(GET=1)
    assert [cells[1:] for cells in table("what | PUT")] == [
        row(start),
        row(of_a_day),
        row(one),
        row(each),
        row(bounded - each),
        row(learning),
        row(again - start),
        row(page),
        row(idle),
        # It reads the line and the record of each of the four videos, as no line says what the listing does.
        row(rebuilt - idle - Counter(GET=8)),
        row(inbox),
        row(nothing_new),
        row(changed),
        row(every),
        row(every_deep),
    ]


async def test_a_job_id_that_is_written_down_by_hand_is_brought_home(
    archive: VideoArchive, s3_client: Any, api: Any, small: Make
) -> None:
    """What the guide advises for an ambiguous video that was charged: nothing is bought, and the video is archived."""
    async with archive.open() as ledger:
        plan = VideoPlan(request=small("an owl"))
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.ambiguous(claim, None)
        async with api.credentials().get_client() as client:
            job = await client.create(plan.request)
        advised = next(fact for text in blocks("json") if "BILL" in json.dumps(fact := json.loads(text)))
        body = {**advised, "id": claim.id, "token": claim.token, "job_id": job.id}
        key = ledger.layout.job(claim.id)
        s3_client.put_object(Bucket=archive.bucket, Key=key, Body=json.dumps(body).encode(), IfNoneMatch="*")
        state = await collect_videos.fn(wait=20, together=api.credentials(), archive=archive)
        assert state.is_completed(), state.message
        record = await ledger.record(claim.id)
    assert record is not None
    assert (record.state, record.job_id) == ("archived", job.id)
    assert api.posts == 1
