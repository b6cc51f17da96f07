"""Files of the inbox: what is taken, what is refused and why, and the names that they get."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from together_video.errors import InputError
from together_video.inputs.inbox import InboxReport, InboxRow, mark_of, moved_name, read_order, waiting
from together_video.inputs.media import take_in
from together_video.ledger.summary import Summary
from together_video.requests import VideoRequest
from together_video.tries import Tries

SMALL = {"model": "pixverse/pixverse-v5", "width": 640, "height": 360, "seconds": "5"}


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_requests_of_each_format_are_taken() -> None:
    """JSON Lines, CSV and plain text, by the file's ending."""
    assert (
        len(
            read_order("a.jsonl", jsonl({**SMALL, "prompt": "a fox"}, {**SMALL, "prompt": "an owl"})).requests
        )
        == 2
    )
    assert read_order("a.csv", b"prompt\na fox\n").requests[0].request.prompt == "a fox"
    assert [found.request.prompt for found in read_order("a.txt", b"a fox\nan owl\n").requests] == [
        "a fox",
        "an owl",
    ]


def test_a_list_in_a_line_is_a_sweep() -> None:
    order = read_order("a.jsonl", jsonl({**SMALL, "prompt": "a fox", "seed": [1, 2, 3]}))
    assert [found.sweep.values for found in order.requests if found.sweep] == [
        {"seed": "1"},
        {"seed": "2"},
        {"seed": "3"},
    ]


