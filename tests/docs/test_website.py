"""The website: it builds without warnings, has a place for every public name, and agrees with the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import prefect_together_video as package
from docs.reference.docstrings import as_markdown, items, sections
from docs.reference.pages import errors_of, generated_pages
from docs.reference.schemas import schemas
from prefect_together_video.flows.reporting import events
from together_video import errors
from together_video.film.summary import FilmSummary
from together_video.ledger.alerts import MonthReached
from together_video.ledger.approval import Proposal
from together_video.ledger.audit import AuditReport, SpentRow
from together_video.ledger.bought import Bought, Money
from together_video.ledger.forecast import Fate, Forecast
from together_video.ledger.records import VideoPlan
from together_video.ledger.spend import Grouping, Period, Spending
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.requests import VideoRequest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)")


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build as `make docs` does, without network access."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=folder,
        env={**os.environ, **nowhere, "PYTHONPATH": ".", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_website_builds(tmp_path: Path) -> None:
    """Every page exists, every public name has an anchor, and nothing is loaded from other sites."""
    done = build(ROOT, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")}
    for name in package.__all__:
        assert any(f'id="{name}"' in text for text in pages.values()), name
    for name, text in pages.items():
        loaded = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"', text)
        assert loaded == [], name


@pytest.mark.slow
@pytest.mark.parametrize("link", ["no-such-page.md", "reference/tasks.md#no_such_task"])
def test_a_broken_link_fails_the_build(tmp_path: Path, link: str) -> None:
    """A link to a missing page, and one to a heading that no generated page has."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy)
    (copy / "deployments").mkdir()
    shutil.copy(ROOT / "deployments/iam-policy.json", copy / "deployments")
    with (copy / "docs/index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[broken]({link})\n")
    done = build(copy, tmp_path / "site")
    assert done.returncode != 0
    assert link.rpartition("#")[2] in done.stderr


def test_every_public_name_and_every_error_is_on_a_page() -> None:
    """As a heading, or as the second name of one."""
    text = "\n".join(generated_pages().values())
    names = [*package.__all__, *(kind.__name__ for kind in errors_of(errors))]
    assert [
        name for name in names if f"{{ #{name} }}" not in text and f'<span id="{name}">' not in text
    ] == []


def test_every_parameter_is_explained() -> None:
    """No row of a parameter table is empty at its end."""
    for name in ("reference/tasks.md", "reference/flows.md"):
        rows = [line for line in generated_pages()[name].splitlines() if line.startswith("| `")]
        assert len(rows) > 30
        assert [row for row in rows if row.rstrip(" |").endswith(("`", "required"))] == []


def test_a_docstring_becomes_markdown() -> None:
    """Text, lists of errors and code. Unindented text after a section is plain text again."""
    docstring = """First.

    Args:
        one: what it
            is.

    Raises:
        ValueError, TypeError: it
            is wrong.

    Example:
        ```python
        print(1)
        ```

    Last.
    """
    found = dict(sections(docstring))
    assert list(items(found["Args"])) == [("one", "what it is.")]
    shown = as_markdown(docstring)
    assert "- `ValueError`, `TypeError`: it is wrong." in shown
    assert "```python\nprint(1)\n```" in shown
    assert shown.startswith("First.")
    assert shown.endswith("Last.")
    assert "what it is" not in shown


def outcome(state: VideoState, **more: Any) -> VideoOutcome:
    plan = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
    return VideoOutcome.of_plan(plan, state).model_copy(update=more)


def test_documents_are_what_their_schemas_say() -> None:
    """With costs and without. The schemas refuse other documents."""
    videos = [
        outcome(VideoState.ARCHIVED, cost_usd=Decimal("0.28"), size=7),
        outcome(VideoState.FAILED, error="no"),
    ]
    summary = Summary.of(videos)
    known = schemas()
    jsonschema.validate(json.loads(json.dumps(summary.as_json())), known["summary"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**summary.as_json(), "cost_usd": "0.28"}, known["summary"])
    batch = {"batch_id": "b", "title": "t", "made_at": "2026-01-01T00:00:00Z", **summary.as_json()}
    jsonschema.validate(batch, known["batch"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(summary.as_json(), known["batch"])
    spent = SpentRow(month="2026-01", model="m", videos=1, failed=0, cost_usd=Decimal("0.28"), unreported=0)
    report = AuditReport(
        location="s3://b/",
        bucket="b",
        records=1,
        verified_before=0,
        objects=1,
        bytes=7,
        in_flight=0,
        findings=(),
        spent=(spent,),
    )
    jsonschema.validate(report.as_json(), known["audit"])
    spending = Spending(Grouping.parse("day"), Period(), month="2026-11")
    jsonschema.validate(spending.report("s3://b/").as_json(), known["spend"])
    spending.add(
        Bought("v", datetime(2026, 11, 27, tzinfo=UTC), "m", Money.PAID, Decimal("0.28"), is_clip=True)
    )
    whole = spending.report("s3://b/", limit_usd=Decimal(5), unreadable=["records/x.json"]).as_json()
    jsonschema.validate(json.loads(json.dumps(whole)), known["spend"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole, "month": {}}, known["spend"])
    for schema in known.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def table_of(heading: str) -> set[str]:
    """The names in the first column of the table below a heading of the page of events."""
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    part = text.split(f"\n{heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)`", part, re.MULTILINE))


def test_the_page_of_events_has_every_event_and_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the code emits them."""
    emitted: dict[str, dict[str, Any]] = {}
    emit: Callable[..., None] = lambda event, resource, payload: emitted.update({event: payload})  # noqa: E731
    monkeypatch.setattr(events, "_emit", emit)
    plan = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
    for state in VideoState:
        events.video_ended(plan, outcome(state))
    events.batch_finished("b", "t", Summary.of([]), "bucket")
    events.film_finished("b", "t", FilmSummary(videos=()), "bucket")
    events.budget_reached(plan, "nothing left")
    events.month_reached(MonthReached("2026-11", 80, Decimal(16), Decimal(20)))
    events.ambiguous_for_days(outcome(VideoState.AMBIGUOUS), 1)
    proposal = Proposal(run="r", batch_id="b", title="t", plans=(plan,), until=datetime.now(UTC))
    events.approval_wanted(proposal, Forecast.of([plan], [Fate.BUY]))
    assert table_of("Events can be lost with the Prefect server. The archive is what counts.") == set(emitted)
    for event, fields in emitted.items():
        kind = "doubt" if event.endswith("-for-a-day") else event.split(".")[1]
        assert table_of(f"## Payload of a {kind}") == set(fields), event


def test_the_links_of_llms_txt_exist() -> None:
    """It has a title, a summary, sections with one line per link, and every example and page of docs/."""
    text = (ROOT / "llms.txt").read_text(encoding="utf-8")
    assert re.match(r"# [\w-]+\n\n> \S", text)
    links = LINK.findall(text)
    assert [link for link in links if not (ROOT / link).is_file()] == []
    listed = text.split("## Docs", 1)[1]
    lines = [line for line in listed.splitlines() if line and not line.startswith("##")]
    assert [line for line in lines if not re.match(r"- \[[^\]]+\]\([^)]+\): \S", line)] == []
    expected = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
    expected |= {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - {"docs/index.md"}
    assert expected <= set(links)
