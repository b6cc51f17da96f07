"""One line of a checkup, and the guard that keeps a check from stopping or delaying the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from together_video.errors import VideoError
from together_video.text import printable

#: Seconds that one check may take.
PATIENCE = 15.0

#: Names of the lines, in their order.
PYTHON, DEPENDENCIES, DECODER, DISK = "Python", "Dependencies", "Decoder", "Disk"
CERTIFICATES, PROXY, API, ARCHIVE, CLOCK = "Certificates", "Proxy", "API key", "Archive", "Clock"
SERVER, DEPLOYMENTS, BLOCKS, POOL = "Prefect server", "Deployments", "Blocks", "Work pool"
OUTPUT = "Output"
NAMES = (
    *(PYTHON, DEPENDENCIES, DECODER, DISK, CERTIFICATES, PROXY, API, ARCHIVE, CLOCK),
    *(SERVER, DEPLOYMENTS, BLOCKS, POOL, OUTPUT),
)


class State(StrEnum):
    """The result of a check. Only `failed` prevents a run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckLine(BaseModel):
    """What one check found, and what fixes it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="What was checked, in one or two words.")
    state: State = Field(description="ok, warning, failed or skipped.")
    words: str = Field(description="What was found, in whole sentences.")
    remedy: str | None = Field(default=None, description="What to do about it, if the words do not say so.")
    command: str | None = Field(default=None, description="The command that does it.")


def ok(name: str, words: str) -> CheckLine:
    return CheckLine(name=name, state=State.OK, words=words)


def warning(name: str, words: str, remedy: str | None = None, command: str | None = None) -> CheckLine:
    return CheckLine(name=name, state=State.WARNING, words=words, remedy=remedy, command=command)


def failed(name: str, words: str, remedy: str | None = None, command: str | None = None) -> CheckLine:
    return CheckLine(name=name, state=State.FAILED, words=words, remedy=remedy, command=command)


def skipped(name: str, words: str, remedy: str | None = None, command: str | None = None) -> CheckLine:
    return CheckLine(name=name, state=State.SKIPPED, words=words, remedy=remedy, command=command)


async def guarded(
    name: str,
    check: Callable[[], Awaitable[CheckLine]],
    *,
    seconds: float = PATIENCE,
    hint: str | None = None,
) -> CheckLine:
    """Run a check and return its line, even if the check raises an error or hangs. `hint`: what to do if it hangs.

    Only the type of an unexpected error is shown, because its text could contain a secret.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await check()
    except VideoError as error:
        return failed(name, error.message)
    except ImportError as error:
        words = f"A part of this installation cannot be loaded: {printable(str(error), 300).rstrip('.')}."
        return failed(name, words, "See the line about dependencies, or reinstall this package.")
    except Exception as error:  # noqa: BLE001 - one check must not stop the others
        if isinstance(error, TimeoutError) and limit.expired():
            return failed(name, f"There was no answer within {seconds:.0f} seconds.", hint)
        return failed(name, f"The check itself failed ({type(error).__name__}): please report this.")
