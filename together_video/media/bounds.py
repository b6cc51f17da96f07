"""How much a file from outside may take to be opened: each number, and why it is that one.

Whatever a file states, it is opened in a process of its own under the limits of memory and time below. The other
numbers only make the reason plain, and most refusals quick.
"""

from __future__ import annotations

#: Bytes of memory for one file, on top of what the process that opens it needs itself. Pictures of `PIXELS` pixels fit:
#: three decoded ones of H.264, HEVC or VP9 take 290 to 450 MB.
MEMORY = 512 << 20
#: Bytes of memory for the first try, which is enough for 4K: several files are open at a time under this one, and one
#: at a time under `MEMORY`, so that a pod of 1 GiB has room for both.
FIRST_MEMORY = 128 << 20
#: How many files are open at a time.
AT_ONCE = 2
#: Seconds to open one file, and bytes of it that add another second: reading a large one takes its time.
SECONDS = 60.0
BYTES_A_SECOND = 20 * 10**6
#: Pixels of one picture of a video. 8K, as cinemas show it, has 8192×4320.
PIXELS = 8192 * 8192
#: Pixels of a still image: the number from which Pillow warns of a decompression bomb, and three times what any model
#: takes.
IMAGE_PIXELS = 89_478_485
#: Streams of one file: pictures, sound in some languages, subtitles, covers.
STREAMS = 32
#: Packets of one clip: two days of sound, or a day at 60 frames per second.
PACKETS = 5_000_000
#: Frames that are decoded on the way to a poster: half a second at any frame rate, and some seconds at the usual ones.
FRAMES = 300
#: Length of a video or a sound that is sent, in seconds, where no document gives one.
INPUT_SECONDS = 3600.0
#: How much longer than its limit a sound is counted, in seconds, so that the message can say how long it is.
COUNTED_BEYOND = 60.0
#: Small pictures of one file, and the longest side of each in pixels: together they fit into one answer of the worker.
STILL_FRAMES, STILL_SIDE = 12, 640
#: The longest side of a poster, in pixels.
POSTER_SIDE = 2160


def seconds_for(size: int) -> float:
    """How long a file of `size` bytes may take."""
    return SECONDS + size / BYTES_A_SECOND
