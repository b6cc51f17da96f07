"""Plan, price and the question on a terminal: nothing is claimed or bought before yes."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from prefect_together_video.flows.cli.confirmation import threshold
from together_video.errors import InputError


class Person:
    """Somebody at a terminal of 80 columns, who starts a command, reads what it prints there, and types."""

    def __init__(self, shell: Any, *words: str, **more: str) -> None:
        self._theirs, ours = pty.openpty()
        program = str(Path(sys.executable).with_name("together-video"))
        self.process = subprocess.Popen(
            [program, *words],
            env={**shell.environment, "COLUMNS": "80", "TERM": "dumb", **more},
            cwd=shell.folder,
            stdin=ours,
            stdout=subprocess.PIPE,
            stderr=ours,
            start_new_session=True,
        )
        os.close(ours)
        self.read = ""

    def await_words(self, words: str, seconds: float = 60) -> str:
        """Read until these words are there; all that was read."""
        deadline = time.monotonic() + seconds
        while words not in self.read:
            ready, _, _ = select.select([self._theirs], [], [], max(deadline - time.monotonic(), 0))
            assert ready, self.read
            try:
                self.read += os.read(self._theirs, 4096).decode(errors="replace").replace("\r\n", "\n")
            except OSError:
                raise AssertionError(f"it has ended before {words!r}: {self.read}") from None
        return self.read

    def type(self, text: str) -> None:
        os.write(self._theirs, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit code, and what is on stdout."""
        assert self.process.stdout is not None
        out = self.process.stdout.read().decode()
        self.process.stdout.close()
        code = self.process.wait(60)
        while select.select([self._theirs], [], [], 0.2)[0]:
            try:
                piece = os.read(self._theirs, 4096)
            except OSError:
                break
            self.read += piece.decode(errors="replace").replace("\r\n", "\n")
            if not piece:
                break
        os.close(self._theirs)
        return code, out


def _facts(shell: Any) -> list[str]:
    """What is in the archive's folder, but for the empty folders."""
    folder = Path(shell.environment["VIDEO_ARCHIVE_FOLDER"].replace("~", str(shell.home)))
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _bought(shell: Any) -> list[str]:
    return [name for name in _facts(shell) if name.startswith(("inflight", "records", "videos"))]


@pytest.fixture
def quick_api(start_api: Callable[..., Any]) -> Any:
    return start_api(generation_seconds=0.3)


@pytest.fixture
def home_shell(home_shell: Any, quick_api: Any, quick_models: str) -> Any:
    """With an archive that is there, and models that are quick."""
    (home_shell.home / "Videos/together").mkdir(parents=True)
    home_shell.environment |= {"TOGETHER_BASE_URL": quick_api.url, "TOGETHER_VIDEO_CATALOGUE": quick_models}
    home_shell.environment["TOGETHER_VIDEO_CONFIRM_ABOVE"] = "0.5"
    return home_shell


@pytest.fixture
def prompts(home_shell: Any) -> str:
    """A file of four prompts, which come to more than 0.50 USD."""
    text = "".join(f"a fox number {number} in the snow\n" for number in range(4))
    (home_shell.folder / "prompts.txt").write_text(text)
    return "prompts.txt"


