"""What a user has: environment variables, and a Prefect server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest

#: Small and short, so that rendering takes a few hundredths of a second.
FOX: dict[str, Any] = {
    "prompt": "a fox in the snow",
    "model": "pixverse/pixverse-v5",
    "width": 64,
    "height": 48,
    "seconds": 1,
    "fps": 8,
}


def of(*prompts: str) -> list[dict[str, Any]]:
    return [{**FOX, "prompt": prompt} for prompt in prompts]


class World:
    """The sandbox and the bucket that the environment names."""

    def __init__(self, api: Any, moto_url: str, bucket: str, variables: dict[str, str]) -> None:
        self.api, self.bucket, self.variables = api, bucket, variables
        self._s3 = boto3.client(
            "s3",
            endpoint_url=moto_url,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )

    def close(self) -> None:
        self._s3.close()

    def bill(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.api.url}/sandbox/bill").json()
        return answer

    @property
    def bought(self) -> list[str]:
        """The prompts of all jobs, in order."""
        return sorted(job["prompt"] for job in self.bill()["jobs"])

    def keys(self, start: str = "") -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    @property
    def videos(self) -> list[str]:
        return [key for key in self.keys("videos/") if key.endswith(".mp4")]

    def holds(self, uri: str) -> bool:
        parts = urlsplit(uri)
        return parts.netloc == self.bucket and parts.path.lstrip("/") in self.keys()


@pytest.fixture
def new_world(
    start_api: Callable[..., Any],
    moto_url: str,
    new_archive: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    prefect_api: str,
) -> Iterator[Callable[..., World]]:
    """Starts a sandbox with these settings and names it and an empty bucket in the environment."""
    worlds: list[World] = []
    # Jobs are asked for when they are likely to be done.
    own = {"models": [{"name": FOX["model"], "typical_seconds": 0.3}]}
    (tmp_path / "models.json").write_text(json.dumps(own))

    def make(**settings: Any) -> World:
        api = start_api(**{"generation_seconds": 0.3, **settings})
        bucket = new_archive(moto_url).bucket
        variables = {
            "TOGETHER_API_KEY": "a-key-of-ours",
            "TOGETHER_BASE_URL": api.url,
            "VIDEO_ARCHIVE_BUCKET": bucket,
            "AWS_ENDPOINT_URL_S3": moto_url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "TOGETHER_VIDEO_CATALOGUE": str(tmp_path / "models.json"),
            "TOGETHER_VIDEO_SPOOL": str(tmp_path / "spool"),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        worlds.append(World(api, moto_url, bucket, variables))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()
