"""Storyboards as files for people: what is written is read as the same storyboard."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from together_video.film import Storyboard
from together_video.film.reading import parse_storyboard, storyboard_of
from together_video.film.yaml_text import storyboard_yaml

WHOLE = {
    "title": "Night: the lamp, #2",
    "look": {
        "style": ("noir " * 40).strip(),
        "negative_prompt": "no",
        "reference_images": ["a.png", "https://x.org/a b.png"],
    },
    "defaults": {
        "model": "x/y",
        "seconds": 5,
        "ratio": "16:9",
        "labels": {"a b": "c"},
        "generate_audio": False,
    },
    "shots": [
        {"prompt": ("A fox. " * 30).strip(), "name": "fox", "seconds": "7.5", "audio": "mute"},
        {"prompt": "true", "continue": True, "caption": "No", "use": 2, "fps": 24},
        {"prompt": "a\nb", "from": "a.png", "to": "b.png", "crossfade": 0.5, "audio": {"narration": "n.mp3"}},
        {
            "prompt": "c",
            "media": {"reference_videos": [{"video": "v.mp4"}]},
            "extra": {"a": [1, None, {"b": {}}]},
        },
    ],
    "cut": {"music": {"file": "m.mp3", "gain_db": -3}, "captions": "burned", "width": 1280, "height": 720},
}


def back(board: Storyboard, **how: Any) -> Storyboard:
    return parse_storyboard(storyboard_yaml(board, **how), "yaml", "story")


def test_everything_is_read_again() -> None:
    """All fields, with comments between them that hold whatever there is to say."""
    board = storyboard_of(WHOLE)
    assert back(board) == board
    assert back(board, head=["a\nb: c", ""], comments={1: "x\ny: z", 3: "\u2028title: q"}) == board


@pytest.mark.parametrize(
    "text", ["\n0", "a\n\nb", "\t# no", "x\u2028y", "\x85\x7f", "\U0001f600 \ufeff", '"\\', "- a: b", "\n"]
)
def test_odd_texts_survive(text: str) -> None:
    board = storyboard_of(
        {"title": "t", "shots": [{"prompt": f"p{text}"}, {"prompt": f"{text}p", "caption": text}]}
    )
    assert back(board) == board


def test_people_can_read_it() -> None:
    """Short forms, words without quotes, and long prompts folded."""
    text = storyboard_yaml(storyboard_of(WHOLE))
    assert "    prompt: >-\n      A fox. A fox." in text
    assert max(map(len, text.splitlines())) <= 105
    for line in (
        'title: "Night: the lamp, #2"',
        "    crossfade: 0.5",
        "    seconds: 7.5",
        "    audio: mute",
        "    fps: 24",
        "    to: b.png",
    ):
        assert line in text.splitlines()
    assert "settings" not in text
    assert '    caption: "No"' in text


texts = st.text(min_size=1, max_size=120).filter(lambda text: text.strip() and "\0" not in text)


@settings(max_examples=300, deadline=None)
@given(prompts=st.lists(texts, min_size=1, max_size=3), caption=texts, path=texts, style=texts, label=texts)
def test_any_text_survives(prompts: list[str], caption: str, path: str, style: str, label: str) -> None:
    """Whatever a chat model, or a person, has written: quotes, colons, other scripts, signs without a picture."""
    board = storyboard_of(
        {
            "title": "x",
            "look": {"style": style},
            "defaults": {"extra": {"k": label, label: "k"}},
            "shots": [{"prompt": prompt, "caption": caption, "from": path} for prompt in prompts],
        }
    )
    assert back(board) == board


@pytest.mark.parametrize(
    "word",
    [
        "yes",
        "NO",
        "null",
        "True",
        "false",
        "~",
        "1",
        "1e3",
        "0x1F",
        "012",
        "16:9",
        "2026-11-28",
        "-",
        "? a",
        "<<",
    ],
)
def test_words_that_yaml_takes_for_something_else(word: str) -> None:
    """They stay words, and other readers of YAML take them for words, too."""
    board = storyboard_of({"title": word, "defaults": {"extra": {word: {word: [word]}}}, "shots": ["a"]})
    assert back(board) == board
    text = storyboard_yaml(board)
    assert text.startswith(f'title: "{word}"\n')
    assert f'    "{word}":\n      "{word}":\n        - "{word}"\n' in text
