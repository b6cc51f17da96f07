"""What a clip consists of, from its packets without decoding: whether it can be copied, and its timing."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from together_video.joining.isolated import boxes, parameter_sets
from together_video.joining.isolated.recipe import Fault, Source
from together_video.media.bounds import INPUT_SECONDS, PACKETS, PIXELS
from together_video.media.decoder import is_out_of_memory, open_media, pictures_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

#: Codecs with packets that can be copied.
_COPIED = frozenset({"h264", "hevc"})
#: Containers that state the sizes of their parts, so a missing part shows.
_STATES_SIZES = frozenset({"mov", "matroska"})
#: The range of a film's frames per second.
_SLOWEST, _FASTEST = Fraction(1), Fraction(240)


@dataclass(frozen=True)
class Sound:
    """The first sound track of a clip."""

    codec: str
    rate: int
    channels: int
    head: bytes
    #: Samples per packet. 0 if they differ.
    samples: int
    #: Whether there is a packet before the first picture, which a decoder needs to start.
    leads: bool


@dataclass(frozen=True)
class Clip:
    """A clip of the film. Sizes are in pixels; `shown` is the size as a player shows it. Times are in seconds. `pixels`
    is the name of the pixel format, and is empty if no frame was decoded.

    `order` has the display position of each packet, in decoding order. `keys` are the packets at which a decoder can
    start. Both are empty if the frame rate is not constant (`rate` is None).
    """

    source: Source
    codec: str
    head: bytes
    width: int
    height: int
    shown: tuple[int, int]
    pixels: str
    colours: tuple[int, int, int, int]
    start: Fraction
    seconds: Fraction
    rate: Fraction | None
    frames: int
    order: array[int] = field(repr=False)
    keys: array[int] = field(repr=False)
    #: Why it cannot be copied into any film. None if it can.
    why_not: str | None
    sound: Sound | None

    @property
    def delay(self) -> int:
        """Packets by which decoding runs ahead of the display."""
        return max((number - place for number, place in enumerate(self.order)), default=0)

    @property
    def likeness(self) -> tuple[Any, ...]:
        """What copied clips in one track must have in common."""
        return self.codec, self.head, self.width, self.height, self.pixels, self.colours, self.rate


def survey(source: Source) -> Clip:
    """Raises:
    Fault: the clip cannot be used.
    """
    try:
        with open_media(f"file:{source.path}", source.container) as opened:
            stream = pictures_of(opened)
            if stream is None:
                raise Fault("has no pictures")
            return _surveyed(source, opened, stream)
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        raise Fault(f"cannot be opened as a video ({error.strerror})") from error


def with_pictures(clip: Clip) -> Clip:
    """The clip, with what only a decoded frame tells: its pixel format, its colours, and its rotation.

    Raises:
        Fault: no frame can be decoded.
    """
    source = clip.source
    try:
        with open_media(f"file:{source.path}", source.container, {"skip_frame": "default"}) as opened:
            stream = pictures_of(opened)
            if stream is None:
                raise Fault("has changed since it was first read")
            frame = next((one for one in opened.decode(stream) if one.width and one.height), None)
            # PyAV 15 says less about frames than about their decoder.
            context: Any = stream.codec_context
            colours = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        raise Fault(f"cannot be decoded ({error.strerror})") from error
    if frame is None:
        raise Fault("has no frame that can be decoded")
    return replace(
        clip,
        pixels=frame.format.name,
        colours=(int(colours[0]), int(colours[1]), int(colours[2]), int(colours[3])),
        shown=clip.shown[::-1] if frame.rotation % 180 else clip.shown,
        why_not=clip.why_not or ("it is rotated" if frame.rotation % 360 else None),
    )


def _surveyed(source: Source, opened: InputContainer, stream: VideoStream) -> Clip:
    context = stream.codec_context
    if stream.width * stream.height > PIXELS:
        raise Fault(
            f"has {stream.width}×{stream.height} pixels, but at most {PIXELS / 1e6:.0f} megapixels are read"
        )
    if not stream.width or not stream.height:
        raise Fault("has pictures of unknown size")
    tick = stream.time_base or Fraction(1, 1000)
    head, codec = bytes(context.extradata or b""), context.codec.canonical_name
    times, lengths, keys = array("q"), array("q"), array("q")
    why_not = None if codec in _COPIED else f"its codec is {codec}"
    if codec == "h264" and parameter_sets.read(head) is None:
        why_not = why_not or "its coding parameters are not stored as in an MP4 file"
    heard = opened.streams.audio[0] if opened.streams.audio else None
    sizes: set[int] = set()
    count = last = 0
    heard_from: int | None = None
    for count, packet in enumerate(opened.demux(), start=1):
        if count > PACKETS:
            raise Fault(f"has more than {PACKETS} packets")
        if heard is not None and packet.stream_index == heard.index and packet.size:
            sizes.add(last)
            last = packet.duration or 0
            heard_from = packet.pts if heard_from is None else heard_from
        if packet.stream_index != stream.index or not packet.size:
            continue
        if packet.is_corrupt and source.container in _STATES_SIZES:
            raise Fault("is cut short: it ends inside a frame")
        if packet.is_discard:
            why_not = why_not or "its edit list hides some of its frames"
            continue
        if packet.pts is None:
            raise Fault("has frames without a time")
        if packet.is_keyframe:
            if not why_not:
                why_not = parameter_sets.begins_anew(bytes(packet), codec, head)
            keys.append(len(times))
        times.append(packet.pts)
        lengths.append(packet.duration or 0)
    if not times:
        raise Fault("has no frame")
    if why_not is None and (not keys or keys[0] != 0):
        why_not = "it does not start with a keyframe"
    rate, order = _rate_of(times, tick, (stream.average_rate, stream.guessed_rate, stream.base_rate))
    first = min(times)
    span = Fraction(max(times) - first) * tick
    if rate is None:
        why_not = why_not or "its frame rate is not constant"
        final = lengths[times.index(max(times))] * tick
        seconds = span + (final or (span / (len(times) - 1) if len(times) > 1 else Fraction(1, 24)))
    else:
        seconds = len(times) / rate
    if seconds > INPUT_SECONDS:
        raise Fault(f"lasts {float(seconds):.0f} s, but a piece may last at most {INPUT_SECONDS:.0f} s")
    aspect = stream.sample_aspect_ratio
    width = round(stream.width * aspect) if aspect else stream.width
    if not 0 < width <= stream.width * 16:
        raise Fault("has pixels of an impossible shape")
    if source.container == "mov" and boxes.is_turned(Path(source.path)):
        why_not = why_not or "it is rotated"
    if width != stream.width:
        why_not = why_not or "its pixels are not square"
    return Clip(
        source=source,
        codec=codec,
        head=head,
        width=stream.width,
        height=stream.height,
        shown=(width, stream.height),
        pixels="",
        colours=(context.color_primaries, context.color_trc, context.colorspace, context.color_range),
        start=first * tick,
        seconds=seconds,
        rate=rate,
        frames=len(times),
        order=order,
        keys=keys,
        why_not=why_not,
        sound=None if heard is None else _sound_of(heard, sizes, heard_from, first * tick),
    )


def _rate_of(
    times: array[int], tick: Fraction, stated: tuple[Fraction | None, ...]
) -> tuple[Fraction | None, array[int]]:
    """The constant frame rate of these times, to a tick, and the display position of each. None if the rate is not
    constant.
    """
    first, count = min(times), len(times)
    span = (max(times) - first) * tick
    guesses = [rate for rate in stated if rate]
    if count > 1 and span:
        measured = (count - 1) / span
        guesses += [measured.limit_denominator(1), measured.limit_denominator(1001), measured]
    for rate in guesses:
        if not _SLOWEST <= rate <= _FASTEST:
            continue
        one = 1 / (rate * tick)
        # Whole numbers are faster, and clips have many frames.
        above, below = one.numerator, one.denominator
        order = array("q", (((time - first) * below * 2 + above) // (2 * above) for time in times))
        is_even = all(
            abs((time - first) * below - place * above) <= below
            for time, place in zip(times, order, strict=True)
        )
        if is_even and max(order) == count - 1 and len(set(order)) == count:
            return rate, order
    return None, array("q")


def _sound_of(stream: Any, sizes: set[int], begin: int | None, shown: Fraction) -> Sound | None:
    context = stream.codec_context
    if context is None or not stream.rate or not context.channels:
        return None
    # Ignore what comes before the first packet, and the last packet, which can be shorter.
    found = {round(size * stream.time_base * stream.rate) for size in sizes if size}
    return Sound(
        codec=context.codec.canonical_name,
        rate=stream.rate,
        channels=context.channels,
        head=bytes(context.extradata or b""),
        samples=found.pop() if len(found) == 1 else 0,
        leads=begin is not None and begin * stream.time_base < shown,
    )
