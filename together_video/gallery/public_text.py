"""Text and addresses of others, made safe for a page. Pages get forwarded, so they must not contain secrets.

Only what is listed here is allowed; the rest becomes an ellipsis. Of an address, the host and the plain parts of the
path are allowed. Of an unknown setting, plain words and small numbers are. Sentences that people write stay, except for
words that are addresses, name a secret, or look like one.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

#: Replaces what is left out.
GONE = "…"
#: Longest text of an unknown setting, in characters.
_LONGEST = 200

_ADDRESS = r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>`]*"
_NAMES = (
    r"token|secret|passw|credential|signature|cookie|session|webhook|callback|bearer"
    r"|(?<![A-Za-z])(?:auth(?!or)\w*|keys?|pass|pwd|sig)(?![A-Za-z])|(?:api|access|private)[_-]?key"
)
_NAMES_A_SECRET = re.compile(_NAMES, re.IGNORECASE)
_IN_PROSE = re.compile(
    rf"""
      (?P<inline> data:[\w/+.;=-]*,(?!…)[^\s"'<>]* )
    | (?P<address> {_ADDRESS} )
    | (?P<user> [^\s/@:"'<>]{{1,64}}:[^\s/@"'<>]{{1,100}}@(?=[\w-]+\.[\w.-]) )
    | (?P<query> \?[\w.%~\[\]-]+=[^\s"'<>]* )
    | (?P<header> \b(?:authorization\s*[:=]\s*(?:\w+\s+)?|bearer\s+)[\w.~+/=-]{{8,}} )
    | (?P<pair> [\w.-]{{0,40}}(?:{_NAMES})[\w.-]{{0,40}}(?:\s?=\s?|["']\s*:\s*["'])[^\s"'&,;]+ )
    | (?P<key> (?:api|access|private)[_-]?key\s*[:=]\s*[^\s"'&,;]+ )
    | (?P<known> \b(?:sk|pk|hf|tgp|gh[a-z]|github_pat|glpat|xox[a-z])[-_][\w-]{{10,}} | \bA[KS]IA[A-Z0-9]{{12,}} )
    | (?P<run> [\w+/=~.-]{{20,}}(?!://) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
#: A part of a path: a usual name of a file or folder.
_PART = re.compile(r"[\w .~+!$()*,:@-]{0,200}")
#: Words without digits, small numbers with a unit, and versions, such as `pan left`, `720p`, `16:9`, `acme/dream-v2`.
_WORD = r"(?:[^\W\d_]{1,30}|\d{1,5}[A-Za-z%]{0,4}|[vV]\d{1,3})"
_PLAIN = re.compile(rf"(?!.*//){_WORD}?(?:[ _,.:;'!/()×+-]+{_WORD})*[ .!']*")
#: How batches are named.
_MOMENT = re.compile(r"\d{8}T\d{6}Z?(?:-[0-9a-f]{6}\b)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_]{0,40}\d{0,2}")


def public_text(text: str) -> str:
    """Text that people wrote, such as a prompt, a label or a note, without secrets in addresses or likely secrets.

    Example:
        >>> public_text("as in https://b.test/a.png?X-Amz-Signature=0123, but slower")
        'as in https://b.test/a.png?… but slower'
    """
    return _IN_PROSE.sub(_in_prose, text)


def public_address(address: str) -> str:
    """An address without user, password, query and fragment, and without parts of its path that may be a key.

    Example:
        >>> public_address("https://me:pw@b.test/d/1a2B3c4D5e6F7g8H9i0J/a.png?t=1#x")
        'https://…@b.test/d/…/a.png?…'
    """
    scheme, _, rest = address.partition("://")
    authority, slash, way = _parted(rest)
    _, at, host = authority.rpartition("@")
    # A backslash is a slash to a browser.
    if not _HOST.fullmatch(host) or "\\" in rest:
        return f"{scheme}://{GONE}"
    path, mark = re.match(r"([^?#]*)([?#]?)", way, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part if _is_public_part(part) else GONE for part in path.split("/")]
    known = scheme.lower() in {"http", "https", "s3"}
    shown = "/".join(parts) if known else GONE * bool(path)
    return f"{scheme}://{f'{GONE}@' if at else ''}{host}{slash}{shown}{mark and mark + GONE}"


def is_plain(text: str) -> bool:
    """Whether an unknown setting's text has only plain words and small numbers, so it cannot be a secret."""
    return len(text) <= _LONGEST and bool(_PLAIN.fullmatch(text))


def is_name(name: str) -> bool:
    """Whether a text looks like the name of a setting."""
    return bool(_NAME.fullmatch(name))


def names_a_secret(name: str) -> bool:
    """Whether a value with this name may be a secret, whatever it looks like."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).replace("_", "-")
    return bool(_NAMES_A_SECRET.search(words))


def inline(text: str) -> str:
    """Inline content, shown as its type and length."""
    kind = text[:40].partition(",")[0] + "," if text[:5].lower() == "data:" else ""
    return f"{kind}{GONE} ({len(text):,} characters)"


def _in_prose(found: re.Match[str]) -> str:
    word = found[0]
    match found.lastgroup:
        case "inline":
            return inline(word)
        case "address":
            # Punctuation that ends a sentence or closes a bracket belongs to the surrounding text.
            address = word.rstrip(").,;:!]}")
            return public_address(address) + word[len(address) :]
        case "query":
            return f"?{GONE}"
        case "user":
            return f"{GONE}@"
        case "header":
            name = re.split(r"[\s:=]", word, maxsplit=1)[0]
            return f"{name} {GONE}"
        case "pair" | "key":
            return re.sub(r"([=:]\s*[\"']?).*", rf"\1{GONE}", word, count=1, flags=re.DOTALL)
        case "known":
            return GONE
    return GONE if _looks_secret(word, digits_and_letters=32) else word


def _parted(rest: str) -> tuple[str, str, str]:
    """The host with user and password, the slash, and what follows."""
    at = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
    return (rest[:at], "/", rest[at + 1 :]) if rest[at : at + 1] == "/" else (rest[:at], "", rest[at:])


def _is_public_part(part: str) -> bool:
    plain = unquote(part)
    return bool(_PART.fullmatch(plain)) and not _looks_secret(plain, digits_and_letters=20)


def _looks_secret(text: str, *, digits_and_letters: int) -> bool:
    """Whether it has a run of this many letters and digits, or 20 letters of mixed case, that looks like a key."""
    text = _MOMENT.sub("", text)
    for run in re.findall(r"[A-Za-z0-9_-]{20,}", text):
        kinds = [re.search(kind, run) for kind in ("[a-z]", "[A-Z]", "[0-9]")]
        if all(kinds) and _is_dense(run):
            return True
    return any(
        re.search("[0-9]", run) and re.search("[A-Za-z]", run)
        for run in re.findall(f"[A-Za-z0-9]{{{digits_and_letters},}}", text)
    )


def _is_dense(run: str) -> bool:
    """Unlike words and numbers joined by hyphens, such as IMG-2026-Final-cut-of-March."""
    return any(re.search("[0-9]", piece) and re.search("[A-Za-z]", piece) for piece in re.split("[_-]+", run))
