"""A release says one version everywhere, and the commands of its checklist exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from prefect_together_video.flows.__main__ import _COMMANDS
from tests.docs.markdown import blocks

ROOT = Path(__file__).parents[1]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
GROUPS = ["Added", "Changed", "Deprecated", "Fixed", "Removed", "Security"]


def releases() -> list[tuple[str, date]]:
    """Version and day of each release, in the order of the changelog."""
    found = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
    return [(version, date.fromisoformat(day)) for version, day in found]


def commands(page: str) -> list[list[str]]:
    """The words of each command in the page's shell blocks, without a variable that it sets first."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line.strip() for block in blocks(text, "sh") for line in block.splitlines()]
    lines = [re.sub(r"^\w+=(?:\$\((.*)\)$|\S+ )", r"\1", line) for line in lines]
    return [shlex.split(line, comments=True) for line in lines]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_newest_release_is_the_version() -> None:
    """Of pyproject.toml, and of what is installed."""
    assert releases()[0][0] == VERSION
    said = subprocess.run(
        [Path(sys.executable).with_name("together-video"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == VERSION


def test_releases_are_in_order() -> None:
    """The newest first, each number once, and every heading is a release but for the unreleased part."""
    numbers = [tuple(map(int, version.split("."))) for version, _ in releases()]
    days = [day for _, day in releases()]
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)
    headings = re.findall(r"^## .*", CHANGELOG, re.MULTILINE)
    assert [line for line in headings if line != "## [Unreleased]"] == [
        f"## [{version}] - {day}" for version, day in releases()
    ]


def test_changes_are_grouped() -> None:
    """Each part has its groups in one order, and no line stands outside of a group."""
    for part in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        before, *groups = re.split(r"^### ", text, flags=re.MULTILINE)
        assert not re.search(r"^- ", before, re.MULTILINE), title
        names = [group.split("\n", 1)[0] for group in groups]
        assert names == [name for name in GROUPS if name in names], title


def test_examples_name_this_version() -> None:
    """The image of the guide, and what `doctor` prints."""
    for page, pattern in (
        ("docs/cloud.md", r"together-video:(\d+\.\d+\.\d+)"),
        ("docs/recovery.md", r"prefect-together-video (\d+\.\d+\.\d+) with"),
    ):
        assert set(re.findall(pattern, (ROOT / page).read_text(encoding="utf-8"))) == {VERSION}, page


@pytest.mark.parametrize("page", ["docs/releasing.md", "CONTRIBUTING.md"])
def test_the_commands_exist(page: str) -> None:
    """Targets of the Makefile, programs of .venv, commands of together-video, and files."""
    found = commands(page)
    assert len(found) >= 7
    for words in found:
        program = words[0]
        if program == "make":
            assert words[1] in targets(), words
        elif program.startswith((".venv/bin/", "dist/try/bin/")):
            assert Path(sys.executable).with_name(Path(program).name).exists(), words
            if program.endswith("together-video") and not words[1].startswith("--"):
                assert words[1] in {name for names in _COMMANDS.values() for name in names}, words
        elif "/" in program:
            assert (ROOT / program).is_file(), words
        else:
            assert program in {"git", "rm", "uv"}, words
        for word in words[1:]:
            if word.startswith("tests/"):
                assert (ROOT / word).exists(), words
