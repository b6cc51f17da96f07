"""Options that several commands share. Their names are those of the request fields."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from prefect_together_video.flows.cli.media_options import with_media_options
from together_video.errors import InputError
from together_video.polling.policy import PollPolicy


@Parameter(name="*")
@dataclass(frozen=True)
class RequestOptions:
    """Fields of the request, for every video of the run. A line of a file may say otherwise."""

    model: str | None = None
    "API name of the video model; see `together-video models`."
    width: int | None = None
    "Width in pixels."
    height: int | None = None
    "Height in pixels."
    resolution: str | None = None
    "Size tier, such as 720P, for models that are sized in tiers."
    ratio: str | None = None
    "Aspect ratio, such as 16:9, for models that are sized in tiers."
    seconds: str | None = None
    "Length in seconds."
    fps: int | None = None
    "Frames per second."
    steps: int | None = None
    "Denoising steps, 10 to 50."
    seed: int | None = None
    "The same seed gives the same video."
    guidance_scale: float | None = None
    "How closely to follow the prompt; 6 to 10 is advised."
    output_format: str | None = None
    "MP4 or WEBM."
    output_quality: int | None = None
    "Compression; lower is better."
    negative_prompt: str | None = None
    "What to avoid."
    generate_audio: bool | None = None
    "Whether the model makes sound as well."
    frame_images: Annotated[list[str] | None, Parameter(negative=())] = None
    (
        "Keyframe: URL, s3:// address or file; @first, @last or @48 at its end pins it to a frame. "
        "One without is the first frame, the second the last. May be repeated."
    )
    frame_videos: Annotated[list[str] | None, Parameter(negative=())] = None
    "Clip to continue from: URL, s3:// address or file. May be repeated."
    reference_images: Annotated[list[str] | None, Parameter(negative=())] = None
    "Image to keep throughout the video: URL, s3:// address or file. May be repeated."
    reference_videos: Annotated[list[str] | None, Parameter(negative=())] = None
    "Video of what to keep throughout: URL, s3:// address or file. May be repeated."
    reference_audios: Annotated[list[str] | None, Parameter(negative=())] = None
    "Voice or sound to keep throughout: URL, s3:// address or file. May be repeated."
    source_video: str | None = None
    "Video to edit: URL, s3:// address or file."
    audio_inputs: Annotated[list[str] | None, Parameter(negative=())] = None
    "Audio that drives the video, WAV or MP3: URL, s3:// address or file. May be repeated."
    media: str | None = None
    "The media object as JSON, in place of the options for media."
    extra: str | None = None
    "Fields that this project does not know, as a JSON object."
    aspect: str | None = None
    "Shape of the picture, such as 9:16: the model's best matching size or tier is taken."
    quality: Literal["preview", "standard", "production"] | None = None
    "Preset of the steps: 10, 20 or 35."
    adherence: Literal["creative", "balanced", "strict"] | None = None
    "Preset of the guidance scale: 6.5, 8 or 9.5."

    def request_fields(self) -> dict[str, Any]:
        """What was given, as fields of a request.

        Raises:
            InputError: `media` or `extra` is no JSON object, or media are given twice.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        found = {name: value for name, value in given.items() if value is not None and value != []}
        for name in ("media", "extra"):
            if name in found:
                found[name] = _json_object(name, found[name])
        return with_media_options(found)


@Parameter(name="*")
@dataclass(frozen=True)
class PlaceOptions:
    """Where the API and the archive are, and what is shown."""

    together: str | None = None
    "Name of a saved Together Credentials block. Else TOGETHER_API_KEY and TOGETHER_BASE_URL."
    archive: str | None = None
    "Name of a saved Video Archive block. Else VIDEO_ARCHIVE_BUCKET and VIDEO_ARCHIVE_PREFIX."
    json: Annotated[bool, Parameter(negative=())] = False
    "Print one JSON document on stdout and nothing else."
    verbose: Annotated[bool, Parameter(negative=())] = False
    "Show Prefect's own log lines as well."


@Parameter(name="*")
@dataclass(frozen=True)
class RunOptions:
    """How the run goes."""

    edition: str = "once"
    "How long the same request stays the same: once, daily, hourly, or a text of your own."
    deadline: float | None = None
    "Seconds to wait for one video; after that it goes on at the provider, and a later run or `collect` brings it home."
    poll_interval: float | None = None
    "Ask at this fixed interval, in seconds, instead of when a finish is likely."
    budget_usd: float | None = None
    "What this run may spend, in US dollars; what does not fit is skipped."
    price_usd: float | None = None
    "Highest price of one video, in US dollars, where the catalogue knows none."
    retry_failed: Annotated[bool, Parameter(negative=())] = False
    "Buy again what the provider reported as failed in an earlier run."
    on_ambiguous: Literal["hold", "resubmit"] = "hold"
    "What may have been charged in an earlier run and gave no job id: hold it, or resubmit and perhaps pay again."
    strict: Annotated[bool, Parameter(negative=())] = False
    "Treat warnings of the check as errors."

    def parameters(self) -> dict[str, Any]:
        """As parameters of the generating flows.

        Raises:
            InputError: a number is out of bounds.
        """
        return {
            "edition": self.edition,
            "poll": self.policy(),
            "budget_usd": _amount("budget-usd", self.budget_usd),
            "price_usd": _amount("price-usd", self.price_usd),
            "retry_failed": self.retry_failed,
            "on_ambiguous": self.on_ambiguous,
            "strict": self.strict,
        }

    def policy(self) -> PollPolicy:
        """The poll policy that these options ask for.

        Raises:
            InputError: a number is out of bounds.
        """
        try:
            if self.poll_interval is not None:
                return PollPolicy.fixed(self.poll_interval, deadline=self.deadline)
            return PollPolicy() if self.deadline is None else PollPolicy(deadline_seconds=self.deadline)
        except ValueError as error:
            raise InputError(
                "--deadline must be above 0 and at most 604800 seconds, --poll-interval above 0 and at most 3600."
            ) from error


def _amount(name: str, value: float | None) -> Decimal | None:
    """An option that is an amount in US dollars.

    Raises:
        InputError: it is not above zero.
    """
    if value is None:
        return None
    if not 0 < value < 1e9:
        raise InputError(f"--{name} must be a positive amount in US dollars.")
    return Decimal(str(value))


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"--{name} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InputError(f'--{name} must be a JSON object, such as {{"source_video": "https://…"}}.')
    return value
