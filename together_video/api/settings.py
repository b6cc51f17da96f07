"""Settings of an API client: its key and address, and how long its calls may take.

The variables have the names that Together's own tools use.
"""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.environment import from_environment
from together_video.errors import ConfigurationError
from together_video.masking import masked
from together_video.network.addresses import is_reachable

DEFAULT_BASE_URL = "https://api.together.ai"


class Timeouts(BaseModel):
    """Time limits of HTTP calls, links and jobs, in seconds. The poll policy says how long a run waits for a job.

    `claim_margin_seconds` is how much longer a claim lives than its create can take.
    """

    model_config = ConfigDict(frozen=True)

    connect_seconds: float = Field(
        default=10, gt=0, le=300, description="Time limit for making a connection."
    )
    create_seconds: float = Field(
        default=120,
        gt=0,
        le=1800,
        description="Time limit for the answer to a create. If it is too short, paid jobs become ambiguous.",
    )
    read_seconds: float = Field(default=30, gt=0, le=1800, description="Time limit for the answer to a poll.")
    chat_seconds: float = Field(
        default=180, gt=0, le=1800, description="Time limit for the answer of a chat model."
    )
    download_seconds: float = Field(
        default=60, gt=0, le=1800, description="Longest pause between two pieces of a file."
    )
    link_seconds: float = Field(
        default=120,
        gt=0,
        le=3600,
        description="How long to retry the link of a finished job while it is refused.",
    )
    doubt_after_seconds: float = Field(
        default=86_400,
        gt=0,
        le=30 * 86_400,
        description="A job that is neither done nor failed this long after its create is reported as doubtful: it "
        "may have been charged, and you decide whether to buy it again.",
    )
    billed_within_seconds: float = Field(
        default=7200,
        ge=1,
        le=30 * 86_400,
        description="How long a video may take to appear on the bill after its create.",
    )
    bill_settles_seconds: float = Field(
        default=7200,
        ge=1,
        le=30 * 86_400,
        description="How long the bill of an hour may still change after that hour.",
    )
    claim_margin_seconds: float = Field(
        default=120,
        ge=2,
        le=3600,
        description="A claim without a job id counts as left behind by a killed process once it is "
        "this much older than a create can take. Leave room for a slow bucket: "
        "if it is too short, claims in use become ambiguous.",
    )

    @property
    def claim_seconds(self) -> float:
        """The age, in seconds, at which a claim without a job id counts as left behind."""
        return self.connect_seconds + self.create_seconds + self.claim_margin_seconds

    def of(self, seconds: float) -> httpx.Timeout:
        return httpx.Timeout(seconds, connect=self.connect_seconds)


def normalise_base_url(text: str) -> str:
    """Scheme and host (and path, if any) without a final /v1 or /v2, which some people include.

    Raises:
        ConfigurationError: it is not an http or https address.
    """
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigurationError(f"The base URL {masked(text)!r} is not an address: {error}.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"The base URL {masked(text)!r} is not an http or https address.")
    if not is_reachable(url):
        raise ConfigurationError(f"The base URL {masked(text)!r} has an impossible host or port.")
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError("The base URL must not contain a user name, query or fragment.")
    return str(url).rstrip("/").removesuffix("/v1").removesuffix("/v2").rstrip("/")


class _Api(BaseModel):
    api_key: str = ""
    base_url: str = DEFAULT_BASE_URL


def api_from_env() -> tuple[str, str]:
    """TOGETHER_API_KEY and TOGETHER_BASE_URL, the latter normalised.

    Raises:
        ConfigurationError: there is no key, or the address is not valid.
    """
    named = from_environment(_Api, "TOGETHER_")
    if not named.api_key:
        raise ConfigurationError(
            "There is no API key: set TOGETHER_API_KEY, or name a Together Credentials block."
        )
    return named.api_key, normalise_base_url(named.base_url)


def base_url_from_env() -> str:
    """TOGETHER_BASE_URL, normalised; the API's own address if it is not set.

    Raises:
        ConfigurationError: it is not an http or https address.
    """
    return normalise_base_url(from_environment(_Api, "TOGETHER_").base_url)


def timeouts_from_env() -> Timeouts:
    """TOGETHER_VIDEO_CREATE_SECONDS and so on: one variable for each field of `Timeouts`, in seconds.

    Raises:
        ConfigurationError: a value is not a number, or is out of its bounds.
    """
    try:
        return from_environment(Timeouts, "TOGETHER_VIDEO_")
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(
            f"{first['loc'][0]} is {first['input']!r}: it must be a number of seconds, "
            f"{first['msg'].lower()}."
        ) from error
