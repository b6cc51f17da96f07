"""The form of generate-film: a storyboard, or what the film is about, then the budget and the approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_together_video.flows.forms.fields import Archive
from prefect_together_video.flows.forms.form import amount, chosen, entry, joined
from prefect_together_video.flows.forms.groups import FilmMore
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief

FILM_FORM = (
    entry("brief", StoryBrief | None, "Have a chat model write the storyboard.", title="Brief"),
    entry("storyboard", Storyboard | None, "Instead of a brief: the shots themselves.", title="Storyboard"),
    amount("budget_usd", MEANING["budget_usd"], title="Budget (USD)"),
    entry(
        "approve",
        bool,
        "Show me the storyboard and its price, and buy nothing before I approve.",
        title="Ask me first",
        default=False,
    ),
    entry("more", FilmMore | None, "All other settings.", title="More"),
    entry("archive", Archive, "Where the film and its shots are kept; else the environment's."),
)


def film_from_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of generate-film, with those of the form's group in their places.

    Raises:
        InputError: a parameter and the group say different things.
    """
    more = joined(given, given.get("more"))
    if "settings" in more:
        more["settings"] = chosen(more["settings"])
    return {name: value for name, value in given.items() if name != "more"} | more
