"""Check this machine: its Python, the video decoder, the disk for downloads, and what stdout can show."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from prefect_together_video.flows.checkup.dependencies import PACKAGE
from prefect_together_video.flows.checkup.line import (
    DECODER,
    DISK,
    OUTPUT,
    PYTHON,
    CheckLine,
    failed,
    ok,
    warning,
)
from prefect_together_video.tasks.session.readiness import check_decoder, check_spool
from together_video.ledger.spool import default_folder

#: With fewer free bytes than this, a batch can fill the disk.
_LITTLE_ROOM = 10**9
_CLASSIFIER = "Programming Language :: Python :: 3."


def check_python(version: str | None = None) -> CheckLine:
    """Check that this package supports this Python, according to the package's metadata."""
    version = version or platform.python_version()
    words = f"{version} on {platform.system()} {platform.release()} ({platform.machine()})."
    try:
        about = metadata.metadata(PACKAGE)
    except metadata.PackageNotFoundError:
        # The line about dependencies reports this.
        return ok(PYTHON, words)
    tested = _tested(about.get_all("Classifier") or ())
    # A release candidate counts as its series.
    if not SpecifierSet(about["Requires-Python"] or "").contains(version, prereleases=True):
        return failed(PYTHON, words, f"Install this package in Python {_span(tested)}.")
    if tested and Version(version).release[:2] not in tested:
        return warning(
            PYTHON, words, f"Tested with Python {_span(tested)}: use one of these if anything fails."
        )
    return ok(PYTHON, words)


def _tested(classifiers: Iterable[str]) -> list[tuple[int, int]]:
    minors = (text.removeprefix(_CLASSIFIER) for text in classifiers if text.startswith(_CLASSIFIER))
    return sorted((3, int(minor)) for minor in minors if minor.isdecimal())


def _span(tested: list[tuple[int, int]]) -> str:
    names = [f"{major}.{minor}" for major, minor in tested]
    return " to ".join(dict.fromkeys((names[0], names[-1]))) if names else "3"


def check_decoding() -> CheckLine:
    """Check that videos can be decoded here.

    Raises:
        ConfigurationError: it cannot.
    """
    return ok(DECODER, f"{check_decoder()} opens an MP4 and makes its poster.")


def check_disk(folder: Path | None = None) -> CheckLine:
    """Check that the folder for downloads is writable, and how much space it has.

    Raises:
        ConfigurationError: it is not writable, or has no space for a few clips.
    """
    folder = folder or default_folder()
    free = check_spool(folder)
    if free < _LITTLE_ROOM:
        return warning(
            DISK,
            f"{folder} is writable and has {free / 1e6:.0f} MB free. A large batch can fill that.",
            "Make room, or set TOGETHER_VIDEO_SPOOL to another folder.",
        )
    return ok(DISK, f"{folder} is writable and has {free / 1e9:.1f} GB free.")


def check_output(encoding: str, *, holds_all: bool) -> CheckLine:
    """Check that every character of a prompt can be shown."""
    if holds_all:
        return ok(OUTPUT, f"{encoding} shows every character.")
    return warning(
        OUTPUT,
        f"{encoding} cannot show every character: some become question marks. Archives are not affected.",
        "Set PYTHONUTF8=1, or PYTHONIOENCODING=utf-8.",
    )
