"""Fills in defaults: for a line of a file, and for a shot of a storyboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from together_video.inputs.presets import overlay


def filled(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a line, with the defaults for the rest. Null counts as not given."""
    said = {name: value for name, value in fields.items() if value is not None}
    filled = {**overlay(said, defaults), **said}
    for name in ("media", "extra", "labels"):
        mine, theirs = said.get(name), defaults.get(name)
        if isinstance(theirs, BaseModel):
            theirs = theirs.model_dump(exclude_none=True)
        if isinstance(theirs, Mapping) and (mine is None or isinstance(mine, Mapping)):
            filled[name] = {**theirs, **(mine or {})}
    # A line's field in the deprecated spelling replaces a default in either spelling, and vice versa.
    media = said.get("media")
    for name in ("frame_images", "reference_images"):
        if name in said and name not in (media or {}) and isinstance(filled.get("media"), dict):
            filled["media"] = {part: value for part, value in filled["media"].items() if part != name}
        elif name in defaults and isinstance(media, Mapping) and media.get(name) is not None:
            filled.pop(name)
    return filled
