"""Run a flow from the command line, with the configured Prefect server or without one."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

import httpx
from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from prefect.utilities.urls import url_for

from prefect_together_video.blocks import TogetherCredentials, VideoArchive
from prefect_together_video.flows.cli.confirmation import Confirmation
from prefect_together_video.flows.cli.execution import execute, warnings_shown
from prefect_together_video.flows.cli.options import LookOptions, PlaceOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.flows.reporting.results import Ending, keeping
from prefect_together_video.flows.server.address import shown
from prefect_together_video.flows.server.asking import answers, reach, reach_configured
from prefect_together_video.tasks.session.planning import fits_a_run
from together_video.errors import ConfigurationError, InputError
from together_video.film.storyboard import Storyboard
from together_video.ledger.audit import AuditReport
from together_video.ledger.summary import Summary
from together_video.requests import VideoRequest
from together_video.text import one_line

AsyncFlow = Flow[..., Coroutine[Any, Any, Any]]

_NO_SERVER = "Blocks are saved on a Prefect server, but none is configured: set PREFECT_API_URL."


def run_flow(
    flow: AsyncFlow,
    parameters: dict[str, Any],
    place: PlaceOptions,
    terminal: Terminal,
    reference: dict[str, Any] | None = None,
    asking: Confirmation | None = None,
) -> tuple[int, Summary | AuditReport | None]:
    """Run to the end and show progress on the terminal. Returns the exit code and the result, if there is one.

    `reference` are parameters that name a file instead of listing the requests, in case they are too large for a
    Prefect server. See `execution.execute` for the rest.
    """
    dry = asking is not None and asking.is_dry_run
    return execute(
        lambda: _run(flow, parameters, place, terminal, reference, recorded=not dry), terminal, asking
    )


async def _run(
    flow: AsyncFlow,
    parameters: dict[str, Any],
    place: PlaceOptions,
    terminal: Terminal,
    reference: dict[str, Any] | None,
    *,
    recorded: bool = True,
) -> Ending:
    server = PREFECT_API_URL.value()
    if server and recorded:
        await reach(server, optional=True)
        parameters = {**_fitting(parameters, reference), **await _blocks(place)}
        with warnings_shown(terminal):
            return await _recorded(flow, parameters, server, terminal)
    if place.together or place.archive:
        await reach_configured(_NO_SERVER)
    # Prefect would start a temporary server, which takes longer than many videos. Each step still
    # has its task's retries and time limit, but the run is not recorded.
    with warnings_shown(terminal):
        state = await flow.fn(**parameters, **await _blocks(place))
    return _ending_of(state, state.data)


def _fitting(parameters: dict[str, Any], reference: dict[str, Any] | None) -> dict[str, Any]:
    """The parameters. Requests or a storyboard that are too large for a Prefect server are replaced by their file.

    Raises:
        InputError: they are too large and came from standard input.
    """
    requests: Sequence[VideoRequest] = parameters.get("requests") or ()
    board: Storyboard | None = parameters.get("storyboard")
    if fits_a_run(requests if board is None else [board]):
        return parameters
    if not reference:
        what, them = (
            (f"{len(requests)} requests are", "them") if board is None else ("This storyboard is", "it")
        )
        raise InputError(
            f"{what} too large for one run on a Prefect server: save {them} to a file and use that, or unset "
            "PREFECT_API_URL. Nothing was created."
        )
    kept = {
        name: value
        for name, value in parameters.items()
        if name not in {"requests", "sweeps", "tries", "takes", "storyboard"}
    }
    return {**kept, **reference}


async def _recorded(flow: AsyncFlow, parameters: dict[str, Any], server: str, terminal: Terminal) -> Ending:
    """Run the flow and let the server record it. If the server goes away, the videos are made all the same.

    Raises:
        ConfigurationError: the server went away before the run could end.
    """
    with keeping() as endings:
        try:
            state: State[Any] = await flow(**parameters, return_state=True)
            terminal.run_url = _page_of(state)
        except (httpx.TransportError, RuntimeError) as error:
            # RuntimeError: Prefect's engine could not read the server's version.
            if isinstance(error, RuntimeError) and not isinstance(error.__cause__, httpx.HTTPError):
                raise
            if not endings:
                shutdown.give_up_sending()
                raise ConfigurationError(
                    f"The Prefect server at {shown(server)} went away during the run. "
                    "Run again: it resumes where it stopped."
                ) from error
        except PrefectHTTPStatusError as error:
            if not endings:
                raise ConfigurationError(
                    f"The Prefect server at {shown(server)} refuses the run (HTTP {error.response.status_code}): "
                    f"{one_line(error.response.text, 300)}.",
                    remedy="Work already started is recorded in the archive. Run the command again to continue.",
                ) from error
    if not endings:
        return _ending_of(state, await state.aresult(raise_on_failure=False))
    if not await answers(server):
        shutdown.give_up_sending()
        terminal.complain(
            f"The Prefect server at {shown(server)} went away, so it did not record how the run ended."
        )
    return endings[-1]


def _ending_of(state: State[Any], data: object) -> Ending:
    name = "Completed" if state.is_completed() else state.name or state.type.value
    return Ending(name, state.message or "", data)


def _page_of(state: State[Any]) -> str | None:
    """Where Prefect's UI shows the run."""
    run = state.state_details.flow_run_id
    return None if run is None else url_for("flow-run", run)


async def archive_of(options: LookOptions) -> VideoArchive:
    """The archive that the options name, or the environment's.

    Raises:
        ConfigurationError: there is no such block, no Prefect server to read it from, or neither a bucket nor a folder.
    """
    options.refuse_two_archives()
    if options.archive is None:
        return VideoArchive.from_env(options.archive_folder)
    found: VideoArchive = (await _saved(LookOptions(archive=options.archive)))["archive"]
    return found


async def credentials_of(options: LookOptions) -> TogetherCredentials:
    """The credentials that the options name, or the environment's.

    Raises:
        ConfigurationError: there is no such block, no Prefect server to read it from, or no key.
    """
    if options.together is None:
        return TogetherCredentials.from_env()
    found: TogetherCredentials = (await _saved(LookOptions(together=options.together)))["together"]
    return found


async def _saved(options: LookOptions) -> dict[str, Any]:
    await reach_configured(_NO_SERVER)
    return await _blocks(options)


async def _blocks(options: LookOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.archive_folder is not None:
        found["archive"] = VideoArchive.from_env(options.archive_folder)
    for parameter, name, kind in (
        ("together", options.together, TogetherCredentials),
        ("archive", options.archive, VideoArchive),
    ):
        if name is None:
            continue
        try:
            found[parameter] = await kind.aload(name)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise ConfigurationError(
                "The blocks could not be read from the Prefect server. Nothing was created. Run again."
            ) from error
        except ValueError as error:
            raise ConfigurationError(
                f"There is no block {name!r} for --{parameter} on this Prefect server."
            ) from error
    return found
