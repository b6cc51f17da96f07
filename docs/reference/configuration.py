"""The configuration page: every environment variable, every field of the blocks and every setting of a run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from prefect.settings.legacy import _get_settings_fields
from prefect.settings.models.root import Settings
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.reference.rendering import breakable, model_part, table
from prefect_together_video import TogetherCredentials, VideoArchive, generate_batch, generate_video
from prefect_together_video.flows.cli import confirmation
from prefect_together_video.tasks.running import assets
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.api.settings import Timeouts
from together_video.catalogue import own
from together_video.ledger.settings import ArchiveSettings
from together_video.ledger.spool import default_folder
from together_video.network import trusted_hosts
from together_video.polling.policy import PollPolicy

#: Units, by a part of the field's name.
_UNITS = {"seconds": "seconds", "hours": "hours", "usd": "USD", "days": "days", "percent": "percent"}

#: Prefect's own settings that our code reads or our docs name. Prefect describes them.
_PREFECTS = (
    "PREFECT_API_URL",
    "PREFECT_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_SSL_CERT_FILE",
    "PREFECT_API_TLS_INSECURE_SKIP_VERIFY",
    "PREFECT_CLIENT_CUSTOM_HEADERS",
    "PREFECT_HOME",
    "PREFECT_PROFILES_PATH",
    "PREFECT_UI_URL",
    "PREFECT_LOGGING_TO_API_ENABLED",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW",
    "PREFECT_LOGGING_INTERNAL_LEVEL",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_SERVER_ANALYTICS_ENABLED",
    "PREFECT_SERVER_EPHEMERAL_ENABLED",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL",
)
#: Variables of other programs that affect ours. These programs do not describe them in code.
_OTHERS = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "Level of Prefect's log lines in the terminal. The commands hide them "
    "unless you set this or use `--verbose`.",
    "AWS_PROFILE": "The profile in `~/.aws` with the credentials for the bucket. Errors name it.",
    "AWS_DEFAULT_PROFILE": "The same, if `AWS_PROFILE` is not set.",
    "AWS_ACCESS_KEY_ID": "Access key for the bucket. `together-video save-blocks` puts it into a block.",
    "AWS_SECRET_ACCESS_KEY": "The secret for that key. It is never shown.",
    "AWS_SESSION_TOKEN": "Token of temporary keys. `save-blocks` refuses such keys: they would expire in the block.",
    "AWS_REGION": "Region of the bucket. For another S3 server, us-east-1 by default.",
    "AWS_DEFAULT_REGION": "The same, as boto3 reads it.",
    "AWS_ENDPOINT_URL_S3": "Address of an S3 server other than Amazon's.",
    "AWS_ENDPOINT_URL": "The same, if `AWS_ENDPOINT_URL_S3` is not set.",
    "AWS_CA_BUNDLE": "File of certificates to trust for the S3 server.",
    "REQUESTS_CA_BUNDLE": "The same, if `AWS_CA_BUNDLE` is not set.",
    "SSL_CERT_FILE": "File of certificates to trust for the API and the Prefect server.",
    "SSL_CERT_DIR": "Folder of certificates, if `SSL_CERT_FILE` is not set.",
    "HTTP_PROXY": "Proxy for http addresses. The lowercase name takes precedence.",
    "HTTPS_PROXY": "Proxy for https addresses. The lowercase name takes precedence.",
    "ALL_PROXY": "Proxy for both, unless they have their own. SOCKS is supported.",
    "NO_PROXY": "Hosts and networks to call without a proxy, separated by commas.",
    "XDG_CACHE_HOME": "Folder for caches. It contains the spool if `TOGETHER_VIDEO_SPOOL` is not set.",
    "DISPLAY": "Set if there is a screen: then `together-video open` opens the viewer instead of only printing.",
    "WAYLAND_DISPLAY": "The same, for a Wayland session.",
    "TERM": "If it is `dumb` or not set, there is no moving display.",
    "NO_COLOR": "Any value: plain lines instead of colours and a moving display.",
}


@dataclass(frozen=True)
class Variable:
    """A row of the table. An empty default means none."""

    name: str
    default: str
    unit: str
    meaning: str


def variables() -> list[Variable]:
    """Every variable that affects the commands, the tasks and the flows, ours first."""
    return [*_ours(), *_prefects(), *(Variable(name, "", "", said) for name, said in _OTHERS.items())]


def configuration_page() -> str:
    """The variables, the blocks, and the settings of a run."""
    return "\n\n".join(
        (
            "# Configuration",
            "Every setting, with its default and unit, as the code declares it. Options of the command line are on "
            "[their own page](commands.md). If you set the same thing in several places, an option or a flow's "
            "parameter takes precedence over a block, and a block over the environment.",
            "## Environment variables",
            "A blank variable counts as not set. Names are in upper case.",
            _rows(variables()),
            "## Blocks",
            "Save the blocks with `together-video save-blocks`, in Prefect's UI, or from Python.",
            _fields(TogetherCredentials, "Block `TogetherCredentials`"),
            _fields(Timeouts, "`TogetherCredentials.timeouts`"),
            _fields(VideoArchive, "Block `VideoArchive`"),
            "## Settings of a run",
            "These are parameters of the flows, and options of `generate` and `batch` in the command line's spelling "
            "(`--in-flight`). [Flows](flows.md) says which flow has which.",
            table(("setting", "default", "unit", "meaning"), _settings()),
            _fields(PollPolicy, "Polling: `poll`"),
        )
    )


def _ours() -> Iterator[Variable]:
    yield from _of_fields(TogetherCredentials, "TOGETHER_", ("api_key", "base_url"))
    yield from _of_fields(VideoArchive, "VIDEO_ARCHIVE_", ArchiveSettings.model_fields)
    yield from _of_fields(Timeouts, "TOGETHER_VIDEO_", Timeouts.model_fields)
    yield Variable(trusted_hosts.VARIABLE, "", "", _trusted())
    yield Variable(
        confirmation.VARIABLE,
        str(confirmation.DEFAULT_USD),
        "USD",
        f"The same as `--confirm-above`. {_first(confirmation.threshold)}",
    )
    yield Variable(own.VARIABLE, "", "", f"{_first(own)} JSON.")
    yield Variable(assets.VARIABLE, "1", "", f"{_first(assets)} `0`, `false`, `no` or `off` turns them off.")
    yield Variable(
        "TOGETHER_VIDEO_SPOOL",
        "~/.cache/together-video/spool",
        "",
        "Folder on this machine for running downloads, and for job ids and notes that are not in the archive yet. "
        f"Read in this order: {_first(default_folder)}",
    )


def _of_fields(model: type[BaseModel], prefix: str, names: Iterable[str]) -> Iterator[Variable]:
    for name in names:
        field = model.model_fields[name]
        yield Variable(f"{prefix}{name.upper()}", _default(field), _unit(name), field.description or "")


def _prefects() -> Iterator[Variable]:
    known = _get_settings_fields(Settings)
    for name in _PREFECTS:
        model: Any = Settings
        *groups, last = known[name].accessor.split(".")
        for group in groups:
            model = model.model_fields[group].annotation
        field = model.model_fields[last]
        text = " ".join(re.split(r"\n\s*\n", cleandoc(field.description or ""))[0].split())
        # Prefect's default for a file depends on the machine that builds this page.
        default = "" if name.endswith("_FILE") else _default(field)
        yield Variable(name, default, _unit(last), f"Prefect's own. {text}")


def _settings() -> Iterator[tuple[str, ...]]:
    taken = {
        **inspect.signature(generate_video.fn).parameters,
        **inspect.signature(generate_batch.fn).parameters,
    }
    for name, said in MEANING.items():
        default = taken[name].default if name in taken else None
        yield f"`{name}`", "" if default is None else f"`{default}`", _unit(name), said


def _fields(model: type[BaseModel], title: str) -> str:
    """The table of a model's fields below a heading. The model's text is on its page of the reference."""
    rows = re.findall(r"^\|.*$", model_part(model), re.MULTILINE)
    return f"### {title}\n\n" + "\n".join(rows)


def _rows(found: Iterable[Variable]) -> str:
    rows = (
        (breakable(one.name), f"`{one.default}`" if one.default else "", one.unit, one.meaning)
        for one in found
    )
    return table(("variable", "default", "unit", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined or value is None or value == "" or callable(value):
        return ""
    return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)


def _unit(name: str) -> str:
    return _UNITS.get(name.rpartition("_")[2], "")


def _first(documented: object) -> str:
    """The first paragraph of its docstring."""
    return " ".join(cleandoc(documented.__doc__ or "").split("\n\n")[0].split())


def _trusted() -> str:
    said = _first(trusted_hosts.TrustedHosts.from_env).partition("names: ")[2]
    return f"{_first(trusted_hosts)} Write {said}"
