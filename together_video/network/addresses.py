"""Which addresses can be called at all, and which of them are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

#: IPv6 networks with an IPv4 address in the last 32 bits (RFC 6052, RFC 4291 section 2.5.5), and those with one after
#: the first 16 bits (6to4, RFC 3056).
_EMBEDDED_LAST = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"))
_EMBEDDED_FIRST = IPv6Network("2002::/16")
#: Further networks that are not public, whatever the standard library of a supported Python says: protocol assignments,
#: including Oracle's metadata (RFC 6890), the old 6to4 relays (RFC 7526), the host of an Azure machine; in IPv6,
#: protocol assignments, including Teredo, and documentation (RFC 9637).
_NOT_PUBLIC_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
_NOT_PUBLIC_V6 = tuple(map(IPv6Network, ("2001::/23", "3fff::/20")))
#: All assigned global unicast addresses of IPv6 (IANA).
_GLOBAL_V6 = IPv6Network("2000::/3")
#: Names that always refer to this machine or its own network (RFC 6761, RFC 6762, RFC 8375).
_LOCAL_NAMES = (
    *(".localhost", ".local", ".localdomain", ".internal", ".home.arpa"),
    *(".lan", ".intranet", ".corp", ".home", ".svc"),
)


def is_reachable(url: httpx.URL) -> bool:
    """Whether a resolver would accept the host and port, instead of raising something odd."""
    try:
        url.host.encode("idna")
    except UnicodeError:
        return False
    exists = url.port is None or 0 < url.port < 65_536
    return exists and bool(url.host) and not set(" %") & set(url.host)


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as; None if it is a name.

    Besides 127.0.0.1 and ::1, the system's resolver accepts other spellings of addresses, such as 127.1, 0x7f000001 and
    2130706433, which `inet_aton` reads.
    """
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _as_inet_aton(host)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of the public Internet: not one of this machine, a private network, a link or a group,
    and not an IPv6 address that leads to one of these.

    The rule follows IANA's special-purpose registries, like `ipaddress.is_global`.
    """
    if isinstance(address, IPv6Address):
        if any(address in network for network in _EMBEDDED_LAST):
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address in _EMBEDDED_FIRST:
            return is_public(IPv4Address(int(address) >> 80 & 0xFFFF_FFFF))
        if address not in _GLOBAL_V6 or any(address in network for network in _NOT_PUBLIC_V6):
            return False
    elif any(address in network for network in _NOT_PUBLIC_V4):
        return False
    return address.is_global and not address.is_multicast


def is_local_name(host: str) -> bool:
    """Whether a name belongs to this machine or its network, so that no public server has it, or looks like an address
    without being one.
    """
    name = host.rstrip(".").lower()
    last = name.rpartition(".")[2]
    return "." not in name or name.endswith(_LOCAL_NAMES) or last.isdecimal() or last.startswith("0x")


def _as_inet_aton(host: str) -> IPv4Address | None:
    parts = host.rstrip(".").split(".")
    if not 1 <= len(parts) <= 4:
        return None
    numbers = [_number(part) for part in parts]
    *front, last = numbers
    if last is None or any(number is None or number > 255 for number in front):
        return None
    value = 0
    for number in front:
        value = value << 8 | (number or 0)
    room = 8 * (4 - len(front))
    return IPv4Address(value << room | last) if last < 1 << room else None


def _number(text: str) -> int | None:
    """Decimal, octal with a leading 0, or hexadecimal with 0x. None if it is not a number, or is too long."""
    if not text.isascii() or not 0 < len(text) <= 300:
        return None
    base = 16 if text[:2].lower() == "0x" else 8 if text[0] == "0" and len(text) > 1 else 10
    digits = text[2:] if base == 16 else text
    try:
        return int(digits, base) if digits.isalnum() and len(digits.lstrip("0")) <= 12 else None
    except ValueError:
        return None
