"""What all tests share: a clean environment, and servers on loopback that start on first use."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import hypothesis
import pytest
from pydantic import SecretStr

from together_video.api.settings import Timeouts
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials
    from prefect_together_video.blocks.store.store import Store
    from prefect_together_video.flows.cli.servers.local_servers import PrefectServer, S3Server

#: Settings of the person who runs the tests. The tests must not see them, nor talk to that person's servers.
_FOREIGN = (
    "AWS_",
    "TOGETHER_",
    "VIDEO_ARCHIVE_",
    "PREFECT_",
    "SSL_CERT_",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
_home = tempfile.TemporaryDirectory(prefix="prefect-home-")


def pytest_configure() -> None:
    """Runs before Prefect is imported, because it reads its profile on import."""
    # A busy machine can pause for longer than any example may take. Examples are the same in each run, so that a change
    # only fails because of what it changes. `make test-long` tries new ones.
    hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
    hypothesis.settings.register_profile("new", deadline=None)
    hypothesis.settings.load_profile("new" if "NEW_EXAMPLES" in os.environ else "same")
    # Jobs started with "&" ignore SIGINT, and so would the commands that the tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        PREFECT_HOME=_home.name,
        PREFECT_PROFILES_PATH=f"{_home.name}/profiles.toml",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        TOGETHER_VIDEO_SPOOL=f"{_home.name}/spool",
        # Links of the test servers lead from one port of this machine to another.
        TOGETHER_VIDEO_TRUSTED_HOSTS="127.0.0.1",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Distribute the tests to several processes: the longest start first, and servers start once.

    Two processes share the tests that need a Prefect server, each with its own. One process gets all fault tests if
    their whole table is compared.
    """
    everything = not config.option.markexpr
    for item in items:
        if item.path.parent.name == "faults" and (everything or item.get_closest_marker("slow")):
            item.add_marker(pytest.mark.xdist_group("faults"))
        elif item.get_closest_marker("xdist_group"):
            continue  # such as the wheel tests, which have their own Prefect server
        elif "prefect_server" in getattr(item, "fixturenames", ()):
            unattended = item.path.parent.name in {"browser", "deployments"}
            item.add_marker(pytest.mark.xdist_group("unattended" if unattended else "prefect"))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Groups first, then long tests, then tests that start processes, then the many short ones."""
    groups = {mark.args[0] for mark in item.iter_markers("xdist_group")}
    if groups & {"prefect", "unattended"}:
        return 0
    if groups:
        return 1
    if item.get_closest_marker("slow"):
        return 2
    return 3 if "shell" in getattr(item, "fixturenames", ()) else 4


def pytest_unconfigure() -> None:
    _home.cleanup()


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """boto3 reads megabytes of JSON per session, httpx all certificates per client. Here once is enough."""
    import botocore.loaders
    import botocore.session

    loader, read, context = (
        botocore.loaders.create_loader(),
        httpx.create_ssl_context,
        httpx.create_ssl_context(),
    )

    def create_ssl_context(*given: Any, **more: Any) -> Any:
        own = given or more or "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ
        return read(*given, **more) if own else context

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        patch.setattr(httpx, "create_ssl_context", create_ssl_context)
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as Prefect does."""
    return "asyncio"


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A Prefect server for the whole session. It takes about 20 s to start. Tests use `prefect_api`."""
    from prefect_together_video.flows.cli.servers.local_servers import PrefectServer

    # Record each task run state at once, because tests check right after a run.
    at_once = {"PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "1"}
    with PrefectServer(tmp_path_factory.mktemp("prefect"), settings=at_once) as server:
        yield server.wait_ready(280)
        _hand_in_what_waits()


def _hand_in_what_waits() -> None:
    """Prefect sends logs and events in the background. Without a server it would try for a minute at exit."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=10)


