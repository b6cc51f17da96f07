"""Why a video is not in the archive, in a few words: for lines of displays, if the whole message is kept elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from together_video.text import one_line

#: The parts of our own messages that say how, where and under which id a call was made.
_REPLACED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"^It may have been charged at ([^:]*:\d\d UTC) and gave no job id: ", r"held since \1: "),
        (r"\b(?:GET|POST|PUT|DELETE) \S+ was answered with HTTP (\d{3})", r"the API answered HTTP \1"),
        (r"[^\s(]+ gave no clear answer to (?:GET|POST|PUT|DELETE) \S+: ", ""),
        (r"\((HTTP \d{3}); [^()]*\)", r"(\1)"),
        (r" \((?:[\w-]*request-id|[\w-]*trace[\w-]*|cf-ray)[^()]*\)", ""),
        (r"^[Jj]ob \S+ (failed|cancelled): ", ""),
        (r"^(?:The|A|Another) job \S*\d\S* ", "the job "),
        (r"\b[Jj]ob \S*\d[^\s,.;:)]*", "the job"),
        (r"(no job id|is not JSON|its status is (?:no|not) text): [{\[<\"].*", r"\1"),
    )
)
#: Beginnings of the sentences about the cost and what to do.
_REST = re.compile(
    r"[.;,:]?\s(?:It may have been|Nothing was created|The job (?:is billed|was made)|It is held|--[a-z]"
    r"|What came is kept|Ask the provider)"
)
_ADDRESS = re.compile(r"\b[a-z0-9]+://[^\s,;)]+")


def short_reason(message: str, longest: int = 120) -> str:
    """The cause from one of our messages, without calls, ids, addresses, the cost and what to do.

    Example:
        ```python
        short_reason("POST /v2/videos was answered with HTTP 500 (x-request-id 1): busy. It may have been charged.")
        # "the API answered HTTP 500: busy"
        ```
    """
    words = one_line(message)[:2000]
    if found := _REST.search(words):
        words = words[: found.start()]
    for pattern, instead in _REPLACED:
        words = pattern.sub(instead, words)
    words = _ADDRESS.sub(lambda found: _host(found[0]), words).strip().rstrip(".:;")
    return one_line(words, longest)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "an address"
    except ValueError:
        return "an address"
