"""Zip-based office files with fixed dates, so that the same brief gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

_CORE = "docProps/core.xml"
_W3C_DATE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")


def freeze_zip(content: bytes, stamp: datetime) -> bytes:
    """The same archive with every member, and the dates in its core properties, set to ``stamp``."""
    date = (max(stamp.year, 1980), stamp.month, stamp.day, stamp.hour, stamp.minute, 0)
    text = f"{stamp:%Y-%m-%dT%H:%M:00Z}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == _CORE:
                data = _W3C_DATE.sub(rb"\g<1>" + text + rb"\g<2>", data)
            member = zipfile.ZipInfo(name, date)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            target.writestr(member, data)
    return out.getvalue()
