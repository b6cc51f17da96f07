"""The gallery page: everything is on it, nothing gets out of it, and it stands alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from tests.facts import record_of
from together_video.gallery.about import About
from together_video.gallery.page import GalleryRow, relative_link, render_gallery, render_pages
from together_video.gallery.wording import WORDS
from together_video.ledger.layout import Layout
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import Origin, RunRef, StoredObject, Sweep, VideoPlan
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
IN_BUCKET = partial(relative_link, Layout().batch("b1", "index.html"))
VOID = {"meta", "link", "input", "img", "br", "hr", "source"}


class Reading(HTMLParser):
    """What a browser would see: elements with attributes, and text; tags must close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len({name for name, _ in attrs}), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """What is read; scripts are none of it."""
        return "".join(
            word for word in self.words if '"use strict"' not in word and not word.startswith('{"batch"')
        )

    @property
    def data(self) -> dict[str, Any]:
        """What the script reads."""
        (found,) = [word for word in self.words if word.startswith('{"batch"')]
        return cast(dict[str, Any], json.loads(found))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, tag: str) -> list[str]:
        """The raw text of each <style> or <script>: what the browser hashes."""
        return [
            self.words[index]
            for index, word in enumerate(self.words)
            if (tag == "style" and ":root" in word) or (tag == "script" and '"use strict"' in word)
        ]


def row(
    state: VideoState = VideoState.ARCHIVED,
    *,
    prompt: str | None = "a fox in the snow",
    error: str | None = None,
    take: int = 1,
    size: tuple[int, int] = (1280, 720),
    cost: str = "0.14",
    notes: tuple[str, ...] = (),
    **fields: Any,
) -> GalleryRow:
    request = VideoRequest.model_validate(
        {"model": "Wan-AI/Wan2.2-T2V-A14B", "prompt": prompt, "seed": 7, **fields}
    )
    plan = VideoPlan(
        request=request,
        take=take,
        estimate_usd=Decimal("0.21"),
        origin=Origin(brief_id="b", chat_model="some/chat-model"),
    )
    if state not in GOOD:
        outcome = VideoOutcome.of_plan(plan, state, error=error, job_id="job-77")
        return GalleryRow(outcome=outcome, plan=plan)
    video_key, poster_key = Layout().media(plan, NOW)
    record = record_of(
        plan,
        state="archived",
        job_id="job-42",
        recorded_at=NOW,
        cost_usd=Decimal(cost),
        video=StoredObject(key=video_key, size=1_420_000, sha256="ab" * 32, content_type="video/mp4"),
        poster=StoredObject(key=poster_key, size=9, sha256="cd" * 32, content_type="image/jpeg"),
        clip=ClipInfo(seconds=6.04, width=size[0], height=size[1], fps=24.0, codec="h264"),
        notes=notes,
        run=RunRef(flow_run_name="tidy-otter"),
    )
    return GalleryRow(
        outcome=VideoOutcome.of_record(record, state, place=ArchivePlace(bucket="studio")), record=record
    )


def render(
    *rows: GalleryRow,
    title: str = "Spring film",
    link: Callable[[str], str | None] = IN_BUCKET,
) -> str:
    return render_gallery(title, rows, made_at=NOW, summary_sentence="All is well.", link=link)


def test_many_videos_are_parted_into_pages() -> None:
    """Each page shows its share, the figures of all, and the way to its neighbours; the last comes first."""
    rows = [row(prompt=f"kite {number}") for number in range(5)]
    pages = list(
        render_pages(
            "Kites",
            rows,
            first="index.html",
            made_at=NOW,
            summary=Summary.of(found.outcome for found in rows),
            summary_sentence="All is well.",
            link=IN_BUCKET,
            rows_a_page=2,
        )
    )
    assert [name for name, _ in pages] == ["index-3.html", "index-2.html", "index.html"]
    read = {name: Reading(text) for name, text in pages}
    assert [len(read[name].all("article")) for name, _ in pages] == [1, 2, 2]
    ways = {
        name: {(a["rel"], a["href"]) for a in page.all("a") if a.get("rel") in {"prev", "next"}}
        for name, page in read.items()
    }
    assert ways == {
        "index.html": {("next", "index-2.html")},
        "index-2.html": {("prev", "index.html"), ("next", "index-3.html")},
        "index-3.html": {("prev", "index-2.html")},
    }
    for page in read.values():
        assert "Videos5" in page.text.replace("\n", "")
        assert [a["placeholder"] for a in page.all("input") if a.get("id") == "search"] == [
            "Search this page"
        ]
    assert "Page 2 of 3" in read["index-2.html"].text


