"""Flow: make what the files under `<prefix>/inbox/` of the archive request."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from pydantic import Field

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.opened import opened
from prefect_together_video.blocks.store.objects import ListedObject, StoredBytes
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.film import generate_film
from prefect_together_video.flows.forms.form import amount, entry, joined, shown_as
from prefect_together_video.flows.forms.groups import InboxMore
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Archive,
    Attempts,
    Edition,
    FallbackModels,
    InFlight,
    NewSeed,
    Polling,
    Strict,
    Together,
    Workers,
    documented,
    run_name,
)
from prefect_together_video.flows.reporting.results import final, refused, result_of
from prefect_together_video.flows.reporting.run_names import batch_name
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.planning import fits_a_run
from together_video.errors import ConfigurationError, InputError, VideoError
from together_video.film.inbox import held_up, read_film_or_order
from together_video.film.storyboard import Storyboard
from together_video.film.summary import FilmSummary
from together_video.inputs.inbox import (
    DONE,
    FOLDER,
    LARGEST,
    MOST_TRIES,
    REFUSED,
    TRIED,
    InboxReport,
    InboxRow,
    Order,
    mark_of,
    moved_name,
    waiting,
)
from together_video.ledger.records import edition_name
from together_video.ledger.summary import GOOD, Summary, VideoState
from together_video.temporary_folders import without_temporary_paths
from together_video.text import printable, sentences
from together_video.tries import Tries

#: How long a file may wait for a problem to pass: by then a new month's limit has applied.
_LONGEST_WAIT = timedelta(days=40)
#: A full disk on this machine says nothing about a file.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@shown_as(
    amount(
        "limit_usd",
        "The most that one file may cost, in US dollars. A file that may cost more is refused.",
        title="Limit (USD)",
    ),
    entry("more", InboxMore | None, "All other settings.", title="More"),
    entry("archive", Archive, "Where the files and the videos are; by default from the environment."),
)
@flow(
    name="watch-inbox",
    description="Make what the files under inbox/ of the archive request, and move each to inbox/done or refused.",
    flow_run_name=run_name("inbox"),
)
@documented(InboxReport)
async def watch_inbox(
    limit_usd: Annotated[
        float | None,
        Field(
            gt=0,
            description="The most that one file may cost, in US dollars, by the highest estimate. A file that may cost "
            "more is refused.",
        ),
    ] = None,
    edition: Edition = "once",
    in_flight: InFlight = 20,
    poll: Polling = None,
    attempts: Attempts = 1,
    new_seed: NewSeed = False,
    fallback_models: FallbackModels = None,
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    workers: Workers = 1,
    more: Annotated[
        InboxMore | None,
        Field(description="The form's optional group. It may not contradict a parameter of the same name."),
    ] = None,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Check the inbox once: each waiting file is a run of generate-batch or generate-film, the oldest first.

    The deployment `inbox` checks every ten minutes, and at the event `together-video.inbox.written`.

    If a file's run is interrupted, the file stays where it is and the next check resumes it: what was paid for is
    reused. For the same reason two checks may run at once. The run ends as Completed if all files were used and all
    their videos are in the archive, otherwise as Failed.

    Returns:
        An `InboxReport` with a row for each file.

    Raises:
        RunIncomplete: a file was refused or kept, or a video is missing; `result` is the report.
        VideoError: the run could not start; nothing was created.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import watch_inbox

        @flow
        async def look_into_the_inbox():
            report = await watch_inbox(limit_usd=10)
            return report.sentence
        ```
    """
    options: dict[str, Any] = {
        "edition": edition,
        "in_flight": in_flight,
        "poll": poll,
        "attempts": attempts,
        "new_seed": new_seed,
        "fallback_models": fallback_models,
        "on_ambiguous": on_ambiguous,
        "strict": strict,
        "workers": workers,
        # People who can write to the bucket are not trusted with the machine that reads it.
        "local_files": False,
        "together": together,
        "archive": archive,
    }
    rows = []
    try:
        options |= joined(options, more)
        async with opened(archive) as ledger:
            folder = ledger.layout.key(FOLDER, "")
            listed = {found.key: found for found in await ledger.store.list(folder)}
            names = sorted(waiting(listed, folder), key=lambda key: (listed[key].written_at, key))
            for key in names:
                if _is_left_alone(ledger, key, listed):
                    continue
                # The file's own edition: a check that resumes it tomorrow must not buy it again.
                its = {**options, "edition": edition_name(options["edition"], listed[key].written_at)}
                try:
                    row = await _use(ledger, key, listed[key].size, limit_usd, its, listed)
                except Exception as error:  # noqa: BLE001 - one file must not stop the others
                    row = await _failed(ledger, key, error)
                if row.state == "kept" and datetime.now(UTC) - listed[key].written_at > _LONGEST_WAIT:
                    row = await _given_up(ledger, key, row)
                run_logger().info("%s", row.sentence)
                rows.append(row)
    except VideoError as error:
        return refused(error).state
    report = InboxReport(files=tuple(rows))
    return final(report, is_good=report.is_good).state


