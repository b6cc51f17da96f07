"""`together-video init`: write a project to start from into a folder."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

from prefect_together_video.flows.cli.given_path import GivenPath
from together_video.atomic_files import write_whole
from together_video.errors import InputError

#: Names that Prefect accepts for work pools and blocks. It reserves those that begin with its own name.
_POOL = re.compile(r"(?!prefect)[a-z0-9](?:[a-z0-9 ._-]{0,98}[a-z0-9._-])?", re.IGNORECASE)
_BLOCK = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")

_NEXT = """\
Next, in {folder}:

  cp .env.example .env                        # fill it in; keep it out of version control
  set -a; . ./.env; set +a
  together-video doctor                       # what is missing, and how to fix it
  together-video check batch.csv              # what it would cost; nothing is sent
  together-video batch batch.csv

With a Prefect server (prefect server start; PREFECT_API_URL in .env):

  together-video serve --prefect-file prefect.yaml    # runs the deployments from this terminal

or on workers:

  prefect work-pool create "{pool}" --type process
  together-video save-blocks {blocks}
  prefect --no-prompt deploy --all
  prefect worker start --pool "{pool}"

The nightly batch is paused. To turn it on, write your own brief in prefect.yaml, set active: true
there, and serve or deploy again.
"""


def init(folder: GivenPath, /, *, pool: str = "together-video", blocks: str = "production") -> int:
    """Write a starter project: deployments for your work pool and blocks, a batch file, and an example .env.

    If one of the files exists, nothing is written.

    Parameters
    ----------
    folder
        Folder for the project. It is created if it does not exist.
    pool
        The work pool that runs the deployments.
    blocks
        Name of the blocks with the credentials and the archive, the same as for together-video save-blocks.
    """
    if not _POOL.fullmatch(pool):
        raise InputError(
            "--pool must be letters, digits, spaces, dots, dashes and underscores, and not begin with prefect."
        )
    if not _BLOCK.fullmatch(blocks):
        raise InputError("--blocks must be lower-case letters, digits and dashes.")
    starter = {folder / name: text for name, text in _starter(pool, blocks).items()}
    made: list[Path] = []
    try:
        if there := [path.name for path in starter if os.path.lexists(path)]:
            raise InputError(
                f"{folder} already has {', '.join(there)}: nothing was written. Use another folder."
            )
        if not (folder / ".gitignore").exists():
            starter[folder / ".gitignore"] = ".env\n"
        for path, text in starter.items():
            write_whole(path, text.encode())
            made.append(path)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        where = error.filename or folder
        raise InputError(
            f"{where} cannot be written: {error.strerror or error}. Nothing was written."
        ) from error
    print("\n".join(f"wrote {path}" for path in made))  # noqa: T201 - the result
    print("\n" + _NEXT.format(folder=folder, pool=pool, blocks=blocks), end="")  # noqa: T201
    return 0


def _starter(pool: str, blocks: str) -> dict[str, str]:
    """The files, by name."""
    packaged = files("prefect_together_video.deployments")
    deployments = packaged.joinpath("prefect.yaml").read_text(encoding="utf-8")
    head, _, body = deployments.partition("\nname: ")
    head = head.replace(
        "no work pool: together-video serve", "no work pool: together-video serve --prefect-file prefect.yaml"
    )
    head = head.replace("--pool together-video", f'--pool "{pool}"')
    head = head.replace("create together-video", f'create "{pool}"')
    head = head.replace("save-blocks", f"save-blocks {blocks}")
    body = body.replace("\n    name: together-video\n", f'\n    name: "{pool}"\n')
    for kind in ("together-credentials", "video-archive"):
        body = body.replace(f"{kind}/production", f"{kind}/{blocks}")
    return {
        "prefect.yaml": f"{head}\nname: {body}",
        "batch.csv": packaged.joinpath("starter/batch.csv").read_text(encoding="utf-8"),
        ".env.example": packaged.joinpath("starter/env.example").read_text(encoding="utf-8"),
    }
