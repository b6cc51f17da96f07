"""Errors: the tree that is drawn is the tree that is there, and each error gives its verdict."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from together_video import errors
from together_video.errors import NoClearAnswer, Spent, TogetherError, VideoError
from together_video.jobs import VideoJob

#: What reads the words of others: json's errors, and a gateway's 503.
FOREIGN_WORDS = {
    "json_values.py: 'integer string conversion' in str(error)",
    "rows.py: 'unexpected end' in str(error)",
    "client.py: 'reset' in words.lower()",
    "client.py: 'disconnect' in words.lower()",
}
CLASSES: dict[str, type[VideoError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, VideoError)
}

#: What making the same call again may mend, by the class alone.
RETRYABLE = {
    "ApiUnreachable",
    "RateLimited",
    "ApiOverloaded",
    "DownloadBroken",
    "DownloadInterrupted",
    "StoreUnavailable",
}
#: What the user can mend before anything is sent.
BAD_INPUT = {
    "InputError",
    "ConfigurationError",
    "RequestInvalid",
    "NotInArchive",
    "MediaRefused",
    "BucketRefused",
    "StoreUnsafe",
    "StoreFull",
    "FolderReplaced",
    "PieceRefused",
}


#: What says nothing about what was asked for: the machine's, the account's, the API's, the archive's.
MAY_PASS = {
    "ConfigurationError",
    "TogetherError",
    "ApiUnreachable",
    "RateLimited",
    "CreatesShut",
    "ApiOverloaded",
    "AccountRefused",
    "CreateWithdrawn",
    "NoClearAnswer",
    "NoRoomForFilm",
    "BudgetReached",
    "ArchiveError",
    "BucketRefused",
    "StoreFull",
    "FolderReplaced",
    "StoreUnavailable",
    "StoreUnsafe",
    "ObjectConflict",
}


#: What the failed call has cost, by the class alone.
SPENT = {
    **dict.fromkeys(["VideoError", "PromptError", "ArchiveError"], None),
    **dict.fromkeys(["FilmError", "PieceRefused", "NoRoomForFilm"], Spent.NOTHING),
    **dict.fromkeys(["BucketRefused", "StoreFull", "FolderReplaced"], None),
    **dict.fromkeys(["StoreUnavailable", "ObjectConflict"], None),
    **dict.fromkeys(BAD_INPUT - {"BucketRefused", "StoreFull", "FolderReplaced"}, Spent.NOTHING),
    **dict.fromkeys(["TogetherError", "ApiUnreachable", "RateLimited", "CreatesShut"], Spent.NOTHING),
    "CreateWithdrawn": Spent.NOTHING,
    **dict.fromkeys(["ApiOverloaded", "RequestRefused", "AccountRefused", "BudgetReached"], Spent.NOTHING),
    "NotApproved": Spent.NOTHING,
    **dict.fromkeys(["NoClearAnswer", "JobFailed", "JobInDoubt", "CreateAmbiguous"], Spent.PERHAPS),
    **dict.fromkeys(["JobError", "JobDeadlinePassed", "JobWithoutVideo"], Spent.YES),
    **dict.fromkeys(
        [
            "DownloadError",
            "LinkForbidden",
            "LinkRefused",
            "DownloadBroken",
            "DownloadInterrupted",
            "DownloadTooLarge",
        ],
        Spent.YES,
    ),
}


def example(name: str, **more: Any) -> VideoError:
    """An error of this class, with all that its constructor asks for."""
    kind = CLASSES[name]
    needed = inspect.signature(kind).parameters
    details = {
        "creating": True,
        "job_id": "j",
        "job": VideoJob(id="j"),
        "video_id": "v",
        "fresh": True,
        "status": 404,
        "place": "file:///films/",
    }
    return kind("It broke", **{key: value for key, value in details.items() if key in needed}, **more)


def drawn() -> dict[str, str]:
    """Each name in the drawing of the module's docstring, with its parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if not line.startswith("    "):
            continue
        branches, _, rest = line[4:].rpartition("── ")
        depth = len(branches) // 4 + 1 if rest != line[4:] else 0
        name = rest.split()[0]
        path[depth:] = [name]
        parents[name] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_drawing_shows_the_tree_as_it_is() -> None:
    """Every class with its parent, and nothing else."""
    assert drawn() == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"NoClearAnswer"}))
