"""Graphs of FFmpeg's filters: made, chained and emptied in one way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import av

#: On a machine of many cores each graph would start as many threads, and each takes memory.
_THREADS = 2


def begin_film() -> None:
    """Have later collections skip what is there already, so that each takes a fraction of a millisecond."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def new_graph() -> Any:
    """An empty graph. Those that nothing uses any more are freed before.

    Since PyAV 19 a graph and its filters refer to each other, so that it lives, with its threads and pictures, until
    Python's collector happens to run. A film needs several for each piece, and once they had used up the memory,
    filters gave no frames and said nothing.
    """
    gc.collect()
    graph: Any = av.filter.Graph()
    if hasattr(graph, "threads"):
        graph.threads = _THREADS
    return graph


def chained(graph: Any, before: Any, steps: str) -> None:
    """Add filters, one behind the other, and an end to them."""
    for step in steps.split(","):
        name, _, arguments = step.partition("=")
        node = graph.add(name, arguments)
        before.link_to(node)
        before = node
    before.link_to(graph.add("buffersink"))


def drained(end: Any) -> Iterator[Any]:
    """All frames that a graph has ready at this end."""
    while True:
        try:
            yield end.pull()
        except (BlockingIOError, EOFError):
            return
