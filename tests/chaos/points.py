"""The instants at which a process is killed: which request, and how far it has got."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Source = Literal["file", "brief", "film"]


class Moment(StrEnum):
    """How far a request has got. The server sees nothing before `HALF_SENT`, and all of it from `DONE` on."""

    BEFORE = "before it reaches the server"
    HALF_SENT = "with half of its body sent"
    DONE = "when it is done and not answered"
    HALF_ANSWERED = "with half of its answer received"


@dataclass(frozen=True)
class Point:
    """One named instant.

    `in_doubt`: a claim without a job id may be left, so the video may be ambiguous.
    `source`: what the run makes videos from. The points of prompt writing need a brief, those of a film a storyboard.
    `who`: the command that passes this point.
    """

    name: str
    method: str
    path: str
    moment: Moment
    in_doubt: bool = False
    source: Source = "file"
    who: Literal["batch", "collect"] = "batch"

    @property
    def is_of_the_archive(self) -> bool:
        """Whether this is a request to the S3 server. With a folder it is a file operation."""
        return self.method == "PUT" or self.path == _CLEAN_UP

    def is_at(self, method: str, path: str) -> bool:
        """Whether a request (its path without the query) is the one that this point waits for."""
        return method == self.method and re.search(self.path, path) is not None


_CLAIM = r"/inflight/\w+/claim\.json$"
_JOB = r"/inflight/\w+/job\.json$"
_RECORD = r"/records/\w+\.json$"
#: S3's only POST here, which deletes several objects.
_CLEAN_UP = r"^/[^/]+/?$"
_CREATE = r"^/v2/videos$"
_VIDEO = r"/videos/.+\.mp4$"
_POSTER = r"/videos/.+\.jpg$"
_BRIEF = r"/briefs/\w+\.json$"
#: The images that shots start with, and the record of which one belongs to a clip.
_MEDIA, _FRAME = r"/media/.+\.png$|/media/.+\.jpg$", r"/films/frames/\w+\.json$"
_FILM, _FILM_RECORD = r"/films/\w+/.+\.mp4$", r"/films/\w+/film\.json$"
_CHAT = r"^/v1/chat/completions$"

POINTS = (
    Point("before the claim", "PUT", _CLAIM, Moment.BEFORE),
    Point("claimed, not told so", "PUT", _CLAIM, Moment.DONE, in_doubt=True),
    Point("before the POST", "POST", _CREATE, Moment.BEFORE, in_doubt=True),
    Point("mid-POST", "POST", _CREATE, Moment.HALF_SENT, in_doubt=True),
    Point("POST done, not answered", "POST", _CREATE, Moment.DONE, in_doubt=True),
    Point("mid-answer of the POST", "POST", _CREATE, Moment.HALF_ANSWERED, in_doubt=True),
    Point("between POST and job.json", "PUT", _JOB, Moment.BEFORE, in_doubt=True),
    Point("mid-job.json", "PUT", _JOB, Moment.HALF_SENT, in_doubt=True),
    Point("after job.json", "PUT", _JOB, Moment.DONE),
    Point("while polling", "GET", r"^/v2/videos/.", Moment.DONE),
    Point("before the download", "GET", r"^/files/", Moment.BEFORE),
    Point("mid-download", "GET", r"^/files/", Moment.HALF_ANSWERED),
    Point("before the upload", "PUT", _VIDEO, Moment.BEFORE),
    Point("mid-upload", "PUT", _VIDEO, Moment.HALF_SENT),
    Point("after the upload", "PUT", _VIDEO, Moment.DONE),
    Point("between video and poster", "PUT", _POSTER, Moment.BEFORE),
    Point("between poster and record", "PUT", _RECORD, Moment.BEFORE),
    Point("mid-record", "PUT", _RECORD, Moment.HALF_SENT),
    Point("after the record", "PUT", _RECORD, Moment.DONE),
    Point("between record and clean-up", "POST", _CLEAN_UP, Moment.BEFORE),
    Point("mid-clean-up", "POST", _CLEAN_UP, Moment.HALF_SENT),
    Point("after the clean-up", "POST", _CLEAN_UP, Moment.DONE),
    Point("before the page", "PUT", r"/batches/.+\.html$", Moment.BEFORE),
    Point("before the chat", "POST", _CHAT, Moment.BEFORE, source="brief"),
    Point("chat done, not answered", "POST", _CHAT, Moment.DONE, source="brief"),
    Point("before the prompts are stored", "PUT", _BRIEF, Moment.BEFORE, source="brief"),
    Point("prompts stored, not told so", "PUT", _BRIEF, Moment.DONE, source="brief"),
    Point("before the last frame is kept", "PUT", _MEDIA, Moment.BEFORE, source="film"),
    Point("mid-frame", "PUT", _MEDIA, Moment.HALF_SENT, source="film"),
    Point("between a frame and its choice", "PUT", _FRAME, Moment.BEFORE, source="film"),
    Point("frame chosen, not told so", "PUT", _FRAME, Moment.DONE, source="film"),
    Point("before the film", "PUT", _FILM, Moment.BEFORE, source="film"),
    Point("mid-film", "PUT", _FILM, Moment.HALF_SENT, source="film"),
    Point("after the film", "PUT", _FILM, Moment.DONE, source="film"),
    Point("before the poster of the film", "PUT", r"/films/\w+/.+\.jpg$", Moment.BEFORE, source="film"),
    Point("after the captions", "PUT", r"/films/\w+/.+\.vtt$", Moment.DONE, source="film"),
    Point("before film.json", "PUT", _FILM_RECORD, Moment.BEFORE, source="film"),
    Point("mid-film.json", "PUT", _FILM_RECORD, Moment.HALF_SENT, source="film"),
    Point("after film.json", "PUT", _FILM_RECORD, Moment.DONE, source="film"),
    Point("collector mid-download", "GET", r"^/files/", Moment.HALF_ANSWERED, who="collect"),
    Point("collector before the record", "PUT", _RECORD, Moment.BEFORE, who="collect"),
    Point("collector before the clean-up", "POST", _CLEAN_UP, Moment.BEFORE, who="collect"),
)


def named(name: str) -> Point:
    """The point with this name.

    Raises:
        StopIteration: there is none.
    """
    return next(point for point in POINTS if point.name == name)
