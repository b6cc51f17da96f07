"""What the last lines of a run say: where its videos are, and how to look at them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from together_video.ledger.summary import GOOD, Summary, VideoOutcome


class LastLine(NamedTuple):
    """`name: text`; the address is what a click on the text opens, if anything."""

    name: str
    text: str
    address: str | None = None


def last_lines(summary: Summary, run_url: str | None = None) -> list[LastLine]:
    """Of a batch its gallery and how to list it, of a single video its file or address; and the run in Prefect's UI."""
    lines = []
    if summary.page and summary.page_uri:
        batch = summary.page.split("/")[-2]
        lines.append(LastLine("Gallery", summary.page_uri, _clickable(summary.page_uri)))
        if not summary.page_uri.startswith("file:"):
            lines.append(LastLine("To look at it", f"together-video gallery {batch}"))
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
    """Only what a browser opens."""
    return address if address.startswith(("file://", "http://", "https://")) else None
