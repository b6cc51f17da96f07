"""Phrases that read like a translation may only become fewer, and new files have none.

`plain_english.json` says how many there are. `WRITE_PLAIN_ENGLISH=1 pytest tests/docs/test_plain_english.py` writes it
again after a pass over the texts.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.plain_english import (
    OTHERS,
    PHRASES,
    ROOT,
    findings,
    phrases_in,
    texts_of_markdown,
    texts_of_others,
    texts_of_python,
)

RATCHET = Path(__file__).with_name("plain_english.json")


def recorded() -> tuple[dict[str, int], set[str]]:
    """How often each phrase may occur, and the files that may still have some."""
    kept = (
        json.loads(RATCHET.read_text(encoding="utf-8")) if RATCHET.exists() else {"phrases": {}, "files": []}
    )
    return kept["phrases"], set(kept["files"])


@pytest.fixture(scope="module", autouse=True)
def _written() -> None:
    if os.environ.get("WRITE_PLAIN_ENGLISH"):
        counts = Counter(one.phrase for one in findings())
        kept = {
            "phrases": {name: counts[name] for name in sorted(PHRASES) if counts[name]},
            "files": sorted({one.file for one in findings()}),
        }
        RATCHET.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_becomes_no_more_frequent(phrase: str) -> None:
    """If there is a new one, the message lists all of them."""
    allowed = recorded()[0].get(phrase, 0)
    found = [one for one in findings() if one.phrase == phrase]
    assert len(found) <= allowed, f"{len(found)} in place of {allowed}:\n" + "\n".join(map(str, found))


def test_new_files_are_clean() -> None:
    """A file without phrases stays without."""
    known = recorded()[1]
    assert [str(one) for one in findings() if one.file not in known] == []


def test_what_is_kept_is_in_use() -> None:
    """It names only phrases of the list and files that exist."""
    phrases, files = recorded()
    assert set(phrases) <= set(PHRASES)
    assert {name for name in files if not (RATCHET.parents[2] / name).is_file()} == set()


EXAMPLES = [
    ("The run goes\non with the jobs.", "go on"),
    ("collect brings it home", "bring home"),
    ("Whoever runs it", "whoever"),
    ("Nothing is amiss.", "amiss"),
    ("It is made anew.", "anew"),
    ("was never heard of again", "heard of"),
    ("the fewest looks that there can be", "look for poll"),
    ("Jobs are asked for", "jobs are asked for"),
    ("the last trouble", "trouble"),
    ("4.5 s in the mean", "in the mean"),
    ("Hold every record against the bucket", "hold against"),
    ("it is no http or https address", "is no"),
    ("a file of one's own", "of one's own"),
    ("CREATE_SECONDS and its like", "and its like"),
    ("by way of the API", "by way of"),
    ("For word by chat or mail", "for word by"),
    ("the budget has no 0.14 USD left", "has no … left"),
    ("check tells of every line", "tell of"),
    ("a doubt is told as one", "is told as"),
    ("the block; else the environment's", "else as otherwise"),
    ("Whatever is in flight", "whatever is"),
    ("no connection is to be had", "to be had"),
    ("the fault was mended", "mend"),
    ("It is asked in vain.", "in vain"),
    ("the list and the lines therein", "thereof"),
    ("How long the same request stays the same", "stays the same"),
    ("It tells all that is wrong with it.", "what is wrong with it"),
]


@pytest.mark.parametrize(("sentence", "phrase"), EXAMPLES)
def test_a_phrase_is_found(sentence: str, phrase: str) -> None:
    """Across lines, and in upper and lower case."""
    assert phrase in dict(phrases_in(sentence))


def test_each_phrase_has_an_example() -> None:
    """So that no pattern can stop working unnoticed."""
    assert {phrase for _, phrase in EXAMPLES} == set(PHRASES)


@pytest.mark.parametrize(
    "sentence",
    [
        "There is no archive: set VIDEO_ARCHIVE_FOLDER.",
        "It is no longer offered.",
        "Run the command again; it resumes the jobs.",
        "The next look like this one is a shot's.",
        "Troubleshooting",
        "The claim is held for an hour. It works against the sandbox.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    """They look similar, but are idiomatic."""
    assert list(phrases_in(sentence)) == []


def test_code_on_pages_and_names_in_code_are_not_texts() -> None:
    """Fenced blocks are left out, even with blank lines in them. So are single words in Python."""
    page = "One.\n\n```python\nanew = 1\n\nprint(anew)\n```\n\nTwo anew.\n"
    assert [(line, text) for line, text in texts_of_markdown(page) if text.strip()] == [
        (1, "One."),
        (9, "Two anew.\n"),
    ]
    source = 'NAME = "anew"\n\ndef f():\n    """Made anew."""\n    return f"it is {NAME} anew"\n'
    assert sorted(texts_of_python(source)) == [(4, "Made anew."), (5, " anew"), (5, "it is ")]


def test_comments_are_texts() -> None:
    """A sentence that runs over several lines is one text; a comment behind code is one, too."""
    source = "#: It goes\n# on.\nx = 1  # made anew\n\n# The end\n"
    assert list(texts_of_python(source)) == [(1, "It goes on. made anew"), (5, "The end")]


def test_other_files_are_read_as_a_whole() -> None:
    """Without the signs of comments, which could divide a phrase, and without names of CSS classes."""
    source = '# It goes\n# on.\n\n<p class="trouble">Fine</p>\n\n// It goes\n// on.\n'
    found = [(line, phrase) for line, text in texts_of_others(source) for phrase, _ in phrases_in(text)]
    assert found == [(1, "go on"), (6, "go on")]


@pytest.mark.parametrize("pattern", OTHERS)
def test_each_pattern_finds_files(pattern: str) -> None:
    """No pattern of files is left over; an sdist has no files of the forge."""
    assert list(ROOT.glob(pattern)) or (pattern.startswith(".github") and not (ROOT / ".github").exists())
