"""What the archive asks of S3, as it is seen on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest


class S3Call(NamedTuple):
    """One request: what IAM and the price list call it, and the keys or the prefix that it is about."""

    operation: str
    action: str
    keys: tuple[str, ...]


def s3_call(method: str, path: str, bucket: str, body: bytes) -> S3Call:
    """What a request to `/<bucket>/<key>?<query>` is (Amazon S3 API reference; service authorization reference)."""
    parts = urlsplit(path)
    assert unquote(parts.path).startswith(f"/{bucket}"), path
    key, query = unquote(parts.path).removeprefix(f"/{bucket}").removeprefix("/"), parse_qs(parts.query)
    if not key and (method, parts.query) == ("POST", "delete"):
        return S3Call("POST", "s3:DeleteObject", tuple(re.findall(r"<Key>([^<]+)</Key>", body.decode())))
    if not key:
        assert method == "GET", (method, path)
        assert query["list-type"] == ["2"], path
        return S3Call("LIST", "s3:ListBucket", (query.get("prefix", [""])[0],))
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[method]
    # A sub-resource such as ?tagging would be another action; a signed link has no other query.
    assert all(name.lower().startswith("x-amz-") or name == "x-id" for name in query), path
    return S3Call(method, f"s3:{action}", (key,))


class Watched:
    """An S3 server seen through another one that notes each request."""

    def __init__(self, server: Any) -> None:
        self.url = server.url
        self._server = server
        self._seen = 0

    def calls(self, bucket: str) -> list[S3Call]:
        """What was asked since the last time that this was called."""
        found = list(zip(self._server.calls, self._server.bodies, strict=True))[self._seen :]
        self._seen += len(found)
        return [s3_call(*call, bucket, body) for call, body in found]


@pytest.fixture
def watch(new_unruly: Callable[[str], Any]) -> Callable[[str], Watched]:
    """Stands before a server, given by its address."""
    return lambda url: Watched(new_unruly(url))
