"""Prompts and error texts that try to be more than text: on the terminal, in pages, in names, in the bucket."""

from __future__ import annotations

import asyncio
import json
import re
import string
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterId
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from together_video.polling.policy import PollPolicy

Make = Callable[..., Any]

#: Takes prompts of any length.
SMALL = {"model": "pixverse/pixverse-v6", "width": 64, "height": 48, "seconds": "1", "fps": 8}
SCRIPT = '"\'></script><script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">'
HOSTILE = {
    "html": f"owl {SCRIPT}",
    "markdown": "fox [a](javascript:alert(1)) ![b](https://evil.test/x.png) | `c` \n\n# d\n<img onerror=e>",
    "rich markup": "fox [bold red]x[/] [link=https://evil.test]y[/link] [/] [",
    "escape sequences": "fox \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://evil.test\x07x \x9b2J \x9d",
    "controls": "fox \a\b\x7f\x85\v\f one\r\ntwo\rthree\u2028four",
    "a path": "../../../etc/passwd ..\\..\\win /abs//x %2e%2e%2f",
    "long": "fox " + "x" * 30_000,
    "emoji": "🦊👨‍👩‍👧‍👦🏳️‍🌈" * 12,
    "right to left": "fox \u202egnp.4pm \u2066مرحبا\u2069 שלום \u200f\ufeff",
    "nothing to spell": "…—–·•‽⸮",
}
#: Prompts of these words end otherwise than in the archive, with hostile words of the provider.
WORDS = f"{SCRIPT} \x1b[31mred \x9b2J \u202eabc \x00 [bold]x ../../ {'y' * 30_000}"
FAULTS = (
    {"on": "create", "kind": "job_failed", "match": "owl", "message": WORDS, "code": f"code {WORDS[:300]}"},
    {"on": "create", "kind": "status", "status": 422, "match": "refused", "message": WORDS},
    {"on": "create", "kind": "status", "status": 502, "match": "doubt", "body": WORDS},
)
PROMPTS = [*HOSTILE.values(), "a refused fox", "a fox in doubt"]
HARMLESS = ["owl 1", *(f"fox {number}" for number in range(len(HOSTILE) - 1)), "refused", "doubt"]

#: What a page has for texts that are too long to be shown at once.
FOLDED = {
    *(("details", ()), ("details", ("class",)), ("summary", ())),
    *(("p", ("class",)), ("p", ()), ("p", ("dir", "tabindex"))),
}


