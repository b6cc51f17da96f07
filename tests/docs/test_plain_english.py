"""No text of this project has a phrase that reads like a translation."""

from __future__ import annotations

import pytest

from tests.docs.plain_english import (
    OTHERS,
    PHRASES,
    ROOT,
    SCRIPTS,
    files,
    findings,
    phrases_in,
    texts_of_markdown,
    texts_of_others,
    texts_of_python,
    texts_of_template,
)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_nowhere(phrase: str) -> None:
    """The message lists all its places, and what to write."""
    assert [str(one) for one in findings() if one.phrase == phrase] == []


def test_texts_of_all_kinds_are_read() -> None:
    """Pages, packages, templates and other files: an empty list of files would find nothing."""
    kinds = {file.relative_to(ROOT).parts[0] for file in files()}
    assert kinds >= {
        "README.md",
        "docs",
        "together_video",
        "blocks",
        "tasks",
        "flows",
        "deployments",
        "Makefile",
    }


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
    ("the budget of 5 USD has no … left", "has no … left"),
    ("It looks at each job.", "jobs are looked at"),
    ("Jobs are looked at twice.", "jobs are looked at"),
    ("the length that was asked for, or the usual one", "is asked for"),
    ("Everything that was asked for is done.", "is asked for"),
    ("the fewest looks that there can be", "that there can be"),
    ("a model whose sizes no document lists", "no document says"),
    ("The mark; None where there is none.", "none where"),
    ("a text of at most so many characters", "so many"),
    ("one row a video, the counts, the cost", "a row a video"),
    ("Packets, one behind the other.", "one behind the other"),
    ("It is heard from the beginning on.", "from the beginning on"),
    ("What stands above the rows", "what stands"),
    ("the record as it lies in the bucket", "lies in the bucket"),
    ("rounds that come past every point", "comes past"),
    ("What is worth a note.", "worth a note"),
    ("by model, the dearest first", "dearest"),
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
    """Across lines and in either case."""
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
        "The user is asked for a name. Look at the list of failed jobs.",
        "There can be several. It shows where the file is, and none of them where they were.",
        "The documents are JSON. No documents are stored.",
        "a sandbox that stands in for the API, 24 frames a second, so many files",
        "The problem lies in the machine. From the first call on the connection is closed.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    """Similar phrases that are idiomatic."""
    assert list(phrases_in(sentence)) == []


def test_code_on_pages_and_names_in_code_are_not_texts() -> None:
    """Fenced blocks are left out, even with blank lines in them, and so are single words in Python."""
    page = "One.\n\n```python\nanew = 1\n\nprint(anew)\n```\n\nTwo anew.\n"
    assert [(line, text) for line, text in texts_of_markdown(page) if text.strip()] == [
        (1, "One."),
        (9, "Two anew.\n"),
    ]
    source = 'NAME = "anew"\n\ndef f():\n    """Made anew."""\n    return f"it is {NAME} anew"\n'
    assert sorted(texts_of_python(source)) == [(4, "Made anew."), (5, "it is … anew")]


def test_texts_within_the_value_of_a_text_are_found() -> None:
    """A value can have texts of its own."""
    source = """words = f"{'made anew' if x else f'made {y} anew'}: {z}"\n"""
    assert sorted(texts_of_python(source)) == [(1, "made anew"), (1, "made … anew"), (1, "…: …")]


def test_comments_labels_and_messages_of_templates_are_texts() -> None:
    """Tags, classes and code are not."""
    source = """<p class="trouble two" title="Made anew">A new page</p>
// A comment, see https://a.test/b.
tell(`Saved ${name} anew.`); box.className = "trouble";
/* Two
lines */
"""
    assert list(texts_of_template(source)) == [
        (1, "Made anew"),
        (1, "A new page"),
        (2, " A comment, see https://a.test/b."),
        (3, "Saved ${name} anew."),
        (4, " Two\nlines "),
    ]


def test_comments_are_texts() -> None:
    """A sentence that runs over several lines is one text; a comment behind code is one, too."""
    source = "#: It goes\n# on.\nx = 1  # made anew\n\n# The end\n"
    assert list(texts_of_python(source)) == [(1, "It goes on. made anew"), (5, "The end")]


def test_other_files_are_read_as_a_whole() -> None:
    """Without the signs of comments, which could divide a phrase."""
    source = "# It goes\n# on.\n\nname: Made anew\n"
    found = [(line, phrase) for line, text in texts_of_others(source) for phrase, _ in phrases_in(text)]
    assert found == [(1, "go on"), (4, "anew")]


@pytest.mark.parametrize("pattern", [*OTHERS, *SCRIPTS])
def test_each_pattern_finds_files(pattern: str) -> None:
    """No pattern of files is left over; an sdist has no files of the forge."""
    assert list(ROOT.glob(pattern)) or (pattern.startswith(".github") and not (ROOT / ".github").exists())
