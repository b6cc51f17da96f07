"""Words and phrases that read like a translation, what to write instead, and which texts of the project to check."""

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
#: Pages outside docs/.
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "llms.txt")

#: Other files, by patterns: what users copy, run or see. They are read as a whole.
OTHERS = (
    *("Makefile", "pyproject.toml", ".ci/run", ".github/**/*.yml", ".github/*.md"),
    *("deployments/**/*.yaml", "deployments/Dockerfile"),
)
#: Scripts that make pages and pictures.
SCRIPTS = ("docs/*.py", "docs/reference/*.py")

#: Parts of the gallery's pages.
TEMPLATES = "together_video/gallery/templates"
#: A name for each phrase, the pattern that finds it, and what to write. A value that is inserted into a text is "…".
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
    "has no … left": (r"\bha(?:s|ve) no (?:[\d.]+ \w+|…) left\b", "cannot cover another …"),
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
    "jobs are looked at": (
        r"\b(?:look(?:s|ed|ing)? at (?:a |the |its |each |every )?jobs?|jobs? (?:is|are) looked at)\b",
        "poll",
    ),
    "is asked for": (
        r"\b(?:is|are|was|were|be|been) asked for(?=[.,;:)]|$| (?:is|are|by|in|at|again|and|but)\b)",
        "is requested",
    ),
    "that there can be": (r"\bthat there can be\b", "possible"),
    "no document says": (
        r"\bno documents? (?:says?|lists?|tells?|gives?|states?|has|have)\b",
        "is not documented, the documentation does not say",
    ),
    "none where": (r"\b(?:none|empty) where\b", "None if, empty if"),
    "so many": (r"\b(?:at most|exactly|up to|after) so many\b", "this many"),
    "a row a video": (
        r"\b(?:a|one) (?:row|line|moment|picture|command) a (?:video|prompt|line|shot|sentence|place|request|job)\b",
        "a row for each video",
    ),
    "one behind the other": (r"\bone behind (?:the other|another)\b", "one after the other"),
    "from the beginning on": (r"\bfrom the (?:beginning|start|first \w+) on(?=[.,;:)]|$)", "from the start"),
    "what stands": (
        r"\b(?:what|that|which)(?: else)? stands? (?:behind|beside|under|above|in(?! (?:for|place)\b))\b",
        "what is",
    ),
    "lies in the bucket": (
        r"\bl(?:ies|ie|ay) (?:in|on|beside|under|below) (?:the|a|an|its|this) "
        r"(?:bucket|archive|folder|inbox|disk|spool)\b",
        "is in the bucket",
    ),
    "comes past": (r"\bc(?:omes?|oming|ame) past\b", "passes, reaches"),
    "worth a note": (r"\bworth a note\b", "a remark"),
    "dearest": (r"\bdearest\b", "most expensive"),
}
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, (pattern, _) in PHRASES.items()}


class Found(NamedTuple):
    """One phrase in one file. `line` is where its text starts."""

    phrase: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text!r}: write {PHRASES[self.phrase][1]}"


def phrases_in(text: str) -> Iterator[tuple[str, str]]:
    """The name of each phrase in a text, and the words found. Phrases can span lines."""
    plain = " ".join(text.split())
    for name, pattern in _COMPILED.items():
        for hit in pattern.finditer(plain):
            yield name, hit[0]


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """The line and the text of every comment and every string with more than one word: messages, help, docstrings."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            waiting += [part for part in node.values if not isinstance(part, ast.Constant)]
            text: object = "".join(map(str, parts))
        else:
            text = node.value if isinstance(node, ast.Constant) else None
            waiting += ast.iter_child_nodes(node)
        if isinstance(text, str) and " " in text:
            yield node.lineno, text  # type: ignore[attr-defined]  # only expressions have texts
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
    """The line and the text of every paragraph outside code."""
    line, fenced = 1, False
    for block in re.split(r"(\n\s*\n)", source):
        fences = len(re.findall(r"^ *```", block, re.MULTILINE))
        if not fenced and not fences and block.strip():
            yield line + len(block) - len(block.lstrip("\n")), block
        fenced ^= bool(fences % 2)
        line += block.count("\n")


#: In a template or a script: comments, attributes that people read, and quoted texts with more than one word.
_IN_TEMPLATE = re.compile(
    r"/\*(.*?)\*/|(?<![:\w])//([^\n]*)|(?:title|aria-label|placeholder)=\"([^\"]*)\""
    r"|(?<![=\w])[\"'`]([^\"'`\n<>]* [^\"'`\n<>]*)[\"'`]|>([^<>{}]*\w[^<>{}]* [^<>{}]*)<",
    re.DOTALL,
)


def texts_of_template(source: str) -> Iterator[tuple[int, str]]:
    """The line and the text of every comment, label and message in a template, a script or a style."""
    for found in _IN_TEMPLATE.finditer(source):
        text = next(part for part in found.groups() if part is not None)
        yield source.count("\n", 0, found.start()) + 1, text


def texts_of_others(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph, without the signs of comments."""
    plain = re.sub(r"^[ \t]*#", " ", source, flags=re.MULTILINE)
    yield from texts_of_markdown(plain)


def _texts_of(file: Path) -> Iterator[tuple[int, str]]:
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        return texts_of_python(source)
    if file.suffix in (".md", ".txt"):
        return texts_of_markdown(source)
    return texts_of_template(source) if file.is_relative_to(ROOT / TEMPLATES) else texts_of_others(source)


def files() -> list[Path]:
    """All files to check."""
    python = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    python.append(ROOT / "prefect_together_video/__init__.py")
    pages = [ROOT / name for name in PAGES] + sorted((ROOT / "docs").glob("*.md"))
    templates = sorted((ROOT / TEMPLATES).rglob("*.*"))
    others = [file for pattern in (*SCRIPTS, *OTHERS) for file in sorted(ROOT.glob(pattern))]
    return [file for file in (*pages, *python, *templates, *others) if file.is_file()]


@cache
def findings() -> tuple[Found, ...]:
    """Every hit in every file."""
    found = []
    for file in files():
        name = file.relative_to(ROOT).as_posix()
        for line, text in _texts_of(file):
            found += [Found(phrase, name, line, hit) for phrase, hit in phrases_in(text)]
    return tuple(found)
