"""A storyboard in the words of its file; what contradicts itself is named with its shot."""

from __future__ import annotations

from typing import Any

import pytest

from together_video.errors import InputError
from together_video.film import Captions, Shot, Storyboard, Transition
from together_video.film.reading import storyboard_of
from together_video.film.storyboard import MOST_SHOTS


def board(*shots: Any, **fields: Any) -> Storyboard:
    return storyboard_of({"title": "A film", **fields, "shots": list(shots)})


def refusal(*shots: Any, **fields: Any) -> str:
    with pytest.raises(InputError) as caught:
        board(*shots, **fields)
    return str(caught.value)


def test_a_shot_may_be_its_prompt() -> None:
    """The shortest storyboard that there is."""
    found = board("a fox")
    assert found.shots == (Shot(prompt="a fox"),)
    assert (found.cut.captions, found.cut.music, found.shots[0].take) == (Captions.VTT, None, 1)


def test_request_fields_stand_beside_the_shots_own() -> None:
    """They are kept as settings, and so they are written and read again."""
    found = board({"prompt": "a", "resolution": "720p", "fps": 24, "seed": 7})
    assert found.shots[0].settings == {"resolution": "720p", "fps": 24}
    assert found.shots[0].seed == 7
    assert Storyboard.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("given", "kind", "seconds"),
    [
        ({"transition": "cut"}, "cut", 0),
        ({"transition": "crossfade"}, "crossfade", 0.5),
        ({"transition": {"crossfade": 1.5}}, "crossfade", 1.5),
        ({"transition": {"kind": "crossfade", "seconds": 2}}, "crossfade", 2),
        ({"crossfade": 0.25}, "crossfade", 0.25),
    ],
)
def test_transitions_in_short(given: dict[str, Any], kind: str, seconds: float) -> None:
    """As people write them."""
    assert board("a", {"prompt": "b", **given}).shots[1].transition == Transition(kind=kind, seconds=seconds)


@pytest.mark.parametrize(("said", "take"), [(2, 2), ("take 2", 2), ("Take 12", 12), ("3", 3), (None, 1)])
def test_takes_in_words(said: object, take: int) -> None:
    """The cut may say which take of a shot it uses."""
    assert board({"prompt": "a", "use": said}).shots[0].take == take


def test_numbers_are_words_where_words_belong() -> None:
    """A film of the title 1984, and a caption of 12."""
    found = board({"prompt": "a", "caption": 12}, title=1984)
    assert (found.title, found.shots[0].caption) == ("1984", "12")


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ({"continue": True, "from": "a.png"}, "continue and from"),
        ({"extend": True, "from": "a.png"}, "extend and from"),
        ({"continue": True, "extend": True}, "continue and extend"),
        ({"extend": True, "media": {"frame_videos": [{"video": "a.mp4"}]}}, "extend and media.frame_videos"),
        ({"prompt": None}, "prompt: is missing"),
        ({"prompt": " "}, "the prompt is empty"),
        ({"seconds": 0}, "seconds: 0 is not a positive number"),
        ({"use": "take x"}, 'use: must be a whole number, is "take x"'),
        ({"use": 0}, "use: must be at least 1"),
        ({"name": "two words"}, "a name is one word"),
        ({"name": "3"}, "a name is one word"),
        ({"transition": "wipe"}, 'transition.kind: must be "cut" or "crossfade"'),
        ({"transition": {"kind": "cut", "seconds": 1}}, "a cut has no seconds"),
        ({"transition": {"crossfade": 0}}, "a crossfade needs more than 0 seconds"),
        ({"transition": {"crossfade": -1}}, "a crossfade needs more than 0 seconds"),
        ({"transition": "cut", "crossfade": 1}, "transition and crossfade: give one of them"),
        ({"audio": "loud"}, 'audio.own: must be "keep" or "mute"'),
        ({"promt": "b"}, 'unknown field "promt" (did you mean "prompt"?)'),
        ({"resolutoin": "b"}, 'unknown field "resolutoin" (did you mean "resolution"?)'),
        ({"contineu": True}, '(did you mean "continue"?)'),
        ({"fps": 900}, "fps: must be at most 240, is 900"),
        ({"aspect": "wide"}, "aspect: must be a shape"),
        ({"frame_images": [{"input_image": "a.png"}]}, "write from: and to: in the shot"),
        ({"media": {"frame_images": [{"input_image": "a.png"}]}}, "write from: and to: in the shot"),
        ({"take": 2}, "write use: in the shot"),
        ({"settings": {"seed": 1}}, "seed: write it in the shot itself"),
        ({"settings": {"fps": 24}, "fps": 25}, "fps: given in the shot and in its settings"),
        ({"caption": "a\0b"}, "NUL"),
        ({"caption": "a\ud800"}, "text that can be written as UTF-8"),
    ],
)
def test_what_is_wrong_names_the_shot(shot: dict[str, Any], words: str) -> None:
    """By its number, from 1."""
    said = refusal("a", {"prompt": "b", **shot})
    assert said.startswith("The storyboard: Shot 2: ")
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ({"continue": True}, "Shot 1: continue: there is no shot before it"),
        ({"extend": True}, "Shot 1: extend: there is no shot before it"),
        ({"crossfade": 1}, "Shot 1: transition: there is no shot before it"),
    ],
)
def test_nothing_is_before_the_first_shot(shot: dict[str, Any], words: str) -> None:
    """So it cannot continue anything."""
    assert words in refusal({"prompt": "a", **shot})


