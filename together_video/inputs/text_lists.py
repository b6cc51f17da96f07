"""Prompts in plain text, one per line or paragraph, as people paste them from chats and editors.

Each line that counts as a prompt is paid for. So numbers and bullets before prompts are removed. A line that is
probably not a prompt, such as a heading, a rule, a code fence or a line of a program, is an error unless the user wants
all lines as they are. A number is removed only if it counts the prompts: "1984" before a prompt stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from together_video.inputs.row import Row, lines_of
from together_video.text import printable

#: How the lines of a text make prompts.
Lines = Literal["checked", "as-they-are", "paragraphs"]

#: Longest line that is searched for signs of something else, in characters: a prompt can have thousands.
_LOOKED_AT = 400

_BULLET = re.compile(r"^(?:[-*+•‣▪◦·]\s+(?:\[[ xX]?\]\s+)?|\[[ xX]?\]\s+|[•‣▪◦])")
_DASH = re.compile(r"^[–—]\s+")
#: 1.  2)  (3)  [4]  5:  #6  １．  1、  and "Prompt 7:", "**Scene 8** -"; the number is in the group.
_NUMBER = re.compile(
    r"^(?:\*\*|__)?(?:(?:prompt|scene|shot|clip|video|take|image|szene|scène|escena|提示词?|场景)\s*)?"
    r"[(\[#]?(?P<number>\d{1,3})[)\]]?(?:[.):、．]|(?<=[)\]])|(?<=#\d)|(?<=#\d\d))?(?:\*\*|__)?\s*(?:[:.\-–—](?=\s))?"
    r"(?:\*\*|__)?(?:\s+|(?=[^\x00-\x7f]))",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"^(?:\*\*|__)?(?:(?:prompt|scene|shot|clip|video|take|image|szene|scène|escena|提示词?|场景)\s*#?\d"
    r"|[(\[]\d{1,3}[)\]]|#\d|\d{1,3}[.):、．])",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"^(?P<number>[ivx]{1,5}|[IVX]{1,5})[.)]\s+")
_ROMANS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_CIRCLED = re.compile(r"^[①-⑳]\s*")
_QUOTED = re.compile(r'^(?:"[^"]+"|“[^”]+”|«[^»]+»)$')
_BOLD = re.compile(r"^(?:\*\*|__)(?P<inner>[^*_]+)(?:\*\*|__)$")

_SAYS_PROMPTS = r"\b(?:prompts?|ideas|versions|variations|examples|options|suggestions)\b|提示词|プロンプト"
#: What a line is instead of a prompt: words that continue "it …", and a pattern for such lines.
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("opens or closes a block of code", re.compile(r"^(?:```|~~~)")),
    ("contains no words", re.compile(r"^[\s!-/:-@\[-`{-~–—•·═─━…]+$")),
    ("looks like a row of a table", re.compile(r"^\|.*\|$")),
    (
        "looks like a heading",
        re.compile(r"^#{1,6}\s|^(?:prompt|scene|shot|clip|video|image)\s*#?\d{1,3}$", re.IGNORECASE),
    ),
    (
        "looks like a sentence around the prompts",
        re.compile(
            r"^(?:i hope (?:this|these|it|you)|let me know|feel free to|would you like|hope this helps|enjoy!)"
            r"|^(?:sure|certainly|of course|absolutely|great|okay|ok)(?:[!.:]|,\s+(?:here|these|i\b|below))"
            rf"|^(?:here (?:are|is)|here['’]s|below are|the following|these are|total|voici)\b.*(?:{_SAYS_PROMPTS}|:$)"
            r"|^\D{0,12}\d+ prompts?\b|^以下是|^这是|^以下は",
            re.IGNORECASE,
        ),
    ),
    ("ends with a colon, like a heading", re.compile(r"[:：]$")),
    (
        "looks like a setting that belongs to a prompt",
        re.compile(
            r"^--\w|^(?:negative(?: prompts?)?|duration|length|seconds|aspect(?: ratio)?|resolution|seed|fps|title|"
            r"model|steps|cfg|guidance(?: scale)?)\s*[:=]",
            re.IGNORECASE,
        ),
    ),
    (
        "looks like an address or a path",
        re.compile(r"^(?:[a-z][a-z0-9+.-]{1,20}://\S+|(?:~?/|\.\.?/|[A-Z]:\\)\S*)$", re.IGNORECASE),
    ),
    ("looks like an address", re.compile(r"^[^\s@]+@[^\s@]+\.[^\s@]+$")),
    (
        "looks like a line of a program or a setting",
        re.compile(
            r"^#!|^#include\b|^(?:import|from)\s+[\w.]+(?:\s+(?:import|as)\b.*|\s*;)?$|^(?:def|function)\s+\w*\(.*$"
            r"|^class\s+\w+\s*(?:\(.*\))?\s*[:{]$|^(?:const|let|var)\s+\w+\s*=|^return\b.*;$|^//|^/\*|^<\?|^>>>|^@\w+\("
            r"|^<[/!]?\w+(?:\s[^>]*)?=[^>]*>$|^</\w+>$|^<(?:html|body|div|span|p|br|ul|li|table|tr|td|script|style)>"
            r"|^\w[\w.\[\]-]*\s*[:?+]?=\s*\S{0,60}$|^\w[\w.\[\]-]*\s*=\s*[\[{(\"'].*$|^export\s+\w+="
            r"|^\"[^\"]*\"\s*:|^\w+\([^)]*\)\s*[;{]?$|^\[[\w.\"-]+\]$|^\"[^\"]+\",$|^[\w.-]+:\s*\$\(|^\S+[;{]$"
        ),
    ),
    (
        "begins with a time, like a line of a log",
        re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|^\d\d:\d\d:\d\d[,.]\d{3}\s*-->"),
    ),
    ("is a single word with symbols in it", re.compile(r"^(?=[\x21-\x7e]+$)(?=.*[:;=<>{}|\\@$%^~`]).+$")),
)
#: Fewest words of a bold line that is a prompt and not a heading.
_WORDS_OF_A_PROMPT = 5
_HOW = "--lines-as-they-are accepts every line as a prompt"


#: Most lines of a file in which a numbered list is searched for.
_MOST_LISTED = 20_000


def text_rows(text: str, lines: Lines = "checked") -> Iterator[Row]:
    """A row for each prompt, or for each line that is probably not one, with the reason.

    Args:
        lines: "checked": as above. "as-they-are": each line is a prompt, except blank ones and those with #.
            "paragraphs": each block between blank lines is one prompt, with its lines joined by spaces, and checked.
    """
    numbered = list(enumerate(lines_of(text), start=1))
    if lines == "paragraphs":
        for number, joined in _paragraphs(numbered):
            yield _checked(number, joined, joined, is_item=False)
        return
    said = [(number, line) for number, line in numbered if line.strip() and not is_note(line)]
    if lines == "as-they-are":
        yield from (Row(number, {"prompt": line.strip()}) for number, line in said)
        return
    if len(said) > _MOST_LISTED:
        # More lines than a file may have. The caller stops at its limit, so do not search all of them for a list.
        yield from (Row(number, {"prompt": line.strip()}) for number, line in said)
        return
    yield from _Listing(said).rows()


def paragraphs_in(text: str) -> int:
    """How many paragraphs a text has; 0 if they mostly have a single line."""
    found = [joined for _, joined in _paragraphs(list(enumerate(lines_of(text), start=1)), mark="\n")]
    several = sum("\n" in paragraph for paragraph in found)
    return len(found) if len(found) > 1 and several * 2 > len(found) else 0


def wrapped_in(text: str) -> bool:
    """Whether lines end in the middle of a sentence, as an editor wraps them."""
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    return any(line.endswith((",", "，")) for line in lines[:-1])


def is_note(line: str) -> bool:
    """A line with # is a note, as in other files of this kind; `#7 a fox` is not."""
    stripped = line.lstrip()
    return stripped.startswith("#") and not re.match(r"#\d{1,3}\s", stripped)


