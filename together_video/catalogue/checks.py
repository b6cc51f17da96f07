"""Is this request likely to work? Checks one request by every rule of the documents.

The documents are often wrong or late, so an *error* means that the request cannot work: a model that does not exist, no
prompt or no media if they are required, a prompt of the wrong length, media that the documents call rejected or
exclusive. Anything else that the documents do not cover is a *warning*; `strict` turns warnings into errors. *Advice*
is about quality, and about undocumented fields. Undocumented limits are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.findings import Finding, advice, error, errors_of, sterner, warning
from together_video.catalogue.models import Model
from together_video.catalogue.rules.media import (
    frames_fit,
    inline_is_short,
    media_are_paired,
    media_are_taken,
    media_go_together,
    required_media,
)
from together_video.catalogue.rules.output import (
    format_is_made,
    frame_rate,
    guidance,
    length,
    no_nul,
    seed_range,
    settings_are_taken,
    sound_is_made,
    steps_are_taken,
)
from together_video.catalogue.rules.prompt import negative_prompt, prompt_fits
from together_video.catalogue.rules.size import pixels_fit, ratio_fits, tier_fits
from together_video.errors import RequestInvalid
from together_video.requests import VideoRequest

Rule = Callable[[VideoRequest, Model, Catalogue], Iterator[Finding]]


def model_is_offered(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """A retired model may still answer, or come back: a warning. A model that the newest list leaves out but another
    page still has gets only advice.
    """
    if model.offered:
        return
    if model.ended is not None:
        message = f"{model.organisation} ended {model.name} on {model.ended}"
    else:
        message = f"{model.name} was not available on {catalogue.as_of}"
    if model.still_documented:
        message += ", although the documents still describe it"
    if others := catalogue.offered_by(model.organisation):
        names = ", ".join(other.name for other in others)
        message += f"; from {model.organisation}, these were: {names}"
    say = advice if model.still_documented else warning
    yield say("model", message + ".", ", ".join(model.sources))


#: Every rule, in the order of the report.
RULES: tuple[Rule, ...] = (
    model_is_offered,
    prompt_fits,
    negative_prompt,
    pixels_fit,
    tier_fits,
    ratio_fits,
    length,
    frame_rate,
    steps_are_taken,
    guidance,
    format_is_made,
    seed_range,
    sound_is_made,
    no_nul,
    settings_are_taken,
    required_media,
    media_go_together,
    media_are_paired,
    media_are_taken,
    inline_is_short,
    frames_fit,
)

#: The rules that do not depend on the model.
ANY_MODEL: tuple[Rule, ...] = (no_nul, guidance, inline_is_short)


def check(
    request: VideoRequest, catalogue: Catalogue | None = None, *, strict: bool = False
) -> list[Finding]:
    """All findings about one request. Never raises; an unknown model is a finding too.

    Args:
        catalogue: None for the packaged one.
        strict: turn warnings into errors.
    """
    known = catalogue or Catalogue.load()
    try:
        model = known.get(request.model)
    except RequestInvalid as unknown:
        absent = error("model", str(unknown), "models-table, project", model=unknown.instead)
        found = [absent.model_copy(update={"rule": "model_is_known"})]
        # Report what is wrong with any model, too, so that you can fix everything at once.
        model, rules = known.default_model, ANY_MODEL
    else:
        found, rules = [], RULES
    found += [
        finding.model_copy(update={"rule": rule.__name__})
        for rule in rules
        for finding in rule(request, model, known)
    ]
    return sterner(found) if strict else found


def refuse_errors(
    request: VideoRequest, catalogue: Catalogue | None = None, *, strict: bool = False
) -> list[Finding]:
    """The warnings and the advice about a request that may be sent.

    Raises:
        RequestInvalid: the check found errors; the message has all of them.
    """
    found = check(request, catalogue, strict=strict)
    if errors := errors_of(found):
        raise RequestInvalid(" ".join(finding.message for finding in errors), field=errors[0].field)
    return found
