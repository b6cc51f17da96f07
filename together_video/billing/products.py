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
    r"token|embedding|rerank|moderation|transcription|gpu|cluster|fine.?tun|training|storage|code interpreter"
    r"|sandbox session",
    re.IGNORECASE,
)
#: Words of products that make no videos, unless the line also has a word of a video model: `Veo 3 with Audio`.
_PERHAPS_OTHERS = re.compile(r"speech|audio|image|dedicated|endpoint", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^a-z0-9]+")


class Products:
    """Reads lines with the names of the models that the catalogue knows, and `more` names."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        known = {model.name for model in Catalogue.load().models} | set(more)
        #: The first word of each model, such as veo and kling.
        self._families: set[str] = set()
        #: Folded name -> the model that it is of. A tail is left out where two models share it.
        self._folded: dict[str, str | None] = {}
        for name in sorted(known):
            self._families.update(re.findall(r"[a-z]{3,}", _folded(name.rpartition("/")[2]))[:1])
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
        if "video" in said.casefold():
            return True
        if _OTHERS.search(line.product):
            return False
        words = set(re.findall(r"[a-z]+", said.casefold()))
        return bool(words & self._families) or not _PERHAPS_OTHERS.search(line.product)


def _folded(text: str) -> str:
    return _SEPARATORS.sub(" ", text.casefold()).strip()
