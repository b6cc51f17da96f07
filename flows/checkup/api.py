"""Check that the API answers and accepts the key, with a call that costs nothing."""

from __future__ import annotations

from typing import Any

from prefect_together_video.blocks import TogetherCredentials
from prefect_together_video.flows.checkup.line import API, CheckLine, failed, ok, warning
from together_video.errors import AccountRefused, ApiOverloaded, ApiUnreachable, RateLimited
from together_video.text import printable

_KEYS_PAGE = "https://api.together.ai/settings/api-keys"


async def check_key(credentials: TogetherCredentials, block: str | None = None) -> CheckLine:
    """Check that the API accepts this key. `block`: the block that the key comes from; None for the environment.

    Raises:
        VideoError: the API cannot be called, or its answer cannot be used.
    """
    async with credentials.get_client() as client:
        url = client.base_url
        place = f"in the block together-credentials/{block}" if block else "TOGETHER_API_KEY"
        address = f"the base URL in the block together-credentials/{block}" if block else "TOGETHER_BASE_URL"
        try:
            answer = await client.whoami()
        except AccountRefused as error:
            if error.status == 402:
                return failed(API, error.message)
            # For a 403, the server's message says why.
            reason = " (HTTP 401)" if error.status == 401 else f": {error.message.rstrip('.')}"
            words = f"{url} refuses the key{reason}."
            return failed(API, words, f"Set {place} to a valid key: see {_KEYS_PAGE}.")
        except ApiUnreachable as error:
            if variable := client.proxy_variable:
                remedy = (
                    f"Start the proxy that {variable} names, unset {variable}, or add the host to NO_PROXY."
                )
                return failed(API, error.message, remedy)
            return failed(API, error.message, f"Check the network and {address}.")
        except (RateLimited, ApiOverloaded) as error:
            return warning(
                API, f"The key is set but could not be verified: {error.message}", "Run this again later."
            )
    if answer is None:
        return ok(API, f"Set. It could not be verified because {url} has no free call for that.")
    return ok(API, f"{url} accepts the key{_owner(answer)}.")


def _owner(answer: dict[str, Any]) -> str:
    """The owner of the key, if the answer says so. Other people chose these names."""
    names = {"project": _name(answer.get("project")), "organisation": _name(answer.get("organization"))}
    said = [f"{kind} {name}" for kind, name in names.items() if name]
    return f" ({', '.join(said)})" if said else ""


def _name(value: object) -> str | None:
    name = value.get("name") if isinstance(value, dict) else value
    return printable(name, 60) if isinstance(name, str) and name else None
