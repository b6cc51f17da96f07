"""Addresses for messages: anything that can be a password, a token or a signature is replaced by ***."""

from __future__ import annotations

import re

_BEGIN = re.compile(r"(?:[A-Za-z][\w+.-]*:/+)?/*")
_END_OF_HOST = re.compile(r"[/?#]")
_SLASH = re.compile("/")
_SPACES = re.compile(r"(\s+)")


def masked(address: str) -> str:
    """One address without user, password and query.

    Example:
        >>> masked("https://me:secret@host/path?token=1")
        'https://***@host/path?***'
    """
    begin = _BEGIN.match(address)
    start = 0 if begin is None else begin.end()
    at = _end_of_user(address, start, _END_OF_HOST)
    if at is not None:
        address = f"{address[:start]}***{address[at:]}"
    address, question, _ = address.partition("?")
    return f"{address}?***" if question else address


def without_passwords(text: str) -> str:
    """Text from elsewhere, such as a library's error, without the users and passwords in its addresses.

    Example:
        >>> without_passwords("no connection to https://me:secret@host/path")
        'no connection to https://***@host/path'
    """
    if "@" not in text or "//" not in text:
        return text
    return "".join(map(_word_without_password, _SPACES.split(text)))


def _word_without_password(word: str) -> str:
    last = word.rfind("@")
    start = word.find("//")
    while -1 < start < last:
        start += 2
        if (at := _end_of_user(word, start, _SLASH, last)) is not None:
            return f"{word[:start]}***{word[at:]}"
        start = word.find("//", start)
    return word


def _end_of_user(text: str, start: int, end: re.Pattern[str], last: int | None = None) -> int | None:
    """The position of the @ that ends user and password in the address whose host begins at `start`; None if there is
    none. With a password it is the last @, because a password may contain any character. A user name alone may be a
    token.

    `last` is the position of the text's last @.
    """
    last = text.rfind("@") if last is None else last
    found = end.search(text, start)
    stop = len(text) if found is None else found.start()
    colon = text.find(":", start, stop)
    at = last if -1 < colon < last else text.find("@", start, stop)
    return None if at < start else at
