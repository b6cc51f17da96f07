"""One example request per model, which passes every check."""

from __future__ import annotations

from together_video.catalogue.models import MediaField, Model, Task
from together_video.catalogue.sizes import Size, closest_size
from together_video.requests import AudioRef, FrameImage, Media, VideoRef, VideoRequest

PROMPT = "A fox trots through fresh snow at dawn; the camera slowly tracks left, then rises."

_ADDRESS = "https://example.com/"
_MEDIA: dict[MediaField, Media] = {
    MediaField.FRAME_IMAGES: Media(
        frame_images=(FrameImage(input_image=_ADDRESS + "first-frame.png", frame="first"),)
    ),
    MediaField.FRAME_VIDEOS: Media(frame_videos=(VideoRef(video=_ADDRESS + "opening.mp4"),)),
    MediaField.REFERENCE_IMAGES: Media(reference_images=(_ADDRESS + "fox.png",)),
    MediaField.REFERENCE_VIDEOS: Media(reference_videos=(VideoRef(video=_ADDRESS + "fox.mp4"),)),
    MediaField.REFERENCE_AUDIOS: Media(reference_audios=(_ADDRESS + "voice.mp3",)),
    MediaField.SOURCE_VIDEO: Media(source_video=_ADDRESS + "source.mp4"),
    MediaField.AUDIO_INPUTS: Media(audio_inputs=(AudioRef(audio=_ADDRESS + "music.mp3"),)),
}
_TASK_MEDIA = {
    Task.IMAGE: MediaField.FRAME_IMAGES,
    Task.REFERENCE: MediaField.REFERENCE_IMAGES,
    Task.VIDEO: MediaField.SOURCE_VIDEO,
}
_LANDSCAPE = Size(1280, 720)


def example_request(model: Model) -> VideoRequest:
    """A plain request for this model: a prompt if it takes one, size and length if they are known.

    A check finds no problem, except if the model is no longer offered. Media have addresses at example.com.
    """
    size = model.size
    pixels = closest_size(_LANDSCAPE, size.pixels or ())
    tier = size.tier(size.default_tier) or next(iter(size.tiers or ()), None)
    ratio = size.default_ratio or next((each for each in size.ratios or () if each == "16:9"), None)
    length = model.seconds.default or model.seconds.longest
    return VideoRequest(
        model=model.name,
        prompt=PROMPT if model.prompt.use != "unsupported" else None,
        width=pixels.width if pixels else None,
        height=pixels.height if pixels else None,
        resolution=tier.name if tier else None,
        ratio=ratio,
        seconds=str(length) if length else None,
        media=_media_for(model),
    )


def _media_for(model: Model) -> Media | None:
    """The first field of each required group, or what a model without text-to-video needs."""
    needed = [group[0] for group in model.media.required]
    if not needed and model.tasks and Task.TEXT not in model.tasks:
        needed = [_TASK_MEDIA[model.tasks[0]]]
    parts = {field.value: getattr(_MEDIA[field], field.value) for field in needed}
    return Media.model_validate(parts) if parts else None
