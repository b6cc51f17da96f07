"""Galleries as Markdown: texts stay texts, counts add up, links are those that were given."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from together_video.gallery.markdown import (
    MOST_ROWS,
    MOST_SHOWN,
    cost_rows,
    gallery_markdown,
    video_rows,
)
from together_video.gallery.plain_text import plain
from together_video.ledger.summary import Summary, VideoOutcome, VideoState

UNTIL = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1)) ![b](https://evil.test/x.png)",
    "https://evil.test www.evil.test mail@evil.test <https://evil.test>",
    "| a | `b` **c** _d_ ~~e~~ # f",
    "# heading",
    "- item 1. item > quote",
    'the keeper\'s "fox" & &lt;b&gt; &#60; \\< \\',
    "[x]: https://evil.test",
    "1. an item",
    "12) an item",
    "--- a rule",
    "- - -",
    "```mermaid graph``` $$x$$ ~~~ html",
    "<javascript:alert(1)> FTP://evil.test WWW.evil.test",
    "__a__ *b* a **c**d _e_f_ ~g~",
    "title ## #",
]
#: What people write, and what is no markup: it stays as it is.
CALM = [
    "a fox, 3 * 4 m (red), -5 °C & wind -> s3://studio/a_b/2026-03-04/a-fox-1.mp4",
    "file:///films/batches/b1/index.html",
    "HTTP 500: server_error, see the docs; what's next? 100 % #7",
    "minimax/hailuo-02",
]


def seen(text: str) -> list[Token]:
    """What CommonMark with tables reads, inline tokens last in each block."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def texts(text: str) -> str:
    """What is read: the text of Markdown, and that of blocks of HTML."""
    return "".join(
        token.content if token.type != "html_block" else Html(token.content).text
        for token in seen(text)
        if token.type in {"text", "text_special", "html_block"}
    )


class Html(HTMLParser):
    """The tags, with their attributes, and the text of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def html(text: str) -> Html:
    """The blocks of HTML in a Markdown text, as CommonMark finds them."""
    return Html("".join(token.content for token in seen(text) if token.type == "html_block"))


def outcome(
    state: VideoState = VideoState.ARCHIVED,
    prompt: str | None = "a fox",
    *,
    number: int = 1,
    cost: str | None = "0.3",
    model: str = "acme/dream-1",
    error: str | None = None,
) -> VideoOutcome:
    there = state in {VideoState.ARCHIVED, VideoState.REUSED}
    return VideoOutcome(
        id=f"id{number}",
        state=state,
        job_id=f"job-{number}",
        prompt=prompt,
        model=model,
        cost_usd=None if cost is None else Decimal(cost),
        bucket="studio" if there else None,
        uri=f"s3://studio/videos/{number}.mp4" if there else None,
        key=f"videos/{number}.mp4" if there else None,
        seconds=5.04 if there else None,
        error=error,
    )


def gallery(*outcomes: VideoOutcome, title: str = "Foxes", page: str | None = None) -> str:
    keys = [found.key for found in outcomes if found.key]
    posters = {key: key.replace(".mp4", ".jpg") for key in keys}
    links = {key: f"https://s3.test/{key}?sig=(1)&x=2" for key in [*keys, *posters.values()]}
    summary = Summary.of(outcomes)
    return gallery_markdown(title, summary, links, expires_at=UNTIL, posters=posters, page=page)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_is_read_as_it_was_written(text: str) -> None:
    """No markup, no link, no picture and no HTML comes of a title, a prompt or an error: some of its characters
    are the wider ones."""
    shown = plain(text, 200)
    assert unicodedata.normalize("NFKC", shown) == text
    assert texts(shown) == shown
    assert {token.type for token in seen(plain(text, 200))} <= {
        "paragraph_open", "inline", "text", "text_special", "paragraph_close",
    }  # fmt: skip
    calm = gallery(outcome(prompt="calm"), outcome(VideoState.FAILED, "calm", error="calm"), title="calm")
    wild = gallery(outcome(prompt=text), outcome(VideoState.FAILED, text, error=text), title=text)
    kinds = [token.type for token in seen(wild) if token.type not in {"text", "text_special"}]
    assert kinds == [token.type for token in seen(calm) if token.type not in {"text", "text_special"}]
    assert texts(wild).count(shown) == 4
    assert html(wild).tags == html(calm).tags
    assert {link["href"] for link in html(wild).all("a")} == {"https://s3.test/videos/1.mp4?sig=(1)&x=2"}
    assert not [token for token in seen(wild) if token.type in {"link_open", "image", "html_inline"}]
    # Some readers make links of bare addresses.
    for bare in ("://evil", "www.evil", "mail@"):
        assert bare not in wild


@pytest.mark.parametrize("text", CALM)
def test_text_without_markup_can_be_copied(text: str) -> None:
    """Addresses in the archive, names and ordinary punctuation are the characters that were written."""
    assert plain(text, 200) == text


def test_no_cell_of_a_table_is_markup() -> None:
    """Prefect's first UI reads cells as Markdown: prompts, models, jobs, places and errors are plain in each."""
    for text in HOSTILE:
        hostile = {"model": text, "prompt": text, "job_id": text}
        done = outcome().model_copy(update={**hostile, "uri": f"s3://b/{text}.mp4"})
        failed = outcome(VideoState.FAILED, number=2).model_copy(update={**hostile, "error": text})
        summary = Summary.of([done, failed])
        for row in [*video_rows(summary), *cost_rows(summary)]:
            for cell in row.values():
                kinds = {
                    token.type for token in seen(str(cell)) if token.type not in {"text", "text_special"}
                }
                assert kinds <= {"paragraph_open", "inline", "paragraph_close"}


