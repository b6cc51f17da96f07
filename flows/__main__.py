"""The command line: `together-video`, or `python -m prefect_together_video.flows`.

Nothing here imports Prefect: help, models and checks answer at once.
"""

from __future__ import annotations

import ast
import builtins
import logging
import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from cyclopts import App, CycloptsError

from prefect_together_video.flows import cli
from prefect_together_video.flows.cli.screen import first_line
from prefect_together_video.flows.cli.screen.encoding import flush_streams, make_streams_safe
from prefect_together_video.flows.cli.servers import shutdown
from together_video.errors import VideoError

INTERRUPTED = 130

#: Modules of `cli/` and the commands in each. A module is imported when one of its commands is called.
_COMMANDS = {
    "servers.demo": ("demo",),
    "generate": ("generate", "batch"),
    "prompts": ("prompts",),
    "films.storyboard": ("storyboard",),
    "films.film": ("film",),
    "approve": ("approve",),
    "ledger": ("collect", "audit"),
    "spend": ("spend",),
    "check": ("check",),
    "doctor": ("doctor",),
    "init": ("init",),
    "models": ("models",),
    "galleries.gallery": ("gallery",),
    "galleries.share": ("share",),
    "finding.show": ("show",),
    "finding.listing": ("list",),
    "finding.opening": ("open",),
    "finding.review": ("review",),
    "servers.sandbox": ("sandbox",),
    "save": ("save-blocks", "save-notifications"),
    "servers.serve": ("serve",),
}

#: Commands that import Prefect or call a server.
_SLOW = {name for names in _COMMANDS.values() for name in names} - {"check", "init", "models", "sandbox"}


def _version() -> str:
    from importlib.metadata import version

    return version("prefect-together-video")


app = App(
    name="together-video",
    help="Turn a brief into generated videos in an S3 bucket or a folder. Nothing is paid for twice, and nothing paid "
    "for is lost.",
    help_format="plaintext",
    version=_version,
    version_flags=["--version"],
    # _run reports it.
    suppress_keyboard_interrupt=False,
)


def _docstrings(module: str) -> dict[str, str]:
    """The docstring of each function of a module, read without importing the module."""
    spec = find_spec(module)
    source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return {function.name: ast.get_docstring(function) or "" for function in functions}


for _module, _names in _COMMANDS.items():
    _path = f"{cli.__name__}.{_module}"
    _help = _docstrings(_path)
    for _name in _names:
        # list and open are Python's own names.
        _function = f"{_name}_" if hasattr(builtins, _name) else _name.replace("-", "_")
        app.command(f"{_path}:{_function}", name=_name, help=_help[_function])


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit codes: 0 done, 1 not everything is done, 2 bad input, 130 interrupted."""
    make_streams_safe()
    if arguments is None:
        # If the Prefect server cannot take a log line, the terminal need not say so.
        logging.raiseExceptions = False
        signal.signal(signal.SIGTERM, shutdown.stop_on_sigterm)
        first_line.show(sys.argv[1:], _SLOW)
    code = _run(arguments)
    interrupted = code == INTERRUPTED and "PREFECT_API_URL" not in os.environ
    if arguments is None and (interrupted or shutdown.has_given_up()):
        # A pending call to an S3 server that does not answer would delay Python's exit for minutes; Prefect's
        # call to a server that is gone, for hours. Everything that the ledger needs is written by now, and
        # an upload that is cut off leaves nothing behind.
        flush_streams()
        os._exit(code)
    return code


def _complain(words: str) -> None:
    from prefect_together_video.flows.cli.screen.terminal import Terminal

    Terminal().complain(words)


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        command = " ".join(["together-video", *(error.command_chain or ())])
        _complain(f"{error}\nSee {command} --help.")
        return 2
    except VideoError as error:
        _complain(error.message)
        return error.exit_code
    except KeyboardInterrupt:
        _complain("Interrupted." if shutdown.has_begun() else "Interrupted; nothing was created.")
        return INTERRUPTED
    except OSError as error:
        if arguments is None:
            # Otherwise Python would try again at exit to write what is left.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                kept = "What was bought is kept; run again later."
                kept = kept if shutdown.has_begun() else "Nothing was created."
                _complain(f"Stopped: {error.strerror or error}. {kept}")
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
