"""What is sent: a video request, its media, its canonical form and its fingerprint.

Field names, types and bounds are those of `CreateVideoBody` in the API's OpenAPI document.
What a single model takes is not decided here but in `catalogue`.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from together_video.json_schema import plain_fields
from together_video.labels import clean_labels
from together_video.text import one_line

#: Longest prompt that the API takes from any model, in characters (OpenAPI: `maxLength`).
MAX_PROMPT = 32_000

#: Deepest nesting of `extra`: far beyond any field, far below what JSON libraries take.
MAX_DEPTH = 32


#: Fields that are not the API's.
#: Most entries of a list of media, and characters of `extra` as JSON: it is sent with each request, and kept.
MOST_MEDIA, MOST_EXTRA = 256, 16_000
_OWN = {"extra", "labels", "label_in_id"}


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((_depth(entry) for entry in inner), default=0)
    return 0


def _seconds(value: object) -> object:
    """Length as the API wants it: a string. People write 6, 6.0, "6" or "6s"."""
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().removesuffix("s").strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'{value!r} is not a number of seconds; write it as 6 or as "6"') from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{value!r} is not a positive number of seconds, such as 6")
    if not Decimal("0.001") <= number <= 86_400:
        raise ValueError(f"{value!r} is no length of a video in seconds")
    return format(number.normalize(), "f")


#: A length as the API wants it, from what people write: 6, 6.0, "6" or "6s".
SecondsText = Annotated[str, BeforeValidator(_seconds, json_schema_input_type=str | float)]


def _said(value: object) -> object:
    """A form sends null for what was not chosen."""
    return False if value is None else value


def _output_format(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.upper() == "GIF":
        raise ValueError("GIF is no longer produced by the API: use MP4 or WEBM")
    return value.upper()


def _frame(value: object) -> object:
    """Frame 0 is the first frame: the older documents write 0, the newer ones "first"."""
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    return "first" if value == 0 and not isinstance(value, bool) else value


def _default_model() -> str:
    # Imported late: the catalogue checks requests, and only this needs it here.
    from together_video.catalogue import Catalogue

    return Catalogue.load().default_model.name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields)


class FrameImage(_Part):
    """An image pinned to one frame of the video (a keyframe)."""

    input_image: str = Field(
        min_length=1, description="A URL, an s3:// address, a file of the worker, a data URL, or base64."
    )
    frame: Annotated[
        Literal["first", "last"] | Annotated[int, Field(ge=1)] | None, BeforeValidator(_frame)
    ] = Field(default=None, description='"first", "last", or a frame number (seconds × fps).')


class VideoRef(_Part):
    """A video given by its address."""

    video: str = Field(min_length=1, description="URL, s3:// address, or file of the worker.")


class AudioRef(_Part):
    """An audio file given by its address."""

    audio: str = Field(min_length=1, description="URL, s3:// address, or file of the worker; WAV or MP3.")


class Media(_Part):
    """All images, videos and audio of a request. Which of them a model takes differs."""

    frame_images: tuple[FrameImage, ...] | None = Field(
        default=None,
        description="Keyframes. Without a frame the images are the first, the last, and evenly spaced between.",
    )
    frame_videos: tuple[VideoRef, ...] | None = Field(default=None, description="Clips to continue from.")
    reference_images: tuple[str, ...] | None = Field(
        default=None, description="Images of a person, a thing or a style to keep throughout the video."
    )
    reference_videos: tuple[VideoRef, ...] | None = Field(
        default=None, description="Videos of a person, a thing or a style to keep throughout the video."
    )
    reference_audios: tuple[str, ...] | None = Field(
        default=None, description="Voices or sounds to keep throughout the video (Seedance 2.x)."
    )
    source_video: str | VideoRef | None = Field(default=None, description="The video to edit.")
    audio_inputs: tuple[str | AudioRef, ...] | None = Field(
        default=None, description="Audio that drives the video (lip sync, music). WAV or MP3."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _lists_are_short(cls, value: Any) -> Any:
        """No model takes more than a dozen; each entry of a list of millions would be looked at and explained."""
        if isinstance(value, list | tuple) and len(value) > MOST_MEDIA:
            raise ValueError(f"{len(value)} entries are more than any model takes: {MOST_MEDIA} at most")
        return value

    @field_validator("frame_images")
    @classmethod
    def _places_are_said(cls, frames: tuple[FrameImage, ...] | None) -> tuple[FrameImage, ...] | None:
        """One image without a place is the first frame, of two the other is the last (overview, OpenAPI).

        Said and unsaid, it is the same request. Of more, the places between follow from the clip's frames, which are
        the model's to know: they stay unsaid.
        """
        if frames is None or len(frames) > 2:
            return frames
        said = {image.frame for image in frames}
        other = {"first": "last", "last": "first"}
        return tuple(
            image
            if image.frame is not None
            else image.model_copy(update={"frame": other[usual] if usual in said else usual})
            for image, usual in zip(frames, ("first", "last"), strict=False)
        )

    @model_validator(mode="after")
    def _frames_are_told_apart(self) -> Self:
        frames = self.frame_images or ()
        placed = [image.frame for image in frames if image.frame is not None]
        if len(frames) > 2 and placed and len(placed) < len(frames):
            raise ValueError(
                "of more than two frame_images, either all have a frame (first, last, or its number) or none has"
            )
        if len(set(placed)) != len(placed):
            raise ValueError("two frame_images are pinned to the same frame: give each its own")
        return self


class VideoRequest(_Part):
    """One request for one video, as `POST /v2/videos` takes it.

    Only what is set is sent, and labels never are. `frame_images` and `reference_images` at the top level, as the
    older documents have them, are moved into `media`. A field that is not listed here travels
    only through `extra`.
    """

    model: str = Field(
        default_factory=_default_model,
        min_length=1,
        max_length=200,
        description="The model's API name, such as minimax/hailuo-02; without one the catalogue's default is taken.",
    )
    prompt: str | None = Field(
        default=None, min_length=1, max_length=MAX_PROMPT, description="What the video shows."
    )
    width: int | None = Field(default=None, gt=0, le=16_384, description="Width in pixels.")
    height: int | None = Field(default=None, gt=0, le=16_384, description="Height in pixels.")
    resolution: str | None = Field(default=None, min_length=1, description="Size tier, such as 720P.")
    ratio: str | None = Field(default=None, min_length=1, description="Aspect ratio, such as 16:9.")
    seconds: Annotated[str | None, BeforeValidator(_seconds, json_schema_input_type=str | float | None)] = (
        Field(default=None, description="Length of the video in seconds.")
    )
    fps: int | None = Field(default=None, gt=0, le=240, title="FPS", description="Frames per second.")
    steps: int | None = Field(
        default=None,
        ge=10,
        le=50,
        description="Denoising steps: 10 for a preview, 20 usual, 30-40 for production.",
    )
    seed: int | None = Field(default=None, description="The same seed gives the same video.")
    guidance_scale: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="How closely to follow the prompt; 6-10 is advised.",
    )
    output_format: Annotated[Literal["MP4", "WEBM"] | None, BeforeValidator(_output_format)] = Field(
        default=None, description="MP4 (default) or WEBM."
    )
    output_quality: int | None = Field(
        default=None, ge=0, description="Compression; lower is better. Default 20."
    )
    negative_prompt: str | None = Field(default=None, min_length=1, description="What to avoid.")
    generate_audio: bool | None = Field(default=None, description="Whether the model makes a sound track.")
    media: Media | None = Field(
        default=None, title="Media", description="Images, videos and audio to work from."
    )
    extra: dict[str, JsonValue] = Field(
        default_factory=dict, description="Fields that this project does not know, sent as they are."
    )
    labels: Annotated[dict[str, str], BeforeValidator(clean_labels)] = Field(
        default_factory=dict,
        description='Your own words for it, such as {"campaign": "spring"}; kept and shown, never sent.',
    )
    label_in_id: Annotated[bool, BeforeValidator(_said)] = Field(
        default=False, description="Whether other labels make it another request, which is bought again."
    )

    @model_validator(mode="before")
    @classmethod
    def _move_deprecated(cls, data: Any) -> Any:
        """`frame_images` and `reference_images` belong under `media` (OpenAPI: deprecated)."""
        if not isinstance(data, dict):
            return data
        moved = {
            name: data[name] for name in ("frame_images", "reference_images") if data.get(name) is not None
        }
        rest = {
            name: value
            for name, value in data.items()
            if name not in ("frame_images", "reference_images")
            # A form sends null for a model that was not chosen.
            and not (name == "model" and value is None)
        }
        if not moved:
            return rest
        media = rest.get("media") or {}
        if isinstance(media, Media):
            media = media.model_dump(exclude_none=True)
        if not isinstance(media, dict):
            return rest
        for name in moved:
            if media.get(name) is not None:
                raise ValueError(f"{name} is given twice: at the top level (deprecated) and under media")
        return {**rest, "media": {**media, **moved}}

    @field_validator("model")
    @classmethod
    def _model_is_trimmed(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the model's name is empty")
        return value.strip()

    @field_validator("prompt", mode="before")
    @classmethod
    def _prompt_says_something(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError(
                "the prompt is empty: say what the video shows, or give none where an image shows it"
            )
        return value

    @field_validator("extra")
    @classmethod
    def _extra_is_unknown(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        known = [*cls.model_fields, "frame_images", "reference_images"]
        if clash := sorted(set(value) & set(known)):
            raise ValueError(f"extra repeats known fields: {', '.join(clash)}")
        if _depth(value) > MAX_DEPTH:
            raise ValueError(f"extra is nested more than {MAX_DEPTH} deep")
        try:
            size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
        except UnicodeEncodeError as error:
            raise ValueError("extra holds text that cannot be written as UTF-8") from error
        except ValueError as error:
            raise ValueError(f"extra cannot be written as JSON: {error}") from error
        if size > MOST_EXTRA:
            raise ValueError(f"extra has {size} bytes; {MOST_EXTRA} at most are sent")
        return value

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        """Before it is claimed and paid for, not when it is on its way."""
        try:
            self.canonical().encode()
        except UnicodeEncodeError as error:
            raise ValueError("a text holds half a character (a lone surrogate)") from error
        except ValueError as error:
            raise ValueError(f"the request cannot be written as JSON: {error}") from error
        return self

    @property
    def title(self) -> str:
        """A short name for people: the prompt's first 60 characters on one line, else the model.

        Runs, tasks and log lines are named so: what is not printable in it becomes a space.
        """
        return one_line((self.prompt or f"{self.model} without a prompt")[:1000], 60)

    def payload(self) -> dict[str, Any]:
        """Exactly the JSON object that is POSTed: only what is set, `extra` merged in."""
        body = self.model_dump(mode="json", exclude_none=True, exclude=_OWN)
        scale = body.get("guidance_scale")
        if isinstance(scale, float) and scale.is_integer():
            # The OpenAPI document says integer, the guides use 7.5: whole numbers go as integers.
            body["guidance_scale"] = int(scale)
        if body.get("media") is not None:
            body["media"] = {name: value for name, value in body["media"].items() if value}
            if not body["media"]:
                del body["media"]
        return {**body, **self.extra}

    def canonical(self) -> str:
        """The payload as JSON text with sorted keys and no spaces: equal requests, equal text. With `label_in_id` the
        labels are part of it.
        """
        named = {"labels": self.labels} if self.label_in_id and self.labels else {}
        return json.dumps(
            {**self.payload(), **named},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )

    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, as 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()
