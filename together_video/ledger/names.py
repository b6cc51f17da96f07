"""The names that this project writes into an archive, and their paths on this machine.

Anyone who can write to the bucket or folder can put anything there. Names are checked by these rules, so that none
leads out of a folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from together_video.errors import DownloadError
from together_video.text import printable

#: A purchase: 24 hexadecimal digits; see `records.video_id`.
VideoId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
#: The owner of a claim: a UUID without dashes.
Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
#: Most request ids that are read from a fact.
_MOST_IDS = 8


def _short_texts(value: object) -> dict[str, str]:
    """Other values are left out: a job id must not be lost because of what is beside it."""
    if not isinstance(value, Mapping):
        return {}
    pairs = [
        (name, text)
        for name, text in list(value.items())[:_MOST_IDS]
        if isinstance(name, str) and isinstance(text, str)
    ]
    return {name: text for name, text in pairs if len(name) <= 40 and len(text) <= 200}


#: What identifies a call for the provider's support, by header.
RequestIds = Annotated[dict[str, str], BeforeValidator(_short_texts)]
#: A batch: the second in which it began, and six hexadecimal digits.
BATCH_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")

_VIDEO_ID = re.compile(r"[0-9a-f]{24}")
_LONGEST_KEY = 1024
#: The names in these folders, after the archive's prefix.
_OWN = {
    "inflight": re.compile(r"[0-9a-f]{24}/(claim|job|ambiguous)\.json"),
    "records": re.compile(r"[0-9a-f]{24}(\.late)?\.json"),
    "spending": re.compile(r"\d{4}-\d{2}/[0-9a-f]{24}-([0-9a-f]{8}|recorded)-(reserved|paid)-[0-9]{1,18}"),
    "reviews": re.compile(
        r"[0-9a-f]{24}/\d{8}T\d{6}\.\d{6}Z-[a-z0-9-]{1,40}-[0-9a-f]{8}\.json",
    ),
    "index": re.compile(
        r"\d{4}-\d{2}/[0-9a-f]{32}\.json\.gz|complete\.json|turns/\d{4}-\d{2}-\d{2}T\d{2}\.json"
    ),
}
#: The folders with only such names.
OWN_FOLDERS = tuple(_OWN)


def is_video_id(text: str) -> bool:
    return _VIDEO_ID.fullmatch(text) is not None


def is_own(folder: str, name: str) -> bool:
    """Whether this project writes such a name into one of `OWN_FOLDERS`."""
    return _OWN[folder].fullmatch(name) is not None


def check_key(key: str) -> str:
    """The key, if an archive's file can have it: a plain relative path of at most 1,024 bytes.

    Raises:
        ValueError: it cannot.
    """
    size = len(key.encode("utf-8", "replace"))
    pieces = key.split("/")
    if not 0 < size <= _LONGEST_KEY or not key.isprintable() or any(p in {"", ".", ".."} for p in pieces):
        raise ValueError("is not a plain relative path")
    return key


#: The key of a file in an archive, including the prefix.
Key = Annotated[str, AfterValidator(check_key)]


def path_inside(folder: Path, key: str) -> Path:
    """The path of an archive's file in a folder that mirrors the archive.

    Raises:
        DownloadError: it would be outside of the folder, because of its name or a symbolic link on the way.
    """
    outside = DownloadError(
        f"{printable(key, 100)} is not written: it would be outside of {folder}.",
        remedy="This project did not write its record: inspect it by hand.",
    )
    try:
        path = folder / check_key(key)
    except ValueError:
        raise outside from None
    root = os.path.realpath(folder)
    if os.path.commonpath([root, os.path.realpath(path.parent)]) != root:
        raise outside
    return path
