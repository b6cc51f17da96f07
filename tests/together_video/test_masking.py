"""Passwords in addresses, alone and inside of texts; and that looking for them takes a time that is linear."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.masking import masked, without_passwords

ADDRESSES = [
    ("https://me:secret@host/path?token=1", "https://***@host/path?***"),
    ("https://token@host/path", "https://***@host/path"),
    ("https://me:se/c?r#e@t@host/path", "https://***@host/path"),
    ("http://host:80/path", "http://host:80/path"),
    ("//u:p@h", "//***@h"),
    ("u:p@h:1", "***@h:1"),
    ("https://host/a@b", "https://host/a@b"),
    ("", ""),
    ("@", "***@"),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
def test_an_address_without_its_password(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no way to https://me:secret@host/path, sorry", "no way to https://***@host/path, sorry"),
        ("(http://a/x and http://u:p@h/)", "(http://a/x and http://***@h/)"),
        ("http://a/x,http://u:p@h/", "http://a/x,http://***@h/"),
        ("mail me@example.com // or not", "mail me@example.com // or not"),
        ("two\n  lines http://t@h", "two\n  lines http://***@h"),
        ("nothing here", "nothing here"),
    ],
)
def test_a_text_without_passwords(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@given(st.text(alphabet="ab:/@?# \n", max_size=40))
def test_what_stands_before_an_at_sign_is_gone(text: str) -> None:
    assert "user:pw@" not in masked(f"https://user:pw@{text}")
    assert "user:pw@" not in without_passwords(f"{text} https://user:pw@host")


@pytest.mark.parametrize("piece", [":", "//:", "@", "//", "a:/", ":@", "//@", "//a/", "a@", "?", " //:"])
def test_a_long_text_takes_a_moment(piece: str) -> None:
    text = "https://a" + piece * (300_000 // len(piece)) + " @"
    begin = time.process_time()
    masked(text)
    without_passwords(text)
    without_passwords(text + "@")
    assert time.process_time() - begin < 5
