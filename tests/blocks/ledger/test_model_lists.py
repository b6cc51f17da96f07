"""What the API listed on a day, kept in the archive: written once, damage without harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from prefect_together_video.blocks.ledger.model_lists import ModelLists
from prefect_together_video.blocks.s3.store import ObjectStore
from together_video.catalogue.live import LiveModel, LiveModels
from together_video.ledger.layout import Layout

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LIVE = LiveModels(read_at=NOW, models=(LiveModel(name="acme/dream-1"),), complete=True)
LAYOUT = Layout(prefix="films")


async def test_a_day_is_written_once(store: ObjectStore) -> None:
    """The first run of a day keeps what it read; another day, or another API, has its own."""
    lists = ModelLists(store, LAYOUT, "https://api.together.ai")
    assert await lists.of_day(NOW.date()) is None
    assert await lists.keep(LIVE)
    assert not await lists.keep(LIVE.model_copy(update={"models": ()}))
    assert await lists.of_day(NOW.date()) == LIVE
    assert await lists.of_day(NOW.date() + timedelta(days=1)) is None
    assert await ModelLists(store, LAYOUT, "http://127.0.0.1:8765").of_day(NOW.date()) is None
    (stored,) = await store.list("films/")
    assert stored.key == "films/models/2026-11-27-api-together-ai.json"


async def test_what_is_not_ours_is_nothing(store: ObjectStore) -> None:
    """Somebody else's object says nothing, and is not replaced."""
    await store.put_once(LAYOUT.models("2026-11-27-api-together-ai.json"), b"<html>")
    lists = ModelLists(store, LAYOUT, "https://api.together.ai")
    assert await lists.of_day(NOW.date()) is None
    assert not await lists.keep(LIVE)


async def test_a_password_in_an_address_is_in_no_key(store: ObjectStore) -> None:
    """The key names the host alone."""
    await ModelLists(store, LAYOUT, "https://user:secret@api.test/v1").keep(LIVE)
    (stored,) = await store.list("films/")
    assert stored.key.endswith("/2026-11-27-api-test.json")
