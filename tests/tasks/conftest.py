"""A sandbox whose clock is turned by hand, and a purchase on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.s3.store import ObjectStore
from prefect_together_video.tasks.steps import download
from prefect_together_video.tasks.steps.poll import poll_job
from prefect_together_video.tasks.steps.purchase import Purchase
from prefect_together_video.tasks.steps.purchase_session import session_of
from prefect_together_video.tasks.steps.ready_link import download_ready
from together_video.api.client import TogetherClient
from together_video.api.rate_limiter import AdaptiveRateLimiter
from together_video.jobs import VideoJob
from together_video.ledger.records import Submission, VideoPlan
from together_video.ledger.spool import Spool
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: Small and short, so that rendering takes a few hundredths of a second.
REQUEST = VideoRequest(
    model="pixverse/pixverse-v5", prompt="A fox in the snow", width=64, height=48, seconds="1", fps=8
)


@pytest.fixture
def new_api(start_api: Callable[..., Any], turned_clock: Any) -> Callable[..., Any]:
    """Starts a sandbox with these settings, whose jobs take ten seconds of `turned_clock`."""
    return lambda **settings: start_api(clock=turned_clock, **{"generation_seconds": 10, **settings})


@pytest.fixture
def api(new_api: Callable[..., Any]) -> Any:
    return new_api()


@pytest.fixture
async def client(api: Any, turned_clock: Any, anyio_backend: str) -> AsyncIterator[TogetherClient]:
    """A client of the sandbox, whose gate goes by `turned_clock`."""
    async with TogetherClient("key", api.url) as client:
        session_of(client).rate_limiter = AdaptiveRateLimiter(turned_clock)
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


@pytest.fixture
def finished(
    client: TogetherClient, bought: Callable[..., Awaitable[Purchase]], turned_clock: Any
) -> Callable[..., Awaitable[tuple[Purchase, VideoJob]]]:
    """Buys a plan and waits until its job is completed, by the turned clock."""

    async def make(plan: VideoPlan, *, resumed: bool = False) -> tuple[Purchase, VideoJob]:
        purchase = await bought(plan, resumed=resumed)
        policy = PollPolicy.fixed(5, deadline=300)
        job = await poll_job(
            purchase.job_id,
            client,
            policy,
            log=lambda _: None,
            sleep=turned_clock.sleep,
            clock=turned_clock,
        )
        return purchase, job

    return make


@pytest.fixture(autouse=True)
def link_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries of a link, which pass at once."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    ready = partial(download_ready, clock=lambda: sum(slept), sleep=sleep)
    monkeypatch.setattr(download, "download_ready", ready)
    return slept
