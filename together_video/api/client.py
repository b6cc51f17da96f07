"""The Together API over HTTP: create, retrieve, download, chat. One call each: no loops, no sleeps.

The API key goes to the API's own host and nowhere else: redirects of the API are refused, and
links to files are followed by a client that does not know the key.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from together_video.api.connection_pool import ClientPool
from together_video.api.downloads import DownloadedFile, receive
from together_video.api.identity import Identity
from together_video.api.responses import Answer, json_bytes, read, request_ids
from together_video.api.settings import DEFAULT_BASE_URL, Timeouts, normalise_base_url
from together_video.api.usage import Granularity, UsagePage, UsageWindow
from together_video.errors import (
    AccountRefused,
    ApiOverloaded,
    ApiUnreachable,
    ConfigurationError,
    CreateWithdrawn,
    DownloadBroken,
    NoClearAnswer,
    RateLimited,
    RequestRefused,
    Spent,
    TogetherError,
    VideoError,
)
from together_video.jobs import VideoJob
from together_video.media.references import without_signatures
from together_video.network.connections import Connections, Departure
from together_video.network.guard import AddressRefused, Guard
from together_video.network.trusted_hosts import VARIABLE, TrustedHosts
from together_video.remedies import SHARING_BLOCKED, advice_for
from together_video.requests import VideoRequest
from together_video.text import one_line

#: Most calls of each kind at the same time; the others wait for their turn.
_READING_AT_ONCE, _DOWNLOADING_AT_ONCE = 16, 12

#: Most pages of a month's bill that are read.
_MOST_PAGES = 50

#: How long to wait for the API's answer to the checks before the first create, in seconds.
_CHECK_SECONDS = 10.0

#: These are raised only while a connection is being made.
_NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@cache
def user_agent() -> str:
    """The User-Agent header, so that the provider can see who calls."""
    try:
        return f"prefect-together-video/{version('prefect-together-video')}"
    except PackageNotFoundError:  # a checkout that is not installed
        return "prefect-together-video"


def _limits(kept: int) -> httpx.Limits:
    """Limits of a client that makes one call at a time; `kept` connections stay open."""
    return httpx.Limits(max_connections=max(kept, 1), max_keepalive_connections=kept)


class TogetherClient:
    """One client for a whole run; `async with` closes its connections.

    `transport` replaces the network in tests.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = DEFAULT_BASE_URL,
        *,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        api_key = api_key.strip()
        if not api_key:
            raise ConfigurationError("There is no API key: set TOGETHER_API_KEY.")
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ConfigurationError(
                "The API key contains characters that no key has: check TOGETHER_API_KEY."
            )
        self.base_url = normalise_base_url(base_url)
        self.timeouts = timeouts or Timeouts()
        # The sandbox's key of a few letters is not secret, and is part of many words.
        self._secret = api_key if len(api_key) >= 12 else f"Bearer {api_key}"
        #: Private hosts that links may lead to: the API's own and those that the environment lists.
        self.trusted_hosts = TrustedHosts.from_env().with_origin(self.base_url)
        self._guard = Guard(self.trusted_hosts, https_only=False)
        #: The owner of the key, once `check` has asked.
        self.identity = Identity()
        #: Whether the transport reports when a request leaves. Nothing relies on it until it was seen once.
        self._reports_departures = False
        self._connections = connections = Connections(transport)
        headers = {"User-Agent": user_agent(), "Accept-Encoding": "identity"}
        to_api = partial(
            connections.client,
            base_url=self.base_url,
            headers={**headers, "Authorization": f"Bearer {api_key}"},
        )
        # A POST on a kept connection that the server is just closing has no clear answer, and its unpaid video would be
        # ambiguous. So every create gets its own connection. It does not wait for one, because its time limit is
        # running.
        self._creating = ClientPool(None, partial(to_api, limits=_limits(0)))
        self._reading = ClientPool(_READING_AT_ONCE, partial(to_api, limits=_limits(1)))
        self._downloading = ClientPool(
            _DOWNLOADING_AT_ONCE,
            partial(
                connections.client,
                headers=headers,
                follow_redirects=True,
                guard=self._guard,
                # A link usually redirects to another host.
                limits=_limits(2),
            ),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for pool in (self._creating, self._reading, self._downloading):
            await pool.aclose()

    def __repr__(self) -> str:
        return f"TogetherClient({self.base_url!r})"

    async def check(self) -> None:
        """Check that a client for each kind of call can be made, that the proxy, if there is one, lets calls through,
        and that the API accepts the key. Nothing is created, and nothing is paid.

        Raises:
            ConfigurationError: a check failed; says why, and names the proxy's variable.
            AccountRefused: the key is not valid.
        """
        for pool in (self._creating, self._reading, self._downloading):
            async with pool.one():
                pass
        proxies = self._connections.proxies
        variable = proxies.variable_for(self.base_url)
        # A proxy that fails for a moment gets a second try.
        if variable and await self._proxy_trouble() and (reason := await self._proxy_trouble()):
            raise ConfigurationError(
                f"{self.base_url} cannot be reached through the proxy that {variable} names ({reason}).",
                spent=Spent.NOTHING,
                remedy=f"Start the proxy, or correct or unset {variable}.",
            )
        if self.base_url == DEFAULT_BASE_URL and not variable:
            await self._check_names()
        await self._check_key()
        if httpx.URL(self.base_url).host in {"127.0.0.1", "localhost", "::1"}:
            return  # so are its links
        # Links lead to other hosts than the API's: what is bought must be downloadable.
        await proxies.check_listening(self.timeouts.connect_seconds)

    async def _check_key(self) -> None:
        """Only a refused key is an error here. The calls that follow handle other failures with their own retries."""
        try:
            self.identity = Identity.from_json(await self.whoami(within=_CHECK_SECONDS) or {})
        except AccountRefused as error:
            # 402 and 403 may concern only this call.
            if error.status == 401:
                raise
        except TogetherError:
            pass

    async def _check_names(self) -> None:
        host = httpx.URL(self.base_url).host
        try:
            await self._guard.refuse_private_answers(host)
        except AddressRefused as error:
            raise ConfigurationError(
                f"The name {host} resolves to the private address {error} on this machine. Links to videos would "
                "resolve to private addresses too, and those are not followed.",
                spent=Spent.NOTHING,
                remedy=f"If that is your VPN, list its network: {VARIABLE}={_network_of(str(error))}",
            ) from error

    async def _proxy_trouble(self) -> str | None:
        """Why the proxy lets no call through to the API; None if it does."""
        try:
            await self.whoami(within=_CHECK_SECONDS)
        except ApiUnreachable as error:
            return _reason(error.__cause__ or error)
        except TogetherError as error:
            # Over plain http, the proxy itself answers a call that it cannot forward.
            is_plain = self.base_url.startswith("http://")
            if is_plain and (isinstance(error, NoClearAnswer) or error.status == 407):
                return f"HTTP {error.status}" if error.status else _reason(error.__cause__ or error)
        return None

    @property
    def proxy_variable(self) -> str | None:
        """The environment variable that names the proxy for the API, if any."""
        return self._connections.proxies.variable_for(self.base_url)

    async def whoami(self, *, within: float | None = None) -> dict[str, Any] | None:
        """`GET /v1/whoami`: the project and organisation of the key. Free; None if the API lacks it.

        Raises:
            AccountRefused: the key is not valid.
            TogetherError: any other failure.
        """
        try:
            patience = min(self.timeouts.read_seconds, within or self.timeouts.read_seconds)
            return await self._call(self._reading, "GET", "/v1/whoami", None, patience)
        except RequestRefused as error:
            if error.status in {404, 405}:
                return None
            raise

    async def create(
        self, request: VideoRequest, *, departing: Callable[[], Awaitable[None]] | None = None
    ) -> VideoJob:
        """`POST /v2/videos`. Every accepted call is paid for.

        Args:
            departing: awaited right before the first byte of the request leaves this machine, or earlier. If it raises,
                nothing is sent.

        Raises:
            TogetherError: `job_may_exist` says whether it may have been paid for anyway.
        """
        answer = await self._call(
            self._creating,
            "POST",
            "/v2/videos",
            request.payload(),
            self.timeouts.create_seconds,
            creating=True,
            departing=departing,
        )
        return self._job(answer, creating=True)

    async def retrieve(self, job_id: str, *, within: float | None = None) -> VideoJob:
        """`GET /v2/videos/{id}`: the current state of the job, within so many seconds. Free, and can be repeated.

        Raises:
            TogetherError: `retryable` says whether to try again.
        """
        path = f"/v2/videos/{quote(job_id, safe='')}"
        patience = min(self.timeouts.read_seconds, within or self.timeouts.read_seconds)
        answer = await self._call(self._reading, "GET", path, None, patience)
        return self._job(answer, creating=False)

    async def usage(self, month: str, *, granularity: Granularity = "hour") -> list[UsageWindow] | None:
        """`GET /v1/billing/usage`: what the organisation used in a month (`2026-11`), by hours or days in UTC. Free.

        None if the organisation has no access to it: it is a beta.

        Raises:
            TogetherError: the bill is not available, or is not understood.
        """
        windows: list[UsageWindow] = []
        query = {"month": month, "granularity": granularity, "limit": "1000"}
        if self.identity.organization_id is not None:
            query["organization_id"] = self.identity.organization_id
        for _ in range(_MOST_PAGES):
            path = f"/v1/billing/usage?{urlencode(query)}"
            try:
                answer = await self._call(self._reading, "GET", path, None, self.timeouts.read_seconds)
                page = UsagePage.from_json(answer)
            except RequestRefused as error:
                if error.status in {404, 405}:
                    return None
                raise
            except ValueError as error:
                raise NoClearAnswer(
                    f"{self.base_url} gave an answer that cannot be used: {error}.", creating=False
                ) from error
            windows += page.windows
            if page.next_cursor is None:
                return windows
            query["after"] = page.next_cursor
        raise NoClearAnswer(f"The bill of {month} has more than {_MOST_PAGES} pages.", creating=False)

    async def chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /v1/chat/completions`: the unchanged answer.

        Raises:
            TogetherError: `retryable` says whether to try again, which costs a fraction of a cent.
        """
        return await self._call(
            self._reading, "POST", "/v1/chat/completions", dict(body), self.timeouts.chat_seconds
        )

    async def download(self, url: str, path: Path, *, max_bytes: int) -> DownloadedFile:
        """Stream a finished video to `path`, without the API key. See `downloads.receive`.

        Raises:
            LinkForbidden, LinkRefused, DownloadBroken, DownloadTooLarge, DownloadError
        """
        try:
            scheme = httpx.URL(url).scheme
        except (httpx.InvalidURL, ValueError):
            scheme = ""
        if scheme not in {"http", "https"}:
            raise DownloadBroken("The job's link is not an http or https address.")
        patience = self.timeouts.of(self.timeouts.download_seconds)
        async with self._downloading.one() as client:
            return await receive(client, url, path, max_bytes=max_bytes, patience=patience)

    async def _call(
        self,
        pool: ClientPool,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        seconds: float,
        *,
        creating: bool = False,
        departing: Callable[[], Awaitable[None]] | None = None,
        lists: bool = False,
    ) -> _Decoded:
        call = f"{method} {path}"
        patience = self.timeouts.of(seconds)
        try:
            content = None if body is None else json_bytes(body)
        except (ValueError, TypeError, RecursionError) as error:
            raise RequestRefused(f"{call[:200]} cannot be sent as JSON: {error}") from error
        departure = Departure(departing if self._reports_departures else None)
        try:
            if departing is not None and not self._reports_departures:
                await departing()
            # httpx applies its timeouts to each piece: a dripping answer would never end.
            async with asyncio.timeout(self.timeouts.connect_seconds + seconds):
                async with pool.one() as client:
                    answer = await read(client, method, path, content, patience, departure)
        except (ConfigurationError, CreateWithdrawn):
            raise  # nothing was sent
        except Exception as error:
            raise self._unanswered(error, call, departure, creating=creating) from error
        finally:
            self._reports_departures = self._reports_departures or departure.is_seen
        if not 200 <= answer.status < 300:
            raise self._refusal(answer, call, creating=creating)
        try:
            decoded = answer.json()
        except (ValueError, RecursionError) as error:
            raise self._unclear(answer, "is not JSON", creating=creating) from error
        if lists and isinstance(decoded, list):
            decoded = {"data": decoded}
        if not isinstance(decoded, dict):
            raise self._unclear(answer, "is not a JSON object", creating=creating)
        # Answers are stored in the bucket. They must contain neither a key that a server echoes nor our signed links,
        # which the older format repeats.
        return _Decoded(
            {self._masked(name): self._masked(value) for name, value in decoded.items()},
            request_ids=self._request_ids(answer.headers),
        )

    def _unanswered(self, error: Exception, call: str, departure: Departure, *, creating: bool) -> VideoError:
        """The error for a call without an answer; above all, whether the request was sent."""
        reason = _reason(error)
        if departure.is_impossible or isinstance(error, _NEVER_CONNECTED):
            return ApiUnreachable(f"No connection to {self.base_url} ({reason}); nothing was sent.")
        if (
            isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError)
            and not departure.is_possible
        ):
            return ConfigurationError(f"{self.base_url} cannot be called: {reason}.")
        if isinstance(error, httpx.InvalidURL):
            return RequestRefused(f"{call[:200]} cannot be sent: {reason}.")
        ids = self._request_ids(departure.answer_headers)
        return NoClearAnswer(
            f"{self.base_url} gave no clear answer to {call}: {reason}{_in_brackets(ids)}.",
            creating=creating,
            request_ids=ids,
        )

    def _request_ids(self, headers: httpx.Headers) -> dict[str, str]:
        return {name: self._masked(text) for name, text in request_ids(headers).items()}

    def _job(self, answer: _Decoded, *, creating: bool) -> VideoJob:
        try:
            return VideoJob.from_json(answer, answer.request_ids)
        except ValueError as error:
            text = self._safe(json.dumps(answer))
            raise NoClearAnswer(
                f"The API accepted the call, but {error}: {text}",
                creating=creating,
                status=200,
                body=text,
                request_ids=answer.request_ids,
            ) from error

    def _unclear(self, response: Answer, what: str, *, creating: bool) -> NoClearAnswer:
        text = self._safe(response.text)
        ids = self._request_ids(response.headers)
        return NoClearAnswer(
            f"The answer (HTTP {response.status}{_in_brackets(ids, '; {}')}) {what}: {text or 'it is empty'}",
            creating=creating,
            status=response.status,
            body=text,
            request_ids=ids,
        )

    def _refusal(self, response: Answer, call: str, *, creating: bool) -> TogetherError:
        """The error for a status other than 2xx. 429, 503 and the 4xx prove that nothing was created; 408 and every
        other 5xx do not.
        """
        status = response.status
        words, code = self._words(response)
        nowhere = f"Check that {self.base_url} is the API (TOGETHER_BASE_URL), and run again."
        ids = self._request_ids(response.headers)
        said = f"{call} was answered with HTTP {status}{_in_brackets(ids)}: {words}"
        remedy = advice_for(code, words, status=status) or (nowhere if creating and status == 404 else None)
        if status == 429:
            return RateLimited(said, wait_seconds=_hint(response.headers), code=code, remedy=remedy)
        if status == 503 and not _cut_off(words):
            return ApiOverloaded(said, status=status, code=code, remedy=remedy)
        if status in {401, 402, 403} and code != SHARING_BLOCKED:
            return AccountRefused(said, status=status, code=code, remedy=remedy)
        if 300 <= status < 400:
            where = self._safe(response.headers.get("location", "nowhere"))
            return RequestRefused(
                f"{self.base_url} redirects to {where}.",
                status=status,
                remedy="The key was not sent there. If that address is right, set TOGETHER_BASE_URL to it.",
            )
        if 400 <= status < 500 and status != 408:
            return RequestRefused(said, status=status, code=code, remedy=remedy)
        return NoClearAnswer(
            said, creating=creating, status=status, code=code, body=words, remedy=remedy, request_ids=ids
        )

    def _words(self, response: Answer) -> tuple[str, str | None]:
        """The server's own message and code, or the start of the body if it has no such JSON."""
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = None
        error = body.get("error", body) if isinstance(body, dict) else body
        if isinstance(error, dict):
            message, code = error.get("message"), error.get("code") or error.get("type")
            if isinstance(message, str):
                return self._safe(message), self._safe(code) if isinstance(code, str) else None
        return self._safe(error if isinstance(error, str) else response.text) or "no reason given", None

    def _masked(self, value: Any, depth: int = 0) -> Any:
        """The same JSON with all keys and signatures masked."""
        if isinstance(value, str):
            return without_signatures(value.replace(self._secret, "[API key]"))
        # `VideoJob` keeps nothing below this depth anyway.
        if depth > 100:
            return None
        if isinstance(value, dict):
            return {self._masked(name): self._masked(part, depth + 1) for name, part in value.items()}
        if isinstance(value, list):
            return [self._masked(part, depth + 1) for part in value]
        return value

    def _safe(self, text: str) -> str:
        """One printable line of at most 500 characters, without the key, in case a server echoes it."""
        return one_line(without_signatures(text[:20_000].replace(self._secret, "[API key]")), 500)

    async def models(self, *, within: float | None = None) -> dict[str, Any] | None:
        """`GET /v1/models`: all models that this key can use, as the API lists them; a bare list is put under `data`.
        Free; None if the API lacks it. See `catalogue.live`.

        Raises:
            TogetherError: any other failure.
        """
        return await self._listed("/v1/models", within)

    async def supported_models(self, *, within: float | None = None) -> dict[str, Any] | None:
        """`GET /v2/supported-models` of serverless video models, as `models`: their status, such as DEPRECATED.

        Raises:
            TogetherError: any other failure.
        """
        path = "/v2/supported-models?product=PRODUCT_SERVERLESS&modality=MODALITY_VIDEO"
        return await self._listed(path, within)

    async def _listed(self, path: str, within: float | None) -> dict[str, Any] | None:
        patience = min(self.timeouts.read_seconds, within or self.timeouts.read_seconds)
        try:
            return await self._call(self._reading, "GET", path, None, patience, lists=True)
        except RequestRefused as error:
            if error.status in {404, 405}:
                return None
            raise


class _Decoded(dict[str, Any]):
    """An answer that is a JSON object, and the ids of the call."""

    def __init__(self, content: dict[str, Any], *, request_ids: dict[str, str]) -> None:
        super().__init__(content)
        self.request_ids = request_ids


def _in_brackets(ids: Mapping[str, str], form: str = " ({})") -> str:
    """`(x-request-id 4f1c)`: what the provider's support needs."""
    return form.format(", ".join(f"{name} {text}" for name, text in ids.items())) if ids else ""


def _network_of(address: str) -> str:
    """The network that an address probably belongs to: the VPNs' range (RFC 2544), or the addresses around it."""
    if address.startswith(("198.18.", "198.19.")):
        return "198.18.0.0/15"
    return str(ip_network(f"{address}/{64 if ':' in address else 16}", strict=False))


def _cut_off(words: str) -> bool:
    """Whether a gateway's own 503 (Envoy's, Istio's) says that it lost the service while waiting for it."""
    return "reset" in words.lower() or "disconnect" in words.lower()


def _reason(error: BaseException) -> str:
    names: dict[type[BaseException], str] = {
        httpx.ReadTimeout: "the time for an answer ran out",
        httpx.WriteTimeout: "the time for sending ran out",
        httpx.ConnectTimeout: "the time for connecting ran out",
        httpx.PoolTimeout: "no connection became free",
        httpx.ReadError: "the connection broke before the answer came",
        httpx.WriteError: "the connection broke while sending",
        TimeoutError: "the answer did not end in time",
    }
    return names.get(type(error)) or one_line(str(error)).rstrip(".") or type(error).__name__


def _hint(headers: httpx.Headers) -> float | None:
    """Seconds to wait: `x-ratelimit-reset`, or `retry-after` (seconds or an HTTP date)."""
    for name in ("x-ratelimit-reset", "retry-after"):
        text = headers.get(name, "").strip().removesuffix("s")
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, TypeError):
                continue
        # Some gateways send a moment (Unix seconds or milliseconds) instead of a duration.
        if seconds > 1e11:
            seconds /= 1000
        if seconds > 1e8:
            seconds -= time.time()
        # No server asks to wait for more than a day: such a value means something else.
        if 0 <= seconds <= 86_400:
            return seconds
    return None
