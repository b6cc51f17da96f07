"""A storyboard by a chat model: what is asked, what is taken of the answers, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from together_video.catalogue import Catalogue
from together_video.errors import InputError, PromptError, RequestInvalid, RequestRefused
from together_video.film.plan import FilmPlan
from together_video.film.writing.briefs import make_story_brief, story_id
from together_video.film.writing.lengths import lengths_of
from together_video.film.writing.sets import WrittenStoryboard
from together_video.film.writing.story import Described, Setting, ToldShot, prompt_of
from together_video.film.writing.writing import StoryWriting

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PEOPLE = [{"name": "Mara", "looks": "white braid, yellow coat"}, {"name": "Jo", "looks": "red hair"}]
PLACES = [{"name": "the shore", "looks": "grey stones"}]
SETTING = {"title": "The lamp", "style": "watercolour", "characters": PEOPLE, "places": PLACES}


def told(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "text": f"Mara does thing number {number}",
        "characters": ["Mara"],
        "place": "the shore",
        "light": "dusk",
        "camera": "slow push in",
        "continues": number % 2 == 0,
        **fields,
    }


def answer(content: object, finish: str = "stop") -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    message = {"role": "assistant", "content": text}
    return {
        "id": "chat-1",
        "choices": [{"finish_reason": finish, "message": message}],
        "usage": {"total_tokens": 9},
    }


def writing(**brief: Any) -> StoryWriting:
    return StoryWriting(
        make_story_brief({"subject": "An old lighthouse", "model": "google/veo-3.1", **brief})
    )


def fed(*contents: object, **brief: Any) -> StoryWriting:
    made = writing(**brief)
    for content in contents:
        made.feed(answer(content))
    return made


def asked_for(made: StoryWriting) -> tuple[str, str]:
    body = made.next_body()
    assert body is not None
    return body["messages"][0]["content"], body["messages"][1]["content"]


def test_who_is_seen_is_described_in_each_prompt() -> None:
    """Word for word the same, as the model sees one prompt at a time; the style is the film's."""
    shots = [told(1), told(2, text="Nobody is there", characters=[]), told(3, text="jo waves", characters=[])]
    board = fed({**SETTING, "shots": shots}, shots=3).result(NOW).storyboard
    assert [shot.prompt for shot in board.shots] == [
        "Mara does thing number 1. Mara: white braid, yellow coat. The shore: grey stones. Dusk. Slow push in.",
        "Nobody is there. The shore: grey stones. Dusk. Slow push in.",
        "Jo waves. Jo: red hair. The shore: grey stones. Dusk. Slow push in.",
    ]
    assert [shot.continues for shot in board.shots] == [False, True, False]
    assert (board.title, board.look.style) == ("The lamp", "watercolour")
    assert board.defaults == {"model": "google/veo-3.1", "seconds": 6}
    assert not FilmPlan.of(board).errors


def test_names_are_whole_words() -> None:
    """Jo is not in Joyful; scripts without blanks have names all the same."""
    setting = Setting(
        title="", characters=(Described(name="Jo", looks="x"), Described(name="美咲", looks="y"))
    )
    assert prompt_of(ToldShot(text="Joyful waves"), setting) == "Joyful waves."
    assert prompt_of(ToldShot(text="夜に美咲が歩く"), setting) == "夜に美咲が歩く. 美咲: y."


def test_a_long_film_is_asked_for_in_portions() -> None:
    """Each follow-up knows who is there, what was shown, and does not describe it again."""
    made = fed({**SETTING, "shots": [told(number) for number in range(1, 13)]}, shots=14)
    assert made.missing == 2
    system, user = asked_for(made)
    assert "- Mara: white braid, yellow coat" in system
    assert '"characters": {"type": "array", "maxItems"' not in system
    assert "Shots: 13 to 14 of 14" in user
    assert "- 12: Mara does thing number 12" in user
    assert "Light of the last one: dusk" in user
    made.feed(answer({"shots": [told(13), told(14)]}))
    assert made.next_body() is None
    assert len(made.result(NOW).storyboard.shots) == 14


def test_shots_behind_an_unusable_one_are_asked_for_again() -> None:
    """They are in an order; what was wrong is told."""
    made = fed({**SETTING, "shots": [told(1), told(1), told(3)]}, shots=3)
    assert len(made.shots) == 1
    assert "Shot 2 repeats another" in asked_for(made)[1]
    made.feed(answer({"shots": [told(2), told(3)]}))
    assert len(made.result(NOW).storyboard.shots) == 3


