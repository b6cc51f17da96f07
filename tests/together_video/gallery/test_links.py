"""Links: which of them a page may carry, and how one object of the bucket names another."""

from __future__ import annotations

from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.gallery.links import content_policy, relative_link, safe_link

PIECE = st.text(min_size=1).filter(lambda piece: "/" not in piece and piece not in {".", ".."})


@pytest.mark.parametrize(
    ("page", "key", "link"),
    [
        ("batches/b1/index.html", "videos/2026-03-04/a fox.mp4", "../../videos/2026-03-04/a%20fox.mp4"),
        ("a/batches/b1/index.html", "a/videos/x.mp4", "../../videos/x.mp4"),
        ("index.html", "videos/x.mp4", "videos/x.mp4"),
        ("index.html", "a:b.mp4", "a%3Ab.mp4"),
        ("b/index.html", "b/100% #1?.mp4", "100%25%20%231%3F.mp4"),
        ("b/index.html", "b/é.mp4", "%C3%A9.mp4"),
    ],
)
def test_a_relative_link_is_short_and_encoded(page: str, key: str, link: str) -> None:
    """Folders in common are left out, and whatever an address would misread is encoded."""
    assert relative_link(page, key) == link


@given(st.lists(PIECE, min_size=1, max_size=5), st.lists(PIECE, min_size=1, max_size=5))
def test_a_relative_link_leads_to_its_key(page: list[str], key: list[str]) -> None:
    """Whatever the keys hold, a browser that follows the link asks for exactly the key."""
    link = relative_link("/".join(page), "/".join(key))
    base = "http://bucket.test/" + relative_link("index.html", "/".join(page))
    assert unquote(urljoin(base, link)) == "http://bucket.test/" + "/".join(key)
    assert safe_link(link) == link


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.test/bucket/a.mp4?X-Amz-Signature=1&x=%20",
        "http://127.0.0.1:8333/b/a.mp4",
        "HTTPS://s3.test/a",
        "../../videos/a%3Ab.mp4",
        "a.mp4?x=1:2",
    ],
)
def test_ordinary_links_are_made(url: str) -> None:
    """http, https and relative addresses go onto the page as they are."""
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        " https://s3.test/a",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//elsewhere.test/a.mp4",
        "\\\\elsewhere.test\\a.mp4",
        "/\\elsewhere.test/a.mp4",
        "https://user:secret@s3.test/a.mp4",
        "https://s3.test;script-src */a.mp4",
        "https:///a.mp4",
        "https://[::1/a.mp4",
        'a.mp4" onerror="alert(1)',
        "é.mp4",
    ],
)
def test_other_links_are_not_made(url: str | None) -> None:
    """Scripts, other schemes, other hosts in disguise and unencoded addresses give no link."""
    assert safe_link(url) is None


def test_the_policy_names_the_hosts_of_the_page_and_nothing_else() -> None:
    """Only the videos' own hosts may be asked; scripts and styles go by their hash."""
    urls = ["https://a.test/x.mp4", "http://[::1]:9/y.mp4", "../z.mp4", "https://a.test/x.jpg"]
    rules = dict(rule.strip().split(" ", 1) for rule in content_policy(urls, "p{}", "alert(1)").split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["media-src"] == "'self' http: https://a.test file:"
    assert rules["connect-src"] == "'self' http: https://a.test"
    assert rules["img-src"] == rules["media-src"] + " data:"
    assert rules["script-src"] == "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    assert "unsafe" not in "".join(rules.values())
