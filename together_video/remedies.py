"""What to do about an error of the service, by its status and code. Sentences for people.

The codes come from real answers; the service does not document them. An unknown error gets no advice, only the
service's own words.
"""

from __future__ import annotations

import re

#: Only this partner's model is refused; other models of the same batch may work.
SHARING_BLOCKED = "third_party_data_sharing_blocked"

_BY_CODE = {
    SHARING_BLOCKED: (
        "The model runs at a partner, and your organisation does not share data with partners: allow it in the "
        "organisation's privacy settings, or choose another model."
    ),
    "model_not_available": (
        "The model is not available (any more), or not to this account: `together-video models` lists those that are."
    ),
    "invalidduration": (
        "The model does not support this length of the video or of a reference video: `together-video models NAME` "
        "lists the lengths. The same request will fail again."
    ),
    "invalidparameter": (
        "A value does not fit the model, such as a size tier in the wrong case: `together-video models NAME` lists "
        "what it accepts. The same request will fail again."
    ),
    "invalid_api_key": "Check the API key.",
}
_UNSUPPORTED = frozenset({"unsupportedparameter", "unsupported_parameter"})
_FINAL = _UNSUPPORTED | {"invalidduration", "invalidparameter"}
_BY_STATUS = {
    401: "Check the API key.",
    402: "The account has no credit left: add some and run again. Archived videos are reused.",
    403: "The key is not allowed to do this: check its rights and the organisation's privacy settings.",
}
_MODERATION = re.compile(
    r"moderat|content[ _-]?(?:policy|filter|safety)|safety|nsfw|sensitive", re.IGNORECASE
)
#: Moderation of the result, not of the request: each job makes another video from the same request.
_OF_THE_VIDEO = re.compile(
    r"\b(?:generated|produced|output|resulting) (?:video|content|clip|frames?)\b", re.IGNORECASE
)
_VIDEO_MODERATED = (
    "Moderation refused the finished video, not the prompt: another attempt may pass (--attempts)."
)
_MODERATED = (
    "Moderation refused the prompt or an image: change the wording or the image; "
    "the same request will be refused again."
)
#: Names such as negativePrompt in a message: the fields are the API's, in another spelling.
_CAMEL = re.compile(r"\b[a-z]+(?:[A-Z][a-z]+)+\b")
_FIELD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def advice_for(code: str | None, message: str, *, status: int | None = None) -> str | None:
    """What the user can do next, as one or two sentences; None if that is unknown."""
    folded = (code or "").casefold()
    if folded in _BY_CODE:
        return _BY_CODE[folded]
    if folded in _UNSUPPORTED:
        return _leave_out(message)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in {None, 400, 422, 451} and _MODERATION.search(f"{code or ''} {message}"):
        return _VIDEO_MODERATED if _OF_THE_VIDEO.search(message) else _MODERATED
    if status == 404 and re.search(r"\bmodel\b", message, re.IGNORECASE):
        return _BY_CODE["model_not_available"]
    return None


def is_final(code: str | None, message: str) -> bool:
    """Whether the same request would fail again, however often it is made."""
    folded = (code or "").casefold()
    if folded in _FINAL:
        return True
    return bool(_MODERATION.search(f"{code or ''} {message}")) and not _OF_THE_VIDEO.search(message)


def concerns_model(status: int | None, code: str | None, message: str) -> bool:
    """Whether another model may accept the refused request. Not if the address is wrong (a 404 from a server that is
    not the API), or if the answer says nothing about the request.
    """
    if status == 404:
        return (code or "").casefold() == "model_not_available" or "model" in message.casefold()
    return status in {400, 403, 410, 413, 422, 451, 503}


def _leave_out(message: str) -> str:
    named = _CAMEL.search(message) or _FIELD.search(message)
    field = re.sub(r"(?<!^)(?=[A-Z])", "_", named[0]).lower() if named else "the parameter that it names"
    return f"The model does not take {field}: leave it out. The same request will fail again."
