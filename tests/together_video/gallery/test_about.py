"""The heading of a page as it is read of an archive that others may write to."""

from __future__ import annotations

from datetime import UTC, datetime

from together_video.gallery.about import About

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def test_what_is_kept_is_read_again() -> None:
    """Through `batch.json` and back."""
    about = About(
        batch_id="b",
        title="Kites",
        brief="kites over a bay",
        style="calm",
        run_name="tidy-otter",
        run_url="http://127.0.0.1:4200/runs/flow-run/1",
        made_at=NOW,
    )
    assert About.read(about.as_json()) == about


def test_what_is_wrong_is_left_out_or_cut() -> None:
    """No page is lost for its heading: other kinds, addresses that are not http, and texts without end."""
    found = About.read(
        {
            "title": "k" * 9_000,
            "brief": {"a": 1},
            "style": " \n ",
            "run_url": "javascript:alert(1)",
            "made_at": "soon",
        }
    )
    assert len(found.title or "") == 4_000
    assert found.model_copy(update={"title": None}) == About()
    assert About.read({"run_url": "../x"}).run_url is None
    assert About.read({"title": "a\nb\x1b"}).title == "a b"


def test_a_document_of_an_older_version_has_a_title() -> None:
    """It said no more than title and time."""
    assert About.read({"batch_id": "b", "title": "Kites", "made_at": NOW.isoformat(), "videos": []}) == About(
        batch_id="b", title="Kites", made_at=NOW
    )
