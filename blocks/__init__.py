"""Prefect blocks, and the archive behind them: the credentials of the API, and where videos are kept.

`archive` and `credentials` are the blocks. The rest works without Prefect: `ledger/` has the write-once facts about
every purchase, `store/` says what a ledger needs from its store, `s3/` and `folder/` are the two stores. Blocks are
imported when they are first used. Nothing here buys, polls or downloads: that is done by `tasks/`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials

__all__ = ["TogetherCredentials", "VideoArchive"]

_MODULES = {"TogetherCredentials": "credentials", "VideoArchive": "archive"}


if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
