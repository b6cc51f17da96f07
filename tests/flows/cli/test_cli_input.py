"""Bad input on the command line: one clear sentence, exit code 2 (or 1), no traceback, nothing created."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

#: The variables of a command that gets as far as its input; nothing answers at these addresses.
SET = {
    "TOGETHER_API_KEY": "key",
    "TOGETHER_BASE_URL": "http://127.0.0.1:9",
    "VIDEO_ARCHIVE_BUCKET": "videos",
}

#: Command line, changed variables, and what the sentence must hold.
CASES: dict[str, tuple[list[str], dict[str, str | None], list[str]]] = {
    "no key": (["generate", "a fox"], {"TOGETHER_API_KEY": None}, ["no API key", "TOGETHER_API_KEY"]),
    "no bucket": (["generate", "a fox"], {"VIDEO_ARCHIVE_BUCKET": None}, ["VIDEO_ARCHIVE_BUCKET"]),
    "folder as bucket": (["generate", "a fox"], {"VIDEO_ARCHIVE_BUCKET": "a/b"}, ["'a/b'", "prefix"]),
    "broken base URL": (["generate", "a fox"], {"TOGETHER_BASE_URL": "nonsense"}, ["nonsense", "http"]),
    "malformed line": (["batch", "bad.jsonl"], {}, ["bad.jsonl: 2 of 3 lines", "line 2: ", "line 3: "]),
    "no such file": (["batch", "gone.csv"], {}, ["gone.csv: there is no such file"]),
    "empty file": (["batch", "empty.txt"], {}, ["empty.txt: is empty"]),
    "unknown model": (["generate", "a fox", "--model", "pixverse/v5"], {}, ["pixverse/pixverse-v5"]),
    "unknown model in a file": (["batch", "model.jsonl"], {}, ["request 1", "google/veo-3"]),
    "prompt too long": (["generate", "x" * 2049, "--model", "pixverse/pixverse-v5"], {}, ["2049", "2048"]),
    "no prompt": (["generate"], {}, ["ByteDance/Seedance-1.0-lite needs a prompt: say what"]),
    "GIF": (["generate", "a fox", "--output-format", "GIF"], {}, ["GIF", "MP4 or WEBM"]),
    "GIF in a file": (["batch", "gif.csv"], {}, ["line 2", "GIF"]),
    "bad number": (["generate", "a fox", "--steps", "99"], {}, ["steps: must be at most 50, is 99"]),
    "not a number": (["generate", "a fox", "--width", "wide"], {}, ["--width", "wide"]),
    "unknown option": (
        ["generate", "a fox", "--widht", "64"],
        {},
        ["--widht", "--width", "together-video generate --help"],
    ),
    "unknown command": (["generat", "a fox"], {}, ["generat", "generate"]),
    "file and brief": (["batch", "x.txt", "--brief", "y"], {}, ["FILE", "--brief"]),
    "neither": (["batch"], {}, ["FILE", "--brief"]),
    "no places": (["batch", "good.txt", "--in-flight", "0"], {}, ["--in-flight"]),
    "no deadline": (["generate", "a fox", "--deadline", "0"], {}, ["--deadline"]),
    "take 0": (["generate", "a fox", "--take", "0"], {}, ["--take"]),
    "bad brief": (["batch", "--brief", "a fox", "--count", "0"], {}, ["count"]),
    "bad media": (["generate", "a fox", "--media", "[1]"], {}, ["--media must be a JSON object"]),
    "warnings are errors": (
        ["generate", "a fox", "--fps", "7", "--strict"],
        {},
        ["frames per second", "not 7"],
    ),
    "unknown model to show": (["models", "pixverse/v5"], {}, ["pixverse/pixverse-v5"]),
    "sandbox config": (["sandbox", "--config", "empty.txt"], {}, ["empty.txt", "configuration"]),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a fox"}\n{"prompt": \n{"promt": "an owl"}\n')
    (tmp_path / "model.jsonl").write_text(
        '{"prompt": "a fox", "model": "google/veo"}\n{"prompt": "an owl"}\n'
    )
    (tmp_path / "gif.csv").write_text("prompt,output_format\na fox,GIF\n")
    (tmp_path / "good.txt").write_text("a fox\n")
    (tmp_path / "empty.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_is_a_clear_no(done: Any, words: list[str], code: int = 2) -> None:
    returned = getattr(done, "returncode", None)
    out, err = (done.out, done.err) if returned is None else (done.stdout, done.stderr)
    assert (done.code if returned is None else returned) == code, err
    assert out == ""
    flat = " ".join(err.split())
    assert [word for word in words if word not in flat] == [], err
    assert "Traceback" not in err
    assert "Error:" not in err
    assert 0 < len(err.splitlines()) <= 6, err
    assert flat[0].isprintable()


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_sentence(command: Run, files: Path, case: str) -> None:
    """Exit code 2, nothing on stdout, a short text on stderr that names what is wrong."""
    words, changes, expected = CASES[case]
    assert_is_a_clear_no(command(*words, **{**SET, **changes}), expected)


def test_bad_input_with_json_leaves_stdout_empty(command: Run, files: Path) -> None:
    """Who reads stdout as JSON gets no half document; the exit code and stderr say why."""
    done = command("batch", "bad.jsonl", "--json", **SET)
    assert_is_a_clear_no(done, ["line 2"])


def test_the_installed_command_says_the_same(shell: Any, files: Path) -> None:
    """In a process of its own, with a clean environment, before Prefect is loaded."""
    names = ["no key", "malformed line", "unknown model", "GIF", "unknown option"]

    def run(name: str) -> Any:
        words, changes, _ = CASES[name]
        return shell.run(*words, **{**SET, **changes})

    with ThreadPoolExecutor(2) as threads:
        for name, done in zip(names, threads.map(run, names), strict=True):
            assert_is_a_clear_no(done, CASES[name][2])


def test_a_bucket_that_cannot_be_used(
    command: Run, surroundings: Any, seaweed: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing bucket, wrong keys and no keys are told apart; no bucket is made, nothing is created."""
    theirs = {**surroundings, **seaweed.environment(), "VIDEO_ARCHIVE_BUCKET": "no-such-bucket"}
    words = ["generate", "a fox", "--json"]
    for _ in range(2):
        done = command(*words, **theirs)
        assert_is_a_clear_no(done, ["There is no bucket no-such-bucket"])
    done = command(*words, **{**theirs, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert_is_a_clear_no(done, ["no-such-bucket refuses these credentials"])
    done = command(*words, **{**theirs, "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})
    assert_is_a_clear_no(done, ["no usable AWS credentials", "AWS_ACCESS_KEY_ID"])
    assert api.posts == 0


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "Check the API key"), (402, "no credit left"), (403, "privacy settings"), (422, "too odd")],
)
def test_an_api_that_says_no(command: Run, surroundings: Any, api: Any, status: int, advice: str) -> None:
    """Exit code 1, the server's words and what to do, in the document and in the table; nothing is billed."""
    api.faults({"on": "create", "kind": "status", "status": status, "message": "that is too odd"})
    done = command("generate", "a fox", "--json", **surroundings)
    assert done.code == 1
    assert "Traceback" not in done.err
    document = json.loads(done.out)
    assert document["counts"]["refused"] == 1
    assert re.search(
        rf"HTTP {status} \(x-request-id sandbox-\d+\): that is too odd", document["videos"][0]["error"]
    )
    assert advice in document["videos"][0]["error"]
    done = command("generate", "a fox", **surroundings)
    assert done.code == 1
    assert f"HTTP {status}" in done.out + done.err
    assert api.charges == 0


def test_a_prefect_server_that_is_away(command: Run, surroundings: Any, api: Any) -> None:
    """Said before anything else happens."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        done = command("generate", "a fox", **surroundings)
    assert_is_a_clear_no(done, ["The Prefect server at http://127.0.0.1:9/api does not answer"])
    assert api.posts == 0


def test_blocks_need_a_server(command: Run, surroundings: Any) -> None:
    """--together and --archive name blocks, which a Prefect server keeps."""
    done = command("generate", "a fox", "--archive", "ours", **surroundings)
    assert_is_a_clear_no(done, ["PREFECT_API_URL"])


def test_standard_input(
    command: Run, surroundings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """- is a file like any other: it is checked, bought from, and named where a line in it is wrong."""

    def given(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    line = '{"prompt": "a fox", "width": 64, "height": 48, "seconds": "1", "fps": 8}\n'
    given(line)
    done = command("check", "-", "--json", **surroundings)
    assert (done.code, len(json.loads(done.out)["requests"])) == (0, 1)
    given(line)
    done = command("batch", "-", "--json", "--poll-interval", "0.2", **surroundings)
    assert (done.code, [row["prompt"] for row in json.loads(done.out)["videos"]]) == (0, ["a fox"])
    for words in (("check", "-"), ("batch", "-")):
        given(line + '{"promt": "a fox"}\n')
        done = command(*words, **surroundings)
        assert done.code == 2
        assert "standard input" in done.out + done.err
        assert "line 2" in done.out + done.err
