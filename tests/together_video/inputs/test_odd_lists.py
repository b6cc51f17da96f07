"""Lists of prompts as people have them: from spreadsheets, chats, editors, in many encodings, or no lists at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from together_video.errors import InputError
from together_video.inputs.files import read_lines, read_requests
from together_video.inputs.lines import RequestLines
from together_video.inputs.text_lists import Lines

DATA = Path(__file__).parents[2] / "data"


def prompts(found: RequestLines) -> list[str | None]:
    return [one.request.prompt for one in found.requests]


def of_text(tmp_path: Path, text: str, lines: Lines = "checked") -> RequestLines:
    path = tmp_path / "prompts.txt"
    path.write_text(text, encoding="utf-8")
    return read_lines(path, default_model="a/b", lines=lines)


TABLE = "Prompt;Negative Prompt;Seed\nEin Fuchs, jung;Regen;7\nEine Eule;;8\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("sep.csv", f"sep=;\r\n{TABLE}".encode()),
        ("quoted.csv", f'"sep=;"\n{TABLE}'.encode()),
        ("mark.csv", f"SEP=;\n{TABLE}".encode("utf-8-sig")),
        ("semicolon.csv", TABLE.encode()),
        ("tabs.csv", TABLE.replace(";", "\t").encode()),
        ("tabs.tsv", TABLE.replace(";", "\t").encode("utf-16")),
        ("be.tsv", b"\xfe\xff" + TABLE.replace(";", "\t").encode("utf-16-be")),
        ("unmarked.tsv", TABLE.replace(";", "\t").encode("utf-16-le")),
        ("wide.csv", TABLE.encode("utf-32")),
        ("pipes.csv", TABLE.replace(";", "|").encode()),
        ("semicolon.tsv", TABLE.encode()),
        ("capitals.csv", TABLE.replace("Prompt", "PROMPT", 1).replace("Seed", " SEED ").encode()),
        ("old-mac.csv", TABLE.replace("\n", "\r").encode()),
    ],
)
def test_every_table_of_a_spreadsheet_is_read(tmp_path: Path, name: str, data: bytes) -> None:
    """Whatever divides its cells, whatever its encoding, with and without Excel's own first line."""
    path = tmp_path / name
    path.write_bytes(data)
    found = [one.request for one in read_requests(path, default_model="a/b")]
    assert [(one.prompt, one.negative_prompt, one.seed) for one in found] == [
        ("Ein Fuchs, jung", "Regen", 7),
        ("Eine Eule", None, 8),
    ]


def test_the_lines_of_a_table_are_counted_from_the_top(tmp_path: Path) -> None:
    """Also behind the line that names the separator."""
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nprompt;seed\na fox;7\nan owl;eight\n")
    (bad,) = read_lines(path, default_model="a/b").refused
    assert bad.line == 4


