"""Remove secrets from the lines. No check prints one, but the text of a foreign error might."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from prefect_together_video.flows.checkup.line import CheckLine
from together_video.masking import without_passwords

#: Variables that are secrets, and variables that hold an address, which can contain one.
_SECRETS = (
    "TOGETHER_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "PREFECT_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_CLIENT_CUSTOM_HEADERS",
)
_ADDRESSES = re.compile(r"_proxy$|_url(_s3)?$", re.IGNORECASE)
#: Shorter ones belong to local stand-ins, and occur in ordinary words.
_SHORTEST = 8


class Secrets:
    """The secrets in the environment, which must not be shown."""

    def __init__(self, environment: Mapping[str, str], more: Iterable[str] = ()) -> None:
        found = {environment.get(name, "").strip() for name in _SECRETS} | set(more)
        for name, value in environment.items():
            if not _ADDRESSES.search(name):
                continue
            # A user name alone can be a token, and so can a query value.
            found |= {value.partition("//")[2].partition("/")[0].rpartition("@")[0]}
            found |= {pair.partition("=")[2] for pair in value.partition("?")[2].split("&")}
            if password := _password(value):
                # Some libraries split a password at a slash and show the pieces.
                found |= {password, unquote(password), *re.split("[/?#@]", password)}
        # A secret can also be "user:password".
        found |= {secret.partition(":")[2] for secret in found}
        self._found = sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True)

    def removed_from(self, line: CheckLine) -> CheckLine:
        """The line with *** in place of each secret."""
        texts = {name: getattr(line, name) for name in ("words", "remedy", "command")}
        return line.model_copy(update={name: text and self._clean(text) for name, text in texts.items()})

    def _clean(self, text: str) -> str:
        for secret in self._found:
            text = text.replace(secret, "***")
        return without_passwords(text)


def _password(address: str) -> str | None:
    """The text between the user name and the last @: a password can contain any character."""
    rest = address.partition("://")[2] or address
    return rest.rpartition("@")[0].partition(":")[2] or None
