"""References, the links that they become, and what is taken out of answers."""

from __future__ import annotations

import json

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.errors import InputError, NoClearAnswer, RequestRefused
from together_video.media.references import (
    object_of,
    reference_to,
    references_of,
    with_links,
    without_signatures,
)
from together_video.requests import VideoRequest

NAME = f"media/{'ab' * 32}.png"
REFERENCE = f"archive:{NAME}"
SIGNED = f"http://127.0.0.1:8333/bucket/some/prefix/{NAME}?X-Amz-Credential=id&X-Amz-Signature=5ecret"
ASKED = VideoRequest.model_validate(
    {"model": "m", "prompt": "p", "media": {"reference_images": [REFERENCE, "https://x/a.png", REFERENCE]}}
)


def test_references_become_links_and_nothing_else_does() -> None:
    """Only references are replaced, each by its own link; the request itself stays as it was."""
    assert references_of(ASKED) == (REFERENCE,)
    assert with_links(ASKED, {REFERENCE: SIGNED}.__getitem__).payload()["media"]["reference_images"] == [
        SIGNED,
        "https://x/a.png",
        SIGNED,
    ]
    assert "X-Amz" not in ASKED.canonical()


@pytest.mark.parametrize(
    "text",
    [
        "archive:records/x.json",
        "archive:../x",
        "archive:",
        f"archive:media/../{'ab' * 32}.png",
        f"{REFERENCE}/..",
        NAME,
    ],
)
def test_a_reference_names_media_and_nothing_else(text: str) -> None:
    """No other object of the bucket can be linked to."""
    assert object_of(reference_to("ab" * 32, "png")) == NAME
    with pytest.raises(InputError, match="is not a reference"):
        object_of(text)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (SIGNED, REFERENCE),
        (f"cannot fetch {SIGNED}, sorry", f"cannot fetch {REFERENCE} sorry"),
        (SIGNED.replace("?", "%3F").replace("&", "%26"), REFERENCE),
        ({"inputs": [{"image": SIGNED}, 5, None]}, {"inputs": [{"image": REFERENCE}, 5, None]}),
        ("https://cdn/out.mp4?X-Amz-Signature=theirs", "https://cdn/out.mp4?X-Amz-Signature=theirs"),
    ],
)
def test_our_links_are_taken_out_of_what_a_server_says(said: object, kept: object) -> None:
    """Signed links to our media become references again, however deep; the provider's own links stay."""
    assert without_signatures(said) == kept


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 422, 500])
async def test_no_answer_brings_a_signature_back(status: int) -> None:
    """A server that repeats the request, in an answer, a refusal or an error page, gives no signature to keep."""

    def answer(call: httpx.Request) -> httpx.Response:
        sent = json.loads(call.content)
        body = (
            {"id": "v1", "inputs": sent}
            if status == 200
            else {"error": {"message": f"no: {json.dumps(sent)}"}}
        )
        return httpx.Response(status, json=body)

    request = with_links(ASKED, {REFERENCE: SIGNED}.__getitem__)
    async with TogetherClient("key", "http://api", transport=httpx.MockTransport(answer)) as client:
        try:
            said = json.dumps((await client.create(request)).raw)
        except RequestRefused as error:
            said = error.message
        except NoClearAnswer as error:
            said = f"{error.message} {error.body}"
    assert "media/abab" in said
    assert "5ecret" not in said
