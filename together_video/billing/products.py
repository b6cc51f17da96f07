"""Which lines of a bill are for videos, and for which model.

Product names are for people and may change, so a line counts as a video unless it clearly is something else. Too many
lines make a doubt look charged, which costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from together_video.api.usage import LineItem
from together_video.catalogue import Catalogue

#: Words in products that are not videos.
_OTHERS = re.compile(
    r"token|embedding|rerank|moderation|transcription|gpu|cluster|fine.?tun|training|storage|code interpreter"
    r"|sandbox session",
    re.IGNORECASE,
)
#: Words in products that are not videos, unless the line also contains a video model's name: `Veo 3 with Audio`.
_PERHAPS_OTHERS = re.compile(r"speech|audio|image|dedicated|endpoint", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^a-z0-9]+")


class Products:
    """Recognises lines by the model names of the catalogue and by `more` names."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        known = {model.name for model in Catalogue.load().models} | set(more)
        #: The first word of each model, such as veo and kling.
        self._families: set[str] = set()
        #: Folded name -> its model. None if two models share the last part of the name.
        self._folded: dict[str, str | None] = {}
        for name in sorted(known):
            self._families.update(re.findall(r"[a-z]{3,}", _folded(name.rpartition("/")[2]))[:1])
            for text in {name, name.rpartition("/")[2]}:
                folded = _folded(text)
                self._folded[folded] = name if self._folded.get(folded, name) == name else None

    def model_of(self, line: LineItem) -> str | None:
        """The model's API name, or None if the line names no known model, or several."""
        found = {self._folded[folded] for text in line.names if (folded := _folded(text)) in self._folded}
        return found.pop() if len(found) == 1 else None

    def may_be_video(self, line: LineItem) -> bool:
        """Whether the line could be for videos of any model."""
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
