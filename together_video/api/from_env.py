"""The API client from environment variables."""

from __future__ import annotations

from together_video.api.client import TogetherClient
from together_video.api.settings import api_from_env, timeouts_from_env


def client_from_env() -> TogetherClient:
    """Like `TogetherCredentials.from_env().get_client()`, without the block, which needs Prefect.

    Raises:
        ConfigurationError: the key is missing, or the address or a time limit cannot be used.
    """
    key, base_url = api_from_env()
    return TogetherClient(key, base_url, timeouts=timeouts_from_env())
