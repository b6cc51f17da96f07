"""A sandbox whose clock is turned by hand, and a purchase on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from blocks.archive import VideoArchive
from blocks.ledger import Ledger
from blocks.store import ObjectStore
from tasks.purchase import Purchase
from together_video.client import TogetherClient
from together_video.pacing import RateGate
from together_video.records import Submission, VideoPlan
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox
from together_video.spool import Spool

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: Small and short, so that rendering takes a few hundredths of a second.
REQUEST = VideoRequest(
    model="pixverse/pixverse-v5", prompt="A fox in the snow", width=64, height=48, seconds="1", fps=8
)


class Api:
    """A running sandbox: its address, its bill, its faults."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Without certificates, which take longer to read than all calls of a test.
        self._client = httpx.Client(base_url=url, trust_env=False, verify=False)  # noqa: S501 - plain http

    def close(self) -> None:
        self._client.close()

    def bill(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get("/sandbox/bill").json()
        return answer

    @property
    def jobs(self) -> list[str]:
        """Ids of what was sold."""
        return [row["id"] for row in self.bill()["jobs"]]

    def faults(self, *rules: dict[str, Any]) -> None:
        """Put these in force, in place of those before."""
        self._client.post("/sandbox/faults", json=rules).raise_for_status()

    def fault(self, on: str, kind: str, **more: Any) -> None:
        """Put this one in force."""
        self.faults({"on": on, "kind": kind, **more})


@pytest.fixture
def new_api(turned_clock: Any) -> Iterator[Callable[..., Api]]:
    """Starts a sandbox with these settings, whose jobs take their time by `turned_clock`."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Api:
            config = SandboxConfig(**{"generation_seconds": 10, **settings})
            url = stack.enter_context(running_sandbox(config, clock=turned_clock))
            return stack.enter_context(closing(Api(url)))

        yield start


@pytest.fixture
def api(new_api: Callable[..., Api]) -> Api:
    return new_api()


@pytest.fixture
async def client(api: Api, turned_clock: Any, anyio_backend: str) -> AsyncIterator[TogetherClient]:
    """A client of the sandbox, whose gate goes by `turned_clock`."""
    async with TogetherClient("key", api.url) as client:
        client.gate = RateGate(turned_clock)
        yield client


@pytest.fixture
def ledger(archive: VideoArchive, s3_client: S3Client) -> Iterator[Ledger]:
    """A ledger in an empty bucket of moto's."""
    store = ObjectStore(s3_client, archive.bucket)
    yield Ledger(store, archive.layout)
    store.close()


@pytest.fixture
async def open_ledger(
    archive: VideoArchive, anyio_backend: str
) -> AsyncIterator[Callable[[str], Awaitable[Ledger]]]:
    """Opens the ledger of the same bucket at another address; boto3 tries each call once."""
    async with AsyncExitStack() as stack:

        async def start(url: str) -> Ledger:
            assert archive.credentials is not None
            given = type(archive.credentials.aws_client_parameters)
            parameters = given(endpoint_url=url, config={"retries": {"total_max_attempts": 1}})
            credentials = archive.credentials.model_copy(update={"aws_client_parameters": parameters})
            elsewhere = archive.model_copy(update={"credentials": credentials})
            return await stack.enter_async_context(elsewhere.open())

        yield start


@pytest.fixture
def spool(spool_folder: Path) -> Spool:
    return Spool(spool_folder)


@pytest.fixture
def plan() -> VideoPlan:
    return VideoPlan(request=REQUEST)


@pytest.fixture
def bought(client: TogetherClient, ledger: Ledger) -> Callable[..., Awaitable[Purchase]]:
    """Claims and creates a plan without any of the code under test around it."""

    async def make(plan: VideoPlan, *, resumed: bool = False) -> Purchase:
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        submission = Submission.of(claim, await client.create(plan.request))
        await ledger.submitted(submission)
        return Purchase(claim=claim, submission=submission, resumed=resumed)

    return make
