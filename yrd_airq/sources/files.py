"""How a file is opened: its bytes, unpacked if gzipped, their hash, its text as UTF-8, and its header."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from yrd_airq.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 1 << 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOSTLY = 0.9


@dataclass(frozen=True)
class Content:
    """Bytes of a file after unpacking, and the SHA-256 of the bytes as they lie on the disk."""

    data: bytes
    digest: str


def check_file(path: Path) -> None:
    """``InputError`` unless ``path`` is a file with something in it."""
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: is a folder, not a file; name the file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; fetch it again")


def file_digest(path: Path) -> str:
    """SHA-256 of the file's bytes in hexadecimal; ``InputError`` for a missing or empty file."""
    check_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_content(path: Path) -> Content:
    """The whole file, gzip (recognised by its first bytes, not its name) unpacked.

    Raises ``InputError`` for a missing or empty file and for a damaged or cut-off gzip.
    """
    check_file(path)
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if not raw.startswith(_GZIP_MAGIC):
        return Content(raw, found)
    try:
        data = gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as exc:
        raise InputError(f"{path}: the gzip file is damaged or cut off ({exc}); fetch it again") from exc
    if not data:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return Content(data, found)


def text_bytes(path: Path, data: bytes, encoding: str | None = None) -> bytes:
    """A text as UTF-8 without byte-order mark, whatever it was written in.

    Without ``encoding``, UTF-8 is tried first and GB18030 (which holds GBK and GB 2312) after it. Raises
    ``InputError`` for a text of neither, a damaged UTF-8 text, UTF-16, and NUL bytes.
    """
    if data.startswith(_UTF16_MARKS) and encoding is None:
        raise InputError(f"{path}: the text is UTF-16; save it as UTF-8 or GBK")
    if b"\x00" in data and encoding is None:
        raise InputError(f"{path}: holds NUL bytes, so it is damaged or not a text; fetch it again")
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.isascii():
        return data
    if encoding is not None:
        return _recoded(path, data, encoding)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as exc:
        if _is_damaged_utf8(data):
            raise InputError(
                f"{path}: the text is not UTF-8 at byte {exc.start}, though the rest is; fetch it again"
            ) from exc
        return _recoded(path, data, "gb18030")
    return data


def _recoded(path: Path, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except (UnicodeError, LookupError) as exc:
        said = "UTF-8 or GBK (GB18030)" if encoding == "gb18030" else f"{encoding} as declared"
        raise InputError(f"{path}: the text is not {said} ({exc}); save it as UTF-8") from exc


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether nearly all bytes beyond ASCII form UTF-8 characters, which GBK text does not by chance."""
    beyond = len(data) - len(data.translate(None, bytes(range(128, 256))))
    whole = data.decode("utf-8", errors="ignore")
    formed = sum(len(char.encode()) for char in whole if not char.isascii())
    return formed >= _MOSTLY * beyond


def header(path: Path, delimiter: str = ",", row: int = 1) -> tuple[str, ...]:
    """Column names in line ``row`` of a delimited text in UTF-8 or GBK; empty for anything else.

    Raises ``InputError`` for a missing or empty file, a gzip that breaks off before that line, and UTF-16.
    """
    check_file(path)
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    try:
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            lines = [file.readline(_LONGEST_HEADER) for _ in range(row)]
    except (EOFError, OSError, zlib.error) as exc:
        raise InputError(f"{path}: the gzip file is damaged or cut off ({exc}); fetch it again") from exc
    if lines[0].startswith(_UTF16_MARKS):
        raise InputError(f"{path}: if this is a text, it is UTF-16; save it as UTF-8 or GBK")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return column_names(lines[-1].decode(encoding), delimiter)
        except UnicodeDecodeError:
            continue
    return ()


def column_names(line: str, delimiter: str = ",") -> tuple[str, ...]:
    """Names in a header line, without blanks around them; empty if the line is not one of a text table."""
    line = line.rstrip("\r\n")
    if "\x00" in line or "\r" in line:
        return ()
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        # Such as one endless line of another kind of text.
        return ()
    return tuple(name.strip() for name in names)
