"""What both demos share: their settings and ports, and how servers are kept running."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers.env_file import env_script, write_env_file
from prefect_together_video.flows.cli.servers.local_servers import PORTS, S3Server, SandboxServer

#: The user's own settings, which are for other servers and real money.
_NOT_OURS = ("AWS_", "PREFECT_API", "PREFECT_PROFILE", "PREFECT_SERVER_", "TOGETHER_", "VIDEO_ARCHIVE_")
#: All servers of the demo are on this machine.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
#: Also unset these in another terminal: they would override the demo's settings, or be sent with them.
_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
#: A file to `source`, so that other commands use the servers while they run.
ENV_FILE = "env.sh"
BUCKET = "videos"
_PREFIX = "demo"


def forget_own_settings() -> list[str]:
    """Remove the user's own settings from this process, and return their names."""
    own = sorted(name for name in os.environ if name.startswith(_NOT_OURS) or name.lower() in _PROXIES)
    for name in own:
        del os.environ[name]
    return own


def settings_of(folder: Path, s3: S3Server, sandbox: SandboxServer) -> dict[str, str]:
    """The environment for commands that use these servers."""
    return {
        **s3.environment(),
        **sandbox.environment(),
        "VIDEO_ARCHIVE_BUCKET": BUCKET,
        "VIDEO_ARCHIVE_PREFIX": _PREFIX,
        "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
    }


def first_port(folder: Path) -> int:
    """The first of three ports, the same for each demo of a folder. A port is used if nobody else listens on it."""
    return PORTS.start + 3 * (zlib.crc32(os.fsencode(folder)) % (len(PORTS) // 3))


def keep_up(
    terminal: Terminal, folder: Path, settings: Mapping[str, str], own: Collection[str], *words: str
) -> None:
    """Keep the servers running until Ctrl-C or SIGTERM. `words` are commands to try."""
    file = folder / ENV_FILE
    program = shutil.which("together-video") or str(Path(sys.executable).with_name("together-video"))
    unset = {*own, *_IN_THE_WAY} - settings.keys()
    try:
        write_env_file(file, env_script(settings, unset, pid=os.getpid()))
        terminal.say("To use these servers from another terminal while they run:")
        terminal.say(f"  source {shlex.quote(shown_path(file))}")
        for command in words:
            terminal.say(f"  {program} {command}")
        terminal.say("Ctrl-C stops the servers.")
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        terminal.say(f"Stopping and removing {shown_path(file)}.")
    finally:
        file.unlink(missing_ok=True)


def shown_path(path: Path) -> str:
    """The path relative to the current folder, if possible."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
