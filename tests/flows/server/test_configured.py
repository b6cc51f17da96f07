"""Whether a Prefect server may be configured, without Prefect: never less than Prefect itself finds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from prefect.settings import Settings
from prefect.settings.base import PrefectBaseSettings

from prefect_together_video.flows.server.configured import QUIET, may_have_server, may_name_server

URL = "http://127.0.0.1:4200/api"
EPHEMERAL = 'active = "e"\n[profiles.e]\nPREFECT_SERVER_ALLOW_EPHEMERAL_MODE = "true"\n'
SERVER = f'[profiles.s]\nPREFECT_API_URL = "{URL}"\n'


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """What is found in an empty home and working directory with these variables and files."""

    def find(environment: Mapping[str, str], files: Mapping[str, str]) -> tuple[bool, str | None]:
        for name in [name for name in os.environ if name.upper().startswith("PREFECT_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("HERE", str(tmp_path)))
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        try:
            says: str | None = Settings().api.url
        except Exception:  # noqa: BLE001 - a broken file
            says = "an error"
        return may_name_server(os.environ), says

    return find


@pytest.mark.parametrize(
    ("environment", "files"),
    [
        ({}, {}),
        (QUIET, {}),
        ({"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}, {}),
        ({}, {".env": "OTHER=1\n# PREFECT_API_URL=x\n"}),
        ({}, {"pyproject.toml": '[project]\ndependencies = ["prefect"]\n[tool.other]\nprefect = 1\n'}),
        ({}, {"home/profiles.toml": EPHEMERAL}),
        ({}, {"home/profiles.toml": EPHEMERAL + "[profiles.other]\n"}),
        ({}, {"home/profiles.toml": EPHEMERAL + SERVER}),
        ({"PREFECT_PROFILES_PATH": "HERE/mine.toml"}, {"mine.toml": EPHEMERAL, "home/profiles.toml": SERVER}),
    ],
)
def test_without_a_server(found, environment, files):
    """Prefect is spared, and it would have found none."""
    assert found(environment, files) == (False, None)


@pytest.mark.parametrize(
    ("environment", "files"),
    [
        ({"PREFECT_API_URL": URL}, {}),
        ({"prefect_api_url": URL}, {}),
        ({}, {".env": f"PREFECT_API_URL={URL}\n"}),
        ({}, {".env": f"export prefect_api_url='{URL}'"}),
        ({}, {"prefect.toml": f'[api]\nurl = "{URL}"\n'}),
        ({}, {"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}),
        ({}, {"home/profiles.toml": f'active = "s"\n{SERVER}'}),
        ({"PREFECT_PROFILE": "s"}, {"home/profiles.toml": EPHEMERAL + SERVER}),
        ({"PREFECT_PROFILES_PATH": "HERE/mine.toml"}, {"mine.toml": f'active = "s"\n{SERVER}'}),
        ({}, {"prefect.toml": 'profiles_path = "mine.toml"\n', "mine.toml": f'active = "s"\n{SERVER}'}),
        ({}, {".env": "PREFECT_PROFILES_PATH=mine.toml\n", "mine.toml": f'active = "s"\n{SERVER}'}),
    ],
)
def test_with_a_server(found, environment, files):
    """Wherever Prefect finds an address, it is asked."""
    assert found(environment, files) == (True, URL)


@pytest.mark.parametrize(
    ("environment", "files"),
    [
        ({"PREFECT_LOGGING_LEVEL": "nonsense"}, {}),
        ({"PREFECT_LOGGING_INTERNAL_LEVEL": "DEBUG"}, {}),
        ({"PREFECT_SERVER_ANALYTICS_ENABLED": "nonsense"}, {}),
        ({"PREFECT_PROFILE": "local"}, {}),
        ({"PREFECT_API_URL": ""}, {}),
        ({"PREFECT_HOME": "~/elsewhere"}, {}),
        ({}, {"prefect.toml": ""}),
        ({}, {"pyproject.toml": "nonsense ["}),
        ({}, {"home/profiles.toml": "nonsense ["}),
        ({}, {"home/profiles.toml": SERVER}),
        ({}, {"home/profiles.toml": 'profiles = 1\nactive = "s"'}),
        ({}, {"home/profiles.toml": 'active = "e"\n[profiles.e]\nPREFECT_LOGGING_LEVEL = "DEBUG"\n'}),
    ],
)
def test_in_doubt(found, environment, files):
    """Prefect is asked, which also reports what it cannot use."""
    assert found(environment, files)[0]


def test_where_prefect_is_imported_its_settings_decide(monkeypatch, prefect_url):
    """They may have been changed in this process."""
    assert may_have_server() is prefect_url


def test_the_sources_of_prefect_are_these():
    """Another source of Prefect's settings would have to be read here as well."""
    given = (Settings, *(None for _ in range(4)))
    names = [type(source).__name__ for source in PrefectBaseSettings.settings_customise_sources(*given)]
    assert names == [
        "NoneType",
        "EnvFilterSettingsSource",
        "FilteredDotEnvSettingsSource",
        "NoneType",
        "PrefectTomlConfigSettingsSource",
        "PyprojectTomlConfigSettingsSource",
        "ProfileSettingsTomlLoader",
    ]
    assert (Settings.model_config["env_file"], Settings.model_config.get("secrets_dir")) == (".env", None)


@pytest.fixture(params=[True, False])
def prefect_url(request):
    """Whether an address is set while the test runs."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: URL if request.param else None}):
        yield request.param


@pytest.mark.parametrize("text", ["", 'active = "ephemeral"\n', "[other]\n"])
def test_a_file_without_profiles_is_one(found, text):
    """Prefect takes it for what it is: no profile at all. Here that is at most a doubt, and no error."""
    assert found({}, {"home/profiles.toml": text})[1] is None
