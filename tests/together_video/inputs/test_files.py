"""Request files: each format, and every mistake named at once with its line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from together_video.errors import InputError
from together_video.inputs.files import parse_requests, read_requests
from together_video.inputs.lines import SourcedRequest
from together_video.inputs.rows import RowFormat
from together_video.requests import VideoRequest


def payloads(requests: list[SourcedRequest]) -> list[dict[str, Any]]:
    return [sourced.request.payload() for sourced in requests]


def parse(text: str, form: RowFormat, **defaults: Any) -> list[SourcedRequest]:
    return parse_requests(text, form, "file", defaults, "m")


def refusal(text: str, form: RowFormat, **defaults: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, form, **defaults)
    return str(caught.value)


def test_json_lines_hold_objects_or_prompts(tmp_path: Path) -> None:
    """Blank lines and comments are skipped; a byte order mark and CRLF do no harm; lines are counted."""
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"prompt": "a", "seconds": 6}\r\n\r\n# note\r\n"b \xe2\x80\xa8 c"\r\n{"prompt":"d","seed":null}'
    )
    requests = read_requests(path, {"seed": 7, "fps": None}, "m")
    assert [sourced.line for sourced in requests] == [1, 4, 5]
    assert payloads(requests) == [
        {"model": "m", "prompt": "a", "seconds": "6", "seed": 7},
        {"model": "m", "prompt": "b \u2028 c", "seed": 7},
        {"model": "m", "prompt": "d", "seed": 7},
    ]


def test_a_json_file_holds_a_list_or_one_request() -> None:
    """Items are counted from 1."""
    requests = parse('["a", {"prompt": "b", "model": "other"}]', RowFormat.JSON)
    assert payloads(requests) == [{"model": "m", "prompt": "a"}, {"model": "other", "prompt": "b"}]
    assert [sourced.line for sourced in requests] == [1, 2]
    assert payloads(parse('{"prompt": "a"}', RowFormat.JSON)) == [{"model": "m", "prompt": "a"}]


def test_text_holds_a_prompt_a_line() -> None:
    """Every line that is not blank or a comment is a prompt."""
    requests = parse("# my list\n a fox \n\na cat", RowFormat.TEXT)
    assert [(sourced.line, sourced.request.prompt) for sourced in requests] == [(2, "a fox"), (4, "a cat")]


def test_csv_cells_are_read_by_the_fields_type() -> None:
    """Numbers, true and false, prompts over several lines, and empty cells that say nothing."""
    text = (
        "Prompt,Negative Prompt,seconds,generate_audio,guidance_scale\r\n"
        '"a fox,\r\nrunning",blurry,6.0,TRUE,7.5\r\n'
        ",,,,\r\n"
        "a cat,,,,\r\n"
    )
    requests = parse(text, RowFormat.CSV, seconds="5")
    assert [sourced.line for sourced in requests] == [2, 5]
    assert payloads(requests) == [
        {
            "model": "m",
            "prompt": "a fox,\r\nrunning",
            "negative_prompt": "blurry",
            "seconds": "6",
            "generate_audio": True,
            "guidance_scale": 7.5,
        },
        {"model": "m", "prompt": "a cat", "seconds": "5"},
    ]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("media", '{"source_video": "u"}', {"media": {"source_video": "u"}}),
        ("media.source_video", "u", {"media": {"source_video": "u"}}),
        ("media.reference_images", "u", {"media": {"reference_images": ["u"]}}),
        ("media.reference_images", '["u", "v"]', {"media": {"reference_images": ["u", "v"]}}),
        ("media.frame_videos", "u", {"media": {"frame_videos": [{"video": "u"}]}}),
        ("frame_images", "u", {"media": {"frame_images": [{"input_image": "u", "frame": "first"}]}}),
        ("extra", '{"settings": {"audio": true}}', {"settings": {"audio": True}}),
        ("extra.settings", '{"audio": true}', {"settings": {"audio": True}}),
        ("extra.cameraName", "left", {"cameraName": "left"}),
    ],
)
def test_objects_in_cells(column: str, cell: str, expected: dict[str, Any]) -> None:
    """JSON in a cell, or a dotted column with JSON or a bare address."""
    text = f"{column}\tprompt\n{cell}\ta\n"
    assert payloads(parse(text, RowFormat.TSV)) == [{"model": "m", "prompt": "a", **expected}]


def test_a_semicolon_separates_too() -> None:
    """Spreadsheets write semicolons where the comma is the decimal sign."""
    assert payloads(parse("prompt;steps\na, b;20\n", RowFormat.CSV)) == [
        {"model": "m", "prompt": "a, b", "steps": 20}
    ]


def test_a_line_wins_over_the_defaults_part_by_part() -> None:
    """Media and extra are filled up; a deprecated field of the line replaces the default's."""
    default = {
        "media": {"source_video": "d", "frame_images": [{"input_image": "d"}]},
        "extra": {"a": 1, "b": 1},
    }
    text = json.dumps({"prompt": "p", "frame_images": [{"input_image": "l"}], "extra": {"b": 2}})
    assert payloads(parse(text, RowFormat.JSON_LINES, **default)) == [
        {
            "model": "m",
            "prompt": "p",
            "media": {"source_video": "d", "frame_images": [{"input_image": "l", "frame": "first"}]},
            "a": 1,
            "b": 2,
        }
    ]
    text = json.dumps({"media": {"reference_images": ["l"]}})
    assert payloads(parse(text, RowFormat.JSON_LINES, reference_images=["d"])) == [
        {"model": "m", "media": {"reference_images": ["l"]}}
    ]


