"""Prefect blocks: the credentials of the API, and the archive that videos are kept in.

They are imported when they are first used: what lies behind them works without Prefect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials

__all__ = ["TogetherCredentials", "VideoArchive"]

_MODULES = {"TogetherCredentials": "credentials", "VideoArchive": "archive"}


if not TYPE_CHECKING:  # else any misspelt name would be one of ours

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
