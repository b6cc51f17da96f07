"""The cause of a message in a few words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from together_video.ledger.short_reasons import short_reason

#: The page has every message that the tests of faults have seen, with placeholders for what differs.
ROWS = (Path(__file__).parents[3] / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
STATES = {"failed", "refused", "ambiguous", "submitted", "skipped"}
CELLS = [row.split(" | ") for row in ROWS]
MESSAGES = sorted({cells[2].strip() for cells in CELLS if len(cells) > 3 and cells[1].strip() in STATES})


def filled(message: str) -> str:
    return (
        message.replace("{address}", "http://127.0.0.1:8765")
        .replace("{job}", "84c1b37f-02")
        .replace("{request}", "req-77aa")
    )


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 30


@pytest.mark.parametrize("message", MESSAGES)
def test_no_message_has_calls_ids_or_addresses_left(message: str) -> None:
    """Nor the sentences about money, which a display says by itself."""
    words = short_reason(filled(message))
    assert 5 < len(words) <= 120
    assert not re.search(
        r"://|84c1b37f|req-77aa|\b(GET|POST) /|may have been charged|--on-ambiguous|x-request-id", words
    )


def test_only_the_cause_is_left() -> None:
    unclear = (
        "http://[::1]:1 gave no clear answer to POST /v2/videos: the time for an answer ran out (cf-ray 1)."
    )
    assert short_reason(unclear) == "the time for an answer ran out"
    assert (
        short_reason("Job 1 failed: Too dark: \x1b[2J.\n--retry-failed buys the video again.")
        == "Too dark: [2J"
    )
    assert short_reason("http://[a redirects to //b.") == "an address redirects to //b"
    earlier = "It may have been charged at 2026-11-27 23:26 UTC and gave no job id: "
    assert short_reason(f"{earlier}{unclear} It is held and not repeated.") == (
        "held since 2026-11-27 23:26 UTC: the time for an answer ran out"
    )
    assert short_reason("") == ""
    assert len(short_reason("POST " * 100_000)) == 120