def test_all_mistakes_are_named_at_once() -> None:
    """One message: how many lines, then each line with everything that is wrong with it."""
    text = '{"prompt": "a"}\n{"prmopt": "b", "steps": 80}\n{"prompt": "c"\n{"seconds": "1e9999999"}\n'
    assert refusal(text, RowFormat.JSON_LINES).splitlines() == [
        "file: 3 of 4 lines cannot be used; nothing was sent.",
        '  line 2: steps: must be at most 50, is 80; unknown field "prmopt" (did you mean "prompt"?)',
        "  line 3: is not JSON: Expecting ',' delimiter (column 15)",
        "  line 4: seconds: '1e9999999' is not a possible length of a video in seconds",
    ]


def test_no_more_than_ten_mistakes_are_listed() -> None:
    """The rest is counted."""
    lines = refusal("3\n" * 17, RowFormat.JSON_LINES).splitlines()
    assert lines[0] == "file: 17 of 17 lines cannot be used; nothing was sent."
    assert len(lines) == 12
    assert lines[-1] == "  … and 7 more"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": "a", "prompt": "b"}', '"prompt" is given twice'),
        ('{"seed": NaN}', "NaN is not a JSON number"),
        ('{"seed": ' + "9" * 5_000 + "}", "a number has too many digits"),
        ("[" * 100_000, "nested too deeply"),
        ("[1]", "must be an object of request fields or a prompt in quotes, is a list"),
        ('{"prompt": "\\ud800"}', "prompt: must be text that can be written as UTF-8"),
        ('{"extra": {"a": "\\ud800"}}', "extra contains text that cannot be written as UTF-8"),
        ('{"\\u001b[31m": 1}', 'unknown field "\\x1b[31m"'),
        ('""', "the prompt is empty"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(line: str, words: str) -> None:
    """Odd JSON ends in a sentence on one line, and never in a traceback."""
    message = refusal(line, RowFormat.JSON_LINES)
    assert words in message
    assert all(part.isprintable() for part in message.splitlines())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prmopt,steps\na,1\n", 'unknown column "prmopt" (did you mean "prompt"?); nothing was sent.'),
        ("a fox\na cat\n", 'unknown column "a fox"; the first line must name the request fields'),
        ("prompt,Prompt\na,b\n", 'the column "prompt" appears twice'),
        ("prompt,media,media.source_video\na,,\n", "both a column media and columns media."),
        ("prompt,steps\na,1,2\n", "line 2: has 3 cells, but the header has 2"),
        ("prompt,\na,b\n", 'line 2: "b" is in a column without a name'),
        ("prompt,media\na,{\n", "line 2: media: is not JSON"),
        ("prompt,steps\na,20\nb,80\n", "line 3: steps: must be at most 50, is 80"),
        (
            'prompt,steps\na,20\n"b,20\nc,20\n',
            "line 3: cannot be read as cells: a quote is opened and never closed",
        ),
        ("prompt\n", "contains no prompts or requests"),
    ],
)
def test_a_broken_table_says_where(text: str, words: str) -> None:
    """Headers and rows of a CSV file are judged by name and line."""
    assert words in refusal(text, RowFormat.CSV)


