"""`doctor` as people and programs use it: what is broken is one line, all others are still checked, exit code 1."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from prefect_together_video.flows.checkup.checkup import Patient, examine
from prefect_together_video.flows.checkup.line import NAMES, State, failed, warning
from prefect_together_video.flows.cli.doctor import closing, show
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.network.proxies import ProxySettings

Run = Callable[..., Any]
#: The lines of a machine without a Prefect server.
LINES = [name for name in NAMES if name not in {"Deployments", "Blocks", "Work pool"}]
DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def doctor(command: Run, surroundings: dict[str, str | None]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs `doctor --json` with these changes of a good environment; gives the code and each line by its name."""

    def run(*words: str, **changes: str | None) -> tuple[int, dict[str, Any]]:
        done = command("doctor", "--json", *words, **{**surroundings, **changes})
        document = json.loads(done.out)
        assert done.err == ""
        assert document["ok"] is (done.code == 0)
        states = [line["state"] for line in document["checks"]]
        assert (document["problems"], document["warnings"]) == (
            states.count("failed"),
            states.count("warning"),
        )
        return done.code, {line["name"]: line for line in document["checks"]}

    return run


def test_a_good_machine(ready_shell: Any) -> None:
    """The installed command: every line in its order, exit code 0, in a pipe as wide as COLUMNS says."""
    done = ready_shell.run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["", "No problems: runs can start."]
    assert max(map(len, lines)) <= 100
    begun = [line for line in lines[:-2] if not line.startswith(" ")]
    assert [line[:16].rstrip() for line in begun] == LINES
    assert [line[16:25].split()[0] for line in begun] == ["ok"] * 9 + ["skipped", "ok"]


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"TOGETHER_API_KEY": None}, "API key", "set TOGETHER_API_KEY"),
        ({"TOGETHER_BASE_URL": "http://127.0.0.1:1"}, "API key", "No connection"),
        ({"TOGETHER_BASE_URL": "here"}, "API key", "base URL 'here'"),
        ({"TOGETHER_VIDEO_CREATE_SECONDS": "soon"}, "API key", "TOGETHER_VIDEO_CREATE_SECONDS"),
        ({"VIDEO_ARCHIVE_BUCKET": None}, "Archive", "set VIDEO_ARCHIVE_FOLDER"),
        (
            {"VIDEO_ARCHIVE_BUCKET": "no-such-bucket-here"},
            "Archive",
            "There is no bucket no-such-bucket-here",
        ),
        ({"VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "much"}, "Archive", "VIDEO_ARCHIVE_MONTHLY_LIMIT_USD"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "Archive", "does not answer"),
        ({"TOGETHER_VIDEO_SPOOL": "/dev/null"}, "Disk", "cannot be written"),
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "Certificates", "SSL_CERT_FILE names /nowhere.pem"),
        ({"https_proxy": "http://me:hunter22@proxy:99999"}, "Proxy", "https_proxy names a proxy"),
        ({"PREFECT_API_URL": "http://[::"}, "Prefect server", "PREFECT_API_URL"),
    ],
)
def test_what_is_broken(
    doctor: Callable[..., Any], changes: dict[str, str | None], name: str, words: str
) -> None:
    """One failed line, and all the others are there: what the broken thing is needed for is skipped."""
    code, lines = doctor(**changes)
    assert code == 1
    assert list(lines) == LINES
    assert [line["name"] for line in lines.values() if line["state"] == "failed"] == [name]
    assert words in lines[name]["words"]
    assert "hunter" not in str(lines)


def test_a_server_that_ignores_conditions(
    doctor: Callable[..., Any], moto_url: str, new_unruly: Callable[..., Any]
) -> None:
    """No claim would hold in such a bucket, so no run could be trusted."""
    unruly = new_unruly(moto_url)
    unruly.without = {"if-none-match"}
    code, lines = doctor(AWS_ENDPOINT_URL_S3=unruly.url)
    assert code == 1
    assert "ignores If-None-Match" in lines["Archive"]["words"]


def test_a_clock_that_is_wrong(doctor: Callable[..., Any], new_unruly: Callable[..., Any], api: Any) -> None:
    """The API's own time differs by years: a failure, although the key could be verified."""
    unruly = new_unruly(api.url)
    date = {"date": "Mon, 01 Jan 2001 00:00:00 GMT"}
    unruly.strike = lambda _, path, __: None if "whoami" in path else (404, "", date)
    code, lines = doctor(TOGETHER_BASE_URL=unruly.url)
    assert (code, lines["Clock"]["state"], lines["API key"]["state"]) == (1, "failed", "ok")
    assert "timedatectl" in lines["Clock"]["remedy"]


def test_the_way_out_is_broken(doctor: Callable[..., Any]) -> None:
    """The key is not tried without the proxy, and its line says where to look."""
    _, lines = doctor(HTTPS_PROXY="ftp://proxy:3128")
    assert lines["Proxy"]["state"] == "failed"
    assert (lines["API key"]["state"], lines["Archive"]["state"]) == ("skipped", "warning")
    assert "see Proxy" in lines["API key"]["words"]