async def _use(
    ledger: Ledger,
    key: str,
    size: int,
    limit_usd: float | None,
    options: dict[str, Any],
    known: Collection[str],
) -> InboxRow:
    """Make what one file requests, and move it. `known` are the keys of the inbox."""
    name = key.rsplit("/", 1)[-1]
    if size > LARGEST:
        words = f"It has {size} bytes; the most that is read is {LARGEST}. It stays where it is."
        beside = ledger.layout.key(FOLDER, REFUSED, f"{moved_name(name, datetime.now(UTC))}.reason.txt")
        await ledger.store.put_once(_too_large(ledger, key, size), b"")
        await ledger.store.put_once(beside, words.encode(), "text/plain; charset=utf-8")
        return InboxRow(name=name, state="refused", message=words)
    stored = await ledger.store.get(key)
    if stored is None:
        return InboxRow(name=name, state="kept", message="Another run has taken it.")
    # Written before the file is read: a file that crashes the machine leaves its mark, and is not read for ever.
    start = ledger.layout.key(FOLDER, TRIED, f"{mark_of(name, stored.etag)}-")
    tries = sorted(one for one in known if one.startswith(start))
    if len(tries) >= MOST_TRIES:
        message = f"{MOST_TRIES} attempts to read it did not finish."
        return await _move(ledger, key, stored, REFUSED, message, tries=tries)
    mark = f"{start}{len(tries) + 1}"
    await ledger.store.put_once(mark, b"being read", "text/plain; charset=utf-8")
    try:
        usual = Tries(
            attempts=options["attempts"],
            new_seed=options["new_seed"],
            fallback_models=options["fallback_models"],
        )
        read = partial(read_film_or_order, name, stored.data, limit_usd=limit_usd, usual=usual)
        order = await to_thread.run_sync(read)
    except InputError as error:
        return await _move(ledger, key, stored, REFUSED, error.message, tries=[*tries, mark])
    except Exception:
        # It counts like any other error.
        await ledger.store.delete([mark])
        raise
    await ledger.store.delete([mark])
    result = await _make(order, options, name)
    if isinstance(result, InputError) and not isinstance(result, ConfigurationError):
        return await _move(ledger, key, stored, REFUSED, result.message, tries=tries)
    if not isinstance(result, Summary):
        return await _failed(
            ledger, key, result if isinstance(result, Exception) else RuntimeError(str(result))
        )
    states = {found.state for found in result.videos}
    skipped = [found for found in result.videos if found.state is VideoState.SKIPPED]
    if isinstance(order, Storyboard) and isinstance(result, FilmSummary):
        skipped = held_up(order, result)
        if result.film is None and states <= GOOD:
            why = VideoError(result.problem or result.sentence)
            return await _failed(ledger, key, why, may_pass=result.may_pass)
    if skipped:
        message = f"{result.sentence}. {skipped[0].error}"
        return InboxRow(name=name, state="kept", message=message, summary=result)
    if states == {VideoState.REFUSED}:
        reason = "\n".join(dict.fromkeys(found.error or "" for found in result.videos))
        return await _move(ledger, key, stored, REFUSED, reason, tries=tries)
    return await _move(ledger, key, stored, DONE, f"{result.sentence}.", result, tries=tries)


def _too_large(ledger: Ledger, key: str, size: int) -> str:
    """The key that marks a file as refused because it is too large to be read or moved."""
    return ledger.layout.key(FOLDER, TRIED, f"{mark_of(key, str(size))}-large")


def _is_left_alone(ledger: Ledger, key: str, listed: Mapping[str, ListedObject]) -> bool:
    return listed[key].size > LARGEST and _too_large(ledger, key, listed[key].size) in listed


async def _given_up(ledger: Ledger, key: str, row: InboxRow) -> InboxRow:
    """Refuse a file that has waited too long for its problem to pass."""
    try:
        if (stored := await ledger.store.get(key)) is None:
            return row
        message = sentences(row.message, f"It has waited for {_LONGEST_WAIT.days} days.")
        tries = await _tries(ledger, row.name, stored)
        return await _move(ledger, key, stored, REFUSED, message, tries=tries)
    except VideoError:
        return row