@pytest.fixture
def prefect_api(prefect_server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This process and its child processes use the session's server. Gives the API's URL."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    for name, value in prefect_server.environment().items():
        monkeypatch.setenv(name, value)
    url = f"{prefect_server.url}/api"
    with temporary_settings({PREFECT_API_URL: url}):
        yield url


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that checks signatures and checksums, for the whole session."""
    from prefect_together_video.flows.cli.servers.local_servers import S3Server

    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server.wait_ready()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """moto's S3 server for the whole session. It accepts any keys and any checksum."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def new_archive() -> Callable[..., VideoArchive]:
    """Makes an archive in a new bucket: `new_archive(url, (key, secret), prefix=…)`."""
    import boto3
    from prefect_aws.credentials import AwsCredentials

    from prefect_together_video.blocks.archive import VideoArchive

    def make(url: str, pair: tuple[str, str] = ("key", "secret"), **fields: Any) -> VideoArchive:
        bucket = f"videos-{uuid4().hex[:12]}"
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), pair, strict=True))
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
        client.create_bucket(Bucket=bucket)
        client.close()
        credentials = AwsCredentials(
            **keys, region_name="us-east-1", aws_client_parameters={"endpoint_url": url}
        )
        return VideoArchive(bucket=bucket, credentials=credentials, **fields)

    return make


@pytest.fixture(scope="session")
def s3_client(moto_url: str) -> Iterator[S3Client]:
    """One client of moto's server for the whole session: making one takes longer than using it."""
    from prefect_aws.credentials import AwsCredentials

    from prefect_together_video.blocks.s3.client import make_client

    credentials = AwsCredentials(
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        aws_client_parameters={"endpoint_url": moto_url},
    )
    client = make_client(credentials, 32)
    yield client
    client.close()


@pytest.fixture
def archive(moto_url: str, new_archive: Callable[..., VideoArchive]) -> VideoArchive:
    """An archive in an empty bucket on moto."""
    return new_archive(moto_url)