def test_no_buys_nothing_and_yes_buys_what_was_shown(home_shell: Any, quick_api: Any, prompts: str) -> None:
    """Nothing is claimed while the question stands; the second run is asked again, and makes the videos."""
    person = Person(home_shell, "batch", prompts, "--poll-interval", "0.2")
    shown = person.await_words("[y/N]")
    assert "4 videos: 4 to buy, " in shown
    assert "Buy them for at most" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert _bought(home_shell) == []
    person.type("n\n")
    code, out = person.end()
    assert (code, out) == (1, "")
    assert person.read.rstrip().endswith("Nothing was bought.")
    assert (quick_api.posts, _bought(home_shell)) == (0, [])

    # On a terminal that moves: the live area is taken away for the question, and at the end.
    person = Person(home_shell, "batch", prompts, "--poll-interval", "0.2", TERM="xterm-256color")
    asked = person.await_words("[y/N]")
    assert "\x1b[?25h" in asked.rpartition("\x1b[?25l")[2], "somebody who types sees the cursor"
    person.type("y\n")
    person.await_words("4 of 4 videos")
    code, out = person.end()
    assert (code, quick_api.posts) == (0, 4)
    assert "4 archived" in out
    assert "0.00 USD paid" in person.read
    assert "about" not in person.read.partition("[y/N]")[0]
    last = person.read.rpartition("\x1b[?25l")[2]
    assert last.partition("\x1b[?25h")[2].replace("\r", "").replace("\x1b[1A\x1b[2K", "") == "", last

    again = Person(home_shell, "batch", prompts, "--poll-interval", "0.2", "--confirm-above", "0")
    code, out = again.end()
    assert "[y/N]" not in again.read, "nothing is to be bought, so nobody is asked"
    assert (code, quick_api.posts) == (0, 4)


@pytest.mark.parametrize("how", ["interrupt", "end of input", "terminate"])
def test_a_question_that_is_broken_off_buys_nothing(
    home_shell: Any, quick_api: Any, prompts: str, how: str
) -> None:
    """Ctrl-C, Ctrl-D and SIGTERM end the run at once, with a sentence that says so."""
    person = Person(home_shell, "batch", prompts)
    person.await_words("[y/N]")
    if how == "end of input":
        person.type("\x04")
    else:
        number = signal.SIGINT if how == "interrupt" else signal.SIGTERM
        person.process.send_signal(number)
    began = time.monotonic()
    code, _ = person.end()
    assert time.monotonic() - began < 20
    assert code == (1 if how == "end of input" else 130), person.read
    assert "Nothing was bought." in person.read
    assert "Traceback" not in person.read
    assert (quick_api.posts, _bought(home_shell)) == (0, [])


@pytest.mark.parametrize(
    "words", [("--yes",), ("-y",), ("--confirm-above", "100"), ("--budget-usd", "0.4"), ("--json",)]
)
def test_who_is_not_asked(home_shell: Any, quick_api: Any, prompts: str, words: tuple[str, ...]) -> None:
    """Neither with --yes, nor below the threshold or with a budget below it, nor where a program reads."""
    person = Person(home_shell, "batch", prompts, "--poll-interval", "0.2", *words)
    deadline = time.monotonic() + 60
    while not quick_api.posts:
        assert time.monotonic() < deadline, person.read
        time.sleep(0.1)
    person.process.kill()
    person.end()
    assert "[y/N]" not in person.read


def test_a_video_without_a_known_price_counts_as_above(home_shell: Any, quick_api: Any) -> None:
    """The sum is not known, so it may be above any threshold."""
    (home_shell.folder / "own.json").write_text('{"models": [{"name": "acme/unknown-9"}]}')
    home_shell.environment["TOGETHER_VIDEO_CATALOGUE"] = str(home_shell.folder / "own.json")
    person = Person(home_shell, "generate", "a fox", "--model", "acme/unknown-9", "--confirm-above", "1000")
    shown = person.await_words("[y/N]")
    assert "Buy it for an unknown amount?" in shown
    person.type("\n")
    assert person.end()[0] == 1
    assert quick_api.posts == 0


def test_pipes_are_never_asked(home_shell: Any, quick_api: Any, prompts: str) -> None:
    done = home_shell.run("batch", prompts, "--poll-interval", "0.2")
    assert (done.returncode, quick_api.posts) == (0, 4), done.stderr


