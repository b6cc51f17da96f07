"""What stands on the pages: code blocks by their language, code in running text, and the rows of tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    """A page of docs/, by its name without the ending."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def pages() -> dict[str, str]:
    """The README and every page of docs/, by their paths."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced code in one of these languages, without the margin of a list."""
    return [
        re.sub(rf"^{margin}", "", code, flags=re.MULTILINE)
        for margin, language, code in FENCED.findall(text)
        if language in languages
    ]


def spans(text: str) -> list[str]:
    """The code in running text and in tables."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", FENCED.sub("", text))]


def table(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading this is, as cells."""
    _, found, after = text.partition(f"\n| {first} |")
    assert found, f"no table begins with {first}"
    rows = [
        line.strip("| ").split(" | ") for line in after.split("\n\n")[0].splitlines() if line.startswith("|")
    ]
    return [[cell.strip() for cell in row] for row in rows if not row[0].startswith("-")]
