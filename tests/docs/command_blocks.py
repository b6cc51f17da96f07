"""The command blocks of the README and the pages, and the files that pages show, as a reader takes them from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from cyclopts import App, CycloptsError

from tests.docs.markdown import ROOT, fences

#: Languages of fences that hold commands.
SHELLS = {"bash", "sh", "shell", "console"}


class Block(NamedTuple):
    """A fence with commands: `line` is where it begins; `printed` is the text fence right after it, if there is one."""

    page: str
    line: int
    commands: tuple[str, ...]
    printed: str


class Shown(NamedTuple):
    """A fence with a title, such as ```csv title="prompts.csv": a file, and what it holds."""

    name: str
    text: str


def pages() -> list[str]:
    """Every page with a command block, as a path from the repository's top."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    names = [path.relative_to(ROOT).as_posix() for path in found]
    return [name for name in names if blocks(name)]


def blocks(page: str) -> list[Block]:
    """Its command blocks, in order."""
    return [step for step in steps(page) if isinstance(step, Block)]


def steps(page: str) -> list[Block | Shown]:
    """What its reader does, in order: run commands, and save the files that it shows."""
    read = fences((ROOT / page).read_text(encoding="utf-8"))
    found: list[Block | Shown] = []
    for fence, after in zip_longest(read, read[1:]):
        if fence.language in SHELLS:
            printed = after.code if after is not None and after.language == "text" else ""
            found.append(Block(page, fence.line, tuple(commands(fence.code, fence.language)), printed))
        elif fence.title:
            found.append(Shown(fence.title, fence.code))
    return found


def commands(text: str, language: str = "sh") -> Iterator[str]:
    """Each command with its further lines and its here-document, without comments."""
    lines = iter(text.splitlines())
    if language == "console":
        lines = iter([line[2:] for line in text.splitlines() if line.startswith("$ ")])
    for line in lines:
        command = _without_comment(line)
        while command.endswith("\\"):
            command = f"{command}\n{_without_comment(next(lines))}"
        if word := re.search(r"<<-?'?(\w+)'?", command):
            here = [command]
            while here[-1] != word[1]:
                here.append(next(lines))
            command = "\n".join(here)
        if command.strip():
            yield command.strip()


def _without_comment(line: str) -> str:
    return re.sub(r"(?:^|\s+)#(?:\s.*)?$", "", line).rstrip()


def refusal(program: App, words: list[str]) -> str:
    """Why a command line does not take these words; empty if it does."""
    try:
        program.parse_args(words[words[:1] == ["--no-prompt"] :], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return str(error)
    return ""