def test_a_dry_run_prints_plan_and_price(home_shell: Any, quick_api: Any, prompts: str) -> None:
    """As text and as a document; nothing is bought, and a later dry run sees what is there by then."""
    done = home_shell.run("batch", prompts, "--dry-run")
    assert done.returncode == 0
    assert [line.removeprefix("0:00  ") for line in done.stderr.splitlines()] == [
        "Checking the API, the archive and this machine …",
    ]
    assert "4 videos: 4 to buy, " in done.stdout
    assert "Dry run: nothing was bought." in done.stdout
    done = home_shell.run("generate", "a fox number 0 in the snow", "--poll-interval", "0.2")
    assert done.returncode == 0, done.stderr
    done = home_shell.run("batch", prompts, "--dry-run", "--json", "--budget-usd", "0.3")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["dry_run"] is True
    assert [row["fate"] for row in document["videos"]] == ["reused", *["to buy"] * 3]
    assert document["plan"]["counts"]["reused"] == 1
    assert document["plan"]["most_usd"] == 0.3
    assert document["plan"]["high_usd"] == pytest.approx(sum(r["high_usd"] for r in document["videos"][1:]))
    assert quick_api.posts == 1


def test_a_dry_run_of_a_brief_writes_its_prompts_for_the_real_run(home_shell: Any, quick_api: Any) -> None:
    """The prompts are printed, kept, and used: the chat model is asked once."""
    words = ("batch", "--brief", "lighthouses of the north", "--count", "2")
    done = home_shell.run(*words, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "They are kept, and the run will use them" in done.stdout
    assert quick_api.posts == 0
    written = [name for name in _facts(home_shell) if name.startswith("briefs/")]
    assert len(written) == 1
    listed = [line[2:] for line in done.stdout.splitlines() if line.startswith("- ")]
    assert len(listed) == 2
    real = home_shell.run(*words, "--poll-interval", "0.2", "--json")
    assert real.returncode == 0, real.stderr
    assert [" ".join(row["prompt"].split()) for row in json.loads(real.stdout)["videos"]] == listed


def test_thresholds() -> None:
    """The option takes precedence over the variable. 0 is allowed, and anything but an amount is named."""
    assert threshold(None, {}) == 1
    assert threshold(None, {"TOGETHER_VIDEO_CONFIRM_ABOVE": "2.5"}) == threshold(2.5, {})
    assert threshold(0, {"TOGETHER_VIDEO_CONFIRM_ABOVE": "2.5"}) == 0
    for wrong in ("-1", "nan", "inf", "much", "1e12"):
        with pytest.raises(InputError, match="TOGETHER_VIDEO_CONFIRM_ABOVE must be an amount"):
            threshold(None, {"TOGETHER_VIDEO_CONFIRM_ABOVE": wrong})


def test_with_a_prefect_server(home_shell: Any, quick_api: Any, prompts: str, prefect_server: Any) -> None:
    """A dry run leaves no run behind; a run that is declined is Cancelled; one that is agreed to makes the videos."""
    home_shell.environment |= prefect_server.environment()
    done = home_shell.run("batch", prompts, "--dry-run")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "Dry run: nothing was bought." in done.stdout
    person = Person(home_shell, "batch", prompts)
    person.await_words("[y/N]", 120)
    person.type("no\n")
    code, _ = person.end()
    assert code == 1
    assert "Traceback" not in person.read
    assert person.read.rstrip().endswith("Nothing was bought.")
    runs = httpx.post(
        f"{prefect_server.url}/api/flow_runs/filter",
        json={"flow_runs": {"name": {"any_": ["4 videos of prompts"]}}},
        trust_env=False,
    ).json()
    assert [run["state_type"] for run in runs] == ["CANCELLED"]
    assert runs[0]["state"]["message"] == "Nothing was bought."
    assert quick_api.posts == 0
    person = Person(home_shell, "batch", prompts, "--poll-interval", "0.2")
    person.await_words("[y/N]", 120)
    person.type("yes\n")
    code, _ = person.end()
    assert (code, quick_api.posts) == (0, 4), person.read
