"""The command line: `together-video`, or `python -m flows`.

Nothing here imports Prefect: help, models and checks answer at once.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import version

from cyclopts import App, CycloptsError

from flows.cli import leaving
from flows.cli.check import check
from flows.cli.demo import demo
from flows.cli.gallery import gallery
from flows.cli.generate import batch, generate
from flows.cli.ledger import audit, collect
from flows.cli.models import models
from flows.cli.prompts import prompts
from flows.cli.sandbox import sandbox
from flows.cli.serve import serve
from flows.cli.terminal import Terminal
from together_video.errors import VideoError

INTERRUPTED = 130

app = App(
    name="together-video",
    help="Turn a brief into generated videos in an S3 bucket: nothing is paid for twice, nothing paid for is lost.",
    help_format="plaintext",
    version=lambda: version("prefect-together-video"),
    version_flags=["--version"],
)
for command in (demo, generate, batch, prompts, collect, audit, check, models, gallery, sandbox, serve):
    app.command(command)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit code: 0 done, 1 something is not, 2 bad input, 130 interrupted."""
    if arguments is None:
        # A log line that a Prefect server cannot take is no news for the terminal.
        logging.raiseExceptions = False
    code = _run(arguments)
    interrupted = code == INTERRUPTED and "PREFECT_API_URL" not in os.environ
    if arguments is None and (interrupted or leaving.has_given_up()):
        # A call to an S3 server that does not answer would hold Python's own end for minutes, Prefect's
        # to a server that is gone for hours. What the ledger needed is written by now; an upload that is
        # cut off leaves nothing behind.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        Terminal().complain(f"{error}\nSee together-video --help.")
        return 2
    except VideoError as error:
        Terminal().complain(error.message)
        return error.exit_code
    except KeyboardInterrupt:
        Terminal().complain("Interrupted; nothing was created.")
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
