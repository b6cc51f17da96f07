"""`together-video init`: a project to start from, in a folder of the user's."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from together_video.errors import InputError

#: What Prefect's names of work pools and of blocks are made of.
_POOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_BLOCK = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")

_NEXT = """\
Next, in {folder}:

  cp .env.example .env                        # fill it in
  set -a; . ./.env; set +a
  together-video doctor                       # what is missing, and what fixes it
  together-video check batch.csv              # what it would cost; nothing is sent
  together-video batch batch.csv

With a Prefect server (prefect server start):

  prefect work-pool create "{pool}" --type process
  together-video save-blocks {blocks}
  prefect --no-prompt deploy --all
  prefect worker start --pool "{pool}"
"""


def init(folder: Path, *, pool: str = "together-video", blocks: str = "production") -> int:
    """Write a project to start from: deployments with your own pool and blocks, a batch file, an example .env.

    Files that are there already are left alone: then nothing is written.

    Parameters
    ----------
    folder
        Where to; it is made if it is not there.
    pool
        The work pool that runs the deployments.
    blocks
        The name of the blocks with the credentials and the archive, as together-video save-blocks takes it.
    """
    if not _POOL.fullmatch(pool):
        raise InputError("--pool must be letters, digits, spaces, dots, dashes and underscores.")
    if not _BLOCK.fullmatch(blocks):
        raise InputError("--blocks must be lower-case letters, digits and dashes.")
    starter = _starter(pool, blocks)
    there = [name for name in starter if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise InputError(
            f"{folder} has {' and '.join(there)} already: nothing was written. Take another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in starter.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}."
        ) from error
    print("\n".join(f"wrote {folder / name}" for name in starter))  # noqa: T201 - the result
    print("\n" + _NEXT.format(folder=folder, pool=pool, blocks=blocks), end="")  # noqa: T201
    return 0


def _starter(pool: str, blocks: str) -> dict[str, str]:
    """The files by their names."""
    packaged = files("prefect_together_video.deployments")
    deployments = packaged.joinpath("prefect.yaml").read_text(encoding="utf-8")
    head, _, body = deployments.partition("\nname: ")
    # `together-video serve` takes the packaged deployments.
    head = head.partition("\n#\n# or serve")[0]
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
        ".gitignore": ".env\n",
    }
