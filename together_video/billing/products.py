"""Which lines of a bill are of videos, and of which model.

Product names are for people and may change, so a line is of another kind only if it says so; a line that may be of
videos counts as one. More lines than there are make a doubt look charged, which costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from together_video.api.usage import LineItem
from together_video.catalogue import Catalogue

#: Words of products that make no videos.
_OTHERS = re.compile(
    r"token|embedding|rerank|moderation|transcription|speech|audio|gpu|cluster|dedicated|endpoint|fine.?tun|training"
    r"|storage|code interpreter|sandbox session|image",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[^a-z0-9]+")


class Products:
    """Reads lines with the names of the models that the catalogue knows, and `more` names."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        known = {model.name for model in Catalogue.load().models} | set(more)
        #: Folded name -> the model that it is of. A tail is left out where two models share it.
        self._folded: dict[str, str | None] = {}
        for name in sorted(known):
            for text in {name, name.rpartition("/")[2]}:
                folded = _folded(text)
                self._folded[folded] = name if self._folded.get(folded, name) == name else None

    def model_of(self, line: LineItem) -> str | None:
        """The model's API name, or None where the line names none that is known, or several."""
        found = {self._folded[folded] for text in line.names if (folded := _folded(text)) in self._folded}
        return found.pop() if len(found) == 1 else None

    def may_be_video(self, line: LineItem) -> bool:
        """Whether it could be of videos, whichever model made them."""
        if self.model_of(line) is not None:
            return True
        said = " ".join(line.names)
        return "video" in said.casefold() or not _OTHERS.search(said)


def _folded(text: str) -> str:
    return _SEPARATORS.sub(" ", text.casefold()).strip()
