"""A file of environment variables for a shell to `source`, to use the servers of a kept demo."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from together_video.atomic_files import part_of


def env_script(settings: Mapping[str, str], unset: Iterable[str] = (), *, pid: int) -> str:
    """The script, for sh, bash and zsh. It unsets variables that would get in the way, then exports `settings`.

    Once the process `pid` has ended, for whatever reason, the script sets nothing and says so.
    """
    lines = [
        f"if ! kill -0 {pid} 2>/dev/null; then",
        "  echo 'These servers are stopped: start them with together-video demo --keep.' >&2",
        "  return 1",
        "fi",
    ]
    if names := sorted(name for name in unset if name.isidentifier()):
        lines.append(f"unset {' '.join(names)}")
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    return "\n".join(lines) + "\n"


def write_env_file(path: Path, text: str) -> None:
    """Write it so that nobody else can read it, not even for a moment: it contains keys."""
    part = part_of(path)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