class UnrulyServer:
    """A server that passes calls on to another one, unless `strike` says otherwise.

    `strike(method, path, headers)` gives None (pass it on), an HTTP status, (status, body) or (status, body, headers),
    "lost" (pass it on and drop the answer), "spoil" (pass it on with another body of the same length), or "reset".
    Headers named in `without` are never passed on. `calls`, `headers` and `bodies` record what was received.
    """

    def __init__(self, upstream: str = "") -> None:
        self.upstream = urlsplit(upstream)
        self.strike: Callable[[str, str, dict[str, str]], Any] = lambda *_: None
        self.without: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10
            # Header and body are two packets. The second would wait 40 ms for an acknowledgement of the first.
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def handle_any(self) -> None:
                outer.answer(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, call: http.server.BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers.get("content-length") or 0))
        given = {name.lower(): value for name, value in call.headers.items()}
        self.calls.append((call.command, call.path))
        self.headers.append(given)
        self.bodies.append(body if call.command == "POST" else b"")
        verdict = self.strike(call.command, call.path, given)
        if verdict in (None, "lost", "spoil"):
            status, answer, headers = self._pass_on(call, body if verdict != "spoil" else bytes(len(body)))
        elif verdict == "reset":
            status, answer, headers = 0, b"", []
        else:
            status, text, *more = verdict if isinstance(verdict, tuple) else (verdict, "")
            answer, headers = text.encode(), list((more[0] if more else {}).items())
        if verdict in ("lost", "reset"):
            call.close_connection = True
            return
        call.send_response_only(status)
        length = str(len(answer))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in {"transfer-encoding", "connection"}:
                call.send_header(name, value)
        if call.command != "HEAD" and length != str(len(answer)):
            call.close_connection = True
        call.send_header("content-length", length)
        call.end_headers()
        if call.command != "HEAD":
            call.wfile.write(answer)

    def _pass_on(
        self, call: http.server.BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, bytes, list[tuple[str, str]]]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=10)
        try:
            headers = {
                name: value for name, value in call.headers.items() if name.lower() not in self.without
            }
            connection.request(call.command, call.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read(), response.getheaders()
        finally:
            connection.close()


@pytest.fixture
def new_unruly() -> Iterator[Callable[[str], UnrulyServer]]:
    """Starts a server in front of another that can refuse, lose answers or disconnect: set its `strike`."""
    servers: list[UnrulyServer] = []

    def start(upstream: str) -> UnrulyServer:
        servers.append(UnrulyServer(upstream))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def unruly_s3(moto_url: str, new_unruly: Callable[[str], UnrulyServer]) -> UnrulyServer:
    """The unruly server in front of moto."""
    return new_unruly(moto_url)


class TurnedClock:
    """A clock that advances when set, or when code sleeps by it. `slept` records each sleep."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def turned_clock() -> TurnedClock:
    return TurnedClock()


#: Tiny and short, so that rendering takes a few hundredths of a second. The check warns about it.
SMALL: dict[str, Any] = {
    "model": "pixverse/pixverse-v5",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}
#: The installed command.
PROGRAM = str(Path(sys.executable).with_name("together-video"))


class Api:
    """A running sandbox: its address, its bill, its faults."""

    def __init__(self, url: str) -> None:
        self.url = url

    def bill(self) -> dict[str, Any]:
        # Plain http needs no certificates, and reading them takes longer than the call.
        return httpx.get(f"{self.url}/sandbox/bill", trust_env=False, verify=False).json()  # noqa: S501

    @property
    def jobs(self) -> list[str]:
        """The ids of the sold jobs."""
        return [row["id"] for row in self.bill()["jobs"]]

    @property
    def charges(self) -> int:
        return len(self.bill()["jobs"])

    @property
    def posts(self) -> int:
        return self.bill()["posts"]

    def faults(self, *rules: dict[str, Any]) -> None:
        httpx.post(
            f"{self.url}/sandbox/faults",
            json=rules,
            trust_env=False,
            verify=False,  # noqa: S501
        ).raise_for_status()

    def credentials(self, key: str = "key", **timeouts: float) -> TogetherCredentials:
        from prefect_together_video.blocks.credentials import TogetherCredentials

        return TogetherCredentials(
            api_key=SecretStr(key), base_url=self.url, timeouts=Timeouts.model_validate(timeouts)
        )


@pytest.fixture
def start_api() -> Iterator[Callable[..., Api]]:
    """Starts sandboxes that end with the test."""
    with ExitStack() as stack:

        def start(*, clock: Callable[[], float] = time.time, **settings: Any) -> Api:
            # Tests request small, short clips that no model makes.
            usual = {"generation_seconds": 0.1, "render_workers": 2, "model_rules": False}
            config = SandboxConfig(**{**usual, **settings})
            return Api(stack.enter_context(running_sandbox(config, clock=clock)))

        yield start


@pytest.fixture
def api(start_api: Callable[..., Api]) -> Api:
    """A sandbox whose jobs take a tenth of a second."""
    return start_api()


@pytest.fixture
def poll() -> PollPolicy:
    return PollPolicy.fixed(0.1, deadline=20)


@pytest.fixture
def small() -> Callable[..., VideoRequest]:
    def make(prompt: str, **fields: Any) -> VideoRequest:
        return VideoRequest.model_validate({**SMALL, "prompt": prompt, **fields})

    return make


@pytest.fixture
def small_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes prompts as a JSONL file of small requests."""

    def write(*prompts: str) -> Path:
        path = tmp_path / "prompts.jsonl"
        path.write_text("".join(json.dumps({**SMALL, "prompt": text}) + "\n" for text in prompts))
        return path

    return write


class Shell:
    """The installed command, in an environment with nothing but the given variables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "COLUMNS": "100"}

    def start(self, *words: str, **more: str | None) -> subprocess.Popen[str]:
        """Start a command. A variable that is None is left out."""
        given = {**self.environment, **more}
        return subprocess.Popen(
            [PROGRAM, *words],
            env={name: value for name, value in given.items() if value is not None},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A test can set another code page for the output.
            errors="replace",
        )

    def run(self, *words: str, **more: str | None) -> subprocess.CompletedProcess[str]:
        with self.start(*words, **more) as process:
            try:
                out, err = process.communicate(timeout=240)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def ready_shell(shell: Shell, api: Api, seaweed: S3Server, new_archive: Callable[..., Any]) -> Shell:
    """Like `shell`, with a key, an empty bucket and the API's address."""
    bucket = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key)).bucket
    shell.environment |= {
        **seaweed.environment(),
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_BUCKET": bucket,
    }
    return shell


