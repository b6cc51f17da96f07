"""`together-video demo`: the whole pipeline on this machine, without any account.

A Prefect server, the sandbox and an S3 server as child processes, then `generate_batch` on a
brief. Everything is kept in one folder, so that a second demo finds what the first one archived.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.local_servers import PrefectServer, S3Server, SandboxServer
from prefect_together_video.flows.cli.options import PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import prepare
from prefect_together_video.flows.cli.terminal import Terminal
from together_video.errors import InputError
from together_video.ledger.summary import Summary

#: A caller's own settings, which are for other servers and other money.
_NOT_OURS = ("AWS_", "PREFECT_API", "PREFECT_PROFILE", "PREFECT_SERVER_", "TOGETHER_", "VIDEO_ARCHIVE_")
#: All servers of the demo are on this machine.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
#: Of another terminal too, where they would win over what the demo says to set, or be sent along with it.
_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
_BUCKET = "videos"
_PREFIX = "demo"
_BRIEF = "a lighthouse fox"
_STYLE = "cinematic, warm light, gentle camera"
_SETTINGS = {"width": 864, "height": 480}


def demo(
    *,
    keep: Annotated[bool, Parameter(negative=())] = False,
    count: int = 4,
    folder: GivenPath = Path(".demo"),
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Run the pipeline end to end against local stand-ins: no account, no cost.

    Parameters
    ----------
    keep
        Keep the servers up for browsing until Ctrl-C.
    count
        How many videos.
    folder
        Where everything is kept.
    json
        Print one JSON document on stdout and nothing else.
    """
    if not 1 <= count <= 200:
        raise InputError("--count must be from 1 to 200.")
    terminal = Terminal(quiet=json)
    folder = folder.resolve()
    own = sorted(name for name in os.environ if name.startswith(_NOT_OURS) or name.lower() in _PROXIES)
    for name in own:
        del os.environ[name]
    prepare(terminal)
    with ExitStack() as stack:
        terminal.say(
            f"Starting a Prefect server, the sandbox and an S3 server; everything is kept in {folder}."
        )
        try:
            prefect = stack.enter_context(PrefectServer(folder / "prefect"))
            s3 = stack.enter_context(S3Server(folder / "s3"))
            sandbox = stack.enter_context(SandboxServer(folder / "sandbox", _sandbox_settings()))
            settings = {
                **s3.environment(),
                **prefect.environment(),
                **sandbox.environment(),
                "VIDEO_ARCHIVE_BUCKET": _BUCKET,
                "VIDEO_ARCHIVE_PREFIX": _PREFIX,
                "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
            }
            os.environ.update(settings)
            # Prefect takes seconds to import, and its server to start: both at once.
            from prefect_together_video.flows.cli import gallery_export
            from prefect_together_video.flows.cli.running import INTERRUPTED, run_flow

            s3.wait_ready()
            sandbox.wait_ready()
            gallery_export.make_bucket(_BUCKET)
            prefect.wait_ready(120)
        except KeyboardInterrupt:
            terminal.complain("Interrupted before anything was created.")
            return 130
        terminal.say(f'{count} videos of "{_BRIEF}":')
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
        page = gallery_export.copy_out(summary, _BUCKET, folder / "gallery")
        if page is not None:
            terminal.say(f"\nGallery:     {page.as_uri()}")
        terminal.say(f"Everything:  {folder}")
        if keep and code != INTERRUPTED:
            terminal.say(f"Prefect UI:  {prefect.url}")
            terminal.say(f"Sandbox:     {sandbox.url}")
            terminal.say(f"S3:          {s3.url} (bucket {_BUCKET})")
            _keep_up(terminal, settings, sorted({*own, *_IN_THE_WAY} - settings.keys()))
        else:
            terminal.say("Prefect UI:  make demo KEEP=1 keeps the servers up and says where it is.")
    return code


def _sandbox_settings() -> dict[str, object]:
    """Quick, and at the prices of the catalogue, so that the demo's bill is a realistic one."""
    return {"generation_seconds": [3, 6], "render_workers": 2, "catalogue_prices": True}


def _keep_up(terminal: Terminal, settings: Mapping[str, str], unset: Sequence[str]) -> None:
    program = shutil.which("together-video") or str(Path(sys.executable).with_name("together-video"))
    terminal.say(
        f"The other commands ({program} …) work with these from another terminal, where this is set:"
    )
    terminal.say(f"  unset {' '.join(unset)}")
    for name, value in sorted(settings.items()):
        terminal.say(f"  export {name}={shlex.quote(value)}")
    terminal.say("Ctrl-C stops the servers.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        terminal.say("Stopping.")
