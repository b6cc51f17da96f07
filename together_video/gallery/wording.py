"""The ledger's states, in the words of people who only watch videos."""

from __future__ import annotations

from together_video.ledger.summary import VideoState

#: By state: the word, and a sentence about it. Ready videos show neither.
WORDS = {
    VideoState.ARCHIVED: ("Ready", "Made in this run."),
    VideoState.REUSED: ("Ready", "Made and paid earlier."),
    VideoState.FAILED: ("Not made", "The provider could not make this video."),
    VideoState.REFUSED: ("Not accepted", "The request was refused, and nothing was created."),
    VideoState.AMBIGUOUS: (
        "Check with billing",
        "It may have been charged. It is not bought again automatically.",
    ),
    VideoState.SUBMITTED: (
        "Still being made",
        "The provider is still working on it. A later run collects it.",
    ),
    VideoState.SKIPPED: ("Not started", "The run ended before it got to this video."),
}
