"""The names that this project writes into an archive, and the paths that are made of them on this machine.

Anyone who can write to the bucket or folder can put anything there. What is read is held against these rules, so that
no name leads out of a folder.
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
#: Whose claim it is: a UUID without dashes.
Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
#: Request ids that are read of a fact.
_MOST_IDS = 8


def _short_texts(value: object) -> dict[str, str]:
    """What else is there is left out: a job id must not be lost because of what lies beside it."""
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
#: What lies in these folders, behind the archive's prefix.
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
#: The folders that hold nothing but such names.
OWN_FOLDERS = tuple(_OWN)


def is_video_id(text: str) -> bool:
    return _VIDEO_ID.fullmatch(text) is not None


def is_own(folder: str, name: str) -> bool:
    """Whether this project writes such a name into one of `OWN_FOLDERS`."""
    return _OWN[folder].fullmatch(name) is not None


def check_key(key: str) -> str:
    """The key, if it can be one of an archive's files: a plain relative path of at most 1,024 bytes.

    Raises:
        ValueError: it is none.
    """
    size = len(key.encode("utf-8", "replace"))
    pieces = key.split("/")
    if not 0 < size <= _LONGEST_KEY or not key.isprintable() or any(p in {"", ".", ".."} for p in pieces):
        raise ValueError("is not a plain relative path")
    return key


#: Where a file lies in an archive, its prefix included.
Key = Annotated[str, AfterValidator(check_key)]


def path_inside(folder: Path, key: str) -> Path:
    """Where a file of an archive lies in a folder that mirrors it.

    Raises:
        DownloadError: it would lie outside of the folder, by its name or by a symbolic link on the way.
    """
    outside = DownloadError(
        f"{printable(key, 100)} is not written: it would lie outside of {folder}.",
        remedy="Its record is not what this project wrote: look at it by hand.",
    )
    try:
        path = folder / check_key(key)
    except ValueError:
        raise outside from None
    root = os.path.realpath(folder)
    if os.path.commonpath([root, os.path.realpath(path.parent)]) != root:
        raise outside
    return path
