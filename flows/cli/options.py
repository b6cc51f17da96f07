"""Options that several commands share. Their names are those of the request fields."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from pydantic import BaseModel, ValidationError

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.media_options import with_media_options
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError
from together_video.inputs.presets import Presets
from together_video.inputs.text_lists import Lines
from together_video.labels import labels_of_options
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest
from together_video.tries import Tries
from together_video.validation_messages import explain


def of_field(model: type[BaseModel], name: str) -> Parameter:
    """An option with the description of the field that it sets."""
    return Parameter(help=model.model_fields[name].description)


@Parameter(name="*")
@dataclass(frozen=True)
class RequestOptions:
    """Fields of the request, for every video of the run. A line of a file can override them."""

    model: str | None = None
    "API name of the video model; see `together-video models`."
    aspect: Annotated[str | None, of_field(Presets, "aspect")] = None
    seconds: Annotated[str | None, of_field(VideoRequest, "seconds")] = None
    quality: Annotated[Literal["preview", "standard", "production"] | None, of_field(Presets, "quality")] = (
        None
    )
    seed: Annotated[int | None, of_field(VideoRequest, "seed")] = None
    negative_prompt: Annotated[str | None, of_field(VideoRequest, "negative_prompt")] = None
    width: Annotated[int | None, of_field(VideoRequest, "width")] = None
    height: Annotated[int | None, of_field(VideoRequest, "height")] = None
    resolution: Annotated[str | None, of_field(VideoRequest, "resolution")] = None
    ratio: Annotated[str | None, of_field(VideoRequest, "ratio")] = None
    fps: Annotated[int | None, of_field(VideoRequest, "fps")] = None
    steps: Annotated[int | None, of_field(VideoRequest, "steps")] = None
    guidance_scale: Annotated[float | None, of_field(VideoRequest, "guidance_scale")] = None
    adherence: Annotated[Literal["creative", "balanced", "strict"] | None, of_field(Presets, "adherence")] = (
        None
    )
    generate_audio: Annotated[bool | None, of_field(VideoRequest, "generate_audio")] = None
    output_format: Annotated[str | None, of_field(VideoRequest, "output_format")] = None
    output_quality: Annotated[int | None, of_field(VideoRequest, "output_quality")] = None
    frame_images: Annotated[list[str] | None, Parameter(negative=())] = None
    (
        "Keyframe: URL, s3:// address or file. Add @first, @last or @48 to pin it to a frame; otherwise they are the "
        "first, the last, and evenly spaced between. May be repeated."
    )
    frame_videos: Annotated[list[str] | None, Parameter(negative=())] = None
    "Clip to continue from: URL, s3:// address or file. May be repeated."
    reference_images: Annotated[list[str] | None, Parameter(negative=())] = None
    "Image to keep throughout the video: URL, s3:// address or file. May be repeated."
    reference_videos: Annotated[list[str] | None, Parameter(negative=())] = None
    "Video of a subject to keep throughout: URL, s3:// address or file. May be repeated."
    reference_audios: Annotated[list[str] | None, Parameter(negative=())] = None
    "Voice or sound to keep throughout: URL, s3:// address or file. May be repeated."
    source_video: str | None = None
    "Video to edit: URL, s3:// address or file."
    audio_inputs: Annotated[list[str] | None, Parameter(negative=())] = None
    "Audio that drives the video, WAV or MP3: URL, s3:// address or file. May be repeated."
    media: str | None = None
    "The media object as JSON, instead of the options for media."
    label: Annotated[list[str] | None, Parameter(negative=())] = None
    "A label, such as campaign=spring. It is kept and shown, never sent. May be repeated."
    label_in_id: Annotated[bool, Parameter(negative=()), of_field(VideoRequest, "label_in_id")] = False
    extra: str | None = None
    "Fields that this project does not know, as a JSON object."

    def request_fields(self) -> dict[str, Any]:
        """The given options as fields of a request.

        Raises:
            InputError: `media` or `extra` is not a JSON object, or media are given twice.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        found = {name: value for name, value in given.items() if value is not None and value != []}
        for name in ("media", "extra"):
            if name in found:
                found[name] = _json_object(name, found[name])
        if labels := found.pop("label", None):
            found["labels"] = labels_of_options(labels)
        if not found["label_in_id"]:
            del found["label_in_id"]
        return with_media_options(found)


@Parameter(name="*")
@dataclass(frozen=True)
class TextOptions:
    """How to read prompts from plain text."""

    lines_as_they_are: Annotated[bool, Parameter(negative=())] = False
    "Every line of a text is a prompt, even if it looks like a heading, a list or code."
    paragraphs: Annotated[bool, Parameter(negative=())] = False
    "Every paragraph of a text is a prompt. Blank lines separate paragraphs."

    @property
    def lines(self) -> Lines:
        """Raises InputError: both are given."""
        if self.lines_as_they_are and self.paragraphs:
            raise InputError("Give either --lines-as-they-are or --paragraphs.")
        return "as-they-are" if self.lines_as_they_are else "paragraphs" if self.paragraphs else "checked"