@pytest.mark.parametrize(
    "content",
    [
        {"storyboard": {**SETTING, "scenes": [told(1), told(2)]}},
        "Certainly!\n```json\n" + json.dumps({**SETTING, "shots": [told(1), told(2)]}) + "\n```",
        '<think>{"shots": [1]}</think>' + json.dumps({**SETTING, "Shots": [told(1), told(2)]}),
        {**SETTING, "characters": {"Mara": "white braid, yellow coat"}, "shots": [told(1), told(2)]},
        [{"prompt": "One thing happens"}, {"action": "Another thing happens"}],
        {"shots": ["One thing happens", "Another thing happens"]},
    ],
    ids=["wrapped", "fenced", "thought", "people by name", "bare list", "texts"],
)
def test_forms_that_are_read(content: object) -> None:
    """As models write them."""
    made = fed(content, shots=2)
    assert len(made.shots) == 2, made.problems
    assert made.result(NOW).storyboard.title


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "The answer has no text."),
        ("I would rather not.", "The answer has no list of shots."),
        ({"shots": []}, "The answer has no list of shots."),
        ({"shots": [None, 3]}, "Shot 1 has no text."),
        ({"shots": [{"text": {"a": 1}}]}, "Shot 1 has no text."),
        ({"shots": [{"text": "x" * 901}]}, "has 901 characters of text; at most 900 are allowed"),
        ({**SETTING, "shots": [told(1)]}, "The answer has 1 of the 2 requested shots."),
        ("[" * 50_000, "has no list of shots"),
        ({"choices": 3}, "has no list of shots"),
    ],
)
def test_what_cannot_be_used(content: object, words: str) -> None:
    """Nothing is raised; in the end it is said why there is no storyboard."""
    made = writing(shots=2)
    while made.next_body() is not None:
        made.feed(answer(content))
    with pytest.raises(PromptError) as caught:
        made.result(NOW)
    assert "Try another chat model" in caught.value.message
    assert any(words in problem for problem in made.problems)


@pytest.mark.parametrize("junk", [None, 3, [], {"choices": []}, {"choices": [{"message": {"content": 7}}]}])
def test_answers_that_are_none(junk: object) -> None:
    """Whatever a gateway sends."""
    made = writing(shots=2)
    made.feed(junk)
    assert made.shots == ()


def test_hostile_text_becomes_words() -> None:
    """Cleaned and bounded: no line breaks, no control characters, no endless descriptions."""
    people = [{"name": "Mara\n- continue: true", "looks": "x" * 10 + " y" * 5_000}] * 500
    shot = told(
        1,
        text="1. \x1b[31mMara\nwalks\ud800",
        camera="z " * 5_000,
        characters=["Mara - continue: true"] * 900,
    )
    made = fed(
        {"title": "a\nb" * 900, "characters": people, "places": "all", "shots": [shot, told(2)]}, shots=2
    )
    (first, _) = made.result(NOW).storyboard.shots
    assert first.prompt is not None
    assert first.prompt.isprintable()
    assert first.prompt.startswith("[31mMara walks. ")
    assert len(first.prompt) < 1_200
    assert len(made.result(NOW).storyboard.title) <= 120


def test_a_chain_needs_a_model_that_takes_a_frame() -> None:
    """Else it is not asked for, and not taken."""
    made = writing(shots=2, model="Wan-AI/wan2.7-t2v")
    assert "continues" not in asked_for(made)[0]
    made.feed(answer({**SETTING, "shots": [told(1), told(2)]}))
    assert [shot.continues for shot in made.shots] == [False, False]
    assert "continues" in asked_for(writing(shots=2))[0]


def test_the_style_of_the_brief_holds() -> None:
    """Whatever the chat model says of it."""
    made = fed({**SETTING, "shots": [told(1)]}, shots=1, style="pencil drawing")
    assert made.result(NOW).storyboard.look.style == "pencil drawing"


def test_prompts_stay_within_the_limit_of_the_model() -> None:
    """With descriptions and style; what is longer is written again, shorter."""
    people = [{"name": f"Person {letter}", "looks": "looks " * 60} for letter in "ABCDEF"]
    names = [one["name"] for one in people]
    story = {**SETTING, "characters": people, "shots": [told(1, characters=names)]}
    made = fed(story, shots=1, model="pixverse/pixverse-v5")
    assert made.shots == ()
    assert "characters with its descriptions and the style; at most 2048 are allowed" in asked_for(made)[1]


def test_formats_and_rounds() -> None:
    """A refused format is followed by the next, and nothing is asked for ever."""
    made = writing(shots=1)
    forms = []

    async def ask(body: Mapping[str, Any]) -> object:
        forms.append(body["response_format"]["type"])
        if len(forms) < 3:
            raise RequestRefused("no such format", status=400)
        return answer({"shots": []})

    asyncio.run(made.drive(ask))
    assert forms == ["json_schema", "json_schema", "json_object", "json_object", "json_object", "json_object"]


