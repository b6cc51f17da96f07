"""Storyboards from files: YAML and JSON, of any encoding that can be told, and nothing that grows or runs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from together_video.errors import InputError
from together_video.film.reading import LARGEST_STORYBOARD, parse_storyboard, read_storyboard

STORY = """\
# A short film.
title: The keeper
look:
  style: watercolour, calm
  reference_images: [cat.png, https://example.org/a.png]
defaults: {ratio: 16:9, seconds: 5, media: {reference_audios: [voice.wav]}}
shots:
  - prompt: A keeper climbs the stairs
    from: ./first.png
    audio: {narration: said.mp3}
  - prompt: "Night: the lamp is lit"
    continue: yes
    caption: No
    crossfade: .5
cut:
  music: song.mp3
"""


def refusal(text: str, form: str = "yaml") -> str:
    with pytest.raises(InputError) as caught:
        parse_storyboard(text, form, "story")  # type: ignore[arg-type]
    return str(caught.value)


def test_yaml_reads_as_people_mean_it(tmp_path: Path) -> None:
    """A ratio is not a number of minutes, No is a word, and yes is true in a field for true or false."""
    file = tmp_path / "story.yaml"
    file.write_text(STORY, encoding="utf-8")
    found = read_storyboard(file)
    assert found.defaults["ratio"] == "16:9"
    assert (found.shots[1].continues, found.shots[1].caption) == (True, "No")
    assert found.shots[1].transition.seconds == 0.5


def test_relative_paths_are_those_of_the_file(tmp_path: Path) -> None:
    """In every place that names media; links stay as they are."""
    file = tmp_path / "story.yml"
    file.write_text(STORY, encoding="utf-8")
    found = read_storyboard(file)
    assert found.look.reference_images == (str(tmp_path / "cat.png"), "https://example.org/a.png")
    assert found.defaults["media"] == {"reference_audios": [str(tmp_path / "voice.wav")]}
    assert found.shots[0].first == str(tmp_path / "first.png")
    assert found.shots[0].audio.narration == str(tmp_path / "said.mp3")
    assert found.cut.music is not None
    assert found.cut.music.file == str(tmp_path / "song.mp3")
    assert parse_storyboard(STORY, "yaml", "story").shots[0].first == "./first.png"


def test_json_is_the_same_storyboard(tmp_path: Path) -> None:
    """What YAML says can be said in JSON."""
    told = parse_storyboard(STORY, "yaml", "story")
    file = tmp_path / "story.json"
    file.write_text(told.model_dump_json(), encoding="utf-8")
    assert parse_storyboard(file.read_text(encoding="utf-8"), "json", "story") == told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings_that_can_be_told(tmp_path: Path, encoding: str) -> None:
    """As editors write them."""
    file = tmp_path / "story.yaml"
    file.write_bytes("title: Über den Wolken\nshots: [a]\n".encode(encoding))
    assert read_storyboard(file).title == "Über den Wolken"


def test_standard_input() -> None:
    """In YAML, of which JSON is a part."""
    assert read_storyboard("-", stdin=io.BytesIO(b'{"title": "x", "shots": ["a"]}')).title == "x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: &x a\nshots: [*x]", "&x is an anchor: leave it out (line 1, column 8)"),
        ("title: x\nshots: [*x]", "*x refers to another part: write it out"),
        ("title: !!python/object/apply:os.system [ls]", "is a tag: leave it out"),
        ("title: !!binary aGk=", "is a tag"),
        ("title: x\ntitle: y", '"title" is given twice (line 2, column 1)'),
        ("title: x\nshots: [{prompt: a, prompt: b}]", '"prompt" is given twice'),
        ("---\ntitle: x\n---\ntitle: y", "contains a second document"),
        ("title: x\nshots: " + "[" * 50 + "]" * 50, "is nested more than 32 deep"),
        ("title: a: b", "Put text with a colon in quotes"),
        ("title: x\n\tshots: [a]", "Indent with spaces"),
        ("1: 2", 'a name must be text, is "1"'),
        ("? [a]\n: b", "a name must be text, is a list or an object"),
        ("title: [x", "is not YAML"),
        ("title: x\x07", "is not YAML"),
        ("- a", "must have title: and shots:, but is a list"),
        ("a", 'must have title: and shots:, but is "a"'),
    ],
)
def test_yaml_that_is_refused(text: str, words: str) -> None:
    """Where it is, and what to do."""
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": 1,}', "is not JSON"),
        ('{"title": "a", "title": "b"}', '"title" is given twice'),
        ('{"title": NaN}', "NaN is not a JSON number"),
        ("[]", "but is a list"),
    ],
)
def test_json_that_is_refused(text: str, words: str) -> None:
    """As in request files."""
    assert words in refusal(text, "json")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_brackets_without_end(form: str) -> None:
    """They are refused before they are a stack of calls."""
    assert "nest" in refusal("[" * 100_000, form)


def test_an_alias_bomb_is_not_unfolded() -> None:
    """A billion laughs are refused at the first anchor, whatever they would become."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]
    assert "&a0 is an anchor" in refusal("\n".join(lines))


def test_long_numbers_are_words() -> None:
    """None of them is turned into a number of thousands of digits."""
    assert "seconds" in refusal("title: x\nshots: [{prompt: a, seconds: " + "9" * 5000 + "}]")


def test_files_that_are_none(tmp_path: Path) -> None:
    """Another ending, none, a folder, and what is too large."""
    for name, words in (
        ("story.txt", "a storyboard is a .yaml, .yml or .json file"),
        ("no.yaml", "no such file"),
    ):
        with pytest.raises(InputError, match=words):
            read_storyboard(tmp_path / name)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match="is a folder, not a storyboard"):
        read_storyboard(tmp_path / "folder.yaml")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (LARGEST_STORYBOARD + 1))
    with pytest.raises(InputError, match="is larger than 4 MB, so it is not a storyboard"):
        read_storyboard(large)
    sheet = tmp_path / "sheet.yaml"
    sheet.write_bytes(b"PK\x03\x04zip")
    with pytest.raises(InputError, match="ZIP archive"):
        read_storyboard(sheet)


def test_the_whole_refusal_names_the_file(tmp_path: Path) -> None:
    """One line where one thing is wrong, else one for each."""
    file = tmp_path / "story.json"
    file.write_text(
        json.dumps({"title": "x", "shots": [{"prompt": "a", "continue": True}]}), encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        read_storyboard(file)
    assert str(caught.value) == f"{file}: Shot 1: continue: there is no shot before it."
