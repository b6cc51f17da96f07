"""What is sent: a video request, its media, its canonical form and its fingerprint.

Field names, types and bounds are those of `CreateVideoBody` in the API's OpenAPI document. The limits of single models
are in `catalogue`.
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

#: Deepest nesting of `extra`: far more than any field needs, far less than JSON libraries accept.
MAX_DEPTH = 32


#: Most entries of a list of media, and most characters of `extra` as JSON: it is sent with each request and stored.
MOST_MEDIA, MOST_EXTRA = 256, 16_000
#: Fields of this project, which the API does not have.
_OWN = {"extra", "labels", "label_in_id"}


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((_depth(entry) for entry in inner), default=0)
    return 0


def _seconds(value: object) -> object:
    """The length as the API wants it: a string. People write 6, 6.0, "6" or "6s"."""
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
        raise ValueError(f"{value!r} is not a possible length of a video in seconds")
    return format(number.normalize(), "f")


#: A length as the API wants it, from what people write: 6, 6.0, "6" or "6s".
SecondsText = Annotated[str, BeforeValidator(_seconds, json_schema_input_type=str | float)]


def _said(value: object) -> object:
    """A form sends null for a switch that was not set."""
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
    # Imported late: the catalogue imports this module, and only this function needs it.
    from together_video.catalogue import Catalogue

    return Catalogue.load().default_model.name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields)


class FrameImage(_Part):
    """An image pinned to one frame of the video (a keyframe)."""

    input_image: str = Field(
        min_length=1, description="A URL, an s3:// address, a file on the worker, a data URL, or base64."
    )
    frame: Annotated[
        Literal["first", "last"] | Annotated[int, Field(ge=1)] | None, BeforeValidator(_frame)
    ] = Field(default=None, description='"first", "last", or a frame number (seconds × fps).')


class VideoRef(_Part):
    """A video given by its address."""

    video: str = Field(min_length=1, description="A URL, an s3:// address, or a file on the worker.")


class AudioRef(_Part):
    """An audio file given by its address."""

    audio: str = Field(
        min_length=1, description="A URL, an s3:// address, or a file on the worker; WAV or MP3."
    )


class Media(_Part):
    """All images, videos and audio of a request. Each model accepts some of them."""

    frame_images: tuple[FrameImage, ...] | None = Field(
        default=None,
        description="Keyframes. Images without a frame become the first, the last, and evenly spaced ones between.",
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
        """No model accepts more than a dozen; otherwise each entry of a list of millions would be checked and
        explained.
        """
        if isinstance(value, list | tuple) and len(value) > MOST_MEDIA:
            raise ValueError(f"{len(value)} entries are more than any model accepts: at most {MOST_MEDIA}")
        return value

    @field_validator("frame_images")
    @classmethod
    def _places_are_said(cls, frames: tuple[FrameImage, ...] | None) -> tuple[FrameImage, ...] | None:
        """One image without a place is the first frame; the second of two is the last (overview, OpenAPI).

        Whether the place is given or not, it is the same request. With more images, the places between depend on the
        model's frame count, so they stay open.
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
                "with more than two frame_images, give either all of them a frame (first, last, or a number) or none"
            )
        if len(set(placed)) != len(placed):
            raise ValueError("two frame_images are pinned to the same frame: give each its own")
        return self


class VideoRequest(_Part):
    """One request for one video, as `POST /v2/videos` accepts it.

    Only what is set is sent, and labels never are. `frame_images` and `reference_images` at the top level, as in the
    older documents, are moved into `media`. Fields that are not listed here go into `extra`.
    """

    model: str = Field(
        default_factory=_default_model,
        min_length=1,
        max_length=200,
        description="The model's API name, such as minimax/hailuo-02. The default is the catalogue's default model.",
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
        description="Denoising steps: 10 for a preview, usually 20, 30-40 for production.",
    )
    seed: int | None = Field(default=None, description="The same seed gives the same video.")
    guidance_scale: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="How closely to follow the prompt; 6-10 is recommended.",
    )
    output_format: Annotated[Literal["MP4", "WEBM"] | None, BeforeValidator(_output_format)] = Field(
        default=None, description="MP4 (default) or WEBM."
    )
    output_quality: int | None = Field(
        default=None, ge=0, description="Compression; lower is better. The default is 20."
    )
    negative_prompt: str | None = Field(default=None, min_length=1, description="What to avoid.")
    generate_audio: bool | None = Field(default=None, description="Whether the model adds a sound track.")
    media: Media | None = Field(
        default=None, title="Media", description="Images, videos and audio to work from."
    )
    extra: dict[str, JsonValue] = Field(
        default_factory=dict, description="Fields that this project does not know; sent unchanged."
    )
    labels: Annotated[dict[str, str], BeforeValidator(clean_labels)] = Field(
        default_factory=dict,
        description='Your own words for the video, such as {"campaign": "spring"}; kept and shown, never sent.',
    )
    label_in_id: Annotated[bool, BeforeValidator(_said)] = Field(
        default=False, description="Whether a change of labels makes it a new request, which is bought again."
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
            # A form sends null if no model was chosen.
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
                "the prompt is empty: say what the video shows, or leave it out if an image shows it"
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
            raise ValueError("extra contains text that cannot be written as UTF-8") from error
        except ValueError as error:
            raise ValueError(f"extra cannot be written as JSON: {error}") from error
        if size > MOST_EXTRA:
            raise ValueError(f"extra has {size} bytes; at most {MOST_EXTRA} are sent")
        return value

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        """Checked before the claim and the payment, not while sending."""
        try:
            self.canonical().encode()
        except UnicodeEncodeError as error:
            raise ValueError("a text contains half a character (a lone surrogate)") from error
        except ValueError as error:
            raise ValueError(f"the request cannot be written as JSON: {error}") from error
        return self

    @property
    def title(self) -> str:
        """A short name for people: the prompt's first 60 characters on one line, or the model without a prompt.

        Used in the names of runs and tasks and in log lines: unprintable characters become spaces.
        """
        return one_line((self.prompt or f"{self.model} without a prompt")[:1000], 60)

    def payload(self) -> dict[str, Any]:
        """Exactly the JSON object that is POSTed: only the fields that are set, with `extra` merged in."""
        body = self.model_dump(mode="json", exclude_none=True, exclude=_OWN)
        scale = body.get("guidance_scale")
        if isinstance(scale, float) and scale.is_integer():
            # The OpenAPI document says integer, the guides use 7.5: whole numbers are sent as integers.
            body["guidance_scale"] = int(scale)
        if body.get("media") is not None:
            body["media"] = {name: value for name, value in body["media"].items() if value}
            if not body["media"]:
                del body["media"]
        return {**body, **self.extra}

    def canonical(self) -> str:
        """The payload as JSON text with sorted keys and no spaces: equal requests give equal text. With `label_in_id`
        the labels are part of it.
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