@Parameter(name="*")
@dataclass(frozen=True)
class LookOptions:
    """Where the API and the archive are, for commands that only read and do not make videos."""

    together: Annotated[
        str | None,
        Parameter(
            help="Use this saved Together Credentials block instead of TOGETHER_API_KEY and TOGETHER_BASE_URL."
        ),
    ] = None
    archive: Annotated[
        str | None,
        Parameter(
            help="Use this saved Video Archive block instead of VIDEO_ARCHIVE_BUCKET, VIDEO_ARCHIVE_FOLDER and "
            "VIDEO_ARCHIVE_PREFIX."
        ),
    ] = None
    archive_folder: Annotated[
        GivenPath | None,
        Parameter(
            help="Use this folder as the archive instead of the bucket or folder that the environment names."
        ),
    ] = None
    json: Annotated[
        bool, Parameter(negative=(), help="Print one JSON document on stdout and nothing else.")
    ] = False

    @property
    def is_verbose(self) -> bool:
        """Whether Prefect's own log lines are printed."""
        return False

    def refuse_two_archives(self) -> None:
        """Raises InputError: a block and a folder are both given."""
        if self.archive is not None and self.archive_folder is not None:
            raise InputError("Give either --archive, the name of a block, or --archive-folder.")


@Parameter(name="*")
@dataclass(frozen=True)
class PlaceOptions(LookOptions):
    """The same options for commands that run a flow."""

    verbose: Annotated[
        bool,
        Parameter(
            name=("--verbose", "-v"),
            negative=(),
            help="Print a line whenever the state of a video changes, and Prefect's own log lines.",
        ),
    ] = False

    @property
    def is_verbose(self) -> bool:
        return self.verbose


@Parameter(name="*")
@dataclass(frozen=True)
class ConfirmOptions:
    """What to show and ask before anything is bought."""

    dry_run: Annotated[bool, Parameter(negative=())] = False
    "Print the plan and the price, and make no videos. Prompts of a brief are written and kept for the real run."
    confirm_above: float | None = None
    (
        "Ask on a terminal before a run that may cost more than this, in US dollars; 0 always asks. Default: "
        "TOGETHER_VIDEO_CONFIRM_ABOVE, or 1."
    )
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=())] = False
    "Buy without asking."


@Parameter(name="*")
@dataclass(frozen=True)
class RunOptions:
    """How to make the videos of a run."""

    budget_usd: Annotated[float | None, Parameter(help=MEANING["budget_usd"])] = None
    attempts: Annotated[int, Parameter(help=MEANING["attempts"])] = 1
    new_seed: Annotated[bool, Parameter(negative=(), help=MEANING["new_seed"])] = False
    fallback_model: Annotated[
        list[str] | None,
        Parameter(negative=(), help=MEANING["fallback_models"] + " Several: A,B, or repeat the option."),
    ] = None
    retry_failed: Annotated[bool, Parameter(negative=(), help=MEANING["retry_failed"])] = False
    on_ambiguous: Annotated[
        Literal["hold", "resolve", "resubmit"], Parameter(help=MEANING["on_ambiguous"])
    ] = "hold"
    edition: Annotated[str, Parameter(help=MEANING["edition"])] = "once"
    price_usd: Annotated[float | None, Parameter(help=MEANING["price_usd"])] = None
    strict: Annotated[bool, Parameter(negative=(), help=MEANING["strict"])] = False
    deadline: float | None = None
    "Seconds to wait for one video. After that the job keeps running, and a later run archives the video."
    poll_interval: float | None = None
    "Poll at this fixed interval, in seconds, instead of when a job is likely to be done."

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
            "attempts": self.tries().attempts,
            "new_seed": self.new_seed,
            "fallback_models": list(self.tries().fallback_models or ()) or None,
            "on_ambiguous": self.on_ambiguous,
            "strict": self.strict,
        }

    def tries(self) -> Tries:
        """The attempts and fallback models of the run.

        Raises:
            InputError: a number or a list is out of bounds.
        """
        try:
            return Tries(
                attempts=self.attempts,
                new_seed=self.new_seed,
                fallback_models=",".join(self.fallback_model or ()) or None,
            )
        except ValidationError as error:
            words = "; ".join(explain(error, Tries)).replace("fallback_models", "fallback-model")
            raise InputError(f"--{words}. Nothing was sent.") from error

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