def test_few_videos_are_one_page() -> None:
    """It has the requested name, and leads nowhere else."""
    only = row()
    ((name, text),) = render_pages(
        "Kite",
        [only],
        first="b1.html",
        made_at=NOW,
        summary=Summary.of([only.outcome]),
        summary_sentence="All is well.",
        link=IN_BUCKET,
    )
    assert name == "b1.html"
    assert Reading(text).all("nav") == []


def swept(label: str, columns: int = 2, **values: str) -> GalleryRow:
    """A card of a sweep; what it reused was recorded by a run without one."""
    found = row(VideoState.REUSED, prompt=f"{label} {values}")
    assert found.record is not None
    plan = found.record.plan.model_copy(update={"sweep": Sweep(label=label, values=values, columns=columns)})
    return found.model_copy(update={"plan": plan})


def test_videos_of_a_sweep_stand_side_by_side() -> None:
    """A section for each sweep with what varies in it, and the values on each card and for the comparison."""
    page = Reading(
        render(
            row(prompt="alone"),
            *(swept("line 2", 3, guidance_scale=scale) for scale in ("6", "8", "10")),
            *(swept("line 3", 9, model="<b>m</b>", seed=seed) for seed in "12"),
            row(prompt="last"),
        )
    )
    assert [a["aria-labelledby"] for a in page.all("section")] == ["sweep-2", "sweep-3"]
    assert "Sweep of line 2 guidance scale" in page.text
    assert "Sweep of line 3 model × seed" in page.text
    assert [a.get("class") for a in page.all("dl")].count("varied") == 5
    assert "<b>m</b>" in page.text
    data = page.data
    assert [sweep["fields"] for sweep in data["sweeps"]] == [[], ["guidance scale"], ["model", "seed"], []]
    assert [clip.get("values") for clip in data["clips"]][3:6] == [
        ["10"],
        ["<b>m</b>", "1"],
        ["<b>m</b>", "2"],
    ]
    identities = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identities) == len(set(identities))


def test_rows_without_a_sweep_are_one_grid() -> None:
    """No headings where there is nothing to compare, and a sweep of an earlier run is not this run's."""
    earlier = swept("line 9", seed="1")
    assert earlier.plan is not None
    now = earlier.model_copy(update={"plan": earlier.plan.model_copy(update={"sweep": None})})
    page = Reading(render(row(), now))
    assert page.all("section") == []
    assert "Sweep of" not in page.text


def test_a_state_is_said_where_it_is_not_fine() -> None:
    """In a viewer's words, with a sentence; ready clips have no badge."""
    page = Reading(render(*(row(state, take=n) for n, state in enumerate(VideoState, 1))))
    classes = [(attributes["class"] or "").split() for attributes in page.all("article")]
    assert [found[1] for found in classes] == list(VideoState)
    assert ["ready" in found for found in classes] == [state in GOOD for state in VideoState]
    badges = [a["title"] for a in page.all("p") if a.get("class") == "badge"]
    assert badges == [WORDS[state][1] for state in VideoState if state not in GOOD]
    assert all(WORDS[state][0] in page.text for state in VideoState if state not in GOOD)
    assert [clip["word"] for clip in page.data["clips"]] == [WORDS[state][0] for state in VideoState]
    style = page.inside("style")[0]
    assert all(f".{state}" in style for state in VideoState)
    symbols = {a["id"] for a in page.all("symbol")}
    assert {(a["href"] or "").removeprefix("#") for a in page.all("use")} <= symbols


def test_options_of_a_command_stay_behind_the_details() -> None:
    """A viewer reads what happened; the sentence for the operator is in the details."""
    error = "The create had no clear answer. Run it with --on-ambiguous resubmit. Or: together-video collect."
    (trouble,) = re.findall(
        r'<p class="trouble"[^>]*>(.*?)</p>', render(row(VideoState.AMBIGUOUS, error=error))
    )
    assert trouble == "It may have been charged. It is not bought again automatically."
    assert error in Reading(render(row(VideoState.AMBIGUOUS, error=error))).text


def test_a_card_has_its_mark_and_its_way_to_a_redo() -> None:
    """The archive's marks are the page's base; the link of a form is shown where it is a safe one."""
    marked = row().model_copy(update={"mark": "star", "note": "<i>the best</i>"})
    addresses = {1: "https://prefect.test/form?parameters=%7B%7D", 2: "javascript:alert(1)", 3: None}
    text = render_gallery(
        "t",
        [marked, row(take=2), row(take=3)],
        made_at=NOW,
        summary_sentence="s",
        link=IN_BUCKET,
        redo=lambda plan: addresses[plan.take],
    )
    page = Reading(text)
    assert [clip.get("mark") for clip in page.data["clips"]] == ["star", None, None]
    assert "<i>the best</i>" in page.text
    assert [a["href"] for a in page.all("a") if "redo" in (a.get("class") or "")] == [addresses[1]]


