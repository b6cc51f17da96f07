"""What is sent to the chat model: the brief for a film as the body of `POST /v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from together_video.film.writing.briefs import StoryBrief
from together_video.film.writing.story import Setting, ToldShot
from together_video.prompts.chat_requests import THINKING_TOKENS, AnswerFormat, opening, response_format
from together_video.text import one_line

#: Shots per answer. Longer answers get cut off, or repeat themselves.
SHOTS_PER_ANSWER = 12
#: Characters that each part is asked to stay within, and their share of a short prompt.
_TEXT, _LOOKS, _DETAIL = 420, 180, 100
#: Characters of a prompt made of such parts, with two people and a style.
_WHOLE = _TEXT + 3 * _LOOKS + 2 * _DETAIL + 150

_SYSTEM = """\
You write the storyboard of a film. A text-to-video model makes each shot by itself: it sees the prompt of that shot \
and nothing else. It does not remember any person or place from the shot before.

{setting}Then write the shots, in the order of the film. Each has
- text: what happens, in one uninterrupted shot with no more action than its length allows: one or two sentences, at \
most {text} characters, in visible detail, with verbs and words of time ("slowly", "as", "then"). Call people and \
places by their names, spelled as above, and do not describe them again: their descriptions are added to the prompt \
word for word;
- characters: the names of the visible characters, an empty list if there are none;
- place: the name of the place;
- light: time of day, weather and where the light comes from, at most {detail} characters. Until the time changes, \
repeat the words of the shot before;
- camera: the distance and how the camera moves, at most {detail} characters{continues}.

Tell one story with a beginning, a turn and an end. Vary the distance and the movement of the camera. \
Show what can be seen: no thoughts, no dialogue, no lettering. Keep to the subject, the style and the language of the \
brief. Write plain text without numbers, headings or quotation marks around it.

Answer with one JSON object and nothing else, valid against this schema:
{schema}"""

_NEW_SETTING = """\
First describe, once each, every character and every place that more than one shot shows, so that they look the same \
throughout:
- title: of the film, a few words;
- style: {style};
- characters: at most 4, each with a name of one or two words and looks, at most {looks} characters: age, build, face, \
hair, clothes and their colours. Only what does not change during the film;
- places: at most 4, each with a name and looks, at most {looks} characters: shape, materials, colours, what is \
where.

"""
_KNOWN_SETTING = """\
These people and places are already described:
{known}

"""
_CONTINUES = """;
- continues: true if the shot continues from the last frame of the shot before without a cut, with the same people in \
the same place and light; false if the film cuts. At most two in a row; the first shot of the film is false"""


class Asked(NamedTuple):
    """What one request asks for: the lengths of its shots, the shots written already, and the setting.

    `chained` says whether the video model can start a shot with the last frame of the one before. `prompt_limit` is
    its longest prompt, in characters. `style` is the style in the brief.
    """

    lengths: Sequence[int]
    chained: bool
    prompt_limit: int
    setting: Setting | None = None
    already: Sequence[ToldShot] = ()
    total: int = 0


def story_body(
    brief: StoryBrief,
    asked: Asked,
    *,
    answer_format: AnswerFormat = AnswerFormat.JSON_SCHEMA,
    thinking_tokens: int = THINKING_TOKENS,
    problems: Sequence[str] = (),
) -> dict[str, Any]:
    """The body of one chat request. A follow-up repeats the setting, the shots written so far, and the `problems` of
    the last answer.
    """
    share = min(1.0, asked.prompt_limit / _WHOLE)
    text, looks, detail = (int(each * share) for each in (_TEXT, _LOOKS, _DETAIL))
    schema = story_schema(len(asked.lengths), with_setting=asked.setting is None, chained=asked.chained)
    system = _SYSTEM.format(
        setting=_setting(brief, asked.setting, looks),
        text=text,
        detail=detail,
        continues=_CONTINUES if asked.chained else "",
        schema=json.dumps(schema),
    )
    characters = len(asked.lengths) * (text + 2 * detail + 150) + (
        0 if asked.setting else 8 * (looks + 80) + 400
    )
    return {
        "model": brief.chat_model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": _user_message(brief, asked, problems)},
        ],
        "response_format": response_format(answer_format, schema, "storyboard"),
        "temperature": 0.8,
        # Two characters per token, as for prompts.
        "max_tokens": thinking_tokens + characters // 2,
    }


def story_schema(count: int, *, with_setting: bool, chained: bool) -> dict[str, Any]:
    """The JSON schema of the answer."""
    text = {"type": "string"}
    described = {"type": "array", "maxItems": 4, "items": _object({"name": text, "looks": text})}
    shot: dict[str, Any] = {
        "text": text,
        "characters": {"type": "array", "items": text},
        "place": text,
        "light": text,
        "camera": text,
    }
    if chained:
        shot["continues"] = {"type": "boolean"}
    setting = (
        {"title": text, "style": text, "characters": described, "places": described} if with_setting else {}
    )
    shots = {"type": "array", "minItems": count, "maxItems": count, "items": _object(shot)}
    return _object({**setting, "shots": shots})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _setting(brief: StoryBrief, setting: Setting | None, looks: int) -> str:
    if setting is None:
        style = (
            "repeat the style of the brief"
            if brief.style
            else "the look of the film in at most 150 characters: technique, colours, mood"
        )
        return _NEW_SETTING.format(style=style, looks=looks)
    known = [f"- {one.name}: {one.looks}" for one in (*setting.characters, *setting.places)]
    return _KNOWN_SETTING.format(known="\n".join(known) or "- none")


def _user_message(brief: StoryBrief, asked: Asked, problems: Sequence[str]) -> str:
    first = len(asked.already) + 1
    total = max(asked.total, len(asked.already) + len(asked.lengths))
    lines = [
        f"Subject: {one_line(brief.subject)}",
        f"Style: {one_line(brief.style) if brief.style else 'free'}",
        f"Language: {one_line(brief.language)}",
        f"Count: {len(asked.lengths)}",
        f"Shots: {first} to {first + len(asked.lengths) - 1} of {total}",
        f"Lengths: {', '.join(f'{each} s' for each in asked.lengths)}",
    ]
    if asked.already:
        lines += ["", "These shots are already written; continue from the last one:"]
        lines += [f"- {number}: {opening(shot.text)}" for number, shot in enumerate(asked.already, 1)]
        lines.append(f"Light of the last one: {one_line(asked.already[-1].light)}")
    if problems:
        lines += ["", "Your last answer could not be used in full:"]
        lines += [f"- {opening(problem)}" for problem in problems]
    return "\n".join(lines)