def test_each_error_knows_whether_a_retry_can_help(name: str) -> None:
    """One attribute that the retry of a task reads."""
    assert CLASSES[name].retryable is (name in RETRYABLE)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_error_knows_whether_the_same_may_work_later(name: str) -> None:
    """A file of the inbox waits for it, however long."""
    assert example(name).may_pass is (name in MAY_PASS)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_bad_input_exits_with_2_and_all_else_with_1(name: str) -> None:
    """What the command line promises."""
    assert CLASSES[name].exit_code == (2 if name in BAD_INPUT else 1)


def test_only_an_unclear_answer_leaves_a_create_in_doubt() -> None:
    """Every other error of the API proves that no job was made."""
    doubtful = {name for name in CLASSES if getattr(example(name), "job_may_exist", False)}
    assert doubtful == {"NoClearAnswer"}
    assert NoClearAnswer("m", creating=True).job_may_exist
    assert not NoClearAnswer("m", creating=False).job_may_exist


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_error_says_what_was_spent_and_what_to_do(name: str) -> None:
    """As data; the text has each of them once, in this order, and a copy has them too."""
    error = example(name)
    assert error.spent is SPENT[name]
    assert error.message == "It broke"
    if "remedy" in inspect.signature(CLASSES[name]).parameters:
        error = example(name, remedy="Mend it.")
        assert error.message == "It broke. Mend it."
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(copied) is type(error)
    assert {**vars(copied), "job": None} == {**vars(error), "job": None}
    assert copied.message == error.message


def test_the_money_is_told_where_it_is_given() -> None:
    """Between what happened and what to do."""
    error = VideoError("It broke", spent=Spent.NOTHING, remedy="Mend it.")
    assert (str(error), error.spent) == ("It broke. Nothing was created. Mend it.", Spent.NOTHING)


@pytest.mark.parametrize("layer", ["together_video", "blocks", "tasks", "flows"])
def test_nobody_reads_a_message(layer: str) -> None:
    """No decision hangs on words that are in the text of an error: those are for people."""
    root = Path(__file__).parents[2] / "prefect_together_video" / layer
    found = []
    for file in (root if root.exists() else root.parents[1] / layer).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
                read = ast.unparse(node.comparators[-1])
                if re.search(
                    r"\.message\b|\.what\b|\bstr\((error|trouble)\)|(?<![.\w])(words|trouble)\b", read
                ):
                    found.append(f"{file.name}: {ast.unparse(node)}")
    assert set(found) <= FOREIGN_WORDS


@pytest.mark.parametrize("creating", [True, False])
def test_an_unclear_answer_may_be_repeated_exactly_where_nothing_is_bought(creating: bool) -> None:
    """A retrieve freely, a create never."""
    assert NoClearAnswer("m", creating=creating).retryable is not creating


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("RequestInvalid", {"field": "prompt"}),
        ("TogetherError", {"status": 418, "code": "c"}),
        ("RateLimited", {"wait_seconds": 3.0, "code": "c"}),
        ("NoClearAnswer", {"creating": True, "status": 500, "code": "c", "body": "b"}),
        ("JobDeadlinePassed", {"job_id": "j"}),
        ("JobWithoutVideo", {"job_id": "j"}),
        ("JobFailed", {"job": VideoJob(id="j")}),
        ("LinkRefused", {"status": 404}),
    ],
)
def test_an_error_carries_what_is_needed_to_go_on(name: str, details: dict[str, Any]) -> None:
    """Its message as it was given, and its details as attributes."""
    error = CLASSES[name]("A sentence.", **details)
    assert (error.message, str(error)) == ("A sentence.", "A sentence.")
    given = {key: value for key, value in details.items() if key != "creating"}
    assert {key: getattr(error, key) for key in given} == given


def test_a_failed_job_is_named() -> None:
    """The id comes from the job, and a 429 knows its own status."""
    assert errors.JobFailed("m", job=VideoJob(id="j")).job_id == "j"
    assert errors.RateLimited("m").status == 429
    assert TogetherError("m").status is None
