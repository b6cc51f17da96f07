"""Whether the configured Prefect server answers: checked once, before anything else happens.

The check goes through Prefect's own client, with its settings for certificates, headers, credentials and retries: what
works for `prefect` works here. It reads the server's version, which also shows whether the credentials are right. If
something else answers, addresses that the user may have meant are checked too.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL, get_current_settings

from prefect_together_video.flows.server.address import (
    candidates,
    cloud_address,
    cloud_problem,
    is_address,
    no_address,
    shown,
)
from prefect_together_video.flows.server.answer import PATIENCE, Answer, Bounded, in_chain
from prefect_together_video.flows.server.problems import (
    problem_of,
    status_problem,
    version_problem,
    what_answers,
)
from prefect_together_video.flows.server.settings import unusable_setting
from together_video.errors import ConfigurationError

#: Seconds for checking all addresses that the user may have meant, at the same time.
_GUESS_SECONDS = 4.0
#: The headers that a client keeps at an address that the credentials were not configured for.
_HARMLESS = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "x-prefect-api-version"}
)


@dataclass(frozen=True)
class ServerCheck:
    """The result of checking a Prefect server.

    Attributes:
        url: the address that was checked, without a password.
        version: the server's version; None if there is a problem, or if it is not reported, as by Prefect Cloud.
        problem: what is wrong and what to do, in one sentence; None if the server can be used.
        suggested: an address that works instead of `url`, or for Prefect Cloud the API address of the page `url`.
    """

    url: str
    version: str | None = None
    problem: str | None = None
    suggested: str | None = None


async def reach(url: str, *, optional: bool = False) -> ServerCheck:
    """Make sure that the Prefect server answers, before anything else happens.

    `optional`: the command also runs without a server, and the message says how.

    Raises:
        ConfigurationError: it does not answer, is something else, or refuses; the message says what to do.
    """
    check = await ask_server(url, optional=optional)
    if check.problem is not None:
        raise ConfigurationError(f"{check.problem.removesuffix('.')}; nothing was created.")
    return check


async def reach_configured(otherwise: str) -> str:
    """The address of the configured Prefect server, once it has answered.

    Args:
        otherwise: The message if no server is configured.

    Raises:
        ConfigurationError: No server is configured, or `reach` refuses it.
    """
    server: str | None = PREFECT_API_URL.value()
    if not server:
        raise ConfigurationError(otherwise)
    await reach(server)
    return server


async def answers(url: str) -> bool:
    """Whether the server at an address that worked before can still be used."""
    return (await _ask(url, PATIENCE)).is_prefect


async def ask_server(url: str, *, optional: bool = False) -> ServerCheck:
    """Check the Prefect server at `url`, for about 20 seconds at most. Problems are in the result."""
    name = shown(url)
    if meant := cloud_address(url):
        return ServerCheck(name, problem=cloud_problem(url, meant), suggested=meant)
    if (problem := unusable_setting()) is not None:
        return ServerCheck(name, problem=problem)
    if not is_address(url):
        meant = await _working(candidates(url), url)
        problem = f"PREFECT_API_URL is {name!r}: set it to {shown(meant)}." if meant else no_address(url)
        return ServerCheck(name, problem=problem, suggested=meant and shown(meant))
    answer = await _ask(url, PATIENCE)
    if answer.is_prefect and not answer.is_redirected:
        return ServerCheck(name, answer.version, version_problem(name, answer.version))
    if answer.is_prefect:
        meant = answer.address
    elif _may_be_elsewhere(answer):
        meant = await _working(_worth_asking(answer), url)
    else:
        return ServerCheck(name, problem=problem_of(answer, optional=optional))
    if meant:
        what = what_answers(answer)
        return ServerCheck(
            name,
            problem=f"PREFECT_API_URL is {name}, where {what}: set it to {shown(meant)}.",
            suggested=shown(meant),
        )
    return ServerCheck(name, problem=problem_of(answer, optional=optional))


@contextmanager
def failing_clearly(url: str) -> Iterator[None]:
    """Turn errors of Prefect's client in this block that our own code did not catch into clear ones.

    Raises:
        ConfigurationError: the server went away, or refuses the request.
    """
    try:
        yield
    except httpx.HTTPStatusError as error:
        answer = Answer(url, error=error, response=error.response)
        raise ConfigurationError(status_problem(shown(url), answer)) from error
    except (httpx.HTTPError, RuntimeError) as error:
        # RuntimeError: Prefect's client did not get the server's version.
        if isinstance(error, RuntimeError) and not isinstance(error.__cause__, httpx.HTTPError):
            raise
        raise ConfigurationError(
            f"The Prefect server at {shown(url)} went away. Run this again when it is back."
        ) from error


async def _ask(url: str, seconds: float, *, anonymous: bool = False) -> Answer:
    """Read the version at one address, as Prefect's client does, for at most `seconds`."""
    seen: list[httpx.Response] = []

    async def keep(response: httpx.Response) -> None:
        seen.append(response)
        response.stream = Bounded(response.stream)

    hooks = {"response": [keep], "request": [_plain, *([_without_credentials] if anonymous else [])]}
    version: str | None = None
    error: Exception | None = None
    try:
        client = PrefectClient(
            url,
            auth_string=PREFECT_API_AUTH_STRING.value(),
            api_key=PREFECT_API_KEY.value(),
            httpx_settings={"event_hooks": hooks},
        )
        async with asyncio.timeout(seconds), client:
            if _tells_version(client):
                told = await client.api_version()
                version = told if isinstance(told, str) else ""
            else:
                await client.read_flows(limit=1)
    # ValueError: an answer that is not JSON, or not Prefect's. OSError: the certificate file, a timeout.
    # RecursionError: JSON that is nested too deeply.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as found:
        error = found
    return Answer(url, version, error, seen[-1] if seen else None)


