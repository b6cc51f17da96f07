"""The command line page, with the texts of `--help`."""

from __future__ import annotations

import re
from functools import cache

from prefect_together_video.flows.__main__ import app

_INTRO = """# Command line

These are the texts of `together-video COMMAND --help`. `--flag VALUE` and `--flag=VALUE` mean the same.

| exit code | means |
| --- | --- |
| 0 | Everything is done. |
| 1 | Something is missing or failed. The output says what, and what to run next. |
| 2 | The input cannot work. Nothing was sent and nothing was paid. |
| 130 | The command was interrupted. Run it again to resume. |

[Configuration](configuration.md) lists the variables and blocks that the commands read."""


@cache
def commands_page() -> str:
    """Every command with its arguments and options."""
    written = app.generate_docs()
    _, contents, commands = re.split(
        r"^(?=\*\*Commands\*\*:$|## together-video demo$)", written, flags=re.MULTILINE
    )
    listed = re.sub(r"^\* ", "- ", contents.split("\n\n", 1)[1].strip(), flags=re.MULTILINE)
    body = re.sub(r"^\* ", "- ", commands.strip(), flags=re.MULTILINE)
    body = re.sub(r"^(## together-video .*)$", _heading, body, flags=re.MULTILINE)
    return "\n\n".join((_INTRO, "## Commands", listed, _in_code(body)))


def _heading(found: re.Match[str]) -> str:
    """The heading with an explicit anchor, because other pages link to it."""
    words = found[1].removeprefix("## ")
    return f"## {words} {{ #{words.replace(' ', '-')} }}"


def _in_code(text: str) -> str:
    """Escape angle brackets in the texts, because they are not HTML."""
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))
