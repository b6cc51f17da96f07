"""Large folders of a bucket are listed in ranges: everything once, whatever its name is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_together_video.blocks.ledger.auditing.book import audit_book
from prefect_together_video.blocks.ledger.auditing.listing import spread
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError
from together_video.ledger.place import ArchivePlace

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Paged:
    """A bucket with pages of three objects, which may ignore where a listing is to begin. It counts its pages."""

    place = ArchivePlace(bucket="b")

    def __init__(self, keys: Sequence[str], *, ignores_after: bool = False) -> None:
        self._found = [ListedObject(key, 1, NOW) for key in sorted(keys)]
        self._ignores_after = ignores_after
        self.asked = 0

    async def list_first(self, prefix: str, *, pages: int) -> tuple[list[ListedObject], bool]:
        self.asked += 1
        found = [one for one in self._found if one.key.startswith(prefix)]
        return found[: 3 * pages], len(found) <= 3 * pages

    async def pages(self, prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        behind = "" if self._ignores_after else after
        found = [one for one in self._found if one.key.startswith(prefix) and one.key > behind]
        for place in range(0, max(len(found), 1), 3):
            self.asked += 1
            yield found[place : place + 3]


def listed(store: Paged) -> list[str]:
    taken: list[str] = []
    asyncio.run(spread(cast("Any", store), "records/", lambda page: taken.extend(one.key for one in page)))
    return taken


NAMES = st.lists(st.text("0123456789abcdefg:~Z/.é", min_size=1, max_size=4), max_size=60, unique=True)


@given(NAMES, st.booleans())
def test_everything_is_listed_once(names: list[str], ignores_after: bool) -> None:
    """Also names that begin with no hexadecimal digit, and by a server that ignores where to begin."""
    keys = [f"records/{name}" for name in names]
    store = Paged([*keys, "records.txt", "recordsa", "reviews/a"], ignores_after=ignores_after)
    assert sorted(listed(store)) == sorted(keys)


def test_few_requests() -> None:
    """A small folder costs one; a large one a page more in each range at most."""
    small = Paged([f"records/{digit}" for digit in "abc"])
    assert (len(listed(small)), small.asked) == (3, 1)
    large = Paged([f"records/{number:03x}" for number in range(0x1000)])
    assert len(listed(large)) == 0x1000
    assert large.asked <= 0x1000 / 3 + 2 * 16


@pytest.mark.anyio
@pytest.mark.parametrize("after", ["", "f/", "f/a", "f/a/c.json", "f/b", "f/z", "zz"])
async def test_pages_of_a_store(store: Store, after: str) -> None:
    """The same in a folder and in a bucket: in the order of keys, which is not that of folders."""
    keys = ["f/a/b.json", "f/a/c.json", "f/a.json", "f/a0", "f/b/x/y", "g/1", "f.txt"]
    for key in keys:
        await store.put_once(key, b"{}")
    for prefix in ("", "f", "f/", "f/a", "f/a/", "nothing/"):
        found = [one.key async for page in store.pages(prefix, after=after) for one in page]
        assert found == sorted(key for key in keys if key.startswith(prefix) and key > after)
        assert after or found == [one.key for one in await store.list(prefix)]


def test_a_full_disk_is_an_error_with_a_remedy() -> None:
    files = [ListedObject(f"videos/{number:099}", 1, NOW) for number in range(999)]

    def fill() -> None:
        with audit_book() as book:
            book.tell("PRAGMA max_page_count = 1")
            book.take_listed("files", files)

    with pytest.raises(ArchiveError, match="This machine's disk cannot store") as caught:
        fill()
    assert "TMPDIR" in (caught.value.remedy or "")
