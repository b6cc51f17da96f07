"""Words and phrases that read translated, what to write in their place, and where the texts of this project stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: The packages, by the folders that they lie in.
PACKAGES = ("together_video", "blocks", "tasks", "flows")
#: Pages beside those of docs/.
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "llms.txt")

#: A name for each phrase, the pattern that finds it, and what to write.
PHRASES = {
    "go on": (
        r"\b(?:go|goes|going|went|gone) on\b(?! (?:sale|to (?:see|the)))",
        "continue, resume, keep running",
    ),
    "bring home": (
        r"\b(?:br(?:ing|ings|ought|inging)|com(?:e|es|ing)|came)\b(?: it| them)? home\b",
        "collect, archive",
    ),
    "whoever": (r"\bwho(?:so)?ever\b", "anyone who, people who"),
    "whatever is": (r"\bwhatever is\b", "everything that is"),
    "amiss": (r"\bamiss\b", "wrong"),
    "anew": (r"\banew\b", "again"),
    "heard of": (r"\bheard of\b", "lost, unknown"),
    "look for poll": (
        r"\b(?:next|each|fewest|fewer|five|needless|further|another|earlier|later) looks?\b(?! (?:like|at|for))",
        "poll, check",
    ),
    "jobs are asked for": (
        r"\b(?:ask(?:s|ed|ing)? for (?:a |the |its |each )?jobs?|jobs? (?:is|are) asked for)\b",
        "poll",
    ),
    "trouble": (r"\btroubles?\b", "error, failure, problem"),
    "in the mean": (r"\bin the mean\b", "on average; meanwhile"),
    "hold against": (
        r"\b(?:hold|holds|held|holding)\b[^.;:()]{1,40}\bagainst\b",
        "verify against, compare with",
    ),
    "is no": (
        r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|such\b|less\b|matter\b|way\b|need\b)(?=[a-z])",
        "is not a",
    ),
    "of one's own": (r"\bof one's own\b", "of your own"),
    "and its like": (r"\band (?:its|their) like\b", "and similar ones, and so on"),
    "by way of": (r"\bby way of\b", "through"),
    "for word by": (r"\bfor word by\b", "to be notified by"),
    "has no … left": (r"\bha(?:s|ve) no [\d.]+ \w+ left\b", "cannot cover another …"),
    "tell of": (r"\b(?:tell|tells|telling) of\b", "report, list"),
    "is told as": (r"\b(?:is|are|was|were) told (?:as|of|by)\b", "is reported as"),
    "to be had": (r"\b(?:to be|can be|cannot be) had\b", "available"),
    "mend": (r"\bmend(?:s|ed|ing)?\b", "fix"),
    "in vain": (r"\bin vain\b", "without success"),
    "else as otherwise": (
        r"(?:[;,]|\.) else (?:the|it|its|boto3|their|that|null|none|those)\b",
        "otherwise, by default",
    ),
    "thereof": (
        r"\b(?:thereof|therein|wherein|herein|hitherto|whereupon|thereupon)\b",
        "of it, in it, so far",
    ),
    "stays the same": (
        r"\bhow long (?:the|an?) (?:same|identical) request stays\b",
        "when it may be bought again",
    ),
    "what is wrong with it": (r"\ball that is wrong with (?:it|them)\b", "all its problems"),
}
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, (pattern, _) in PHRASES.items()}


class Found(NamedTuple):
    """One phrase in one file: `line` is where its text begins."""

    phrase: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text!r}: write {PHRASES[self.phrase][1]}"


def phrases_in(text: str) -> Iterator[tuple[str, str]]:
    """The name of each phrase in a text, and what was found; line breaks hide nothing."""
    plain = " ".join(text.split())
    for name, pattern in _COMPILED.items():
        for hit in pattern.finditer(plain):
            yield name, hit[0]


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """The line and the text of every string that holds more than a word: messages, help, docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def texts_of_markdown(source: str) -> Iterator[tuple[int, str]]:
    """The line and the text of every paragraph outside of code."""
    line, fenced = 1, False
    for block in re.split(r"(\n\s*\n)", source):
        fences = len(re.findall(r"^ *```", block, re.MULTILINE))
        if not fenced and not fences and block.strip():
            yield line + len(block) - len(block.lstrip("\n")), block
        fenced ^= bool(fences % 2)
        line += block.count("\n")


def files() -> list[Path]:
    """All that is checked."""
    python = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    python.append(ROOT / "prefect_together_video/__init__.py")
    pages = [ROOT / name for name in PAGES] + sorted((ROOT / "docs").glob("*.md"))
    return [file for file in (*pages, *python) if file.is_file()]


@cache
def findings() -> tuple[Found, ...]:
    """Every phrase of the list in every file."""
    found = []
    for file in files():
        source = file.read_text(encoding="utf-8")
        texts = texts_of_python(source) if file.suffix == ".py" else texts_of_markdown(source)
        name = file.relative_to(ROOT).as_posix()
        for line, text in texts:
            found += [Found(phrase, name, line, hit) for phrase, hit in phrases_in(text)]
    return tuple(found)
