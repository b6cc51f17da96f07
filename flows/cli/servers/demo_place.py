"""What both demos share: whose settings count, which ports are used, and how servers are kept up."""

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

#: A caller's own settings, which are for other servers and other money.
_NOT_OURS = ("AWS_", "PREFECT_API", "PREFECT_PROFILE", "PREFECT_SERVER_", "TOGETHER_", "VIDEO_ARCHIVE_")
#: All servers of the demo are on this machine.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
#: Of another terminal too, where they would win over what the demo says to set, or be sent along with it.
_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
#: What to `source` so that other commands use the servers, as long as they are up.
ENV_FILE = "env.sh"
BUCKET = "videos"
_PREFIX = "demo"


def forget_own_settings() -> list[str]:
    """Take the caller's own settings out of this process, and return their names."""
    own = sorted(name for name in os.environ if name.startswith(_NOT_OURS) or name.lower() in _PROXIES)
    for name in own:
        del os.environ[name]
    return own


def settings_of(folder: Path, s3: S3Server, sandbox: SandboxServer) -> dict[str, str]:
    """The environment of commands that use these servers."""
    return {
        **s3.environment(),
        **sandbox.environment(),
        "VIDEO_ARCHIVE_BUCKET": BUCKET,
        "VIDEO_ARCHIVE_PREFIX": _PREFIX,
        "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
    }


def first_port(folder: Path) -> int:
    """Of three, the same in each demo of a folder: each is taken where nobody else listens there."""
    return PORTS.start + 3 * (zlib.crc32(os.fsencode(folder)) % (len(PORTS) // 3))


def keep_up(
    terminal: Terminal, folder: Path, settings: Mapping[str, str], own: Collection[str], *words: str
) -> None:
    """Until Ctrl-C or SIGTERM. `words` are commands to try meanwhile."""
    file = folder / ENV_FILE
    program = shutil.which("together-video") or str(Path(sys.executable).with_name("together-video"))
    unset = {*own, *_IN_THE_WAY} - settings.keys()
    try:
        write_env_file(file, env_script(settings, unset, pid=os.getpid()))
        terminal.say("To use these servers from another terminal, as long as they are up:")
        terminal.say(f"  source {shlex.quote(shown_path(file))}")
        for command in words:
            terminal.say(f"  {program} {command}")
        terminal.say("Ctrl-C stops the servers.")
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        terminal.say(f"Stopping; {shown_path(file)} is removed.")
    finally:
        file.unlink(missing_ok=True)


def shown_path(path: Path) -> str:
    """As short as it can be typed from where the command was started."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
