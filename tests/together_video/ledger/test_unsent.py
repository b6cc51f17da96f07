"""Notes that prove of a create that it was never sent: who has the note decides."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from together_video.errors import ConfigurationError, Spent
from together_video.ledger.records import Claim, VideoPlan
from together_video.ledger.unsent import UnsentNotes
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))


def claim(token: str = "0" * 32) -> Claim:
    return Claim.model_validate(
        {
            "id": PLAN.id,
            "token": token,
            "plan": PLAN,
            "claimed_at": "2026-11-26T10:00:00Z",
            "valid_seconds": 250,
            "video_key": "videos/a.mp4",
            "poster_key": "videos/a.jpg",
        }
    )


@pytest.fixture
def notes(tmp_path: Path) -> UnsentNotes:
    return UnsentNotes(tmp_path / "unsent")


def test_a_living_process_keeps_its_note(notes: UnsentNotes) -> None:
    """As long as the claim is young enough for its process to send."""
    note = notes.write(claim())
    assert note is not None
    assert not notes.take(claim(), is_old=False)
    assert note.spend()


def test_a_note_that_was_left_is_taken(notes: UnsentNotes) -> None:
    """Its process has died or let go of it: nothing was sent, and asking again gives the same answer."""
    note = notes.write(claim())
    assert note is not None
    note.leave()
    assert notes.take(claim(), is_old=False)
    assert notes.take(claim(), is_old=False)
    notes.forget(claim())
    assert not notes.take(claim(), is_old=False)


def test_a_spent_note_proves_nothing(notes: UnsentNotes) -> None:
    """The create may have been sent, however its process has ended."""
    note = notes.write(claim())
    assert note is not None
    assert note.spend()
    note.leave()
    assert not notes.take(claim(), is_old=True)


def test_a_process_that_stood_still_must_not_send(notes: UnsentNotes) -> None:
    """Its claim has grown too old, and somebody took the note: it learns that before the first byte."""
    note = notes.write(claim())
    assert note is not None
    assert notes.take(claim(), is_old=True)
    assert not note.spend()


def test_a_note_that_is_written_again_after_it_was_taken(notes: UnsentNotes) -> None:
    """A claim whose PUT had no clear answer is written again with its token: what was proven of it stays true."""
    first = notes.write(claim())
    assert first is not None
    assert notes.take(claim(), is_old=True)
    again = notes.write(claim())
    assert again is not None
    assert not again.spend()


@pytest.mark.parametrize("other", [claim("1" * 32), claim().model_copy(update={"id": "f" * 24})])
def test_a_note_is_of_one_claim(notes: UnsentNotes, other: Claim) -> None:
    """Neither another claim of the same video nor another video's."""
    note = notes.write(claim())
    assert note is not None
    note.leave()
    assert not notes.take(other, is_old=True)


@pytest.mark.parametrize("how", ["kill", "end"])
def test_a_process_that_dies(notes: UnsentNotes, tmp_path: Path, how: str) -> None:
    """The system lets go of its lock, however it dies; while it lives, its note cannot be taken."""
    program = textwrap.dedent(
        f"""
        import sys, time
        from tests.together_video.ledger.test_unsent import UnsentNotes, claim
        from pathlib import Path
        note = UnsentNotes(Path({str(tmp_path / "unsent")!r})).write(claim())
        print("written", flush=True)
        sys.stdin.readline()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        assert not notes.take(claim(), is_old=False)
        if how == "kill":
            process.kill()
        else:
            process.communicate("\n")
        process.wait()
    assert notes.take(claim(), is_old=False)


def test_a_disk_that_takes_no_notes(tmp_path: Path) -> None:
    """There is no proof then, and nothing stops."""
    (tmp_path / "unsent").write_text("a file where the folder should be")
    notes = UnsentNotes(tmp_path / "unsent")
    assert notes.write(claim()) is None
    assert not notes.take(claim(), is_old=True)
    notes.sweep()


def test_a_removal_that_is_not_durable_sends_nothing(
    notes: UnsentNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the note would be back, and prove what is not true."""
    note = notes.write(claim())
    assert note is not None

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigurationError) as caught:
        note.spend()
    assert caught.value.spent is Spent.NOTHING


def test_notes_grow_old(notes: UnsentNotes, tmp_path: Path) -> None:
    """They are removed after forty days; younger ones stay."""
    for token in ("0" * 32, "1" * 32):
        note = notes.write(claim(token))
        assert note is not None
        note.leave()
    old = time.time() - 41 * 86_400
    os.utime(tmp_path / "unsent" / f"{PLAN.id}-{'0' * 32}.unsent", (old, old))
    notes.sweep()
    assert not notes.take(claim("0" * 32), is_old=True)
    assert notes.take(claim("1" * 32), is_old=True)
