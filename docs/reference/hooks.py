"""MkDocs hooks that add the generated pages, and make links to files of the repository work on the website."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.reference.pages import generated_files, generated_pages

ROOT = Path(__file__).parents[2]

#: Files at the repository's top level that are also pages of the website.
_TOP_PAGES = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(\]\()([^)#\s:]+)(#[^)\s]*)?\)")
#: A single name as inline code, outside of fenced code.
_NAME = re.compile(r"(?<![`\[])`([A-Za-z_][\w.]*)`(?!`)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/: generated pages, files at the top level, and files that pages link to."""
    pages = generated_pages()
    anchors = _anchors(pages)
    for path, text in pages.items():
        files.append(File.generated(config, path, content=_with_links(text, path, anchors)))
    for path, text in generated_files().items():
        files.append(File.generated(config, path, content=text))
    for name, path in _TOP_PAGES.items():
        content = _moved_links((ROOT / name).read_text(encoding="utf-8"), ROOT, path)
        files.append(File.generated(config, path, content=content))
    linked = {name for file in files.documentation_pages() for name in _linked(file.content_string, file)}
    for name in sorted(linked):
        files.append(File.generated(config, f"files/{name}", content=(ROOT / name).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Rewrite links of docs/ pages to files of the repository."""
    if page.file.generated_by is not None:
        return markdown
    return _moved_links(markdown, (ROOT / "docs" / page.file.src_uri).parent, page.file.src_uri)


def _anchors(pages: dict[str, str]) -> dict[str, str]:
    """The page of each name that has its own heading or anchor."""
    found = {}
    for path, text in pages.items():
        if path.startswith("reference/") and "schemas" not in path:
            names = re.findall(r"^##+ .*\{ #([\w.]+) \}$", text, re.MULTILINE)
            names += re.findall(r'<span id="(\w+)">', text)
            found.update(dict.fromkeys(names, path))
    return found


def _with_links(text: str, path: str, anchors: dict[str, str]) -> str:
    """Turn names in code into links to their place on the website."""

    def link(found: re.Match[str]) -> str:
        name = found[1]
        if name not in anchors:
            return found[0]
        where = "" if anchors[name] == path else posixpath.relpath(anchors[name], posixpath.dirname(path))
        return f"[`{name}`]({where}#{name})"

    parts = re.split(r"(^ *```.*?^ *```$|^#.*?$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if number % 2 else _NAME.sub(link, part) for number, part in enumerate(parts))


def _moved_links(markdown: str, folder: Path, path: str) -> str:
    """Rewrite the links of a file in `folder` for the page at `path`."""

    def move(found: re.Match[str]) -> str:
        target = (folder / found[2]).resolve()
        if not target.is_relative_to(ROOT) or not target.is_file():
            return found[0]
        where = _place(target.relative_to(ROOT).as_posix())
        relative = posixpath.relpath(where, posixpath.dirname(path) or ".")
        return f"{found[1]}{relative}{found[3] or ''})"

    return _LINK.sub(move, markdown)


def _place(name: str) -> str:
    """Where a file of the repository is on the website."""
    if name in _TOP_PAGES:
        return _TOP_PAGES[name]
    return name.removeprefix("docs/") if name.startswith("docs/") else f"files/{name}"


def _linked(markdown: str, file: File) -> set[str]:
    """Files outside docs/ that a page links to, as paths from the repository's top level."""
    text = markdown
    if file.generated_by is None:
        text = _moved_links(markdown, (ROOT / "docs" / file.src_uri).parent, file.src_uri)
    found = {
        posixpath.normpath(posixpath.join(posixpath.dirname(file.src_uri), link[2]))
        for link in _LINK.finditer(text)
    }
    names = {name.removeprefix("files/") for name in found if name.startswith("files/")}
    return {name for name in names if (ROOT / name).is_file()}
