"""TogetherCredentials: what it takes, what it hides, and the client that it gives."""

from typing import Any

import pytest
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from pydantic import ValidationError

from prefect_together_video.blocks import TogetherCredentials
from together_video.api.settings import DEFAULT_BASE_URL, Timeouts
from together_video.errors import ConfigurationError
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

KEY = "tgp-very-secret-1234"


class TestStandards(BlockStandardTestSuite):
    """What Prefect asks of every block."""

    @pytest.fixture
    def block(self) -> type[TogetherCredentials]:
        return TogetherCredentials

    def test_has_a_valid_image(self, block: Any) -> None:
        """The logo has an https address. The suite would open it on the internet, which tests must not need."""
        assert str(block._logo_url).startswith("https://")


def test_from_env(monkeypatch):
    """Key and address come from the names that Together's own tools use."""
    monkeypatch.setenv("TOGETHER_API_KEY", f" {KEY} ")
    monkeypatch.setenv("TOGETHER_BASE_URL", "http://127.0.0.1:1/v1/")
    credentials = TogetherCredentials.from_env()
    assert credentials.api_key.get_secret_value() == KEY
    assert credentials.base_url == "http://127.0.0.1:1"


def test_from_env_without_an_address(monkeypatch):
    """Without an address it is the public one."""
    monkeypatch.setenv("TOGETHER_API_KEY", KEY)
    assert TogetherCredentials.from_env().base_url == DEFAULT_BASE_URL


@pytest.mark.parametrize(
    ("key", "url", "said"),
    [("", "", "TOGETHER_API_KEY"), ("  ", "", "TOGETHER_API_KEY"), (KEY, "ftp://host", "ftp://host")],
)
def test_from_env_refuses(monkeypatch, key, url, said):
    """A missing key or a broken address is named."""
    monkeypatch.setenv("TOGETHER_API_KEY", key)
    monkeypatch.setenv("TOGETHER_BASE_URL", url)
    with pytest.raises(ConfigurationError, match=said):
        TogetherCredentials.from_env()


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://host", "https://", "https://user:pw@host", "https://h/?q=1"]
)
def test_broken_addresses_are_refused(url):
    """The form in the Prefect UI refuses an address that cannot work."""
    with pytest.raises(ValidationError, match="base URL"):
        TogetherCredentials(api_key=KEY, base_url=url)


def test_the_key_is_masked():
    """No text or document that a block is shown as holds the key."""
    credentials = TogetherCredentials(api_key=KEY)
    shown = f"{credentials!r} {credentials} {credentials.model_dump()} {credentials.model_dump_json()}"
    assert "api_key" in shown
    assert KEY not in shown
    assert KEY not in repr(credentials.get_client())


@pytest.mark.anyio
async def test_the_client_has_what_the_block_says():
    """Key, address and timeouts of the block are those of its client."""
    with running_sandbox(SandboxConfig(api_keys=(KEY,))) as url:
        credentials = TogetherCredentials(
            api_key=KEY, base_url=f"{url}/v2", timeouts=Timeouts(create_seconds=7)
        )
        async with credentials.get_client() as client:
            assert client.base_url == url
            assert client.timeouts.create_seconds == 7
            answer = await client.chat({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})
    assert answer["choices"]