async def _tries(ledger: Ledger, name: str, stored: StoredBytes) -> list[str]:
    start = ledger.layout.key(FOLDER, TRIED, f"{mark_of(name, stored.etag)}-")
    return [found.key for found in await ledger.store.list(start)]


async def _failed(ledger: Ledger, key: str, error: Exception, *, may_pass: bool = False) -> InboxRow:
    """What an error means for a file: kept while the error may pass, refused if it comes again and again."""
    name = key.rsplit("/", 1)[-1]
    if isinstance(error, VideoError):
        words = printable(without_temporary_paths(error.message), 500)
        may_pass = may_pass or error.may_pass
    else:
        # Its text may name any file of this machine, and everything that is said here gets into the bucket.
        run_logger().error("%s: unexpected %s", printable(name), printable(repr(error), 500))
        words = f"Unexpected {type(error).__name__}: see the log of the run."
        may_pass = isinstance(error, OSError) and error.errno in _FULL
    kept = InboxRow(name=name, state="kept", message=words)
    if may_pass:
        return kept
    try:
        stored = await ledger.store.get(key)
        if stored is None:
            return kept
        tries = await _tries(ledger, name, stored)
        mark = ledger.layout.key(FOLDER, TRIED, f"{mark_of(name, stored.etag)}-{len(tries) + 1}")
        if len(tries) + 1 < MOST_TRIES:
            await ledger.store.put_once(mark, words.encode(), "text/plain; charset=utf-8")
            return kept
        message = f"{MOST_TRIES} attempts failed. The last error: {words}"
        row = await _move(ledger, key, stored, REFUSED, message, tries=tries)
    except VideoError as trouble:
        return kept.model_copy(update={"message": sentences(words, trouble.message)})
    return row


async def _make(order: Storyboard | Order, options: dict[str, Any], name: str) -> object:
    parameters: dict[str, Any] = {**options}
    flow: Any = generate_batch
    if isinstance(order, Storyboard):
        flow, fits, called = generate_film, fits_a_run([order]), None
        # One worker makes all shots of a film.
        del parameters["workers"]
        parameters["storyboard"] = order
    elif order.brief is not None:
        fits, called = True, None
        parameters |= {"brief": order.brief, "settings": order.settings}
    else:
        parameters |= {
            "requests": [found.request for found in order.requests],
            "sweeps": [found.sweep for found in order.requests],
            "tries": [found.tries for found in order.requests],
            "takes": [found.take for found in order.requests],
        }
        fits = fits_a_run(found.request for found in order.requests)
        called = batch_name(None, parameters["requests"], name)
    if FlowRunContext.get() is None or not fits:
        # Too large for the parameters of a separate run: it is made as a part of this one.
        made: Any = await flow.fn(**parameters)
        return result_of(made.data)
    named = flow.with_options(flow_run_name=lambda: called) if called else flow
    state: Any = await named(**parameters, return_state=True)
    return result_of(await state.aresult(raise_on_failure=False))


async def _move(
    ledger: Ledger,
    key: str,
    stored: StoredBytes,
    where: Literal["done", "refused"],
    message: str,
    summary: Summary | None = None,
    *,
    tries: Sequence[str],
) -> InboxRow:
    """Write the copy and its outcome first, then remove the file, if it is still the same one.

    Args:
        tries: the keys of its marks. They are removed with it: the same file may be dropped again.
    """
    name = key.rsplit("/", 1)[-1]
    layout, store = ledger.layout, ledger.store
    moment = datetime.now(UTC)
    moved = moved_name(name, moment)
    while not await store.put_once(layout.key(FOLDER, where, moved), stored.data, "application/octet-stream"):
        await asyncio.sleep(1)
        moved = moved_name(name, moment := datetime.now(UTC))
    beside = layout.key(FOLDER, where, moved)
    if summary is not None:
        document = without_temporary_paths(summary.model_dump_json(indent=1))
        await store.put_once(f"{beside}.result.json", document.encode())
    else:
        reason = without_temporary_paths(message)
        await store.put_once(f"{beside}.reason.txt", reason.encode(), "text/plain; charset=utf-8")
    await store.delete_version(key, stored.etag)
    if tries:
        await store.delete(tries)
    return InboxRow(name=name, state=where, message=message, moved_to=beside, summary=summary)
