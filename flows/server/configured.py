"""Whether a Prefect server may be configured, found out without importing Prefect, which takes seconds.

Prefect takes PREFECT_API_URL from the environment, from `.env`, `prefect.toml` and `pyproject.toml` in the working
directory, or from the active profile. Here these are read only to make sure that none of them contains anything for
Prefect. Anything doubtful counts as a server, and Prefect decides.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What `keep_prefect_quiet` sets, in addition to the user's own settings.
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # It would print in full what it could not send to a server that is down.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}
#: Variables that say where the profiles are.
_PLACES = frozenset({"PREFECT_HOME", "PREFECT_PROFILES_PATH"})
#: Settings of servers, with the values that they may have: they do not name a server to call.
_OF_SERVERS = frozenset(
    {
        "PREFECT_SERVER_ANALYTICS_ENABLED",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE",
        "PREFECT_SERVER_EPHEMERAL_ENABLED",
    }
)
_ANSWERS = frozenset({"true", "false", "1", "0"})


def may_have_server(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether Prefect may have a server to record runs. False is certain."""
    if "prefect.settings" in sys.modules:
        from prefect.settings import PREFECT_API_URL

        return bool(PREFECT_API_URL.value())
    return may_name_server(environment)


def may_name_server(environment: Mapping[str, str]) -> bool:
    """The same, from the sources of Prefect's settings only, if Prefect is not imported."""
    try:
        return (
            any(not _is_harmless(name, value) for name, value in environment.items())
            or _says_something(Path(".env"))
            or Path("prefect.toml").exists()
            or _has_table(Path("pyproject.toml"))
            or _profile_says_something(_profiles(environment))
        )
    except (OSError, ValueError, RuntimeError, AttributeError, TypeError):
        # A file that cannot be read, or has another format.
        return True


def _is_harmless(name: str, value: object) -> bool:
    # Prefect reads its variables in upper and lower case.
    plain = name.upper()
    if not plain.startswith("PREFECT_"):
        return True
    if plain in _OF_SERVERS:
        return str(value).lower() in _ANSWERS
    return name in _PLACES or QUIET.get(name) == value


def _says_something(env_file: Path) -> bool:
    """Whether a line that is not a comment names Prefect."""
    if not env_file.exists():
        return False
    lines = env_file.read_text(encoding="utf-8").splitlines()
    return any("PREFECT" in line.upper() for line in lines if not line.lstrip().startswith("#"))


def _has_table(pyproject: Path) -> bool:
    return pyproject.exists() and "prefect" in _toml(pyproject).get("tool", {})


def _profiles(environment: Mapping[str, str]) -> Path:
    if named := environment.get("PREFECT_PROFILES_PATH"):
        return Path(named)
    home = environment.get("PREFECT_HOME")
    return (Path(home) if home else Path.home() / ".prefect") / "profiles.toml"


def _profile_says_something(path: Path) -> bool:
    """Whether the active profile has more than settings of servers. Without a file, Prefect's profile names none."""
    if "~" in str(path) or "$" in str(path):
        return True
    if not path.exists():
        return False
    found = _toml(path)
    active = found.get("profiles", {}).get(found.get("active"))
    return active is None or not all(
        name in _OF_SERVERS and _is_harmless(name, value) for name, value in active.items()
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