def test_text_is_one_printable_line() -> None:
    """Line ends are spaces, so are control and format characters, and what is long is cut."""
    assert texts(plain("a\n\n# b\u202ec\x1b", 200)) == "a # b c"
    assert len(texts(plain("word " * 100, 60))) <= 60


def test_videos_stand_three_in_a_row() -> None:
    """Each with its poster, its words linked to the video, its model, length and cost."""
    table = html(gallery(*(outcome(number=number) for number in range(4))))
    assert [tag for tag, _ in table.tags if tag in {"table", "tr", "td"}] == [
        "table", "tr", "td", "td", "td", "tr", "td",
    ]  # fmt: skip
    pictures = [picture["src"] for picture in table.all("img")]
    assert pictures == [f"https://s3.test/videos/{number}.jpg?sig=(1)&x=2" for number in range(4)]
    assert len(table.all("a")) == 8, "the poster and the words"
    assert "acme/dream-1 · 5.0\xa0s · 0.30\xa0USD" in texts(gallery(outcome()))
    assert "acme/dream-1 · reused · 5.0\xa0s" in texts(gallery(outcome(VideoState.REUSED)))


def test_members_of_a_sweep_are_told_apart() -> None:
    """By what varies, however long the prompt is: in the gallery, among what is missing, and in the table."""
    varies = {"prompt": "a", "seed": "2", "aspect": "9:16", "seconds": "5"}
    long = outcome(prompt="a fox " * 60).model_copy(update={"varies": varies})
    lost = outcome(VideoState.FAILED, "a cat").model_copy(update={"varies": {"guidance_scale": "8"}})
    shown = texts(gallery(long, lost))
    assert "… · seed 2 · 9:16 · 5 s" in shown
    assert "a cat · guidance scale 8:" in shown
    rows = video_rows(Summary.of([long, lost]))
    assert [row["state"] for row in rows] == ["failed", "archived"], "problems first"
    second, first = (row["prompt"] for row in rows)
    assert first.endswith(" · seed 2 · 9:16 · 5 s")
    assert len(first) <= 60
    assert second == "a cat · guidance scale 8"


def test_what_is_missing_says_why() -> None:
    """A line for each video that is not in the archive, with its state and its reason, and no link."""
    text = gallery(outcome(VideoState.AMBIGUOUS, "a bear", error="It may have been charged."))
    assert "ambiguous a bear: It may have been charged." in texts(text)
    assert not [token for token in seen(text) if token.type in {"link_open", "image", "html_block"}]


