"""Temporary folders: whose are removed, and whose are not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from together_video.temporary_folders import temporary_folder, without_temporary_paths

_HOLD = """
import sys
from together_video.temporary_folders import temporary_folder
with temporary_folder("test") as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(place: Path) -> None:
    """A kill leaves gigabytes of clips otherwise. Other folders stay, and so does a new one that is not locked yet."""
    others = [place / name for name in ("together-video-other-1", "together-video-test-new", "else")]
    for other in others:
        other.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        (left / "clip.mp4").write_bytes(b"clip")
        with temporary_folder("test") as own:
            assert own.is_dir()
            assert (left / "clip.mp4").exists()
        assert not own.exists()
        process.kill()
        process.wait()
    assert left.exists()
    with temporary_folder("test"):
        assert not left.exists()
    assert all(other.is_dir() for other in others)


def test_an_old_folder_without_a_lock_is_removed_and_a_link_is_not_followed(place: Path) -> None:
    """Earlier versions wrote no lock."""
    old, precious = place / "together-video-test-old", place / "precious"
    for folder in (old, precious):
        folder.mkdir()
        os.utime(folder, (0, 0))
    (place / "together-video-test-link").symlink_to(precious)
    with temporary_folder("test"):
        assert not old.exists()
        assert precious.is_dir()


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_temporary_path_is_left_out_of_a_text(
    place: Path, monkeypatch: pytest.MonkeyPatch, is_linked: bool
) -> None:
    """Below the folder that is set and the one that it leads to; other paths stay, and so does the sentence."""
    if is_linked:
        link = place / "link"
        (place / "real").mkdir()
        link.symlink_to(place / "real")
        monkeypatch.setattr(tempfile, "tempdir", str(link))
        place = place / "real"
    with temporary_folder("film") as folder:
        real = place / folder.name
        text = f"No room in {folder}. See {real}/a/film.mp4: full ({folder}/b.mp4), {place}/own.mp4, s3://b/tmp/x"
        assert without_temporary_paths(text) == (
            "No room in a temporary folder. See a temporary folder: full (a temporary folder), "
            f"{place}/own.mp4, s3://b/tmp/x"
        )