@pytest.fixture
def surroundings(api: Api, moto_url: str, new_archive: Callable[..., Any]) -> dict[str, str | None]:
    """The environment of a command that can work: the sandbox, and an empty bucket on moto."""
    return {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_BUCKET": new_archive(moto_url).bucket,
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def quick_models(tmp_path: Path) -> str:
    """A catalogue in which each model takes half a second, so that no test waits for a finished job."""
    from together_video.catalogue import Catalogue

    path = tmp_path / "models.json"
    names = [model.name for model in Catalogue.load().models]
    path.write_text(json.dumps({"models": [{"name": name, "typical_seconds": 0.5} for name in names]}))
    return str(path)


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    """The place for a test's spool. It does not exist yet."""
    return tmp_path / "spool"


@pytest.fixture
def decoder_with() -> Iterator[Callable[[str], Callable[[], None]]]:
    """Runs Python code in each process that opens media, before it opens any. The returned function undoes that."""
    from together_video.media.isolation import pool, process

    with pytest.MonkeyPatch.context() as patch:

        def undo() -> None:
            patch.undo()
            pool.close()

        def run(code: str) -> Callable[[], None]:
            start, end = process.PROGRAM.split("main()\n")
            patch.setattr(process, "PROGRAM", f"{start}{code}\nmain()\n{end}")
            pool.close()
            return undo

        yield run
        undo()


@pytest.fixture
def media_folder(tmp_path: Path) -> Path:
    """A folder of media: red.png, blue.jpg, clip.mp4 (one second, green), voice.wav (3 s), song.mp3 (4 s)."""
    import math
    import struct
    import wave

    import av
    from PIL import Image

    folder = tmp_path / "media"
    folder.mkdir()
    Image.new("RGB", (80, 60), (224, 16, 16)).save(folder / "red.png")
    Image.new("RGB", (80, 60), (16, 16, 224)).save(folder / "blue.jpg", quality=95)
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(8):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), (16, 200, 16)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    def samples(seconds: int) -> bytes:
        waves = (round(9000 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(8000))
        return struct.pack("<8000h", *waves) * seconds

    with wave.open(str(folder / "voice.wav"), "wb") as voice:
        voice.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        voice.writeframes(samples(3))
    with av.open(str(folder / "song.mp3"), "w") as container:
        track = container.add_stream("libmp3lame", rate=8000, layout="mono")
        sound = av.AudioFrame("s16", "mono", 32_000)
        sound.planes[0].update(samples(4).ljust(sound.planes[0].buffer_size, b"\0"))
        sound.sample_rate = 8000
        container.mux(track.encode(sound))
        container.mux(track.encode(None))
    return folder


@pytest.fixture
def media_server(media_folder: Path) -> Iterator[str]:
    """The base URL of a server on loopback with the files of `media_folder`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(media_folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[..., Path]:
    """Makes a self-signed certificate, with its key, in one file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def make(name: str = "127.0.0.1", days: int = 1) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of ours")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        file = tmp_path / f"{name}-{days}.pem"
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(made.public_bytes(pem) + private)
        return file

    return make


@pytest.fixture(params=["bucket", "folder"])
def store(request: pytest.FixtureRequest, s3_client: S3Client, tmp_path: Path) -> Iterator[Store]:
    """A store in an empty bucket on moto, and one in an empty folder: both must behave the same."""
    from prefect_together_video.blocks.folder.store import FolderStore
    from prefect_together_video.blocks.s3.store import ObjectStore

    store: Store
    if request.param == "bucket":
        store = ObjectStore(s3_client, request.getfixturevalue("archive").bucket)
    else:
        (tmp_path / "archive").mkdir()
        store = FolderStore(tmp_path / "archive")
    yield store
    store.close()
