"""Addresses for messages: whatever may be a password, a token or a signature in one is replaced by ***."""

from __future__ import annotations

import re

#: Up to the last @: a password may hold any character, and a user's name alone may be a token.
_USER = re.compile(r"^((?:[A-Za-z][\w+.-]*:/+)?+/*+)(?:[^/?#]*:.*|[^/?#@]*)@", re.DOTALL)
#: The same inside of a text. Scheme and user end at a space.
_USER_IN_TEXT = re.compile(r"(?<=//)(?:[^/\s@]*:[^\s]*|[^/\s@]+)@")


def masked(address: str) -> str:
    """One address without user, password and query.

    Example:
        >>> masked("https://me:secret@host/path?token=1")
        'https://***@host/path?***'
    """
    return re.sub(r"\?.*", "?***", _USER.sub(r"\1***@", address), flags=re.DOTALL)


def without_passwords(text: str) -> str:
    """A text of others, such as a library's error, without the users and passwords of the addresses in it.

    Example:
        >>> without_passwords("no connection to https://me:secret@host/path")
        'no connection to https://***@host/path'
    """
    return _USER_IN_TEXT.sub("***@", text) if "@" in text else text
