"""Who an enterprise is and whom nobody else shall know: credit code, permit number, names and phones."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.sources.enterprise_columns import canonical_name
from yrd_airq.sources.text import TextTable

SENSITIVE = ("contact", "phone")
"""Columns that stay in the store: who is to be called, and by which number."""

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = [pow(3, k, 31) for k in range(17)]
_USCC = re.compile(rf"^[{_CODE}]{{18}}$")
_PERMIT = re.compile(rf"^(?P<uscc>[{_CODE}]{{18}})\d{{3}}[A-Z]$")
_PHONE = re.compile(r"(?<![0-9A-Za-z.])(?:1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]\d{7,8})(?![0-9A-Za-z])")
_MASK = "（号码已隐去）"
_PUBLIC = frozenset({"enterprise_id", "uscc", "permit_id", "line_id", "lon", "lat", *SENSITIVE})


def is_uscc(code: str) -> bool:
    """Whether a unified social credit code has 18 characters and its check digit (GB 32100-2015, 4.2)."""
    if not _USCC.match(code):
        return False
    total = sum(_CODE.index(char) * weight for char, weight in zip(code, _WEIGHTS, strict=False))
    return code[17] == _CODE[(31 - total % 31) % 31]


def is_permit_of(permit_id: str, uscc: str) -> bool:
    """Whether a permit number is a credit code, three digits and a letter, of this enterprise if known."""
    found = _PERMIT.match(permit_id)
    return found is not None and uscc in ("", found["uscc"])


def wrong_codes(cells: pa.Array) -> NDArray[np.bool_]:
    """Which filled cells are no credit codes."""
    return np.array([bool(code) and not is_uscc(code) for code in cells.to_pylist()], dtype=bool)


def wrong_permits(permits: pa.Array, usccs: pa.Array) -> NDArray[np.bool_]:
    """Which filled permit numbers have another form or belong to another enterprise."""
    pairs = zip(permits.to_pylist(), usccs.to_pylist(), strict=True)
    return np.array([bool(permit) and not is_permit_of(permit, uscc) for permit, uscc in pairs], dtype=bool)


def mask_phones(text: str) -> str:
    """A text without the phone numbers that people write into remarks."""
    return _PHONE.sub(_MASK, text)


def mask_text(text: TextTable) -> TextTable:
    """A list without phone numbers in any column of words but its own for them."""
    columns = tuple(
        cells if name in _PUBLIC else _masked(cells)
        for name, cells in zip(text.names, text.columns, strict=True)
    )
    return replace(text, columns=columns, refused=_hide_contents(text.refused))


def hide_sensitive(text: TextTable) -> TextTable:
    """The list as it may be shown in a refusal: nobody's name and number."""
    columns = tuple(
        pc.if_else(pc.equal(cells, ""), "", _MASK) if canonical_name(name) in SENSITIVE else cells
        for name, cells in zip(text.names, text.columns, strict=True)
    )
    return replace(text, columns=columns)


def _masked(cells: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(cells, r"\d{7}|\d{4}[- ]\d{4}")).as_py():
        return cells
    return pa.array([mask_phones(cell) for cell in cells.to_pylist()], pa.string())


def _hide_contents(refused: pa.Table) -> pa.Table:
    """Lines that do not fit the header, whose columns nobody knows, without the numbers in them."""
    contents = pa.array([mask_phones(text) for text in refused["content"].to_pylist()], pa.string())
    return refused.set_column(refused.schema.get_field_index("content"), "content", contents)
