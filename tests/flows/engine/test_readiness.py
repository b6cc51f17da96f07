"""Nothing is bought on a machine that cannot finish the job: what is shown before the first claim."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from prefect_together_video.tasks.session import readiness
from prefect_together_video.tasks.session.readiness import LEAST_ROOM, TINY_CLIP, check_decoder, check_spool
from together_video.errors import ConfigurationError
from together_video.ledger.spool import Spool
from together_video.media.clips import inspect_clip

Usage = namedtuple("Usage", "total used free")


def test_the_tiny_clip_is_what_it_says() -> None:
    """A whole clip with a picture in it, read in the same way as every video that was bought."""
    found = inspect_clip(TINY_CLIP)
    assert (found.info.seconds, found.info.width, found.info.height, found.info.codec) == (
        1.0,
        64,
        48,
        "h264",
    )
    assert found.poster is not None
    assert TINY_CLIP.stat().st_size < 4_000


def test_this_machine_can_do_it(tmp_path: Path) -> None:
    """The decoder names itself; the spool's folder is made, and nothing is left in it."""
    assert check_decoder() == f"PyAV {av.__version__}"
    folder = tmp_path / "deep" / "spool"
    assert check_spool(folder) > LEAST_ROOM
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        "TypeError(\"open() got an unexpected keyword argument 'metadata_errors'\")",
        "av.error.DecoderNotFoundError(1, 'Decoder not found')",
        "MemoryError()",
    ],
)
def test_a_decoder_that_cannot_open(error: str, decoder_with: Callable[[str], None]) -> None:
    """As PyAV 19 did on its first day: one sentence with the decoder's release."""
    decoder_with(f"""
import av, av.error

def fail(*_, **__):
    raise {error}

av.open = fail
""")
    with pytest.raises(
        ConfigurationError, match=rf"PyAV {av.__version__} cannot open .* pip install --upgrade av"
    ):
        check_decoder()


def test_a_decoder_that_makes_no_poster(decoder_with: Callable[[str], None]) -> None:
    """Pillow is missing half of what it needs, say."""
    decoder_with("""
from together_video.media import posters

def fail(*_, **__):
    raise OSError("encoder jpeg not available")

posters.as_jpeg = fail
""")
    with pytest.raises(ConfigurationError, match="encoder jpeg not available"):
        check_decoder()


def test_a_decoder_that_is_not_there(decoder_with: Callable[[str], None]) -> None:
    """An import that fails, as where a library of the system is missing."""
    decoder_with("""
import builtins

real = builtins.__import__

def importing(name, *rest, **more):
    if name.split(".")[0] == "av":
        raise ImportError("libxcb.so.1: cannot open shared object file")
    return real(name, *rest, **more)

builtins.__import__ = importing
""")
    with pytest.raises(ConfigurationError, match="libxcb"):
        check_decoder()


def test_a_spool_that_is_no_folder(tmp_path: Path) -> None:
    """A file of that name lies in the way."""
    path = tmp_path / "spool"
    path.touch()
    with pytest.raises(ConfigurationError, match="TOGETHER_VIDEO_SPOOL"):
        check_spool(path)


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_spool_that_cannot_be_written(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only, over quota, or full: the system says so in one of its calls."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(readiness.os, call, fail)
    with pytest.raises(ConfigurationError, match=r"cannot be written \(No space left on device\)"):
        check_spool(tmp_path)


def test_a_spool_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for a byte is not room for a video."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, LEAST_ROOM - 1))
    with pytest.raises(ConfigurationError, match="has room for 100 MB, less than the 100 MB"):
        check_spool(tmp_path)


def test_a_spool_of_a_user_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's ~ for somebody who is not there."""
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", "~nosuchuser-at-all/spool")
    with pytest.raises(ConfigurationError, match="TOGETHER_VIDEO_SPOOL"):
        Spool()


def test_a_spool_whose_name_is_too_long(tmp_path: Path) -> None:
    """Sweeping it fails silently, so that the check can say why."""
    folder = tmp_path / ("x" * 300)
    Spool(folder).sweep()
    with pytest.raises(ConfigurationError, match="File name too long"):
        check_spool(folder)