def test_names_are_given_once() -> None:
    """In whichever case."""
    assert 'Shot 2: name: "Harbour" is the name of shot 1' in refusal(
        {"prompt": "a", "name": "harbour"}, {"prompt": "b", "name": "Harbour"}
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Of all shots and parts, each on a line of its own."""
    said = refusal(
        {"prompt": "a", "seconds": "long"},
        {"prompt": "b", "use": 0, "sedd": 1},
        look={"style": ""},
        cut={"crf": 99, "wdth": 1, "music": {"loop": True}},
        lok={},
    )
    assert said.splitlines() == [
        "The storyboard: cannot be used.",
        "  look.style: is empty: give some text, or leave it out",
        "  Shot 1: seconds: 'long' is not a number of seconds; write it as 6 or as \"6\"",
        '  Shot 2: unknown field "sedd" (did you mean "seed"?)',
        "  Shot 2: use: must be at least 1, is 0",
        "  cut.crf: must be at most 51, is 99",
        "  cut.music.file: is missing",
        '  unknown field "wdth" in cut (did you mean "width"?)',
        '  unknown field "lok" (did you mean "look"?)',
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "title: is empty"),
        ({"title": "a\nb"}, "must be one line"),
        ({"defaults": {"prompt": "b"}}, "defaults: prompt: write the prompt of each shot in the shot"),
        ({"defaults": {"sedd": 2}}, '"sedd" (did you mean "seed"?)'),
        ({"defaults": {"fps": "fast"}}, "fps: must be a whole number"),
        ({"cut": {"width": 1280}}, "give both, or neither"),
        ({"cut": {"width": 1281, "height": 720}}, "even numbers"),
        ({"cut": {"music": {"file": "a.mp3", "duck_db": 3}}}, "cut.music.duck_db: must be at most 0"),
        ({"cut": {"captions": "loud"}}, "captions"),
        ({"look": {"reference_images": ["a.png"] * 31}}, "at most 30 entries"),
    ],
)
def test_what_is_wrong_with_the_film(fields: dict[str, Any], words: str) -> None:
    """Its parts by their names."""
    assert words in refusal("a", **fields)


def test_films_are_bounded() -> None:
    """A film of thousands of shots is something else."""
    board(*["a"] * MOST_SHOTS)
    assert "must have at most 200 entries, has 201" in refusal(*["a"] * (MOST_SHOTS + 1))
    assert "shots: must have at least 1" in refusal()


@pytest.mark.parametrize("value", [None, "a", 3, [], ["a"]])
def test_other_values_are_no_storyboards(value: object) -> None:
    """Their kind is named."""
    with pytest.raises(InputError, match="must have title: and shots:"):
        storyboard_of(value)


def test_what_is_not_said_changes_nothing() -> None:
    """Null and defaults leave the canonical text as it is."""
    plain = board("a", "b")
    said = board(
        {"prompt": "a", "continue": False, "caption": None, "transition": "cut"},
        {"prompt": "b", "audio": "keep", "fps": None},
        look=None,
        cut={"crf": 18},
        defaults={"seed": None},
    )
    assert (
        said.canonical() == plain.canonical() == '{"shots":[{"prompt":"a"},{"prompt":"b"}],"title":"A film"}'
    )


def test_the_form_has_plain_fields() -> None:
    """Under the names of the file; a shot's settings are taken, and shown only as the defaults of all shots."""
    schema = Storyboard.model_json_schema()
    shot = schema["$defs"]["Shot"]["properties"]
    assert {"continue", "extend", "from", "to", "prompt"} <= shot.keys()
    assert shot["prompt"]["type"] == shot["from"]["type"] == "string"
    assert "settings" not in shot
    assert schema["$defs"]["Shot"]["additionalProperties"] is True
    shown = schema["properties"]["defaults"]["properties"]
    assert {"model", "resolution", "aspect"} <= shown.keys()
    assert not {"prompt", "media"} & shown.keys()
