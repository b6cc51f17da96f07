"""The proxies from the environment, in httpx's form.

`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, as curl and requests read them. httpx refuses
some values that other programs accept, and then it refuses every client of the process: an address in brackets in
`NO_PROXY`, names separated by spaces, and the scheme `socks://` that desktops export.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.request import getproxies

import httpx
from anyio import connect_tcp, fail_after

from together_video.errors import ConfigurationError, Spent
from together_video.masking import masked
from together_video.network.addresses import is_reachable

_SCHEMES = ("http", "https", "all")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True)
class ProxySettings:
    """Which proxy httpx uses for each address.

    Attributes:
        by_pattern: httpx's URL patterns, such as `https://` or `all://*example.com`, each with the proxy's URL, or None
            if none is used.
        warnings: the parts of `NO_PROXY` that are not understood and ignored, one sentence each.
    """

    by_pattern: Mapping[str, str | None]
    warnings: tuple[str, ...] = ()

    def variable_for(self, address: str) -> str | None:
        """The variable that names the proxy of this address; None if it is called without one."""
        scheme = self._scheme_for(address)
        return None if scheme is None else _variable(scheme)

    def described_for(self, address: str) -> str | None:
        """The variable and its proxy without user and password, such as `HTTPS_PROXY (http://proxy:3128)`."""
        scheme = self._scheme_for(address)
        if scheme is None:
            return None
        return f"{_variable(scheme)} ({masked(self.by_pattern[f'{scheme}://'] or '')})"

    async def check_listening(self, seconds: float) -> None:
        """Check that the proxies for https addresses accept connections; nothing is sent to them.

        Raises:
            ConfigurationError: one does not; the message names the variable.
        """
        for scheme in ("https", "all"):
            if not (proxy := self.by_pattern.get(f"{scheme}://")):
                continue
            url = httpx.URL(proxy)
            try:
                with fail_after(seconds):
                    stream = await connect_tcp(url.host, url.port or _PORTS[url.scheme])
                await stream.aclose()
            except (OSError, TimeoutError, UnicodeError) as error:
                name = _variable(scheme)
                raise ConfigurationError(
                    f"Nothing answers at the proxy that {name} names ({masked(proxy)}), but downloads "
                    "must go through it.",
                    spent=Spent.NOTHING,
                    remedy=f"Start the proxy, or correct or unset {name}.",
                ) from error

    def _scheme_for(self, address: str) -> str | None:
        url = httpx.URL(address)
        if any(proxy is None and _fits(pattern, url) for pattern, proxy in self.by_pattern.items()):
            return None
        return next((name for name in (url.scheme, "all") if f"{name}://" in self.by_pattern), None)


def proxies_from_env() -> ProxySettings:
    """The proxies from the environment (on macOS and Windows also from the system's settings).

    Example:
        With `ALL_PROXY=socks://127.0.0.1:1080` and `NO_PROXY=localhost`, `by_pattern` is
        `{"all://": "socks5://127.0.0.1:1080", "all://localhost": None}`.

    Raises:
        ConfigurationError: a proxy's address cannot be used; the message names the variable.
    """
    given = getproxies()
    used = {scheme: given[scheme].strip() for scheme in _SCHEMES if given.get(scheme, "").strip()}
    if not used:
        return ProxySettings({})
    hosts = _hosts(given.get("no", ""))
    if "*" in hosts:
        return ProxySettings({})
    exceptions, ignored = _exceptions(hosts)
    proxies = {f"{scheme}://": _usable(address, scheme) for scheme, address in used.items()}
    warnings = tuple(
        f"{_variable('no')} contains {text!r}, which is neither a host name nor an address. It is ignored."
        for text in ignored
    )
    return ProxySettings({**proxies, **dict.fromkeys(exceptions)}, warnings)


def make_usable_for_httpx() -> tuple[str, ...]:
    """Rewrite this process's proxy variables so that other users of httpx in it, such as Prefect, can read them.

    The meaning stays the same. Only for our own programs: a library must not change its user's environment.

    Returns:
        What had to be ignored, one sentence each.

    Raises:
        ConfigurationError: see `proxies_from_env`.
    """
    settings = proxies_from_env()
    for scheme in _SCHEMES:
        if address := settings.by_pattern.get(f"{scheme}://"):
            os.environ[_variable(scheme)] = address
        elif not os.environ.get(_variable(scheme), "").strip():
            # httpx would take blanks for a host. An empty lower-case variable also switches the upper-case one off.
            for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper()):
                os.environ.pop(name, None)
    if text := os.environ.get(_variable("no"), ""):
        os.environ[_variable("no")] = ",".join(filter(None, map(_as_httpx_reads_it, _hosts(text))))
    return settings.warnings


def _usable(address: str, scheme: str) -> str:
    """A proxy's URL in full.

    Raises:
        ConfigurationError: httpx cannot use it.
    """
    url = address if "://" in address else f"http://{address}"
    if url.lower().startswith("socks://"):
        url = f"socks5{url[5:]}"
    try:
        proxy = httpx.Proxy(url)
        if not is_reachable(proxy.url):
            raise ValueError("it has an impossible host or port")
        httpx.AsyncHTTPTransport(proxy=proxy, verify=False)
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        # httpx takes a password with a slash for a port, and would quote it.
        reason = "" if "@" in url else f": {' '.join(str(error).split()).rstrip('.')}"
        raise ConfigurationError(
            f"{_variable(scheme)} names a proxy that cannot be used ({masked(url)}){reason}. Use an address "
            "such as http://HOST:PORT or socks5://HOST:PORT, or unset it."
        ) from error
    return url


def _hosts(text: str) -> list[str]:
    """The entries of `NO_PROXY`; some people separate them by spaces."""
    return [host for host in re.split(r"[,\s]+", text) if host]


def _exceptions(hosts: list[str]) -> tuple[list[str], list[str]]:
    """httpx's patterns for addresses without a proxy, and the entries that are not hosts."""
    patterns, ignored = [], []
    for host in hosts:
        pattern = _pattern(host)
        # httpx does not know networks such as 10.0.0.0/8: it would take this for the host 10.0.0.0.
        if pattern is None or httpx.URL(pattern).path not in {"", "/"}:
            ignored.append(host)
        else:
            patterns.append(pattern)
    return patterns, ignored


def _pattern(host: str) -> str | None:
    """httpx's URL pattern for an entry of `NO_PROXY`; None if there is none."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.removeprefix("*")
    if "://" in host:
        pattern = host
    elif _is_address(bare):
        pattern = f"all://[{bare}]" if ":" in bare else f"all://{bare}"
    elif host.startswith("[") or host.lower() == "localhost":
        pattern = f"all://{host}"  # an IPv6 address with its port, or this machine
    else:
        pattern = f"all://*{bare}"
    try:
        parsed = httpx.URL(pattern)
    except (httpx.InvalidURL, ValueError):
        return None
    return pattern if parsed.host and (parsed.port or 1) <= 65_535 else None


def _as_httpx_reads_it(host: str) -> str | None:
    """An entry of `NO_PROXY` for which httpx makes the same pattern; None if httpx would raise an error."""
    if host == "*":
        return host
    pattern = _pattern(host)
    if pattern is None:
        return None
    if host.startswith("["):
        return host[1:-1] if host.endswith("]") else pattern
    return host.removeprefix("*")


def _fits(pattern: str, url: httpx.URL) -> bool:
    wanted = httpx.URL(pattern)
    if wanted.scheme not in {"all", url.scheme} or wanted.port not in {None, url.port}:
        return False
    name = wanted.host.removeprefix("*")
    if name.startswith("."):
        return url.host.endswith(name)
    return url.host == name or (wanted.host.startswith("*") and url.host.endswith(f".{name}"))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _variable(scheme: str) -> str:
    """The variable that is read, in its case; lower case takes precedence."""
    lower = f"{scheme}_proxy"
    return lower if lower in os.environ else lower.upper()
