"""The catalogue of video models: read from `catalogue.json`, looked up by API name."""

from __future__ import annotations

import difflib
import json
import os
from datetime import date
from functools import cache, cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from together_video.catalogue.models import Model, Seconds, Source
from together_video.catalogue.own import VARIABLE, with_own_models
from together_video.errors import ConfigurationError, RequestInvalid

_NEWER = f"If it is newer than this catalogue, add it to your own file ({VARIABLE})."
#: The fewest letters of a name's beginning that are taken for a family.
_FAMILY = 3


class FrameRates(BaseModel):
    """Frames per second, by the general documents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: int
    maximum: int
    default: int


class AudioFile(BaseModel):
    """Limits of an audio input: formats, seconds, bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[str, ...]
    minimum_seconds: int
    maximum_seconds: int
    maximum_bytes: int


class General(BaseModel):
    """What is documented about all models; a model's own facts take precedence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int
    height: int
    seconds: Seconds
    fps: FrameRates
    audio_file: AudioFile
    sources: tuple[str, ...]


class Catalogue(BaseModel):
    """All models, the facts that apply to all of them, and the source of each fact.

    `Model.offered` is as of the day `as_of`. `own_file` is the path of the user's own file, if its models are included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    # The name behind `default_model`. This model is offered and works from text alone, both the old and the new tables
    # document its limits and price, it has landscape, square and portrait sizes, and it is the cheapest such model.
    # minimax/hailuo-02 costs three times as much, and its documents contradict each other about its length.
    default_name: str = Field(alias="default_model")
    general: General
    sources: dict[str, Source]
    models: tuple[Model, ...]
    own_file: str | None = None

    @classmethod
    def load(cls) -> Catalogue:
        """The catalogue of this package, with the additions and corrections of the file in TOGETHER_VIDEO_CATALOGUE. It
        is read once per process, and again when that file changes.

        Raises:
            ConfigurationError: the user's file cannot be read, or has a mistake.
        """
        path = os.environ.get(VARIABLE, "").strip()
        return _with_own(path, _version_of(path)) if path else _packaged()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """A catalogue from JSON text in the shape of `catalogue.json`.

        Raises:
            pydantic.ValidationError: the text has another shape, has a model twice, names a source that it does not
                list, or has a default that is not offered.
        """
        return cls.model_validate_json(text)

    @property
    def default_model(self) -> Model:
        """The model that is used if none was chosen."""
        return self._by_name[self.default_name]

    def find(self, name: str) -> Model | None:
        """The model with exactly this API name, or None."""
        return self._by_name.get(name)

    def get(self, name: str) -> Model:
        """The model with exactly this API name.

        Raises:
            RequestInvalid: there is none; the message suggests similar names.
        """
        if model := self.find(name):
            return model
        # Within a family, offered models come first, the newest at the top.
        ordered = sorted(self.models, key=lambda model: model.offered)
        near = _near_names(name, tuple(model.name for model in ordered))
        raise RequestInvalid(
            self._unknown(name, near), field="model", instead=near[0] if near else self.default_name
        )

    def offered_by(self, organisation: str) -> tuple[Model, ...]:
        """The models of one organisation that are still offered."""
        return tuple(m for m in self.models if m.offered and m.organisation == organisation)

    @cached_property
    def _by_name(self) -> dict[str, Model]:
        return {model.name: model for model in self.models}

    def _unknown(self, name: str, near: tuple[str, ...]) -> str:
        shown = name if len(name) <= 80 else name[:79] + "…"
        if not near:
            return (
                f"There is no model {shown!r} in the catalogue; try {self.default_name}, or see "
                f"together-video models. {_NEWER}"
            )
        if near[0].casefold() == name.casefold():
            return f"There is no model {shown!r}: names are case-sensitive, write {near[0]}."
        return f"There is no model {shown!r} in the catalogue; did you mean {' or '.join(near)}? {_NEWER}"

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        names = [model.name for model in self.models]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        used = set(self.general.sources)
        for model in self.models:
            used |= {*model.sources, *(model.limit_sources or ()), *(model.size.sources or ())}
        if unlisted := sorted(used - set(self.sources)):
            raise ValueError(f"sources that are not listed: {', '.join(unlisted)}")
        default = self._by_name.get(self.default_name)
        if default is None or not default.offered or not default.knows_text:
            raise ValueError(f"the default {self.default_name} is not an available text-to-video model")
        return self


def _text() -> str:
    return resources.files("together_video.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8")


@cache
def _packaged() -> Catalogue:
    return Catalogue.from_json(_text())


def _version_of(path: str) -> tuple[int, int]:
    """A value that changes with the file. A missing file is reported by the reader."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _with_own(path: str, version: tuple[int, int]) -> Catalogue:
    document: dict[str, Any] = with_own_models(json.loads(_text()), path)
    try:
        return Catalogue.model_validate(document)
    except ValidationError as error:
        words = str(error.errors()[0].get("ctx", {}).get("error") or error.errors()[0]["msg"])
        raise ConfigurationError(f"{VARIABLE}: {path}: {words}.") from error


# Cached because a batch of thousands may misspell the same name throughout.
@lru_cache(maxsize=256)
def _near_names(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three known names that look like this one; only one if just the case differs.

    The part after the organisation counts too, because people write `veo-3.1` for `google/veo-3.1`. So does its
    beginning, because they write `seedance`.
    """
    wanted = name.casefold()[:200]
    folded = {known.casefold(): known for known in names}
    if wanted in folded:
        return (folded[wanted],)
    short = {known.rpartition("/")[2]: full for known, full in folded.items()}
    tail = wanted.rpartition("/")[2]
    close = [short[tail]] if tail in short else []
    if len(tail) >= _FAMILY:
        close += [full for known, full in reversed(short.items()) if known.startswith(tail)]
    close += [folded[hit] for hit in difflib.get_close_matches(wanted, folded, n=3, cutoff=0.7)]
    close += [short[hit] for hit in difflib.get_close_matches(tail, short, n=3, cutoff=0.7)]
    return tuple(dict.fromkeys(close))[:3]
