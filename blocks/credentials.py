"""The credentials of the Together API as a Prefect block."""

from __future__ import annotations

from typing import Self

from prefect.blocks.abstract import CredentialsBlock
from pydantic import Field, SecretStr, field_validator

from together_video.api.client import TogetherClient
from together_video.api.settings import (
    DEFAULT_BASE_URL,
    Timeouts,
    api_from_env,
    normalise_base_url,
    timeouts_from_env,
)
from together_video.errors import ConfigurationError


class TogetherCredentials(CredentialsBlock):
    """Access to the Together AI API: the key, the address and how long a call may take.

    Example:
        Load the block and make a video with its key:

        ```python
        from prefect import flow
        from prefect_together_video import TogetherCredentials, make_video

        @flow
        def fox():
            credentials = TogetherCredentials.load("BLOCK_NAME")
            return make_video("a fox in the snow", together=credentials).uri
        ```
    """

    _block_type_name = "Together Credentials"
    _block_type_slug = "together-credentials"
    _logo_url = "https://github.com/togethercomputer.png?size=200"  # type: ignore[assignment]
    _documentation_url = "https://docs.together.ai/docs/videos-overview"  # type: ignore[assignment]
    _description = "Access to the Together AI API: the key, the address and how long a call may take."

    api_key: SecretStr = Field(
        title="API key", description="The API key. It is only sent to the API's own host."
    )
    base_url: str = Field(
        default=DEFAULT_BASE_URL,
        title="Base URL",
        description="The address of the API, with or without /v1 or /v2 at the end.",
    )
    timeouts: Timeouts = Field(
        default_factory=Timeouts,
        title="Timeouts",
        description="How long calls, links and jobs may take, in seconds.",
    )

    @field_validator("base_url")
    @classmethod
    def _base_url_is_an_address(cls, value: str) -> str:
        try:
            return normalise_base_url(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @classmethod
    def from_env(cls) -> Self:
        """The block from TOGETHER_API_KEY and TOGETHER_BASE_URL, the names that Together's own tools use, and from
        TOGETHER_VIDEO_CREATE_SECONDS and similar variables for the timeouts.

        Raises:
            ConfigurationError: there is no key, the address is not a URL, or a timeout is not a valid number.
        """
        key, base_url = api_from_env()
        return cls(api_key=SecretStr(key), base_url=base_url, timeouts=timeouts_from_env())

    def get_client(self) -> TogetherClient:
        """A client with its own connections; close it with `async with` or `aclose()`."""
        return TogetherClient(self.api_key.get_secret_value(), self.base_url, timeouts=self.timeouts)