def test_the_next_take_is_one_that_the_page_does_not_have() -> None:
    """Of two takes of one request the command of each makes the third."""
    page = Reading(render(row(), row(take=2), row(prompt="another")))
    assert [(clip["command"]["take"], clip["id"]) for clip in page.data["clips"]] == [
        (f"--seed 7 --take {take} --label redo_of={clip['id']}", clip["id"])
        for take, clip in zip([3, 3, 2], page.data["clips"], strict=True)
    ]


def test_the_heading_says_what_it_is_about() -> None:
    """Title, time of the batch, brief, style, models and the run; the cost stands there once."""
    about = About(
        batch_id="b1",
        brief="A fox <b>",
        style="hand-drawn",
        run_name="tidy-otter",
        run_url="https://prefect.test/runs/flow-run/1",
        made_at=datetime(2026, 3, 3, 8, 5, tzinfo=UTC),
    )
    text = render_gallery("Film", [row()], made_at=NOW, summary_sentence="s", link=IN_BUCKET, about=about)
    header = text[text.index("<header") : text.index("</header>")]
    for words in [
        "Film",
        "3 March 2026, 08:05 UTC",
        "A fox &lt;b&gt;",
        "hand-drawn",
        "Wan-AI/Wan2.2-T2V-A14B",
        "tidy-otter",
    ]:
        assert words in header, words
    assert 'href="https://prefect.test/runs/flow-run/1"' in header
    assert header.count("0.14") == 1
    assert Reading(text).data["batch"] == "b1"


def test_two_hundred_clips_are_a_page_of_a_megabyte() -> None:
    """What 200 cards need; their videos are loaded when they are played."""
    text = render(
        *(
            row(prompt=f"a fox in the snow, {number}: " + "and the camera follows " * 10)
            for number in range(200)
        )
    )
    assert len(text.encode()) < 1_100_000
    assert 'class="compact' in text


def test_a_card_explains_its_video() -> None:
    """Prompt, model, length, size, cost, ids, checksum, parameters and notes are all there."""
    shown = row(notes=("The video lasts 2 s.",))
    page = Reading(render(shown))
    for word in [
        "a fox in the snow", "Wan-AI/Wan2.2-T2V-A14B", "6 s", "1280×720", "24 fps", "1.42 MB", "0.14 USD",
        "job-42", shown.outcome.id, "ab" * 32, '"seed": 7', "The video lasts 2 s.", "some/chat-model",
        "tidy-otter", "2026-03-04 09:30 UTC", "Spring film",
    ]:  # fmt: skip
        assert word in page.text, word


def test_a_video_plays_in_place() -> None:
    """A card has its video by relative address, loaded on demand, with poster and description."""
    shown = row()
    video = Reading(render(shown)).all("video")[0]
    assert shown.record
    assert shown.record.video
    assert video["src"] == f"../../{shown.record.video.key}"
    assert video["poster"] == (video["src"] or "").replace(".mp4", ".jpg")
    assert (video["preload"], video["aria-label"]) == ("none", "Video: a fox in the snow")
    assert "controls" in video


def test_a_video_without_a_file_shows_why() -> None:
    """Where there is no file, the card says what happened, quotes the error and names the job."""
    page = Reading(render(row(VideoState.FAILED, error="moderation_blocked")))
    assert [a for a in page.all("video") if a.get("src")] == []
    for word in [
        "The provider could not make this video",
        "moderation_blocked",
        "job-77",
        "Perhaps paid",
        '"seed": 7',
    ]:
        assert word in page.text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//elsewhere.test/x", None])
def test_a_link_that_is_not_safe_is_not_made(address: str | None) -> None:
    """An address of another kind leaves the page without a link, and the card says so."""
    text = render(row(), link=lambda key: address)
    page = Reading(text)
    assert [
        a for a in page.all("article") + page.all("video") + page.all("a") if a.get("src") or a.get("href")
    ] == []
    assert "no link to this file" in page.text
    assert "javascript:" not in text
    assert "elsewhere.test" not in text


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' {{ 7*7 }} &lt;"


def test_hostile_text_stays_text() -> None:
    """Markup in a prompt, an error, a note, a model or a title is shown as it was written."""
    text = render(
        row(prompt=HOSTILE, notes=(HOSTILE,), extra={HOSTILE: HOSTILE}),
        row(VideoState.FAILED, prompt=HOSTILE, error=HOSTILE, model=HOSTILE),
        title=HOSTILE,
    )
    page = Reading(text)
    assert [a.get("type") for a in page.all("script")] == ["application/json", None]
    assert page.data["clips"][1]["model"] == HOSTILE
    assert page.all("img") == []
    assert page.text.count(HOSTILE) >= 6
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
    video = page.all("video")[0]
    assert (video["aria-label"] or "").startswith("Video: </script><script>")


