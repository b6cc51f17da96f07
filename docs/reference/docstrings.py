"""A docstring as Markdown: its text, a table of the arguments, the errors, and the example as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent

#: The headings of a docstring's sections, and their names on the page.
_TITLES = {
    "Args": "Parameters",
    "Attributes": "Attributes",
    "Returns": "Returns",
    "Raises": "Raises",
    "Example": "Example",
}
_HEADING = re.compile(rf"^({'|'.join(_TITLES)}):$")
#: `name: what it is`, or `OneError, AnotherError: when`.
_ITEM = re.compile(r"^([A-Za-z_][\w., ]*?):\s+(.*)$", re.DOTALL)


def sections(docstring: str | None) -> Iterator[tuple[str, str]]:
    """The heading of each section and its content. Text before and between sections has the heading ""."""
    name, lines = "", list[str]()
    for line in cleandoc(docstring or "").splitlines():
        heading = _HEADING.match(line)
        ends = name and line and not line.startswith(" ")
        if heading or ends:
            yield name, dedent("\n".join(lines)).strip("\n")
            name, lines = (heading[1], []) if heading else ("", [line])
        else:
            lines.append(line)
    yield name, dedent("\n".join(lines)).strip("\n")


def items(section: str) -> Iterator[tuple[str, str]]:
    """The names in a section and the text about each. Continuation lines are indented."""
    for block in re.split(r"\n(?! )", section):
        text = " ".join(line.strip() for line in block.splitlines())
        found = _ITEM.match(text)
        yield (found[1], found[2]) if found else (text, "")


def arguments(docstring: str | None) -> dict[str, str]:
    """What the docstring says about each argument."""
    return {
        name: said for title, text in sections(docstring) if title == "Args" for name, said in items(text)
    }


def as_markdown(docstring: str | None) -> str:
    """All of it except the arguments, which are in a table with their types."""
    parts = []
    for title, text in sections(docstring):
        if not text or title == "Args":
            continue
        if title:
            parts.append(f"**{_TITLES[title]}**")
        if title in {"Raises", "Attributes"}:
            rows = [
                f"- {_code(names)}: {said}" if said else f"- {_code(names)}" for names, said in items(text)
            ]
            parts.append("\n".join(rows))
        else:
            parts.append(_fenced(text))
    return "\n\n".join(parts)


def examples(docstring: str | None) -> list[str]:
    """The Python code of the examples."""
    found = re.findall(r"^( *)```python\n(.*?)^\1```", cleandoc(docstring or ""), re.DOTALL | re.MULTILINE)
    return [dedent(code) for _, code in found]


def _code(names: str) -> str:
    return ", ".join(f"`{name.strip()}`" for name in names.split(","))


def _fenced(text: str) -> str:
    """Keep drawings, which are indented in docstrings, as they are."""
    blocks = re.split(r"\n{2,}(?=    \S)|(?<=\S)\n{2,}(?=\S)", text)
    return "\n\n".join(
        f"```text\n{dedent(part)}\n```" if part.startswith("    ") else part for part in blocks
    )
