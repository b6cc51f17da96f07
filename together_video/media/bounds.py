"""Limits for opening a file from outside: each number, and the reason for it.

Whatever a file claims, it is opened in a separate process under the limits of memory and time below. The other numbers
only give clear reasons and make most refusals fast.
"""

from __future__ import annotations

#: Bytes of memory for one file, on top of what its process needs itself. Pictures of `PIXELS` pixels fit: three decoded
#: ones of H.264, HEVC or VP9 take 290 to 450 MB.
MEMORY = 512 << 20
#: Bytes of memory for the first try, enough for 4K. Several files can be open at a time under this limit, but only one
#: under `MEMORY`, so a pod of 1 GiB has room for both.
FIRST_MEMORY = 128 << 20
#: How many files can be open at a time.
AT_ONCE = 2
#: Seconds to open one file. Each so many bytes add a second, because reading a large file takes time.
SECONDS = 60.0
BYTES_A_SECOND = 20 * 10**6
#: Pixels of one picture of a video. 8K cinema has 8192×4320.
PIXELS = 8192 * 8192
#: Pixels of a still image: above this, Pillow warns of a decompression bomb. Three times what any model takes.
IMAGE_PIXELS = 89_478_485
#: Streams of one file: pictures, sound in several languages, subtitles, covers.
STREAMS = 32
#: Packets of one clip: two days of sound, or a day at 60 frames per second.
PACKETS = 5_000_000
#: Frames decoded to find a poster: half a second at any frame rate, several seconds at the usual ones.
FRAMES = 300
#: Longest video or sound to send, in seconds, if the documentation gives no limit.
INPUT_SECONDS = 3600.0
#: Seconds beyond its limit for which a sound is measured, so that the message can say how long it is.
COUNTED_BEYOND = 60.0
#: Small pictures of one file, and the longest side of each in pixels. Together they fit into one worker answer.
STILL_FRAMES, STILL_SIDE = 12, 640
#: The longest side of a poster, in pixels.
POSTER_SIDE = 2160


def seconds_for(size: int) -> float:
    """How many seconds a file of `size` bytes may take."""
    return SECONDS + size / BYTES_A_SECOND
