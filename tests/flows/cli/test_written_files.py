"""Files that an option names: one rule for all commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.flows.cli.written_files import STDOUT, checked_file, file_or_stdout
from together_video.errors import InputError


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--csv"),
        ("list", "--jsonl"),
        ("list", "--parquet"),
        ("spend", "--csv"),
        ("spend", "--chart"),
        ("gallery", "--zip"),
        ("gallery", "--contact-sheet"),
        ("gallery", "--gif"),
    ],
    ids=" ".join,
)
def test_a_missing_folder_is_not_made(
    command: Callable[..., Any], tmp_path: Path, words: tuple[str, str]
) -> None:
    """It is refused before anything is read, and named."""
    endings = {"--zip": ".zip", "--contact-sheet": ".jpg", "--gif": ".gif"}
    file = tmp_path / "mistyped" / f"file{endings.get(words[1], '')}"
    done = command(*words, str(file), VIDEO_ARCHIVE_FOLDER=str(tmp_path / "archive"))
    assert (done.code, done.out) == (2, "")
    assert f"there is no folder {tmp_path / 'mistyped'}" in done.err.replace("\n", " ")
    assert not list(tmp_path.iterdir())
    folder = command(*words, str(tmp_path), VIDEO_ARCHIVE_FOLDER=str(tmp_path / "archive"))
    assert folder.code == 2


def test_a_file_gets_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert checked_file(Path("a.csv"), "--csv") == tmp_path / "a.csv"
    assert file_or_stdout("-", "--csv") is STDOUT
    assert file_or_stdout(None, "--csv") is checked_file(None, "--csv") is None


@pytest.mark.parametrize("given", ["", " ", "--json", "-x", "~nobody-of-this-name/a.csv", "x" * 5000 + "/a"])
def test_what_is_no_file_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"--csv|cannot be written"):
        file_or_stdout(given, "--csv")
