"""Private hosts that may be called: those that the operator lists, and the API's own."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

import httpx
from pydantic import BaseModel

from together_video.environment import from_environment
from together_video.errors import ConfigurationError
from together_video.network.addresses import is_reachable, literal
from together_video.text import printable

#: The variable that lists them.
VARIABLE = "TOGETHER_VIDEO_TRUSTED_HOSTS"
_PORTS = {"http": 80, "https": 443}


class _Named(BaseModel):
    trusted_hosts: str = ""


@dataclass(frozen=True)
class TrustedHosts:
    """Hosts whose links are followed wherever they are, also over plain http.

    Attributes:
        names: hosts and the port, or None for any: `("nas.example.com", None)`.
        networks: addresses of networks.
    """

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_env(cls) -> Self:
        """The hosts in `TOGETHER_VIDEO_TRUSTED_HOSTS`: names, addresses and networks, separated by commas or spaces; an
        entry with a port covers only that port.

        Example:
            `nas.example.com, 10.1.2.3:9000, 10.8.0.0/16`

        Raises:
            ConfigurationError: an entry is not one of these.
        """
        names: set[tuple[str, int | None]] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for entry in from_environment(_Named, "TOGETHER_VIDEO_").trusted_hosts.replace(",", " ").split():
            try:
                if set(entry) & set("*?#\\@%") or entry.isdecimal():
                    raise ValueError("no host")
                if "/" in entry:
                    networks.append(ip_network(entry))
                    continue
                bare = f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry
                url = httpx.URL(f"any://{bare}")
                if not is_reachable(url) or url.userinfo:
                    raise ValueError("no host")
            except (ValueError, httpx.InvalidURL) as error:
                raise ConfigurationError(
                    f"{VARIABLE} contains {printable(entry, 60)!r}, which is not a host name, address or network: "
                    "write it like nas.example.com, 10.1.2.3 or 10.8.0.0/16."
                ) from error
            names.add((_key(url.host), url.port))
        return cls(frozenset(names), tuple(networks))

    def with_origin(self, url: str) -> TrustedHosts:
        """These hosts, and the host and port of an address that the operator configured."""
        origin = httpx.URL(url)
        port = origin.port or _PORTS.get(origin.scheme)
        return TrustedHosts(self.names | {(_key(origin.host), port)}, self.networks)

    def covers(self, url: httpx.URL) -> bool:
        """Whether the host of this address is trusted, by its name or by the address that it is written as."""
        host, port = _key(url.host), url.port or _PORTS.get(url.scheme)
        if {(host, None), (host, port)} & self.names:
            return True
        address = literal(host)
        return address is not None and any(address in network for network in self.networks)


def _key(host: str) -> str:
    """A host in one spelling; all names of this machine count as one host."""
    address = literal(host)
    if (address is not None and address.is_loopback) or host.rstrip(".").lower() == "localhost":
        return "localhost"
    return str(address) if address is not None else host.rstrip(".").lower()