def test_characters_that_html_forbids_are_replaced() -> None:
    """Control characters and halves of surrogate pairs cannot break the page or its encoding."""
    text = render(row(prompt="a\x00b\x1b[31mc\u202e", error=None), title="half \ud83d pair")
    text.encode()
    assert "a\ufffdb\ufffd[31mc" in text
    assert "half \ufffd pair" in text


def test_long_texts_are_cut_and_kept() -> None:
    """A prompt of 30,000 characters is cut at a word, with the whole of it behind a disclosure."""
    prompt = "word " * 6_000
    text = render(row(prompt=prompt), row(VideoState.FAILED, error="no " * 500))
    page = Reading(text)
    assert "Whole prompt, 30,000 characters" in page.text
    heading = re.findall(r"<h2[^>]*>(.*?)</h2>", text, re.DOTALL)[0]
    assert len(heading) <= 201
    assert heading.endswith("word…")
    assert prompt in page.text
    assert "Whole message" in page.text
    assert len(text) < 80_000 + len(render(row(), row(take=2)))


def test_signed_addresses_and_embedded_files_stay_out() -> None:
    """Parameters show neither the signature of an address nor the bytes of an image."""
    text = render(
        row(
            media={
                "frame_images": [{"input_image": "data:image/png;base64," + "QUJD" * 2000}],
                "reference_images": ["https://s3.test/a.png?X-Amz-Signature=s3cret"],
                "source_video": "AAAA" * 2_000,
            }
        )
    )
    assert "s3cret" not in text
    assert "QUJDQUJD" not in text
    assert "data:image/png;base64,… (8,022 characters)" in text
    assert "https://s3.test/a.png?…" in text
    assert "A" * 2_001 not in text


def test_the_page_loads_nothing_and_its_policy_knows_its_own_script() -> None:
    """No address leads elsewhere, and the policy holds the hashes of the style and the script."""
    text = render(row(), link=lambda key: f"https://s3.test/b/{key}?X-Amz-Signature=1")
    page = Reading(text)
    assert {a.get("rel") for a in page.all("link")} == {"icon"}
    assert all("src" not in a for a in page.all("script"))
    hosts = set(re.findall(r"https?://([^/\"'\s;]+)", text)) - {"www.w3.org"}
    assert hosts == {"s3.test"}
    (policy,) = [a["content"] or "" for a in page.all("meta") if a.get("http-equiv")]
    for tag in ("style", "script"):
        (source,) = page.inside(tag)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "media-src 'self' https://s3.test file:;" in policy
    assert "connect-src 'self' https://s3.test;" in policy
    assert "@import" not in text
    assert "url(" not in text


def test_the_figures_add_up() -> None:
    """What this run paid and what was paid earlier are told apart; lengths and sizes are summed."""
    page = Reading(render(row(take=1), row(VideoState.REUSED, take=2, cost="0.0525"), row(take=3)))
    figures = " ".join(page.text.split())
    for part in [
        "Videos 3",
        "Length 18 s",
        "Files 4.26 MB",
        "Paid in this run 0.28 USD",
        "Paid earlier 0.05",
    ]:
        assert part.replace(" ", "") in figures.replace(" ", ""), part
    assert "0.0525 USD (paid earlier)" in figures


@pytest.mark.parametrize(
    ("size", "shape"), [((1280, 720), "wide"), ((720, 720), "square"), ((720, 1280), "tall")]
)
def test_frames_take_the_shape_of_most_videos(size: tuple[int, int], shape: str) -> None:
    """Upright videos get upright frames, so that they are not drowned in black."""
    page = Reading(render(row(size=size), row(size=size, take=2), row(take=3)))
    assert [a["class"] for a in page.all("body")] == [shape]
    assert sum(a.get("class") == "fills" for a in page.all("video")) == (3 if shape == "wide" else 2)


def test_an_empty_page_says_so() -> None:
    """A batch without videos gives a page too, without a filter that filters nothing."""
    page = Reading(render())
    assert "There are no videos here yet." in page.text
    assert page.all("input") == []


def test_the_time_is_utc() -> None:
    """The time of making is given in UTC, whatever zone it came in."""
    at = NOW.astimezone(timezone(timedelta(hours=9)))
    text = render_gallery("t", [], made_at=at, summary_sentence="s", link=lambda key: key)
    assert "2026-03-04 09:30 UTC" in text


def test_labels_point_at_something() -> None:
    """Ids are unique, and every reference to one finds it."""
    page = Reading(render(*(row(state, take=n) for n, state in enumerate(VideoState, 1))))
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {a["aria-labelledby"] for a in page.all("article")} <= set(ids)
