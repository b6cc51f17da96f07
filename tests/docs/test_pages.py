"""The pages are true: their commands are understood, the files that they name exist, and their lists are complete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import get_args

import pytest
import yaml
from cyclopts import App
from prefect.cli._app import _app

from prefect_together_video.flows.__main__ import _COMMANDS, app
from tests.docs.command_blocks import refusal
from tests.docs.markdown import ROOT, blocks, fences, page, pages, spans, table
from together_video.ledger.audit import Kind

#: A word that stands for another one, such as FILE, or for several.
PLACEHOLDER = re.compile(r"…|\[|<|\||\b[A-Z]{2,}\b|\bID\b")


def is_a_mention(span: str) -> bool:
    """Whether it names a command and is not one that can be run."""
    return bool(PLACEHOLDER.search(span)) or len(span.split()) <= 2


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Each page with the words after `program` of each command, in examples and in running text."""
    for name, text in pages().items():
        shell = "\n".join(blocks(text, "bash", "sh")).replace("\\\n", " ")
        inline = [span for span in spans(text) if not is_a_mention(span)]
        for line in [*shell.splitlines(), *inline]:
            if program not in line or "<<'" in line:
                continue
            words = shlex.split(line, comments=True)
            if words[:2] == ["docker", "run"]:
                # The image and the command in it have the same name.
                words = words[words.index(program) + 1 :] if program in words else []
            if ">" in words:
                words = words[: words.index(">")]
            if words[:1] == [program] and words[1:]:
                yield name, words[1:]


def refusals(program: App, calls: list[tuple[str, list[str]]]) -> list[str]:
    return [
        f"{name}: {shlex.join(words)}: {why}" for name, words in calls if (why := refusal(program, words))
    ]


def test_every_command_is_one() -> None:
    """Each `together-video …` is taken by the command line, which would refuse an option that it does not have."""
    calls = list(commands("together-video"))
    known = {name for names in _COMMANDS.values() for name in names}
    # The pages run the demo by make.
    assert {words[0] for _, words in calls} >= known - {"demo"}
    assert len(calls) > 80
    assert refusals(app, calls) == []
    assert len(refusals(app, [("", ["collect", "--wiat", "600"]), ("", ["colect"])])) == 2


def test_every_command_that_is_mentioned_is_one() -> None:
    """Without its arguments, or with FILE or … in their place."""
    known = {name for names in _COMMANDS.values() for name in names}
    named = {
        (name, words[1])
        for name, text in pages().items()
        for span in spans(text)
        if is_a_mention(span) and len(words := span.split()) > 1 and words[0] == "together-video"
    }
    assert len(named) > 50
    assert {(name, word) for name, word in named if word not in known and not re.match(r"-|…", word)} == set()


def test_the_page_of_the_command_line_has_every_command() -> None:
    """In its tables."""
    known = {name for names in _COMMANDS.values() for name in names}
    assert known == set(re.findall(r"^\| `together-video ([a-z-]+)", page("command-line"), re.MULTILINE))


def test_every_prefect_command_is_one() -> None:
    """Each `prefect …` is taken by Prefect's own command line."""
    calls = [(name, words[words[0] == "--no-prompt" :]) for name, words in commands("prefect")]
    assert {" ".join(words[:2]) for _, words in calls} >= {
        "gcl create",
        "work-pool create",
        "work-pool set-concurrency-limit",
        "work-pool pause",
        "worker start",
        "block register",
        "server database",
        "deploy --all",
        "deployment run",
        "deployment schedule",
        "event emit",
    }
    assert refusals(_app, calls) == []


@pytest.mark.parametrize("name", pages())
def test_files_that_are_named_are_there(name: str) -> None:
    """Links to the repository's files, and paths under deployments/, but those that a user makes."""
    text = pages()[name]
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)", text)
    linked = {folder / link for link in links if not link.startswith("reference/")}
    written = {ROOT / path for path in re.findall(r"(?<![\w/])deployments/[\w./-]*\w", text)}
    generated = {ROOT / "docs" / path for path in ("models.md", "examples.md")}
    missing = (linked | written) - generated - {ROOT / "deployments/.env"}
    assert [str(path) for path in sorted(missing) if not path.exists()] == []


def test_each_deployment_has_its_row() -> None:
    """And no row is left over."""
    deployed = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())["deployments"]
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
    assert {row[0] for row in table(page("deployments"), "deployment")} == names


def test_each_event_has_its_row() -> None:
    """As the code names them; `test_website.py` compares their payloads."""
    sent = set(
        re.findall(
            r"together-video\.(?:batch|budget|film|month|plan)\.\w+(?=\")",
            (ROOT / "flows" / "reporting" / "events.py").read_text(),
        )
    )
    videos = {
        f"together-video.video.{state}"
        for state in ("archived", "failed", "ambiguous", "ambiguous-for-a-day")
    }
    assert {row[0].strip("`") for row in table(page("events"), "event")} == sent | videos


def test_each_automation_has_its_row() -> None:
    """As `deployments/automations.yaml` names them."""
    alerts = yaml.safe_load((ROOT / "deployments" / "automations.yaml").read_text())["automations"]
    listed = {f"together-video {row[0]}" for row in table(page("events"), "automation")}
    assert listed == {alert["name"] for alert in alerts}


def test_each_finding_has_its_row() -> None:
    """What an audit can find."""
    rows = table(page("ledger"), "finding")
    assert {word for row in rows for word in re.findall(r"`([\w-]+)`", row[0])} == set(get_args(Kind))


def test_a_fence_with_a_title_hides_no_other() -> None:
    """It is code, and the text and the fence below it are what they are."""
    text = 'See `a`.\n\n```json title="x.json"\n{}\n```\n\nThen `b c`:\n\n- one\n\n  ```bash\n  ls x\n  ```\n'
    assert [(fence.language, fence.title, fence.code, fence.line) for fence in fences(text)] == [
        ("json", "x.json", "{}\n", 3),
        ("bash", None, "ls x\n", 11),
    ]
    assert spans(text) == ["a", "b c"]
