"""Environment: the names that Together's and AWS's own tools use, checked before anything is sent."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from together_video.api.settings import Timeouts, api_from_env, timeouts_from_env
from together_video.errors import ConfigurationError
from together_video.ledger.settings import ArchiveSettings, archive_from_env, check_bucket, check_folder

NAMES = [
    *("TOGETHER_API_KEY", "TOGETHER_BASE_URL"),
    *("VIDEO_ARCHIVE_BUCKET", "VIDEO_ARCHIVE_FOLDER", "VIDEO_ARCHIVE_PREFIX"),
]


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (None, "https://api.together.ai"),
        ("", "https://api.together.ai"),
        ("https://api.together.xyz/v1", "https://api.together.xyz"),
        ("http://127.0.0.1:8765/", "http://127.0.0.1:8765"),
    ],
)
def test_the_api_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, base_url: str | None, expected: str
) -> None:
    """The key is trimmed, the address normalised, and has a default."""
    monkeypatch.setenv("TOGETHER_API_KEY", " key\n")
    if base_url is not None:
        monkeypatch.setenv("TOGETHER_BASE_URL", base_url)
    assert api_from_env() == ("key", expected)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_is_told_with_what_to_set(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    """One sentence that names the variable and the block."""
    if key is not None:
        monkeypatch.setenv("TOGETHER_API_KEY", key)
    with pytest.raises(ConfigurationError, match="set TOGETHER_API_KEY, or name a Together Credentials"):
        api_from_env()


def test_a_broken_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent to it."""
    monkeypatch.setenv("TOGETHER_API_KEY", "k")
    monkeypatch.setenv("TOGETHER_BASE_URL", "api.together.ai")
    with pytest.raises(ConfigurationError, match=r"base URL 'api\.together\.ai'"):
        api_from_env()


@pytest.mark.parametrize(
    ("bucket", "prefix", "expected"),
    [
        ("videos", None, ("videos", "")),
        (" videos ", "", ("videos", "")),
        ("s3://videos/", "/runs/2026/", ("videos", "runs/2026")),
        ("videos", " demo ", ("videos", "demo")),
    ],
)
def test_the_bucket_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, bucket: str, prefix: str | None, expected: tuple[str, str]
) -> None:
    """A plain name and a plain path; what people copy beside them is forgiven."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", bucket)
    if prefix is not None:
        monkeypatch.setenv("VIDEO_ARCHIVE_PREFIX", prefix)
    found = archive_from_env()
    assert (found.bucket, found.prefix) == expected


@pytest.mark.parametrize("bucket", [None, "", " "])
def test_a_missing_archive_is_told_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch, bucket: str | None
) -> None:
    """One sentence that names both variables, the option and the block."""
    if bucket is not None:
        monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", bucket)
    said = "There is no archive: set VIDEO_ARCHIVE_FOLDER (or --archive-folder DIR) for a folder or "
    said += "VIDEO_ARCHIVE_BUCKET for an S3 bucket, or name a Video Archive block."
    with pytest.raises(ConfigurationError, match=f"^{re.escape(said)}$"):
        archive_from_env()


def test_the_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home folder and a relative path become absolute ones; prefix and limit are those of a bucket too."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", " ~/Videos/together/ ")
    monkeypatch.setenv("VIDEO_ARCHIVE_PREFIX", "demo")
    monkeypatch.setenv("VIDEO_ARCHIVE_MONTHLY_LIMIT_USD", "5")
    whole = ArchiveSettings(folder="/home/me/Videos/together", prefix="demo", monthly_limit_usd=Decimal(5))
    assert archive_from_env() == whole
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", "films")
    assert archive_from_env().folder == str(tmp_path / "films")


def test_bucket_and_folder_are_not_both_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Videos that are bought into the one are not found in the other. A folder that a command names goes first."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos")
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", "/films")
    said = "VIDEO_ARCHIVE_BUCKET and VIDEO_ARCHIVE_FOLDER are both set, but an archive is in one place: unset one of "
    with pytest.raises(ConfigurationError, match=f"^{said}them.$"):
        archive_from_env()
    assert archive_from_env("/others") == ArchiveSettings(folder="/others")


@pytest.mark.parametrize("path", ["s3://videos/films", "file:///films", "a\nb", "~nobody-at-all/films"])
def test_a_folder_is_a_path(path: str) -> None:
    """An address, or a path that cannot be, is named."""
    with pytest.raises(ConfigurationError, match=re.escape(repr(path))):
        check_folder(path)


def test_a_prefix_that_leaves_its_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment gets the same check as a block."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos")
    monkeypatch.setenv("VIDEO_ARCHIVE_PREFIX", "../other")
    with pytest.raises(ConfigurationError, match="prefix"):
        archive_from_env()


@pytest.mark.parametrize(
    "name",
    ["", " ", "s3://", "/", "videos/2026", "s3://videos/2026", "two words", "a\nb", "a\u202eb", "\x00"],
)
def test_a_bucket_has_a_plain_name(name: str) -> None:
    """A folder belongs into the prefix."""
    with pytest.raises(ConfigurationError, match="is not a bucket name: put a folder into the prefix"):
        check_bucket(name)


def test_timeouts_have_defaults_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is left behind after connecting, creating and the margin; each has its variable."""
    assert timeouts_from_env() == Timeouts()
    assert Timeouts().claim_seconds == 10 + 120 + 120
    monkeypatch.setenv("TOGETHER_VIDEO_CREATE_SECONDS", "300")
    monkeypatch.setenv("TOGETHER_VIDEO_CLAIM_MARGIN_SECONDS", "60.5")
    assert timeouts_from_env() == Timeouts(create_seconds=300, claim_margin_seconds=60.5)