def test_ignored_exceptions_of_a_proxy_are_seen(doctor: Callable[..., Any]) -> None:
    """They are read before the environment is made usable for others."""
    code, lines = doctor(HTTPS_PROXY="http://proxy:3128", NO_PROXY="127.0.0.1,10.0.0.0/8")
    assert (code, lines["Proxy"]["state"]) == (0, "warning")
    assert "'10.0.0.0/8'" in lines["Proxy"]["words"]


def test_a_setting_that_prefect_does_not_take(shell: Any) -> None:
    """Prefect cannot be loaded with it: one line names it, those that need Prefect say why, and nothing else."""
    done = shell.run("doctor", "--json", TOGETHER_API_KEY="key", PREFECT_CLIENT_MAX_RETRIES="many")
    assert (done.returncode, done.stderr) == (1, "")
    lines = {line["name"]: line for line in json.loads(done.stdout)["checks"]}
    assert "PREFECT_CLIENT_MAX_RETRIES, which is 'many'" in lines["Prefect server"]["words"]
    assert "see Prefect server below" in lines["API key"]["words"]
    assert lines["Dependencies"]["state"] == lines["Decoder"]["state"] == "ok"


def test_blocks_without_a_server(doctor: Callable[..., Any]) -> None:
    """Each of the two lines says what is needed."""
    code, lines = doctor("--together", "main", "--archive", "main")
    assert code == 1
    for name in ("API key", "Archive"):
        assert "set PREFECT_API_URL" in lines[name]["words"]


def test_with_a_prefect_server(doctor: Callable[..., Any], prefect_api: str) -> None:
    """The lines about what is deployed are there, and fail nothing; a block that does not exist does."""
    code, lines = doctor("--archive", "no-such-block")
    assert (code, list(lines)) == (1, list(NAMES))
    assert "There is no block 'no-such-block' for --archive" in lines["Archive"]["words"]
    assert lines["Prefect server"]["state"] == "ok"
    assert not {lines[name]["state"] for name in ("Deployments", "Blocks", "Work pool")} & {"failed"}


@pytest.mark.anyio
async def test_a_check_that_breaks_stops_no_other() -> None:
    """Errors that nobody thought of are lines; the rest of the lines are as they would be."""

    async def broken() -> Any:
        raise RuntimeError("a-secret")

    def gone() -> Any:
        raise RuntimeError("a-secret")

    patient = Patient(broken, broken, gone, lambda: ProxySettings({}), "utf-8", True)
    lines = {line.name: line for line in await examine(patient)}
    assert list(lines) == LINES
    bad = {name for name, line in lines.items() if line.state is State.FAILED}
    assert {"API key", "Archive", "Prefect server"} <= bad
    assert not bad & {"Python", "Dependencies", "Decoder", "Disk", "Output"}
    assert "a-secret" not in str(lines)


def test_how_a_line_looks() -> None:
    """At 80 columns the words are folded beside the name; a command is never folded, and markup of others is text."""
    terminal = Terminal()
    terminal.out = Console(width=80, file=io.StringIO(), highlight=False)
    words = "generate-batch/nightly is paused. [red]collect-videos/collect is not deployed[/]."
    command = "prefect --no-prompt deploy --all --prefect-file deployments/prefect.yaml"
    show(warning("Deployments", words, "Deploy them:", command), terminal)
    show(failed("Clock", "Wrong.", "Look at it:", "date"), terminal)
    shown = [line.rstrip() for line in terminal.out.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert shown[0].startswith("Deployments     warning  generate-batch/nightly is paused.")
    assert shown[1].startswith(" " * 25 + "[red]collect-videos/")
    assert shown[-4].strip() == "Deploy them:"
    assert shown[-3] == " " * 8 + command
    assert shown[-1] == " " * 25 + "Look at it: date"
    assert max(map(len, shown)) <= 80


@pytest.mark.parametrize(
    ("problems", "warnings", "sentence"),
    [
        (0, 0, "No problems: runs can start."),
        (0, 1, "1 warning, no problems: runs can start."),
        (3, 2, "3 problems, 2 warnings."),
        (1, 0, "1 problem."),
    ],
)
def test_the_last_sentence(problems: int, warnings: int, sentence: str) -> None:
    """How many problems and warnings there are."""
    assert closing(problems, warnings) == sentence


def test_stdout_that_cannot_show_everything(ready_shell: Any) -> None:
    """A note, and the exit code of a good machine; the document is ASCII."""
    done = ready_shell.run("doctor", "--json", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert done.returncode == 0
    line = json.loads(done.stdout)["checks"][-1]
    assert (line["name"], line["state"]) == ("Output", "warning")
    assert "cp1252" in line["words"]


def test_the_documentation_shows_it() -> None:
    """The command is in the table, and each line of the example has a name and a state that there are."""
    assert "| `together-video doctor` |" in (DOCS / "command-line.md").read_text(encoding="utf-8")
    recovery = (DOCS / "recovery.md").read_text(encoding="utf-8")
    example = re.search(r"```text\n(Python .*?)```", recovery, re.DOTALL)
    assert example
    *lines, last = (line for line in example[1].splitlines() if line not in {"", "…"})
    states = [line[16:24].strip() for line in lines if line[:1].strip()]
    assert {line[:16].strip() for line in lines if line[:1].strip()} <= set(NAMES)
    assert set(states) <= set(State)
    assert last == closing(states.count("failed"), states.count("warning"))
