"""What an answer of a web service is, and the checks that it is whole: JSON that parses, no web page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yrd_airq.errors import SourceUnavailableError

_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class PassingError(Exception):
    """A failure that may be gone at the next try; ``wait_s`` is how long the server asks to wait."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class UnreachableError(SourceUnavailableError):
    """A service that could not be had at all, so that asking it for more is of no use for now."""


class BrokenAnswerError(PassingError):
    """An answer that came with a good status but is damaged, cut off or something else altogether."""


@dataclass(frozen=True)
class Answer:
    """Status, body (unpacked), headers (names in lower case), address and time (Beijing) of one answer."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    url: str
    fetched_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the body in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


def digest_of(answers: list[Answer]) -> str:
    """One hash of several answers in their order; of a single answer its own."""
    if len(answers) == 1:
        return answers[0].digest
    return hashlib.sha256("".join(answer.digest for answer in answers).encode()).hexdigest()


def read_json(answer: Answer) -> Any:
    """The body as JSON; ``BrokenAnswerError`` for a web page, an empty body and JSON that breaks off."""
    check_no_page(answer, "JSON")
    try:
        return json.loads(answer.body.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise BrokenAnswerError(f"answered bytes that are not UTF-8 (at byte {exc.start})") from exc
    except json.JSONDecodeError as exc:
        size = len(answer.body)
        raise BrokenAnswerError(
            f"answered JSON that is cut off or damaged ({exc.msg}; {size} bytes)"
        ) from exc
    except RecursionError as exc:
        raise BrokenAnswerError("answered JSON that is nested beyond reading") from exc


def check_no_page(answer: Answer, wanted: str) -> None:
    """``BrokenAnswerError`` if the body is empty or a web page instead of what was wanted."""
    start = answer.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise BrokenAnswerError(f"answered nothing instead of {wanted}")
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<!--")):
        raise BrokenAnswerError(f"answered a web page (HTML{_title(answer.body)}) instead of {wanted}")


def said(body: bytes) -> str:
    """What an error answer says for people: its reason if it is JSON, the title if a page, else its start."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        for key in ("reason", "detail", "message", "Message", "error"):
            if isinstance(data.get(key), str):
                return str(data[key])[:200]
    if body.lstrip()[:1] == b"<":
        return _title(body).removeprefix(": ")
    return " ".join(body[:200].decode("utf-8", errors="replace").split())


def _title(body: bytes) -> str:
    found = _TITLE.search(body[:4096])
    if found is None:
        return ""
    title = " ".join(found[1].decode("utf-8", errors="replace").split())
    return f": {title[:80]}" if title else ""