@pytest.mark.parametrize("text", ["soon", "0", "-3", "1e9", "nan"])
def test_a_timeout_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The sentence names the variable and what it holds."""
    monkeypatch.setenv("TOGETHER_VIDEO_CREATE_SECONDS", text)
    with pytest.raises(ConfigurationError, match=f"TOGETHER_VIDEO_CREATE_SECONDS is '{text}'"):
        timeouts_from_env()


def test_names_are_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts have variables of their own in small letters: another bucket would be paid for again."""
    for name, value in {"VIDEO_ARCHIVE_BUCKET": "ours", "video_archive_bucket": "theirs"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("together_api_key", "theirs")
    assert archive_from_env() == ArchiveSettings(bucket="ours")
    with pytest.raises(ConfigurationError, match="There is no API key"):
        api_from_env()


@pytest.mark.parametrize("blank", ["", "  ", "\r", "\t"])
def test_a_blank_variable_is_none(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    """As an example .env with its lines left empty, saved on Windows, gives it."""
    monkeypatch.setenv("TOGETHER_API_KEY", "key\r")
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos\r")
    for name in ("VIDEO_ARCHIVE_MONTHLY_LIMIT_USD", "VIDEO_ARCHIVE_PREFIX", "TOGETHER_BASE_URL"):
        monkeypatch.setenv(name, blank)
    monkeypatch.setenv("TOGETHER_VIDEO_CREATE_SECONDS", blank)
    assert archive_from_env() == ArchiveSettings(bucket="videos")
    assert api_from_env() == ("key", "https://api.together.ai")
    assert timeouts_from_env() == Timeouts()


@pytest.mark.parametrize(
    "name", ["TOGETHER_API_KEY", "TOGETHER_BASE_URL", "VIDEO_ARCHIVE_BUCKET", "VIDEO_ARCHIVE_PREFIX"]
)
def test_bytes_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By the name of the variable, and without its value, which may be a key."""
    monkeypatch.setenv("TOGETHER_API_KEY", "key")
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos")
    monkeypatch.setenv(name, "sk-secret\udcff")
    with pytest.raises(ConfigurationError, match=f"^{name} contains bytes that are not text") as caught:
        (api_from_env if name.startswith("TOGETHER") else archive_from_env)()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("hours", ["NaN", "-1", "168.1", "a day", "inf"])
def test_hours_of_links_are_at_most_a_week(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    """S3 signs for no longer; 0 is for no links, and a day is usual."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos")
    assert archive_from_env().link_hours == 24
    monkeypatch.setenv("VIDEO_ARCHIVE_LINK_HOURS", "0")
    assert archive_from_env().link_hours == 0
    monkeypatch.setenv("VIDEO_ARCHIVE_LINK_HOURS", hours)
    with pytest.raises(
        ConfigurationError, match=r"^VIDEO_ARCHIVE_LINK_HOURS must be a number of hours from 0 "
    ):
        archive_from_env()


@pytest.mark.parametrize("limit", ["NaN", "0", "-1", "5 USD", "Infinity"])
def test_a_limit_that_is_no_amount_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """In one sentence that names the variable."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "videos")
    monkeypatch.setenv("VIDEO_ARCHIVE_MONTHLY_LIMIT_USD", limit)
    with pytest.raises(ConfigurationError, match=r"MONTHLY_LIMIT_USD must be a positive amount"):
        archive_from_env()
