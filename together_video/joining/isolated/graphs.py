"""Graphs of FFmpeg's filters: how to make, chain and drain them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import av

#: By default each graph starts a thread per core, and each thread takes memory.
_THREADS = 2


def begin_film() -> None:
    """Let later garbage collections skip existing objects, so that each takes a fraction of a millisecond."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def new_graph() -> Any:
    """An empty graph. Frees unused ones first.

    Since PyAV 19 a graph and its filters refer to each other, so a graph keeps its threads and pictures until Python's
    garbage collector happens to run. A film needs several graphs per piece. Once they had used up the memory, filters
    gave no frames and no error.
    """
    gc.collect()
    graph: Any = av.filter.Graph()
    if hasattr(graph, "threads"):
        graph.threads = _THREADS
    return graph


def chained(graph: Any, before: Any, steps: str) -> None:
    """Add filters, one after the other, and an end."""
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