class Seen(HTMLParser):
    """The elements of a page with their attributes' names, every address, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "poster"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def hostile_api(start_api: Make) -> Any:
    """A sandbox that answers in hostile words."""
    return start_api(faults=FAULTS)


@pytest.fixture
def written(tmp_path: Path) -> Make:
    """Writes prompts as a file of small requests."""

    def write(prompts: list[str]) -> str:
        path = tmp_path / "prompts.jsonl"
        path.write_text("".join(json.dumps({**SMALL, "prompt": text}) + "\n" for text in prompts))
        return str(path)

    return write


def unprintable(text: str) -> set[str]:
    return {letter for letter in text if letter != "\n" and not letter.isprintable()}


def test_the_lookout_sees_what_is_hostile() -> None:
    """What follows would show nothing if these texts were harmless."""
    assert unprintable(WORDS) == {"\x1b", "\x9b", "\u202e", "\x00"}
    assert ("script", ()) in Seen(SCRIPT).elements
    assert ("img", ("src", "onerror")) in Seen(SCRIPT).elements
    assert Seen(SCRIPT).addresses == ["x", "javascript:alert(1)"]


def test_a_run_of_hostile_prompts(
    command: Make,
    surroundings: dict[str, str | None],
    hostile_api: Any,
    written: Make,
    s3_client: Any,
    tmp_path: Path,
) -> None:
    """Table, progress, JSON, keys, metadata, tags and pages hold the texts as text, and nothing else changes."""
    around = {**surroundings, "TOGETHER_BASE_URL": hostile_api.url, "VIDEO_ARCHIVE_PREFIX": "box"}
    bucket = str(surroundings["VIDEO_ARCHIVE_BUCKET"])
    fast = ("--poll-interval", "0.05")

    def pages() -> dict[str, str]:
        return {
            key: s3_client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            for key in keys(s3_client, bucket)
            if key.endswith("index.html")
        }

    told = command("batch", written(PROMPTS), *fast, **around)
    assert told.code == 1
    assert not unprintable(told.out)
    assert not unprintable(told.err)
    assert all(len(line) < 1000 for line in (told.out + told.err).splitlines())
    assert "[31mred" in told.out + told.err
    ((_, hostile),) = pages().items()

    as_json = command("batch", written(PROMPTS), *fast, "--json", **around)
    assert not unprintable(as_json.out)
    videos = json.loads(as_json.out)["videos"]
    assert [video["prompt"] for video in videos] == PROMPTS
    states = {"owl": "failed", "a refused": "refused", "a fox in doubt": "ambiguous"}
    for video in videos:
        expected = next(
            (state for start, state in states.items() if video["prompt"].startswith(start)), "reused"
        )
        assert video["state"] == expected, video["error"]
        assert len(video["error"] or "") < 2000
        assert not unprintable(video["error"] or "")

    # Objects: inside the prefix, of plain names, with metadata that HTTP can carry.
    found = keys(s3_client, bucket)
    assert len([key for key in found if key.endswith(".mp4")]) == len(HOSTILE) - 1
    for key in found:
        assert re.fullmatch(r"box/[A-Za-z0-9._/-]{1,200}", key), key
        assert ".." not in key
        assert "//" not in key
        head = s3_client.head_object(Bucket=bucket, Key=key)
        assert all(value in string.printable for value in "".join(head["Metadata"].values()))

    # The page has the very elements of a page of harmless prompts.
    before = set(pages())
    command("batch", written(HARMLESS), *fast, "--json", **around)
    ((_, harmless),) = [(key, page) for key, page in pages().items() if key not in before]
    seen, plain = Seen(hostile), Seen(harmless)
    assert set(seen.elements) <= set(plain.elements) | FOLDED
    assert [tag for tag, _ in seen.elements].count("script") == [tag for tag, _ in plain.elements].count(
        "script"
    )
    assert not [name for _, names in seen.elements for name in names if name.startswith("on")]
    assert not [address for address in seen.addresses if not re.match(r"(\.\./|#|data:image/|$)", address)]
    assert "<script>alert(1)</script>" in seen.text
    # Line ends and format characters are text in a page; what a terminal would obey is not in it.
    assert not {letter for letter in unprintable(hostile) if category(letter) == "Cc"} - {"\t", "\r"}


def keys(client: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in client.list_objects_v2(Bucket=bucket)["Contents"]]


@pytest.mark.parametrize("line", [b'{"prompt": "a fox \\ud83d"}', b"a fox \xed\xa0\xbd", b"a fox \xff"])
def test_half_characters_are_refused(
    command: Make, surroundings: dict[str, str | None], api: Any, tmp_path: Path, line: bytes
) -> None:
    """Lone surrogates and broken UTF-8 have no bytes that could be sent or stored: one sentence, nothing paid."""
    path = tmp_path / ("prompts.jsonl" if line.startswith(b"{") else "prompts.txt")
    path.write_bytes(line)
    told = command("batch", str(path), **surroundings)
    assert told.code == 2
    assert "UTF-8" in told.err
    assert not unprintable(told.out + told.err)
    assert api.posts == 0


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_what_prefect_shows_of_hostile_prompts(
    prefect_api: str, hostile_api: Any, archive: VideoArchive, small: Make
) -> None:
    """Names of runs and tasks are short and printable, logs too; no artifact has markup of a prompt."""

    async def run() -> None:
        requests = [small(prompt, **SMALL) for prompt in PROMPTS]
        state = await generate_batch(
            requests=requests,
            poll=PollPolicy.fixed(0.05, deadline=60),
            together=hostile_api.credentials(),
            archive=archive,
            return_state=True,
        )
        only = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        async with get_client() as client:
            (flow_run,) = await client.read_flow_runs(flow_run_filter=only)
            task_runs = await client.read_task_runs(flow_run_filter=only)
            artifacts = await client.read_artifacts(
                flow_run_filter=only, artifact_filter=ArtifactFilter(key=ArtifactFilterKey(exists_=True))
            )
        names = [flow_run.name, *(found.name for found in task_runs)]
        assert len(names) > len(PROMPTS)
        for name in [*names, *flow_run.tags]:
            assert len(name) <= 120
            assert not unprintable(name), name
        assert state.message is not None
        assert not unprintable(state.message)
        made = {found.key: str(found.data) for found in artifacts}
        assert set(made) >= {"gallery", "videos"}
        for key, text in made.items():
            # Spaces at which no line breaks are our own.
            assert not unprintable(text) - {"\xa0"}, key
        # No element but those of the table of posters, and no link of a prompt's own.
        page = made["gallery"]
        tags = re.findall(r"<[^>]*>", page)
        assert {tag.strip("</>").split()[0] for tag in tags} <= {"table", "tr", "td", "a", "img", "br"}
        names = {name for tag in tags for name in re.findall(r'([\w-]+)="[^"]*"', tag)}
        assert names <= {"href", "target", "rel", "src", "alt", "width", "valign", "cellpadding"}
        assert all(re.fullmatch(r'</?\w+(?: [\w-]+="[^"<>]*")*>', tag) for tag in tags)
        addresses = re.findall(r'(?:href|src)="([^"]*)"', "".join(tags))
        addresses += re.findall(r"(?<!\\)\]\(([^)]*)\)", page)
        assert len(addresses) >= len(HOSTILE) - 1
        assert {address.split("/")[2] for address in addresses} == {addresses[0].split("/")[2]}
        assert all(address.startswith("http") and archive.bucket in address for address in addresses)

    with temporary_settings({PREFECT_API_URL: prefect_api}):
        asyncio.run(run())
