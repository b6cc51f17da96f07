"""Reading prompts: every form that models give them in, and none that must not pass."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from together_video.prompts.briefs import Brief
from together_video.prompts.reading import PromptReading, read_prompts
from together_video.requests import VideoRequest

TWO = ("A fox runs through snow", "A heron lands on a lake")
BRIEF = Brief(subject="animals", count=2)


def answer(content: object, finish_reason: str = "stop") -> dict[str, object]:
    return {
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish_reason}]
    }


def read(content: object, *, count: int = 2, limit: int = 100, finish: str = "stop") -> PromptReading:
    return read_prompts(answer(content, finish), Brief(subject="animals", count=count), limit)


PLAIN = json.dumps({"prompts": TWO})


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        json.dumps({"prompts": TWO}, indent=2),
        f"```json\n{PLAIN}\n```",
        f"Here you are [as asked]:\n\n{PLAIN}\n\nEnjoy {{them}}!",
        f'<think>{{"prompts": ["a draft", "another draft"]}}</think>\n{PLAIN}',
        f'{{"prompts": ["a draft"]}} no, rather</think>{PLAIN}',
        f"{PLAIN}<think>was that good?",
        json.dumps(TWO),
        json.dumps([{"prompt": text, "title": "x"} for text in TWO]),
        json.dumps({"prompts": [{"text": text, "camera": "pan"} for text in TWO]}),
        json.dumps({"prompts": {"1": TWO[0], "2": TWO[1]}}),
        json.dumps({"prompts": {"prompt_1": {"prompt": TWO[0]}, "prompt_2": {"prompt": TWO[1]}}}),
        json.dumps({"Prompts": TWO}),
        json.dumps({"answer": {"prompts": TWO}}),
        json.dumps({"type": "object", "properties": {"prompts": {"type": "array"}}}) + PLAIN,
        '{"prompts": ["A fox runs\nthrough snow", "A heron lands on a lake"]}',
        '{"prompts": ["A fox runs through snow", "A heron lands on a lake",]}',
        '{"prompts": ["A fox runs through snow", "A heron lands on a lake"',
        f"Sure!\n1. {TWO[0]}\n\n2) {TWO[1]}\n",
        [{"type": "text", "text": PLAIN}],
        {"prompts": list(TWO)},
        json.dumps({"prompts": [f"1. {TWO[0]}", f'Prompt 2: "{TWO[1]}"']}),
        json.dumps({"prompts": [f"**Prompt 1:** “{TWO[0]}”", f"- {TWO[1]}  "]}),
        json.dumps({"prompts": [*TWO, "A third that nobody asked for"]}),
    ],
)
def test_the_usual_forms_give_the_same_prompts(content: object) -> None:
    """Fences, prose, thoughts, shapes, numbers and quotes make no difference."""
    reading = read(content)
    assert reading.prompts == TWO
    assert reading.problems == ()


def test_the_old_completion_form_is_read() -> None:
    """Some gateways answer with `text` instead of a message."""
    assert read_prompts({"choices": [{"text": PLAIN}]}, BRIEF, 100).prompts == TWO


@pytest.mark.parametrize("cut", range(len('{"prompts": ["'), len(PLAIN)))
def test_a_cut_answer_keeps_its_complete_prompts(cut: int) -> None:
    """Wherever an answer is cut off, no half prompt gets through."""
    reading = read(PLAIN[:cut], finish="length")
    assert reading.is_cut
    assert set(reading.prompts) <= set(TWO)
    assert (TWO[0] in reading.prompts) == (cut >= PLAIN.index('",') + 1)
    assert "The answer was cut off before its end." in reading.problems


def test_a_cut_list_of_objects_keeps_only_the_prompts() -> None:
    """Titles and other fields of a broken answer are not taken for prompts."""
    content = '{"prompts": [{"title": "One", "prompt": "A fox runs"}, {"title": "Two", "prompt": "A her'
    assert read(content, finish="length").prompts == ("A fox runs",)


def test_quotes_that_were_not_escaped_leave_no_pieces() -> None:
    """A prompt with bare quotes inside is dropped, not taken in parts."""
    content = '{"prompts": ["A sign reads "open" in the rain", "A heron lands"]}'
    assert read(content).prompts == ("A heron lands",)


def test_a_cut_thought_gives_nothing() -> None:
    """A model that was cut off while it thought has not written a prompt yet."""
    reading = read('<think>Perhaps ["A fox", "A cat"]', finish="length")
    assert reading.prompts == ()
    assert "The answer has no text." in reading.problems


@pytest.mark.parametrize("text", ["", "  ", "...", "\u200b", "1.", '""'])
def test_an_empty_prompt_is_refused(text: str) -> None:
    """What has no letters says nothing."""
    reading = read(json.dumps({"prompts": [text, TWO[0]]}))
    assert reading.prompts == (TWO[0],)
    assert any("is empty" in problem for problem in reading.problems)


def test_the_limit_counts_characters() -> None:
    """A prompt as long as the limit passes, one character more does not."""
    reading = read(json.dumps(["x" * 100, "y" * 101]))
    assert reading.prompts == ("x" * 100,)
    assert reading.problems == ("Prompt 2 has 101 characters, 100 are allowed.",)


@pytest.mark.parametrize(
    "twin", ["a FOX runs, through snow!", "A  fox\truns through snow", "1. A fox runs through snow"]
)
def test_a_duplicate_is_refused(twin: str) -> None:
    """Case, spaces, punctuation and numbers do not make another prompt."""
    reading = read(json.dumps([TWO[0], twin]))
    assert reading.prompts == (TWO[0],)
    assert reading.problems[0].startswith("Prompt 2 repeats another")


def test_what_is_there_already_is_a_duplicate() -> None:
    """A follow-up is compared with the prompts of earlier answers, and gives only what is missing."""
    reading = read_prompts(answer(PLAIN), BRIEF, 100, already=[TWO[0].upper()])
    assert reading.prompts == (TWO[1],)


@pytest.mark.parametrize(
    "kept",
    [
        "24 hours of a harbour, told by its light",
        "35mm film: a tram climbs a hill",
        "1920: a tram climbs a hill",
        "3:00 at night, rain falls on a tram",
        "Shot 1: a tram. Shot 2: its driver",
        "Don't blink: 'now' a tram passes",
        "雪の中を走る狐",
    ],
)
def test_what_belongs_to_the_prompt_stays(kept: str) -> None:
    """Numbers, labels and quotes that are part of what is described are left alone."""
    assert read(json.dumps([kept]), count=1).prompts == (kept,)


def test_too_few_prompts_are_a_problem() -> None:
    """An answer that is short says by how many."""
    assert read(json.dumps([TWO[0]]), count=3).problems == ("The answer has 1 of the 3 requested prompts.",)


def test_a_refusal_is_quoted() -> None:
    """A model that declines says so in a field of its own."""
    declined = {"choices": [{"message": {"content": None, "refusal": "I will\x1b[31m not."}}]}
    assert read_prompts(declined, BRIEF, 100).problems[0] == "The model refused: I will [31m not."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "prompts", "prompt", "1", "refusal", "x"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=80)
@given(JSON, JSON, st.text(st.sampled_from('{}[]",:\\ab1. \ud800\n<think/>'), max_size=60))
def test_no_answer_makes_reading_raise(whole: object, content: object, text: str) -> None:
    """Whatever JSON comes, reading ends with prompts that a request takes, or with problems."""
    for given_answer in (whole, answer(content), answer(text), answer(json.dumps(content))):
        reading = read_prompts(given_answer, BRIEF, 50)
        assert len(reading.prompts) == 2 or reading.problems
        for prompt in reading.prompts:
            assert len(VideoRequest(model="m", prompt=prompt).canonical().encode()) > 0
            assert len(prompt) <= 50


@pytest.mark.parametrize(
    "hostile", ["[" * 200_000, '\\"' * 100_000, '["' + '\\"' * 100_000, " " * 200_000, "<think>" * 30_000]
)
def test_a_hostile_answer_costs_no_time(hostile: str) -> None:
    """Deep nesting and endless quotes are given up on, in time that grows with their length only."""
    assert read(hostile).prompts == ()
