"""`together-video demo`: run the whole pipeline on this machine, without an account.

Starts a Prefect server, the sandbox and an S3 server as child processes, then runs `generate_batch` on a
brief. Everything is kept in one folder, so that a second demo reuses what the first one archived.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers.demo_place import (
    BUCKET,
    ENV_FILE,
    first_port,
    forget_own_settings,
    keep_up,
    settings_of,
)
from prefect_together_video.flows.cli.servers.local_servers import (
    PrefectServer,
    S3Server,
    SandboxServer,
    free_ports,
)
from together_video.errors import InputError
from together_video.ledger.summary import Summary
from together_video.text import counted

_BRIEF = "a lighthouse fox"
_STYLE = "cinematic, warm light, gentle camera"
_SETTINGS = {"width": 864, "height": 480}


def demo(
    *,
    keep: Annotated[bool, Parameter(negative=())] = False,
    count: int = 4,
    folder: GivenPath = Path(".demo"),
    film: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Run the pipeline end to end against local stand-ins: no account, no cost.

    Parameters
    ----------
    keep
        Keep the servers running for browsing, until Ctrl-C.
    count
        How many videos to make.
    folder
        Folder for everything that the demo makes.
    film
        Make a film of four shots instead, without a Prefect server.
    json
        Print one JSON document on stdout and nothing else.
    """
    if not 1 <= count <= 200:
        raise InputError("--count must be between 1 and 200.")
    terminal = Terminal(quiet=json)
    folder = folder.resolve()
    if film:
        from prefect_together_video.flows.cli.films.demo_film import demo_film

        return demo_film(terminal, folder, keep=keep, as_json=json)
    own = forget_own_settings()
    prepare(terminal)
    with ExitStack() as stack:
        terminal.say(f"Everything is kept in {folder}.")
        terminal.say("Starting an S3 server, the sandbox and a Prefect server (takes about 20 s) …")
        try:
            (folder / ENV_FILE).unlink(missing_ok=True)
            first = first_port(folder)
            (prefect_port,) = free_ports(1, first=first)
            prefect = stack.enter_context(PrefectServer(folder / "prefect", port=prefect_port))
            s3 = stack.enter_context(S3Server(folder / "s3", port=first + 1))
            sandbox = stack.enter_context(
                SandboxServer(folder / "sandbox", _sandbox_settings(), port=first + 2)
            )
            settings = {**settings_of(folder, s3, sandbox), **prefect.environment()}
            os.environ.update(settings)
            # Prefect takes seconds to import, and its server takes seconds to start: do both at once.
            from prefect_together_video.flows.cli.execution import INTERRUPTED
            from prefect_together_video.flows.cli.galleries import gallery_export
            from prefect_together_video.flows.cli.running import run_flow

            for server, seconds in ((s3, 60), (sandbox, 60), (prefect, 120)):
                with terminal.waiting(f"Waiting for the {server.name} …"):
                    server.wait_ready(seconds)
                if server is s3:
                    gallery_export.make_bucket(BUCKET)
                terminal.say(f"  {server.name} ready at {server.url}")
        except KeyboardInterrupt:
            terminal.complain("Interrupted before anything was created.")
            return 130
        terminal.say(
            f'Making {counted(count, "video")} of "{_BRIEF}": the chat model writes the prompts, and each video takes '
            "about 10 s."
        )
        from prefect_together_video.flows.batch import generate_batch
        from together_video.prompts.briefs import Brief

        options = RunOptions(poll_interval=1)
        parameters = {
            "brief": Brief(subject=_BRIEF, style=_STYLE, count=count),
            "settings": _SETTINGS,
            **options.parameters(),
        }
        code, summary = run_flow(generate_batch, parameters, PlaceOptions(json=json), terminal)
        if not isinstance(summary, Summary):
            return code
        if json:
            terminal.document(summary.as_json())
        else:
            terminal.table(summary)
        if summary.counts["reused"]:
            terminal.say(
                f"{summary.counts['reused']} of them were archived by an earlier demo and cost nothing this time."
            )
        page = gallery_export.copy_out(summary, BUCKET, folder / "gallery")
        if page is not None:
            terminal.say("")
            terminal.link("Gallery", page.as_uri(), page.as_uri(), on_err=True)
        terminal.say(f"Everything:  {folder}")
        if keep and code != INTERRUPTED:
            terminal.say(f"Prefect UI:  {prefect.url}")
            terminal.say(f"Sandbox:     {sandbox.url}")
            terminal.say(f"S3:          {s3.url} (bucket {BUCKET})")
            keep_up(terminal, folder, settings, own, "audit")
        else:
            terminal.say("Prefect UI:  make demo KEEP=1 keeps the servers running and prints its address.")
    return code


def _sandbox_settings() -> dict[str, object]:
    """Quick, with the prices of the catalogue, so that the demo's bill is realistic."""
    return {"generation_seconds": [3, 6], "render_workers": 2, "catalogue_prices": True}
