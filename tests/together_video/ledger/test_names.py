"""Names from an archive: which are this project's own, and that none of them leads out of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.errors import DownloadError
from together_video.ledger.names import BATCH_ID, check_key, is_own, is_video_id, path_inside

VIDEO = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "./a",
        "a/.",
        "a\n",
        "a/\x00",
        "x" * 1025,
        "a/",
        "é" * 600,
    ],
)
def test_what_is_no_plain_path_is_no_key(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain relative path"):
        check_key(key)
    with pytest.raises(DownloadError, match="outside"):
        path_inside(tmp_path, key)


@given(st.text(alphabet="ab./\\\0é\n~ ", max_size=20))
def test_a_path_stays_inside_whatever_its_name(key: str) -> None:
    folder = Path("/some/folder")
    try:
        path = path_inside(folder, key)
    except DownloadError:
        return
    assert folder in path.parents
    assert ".." not in path.parts


def test_a_symbolic_link_does_not_lead_out(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "gallery", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "videos").symlink_to(elsewhere)
    with pytest.raises(DownloadError, match="outside"):
        path_inside(folder, "videos/v.mp4")


def test_a_folder_that_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert path_inside(tmp_path / "link", "videos/v.mp4") == tmp_path / "link" / "videos" / "v.mp4"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("inflight", f"{VIDEO}/claim.json"),
        ("inflight", f"{VIDEO}/job.json"),
        ("inflight", f"{VIDEO}/ambiguous.json"),
        ("records", f"{VIDEO}.json"),
        ("records", f"{VIDEO}.late.json"),
        ("spending", f"2026-11/{VIDEO}-0a1b2c3d-reserved-280000"),
        ("spending", f"2026-11/{VIDEO}-recorded-paid-0"),
    ],
)
def test_own_names(folder: str, name: str) -> None:
    assert is_own(folder, name)
    for other in (name + "x", "x" + name, name.upper(), name.replace(VIDEO, "../x"), "", "²"):
        assert not is_own(folder, other) or other == name


@pytest.mark.parametrize("digits", ["²", "٣", "", "-1", "1e9", "9" * 19, "1_0", " 1"])
def test_amounts_are_plain_digits(digits: str) -> None:
    assert not is_own("spending", f"2026-11/{VIDEO}-recorded-paid-{digits}")


def test_ids() -> None:
    assert is_video_id(VIDEO)
    assert not is_video_id(VIDEO + "\n")
    assert BATCH_ID.fullmatch("20261126T195055-0d074f")
    assert not BATCH_ID.fullmatch("20261126T195055-0d074f\n")
