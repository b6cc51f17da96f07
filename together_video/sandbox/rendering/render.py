"""Clips as real files: MP4 (H.264) and WEBM (VP8), rendered in threads beside the event loop."""

from __future__ import annotations

import asyncio
import tempfile
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

from together_video.sandbox.rendering.clip import SAMPLE_RATE, Clip
from together_video.sandbox.rendering.sound import samples_of

#: Rendered files are kept up to this many bytes in all. Older ones would be rendered again.
_KEEP_BYTES = 512 * 1024 * 1024
_SAMPLES_AT_ONCE = 4096
#: Code points of the colour matrix (ISO/IEC 23091-2) and of the range.
_BT601, _VIDEO_RANGE = 6, 1


def render(clip: Clip) -> bytes:
    """The whole file, made on one core faster than the clip plays. Equal clips give equal bytes."""
    # Imported late: it is large, and a sandbox that only refuses requests does not need it.
    import av

    mp4 = clip.container == "MP4"
    # In 4:2:0 H.264 halves its colour planes, so odd sides are only possible in 4:4:4.
    even = clip.width % 2 == 0 and clip.height % 2 == 0
    pixels = "yuv444p" if mp4 and not even else "yuv420p"
    speed: dict[str, str] = (
        {"preset": "ultrafast", "crf": "21", "threads": "1"}
        if mp4
        else {"deadline": "realtime", "cpu-used": "-8", "crf": "12", "b": "4M", "threads": "1"}
    )
    options = {"movflags": "+faststart"} if mp4 else {"fflags": "+bitexact"}
    with tempfile.TemporaryDirectory(prefix="together-video-sandbox-") as folder:
        # A file on disk, because moving the index to the front reads what was written.
        file = Path(folder) / f"clip.{clip.container.lower()}"
        with av.open(str(file), "w", options=options) as container:
            stream = container.add_stream("libx264" if mp4 else "libvpx", rate=clip.fps, options=speed)
            samples = samples_of(clip)
            # All streams are declared before the first packet is written.
            codec = "aac" if mp4 else "libopus"
            track = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono") if samples else None
            _encode(container, stream, clip, pixels)
            if track is not None:
                _sound(container, track, samples)
        return file.read_bytes()


def _sound(container: Any, track: Any, samples: bytes) -> None:
    import av

    for start in range(0, len(samples), 2 * _SAMPLES_AT_ONCE):
        piece = samples[start : start + 2 * _SAMPLES_AT_ONCE]
        frame = av.AudioFrame("s16", "mono", len(piece) // 2)
        plane = frame.planes[0]
        plane.update(piece.ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start // 2, Fraction(1, SAMPLE_RATE)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def _encode(container: Any, stream: Any, clip: Clip, pixels: str) -> None:
    import av

    from together_video.sandbox.rendering.picture import Picture
    from together_video.sandbox.rendering.seaside.picture import DrawnPicture

    stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, pixels
    # Pictures are drawn by ITU-R BT.601. For large ones players expect another matrix unless the file says so.
    coding = stream.codec_context
    coding.colorspace, coding.color_range = _BT601, _VIDEO_RANGE
    tick = stream.time_base = Fraction(1, clip.fps)
    # Reference images are shown beside words, where people notice them.
    kind = DrawnPicture if clip.drawn and not clip.insets else Picture
    picture = kind(clip, halved=pixels == "yuv420p")
    for number in range(clip.frames):
        frame = av.VideoFrame(clip.width, clip.height, pixels)
        for plane, image in zip(frame.planes, picture.frame(number), strict=True):
            plane.update(image.tobytes("raw", "L", plane.line_size))
        frame.pts, frame.time_base = number, tick
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


class Renderer:
    """Renders in threads, one or a few clips at a time. Equal clips are rendered once."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox-render")
        self._done: OrderedDict[Clip, bytes] = OrderedDict()
        self._under_way: dict[Clip, asyncio.Future[bytes]] = {}

    def start(self, clip: Clip) -> asyncio.Future[bytes]:
        """Start rendering, or join a running render. Call it on the event loop."""
        loop = asyncio.get_running_loop()
        if clip in self._done:
            self._done.move_to_end(clip)
            ready: asyncio.Future[bytes] = loop.create_future()
            ready.set_result(self._done[clip])
            return ready
        if clip not in self._under_way:
            future = loop.run_in_executor(self._threads, render, clip)
            future.add_done_callback(lambda finished: self._keep(clip, finished))
            self._under_way[clip] = future
        return self._under_way[clip]

    async def wait(self, clip: Clip, seconds: float) -> bool:
        """Whether the clip is ready within some seconds.

        Raises:
            Exception: what rendering raised: a bug in the sandbox.
        """
        done, _ = await asyncio.wait([self.start(clip)], timeout=seconds)
        for future in done:
            future.result()
        return bool(done)

    def close(self) -> None:
        """Cancel what has not started, and wait for the rest."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _keep(self, clip: Clip, finished: asyncio.Future[bytes]) -> None:
        self._under_way.pop(clip, None)
        if finished.cancelled() or finished.exception() is not None:
            return
        self._done[clip] = finished.result()
        while self._kept_bytes() > _KEEP_BYTES and len(self._done) > 1:
            self._done.popitem(last=False)

    def _kept_bytes(self) -> int:
        return sum(len(content) + clip.weight for clip, content in self._done.items())