def _paragraphs(numbered: list[tuple[int, str]], mark: str = " ") -> Iterator[tuple[int, str]]:
    start, gathered = 0, list[str]()
    for number, line in [*numbered, (0, "")]:
        if line.strip() and not is_note(line):
            start = start if gathered else number
            gathered.append(line.strip())
        elif not line.strip() and gathered:
            yield start, mark.join(gathered)
            gathered = []


@dataclass
class _Line:
    number: int
    text: str
    indented: bool
    #: The text after a number or bullet; None if there is neither.
    item: str | None = None


class _Listing:
    """The lines of a text; some may be the items of a list."""

    def __init__(self, said: Sequence[tuple[int, str]]) -> None:
        self._lines = [_Line(number, _plain(line.strip()), line[:1] in " \t") for number, line in said]
        self._find_items()
        outer = [line for line in self._lines if not line.indented] or self._lines
        items = sum(line.item is not None for line in outer)
        self._is_list = items > 1 and items * 2 >= len(outer)

    def _find_items(self) -> None:
        counted: list[tuple[_Line, int, str]] = []
        dashes = [line for line in self._lines if _DASH.match(line.text)]
        for line in self._lines:
            rest = _BULLET.sub("", line.text, count=1)
            if len(dashes) > 1:
                rest = _DASH.sub("", rest, count=1)
            rest = _CIRCLED.sub("", rest, count=1)
            if rest != line.text:
                line.item = rest.strip()
            if (found := _counted(rest)) is not None:
                counted.append((line, *found))
        # Numbers that count: each follows the one before it.
        numbers = [number for _, number, _ in counted]
        for place, (line, number, rest) in enumerate(counted):
            follows = place > 0 and number == numbers[place - 1] + 1
            leads = place + 1 < len(numbers) and numbers[place + 1] == number + 1
            if (follows or leads) and rest:
                line.item = rest

    def rows(self) -> Iterator[Row]:
        waiting: Row | None = None
        joined: list[str] = []
        for line in self._lines:
            continues = (
                self._is_list and line.indented and line.item is None and _why_no_prompt(line.text) is None
            )
            if continues and waiting is not None and not waiting.problems:
                joined.append(line.text)
                continue
            if waiting is not None:
                yield _with(waiting, joined)
            joined = []
            waiting = _checked(line.number, line.text, line.item or line.text, is_item=line.item is not None)
            if self._is_list and line.item is None and not waiting.problems:
                waiting = _doubtful(
                    line.number, line.text, "has no number or bullet, unlike the other prompts"
                )
        if waiting is not None:
            yield _with(waiting, joined)


