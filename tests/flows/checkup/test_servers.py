"""Checks that ask the API, the S3 server and the Prefect server: each fails in its own way, and its line says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import WorkPool
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_together_video.flows.checkup.api import check_key
from prefect_together_video.flows.checkup.bucket import check_archive
from prefect_together_video.flows.checkup.clock import api_time, s3_time
from prefect_together_video.flows.checkup.line import CheckLine, State
from prefect_together_video.flows.checkup.server import (
    Deployed,
    check_blocks,
    check_pool,
    check_server,
    deployments_line,
    pool_line,
    read_deployed,
    server_line,
)
from prefect_together_video.flows.server.asking import ServerCheck
from prefect_together_video.flows.server.served_deployments import full_name, read, served
from prefect_together_video.flows.server.served_schedules import Earlier
from together_video.errors import BucketRefused, ConfigurationError, StoreUnsafe

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
EPOCH = "Mon, 01 Jan 2001 00:00:00 GMT"


def moved(archive: Any, url: str) -> Any:
    """The same archive through another address."""
    parameters = type(archive.credentials.aws_client_parameters)(endpoint_url=url)
    credentials = archive.credentials.model_copy(update={"aws_client_parameters": parameters})
    return archive.model_copy(update={"credentials": credentials})


async def test_a_key_that_is_taken(api: Any) -> None:
    """The project and the organisation are named; nothing is bought."""
    line = await check_key(api.credentials())
    assert line.state is State.OK
    assert "accepts the key (project Sandbox, organisation Sandbox)" in line.words
    assert api.posts == 0


@pytest.mark.parametrize(
    ("block", "place"), [(None, "TOGETHER_API_KEY"), ("main", "together-credentials/main")]
)
async def test_a_key_that_is_refused(start_api: Make, block: str | None, place: str) -> None:
    """401: where the key is set, and where to get a valid one."""
    line = await check_key(start_api(api_keys=("good",)).credentials("a-wrong-key-0123"), block)
    assert line.state is State.FAILED
    assert "refuses the key (HTTP 401)" in line.words
    assert place in (line.remedy or "")
    assert "a-wrong-key-0123" not in str(line)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (404, State.OK, "could not be verified"),
        (405, State.OK, "could not be verified"),
        (403, State.FAILED, "refuses the key: GET /v1/whoami was answered with HTTP 403"),
        (402, State.FAILED, "no credit left"),
        (429, State.WARNING, "could not be verified"),
        (503, State.WARNING, "could not be verified"),
        ((200, "{}"), State.OK, "accepts the key."),
        ((200, '{"project": "plain", "organization": 7}'), State.OK, "accepts the key (project plain)."),
        ((200, '{"project": {"name": "\\u001b[2J[red]"}}'), State.OK, "(project \\x1b[2J[red])"),
    ],
)
async def test_other_answers_to_a_key(
    api: Any, new_unruly: Make, answer: Any, state: State, words: str
) -> None:
    """An API without such a call is not a failure. Names that others chose are escaped."""
    unruly = new_unruly(api.url)
    unruly.strike = lambda *_: answer
    credentials = api.credentials().model_copy(update={"base_url": unruly.url})
    line = await check_key(credentials)
    assert line.state is state
    assert words in line.words
    assert [path for _, path in unruly.calls] == ["/v1/whoami"]


async def test_an_api_that_is_away(api: Any) -> None:
    """The address is named, and the variable that holds it."""
    line = await check_key(api.credentials().model_copy(update={"base_url": "http://127.0.0.1:1"}))
    assert line.state is State.FAILED
    assert "No connection to http://127.0.0.1:1" in line.words
    assert "TOGETHER_BASE_URL" in (line.remedy or "")


async def test_an_archive_whose_server_verifies_nothing(archive: Any) -> None:
    """moto takes any checksum: a warning, as uploads are then read back."""
    line = await check_archive(archive.model_copy(update={"prefix": "films"}))
    assert line.state is State.WARNING
    assert f"s3://{archive.bucket}/films/ can be listed, written and deleted from" in line.words
    assert "does not verify checksums" in line.words


async def test_an_archive_that_is_good(seaweed: Any, new_archive: Make) -> None:
    """With its monthly limit."""
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key), monthly_limit_usd=200)
    line = await check_archive(archive)
    assert line.state is State.OK
    assert "If-None-Match is honoured; checksums are verified; monthly limit 200.00 USD." in line.words


async def test_archives_that_hold_no_ledger(archive: Any, unruly_s3: Any) -> None:
    """A bucket that is not there, deleting that is forbidden, and a server that ignores If-None-Match."""
    with pytest.raises(BucketRefused, match="There is no bucket"):
        await check_archive(archive.model_copy(update={"bucket": "no-such-bucket-here"}))
    through = moved(archive, unruly_s3.url)
    unruly_s3.strike = lambda method, *_: 403 if method == "DELETE" else None
    with pytest.raises(BucketRefused, match="refuses these credentials"):
        await check_archive(through)
    unruly_s3.strike = lambda *_: None
    unruly_s3.without = {"if-none-match"}
    with pytest.raises(StoreUnsafe, match="ignores If-None-Match"):
        await check_archive(through)


async def test_what_time_servers_have(archive: Any, unruly_s3: Any) -> None:
    """Read from any answer, also from a refusal; the key is not sent for it."""
    unruly_s3.strike = lambda *_: (403, "", {"date": EPOCH})
    for told in (await s3_time(moved(archive, unruly_s3.url)), await api_time(unruly_s3.url)):
        assert told is not None
        assert told.year == 2001
    assert "authorization" not in unruly_s3.headers[-1]
    unruly_s3.strike = lambda *_: (200, "", {"date": "yesterday"})
    assert await api_time(unruly_s3.url) is None


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        (ServerCheck("http://h/api", "3.9.1"), State.OK, "version 3.9.1"),
        (ServerCheck("http://h/api", "3.10.0"), State.OK, "version 3.10.0"),
        (ServerCheck("http://h/api"), State.OK, "http://h/api answers."),
        (ServerCheck("http://h/api", "3.8.8"), State.WARNING, "older than Prefect 3.9.1"),
        (ServerCheck("http://h/api", "2.20.0", problem="It has version 2."), State.FAILED, "version 2."),
    ],
)
def test_versions_of_the_server(asked: ServerCheck, state: State, words: str) -> None:
    """An older server is a warning, another major version what the question for it says."""
    line = server_line(asked, "3.9.1")
    assert line.state is state
    assert words in line.words


async def test_a_server_that_is_away() -> None:
    """The line is what the other commands say too."""
    line = await check_server("http://127.0.0.1:1/api")
    assert line.state is State.FAILED
    assert "http://127.0.0.1:1/api does not answer" in line.words


@pytest.mark.parametrize(
    ("deployed", "state", "words", "command"),
    [
        (Deployed(missing=("a/b",)), State.SKIPPED, "None is deployed", "together-video serve"),
        (Deployed(count=7, pools=("p",)), State.OK, "7 deployments, none of them paused.", None),
        (Deployed(missing=("a/b",), count=6, pools=("p",)), State.WARNING, "a/b is not deployed.", "prefect"),
        (Deployed(paused=("a/b", "c/d"), count=7, pools=("p",)), State.WARNING, "c/d are paused.", None),
        (Deployed(paused=("a/b", "c/d"), count=2, pools=("p",)), State.WARNING, "All 2 are paused.", None),
        (
            Deployed(paused=("a/b",), stopped=("a/b",), count=7, pools=("p",)),
            State.WARNING,
            "a/b is paused.",
            "prefect --no-prompt deploy",
        ),
        (Deployed(paused=("a/b",), count=7), State.WARNING, "a/b is paused.", "together-video serve"),
        (Deployed(unserved=("a/b",), count=7), State.WARNING, "not served by", "together-video serve"),
    ],
)
def test_what_is_deployed(deployed: Deployed, state: State, words: str, command: str | None) -> None:
    """Nothing at all is not a failure. What is missing or paused is a warning that says what to do."""
    line = deployments_line(deployed)
    assert line.state is state
    assert words in line.words
    assert (line.command or "").startswith(command or "")
    assert state is State.OK or line.command or line.remedy


@pytest.mark.parametrize("on_pool", [True, False])
@pytest.mark.parametrize(
    ("pool", "online", "command"),
    [
        (None, 0, "prefect work-pool create p --type process"),
        (WorkPool(name="p", type="process", is_paused=True), 1, "prefect work-pool resume p"),
        (WorkPool(name="p", type="process"), 0, "prefect worker start --pool p"),
        (WorkPool(name="p", type="process"), 2, None),
    ],
)
def test_work_pools(pool: WorkPool | None, online: int, command: str | None, on_pool: bool) -> None:
    """A warning where deployments need it, else a note; the command is there in both cases."""
    line = pool_line("p", pool, online, on_pool=on_pool)
    assert line.command == command
    if command is None:
        assert (line.state, line.words) == (State.OK, "p has 2 workers online.")
    else:
        assert line.state is (State.WARNING if on_pool else State.SKIPPED)


async def test_names_are_those_that_are_deployed() -> None:
    """What the checkup asks for is what `serve` and `prefect deploy` make."""
    for entry in read():
        made = await served(entry, {}, Earlier({}))
        assert full_name(entry) == f"{made.flow_name}/{made.name}"


async def test_a_server_that_refuses_what_is_asked(new_unruly: Make) -> None:
    """Its refusal is one sentence that names the setting, not an error of the check itself."""
    unruly = new_unruly("")
    unruly.strike = lambda *_: (403, "{}")
    with temporary_settings({PREFECT_API_URL: f"{unruly.url}/api"}):
        for check in (
            read_deployed(["a/b"]),
            check_blocks(["a/b"], on_pool=True),
            check_pool("p", on_pool=True),
        ):
            with pytest.raises(ConfigurationError, match="PREFECT_API_AUTH_STRING"):
                await check


async def test_a_real_server(prefect_api: str) -> None:
    """Version, deployments, pool, workers and blocks as Prefect's own server tells them."""
    line = await check_server(prefect_api)
    assert line.state is State.OK
    mark = uuid4().hex[:8]
    names = [f"doctor-{mark}/here", f"doctor-{mark}/gone"]
    assert await read_deployed(names) == Deployed(missing=tuple(names))
    pool = f"doctor-{mark}"
    assert (await check_pool(pool, on_pool=True)).command == f"prefect work-pool create {pool} --type process"
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        flow = await client.create_flow_from_name(f"doctor-{mark}")
        made = await client.create_deployment(flow, "here", work_pool_name=pool, paused=True)
        try:
            assert (await check_pool(pool, on_pool=True)).command == f"prefect worker start --pool {pool}"
            await client.send_worker_heartbeat(pool, "one")
            assert (await check_pool(pool, on_pool=True)).words == f"{pool} has 1 worker online."
            found = await read_deployed(names)
            assert found == Deployed(missing=(names[1],), paused=(names[0],), pools=(pool,), count=1)
        finally:
            await client.delete_deployment(made)
            await client.delete_work_pool(pool)
    slug = f"video-archive/doctor-{mark}"
    blocks: list[CheckLine] = [await check_blocks([slug], on_pool=on_pool) for on_pool in (True, False)]
    assert [line.state for line in blocks] == [State.WARNING, State.SKIPPED]
    assert {line.command for line in blocks} == {"together-video save-blocks"}