def test_a_json_object_with_a_subject_is_a_brief() -> None:
    """Settings for its videos stand beside the subject."""
    content = {"subject": "tin robots", "count": 3, "settings": {"width": 864, "height": 480}}
    order = read_order("brief.json", json.dumps(content).encode())
    assert order.brief is not None
    assert (order.brief.subject, order.brief.count, order.settings) == ("tin robots", 3, content["settings"])
    assert order.requests == ()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"prompt,steps\na kite,900\n", "line 2: steps: must be at most 50, is 900"),
        ("a.jsonl", b"\x00\xff\xfe rubbish", "a.jsonl"),
        ("a.jsonl", b"", "a.jsonl"),
        ("a.json", b'{"subject": "x", "count": 900}', "count: must be at most 200, is 900"),
        ("a.json", b'{"subject": "x", "settings": 3}', "settings: must be an object"),
        ("a.json", b'{"subject": "x", "settings": {"steps": 900}}', "steps"),
        ("a.py", b"import os\n", "is not a list of prompts"),
        ("a.jsonl", jsonl({"model": "nobody/nothing", "prompt": "a cat"}), "nobody/nothing"),
        ("a.jsonl", b"[" * 200_000, "a.jsonl"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(name: str, data: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_order(name, data)
    assert words in caught.value.message
    assert "/tmp" not in caught.value.message


@pytest.mark.parametrize("place", ["/etc/passwd", "cat.jpg", "file:///etc/passwd", "~/cat.jpg"])
def test_no_file_of_the_reading_machine_can_be_named(place: str, tmp_path: Path) -> None:
    """Neither in a request nor in the settings of a brief."""
    media = {"frame_images": [{"input_image": place}]}
    with pytest.raises(InputError, match="names a file on the machine that sends it"):
        read_order("a.jsonl", jsonl({"prompt": "a cat", "media": media}))
    brief = {"subject": "x", "settings": {"media": media}}
    with pytest.raises(InputError, match="names a file on the machine that sends it"):
        read_order("a.json", json.dumps(brief).encode())


def test_a_file_may_cost_so_much_and_no_more() -> None:
    """The highest estimate of all its videos counts, for a brief as for requests."""
    rows = jsonl({**SMALL, "prompt": "a fox"}, {**SMALL, "prompt": "an owl"})
    assert len(read_order("a.jsonl", rows, limit_usd=5).requests) == 2
    with pytest.raises(InputError, match=r"It may cost 0\.\d\d USD, but the limit per file is 0.30 USD"):
        read_order("a.jsonl", rows, limit_usd=0.3)
    brief = json.dumps({"subject": "x", "count": 100}).encode()
    with pytest.raises(InputError, match=r"the limit per file is 1\.00 USD"):
        read_order("a.json", brief, limit_usd=1)


def test_only_files_right_under_the_inbox_wait() -> None:
    keys = ["p/inbox/", "p/inbox/a.jsonl", "p/inbox/done/b.jsonl", "p/inbox/refused/c.csv", "p/inboxes/d.csv"]
    assert waiting(keys, "p/inbox/") == ["p/inbox/a.jsonl"]


def test_a_moved_file_keeps_its_name_behind_the_time() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert moved_name("a.jsonl", moment) == "20260102T030405-a.jsonl"
    assert len(moved_name("x" * 900 + ".jsonl", moment).encode()) < 300


def test_a_report_counts_its_files() -> None:
    rows = [
        InboxRow(name=n, state=s, message="") for n, s in (("a", "done"), ("b", "refused"), ("c", "done"))
    ]  # type: ignore[arg-type]
    assert InboxReport(files=tuple(rows)).sentence == "3 files: 2 done, 1 refused"
    assert InboxReport(files=()).sentence == "the inbox is empty"
    assert InboxReport(files=()).is_good
    assert not InboxReport(files=tuple(rows)).is_good
    assert InboxReport(files=(InboxRow(name="a", state="done", message="", summary=Summary.of([])),)).is_good


def test_a_refused_file_is_named_once_and_its_place_is_told() -> None:
    """What cannot be read is told with the file's name already."""
    place = "p/inbox/refused/20260102T030405-a.jsonl"
    row = InboxRow(name="a.jsonl", state="refused", message="a.jsonl: is empty.", moved_to=place)
    assert row.sentence == f"a.jsonl: refused, moved to {place}: is empty."
    lines = "x\\nb: 2 lines cannot be used.\n  line 1: is odd"
    forged = InboxRow(name="x\nb", state="refused", message=lines, moved_to="p/x\nb")
    assert forged.sentence == "x\\nb: refused, moved to p/x\\nb: 2 lines cannot be used.; line 1: is odd"
    kept = InboxRow(name="b.csv", state="kept", message="The bucket does not answer.")
    assert kept.sentence == "b.csv: kept: The bucket does not answer."


@given(st.text(min_size=1, max_size=300).filter(lambda name: "/" not in name))
@example("a" * 190 + "." + "語" * 15)
@example("." + "é" * 300)
def test_a_moved_name_fits_into_a_folder(name: str) -> None:
    """With what lies beside it: a file that could not be moved would be looked at for ever."""
    moved = moved_name(name, datetime(2026, 11, 27, tzinfo=UTC))
    assert len(f"{moved}.result.json".encode("utf-8", "replace")) <= 255


def test_a_table_of_very_many_columns_is_refused_at_once() -> None:
    """Each column would be compared with each field."""
    header = ",".join(["prompt", *(f"c{number}" for number in range(50_000))])
    with pytest.raises(InputError, match="50001 columns; at most 300"):
        read_order("x.csv", f"{header}\nx\n".encode())


def test_an_object_of_very_many_fields_is_refused_at_once() -> None:
    fields = {f"n{number}": 1 for number in range(100_000)}
    with pytest.raises(InputError, match="has 100000 fields; at most 300"):
        read_order("x.jsonl", json.dumps(fields).encode())
    pairs = "".join(f'"n{number}": 1, ' for number in range(100_000))
    with pytest.raises(InputError, match='"n0" is given twice'):
        read_order("x.jsonl", f'{{{pairs}"n0": 2}}'.encode())


def test_a_link_longer_than_any_server_takes_is_refused() -> None:
    with pytest.raises(InputError, match="is a link of 40009 characters"):
        take_in([VideoRequest(prompt="p", media={"reference_images": ["https://a" + ":" * 40_000]})])


SHAPES = {
    "a long label": json.dumps(
        [{"prompt": "x", "labels": {"a" + "\u0301\u0327" * 100_000: "v"}}], ensure_ascii=False
    ),
    "wrong media in a sweep": json.dumps(
        {"prompt": "x", "seed": list(range(9000)), "media": {"reference_images": [1] * 3000}}
    ),
    "many wrong media": json.dumps({"prompt": "x", "media": {"reference_images": [1] * 300_000}}),
    "slips in a sweep": json.dumps(
        {
            "prompt": "x",
            "seed": list(range(9000)),
            **{f"negative_promp{number:03}": 1 for number in range(20)},
        }
    ),
    "nested fields of one's own in a sweep": json.dumps(
        {"prompt": "x", "seed": list(range(9000)), "extra": {"a": [[]] * 2500}}
    ),
    "a header of slashes": "prompt,extra." + "//x" * 200_000 + "@\nfoo\n",
    "very many short lines": "a\n" * 500_000,
    "a long header cell": "prompt,a" + "\u0301\u0327" * 100_000 + "\nx,y\n",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.txt"])
def test_no_small_file_takes_long(shape: str, name: str) -> None:
    """A minute of one file is a minute that no other is looked at."""
    begin = time.process_time()
    with suppress(InputError):
        read_order(name, SHAPES[shape].encode(), limit_usd=10)
    assert time.process_time() - begin < 30


def test_names_that_are_no_text_can_be_moved() -> None:
    assert moved_name("aa\udcff.csv", datetime(2026, 11, 27, tzinfo=UTC)) == "20261127T000000-aa?.csv"
    assert len(mark_of("aa\udcff.csv", None)) == 24


def test_every_attempt_and_model_counts_in_what_a_file_may_cost() -> None:
    """A limit must hold whatever fails: a line that asks for ten attempts is as dear as ten lines."""
    line = {**SMALL, "prompt": "a fox"}
    assert read_order("a.jsonl", jsonl(line), limit_usd=0.3).requests
    with pytest.raises(InputError, match=r"It may cost 3\.00 USD"):
        read_order("a.jsonl", jsonl({**line, "attempts": 10}), limit_usd=0.5)
    dear = {**line, "fallback_models": ["google/veo-3.1"]}
    with pytest.raises(InputError, match=r"the limit per file is 0\.50 USD"):
        read_order("a.jsonl", jsonl(dear), limit_usd=0.5)
    usual = Tries(attempts=2)
    with pytest.raises(InputError, match=r"It may cost 0\.60 USD"):
        read_order("a.jsonl", jsonl(line), limit_usd=0.5, usual=usual)
    assert read_order("a.jsonl", jsonl({**line, "attempts": 1}), limit_usd=0.5, usual=usual).requests
    retired = {**line, "model": "pixverse/pixverse-v4", "fallback_models": ["pixverse/pixverse-v6"]}
    (found,) = read_order("a.jsonl", jsonl(retired), limit_usd=0.5).requests
    assert found.tries.fallback_models == ("pixverse/pixverse-v6",)
    with pytest.raises(InputError, match="pixverse-v4"):
        read_order("a.jsonl", jsonl({**retired, "fallback_models": []}), limit_usd=0.5)
