"""Loops that copy a file from a link to the disk and from there into a bucket, like your own script would.

careful   keeps the promises of the archive: SHA-256 on the way to the disk, fsync, one PUT with that checksum
httpx     the same, but downloads with httpx, like the official SDK
raw       no hash, no fsync, and a PUT without any check by the server
"""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from prefect_together_video.blocks.s3.client import make_client

#: Threads that copy: as many as this project uploads with. Fewer or more did not save CPU.
AT_ONCE = 16
_PIECE = 1 << 20


def copier(way: str, url: str, folder: Path, bucket: str, prefix: str) -> Callable[[int], None]:
    """A function that copies the file at `url` to a key under `prefix` with the given number."""
    # Our client's settings take less CPU than boto3's defaults: the body is not hashed again for the signature.
    s3 = make_client(None, AT_ONCE)
    web = httpx.Client(trust_env=False, timeout=60)

    def read(out: BinaryIO, keep: Callable[[bytes], Any]) -> None:
        if way == "httpx":
            with web.stream("GET", url) as answer:
                for piece in answer.iter_raw():
                    keep(piece)
                    out.write(piece)
            return
        with urllib.request.urlopen(url) as source:  # noqa: S310 - our own server
            while piece := source.read(_PIECE):
                keep(piece)
                out.write(piece)

    def copy(number: int) -> None:
        path = folder / f"{number}.mp4"
        promised: dict[str, Any] = {}
        with path.open("wb") as out:
            if way == "raw":
                read(out, len)
            else:
                digest = hashlib.sha256()
                read(out, digest.update)
                out.flush()
                os.fsync(out.fileno())
                checksum = base64.b64encode(digest.digest()).decode()
                promised = {"ChecksumSHA256": checksum, "IfNoneMatch": "*"}
        with path.open("rb") as body:
            s3.put_object(
                Bucket=bucket,
                Key=f"{prefix}/{number}.mp4",
                Body=body,
                ContentLength=path.stat().st_size,
                ContentType="video/mp4",
                **promised,
            )
        path.unlink()

    return copy


def copy_all(copy: Callable[[int], None], numbers: range) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(copy, numbers))
