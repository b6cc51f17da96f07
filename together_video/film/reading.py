"""A storyboard from a file: YAML or JSON, checked as a whole, with all its problems reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import ValidationError

from together_video.errors import InputError
from together_video.film.fields import without_nulls
from together_video.film.shot_parts import Audio
from together_video.film.shots import Shot
from together_video.film.storyboard import Storyboard
from together_video.inputs.decoding import decoded, why_no_text
from together_video.inputs.files import file_bytes
from together_video.inputs.json_values import UnreadableText, json_document
from together_video.inputs.yaml_values import yaml_value
from together_video.media.sources import anchored_fields, anchored_text
from together_video.text import printable
from together_video.validation_messages import explain, quoted

#: Largest storyboard that is read, in bytes: enough for 200 shots and some small images in data URLs.
LARGEST_STORYBOARD = 4 * 1024 * 1024

_FORMS: dict[str, Literal["yaml", "json"]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
#: `shots[2].seconds: …` is reported as "Shot 3: seconds: …".
_IN_SHOT = re.compile(r"shots\[(\d{1,6})\]\.?(?:: )?(?:settings: )?")


def read_storyboard(path: str | Path, *, stdin: BinaryIO | None = None) -> Storyboard:
    """The storyboard in a `.yaml`, `.yml` or `.json` file; `-` is standard input, in YAML or JSON.

    Relative paths in it are resolved against the file's folder.

    Raises:
        InputError: the file cannot be read, or is not a storyboard. The message lists all problems, one a line.
    """
    data, name, suffix = _read(path, stdin)
    folder = Path.cwd() if str(path) == "-" else Path(path).absolute().parent
    return storyboard_in(data, name, suffix, folder)


def storyboard_text(path: str | Path) -> tuple[str, Literal["yaml", "json"]]:
    """The text of a storyboard's file, and its format.

    Raises:
        InputError: the file cannot be read, or is not text.
    """
    data, name, suffix = _read(path, None)
    return decoded(data, name), _FORMS[suffix]


def _read(path: str | Path, stdin: BinaryIO | None) -> tuple[bytes, str, str]:
    """The content of a storyboard's file, what messages call it, and its suffix."""
    is_file = str(path) != "-"
    name = printable(str(path)) if is_file else "standard input"
    suffix = Path(path).suffix.lower() if is_file else ".yaml"
    if suffix not in _FORMS:
        raise InputError(f"{name}: a storyboard is a .yaml, .yml or .json file.")
    return file_bytes(path, name, largest=LARGEST_STORYBOARD, what="storyboard", stdin=stdin), name, suffix


def storyboard_in(data: bytes, name: str, suffix: str, folder: Path | None = None) -> Storyboard:
    """The storyboard in the bytes of a file with the suffix `.yaml`, `.yml` or `.json`.

    Raises:
        InputError: see `read_storyboard`.
    """
    if len(data) > LARGEST_STORYBOARD:
        raise InputError(
            f"{name}: too large. A storyboard may have at most {LARGEST_STORYBOARD // 2**20} MB."
        )
    if words := why_no_text(data, suffix):
        raise InputError(f"{name}: {words}")
    return parse_storyboard(decoded(data, name), _FORMS[suffix], name, folder)


def parse_storyboard(
    text: str, form: Literal["yaml", "json"], name: str, folder: Path | None = None
) -> Storyboard:
    """Like `read_storyboard`, from text that is already in memory.

    Args:
        name: what messages call it.
        folder: relative paths are resolved against it; without it they stay as they are.

    Raises:
        InputError: it is not a storyboard.
    """
    try:
        value = json_document(text) if form == "json" else yaml_value(text)
    except UnreadableText as error:
        raise InputError(f"{name}: {error}.") from error
    found = storyboard_of(value, name)
    return found if folder is None else anchored_storyboard(found, folder)


def storyboard_of(value: object, name: str = "The storyboard") -> Storyboard:
    """A storyboard from its fields, as a file has them.

    Raises:
        InputError: lists all problems, each shot by its number.
    """
    if isinstance(value, list):
        raise InputError(f"{name}: must have title: and shots:, but is a list.")
    if not isinstance(value, Mapping):
        raise InputError(f"{name}: must have title: and shots:, but is {quoted(value)}.")
    try:
        return Storyboard.model_validate(dict(value))
    except ValidationError as error:
        problems = [_by_shot(words) for words in explain(error, Storyboard)]
    if len(problems) == 1:
        raise InputError(f"{name}: {problems[0]}.")
    raise InputError("\n".join([f"{name}: cannot be used.", *(f"  {problem}" for problem in problems)]))


def with_defaults(storyboard: Storyboard, fields: Mapping[str, Any]) -> Storyboard:
    """The storyboard with these request fields for every shot that does not set them itself.

    Raises:
        InputError: they cannot be used.
    """
    given = without_nulls(fields)
    if not given:
        return storyboard
    said = storyboard.model_dump(mode="json", exclude_defaults=True)
    return storyboard_of({**said, "defaults": {**storyboard.defaults, **given}}, "The settings")


def anchored_storyboard(storyboard: Storyboard, folder: Path) -> Storyboard:
    """The storyboard with its relative paths resolved against `folder`."""

    def anchor(text: str | None) -> str | None:
        return None if text is None else anchored_text(text, folder)

    def shot_of(shot: Shot) -> Shot:
        changed: dict[str, Any] = {"first": anchor(shot.first), "last": anchor(shot.last)}
        if shot.settings:
            changed["settings"] = anchored_fields(shot.settings, folder)
        if shot.audio.narration is not None:
            changed["audio"] = Audio(own=shot.audio.own, narration=anchor(shot.audio.narration))
        return shot.model_copy(update=changed)

    look, cut = storyboard.look, storyboard.cut
    images = tuple(anchored_text(text, folder) for text in look.reference_images)
    if cut.music is not None:
        music = cut.music.model_copy(update={"file": anchored_text(cut.music.file, folder)})
        cut = cut.model_copy(update={"music": music})
    return storyboard.model_copy(
        update={
            "look": look.model_copy(update={"reference_images": images}),
            "defaults": anchored_fields(storyboard.defaults, folder),
            "shots": tuple(map(shot_of, storyboard.shots)),
            "cut": cut,
        }
    )


def _by_shot(words: str) -> str:
    """A problem as it concerns the file: the shot by its number, counted from 1."""
    said = words.removeprefix("shots: ") if words.startswith("shots: Shot ") else words
    return _IN_SHOT.sub(lambda found: f"Shot {int(found[1]) + 1}: ", said, count=1)