@pytest.mark.parametrize(
    ("encoding", "text", "named"),
    [
        ("cp1252", "prompt\nein Löwe im Café\n", "CP1252 (Western European): 'ein Löwe im Café'"),
        ("cp1252", "prompt\nun élève près de la forêt\n", "CP1252"),
        ("gb18030", "prompt\n一只狐狸在雪地里奔跑\n", "GB18030 (Chinese): '一只狐狸在雪地里奔跑'"),
        ("gbk", "prompt\n海边的灯塔，日落\n", "GB18030"),
        ("shift_jis", "prompt\n雪の中を走るきつねのアニメ\n", "SHIFT_JIS (Japanese)"),
        ("cp1251", "prompt\nлиса бежит по снегу\n", "CP1251 (Cyrillic)"),
    ],
)
def test_another_encoding_is_named_with_what_to_do(
    tmp_path: Path, encoding: str, text: str, named: str
) -> None:
    """Nothing is guessed and bought: the likely encoding, a line as it would read, and the command."""
    path = tmp_path / "prompts.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(InputError) as caught:
        read_requests(path)
    assert "is not UTF-8 text (byte 0x" in caught.value.message
    assert named in caught.value.message
    assert f"-t UTF-8 {path} > utf8.csv" in caught.value.message


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("prompts.xlsx", b"PK\x03\x04rest", "is an Excel workbook. In Excel choose File > Save As"),
        ("prompts.xls", b"\xd0\xcf\x11\xe0rest", "is an Excel workbook"),
        ("prompts.ods", b"PK\x03\x04", "is an OpenDocument sheet"),
        ("prompts.numbers", b"PK\x03\x04", "Numbers"),
        ("prompts.docx", b"PK\x03\x04", "is a document. Save it as plain text"),
        ("prompts.csv", b"PK\x03\x04\x14\0", "is a ZIP archive, as Excel workbooks are"),
        ("prompts.txt", b"%PDF-1.7\n", "is a document"),
        ("prompts", b"{\\rtf1 fox}", "is a document"),
        ("prompts.csv", b"\x1f\x8b\x08\0", "is compressed with gzip"),
        (
            "prompts.txt",
            b"prompt,seed\na fox,7\n",
            "begins like a table with the columns prompt, seed: rename it to .csv",
        ),
    ],
)
def test_what_holds_a_list_and_is_none_says_how_to_export_it(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    """One sentence with the way to a file that can be read."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_requests(path)
    assert words in caught.value.message


def test_numbers_and_bullets_are_left_out_and_the_rest_is_pointed_out() -> None:
    """The list that was pasted from a chat: four prompts, a sentence around them, a rule."""
    found = read_lines(DATA / "numbered.txt", default_model="a/b")
    assert prompts(found) == ["A fox in the snow", "A cat on a roof", "A dog", "A bird"]
    assert [bad.line for bad in found.refused] == [1, 7]
    assert "'Here are 3 prompts:'; remove it, or --lines-as-they-are" in found.refused[0].problems[0]
    assert found.remarks == ("Numbers and bullets before 4 prompts were removed.",)
    with pytest.raises(InputError, match="2 of 6 lines cannot be used"):
        found.whole()


@pytest.mark.parametrize(
    "lines",
    [
        "1. A fox\n2. An owl",
        "12) A fox\n13) An owl",
        "(3) A fox\n(4) An owl",
        "[4] A fox\n[5] An owl",
        "#5 A fox\n#6 An owl",
        "6: A fox\n7: An owl",
        "iv. A fox\nv. An owl",
        "- A fox\n- An owl",
        "•A fox\n• An owl",
        "– A fox\n– An owl",
        "- [ ] A fox\n- [x] An owl",
        "* 1. A fox\n* 2. An owl",
        "Prompt 3: A fox\nPrompt 4: An owl",
        "**Prompt 4:** A fox\n**Prompt 5:** An owl",
        "Scene 2 - A fox\nScene 3 - An owl",
        "1. **A fox**\n2. **An owl**",
        '1. "A fox"\n2. “An owl”',
        "1、A fox\n2、An owl".replace("A fox", "狐狸").replace("An owl", "猫"),
        "1.狐狸\n2.猫",
        "① 狐狸\n② 猫",
    ],
)
def test_what_counts_the_prompts_is_left_out(tmp_path: Path, lines: str) -> None:
    """Numbers, bullets, names, whatever their signs are."""
    found = of_text(tmp_path, lines)
    assert prompts(found) in (["A fox", "An owl"], ["狐狸", "猫"]), found.refused


ORDINARY = """\
Shot 2.39:1 anamorphic, a lone rider
Shot 16:9 of a fox running
Shot 35-mm film of a train
Video 8-bit style fox
Take 2-3 steps back from a cliff
2001: A Space Odyssey style corridor
1984. A telescreen in a hall
(1917) A soldier runs
5. Mai, ein Umzug in Berlin
I. M. Pei's pyramid
3 foxes in the snow
1.5 km of road
24fps look, a fox
Absolutely stunning drone shot of Iceland
Sure-footed goat climbs a cliff
The following morning, a fox wakes up
Here is a lone wolf on a ridge
Below are clouds, above is the sun
Of course the cat sits on the keyboard
E = mc2 appears in chalk on a board
import trucks arrive at a harbour
class photo: children smile
A fox at dawn; mist; slow pan;
a fox {in the snow}
<happy fox>
$ bills rain from the sky
snow/ice/fire
🦊
2024-01-01 12:00 fireworks over Paris
一只狐狸在雪地里奔跑
雪の中を走るきつね
A fox: close-up
"Wait!" says the fox
A fox -> an owl
A prompt engineer at work
fox
"""


@pytest.mark.parametrize("line", ORDINARY.splitlines())
def test_an_ordinary_prompt_is_bought_as_it_stands(tmp_path: Path, line: str) -> None:
    """Nothing of it is left out, and it does not become a heading, list or code."""
    assert prompts(of_text(tmp_path, line)) == [line]
    assert prompts(of_text(tmp_path, f"{line}\nA hare\n")) == [line, "A hare"]


def test_hostile_lines_take_no_time(tmp_path: Path) -> None:
    """However long they are and whatever they repeat."""
    for text in (
        "@." * 4000 + " x",
        "a" * 20_000,
        "1." * 5000,
        "a=" * 190,
        "(a" * 190,
        "<" * 390,
        "x " * 10_000,
    ):
        began = time.process_time()
        of_text(tmp_path, text)
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "line",
    [
        "Here are 5 prompts for you:",
        "Sure! Here is what I came up with.",
        "Certainly, these should work.",
        "I hope this helps!",
        "Let me know if you want more.",
        "```text",
        "---",
        "* * *",
        "=====",
        "**Nature**",
        "Prompt 7",
        "Negative prompt: blurry",
        "Duration: 5 s",
        "--ar 16:9",
        "| 1 | a fox |",
        "Voici 3 prompts pour vous.",
        "以下是三个提示词",
        "Enjoy!",
        "Animals:",
        "root:x:0:0:root:/root:/bin/bash",
        "https://example.com/list",
        "/usr/local/bin/thing",
        "import os",
        "def main():",
        "API_KEY=abc",
        "return value;",
        "<div class='a'>",
        "2026-11-27 10:00:00 INFO started",
        "00:00:01,000 --> 00:00:02,000",
        "{",
        '"name": "fox",}',
    ],
)
def test_what_is_probably_no_prompt_is_an_error(tmp_path: Path, line: str) -> None:
    """Among good lines it is named; said to be meant so, it is taken."""
    found = of_text(tmp_path, f"a fox\n{line}\nan owl\n")
    assert prompts(found) == ["a fox", "an owl"]
    assert [bad.line for bad in found.refused] == [2]
    if not (line.startswith("{") and line.endswith("}")):
        assert prompts(of_text(tmp_path, f"a fox\n{line}\n", "as-they-are")) == ["a fox", line]


@pytest.mark.parametrize("name", ["/etc/passwd", "Makefile", "pyproject.toml.txt", "test_odd_lists.txt"])
def test_other_text_is_not_bought_line_by_line(tmp_path: Path, name: str) -> None:
    """A settings file, a program: whichever line is taken first, the whole file is refused."""
    root = Path(__file__).parents[3]
    sources = {
        "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nlist:x:38:38:Mailing List Manager:/var/list:/bin/sh\n",
        "Makefile": (root / "Makefile").read_text(),
        "pyproject.toml.txt": (root / "pyproject.toml").read_text(),
        "test_odd_lists.txt": Path(__file__).read_text(),
    }
    with pytest.raises(InputError, match="probably not a prompt"):
        of_text(tmp_path, sources[name]).whole()


def test_indented_lines_continue_an_item(tmp_path: Path) -> None:
    """And a line that stands for itself in a list of numbered ones is pointed out."""
    found = of_text(
        tmp_path, "1. A fox\n   in deep snow,\n   at dawn\n2. An owl\n\n3. A hare\nwith long ears\n"
    )
    assert prompts(found) == ["A fox in deep snow, at dawn", "An owl", "A hare"]
    assert [bad.line for bad in found.refused] == [7]
    assert "has no number or bullet" in found.refused[0].problems[0]


def test_paragraphs_are_offered_and_taken(tmp_path: Path) -> None:
    """What blank lines divide is one prompt, of however many lines."""
    text = "A fox runs\nthrough the snow.\n\nAn owl looks\ndown from a tree.\n\n\nA hare.\n"
    offered = of_text(tmp_path, text)
    assert len(offered.requests) == 5
    assert offered.remarks == (
        "Blank lines divide the text into 3 paragraphs: --paragraphs makes each one a prompt.",
    )
    found = of_text(tmp_path, text, "paragraphs")
    assert prompts(found) == ["A fox runs through the snow.", "An owl looks down from a tree.", "A hare."]
    assert [one.line for one in found.requests] == [1, 4, 8]
    assert of_text(tmp_path, "a fox\n\nan owl\n\na hare\n").remarks == ()


def test_bold_headings_with_numbers_and_closing_sentences_are_pointed_out(tmp_path: Path) -> None:
    """The file is refused as a whole: what stands under a numbered heading has no number."""
    text = "**1. A fox**\nA red fox runs through the snow.\n**2. A tower**\nA tower in a storm.\n"
    found = of_text(tmp_path, text)
    assert len(found.refused) == 2
    assert all("**" not in (prompt or "") for prompt in prompts(found))


def test_lines_that_an_editor_wrapped_give_a_remark(tmp_path: Path) -> None:
    """A comma at the end of a line, with the next line below it."""
    found = of_text(tmp_path, "A fox trots through snow,\nthe camera tracks left.\n")
    assert "--paragraphs" in found.remarks[0]


def test_a_decimal_comma_is_a_point_where_semicolons_divide(tmp_path: Path) -> None:
    """As German spreadsheets write it; a prompt keeps its commas."""
    path = tmp_path / "a.csv"
    path.write_text("Prompt;Seconds;Guidance Scale\nein Fuchs, 7,5 m;5,0;7,5\n")
    (found,) = read_requests(path, default_model="a/b")
    assert (found.request.prompt, found.request.seconds, found.request.guidance_scale) == (
        "ein Fuchs, 7,5 m",
        "5",
        7.5,
    )
