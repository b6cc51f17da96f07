"""Sweeps: a line with lists as values makes a request for every combination of their entries."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from together_video.inputs.presets import PRESET_FIELDS
from together_video.ledger.records import Sweep
from together_video.requests import VideoRequest
from together_video.text import printable

#: Most requests that the lists of one file may make, so that a typing mistake is found before it is paid for.
MOST_SWEPT = 10_000

#: Most text, in bytes, in all requests from a file's lists: each request repeats the fields without a list.
MOST_COPIED = 32_000_000

#: Fields with one value each; a list in one of them is a sweep. Media are lists anyway.
SWEPT_FIELDS = frozenset(
    {*VideoRequest.model_fields, *PRESET_FIELDS} - {"media", "extra", "labels", "label_in_id"}
)


def swept_fields(fields: Mapping[str, Any]) -> list[str]:
    """The names of the fields with lists, in the order of the line."""
    return [name for name, value in fields.items() if name in SWEPT_FIELDS and isinstance(value, list)]


def count_of(fields: Mapping[str, Any]) -> int:
    """How many requests these fields make; 0 if a list is empty."""
    return math.prod(len(fields[name]) for name in swept_fields(fields))


def bytes_of(fields: Mapping[str, Any]) -> int:
    """About how many bytes of text the requests of these fields have in total; 0 for a single request."""
    count = count_of(fields)
    if count < 2:
        return 0
    swept = set(swept_fields(fields))
    shared = {name: value for name, value in fields.items() if name not in swept}
    longest = sum(max(len(json.dumps(value, default=str)) for value in fields[name]) for name in swept)
    return count * (len(json.dumps(shared, default=str)) + longest)


def combinations(fields: Mapping[str, Any], label: str) -> Iterator[tuple[dict[str, Any], Sweep | None]]:
    """Every combination, the last list varying fastest; the fields themselves if none is a list.

    `label` is their place, such as "line 3".
    """
    names = swept_fields(fields)
    if not names:
        yield dict(fields), None
        return
    varying = [name for name in names if len(fields[name]) > 1]
    columns = len(fields[varying[-1]]) if varying else 1
    captions = {name: list(_captions(fields[name])) for name in names}
    for places in itertools.product(*(range(len(fields[name])) for name in names)):
        at = dict(zip(names, places, strict=True))
        chosen = {name: fields[name][place] for name, place in at.items()}
        shown = {name: captions[name][at[name]] for name in varying}
        sweep = Sweep(label=label, values=shown, columns=columns) if varying else None
        yield {**fields, **chosen}, sweep


def _captions(values: list[Any]) -> Iterator[str]:
    """A caption for each: the same one for equal values, different ones for different values."""
    captions: dict[object, str] = {}
    taken: Counter[str] = Counter()
    for value in values:
        # True and 1 are equal in Python, but must differ here.
        key = (isinstance(value, bool), value) if isinstance(value, Hashable) else json.dumps(value)
        if key not in captions:
            caption = _shown(value)
            taken[caption] += 1
            captions[key] = caption if taken[caption] == 1 else f"{caption} ({taken[caption]})"
        yield captions[key]


def _shown(value: Any) -> str:
    """A value as a caption; null means the default."""
    if value is None:
        return "default"
    return printable(value if isinstance(value, str) else json.dumps(value), 120)
