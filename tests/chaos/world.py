"""What the commands work with: the sandbox, a real S3 server, and a view of both that is independent of our code."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from prefect_together_video.flows.cli.servers.local_servers import S3Server, SandboxServer
from tests.chaos.plans import Archive
from tests.chaos.proxy import Side
from tests.chaos.verdict import Kept

BUCKET = "chaos"
#: The bill has windows of one second, and shows each one second after its end.
_SETTINGS = {
    "generation_seconds": [0.2, 1.0],
    "render_workers": 2,
    "model_rules": False,
    "billing_window_seconds": 1,
    "billing_delay_seconds": 1,
}


class World:
    """The two servers, for all rounds. Each can be killed and restarted with its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._archive = folder / "archive"
        self._archive.mkdir(parents=True)
        #: Counts how often a server was killed, and how often it was back.
        self.disturbances = 0
        self._stack = ExitStack()
        self._restarting = asyncio.Lock()
        self._s3 = self._stack.enter_context(S3Server(folder / "s3"))
        self._sandbox = self._stack.enter_context(SandboxServer(folder / "sandbox", _SETTINGS))
        self._s3.wait_ready()
        self._sandbox.wait_ready()
        self._client = self._new_client()
        self._client.create_bucket(Bucket=BUCKET)

    def close(self) -> None:
        self._stack.close()

    def address(self, side: Side) -> str:
        return self._s3.url if side == "s3" else self._sandbox.url

    def environment(
        self, urls: dict[Side, str], prefix: str, spool: Path, archive: Archive
    ) -> dict[str, str]:
        """The environment of a command that uses these addresses. A claim counts as abandoned after 7 s."""
        place = {
            **self._s3.environment(),
            "AWS_ENDPOINT_URL_S3": urls["s3"],
            "VIDEO_ARCHIVE_BUCKET": BUCKET,
        }
        if archive == "folder":
            place = {"VIDEO_ARCHIVE_FOLDER": str(self._archive)}
        return {
            **place,
            **self._sandbox.environment(),
            "TOGETHER_BASE_URL": urls["api"],
            # Its own key, so that its bill is separate from the other rounds.
            "TOGETHER_API_KEY": f"key-of-{prefix}",
            "VIDEO_ARCHIVE_PREFIX": prefix,
            "TOGETHER_VIDEO_SPOOL": str(spool),
            "TOGETHER_VIDEO_CONNECT_SECONDS": "1",
            "TOGETHER_VIDEO_CREATE_SECONDS": "3",
            "TOGETHER_VIDEO_CLAIM_MARGIN_SECONDS": "3",
            "TOGETHER_VIDEO_BILLED_WITHIN_SECONDS": "2",
            "TOGETHER_VIDEO_BILL_SETTLES_SECONDS": "2",
        }

    async def crash(self, side: Side, seconds: float) -> None:
        """SIGKILL a server, and restart it after `seconds` with the same folder."""
        async with self._restarting:
            old = self._s3 if side == "s3" else self._sandbox
            self.disturbances += 1
            old.kill()
            await asyncio.sleep(seconds)
            # Started in this thread, because a server ends with the thread that started it.
            if side == "s3":
                self._s3 = new = self._stack.enter_context(S3Server(self.folder / "s3"))
                self._client = self._new_client()
            else:
                self._sandbox = new = self._stack.enter_context(
                    SandboxServer(self.folder / "sandbox", _SETTINGS)
                )
            await asyncio.to_thread(new.wait_ready)
            self.disturbances += 1

    async def is_up(self) -> None:
        """Wait until no server is down."""
        async with self._restarting:
            return

    async def bill(self) -> list[dict[str, Any]]:
        """All jobs that were ever sold."""
        async with self._restarting, httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501
            answer = await client.get(f"{self._sandbox.url}/sandbox/bill", timeout=30)
            jobs: list[dict[str, Any]] = answer.raise_for_status().json()["jobs"]
            return jobs

    async def kept(self, prefix: str, archive: Archive) -> Kept:
        """What the archive holds under a prefix, read byte by byte."""
        async with self._restarting:
            return await asyncio.to_thread(self._read, prefix, archive)

    def _read(self, prefix: str, archive: Archive) -> Kept:
        keys = self._keys_of_the_folder(prefix) if archive == "folder" else self._keys_of_the_bucket(prefix)
        kept = Kept(keys=keys)
        for key in keys:
            folder, _, name = key.removeprefix(f"{prefix}/").partition("/")
            if folder == "films" and name.endswith("/film.json"):
                kept.films.append(json.loads(self._bytes(key, archive)))
            elif folder == "records":
                kept.records.append(json.loads(self._bytes(key, archive)))
            elif folder == "videos":
                kept.digests[key] = hashlib.sha256(self._bytes(key, archive)).hexdigest()
            elif name.endswith("claim.json"):
                kept.claims.append(json.loads(self._bytes(key, archive)))
        return kept

    def _keys_of_the_bucket(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _keys_of_the_folder(self, prefix: str) -> list[str]:
        """All files there, so that half-written ones would be found too."""
        found = (self._archive / prefix).rglob("*")
        return sorted(path.relative_to(self._archive).as_posix() for path in found if path.is_file())

    def _bytes(self, key: str, archive: Archive) -> bytes:
        if archive == "folder":
            return (self._archive / key).read_bytes()
        data: bytes = self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data

    def _new_client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self._s3.url,
            region_name="us-east-1",
            aws_access_key_id=self._s3.access_key,
            aws_secret_access_key=self._s3.secret_key,
            config=Config(
                request_checksum_calculation="when_required", response_checksum_validation="when_required"
            ),
        )
