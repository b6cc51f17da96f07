"""Prompts in plain text, a prompt a line or a paragraph, as people paste them from chats and editors.

Each line that is taken for a prompt is paid for. So numbers and bullets in front of prompts are left out, and what is
probably no prompt, such as a heading, a rule, a code fence or a line of a program, is an error until somebody says
that lines are to be taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from together_video.inputs.row import Row
from together_video.text import printable

#: How the lines of a text make prompts.
Lines = Literal["checked", "as-they-are", "paragraphs"]

#: 1.  2)  (3)  #4  4:  iv.  and bullets; "3 foxes" and "1.5 km" have neither dot nor bracket before a space.
_NUMBER = re.compile(r"^(?:\(?\d{1,4}[.):]\)?|\(\d{1,4}\)|\[\d{1,4}\]|#\d{1,4}[.):]?|[ivxIVX]{1,5}[.)])\s+")
_BULLET = re.compile(r"^(?:[-*+•‣▪◦·–—]|\[[ xX]?\])\s+(?:\[[ xX]?\]\s+)?")
#: "Prompt 3:", "**Scene 2 -**", "Shot 1."
_NAMED = re.compile(
    r"^(?:\*\*|__)?(?:prompt|scene|shot|clip|video|take|image)\s*#?\d{1,4}\s*(?:[:.)\-–—]\s*(?:\*\*|__)?|(?:\*\*|__)\s*[:\-–—]?)\s*(?=\S)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'^(?:"[^"]+"|“[^”]+”|«[^»]+»)$')

_RULE = re.compile(r"^[\W_]+$")
_FENCE = re.compile(r"^(?:```|~~~)")
_HEADING = re.compile(r"^(?:#{1,6}\s|(?:\*\*|__)[^*_]{1,80}(?:\*\*|__):?$)")
_CHAT = re.compile(
    r"^(?:sure|certainly|of course|absolutely|here are|here is|here's|here’s|below are|the following|i hope|"
    r"let me know|feel free|would you like|these prompts|hope this|okay,|ok,|great!)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"^(?:[a-z][a-z0-9+.-]*://\S+|\S+@\S+\.\S+|/?(?:[\w.-]+/)+[\w.-]*)$", re.IGNORECASE)
_CODE = re.compile(
    r"^(?:#!|#include\b|import\s+[\w.{]|from\s+[\w.]+\s+import\b|def\s+\w+\(|class\s+\w+[:({]|function\s*\w*\(|const\s+\w+\s*=|let\s+\w+"
    r"\s*=|var\s+\w+\s*=|return\b.*;|//|/\*|<\?|</?\w+[^>]*>$|\w+\s*=\s*\S|export\s+\w+=|\$\s|>>>|@\w+\()|[;{}]$"
)
_TIMESTAMP = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^\d\d:\d\d:\d\d[,.]\d{3}\s*-->")

_HOW = "--lines-as-they-are takes every line for a prompt"


def text_rows(text: str, lines: Lines = "checked") -> Iterator[Row]:
    """A row for each prompt, or for what is probably none, with what is wrong.

    Args:
        lines: "checked": as above. "as-they-are": each line is a prompt, but blank ones and those with #.
            "paragraphs": what blank lines divide is one prompt each, its lines joined by spaces, and checked.
    """
    numbered = list(enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1))
    if lines == "paragraphs":
        yield from (_checked(number, joined) for number, joined in _paragraphs(numbered))
        return
    said = [(number, line) for number, line in numbered if line.strip() and not is_note(line)]
    if lines == "as-they-are":
        yield from (Row(number, {"prompt": line.strip()}) for number, line in said)
        return
    is_list = sum(_item(line.strip()) is not None for _, line in said) * 2 >= len(said) > 1
    waiting: Row | None = None
    for number, line in said:
        continues = line[:1] in " \t" and _item(line.strip()) is None
        if is_list and continues and waiting is not None and not waiting.problems:
            joined = f"{waiting.fields['prompt']} {line.strip()}"
            waiting = Row(waiting.line, {"prompt": joined}, remark="continued")
            continue
        if waiting is not None:
            yield waiting
        waiting = _checked(number, line.strip())
        if is_list and not waiting.problems and _item(line.strip()) is None:
            words = "has no number or bullet, as the other prompts have"
            waiting = _doubtful(number, line.strip(), words)
    if waiting is not None:
        yield waiting


def paragraphs_in(text: str) -> int:
    """How many paragraphs of several lines a text is made of; 0 where its lines stand by themselves."""
    found = [joined for _, joined in _paragraphs(list(enumerate(text.splitlines(), start=1)), mark="\n")]
    several = sum("\n" in paragraph for paragraph in found)
    return len(found) if len(found) > 1 and several * 2 > len(found) else 0


def is_note(line: str) -> bool:
    """A line with # is a note, as in other files of this kind; a number is not."""
    stripped = line.lstrip()
    return stripped.startswith("#") and _NUMBER.match(stripped) is None


def _paragraphs(numbered: list[tuple[int, str]], mark: str = " ") -> Iterator[tuple[int, str]]:
    start, gathered = 0, list[str]()
    for number, line in [*numbered, (0, "")]:
        if line.strip() and not is_note(line):
            start = start if gathered else number
            gathered.append(line.strip())
        elif not line.strip() and gathered:
            yield start, mark.join(gathered)
            gathered = []


def _item(line: str) -> str | None:
    """The prompt behind a number or a bullet; None where there is neither."""
    rest = line
    for pattern in (_BULLET, _NUMBER, _NAMED):
        rest = pattern.sub("", rest, count=1)
    return rest.strip() if rest != line and rest.strip() else None


def _checked(number: int, line: str) -> Row:
    if line.startswith("{") and line.endswith("}"):
        return Row(number, problems=("looks like JSON: a file of JSON lines is named .jsonl",))
    item = _item(line)
    prompt = line if item is None else item
    if _QUOTED.match(prompt) and item is not None:
        prompt = prompt[1:-1]
    if words := _why_no_prompt(prompt):
        return _doubtful(number, line, words)
    return Row(number, {"prompt": prompt}, remark=None if item is None else "numbered")


def _doubtful(number: int, line: str, words: str) -> Row:
    shown = printable(line, 60)
    return Row(number, problems=(f"is probably not a prompt: it {words}: {shown!r}; remove it, or {_HOW}",))


def _why_no_prompt(text: str) -> str | None:
    """Words that finish "it …", where a line is hardly meant to be a video."""
    if _FENCE.match(text):
        return "opens or closes a block of code"
    if _RULE.match(text):
        return "holds no word"
    if _HEADING.match(text):
        return "looks like a heading"
    if _CHAT.match(text):
        return "looks like a sentence around the prompts"
    if text.endswith((":", "：")):
        return "ends with a colon, as a heading does"
    if _ADDRESS.match(text):
        return "looks like an address or a path"
    if _CODE.search(text):
        return "looks like a line of a program or a setting"
    if _TIMESTAMP.match(text):
        return "begins with a time, as a line of a log does"
    if not re.search(r"\s", text) and re.search(r"[:;=<>{}|\\/@$%^~`]", text) and text.isascii():
        return "is one word with signs in it"
    return None
