"""Labels: the user's own words for a request, such as a campaign or a scene.

They are kept in the record and shown beside the video. The API never sees them. They do not change the request's id
unless you choose that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from unicodedata import normalize

from together_video.errors import InputError

#: Most labels of one request, and most characters of a name and of a value.
MOST, LONGEST_NAME, LONGEST_VALUE = 30, 40, 200

_BETWEEN = re.compile(r"[^\w-]+")


def label_name(text: str) -> str:
    """A label's name in its stored form: `Shot Nr.` becomes shot_nr.

    Raises:
        ValueError: nothing is left of it, or it is too long.
    """
    # Checked before normalising, whose time grows with the square of the length.
    if len(text) > 4 * LONGEST_NAME:
        raise ValueError(f"{text[:60]!r}… is too long for a label's name: at most {LONGEST_NAME} characters")
    name = _BETWEEN.sub("_", normalize("NFC", text).strip().lower()).strip("_")
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(
            f"{text[:60]!r} is not a label's name: use letters, digits and _, at most {LONGEST_NAME} characters"
        )
    return name


def clean_labels(given: object) -> dict[str, str]:
    """Labels in their stored form, sorted by name. Numbers become text; a null value drops the label.

    Raises:
        ValueError: they are not a mapping, there are too many, or a name or value is not allowed.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError('labels must be names and values, such as {"campaign": "spring"}')
    labels: dict[str, str] = {}
    for said, value in given.items():
        name = label_name(str(said))
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"the label {name} must be text or a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"the label {name} is not a finite number")
        text = str(value).strip()
        if len(text) > LONGEST_VALUE or not text.isprintable():
            raise ValueError(f"the label {name} must be one line of at most {LONGEST_VALUE} characters")
        if labels.get(name, text) != text:
            raise ValueError(f"the label {name} is given twice")
        labels[name] = text
    if len(labels) > MOST:
        raise ValueError(f"there are {len(labels)} labels; at most {MOST} are allowed")
    return dict(sorted(labels.items()))


def labels_of_options(given: Iterable[str]) -> dict[str, str]:
    """Labels from the command line, such as `campaign=spring`.

    Raises:
        InputError: one has no `=` or is not allowed.
    """
    pairs = [text.partition("=") for text in given]
    if broken := [name for name, sign, _ in pairs if not sign]:
        raise InputError(f"--label {broken[0][:60]!r}: write NAME=VALUE, such as campaign=spring.")
    try:
        return clean_labels({name: value for name, _, value in pairs})
    except ValueError as error:
        raise InputError(f"--label: {error}.") from error
