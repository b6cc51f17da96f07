"""The API key and the S3 secret stay where they belong, in runs that succeed and in runs that fail."""

from __future__ import annotations

import asyncio
import base64
import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from prefect_together_video.blocks import VideoArchive

Make = Callable[..., Any]

KEY = "tgp-v1-neverToBeSeen-4242424242424242"
#: As of an AWS pair: long enough that no other text holds it by chance.
SECRET = "neverToBeSeen/wJalrXUtnFEMI/K7MDENG/bPxRfiCY"
#: What a lookout finds even where only a part of the secret was cut out.
PIECES = (KEY, KEY[:24], KEY[-16:], SECRET, SECRET[:24], SECRET[-16:])


class Elsewhere:
    """Another host, to which a link or a redirect leads; `heard` holds the headers of each call."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                outer.heard.append(f"{self.command} {self.path}\n{self.headers}")
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()

            do_POST = do_GET

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.close()


@pytest.fixture
def echo(elsewhere: Elsewhere) -> tuple[dict[str, Any], ...]:
    """Faults by a piece of the prompt: each way to fail, and servers that quote what they were given."""
    words = f"this key is no good: Bearer {KEY}"
    return (
        {"on": "create", "kind": "status", "status": 422, "match": "refused", "message": words},
        {"on": "create", "kind": "status", "status": 500, "match": "broken", "message": words},
        {"on": "create", "kind": "status", "status": 502, "match": "gateway", "body": f"<p>{words}</p>"},
        {"on": "create", "kind": "garbage", "match": "garbled", "body": f'{{"heard": "{words}"'},
        {"on": "create", "kind": "reset", "match": "cut off"},
        {"on": "create", "kind": "job_failed", "match": "failing", "message": f"not allowed for Bearer {KEY}"},
        {"on": "create", "kind": "status", "status": 307, "match": "redirected",
         "headers": {"location": f"{elsewhere.url}/v2/videos"}},
        {"on": "retrieve", "kind": "status", "status": 404, "match": "lost", "message": words},
        {"on": "link", "kind": "status", "status": 302, "match": "elsewhere",
         "headers": {"location": f"{elsewhere.url}/file.mp4"}},
        {"on": "create", "kind": "status", "status": 401, "match": "unknown key", "message": words},
    )  # fmt: skip


WAYS = {
    "a plain fox": "archived",
    "a refused fox": "refused",
    "a broken fox": "ambiguous",
    "a gateway fox": "ambiguous",
    "a garbled fox": "ambiguous",
    "a fox, cut off": "ambiguous",
    "a failing fox": "failed",
    "a redirected fox": "refused",
    "a lost fox": "submitted",
    "a fox from elsewhere": "submitted",
}


def forms(secret: str) -> set[bytes]:
    """How a secret may look where it was stored: as it is, quoted, in hexadecimal, in base64 at any offset."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), raw.hex().encode(), secret.replace("/", r"\/").encode()}
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + raw)
        # The first and the last characters also depend on what stands around it.
        found.add(coded[4:-4] if shift else coded[:-4])
    return found


FORMS = {form for piece in PIECES for form in forms(piece)}


def traces(content: bytes) -> list[bytes]:
    return [form for form in FORMS if form in content]


@pytest.mark.parametrize("shift", range(4))
def test_the_lookout_sees_what_is_hidden(shift: int) -> None:
    """What follows would show nothing if the lookout were blind."""
    around = b"a" * shift + f"Bearer {KEY} and {SECRET}".encode() + b"z"
    assert traces(around)
    assert traces(base64.b64encode(around))
    assert traces(around.hex().encode())
    assert not traces(b"nothing of the kind")


