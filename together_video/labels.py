"""Labels: words of the user's own that go with a request, such as a campaign or a scene.

They are kept in the record and shown beside the video. The API never sees them, and they make it no other request
unless that is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from unicodedata import normalize

from together_video.errors import InputError

#: Labels of one request, and characters of a name and of a value.
MOST, LONGEST_NAME, LONGEST_VALUE = 30, 40, 200

_BETWEEN = re.compile(r"[^\w-]+")


def label_name(text: str) -> str:
    """A label's name as it is kept: `Shot Nr.` is shot_nr.

    Raises:
        ValueError: nothing is left of it, or it is too long.
    """
    # Before it is normalised, which takes a time that grows with the square of its length.
    if len(text) > 4 * LONGEST_NAME:
        raise ValueError(f"{text[:60]!r}… is longer than a label's name: {LONGEST_NAME} at most")
    name = _BETWEEN.sub("_", normalize("NFC", text).strip().lower()).strip("_")
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(
            f"{text[:60]!r} is not a label's name: letters, digits and _, {LONGEST_NAME} at most"
        )
    return name


def clean_labels(given: object) -> dict[str, str]:
    """Labels as they are kept, in the order of their names. Numbers become text, and null leaves one out.

    Raises:
        ValueError: they are no mapping, there are too many, or a name or value cannot be kept.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError('labels are names and values, such as {"campaign": "spring"}')
    labels: dict[str, str] = {}
    for said, value in given.items():
        name = label_name(str(said))
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"the label {name} must be a text or a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"the label {name} is no number")
        text = str(value).strip()
        if len(text) > LONGEST_VALUE or not text.isprintable():
            raise ValueError(f"the label {name} must be one line of at most {LONGEST_VALUE} characters")
        if labels.get(name, text) != text:
            raise ValueError(f"the label {name} is given twice")
        labels[name] = text
    if len(labels) > MOST:
        raise ValueError(f"there are {len(labels)} labels, and {MOST} at most are kept")
    return dict(sorted(labels.items()))


def labels_of_options(given: Iterable[str]) -> dict[str, str]:
    """`campaign=spring` as it is given on the command line.

    Raises:
        InputError: one has no `=`, or cannot be kept.
    """
    pairs = [text.partition("=") for text in given]
    if broken := [name for name, sign, _ in pairs if not sign]:
        raise InputError(f"--label {broken[0][:60]!r}: write a name, = and a value, such as campaign=spring.")
    try:
        return clean_labels({name: value for name, _, value in pairs})
    except ValueError as error:
        raise InputError(f"--label: {error}.") from error
