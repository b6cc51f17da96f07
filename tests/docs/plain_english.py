"""Words and phrases that read like a translation, what to write instead, and which texts are checked."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: The folders of the packages.
PACKAGES = ("together_video", "blocks", "tasks", "flows")
#: Pages outside of docs/.
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "llms.txt")
#: Other files, by patterns: what users copy, run or see. They are read as a whole.
OTHERS = (
    *(
        "Makefile",
        "pyproject.toml",
        ".ci/run",
        ".github/**/*.yml",
        ".github/*.md",
        "docs/*.py",
        "docs/reference/*.py",
    ),
    *("deployments/**/*.yaml", "deployments/Dockerfile", "together_video/gallery/templates/**/*.j*"),
)

#: For each phrase its name, the pattern that finds it, and what to write.
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
    """One phrase in one file. `line` is the first line of its text."""

    phrase: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text!r}: write {PHRASES[self.phrase][1]}"


def phrases_in(text: str) -> Iterator[tuple[str, str]]:
    """Each phrase in a text, by its name, with the words that were found. It finds them across lines, too."""
    plain = " ".join(text.split())
    for name, pattern in _COMPILED.items():
        for hit in pattern.finditer(plain):
            yield name, hit[0]


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment, and of each string of more than a word: messages, help, docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    yield from comments_of_python(source)


def comments_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment. Comments on lines that follow each other are one text."""
    begin, last, words = 0, -1, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("#: ")
        if line != last + 1:
            if words:
                yield begin, words
            begin, words = line, ""
        last, words = line, f"{words} {text}".strip()
    if words:
        yield begin, words


def texts_of_markdown(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph outside of code."""
    line, fenced = 1, False
    for block in re.split(r"(\n\s*\n)", source):
        fences = len(re.findall(r"^ *```", block, re.MULTILINE))
        if not fenced and not fences and block.strip():
            yield line + len(block) - len(block.lstrip("\n")), block
        fenced ^= bool(fences % 2)
        line += block.count("\n")


def texts_of_others(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph, without signs of comments and names of CSS classes."""
    plain = re.sub(r"""class="[^"]*"|^[ \t]*(?:#|//)""", " ", source, flags=re.MULTILINE)
    yield from texts_of_markdown(plain)


def files() -> list[Path]:
    """All files that are checked."""
    python = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    python.append(ROOT / "prefect_together_video/__init__.py")
    pages = [ROOT / name for name in PAGES] + sorted((ROOT / "docs").glob("*.md"))
    others = [file for pattern in OTHERS for file in sorted(ROOT.glob(pattern))]
    return [file for file in (*pages, *python, *others) if file.is_file()]


_READERS = {".py": texts_of_python, ".md": texts_of_markdown, ".txt": texts_of_markdown}


@cache
def findings() -> tuple[Found, ...]:
    """Each phrase of the list in each file."""
    found = []
    for file in files():
        texts_of = _READERS.get(file.suffix, texts_of_others)
        texts = texts_of(file.read_text(encoding="utf-8"))
        name = file.relative_to(ROOT).as_posix()
        for line, text in texts:
            found += [Found(phrase, name, line, hit) for phrase, hit in phrases_in(text)]
    return tuple(found)
