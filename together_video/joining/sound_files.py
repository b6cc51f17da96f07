"""What makes a file a sound file, by its first bytes."""

from __future__ import annotations

from together_video.media.containers import container_of

#: For messages.
SOUND_FORMATS = "MP3, WAV, FLAC, OGG, M4A and AAC"
#: How sound files begin, and FFmpeg's names of their containers, where videos are in others.
_SOUNDS = ((b"ID3", "mp3"), (b"fLaC", "flac"))


def sound_container(head: bytes) -> str | None:
    """The container of a sound file by its first `HEAD` bytes, as FFmpeg calls it; None where it is no sound file."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    return next((name for begins, name in _SOUNDS if head.startswith(begins)), None) or container_of(head)
