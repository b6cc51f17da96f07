"""The sessions of this process: one for each account and archive, for every task and thread."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from anyio.lowlevel import RunVar
from prefect.blocks.core import Block
from pydantic import BaseModel, SecretBytes, SecretStr

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.tasks.running.background import background
from prefect_together_video.tasks.session.session import Session, has_failed
from together_video.errors import ConfigurationError, FolderReplaced, InputError
from together_video.text import one_line

B = TypeVar("B", bound=Block)

#: A session that was idle for this long, in seconds, is closed when another one is opened.
_IDLE = 600.0
#: How long a block that was loaded by name counts as current, in seconds.
_FRESH = 60.0


class _Sessions:
    """The sessions of one event loop."""

    def __init__(self) -> None:
        self.opened: dict[str, asyncio.Task[Session]] = {}
        #: Closed to new users, but still in use.
        self.left: list[Session] = []
        self.loaded: dict[tuple[type[Block], str], tuple[float, Block]] = {}
        self.loading = asyncio.Lock()

    async def close(self) -> None:
        for session in self.left:
            await session.close()
        self.left.clear()
        for task in self.opened.values():
            if task.done() and not has_failed(task):
                await task.result().close()
        self.opened.clear()


_current: RunVar[_Sessions] = RunVar("sessions")


def _sessions() -> _Sessions:
    try:
        return _current.get()
    except LookupError:
        made = _Sessions()
        _current.set(made)
        if (shared := background()).loop is asyncio.get_running_loop():
            shared.at_exit.append(made.close)
        return made


async def block_of(kind: type[B], given: B | str | None) -> B:
    """The given block, the saved block of this name, or the block that the environment describes.

    Raises:
        ConfigurationError: there is no such block, or the environment is incomplete.
        InputError: it is none of these.
    """
    if given is None:
        return cast(B, cast(Any, kind).from_env())
    if isinstance(given, kind):
        return given
    if isinstance(given, str):
        return await _loaded(kind, given)
    raise InputError(
        f"{one_line(repr(given), 60)} is not a {kind.__name__} block: pass one, the name of a saved one, or nothing "
        "to use the environment."
    )


async def _loaded(kind: type[B], name: str) -> B:
    known = _sessions()
    async with known.loading:
        when, block = known.loaded.get((kind, name), (0.0, None))
        if block is None or time.monotonic() - when > _FRESH:
            plain = name.removeprefix(f"{kind.get_block_type_slug()}/")
            try:
                block = await kind.aload(plain)
            except ValueError as error:
                raise ConfigurationError(
                    f"There is no {kind.get_block_type_name()} block named {one_line(plain, 60)!r}: save one, or run "
                    f"together-video save-blocks."
                ) from error
            known.loaded[kind, name] = (time.monotonic(), block)
    return cast(B, block)


@asynccontextmanager
async def session_for(together: TogetherCredentials, archive: VideoArchive) -> AsyncIterator[Session]:
    """The session for these two, shared by all users of the same blocks on this event loop.

    Raises:
        ConfigurationError: see `Session.open`.
    """
    known, key = _sessions(), _identity(together, archive)
    task = known.opened.get(key)
    if task is None or has_failed(task):
        await _close_idle(known)
        task = known.opened[key] = asyncio.create_task(Session.open(together, archive))
    session = await asyncio.shield(task)
    session.users += 1
    try:
        yield session
    except FolderReplaced:
        # The next call opens a new session on the folder that exists then.
        if known.opened.get(key) is task:
            del known.opened[key]
            known.left.append(session)
        raise
    finally:
        session.users -= 1
        if session.users == 0:
            session.idle_since = time.monotonic()
            await session.keep_durations()


async def _close_idle(known: _Sessions) -> None:
    for session in [one for one in known.left if one.users == 0]:
        known.left.remove(session)
        await session.close()
    for key, task in list(known.opened.items()):
        if task.done() and not has_failed(task):
            session = task.result()
            if session.users == 0 and time.monotonic() - session.idle_since > _IDLE:
                del known.opened[key]
                await session.close()


def _identity(*blocks: Block) -> str:
    """Equal for blocks with equal contents, secrets included; a digest, which reveals nothing about them.

    Prefect's own dump of a block looks its type up each time, which takes a third of a second.
    """
    return hashlib.sha256(repr([_said(block) for block in blocks]).encode()).hexdigest()


def _said(value: object) -> object:
    if isinstance(value, VideoArchive) and value.folder is not None:
        # As seen from here: a relative path names another folder once the process changes its folder.
        return [
            value.place.location,
            [_said(getattr(value, name)) for name in type(value).model_fields if name != "folder"],
        ]
    if isinstance(value, BaseModel):
        return type(value).__name__, [_said(getattr(value, name)) for name in type(value).model_fields]
    if isinstance(value, SecretStr | SecretBytes):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return [(str(name), _said(entry)) for name, entry in sorted(value.items(), key=str)]
    return [_said(entry) for entry in value] if isinstance(value, list | tuple) else value