def _tells_version(client: PrefectClient) -> bool:
    """Not Prefect Cloud. If Prefect's own version check is switched off, the path may be closed."""
    check = get_current_settings().client.server_version_check_enabled
    return check and client.server_type is not ServerType.CLOUD


async def _plain(request: httpx.Request) -> None:
    """Ask for uncompressed answers: a compressed kilobyte can expand to gigabytes."""
    request.headers["Accept-Encoding"] = "identity"


async def _without_credentials(request: httpx.Request) -> None:
    for name in [name for name in request.headers if name not in _HARMLESS]:
        del request.headers[name]


async def _working(urls: tuple[str, ...], configured: str) -> str | None:
    """The first of the addresses where a Prefect server answers."""

    async def ask(url: str) -> str | None:
        # Credentials are sent only to the host that they are for, and never from https to http.
        anonymous = not (_origin(url) == _origin(configured) or url.startswith("https://"))
        answer = await _ask(url, _GUESS_SECONDS, anonymous=anonymous)
        if answer.is_prefect:
            return answer.address if answer.is_redirected else url
        return url if answer.status in {401, 403} and await _is_healthy(url, anonymous) else None

    return next((found for found in await asyncio.gather(*map(ask, urls)) if found), None)


async def _is_healthy(url: str, anonymous: bool) -> bool:
    """Whether a server that wants credentials is Prefect, which reports its health to everybody."""
    hooks = {"request": [_without_credentials] if anonymous else []}
    try:
        async with (
            asyncio.timeout(_GUESS_SECONDS),
            PrefectClient(url, httpx_settings={"event_hooks": hooks}) as client,
        ):
            return await client.api_healthcheck() is None
    except TimeoutError:
        return False


def _origin(url: str) -> tuple[str, str, int | None]:
    if not is_address(url):
        return "", "", None
    parts = httpx.URL(url)
    return parts.scheme, parts.host, parts.port


def _may_be_elsewhere(answer: Answer) -> bool:
    """Whether something answers that is not a Prefect API, or that cannot be called in this way."""
    if answer.status is not None:
        return answer.status < 500 and answer.status not in {401, 403, 407, 408, 429}
    error = answer.error
    if isinstance(error, httpx.ProxyError) or in_chain(error, ssl.SSLCertVerificationError):
        return False
    # Prefect's client retries what looks like a broken connection until the time is over.
    broken = (httpx.ReadError, httpx.RemoteProtocolError, httpx.UnsupportedProtocol, TimeoutError)
    return isinstance(error, broken) or in_chain(error, ssl.SSLError) is not None


def _worth_asking(answer: Answer) -> tuple[str, ...]:
    """If the answer is HTTP, the scheme is right and the path is wrong; otherwise the scheme may be wrong."""
    found = candidates(answer.url)
    if answer.status == 400:
        # A server that wants TLS says the same.
        return found
    scheme = httpx.URL(answer.url).scheme
    return tuple(url for url in found if (httpx.URL(url).scheme == scheme) is (answer.status is not None))
