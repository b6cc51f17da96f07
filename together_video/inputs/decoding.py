"""The bytes of a request file -> its text, in the encoding that an editor or a spreadsheet used.

UTF-8 and UTF-16 can be recognised by their bytes. Other encodings cannot be recognised for sure, and a wrong guess
would buy videos of garbled prompts. So the error names the likely encoding and the command that converts the file.
"""

from __future__ import annotations

import codecs
import re
import shlex
from pathlib import PurePath

from together_video.errors import InputError
from together_video.text import printable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Other encodings that are in use: Python's name, iconv's name, where.
_LIKELY = (
    ("cp1252", "CP1252", "Western European"),
    ("cp1251", "CP1251", "Cyrillic"),
    ("shift_jis", "SHIFT_JIS", "Japanese"),
    ("gb18030", "GB18030", "Chinese"),
    ("euc_kr", "EUC-KR", "Korean"),
    ("big5", "BIG5", "traditional Chinese"),
)
#: Files with tables or texts that are not text files, by their endings, and what to do with each.
_EXPORTS = {
    **dict.fromkeys(
        (".xlsx", ".xls", ".xlsm", ".xlsb"),
        'is an Excel workbook. In Excel choose File > Save As > "CSV UTF-8 (Comma delimited)" and give that file.',
    ),
    ".ods": "is an OpenDocument sheet. In LibreOffice choose File > Save As > Text CSV with UTF-8, and give that file.",
    ".numbers": "is a Numbers sheet. In Numbers choose File > Export To > CSV with UTF-8, and give that file.",
    **dict.fromkeys(
        (".docx", ".doc", ".odt", ".rtf", ".pdf", ".pages"),
        "is a document. Save it as plain text in UTF-8, one prompt per line, and give that file.",
    ),
}
#: Beginnings of such files, if the ending does not show it.
_BEGINNINGS = (
    (
        b"PK\x03\x04",
        "is a ZIP archive, as Excel workbooks are. Save the sheet as CSV in UTF-8, and give that file.",
    ),
    (b"\xd0\xcf\x11\xe0", "is an Office file. Save it as CSV or text in UTF-8, and give that file."),
    (b"%PDF", _EXPORTS[".pdf"]),
    (b"{\\rtf", _EXPORTS[".rtf"]),
    (b"\x1f\x8b", "is compressed with gzip. Unpack it, and give the unpacked file."),
    (b"SQLite format 3", "is a database, not a file of requests."),
)


def why_no_text(data: bytes, suffix: str) -> str | None:
    """What the file is instead of text, and how to convert it, as words that follow its name; None if it may be text.

    Args:
        suffix: the ending of its name in lower case, with the dot, or empty.
    """
    if (known := _EXPORTS.get(suffix)) is not None:
        return known
    return next((words for start, words in _BEGINNINGS if data.startswith(start)), None)


def decoded(data: bytes, name: str) -> str:
    """The text, without its byte order mark. `name` is the file's name in messages.

    Raises:
        InputError: the file is empty, is not text, or has an encoding that cannot be recognised.
    """
    encoding = next((found for mark, found in _MARKS if data.startswith(mark)), None) or _without_mark(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding.startswith("utf-8"):
            raise InputError(_advice(data, error, name)) from None
        broken = f"begins like {encoding.upper()} text, but is broken at byte {error.start:,}"
        raise InputError(f"{name}: {broken}.") from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise InputError(f"{name}: is not a text file.")
    if not text.strip():
        raise InputError(f"{name}: is empty.")
    return text


def _without_mark(data: bytes) -> str:
    """UTF-16 without a byte order mark has a zero byte in nearly every second place, at least in Latin text."""
    start = data[:4096]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[offset::2].count(0)
        if len(start) >= 16 and zeros * 10 > len(start) * 3 and start[1 - offset :: 2].count(0) == 0:
            return encoding
    return "utf-8"


def _advice(data: bytes, error: UnicodeDecodeError, name: str) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    found = f"{name}: is not UTF-8 text (byte 0x{data[error.start]:02x} in line {line})"
    for encoding, iconv, whose in _LIKELY:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _is_probable(data, text, encoding):
            continue
        shown = printable(text.split("\n")[line - 1].strip(), 40)
        return (
            f"{found}. It may be {iconv} ({whose}): {shown!r}. If that reads well, convert it and give the new file: "
            f"iconv -f {iconv} -t UTF-8 {shlex.quote(name)} > utf8{PurePath(name).suffix}"
        )
    return f"{found}. Save it as UTF-8."


def _is_probable(data: bytes, text: str, encoding: str) -> bool:
    """Whether these bytes look like text in this encoding; the first encoding that fits is named.

    Accented letters stand alone among ASCII letters, Cyrillic words have any length, Asian characters have two bytes.
    """
    runs = re.findall(rb"[\x80-\xff]+", data)
    high = b"".join(runs)
    if encoding == "cp1252":
        return sum(len(run) == 1 for run in runs) * 2 > len(runs)
    if encoding == "cp1251":
        return sum(byte >= 0xC0 for byte in high) >= 0.95 * len(high) and any(len(run) % 2 for run in runs)
    beyond = [char for char in text if ord(char) > 127]
    if encoding == "shift_jis":
        return sum(0x3040 <= ord(char) <= 0x30FF for char in beyond) >= 0.3 * len(beyond)
    low, top = (0xAC00, 0xD7A3) if encoding == "euc_kr" else (0x3000, 0x9FFF)
    return sum(low <= ord(char) <= top or ord(char) >= 0xFF00 for char in beyond) >= 0.9 * len(beyond)
