"""The spool: downloads on their way, and job ids that the bucket could not take."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.facts import claim_of
from together_video.ledger.records import Claim, Submission, VideoPlan
from together_video.ledger.spool import Spool, default_folder
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLAN = VideoPlan(request=VideoRequest(model="m", prompt="A fox"))


def claim(of: str = "1" * 32, *, plan: VideoPlan = PLAN, ending: str = "mp4") -> Claim:
    return claim_of(
        plan,
        token=of,
        claimed_at=NOW,
        valid_seconds=60,
        video_key=f"videos/v.{ending}",
        poster_key="videos/v.jpg",
    )


def submission(of: Claim, job_id: str = "j") -> Submission:
    return Submission(id=of.id, token=of.token, job_id=job_id, submitted_at=NOW, answer={"id": job_id})


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool whose folder is not there yet."""
    return Spool(tmp_path / "new" / "spool")


def test_a_kept_job_id_is_found_again(spool: Spool) -> None:
    """By another process that only knows the claim; and dropped once it is in the bucket."""
    mine = claim()
    path = spool.keep_submission(submission(mine))
    assert path.is_file()
    assert [entry.name for entry in spool.folder.iterdir()] == [path.name]
    assert Spool(spool.folder).kept_submission(mine) == submission(mine)
    spool.drop_submission(mine)
    assert spool.kept_submission(mine) is None
    spool.drop_submission(mine)


def test_only_the_very_claim_finds_its_job_id(spool: Spool) -> None:
    """Another token is another create of the same request, another plan another video."""
    spool.keep_submission(submission(claim()))
    other = VideoPlan(request=VideoRequest(model="m", prompt="A cat"))
    assert spool.kept_submission(claim("2" * 32)) is None
    assert spool.kept_submission(claim(plan=other)) is None
    spool.drop_submission(claim("2" * 32))
    assert spool.kept_submission(claim()) is not None


def test_nothing_is_found_where_nothing_was_kept(spool: Spool) -> None:
    """Not even the folder has to be there."""
    assert spool.kept_submission(claim()) is None
    spool.sweep()
    assert not spool.folder.exists()


def test_a_job_id_is_kept_whole_or_not_at_all(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies while it writes leaves nothing that could be taken for a job id."""
    spool.keep_submission(submission(claim(), "first"))

    def dies(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            spool.keep_submission(submission(claim(), "second"))
        with pytest.raises(KeyboardInterrupt):
            spool.keep_submission(submission(claim("2" * 32)))
    kept = spool.kept_submission(claim())
    assert kept is not None
    assert kept.job_id == "first"
    assert spool.kept_submission(claim("2" * 32)) is None


def test_only_old_parts_are_swept(spool: Spool) -> None:
    """Half-written files of yesterday go; those of a running download, whole files and job ids stay."""
    spool.keep_submission(submission(claim()))
    old = time.time() - 86_400 - 60
    ages = {"old.mp4.1.part": old, "new.mp4.2.part": time.time(), "old.mp4": old, "old.job.json": old}
    for name, moment in ages.items():
        path = spool.folder / name
        path.write_bytes(b"x")
        os.utime(path, (moment, moment))
    (spool.folder / "folder.part").mkdir()
    os.utime(spool.folder / "folder.part", (old, old))
    spool.sweep()
    left = {path.name for path in spool.folder.iterdir()}
    assert "old.mp4.1.part" not in left
    assert {"new.mp4.2.part", "old.mp4", "old.job.json", "folder.part"} <= left
    assert spool.kept_submission(claim()) is not None


def test_a_file_is_named_after_its_job(spool: Spool) -> None:
    """So that it is found again, and never taken for another job's; the ending tells its format."""
    path = spool.video(claim(), "j")
    assert path == Spool(spool.folder).video(claim("2" * 32), "j")
    assert path.suffix == ".mp4"
    assert spool.video(claim(ending="webm"), "j").suffix == ".webm"
    assert path != spool.video(claim(), "k")


@pytest.mark.parametrize("job_id", ["../../etc/passwd", "a/b", "", "\x00", "x" * 5000, "ü🦊", "."])
def test_no_job_id_leads_out_of_the_folder(spool: Spool, job_id: str) -> None:
    """The id is the provider's text: it is hashed, not used."""
    path = spool.video(claim(), job_id)
    assert path.parent == spool.folder
    assert len(path.name) < 100


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOGETHER_VIDEO_SPOOL first, then the user's cache folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TOGETHER_VIDEO_SPOOL", raising=False)
    assert default_folder() == tmp_path / "home" / ".cache" / "together-video" / "spool"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_folder() == tmp_path / "cache" / "together-video" / "spool"
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", "~/spool")
    assert Spool().folder == tmp_path / "home" / "spool"


def test_the_folder_is_for_this_user_alone(spool: Spool) -> None:
    spool.keep_submission(submission(claim()))
    assert spool.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "forged",
    [{"id": "../../../x"}, {"token": "../x"}, {"video_key": "../../x.mp4"}, {"poster_key": "/etc/x.jpg"}],
    ids=str,
)
def test_a_forged_claim_is_none(forged: dict[str, str]) -> None:
    """No path is made from data in the bucket before it was checked against the form that this project writes."""
    with pytest.raises(ValueError, match="validation error"):
        Claim.model_validate({**claim().model_dump(), **forged})