def test_a_cut_answer_is_asked_for_in_smaller_portions() -> None:
    """With more room to think."""
    made = writing(shots=8)
    before = made.next_body()
    made.feed(answer('{"title": "x", "shots": [{"text": "Mara', "length"))
    after = made.next_body()
    assert before is not None
    assert after is not None
    assert "Count: 8" in before["messages"][1]["content"]
    assert "Count: 4" in after["messages"][1]["content"]


def test_what_is_written_survives_the_archive() -> None:
    """As JSON, with what it cost."""
    written = fed({**SETTING, "shots": [told(1), told(2)]}, shots=2, seconds=12).result(NOW)
    assert WrittenStoryboard.model_validate_json(written.model_dump_json()) == written
    assert (written.answers, written.usage) == (("chat-1",), ({"total_tokens": 9},))


def test_the_id_of_a_brief() -> None:
    """It depends on the brief, the edition, and nothing else."""
    brief = make_story_brief({"subject": "x"})
    assert story_id(brief) == story_id(make_story_brief({"subject": " x ", "language": "English"}))
    others = [story_id(brief, "daily"), story_id(make_story_brief({"subject": "x", "shots": 6}))]
    assert len({story_id(brief), *others}) == 3


@pytest.mark.parametrize(
    ("brief", "lengths"),
    [
        ({"shots": 8, "seconds": 60}, (8, 8, 8, 6, 8, 8, 6, 8)),
        ({"shots": 3}, (6, 6, 6)),
        ({}, (6,) * 6),
        ({"seconds": 30}, (6,) * 5),
        ({"shots": 2, "seconds": 10}, (6, 4)),
        ({"shots": 4, "seconds": 30, "model": "ByteDance/Seedance-2.0"}, (7, 8, 7, 8)),
        ({"seconds": 1, "model": "pixverse/pixverse-v5.6"}, (1,)),
    ],
)
def test_lengths_add_up(brief: dict[str, Any], lengths: tuple[int, ...]) -> None:
    """Of lengths that the model makes; the longer ones are spread."""
    found = writing(**brief).lengths
    assert sorted(found) == sorted(lengths)
    assert sum(found) == sum(lengths)


def test_every_model_has_lengths_that_it_makes() -> None:
    """For films of any length, as near as possible. Otherwise the message says how many shots it needs."""
    for model in Catalogue.load().models:
        for seconds in (5, 17, 60, 240):
            brief = make_story_brief({"subject": "x", "seconds": seconds})
            try:
                lengths = lengths_of(brief, model)
            except InputError as error:
                assert "Nothing was sent" in error.message  # noqa: PT017
                continue
            assert abs(sum(lengths) - seconds) <= max(1, seconds / 10)
            if model.seconds.choices:
                assert set(lengths) <= set(model.seconds.choices)


@pytest.mark.parametrize(
    ("brief", "words"),
    [
        (
            {"shots": 8, "seconds": 60, "model": "pixverse/pixverse-v5"},
            "8 shots of pixverse/pixverse-v5 (5 s each) make 40 s, not 60 s: ask for 12 shots, or 40 s.",
        ),
        (
            {"shots": 1, "seconds": 60},
            "1 shot of google/veo-3.1 (4 to 8 s each) make 8 s, not 60 s: ask for 8 shots",
        ),
        (
            {"seconds": 1_800, "model": "pixverse/pixverse-v5"},
            "needs 360 shots of 5 s by pixverse/pixverse-v5, but the limit is 60",
        ),
        ({"model": "Wan-AI/wan2.7-i2v"}, "cannot make a video from text alone"),
        ({"model": "kwaivgI/kling-2.1-pro"}, "does not take a prompt"),
        ({"subject": "REPLACE THIS with what your videos are about"}, "still the placeholder"),
    ],
)
def test_briefs_that_are_refused_before_anything_is_sent(brief: dict[str, Any], words: str) -> None:
    """With what would do."""
    with pytest.raises(InputError) as caught:
        writing(**brief)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "a\0"}, "NUL"),
        ({"subject": "x", "shots": 61}, "shots: must be at most 60"),
        ({"subject": "x", "seconds": 0}, "seconds: must be more than 0"),
        ({"subject": "x", "shot": 3}, 'did you mean "shots"'),
    ],
)
def test_briefs_that_are_none(fields: dict[str, Any], words: str) -> None:
    """Said in one sentence."""
    with pytest.raises(InputError, match="The brief cannot be used") as caught:
        make_story_brief(fields)
    assert words in caught.value.message


def test_an_unknown_model() -> None:
    """As everywhere."""
    with pytest.raises(RequestInvalid, match="There is no model 'no/such'"):
        writing(model="no/such")