def test_it_says_how_long_links_work_and_what_lasts() -> None:
    """The time is given in UTC, and the page in the bucket is named where there is one."""
    assert "Links work until 2026-03-11 09:30 UTC" in texts(gallery(outcome()))
    assert "lasting" not in gallery(outcome())
    assert "｀![x](" in gallery(outcome(), page="s3://b/`![x](https://evil.test)").replace("［", "[").replace(
        "］", "]"
    )
    page = "s3://studio/batches/b1/index.html"
    (code,) = [token for token in seen(gallery(outcome(), page=page)) if token.type == "code_inline"]
    assert code.content == page


def test_the_lasting_page_is_a_link_where_a_browser_can_open_it() -> None:
    """Only by an address of the web; parentheses in it do not end it."""
    page = "s3://studio/batches/b1/index.html"
    for link, href in (
        ("https://s3.test/b1/index.html?a=(1)&b=2", "https://s3.test/b1/index.html?a=%281%29&b=2"),
        ("javascript:alert(1)", None),
    ):
        text = gallery_markdown(
            "t", Summary.of([outcome()]), {}, expires_at=UNTIL, posters={}, page=page, page_link=link
        )
        assert [t.attrs["href"] for t in seen(text) if t.type == "link_open"] == ([href] if href else [])
        assert page in text


def test_a_gallery_of_a_folder_promises_no_links() -> None:
    """No browser opens files of a disk from a server's page, so the page in the archive is only named."""
    page = "file:///films/batches/b1/index.html"
    text = gallery_markdown("t", Summary.of([outcome()]), {}, expires_at=None, posters={}, page=page)
    assert "Links work" not in text
    assert f"Gallery page in the archive: `{page}`" in text


def test_a_video_without_an_address_is_named_without_a_link() -> None:
    """An address that was not made, or is not safe, is left out."""
    for links in ({}, {"videos/1.mp4": "javascript:alert(1)"}):
        text = gallery_markdown("t", Summary.of([outcome()]), links, expires_at=UNTIL, posters={})
        assert "a fox" in texts(text)
        assert html(text).all("td")
        assert not html(text).all("a") + html(text).all("img")


def test_large_batches_are_cut() -> None:
    """The gallery and the table have limits, and the gallery says what it left out."""
    many = [outcome(number=number) for number in range(MOST_ROWS + 1)]
    text = gallery(*many)
    assert len(html(text).all("img")) == MOST_SHOWN
    assert f"{MOST_ROWS + 1 - MOST_SHOWN} more are on the gallery page." in texts(text)
    assert len(video_rows(Summary.of(many))) == MOST_ROWS
    failed = [outcome(VideoState.FAILED, number=number) for number in range(MOST_SHOWN + 2)]
    assert "… and 2 more" in texts(gallery(*failed))


def test_rows_of_the_table() -> None:
    """State, length, cost, model and prompt of each; then the job and the place, or the reason."""
    failed, done = video_rows(
        Summary.of([outcome(), outcome(VideoState.FAILED, "x" * 100, cost=None, number=2, error="no\n\x1b")])
    )
    assert done == {
        "state": "archived",
        "seconds": "5.0",
        "USD": "0.30",
        "model": "acme/dream-1",
        "prompt": "a fox",
        "job": "job-1",
        "location or reason": "s3://studio/videos/1.mp4",
    }
    assert (failed["USD"], failed["seconds"]) == ("", "")
    assert len(failed["prompt"]) == 60
    assert failed["location or reason"] == "no"


def test_costs_by_model() -> None:
    """What this run paid, the most expensive model first. Reused videos count and cost nothing now."""
    rows = cost_rows(
        Summary.of(
            [
                outcome(number=1),
                outcome(VideoState.REUSED, number=2),
                outcome(model="b/dear", cost="0.4125", number=3),
                outcome(VideoState.FAILED, model="c/free", cost=None, number=4),
            ]
        )
    )
    paid = "paid in this run (USD)"
    rest = {"perhaps paid (USD)": "0.00", "in flight (USD)": "0.00"}
    assert rows == [
        {"model": "b/dear", "videos": 1, "archived": 1, "reused": 0, paid: "0.4125", **rest},
        {"model": "acme/dream-1", "videos": 2, "archived": 1, "reused": 1, paid: "0.30", **rest},
        {"model": "c/free", "videos": 1, "archived": 0, "reused": 0, paid: "0.00", **rest},
    ]
