"""Links to Prefect's own form, filled in for another take of a video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from together_video.gallery.public import is_public
from together_video.gallery.public_text import is_plain, names_a_secret
from together_video.gallery.takes import next_takes
from together_video.ledger.records import VideoPlan
from together_video.ledger.redo import redo_labels
from together_video.media.sources import MediaForm, form_of, media_texts

#: Longest link, in characters. Servers and proxies refuse addresses of 8 kB or more.
LONGEST = 6_000


class RedoForm(BaseModel):
    """The page where Prefect's UI starts a run of generate-video, such as
    `http://127.0.0.1:4200/deployments/deployment/<id>/run`, and the deployment's own parameters.
    """

    model_config = ConfigDict(frozen=True)

    page: str
    parameters: dict[str, Any] = Field(default_factory=dict)


def redo_links(form: RedoForm, plans: Iterable[VideoPlan]) -> Callable[[VideoPlan], str | None]:
    """A function that gives the link for a video, with the first take that none of `plans` has.

    Args:
        plans: the videos on the page. Identical requests among them get different takes.

    Example:
        ```python
        redo = redo_links(RedoForm(page="http://127.0.0.1:4200/deployments/deployment/6c1e/run"), [plan])
        redo(plan)  # http://127.0.0.1:4200/deployments/deployment/6c1e/run?parameters=%7B%22request%22…
        ```
    """
    next_take = next_takes(plans)
    return lambda plan: redo_link(form, plan, take=next_take(plan))


def redo_link(form: RedoForm, plan: VideoPlan, *, take: int) -> str | None:
    """The form with this request and `take`. None if the request has something that a page must not contain (see
    `public`), names a file, or the link would be longer than `LONGEST`.

    In Prefect's second UI the link's parameters replace those of the deployment, so its saved blocks are included.
    """
    request = plan.request.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    # Without it, the form would use today's default.
    request["model"] = plan.request.model
    # As in a redo list of a review, so that a review knows this clip already has another take.
    request["labels"] = redo_labels(plan.request, plan.id)
    forms = {form_of(text) for _, _, text in media_texts(plan.request)}
    # A file would be on another machine than the one that runs the form.
    if MediaForm.FILE in forms or not is_public(plan):
        return None
    kept = _public(form.parameters)
    if plan.edition != "once":
        kept["more"] = {**kept.get("more", {}), "edition": plan.edition}
    text = json.dumps({**kept, "request": request, "take": take}, separators=(",", ":"))
    # Prefect's first UI decodes the text twice, the second one once. Without a % both read the same.
    link = f"{form.page}?parameters={quote(text.replace('%', chr(92) + 'u0025'), safe='')}"
    return link if len(link) <= LONGEST else None


def _public(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters to include: references to saved blocks, amounts and switches, and plain words of the form's group.
    A block that the deployment holds inline may contain a key, so it is left out.
    """
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if (isinstance(value, dict) and set(value) == {"$ref"}) or isinstance(value, bool | int | float):
            found[name] = value
        elif name == "more" and isinstance(value, dict):
            found[name] = {
                inner: one for inner, one in value.items() if _is_simple(one) and not names_a_secret(inner)
            }
    return found


def _is_simple(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_simple, value))
    return isinstance(value, bool | int | float) or (isinstance(value, str) and is_plain(value))