@pytest.mark.slow
def test_no_secret_is_seen_anywhere(
    start_api: Make,
    echo: tuple[dict[str, Any], ...],
    elsewhere: Elsewhere,
    prefect_server: Any,
    unruly_s3: Any,
    s3_client: Any,
    shell: Any,
    small_file: Make,
    tmp_path: Path,
) -> None:
    """A batch that meets every error, a run that S3 refuses, one whose key is refused: grep all there is."""
    api = start_api(faults=echo, api_keys=(KEY,))
    s3_client.create_bucket(Bucket="kept")
    spool = tmp_path / "spool"
    shell.environment |= {
        **prefect_server.environment(),
        "TOGETHER_API_KEY": KEY,
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_BUCKET": "kept",
        "AWS_ENDPOINT_URL_S3": unruly_s3.url,
        "AWS_ACCESS_KEY_ID": "AKIANEVERMIND",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "TOGETHER_VIDEO_SPOOL": str(spool),
        "TOGETHER_VIDEO_LINK_SECONDS": "1",
        "TOGETHER_VIDEO_TRUSTED_HOSTS": "127.0.0.1",
    }
    said = []

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        done = shell.run(*words, "--poll-interval", "0.1", "--verbose", "--json")
        said.append(done.stdout + done.stderr)
        return done

    done = run("batch", str(small_file(*WAYS)))
    found = {video["prompt"]: video["state"] for video in json.loads(done.stdout)["videos"]}
    assert found == WAYS, done.stderr
    body = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIANEVERMIND</AWSAccessKeyId></Error>"
    unruly_s3.strike = lambda method, path, _: (403, body) if "denied" in path else None
    small = (
        "--model",
        "pixverse/pixverse-v5",
        "--width",
        "64",
        "--height",
        "48",
        "--seconds",
        "1",
        "--fps",
        "8",
    )
    done = run("generate", "a fox that is denied", *small)
    assert (done.returncode, "refuses these credentials" in done.stdout + done.stderr) == (1, True)
    _save_blocks(prefect_server, api, unruly_s3)
    done = run("generate", "a fox with an unknown key", *small, "--together", "kept", "--archive", "kept")
    assert (done.returncode, "Check the API key" in done.stdout + done.stderr) == (1, True)

    for text in said:
        assert not traces(text.encode())
    _look_through_files(Path(prefect_server.home), spool, shell.home)
    asyncio.run(_look_through_the_server(prefect_server))
    _look_through_the_bucket(s3_client)
    # The key reached its own host, or nothing would have been made; and nobody else.
    assert api.charges >= 4
    assert api.bill()["keys_sent_to_links"] == 0
    assert any("/file.mp4" in heard for heard in elsewhere.heard)
    assert not any(
        "authorization" in heard.lower() or KEY in heard or "/v2/" in heard for heard in elsewhere.heard
    )


def _save_blocks(server: Any, api: Any, s3: Any) -> None:
    keys = AwsCredentials(
        aws_access_key_id="AKIANEVERMIND",
        aws_secret_access_key=SecretStr(SECRET),
        region_name="us-east-1",
        aws_client_parameters={"endpoint_url": s3.url},
    )

    async def save() -> None:
        await api.credentials(KEY).save("kept")
        await VideoArchive(bucket="kept", credentials=keys).save("kept")

    with temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
        asyncio.run(save())


def _look_through_files(*folders: Path) -> None:
    """Every byte that Prefect (its database, results, logs), the spool and the home folder hold."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "prefect.db" for path in files)
    for path in files:
        assert not traces(path.read_bytes()), path


def _look_through_the_bucket(client: Any) -> None:
    """Bodies, metadata and tags of all objects, the gallery pages among them."""
    keys = [found["Key"] for found in client.list_objects_v2(Bucket="kept")["Contents"]]
    assert any(key.endswith("index.html") for key in keys)
    for key in keys:
        answer = client.get_object(Bucket="kept", Key=key)
        tags = client.get_object_tagging(Bucket="kept", Key=key)["TagSet"]
        content = answer["Body"].read() + json.dumps([key, answer["Metadata"], tags]).encode()
        assert not traces(content), key


async def _look_through_the_server(server: Any) -> None:
    """What the UI can show: runs with their parameters and states, logs, artifacts, blocks, events."""
    async with httpx.AsyncClient(base_url=f"{server.url}/api", timeout=30, trust_env=False) as client:
        for kind in ("flow_runs", "task_runs", "logs", "artifacts", "block_documents", "events", "flows"):
            answer = await client.post(f"/{kind}/filter", json={})
            answer.raise_for_status()
            assert answer.json(), kind
            assert not traces(answer.content), kind
