"""The last lines of a run: where its videos are, and how to view them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from together_video.ledger.summary import GOOD, Summary, VideoOutcome


class LastLine(NamedTuple):
    """`name: text`. A click on the text opens the address, if there is one."""

    name: str
    text: str
    address: str | None = None


def last_lines(summary: Summary, run_url: str | None = None) -> list[LastLine]:
    """A batch's gallery and the command to list it, or a video's file or address; and the run in Prefect's UI."""
    lines = []
    if summary.page and summary.page_uri:
        batch = summary.page.split("/")[-2]
        lines.append(LastLine("Gallery", summary.page_uri, _clickable(summary.page_uri)))
        if not summary.page_uri.startswith("file:"):
            lines.append(LastLine("To view it", f"together-video gallery {batch}"))
        lines.append(LastLine("To list it", f"together-video list --batch {batch}"))
    elif len(good := [video for video in summary.videos if video.state in GOOD]) == 1:
        lines += _of_one(good[0])
    if run_url:
        lines.append(LastLine("Run", run_url, _clickable(run_url)))
    return lines


def _of_one(video: VideoOutcome) -> list[LastLine]:
    if video.file:
        return [LastLine("Play", video.file, Path(video.file).absolute().as_uri())]
    if video.uri is None:
        return []
    return [
        LastLine("Video", video.uri),
        LastLine("To open it", f"together-video open {video.id}"),
    ]


def _clickable(address: str) -> str | None:
    """The address, if a browser can open it."""
    return address if address.startswith(("file://", "http://", "https://")) else None
