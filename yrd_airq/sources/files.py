"""How a file is opened: its bytes, unpacked if gzipped, their hash, and the header of a delimited text."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from yrd_airq.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 1 << 20


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


def read_content(path: Path) -> Content:
    """The whole file, gzip (recognised by its first bytes, not its name) unpacked.

    Raises ``InputError`` for a missing or empty file and for a damaged or cut-off gzip.
    """
    check_file(path)
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if not raw.startswith(_GZIP_MAGIC):
        return Content(raw, digest)
    try:
        data = gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as exc:
        raise InputError(f"{path}: the gzip file is damaged or cut off ({exc}); fetch it again") from exc
    if not data:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return Content(data, digest)


def header(path: Path) -> tuple[str, ...]:
    """Column names in the first line of a comma-separated UTF-8 text; empty for anything else.

    Raises ``InputError`` for a missing or empty file and a gzip that breaks off within the first line.
    """
    check_file(path)
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    try:
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
    except (EOFError, OSError, zlib.error) as exc:
        raise InputError(f"{path}: the gzip file is damaged or cut off ({exc}); fetch it again") from exc
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ()
    try:
        names = next(csv.reader([text]), []) if "\x00" not in text else []
    except csv.Error:
        # Such as one endless line of another kind of text.
        return ()
    return tuple(name.strip() for name in names)
