"""Merges several index lines about the same records, and selects those that lists show."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from operator import itemgetter

from together_video.ledger.account import Account
from together_video.ledger.index import Costs, Entry


def merged(lines: Iterable[Entry]) -> list[Entry]:
    """One line for each record, in no order.

    Lines about a record come from the run that wrote it, from reviews and from audits. An audit's line takes precedence
    over one that was not listed so far, and the newest mark over older ones. The order of the lines does not matter.

    Example:
        ```python
        merged([line, line.marked(star)]) == [line.marked(star)]
        ```
    """
    found: dict[str, Entry] = {}
    for line in lines:
        known = found.get(line.name)
        found[line.name] = line if known is None else _joined(known, line)
    return list(found.values())


def _joined(one: Entry, other: Entry) -> Entry:
    listed = max(one, other, key=_listed)
    # The names of marks sort by time.
    marked = max(one, other, key=lambda line: (line.review or "", line.mark or "", line.note))
    return listed._replace(review=marked.review, mark=marked.mark, note=marked.note)


def _listed(line: Entry) -> tuple[int, str, int, str, str, str]:
    return line.written, line.checked, line.size, line.state, line.cost or "", line.error or ""


def standing(lines: Iterable[Entry]) -> list[Entry]:
    """One line for each video of a month. If a video arrived after it had been given up, that is the video's line."""
    return without_superseded(merged(lines))


def without_superseded(found: Collection[Entry]) -> list[Entry]:
    """The lines of one archive or month, without those of given-up purchases whose video arrived later."""
    late = {line.id for line in found if line.is_late}
    return [line for line in found if not late or line.is_late or line.id not in late]


class Newest:
    """The newest of the lines that match, and how many match.

    Example:
        ```python
        newest = Newest(50, lambda line: line.state == "archived")
        for line in lines:
            newest.add(line)
        newest.entries  # at most 50, the newest first
        newest.of       # the number of all that match
        ```
    """

    def __init__(self, limit: int | None, fits: Callable[[Entry], bool]) -> None:
        self._limit, self._fits = limit, fits
        self._kept: list[tuple[str, str, Entry]] = []
        self.of = 0
        self._costs = Costs()

    def add(self, entry: Entry) -> None:
        if not self._fits(entry):
            return
        self.of += 1
        self._costs.add(entry)
        # A video has one line, so its time and name decide.
        row = (entry.at, entry.name, entry)
        if self._limit is None or len(self._kept) < self._limit:
            heapq.heappush(self._kept, row)
        elif row[:2] > self._kept[0][:2]:
            heapq.heapreplace(self._kept, row)

    @property
    def account(self) -> Account:
        """What all matching videos cost, or may have cost."""
        return self._costs.account

    @property
    def entries(self) -> list[Entry]:
        return [entry for _, _, entry in sorted(self._kept, key=itemgetter(0, 1), reverse=True)]