def _plain(line: str) -> str:
    """A numbered line that is all bold, without the bold marks."""
    bold = _BOLD.match(line)
    return bold["inner"].strip() if bold and _counted(bold["inner"]) is not None else line


def _with(row: Row, more: Sequence[str]) -> Row:
    if not more:
        return row
    return Row(row.line, {"prompt": " ".join([row.fields["prompt"], *more])}, remark="continued")


def _counted(text: str) -> tuple[int, str] | None:
    """The number at the start of a line, and the rest of the line."""
    if _COUNTS.match(text) and (found := _NUMBER.match(text)):
        return int(found["number"]), text[found.end() :].strip()
    if (found := _ROMAN.match(text)) and (word := found["number"].lower()) in _ROMANS:
        return _ROMANS.index(word), text[found.end() :].strip()
    return None


def _checked(number: int, line: str, prompt: str, *, is_item: bool) -> Row:
    if line.startswith("{") and line.endswith("}"):
        return Row(number, problems=("looks like JSON: rename a file of JSON lines to .jsonl",))
    if (bold := _BOLD.match(prompt)) is not None:
        if len(bold["inner"].split()) < _WORDS_OF_A_PROMPT and not is_item:
            return _doubtful(number, line, "looks like a heading")
        prompt = bold["inner"].strip()
    if _QUOTED.match(prompt) and is_item:
        prompt = prompt[1:-1]
    if words := _why_no_prompt(prompt):
        return _doubtful(number, line, words)
    return Row(number, {"prompt": prompt}, remark="numbered" if is_item else None)


def _doubtful(number: int, line: str, words: str) -> Row:
    shown = printable(line, 60)
    return Row(number, problems=(f"is probably not a prompt: it {words}: {shown!r}; remove it, or {_HOW}",))


def _why_no_prompt(text: str) -> str | None:
    """Words that continue "it …", if a line is probably not meant to be a video."""
    if len(text) > _LOOKED_AT:
        return None
    return next((words for words, sign in _SIGNS if sign.search(text)), None)
