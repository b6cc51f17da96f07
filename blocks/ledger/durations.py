"""How long the jobs of each model took, stored in the archive for later runs: write-once facts, few and small.

A fact has everything that its writer knew, including earlier runs, so only the newest is ever read. Its key is the day
and the number of durations. While little is known, each run that measured more adds one; later only the first run of a
day does. So a model has at first up to a hundred facts and then one a day, and nothing is ever changed or removed. If
one is lost, it costs nothing but polls.
"""

from __future__ import annotations

from pydantic import ValidationError

from prefect_together_video.blocks.store.store import Store
from together_video.ledger.layout import Layout, slug_of_name
from together_video.polling.learner import DurationFacts


class DurationStatistics:
    """Keys under `statistics/<model>/`. Raises `ArchiveError`s; see `store`."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store = store
        self._layout = layout

    async def newest(self, model: str) -> DurationFacts | None:
        """What is known about this model, if anything: one listing and one read."""
        listed = await self._store.list(self._layout.statistics(slug_of_name(model, "model"), ""))
        if not listed:
            return None
        stored = await self._store.get(max(found.key for found in listed))
        if stored is None:
            return None
        try:
            facts = DurationFacts.model_validate_json(stored.data)
        except ValidationError:
            # Whatever this is, tomorrow's fact comes after it.
            return None
        return facts if facts.model == model else None

    async def keep(self, facts: DurationFacts) -> bool:
        """Store it, unless this much is already known for this day."""
        name = f"{facts.written_at:%Y-%m-%d}-{len(facts.seconds):03}.json"
        key = self._layout.statistics(slug_of_name(facts.model, "model"), name)
        return await self._store.put_once(key, facts.model_dump_json().encode())
