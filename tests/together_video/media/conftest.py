"""Files that are small on disk and huge in memory, made byte by byte."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest


class Bombs:
    """What somebody could put in the place of a cover, a picture or a clip."""

    @staticmethod
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    @classmethod
    def png(cls, width: int, height: int, *, bits: int = 16, before: bytes = b"") -> bytes:
        """Transparent black, four channels. `before`: chunks that stand before the pixels."""
        row = 1 + width * bits // 2
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        # One block of equal rows, as often as it takes: each begins without a memory of the last.
        rows = max(1, min(height, (4 << 20) // row))
        block = packer.compress(bytes(row * rows)) + packer.flush(zlib.Z_FULL_FLUSH)
        rest = packer.compress(bytes(row * (height % rows))) + packer.flush()
        checksum = (row * height % 65521) << 16 | 1
        pixels = b"\x78\xda" + block * (height // rows) + rest + struct.pack(">I", checksum)
        head = struct.pack(">IIBBBBB", width, height, bits, 6, 0, 0, 0)
        parts = (cls.chunk(b"IHDR", head), before, cls.chunk(b"IDAT", pixels), cls.chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

    @staticmethod
    def with_cover(song: bytes, picture: bytes) -> bytes:
        """An MP3 with a picture in its ID3 tag."""
        body = b"\0image/png\0\x03\0" + picture
        frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
        size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
        return b"ID3\x03\0\0" + size + frame + song

    @staticmethod
    def clip_with_cover(clip: bytes, picture: bytes) -> bytes:
        """An MP4, whose index is its last box, with a picture in it as iTunes writes it."""

        def box(name: bytes, *parts: bytes) -> bytes:
            content = b"".join(parts)
            return struct.pack(">I", len(content) + 8) + name + content

        cover = box(b"ilst", box(b"covr", box(b"data", struct.pack(">II", 14, 0), picture)))
        handler = box(b"hdlr", bytes(8), b"mdir", bytes(13))
        tag = box(b"udta", box(b"meta", bytes(4), handler, cover))
        at = clip.rindex(b"moov") - 4
        (length,) = struct.unpack(">I", clip[at : at + 4])
        assert at + length == len(clip)
        return clip[:at] + struct.pack(">I", length + len(tag)) + clip[at + 4 :] + tag

    @staticmethod
    def film(path: Path, picture: bytes, size: tuple[int, int], *, frames: int = 3) -> Path:
        """A MOV each of whose frames is this PNG."""
        with av.open(str(path), "w", format="mov") as out:
            stream = out.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = *size, "rgba64be"
            for number in range(frames):
                packet = av.Packet(picture)
                packet.pts = packet.dts = number
                packet.time_base, packet.stream, packet.is_keyframe = Fraction(1), stream, True
                out.mux(packet)
        return path

    @staticmethod
    def webp(width: int, height: int) -> bytes:
        """One colour, lossless: forty bytes, whatever the size."""
        import io

        from PIL import Image

        out = io.BytesIO()
        Image.new("RGB", (16, 16), (1, 2, 3)).save(out, "WEBP", lossless=True)
        content = bytearray(out.getvalue())
        at = content.index(b"VP8L") + 9
        (bits,) = struct.unpack("<I", content[at : at + 4])
        bits = bits & ~((1 << 28) - 1) | (width - 1) | (height - 1) << 14
        content[at : at + 4] = struct.pack("<I", bits)
        return bytes(content)


@pytest.fixture
def bombs() -> type[Bombs]:
    return Bombs
