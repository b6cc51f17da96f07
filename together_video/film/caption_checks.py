"""Whether this machine can draw the captions that are burned into the picture."""

from __future__ import annotations

from together_video.catalogue.findings import Finding, warning
from together_video.film.storyboard import Storyboard
from together_video.media.lettering import unlettered

#: How many missing letters a message names.
_NAMED = 10


def undrawn_captions(storyboard: Storyboard) -> list[Finding]:
    """A warning that names the letters no installed font has. Empty if captions are not burned in."""
    if storyboard.cut.captions != "burned":
        return []
    of_shots = (unlettered(shot.caption) for shot in storyboard.shots if shot.caption)
    missing = list(dict.fromkeys("".join(of_shots)))
    if not missing:
        return []
    named = " ".join(missing[:_NAMED]) + (" …" if missing[_NAMED:] else "")
    words = (
        f"no font installed on this machine has {named}: the film would show boxes. Install Noto Sans CJK."
    )
    return [warning("cut.captions", words, "project")]
