"""What stands on the pages: code blocks by their language, code in running text, and the rows of tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?P<margin> *)```(?P<language>\w*)(?P<more>[^\n]*)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL
)


class Fence(NamedTuple):
    """A code block, without the margin of a list. `line` is where it begins. A title can follow the language."""

    language: str
    title: str | None
    code: str
    line: int


def page(name: str) -> str:
    """A page of docs/, by its name without the ending."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def pages() -> dict[str, str]:
    """The README and every page of docs/, by their paths."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def fences(text: str) -> list[Fence]:
    """The code blocks of a page, in order."""
    return [
        Fence(
            language=found["language"],
            title=titled[1] if (titled := re.search(r'title="([^"]+)"', found["more"])) else None,
            code=re.sub(rf"^{found['margin']}", "", found["code"], flags=re.MULTILINE),
            line=text.count("\n", 0, found.start()) + 1,
        )
        for found in _FENCE.finditer(text)
    ]


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced code in one of these languages, without the margin of a list."""
    return [fence.code for fence in fences(text) if fence.language in languages]


def spans(text: str) -> list[str]:
    """The code in running text and in tables."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))]


def table(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading this is, as cells."""
    _, found, after = text.partition(f"\n| {first} |")
    assert found, f"no table begins with {first}"
    rows = [
        line.strip("| ").split(" | ") for line in after.split("\n\n")[0].splitlines() if line.startswith("|")
    ]
    return [[cell.strip() for cell in row] for row in rows if not row[0].startswith("-")]
