"""The form of generate-film: the parts of a storyboard, or a brief of one, then the budget and the approval.

The storyboard itself is not a field: Prefect's server checks values against the form, and would refuse shorthand, such
as a shot that is only text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_together_video.flows.forms.fields import Archive, Settings
from prefect_together_video.flows.forms.form import amount, chosen, entry, joined
from prefect_together_video.flows.forms.groups import FilmMore
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError
from together_video.film.reading import storyboard_of
from together_video.film.shots import Shot
from together_video.film.storyboard import Cut, Look, Storyboard
from together_video.film.writing.briefs import StoryBrief

#: The parameters of generate-film in the form that together make a storyboard.
PARTS = ("title", "shots", "look", "defaults", "cut")
#: Those and the group: parameters that only the form fills in.
FORM_ONLY = (*PARTS, "more")

FILM_FORM = (
    entry("title", str, Storyboard.model_fields["title"].description or "", title="Title", default=""),
    entry("shots", list[Shot], "The shots in the order of the film.", title="Shots", default=[]),
    entry("look", Look | None, "What all shots have in common.", title="Look"),
    entry(
        "defaults",
        Settings | None,
        "Request fields for every shot that does not set them itself, such as model, seconds and size.",
        title="Defaults",
    ),
    entry("cut", Cut | None, "How the shots become one film.", title="Cut"),
    entry(
        "brief", StoryBrief | None, "Instead of a title and shots: a chat model writes them.", title="Brief"
    ),
    amount("budget_usd", MEANING["budget_usd"], title="Budget (USD)"),
    entry(
        "approve",
        bool,
        "Show me the shots and their price, and buy nothing before I approve.",
        title="Ask me first",
        default=False,
    ),
    entry("more", FilmMore | None, "All other settings.", title="More"),
    entry(
        "archive",
        Archive,
        "Where to keep the film and its shots. Empty for the archive that the environment names.",
    ),
)


def asks(given: Mapping[str, Any]) -> bool:
    """Whether these parameters of generate-film were filled in by the form."""
    return any(given.get(name) not in (None, "", [], ()) for name in FORM_ONLY)


def film_from_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of generate-film, with the form's fields converted to the parameters that they stand for.

    Raises:
        InputError: they do not make a storyboard, or a parameter contradicts the group.
    """
    more = joined(given, given.get("more"))
    if "settings" in more:
        more["settings"] = chosen(more["settings"])
    rest = {name: value for name, value in given.items() if name not in FORM_ONLY} | more
    parts = {name: given[name] for name in PARTS if given.get(name) not in (None, "", [], ())}
    if not parts:
        return rest
    if others := [name for name in ("storyboard", "brief", "file", "payload") if rest.get(name)]:
        raise InputError(f"Give either title and shots, or {others[0]}. Nothing was bought.")
    if "defaults" in parts:
        parts["defaults"] = chosen(parts["defaults"])
    return {**rest, "storyboard": storyboard_of(parts)}