def test_wrong_defaults_are_said_once() -> None:
    """A bad option of the command line is not reported for each line."""
    assert (
        refusal("a\nb\n", RowFormat.TEXT, steps=80) == "steps: must be at most 50, is 80; nothing was sent."
    )


def test_json_in_a_text_file_is_not_paid_for_as_a_prompt() -> None:
    """A JSON object is hardly what a video should show."""
    assert "looks like JSON" in refusal('{"prompt": "a"}\n', RowFormat.TEXT)


@pytest.mark.parametrize("text", ["3", "[1,", "null"])
def test_a_json_file_without_a_list_is_one_sentence(text: str) -> None:
    """There are no lines to list where the whole is not a list."""
    assert len(refusal(text, RowFormat.JSON).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \r\n\n", "is empty"),
        ("a.txt", b"# only a note\n", "contains no prompts or requests"),
        ("a.txt", b"one\ncaf\xe9\n", "is not UTF-8 text (byte 0xe9 in line 2)"),
        ("a.bin", b"MZ\0\1", "is not a text file"),
        ("a.yaml", b"prompt: a\n", "is not a list of prompts"),
    ],
)
def test_a_file_that_is_something_else_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """Empty, binary, or in another encoding: said in one line that names the file."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_requests(path, {}, "m")
    assert words in str(caught.value)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "is a folder"),
        ("none\x1b.txt", "none\\x1b.txt: there is no such file"),
        ("a\0b", "cannot be read"),
    ],
)
def test_a_path_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    """No traceback for a wrong path, and nothing in it reaches the terminal raw."""
    with pytest.raises(InputError) as caught:
        read_requests(f"{tmp_path}/{name}", {}, "m")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions are said as such; raised here by hand, since root may read everything."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="this user is not allowed to read it"):
        read_requests(tmp_path / "a.txt", {}, "m")


@pytest.mark.parametrize(
    ("text", "prompt"), [(b'# list\n{"prompt": "a"}\n', "a"), (b"a fox\n", "a fox"), (b"", None)]
)
def test_standard_input_is_lines_of_json_or_of_text(text: bytes, prompt: str | None) -> None:
    """A dash reads standard input, and looks at how it begins."""
    if prompt is None:
        with pytest.raises(InputError, match="standard input: is empty"):
            read_requests("-", {}, "m", stdin=io.BytesIO(text))
    else:
        assert read_requests("-", {}, "m", stdin=io.BytesIO(text))[0].request.prompt == prompt


def test_without_a_model_each_line_has_the_catalogues_default() -> None:
    """As in Python, in events and in forms."""
    (found,) = parse_requests("a\n", RowFormat.TEXT, "file")
    assert found.request.model == VideoRequest(prompt="a").model


@settings(max_examples=100)
@given(st.text(st.characters(codec="utf-8"), max_size=80), st.sampled_from(RowFormat))
def test_any_text_gives_requests_or_one_error(text: str, form: RowFormat) -> None:
    """No text makes reading end in anything but requests or an InputError with printable lines."""
    message = ""
    try:
        assert parse(text, form)
    except InputError as error:
        message = str(error)
    assert all(line.isprintable() for line in message.split("\n"))


def test_ten_thousand_lines_are_read_in_order() -> None:
    """A large file loses and reorders nothing."""
    text = "".join(json.dumps({"prompt": f"scene {number}", "steps": 20}) + "\n" for number in range(10_000))
    requests = parse(text, RowFormat.JSON_LINES)
    assert [sourced.line for sourced in requests] == list(range(1, 10_001))
    assert requests[-1].request.prompt == "scene 9999"
