"""Dates and times written as text, checked strictly: a day or hour that does not exist is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_FORMS = {"%Y%m%d": r"^\d{8}$", "%Y-%m-%d": r"^\d{4}-\d{2}-\d{2}$"}
_FIRST_DAY, _LAST_DAY = np.datetime64("1970-01-01"), np.datetime64("2100-12-31")
_WRITTEN = r"^(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?(?: 00:00:00)?$"
"""A day as people write it, or as a workbook's date cell is written."""

_FIELDS = {"%m": "month", "%d": "day", "%H": "hour", "%M": "minute", "%S": "second"}


def as_days(cells: pa.Array, form: str) -> NDArray[np.datetime64]:
    """Cells of the form ``%Y%m%d`` or ``%Y-%m-%d`` as days, NaT where they are not a date of that form.

    Days before 1970 and after 2100 are slips and count as none.
    """
    encoded = pc.dictionary_encode(cells)
    texts = encoded.dictionary
    shaped = pc.if_else(pc.match_substring_regex(texts, _FORMS[form]), texts, pa.scalar(None, pa.string()))
    days = pd.to_datetime(pd.Series(shaped.to_pylist(), dtype="object"), format=form, errors="coerce")
    return _plausible(np.asarray(days.to_numpy(), dtype="datetime64[D]"))[encoded.indices.to_numpy()]


def as_written_days(cells: pa.Array) -> NDArray[np.datetime64]:
    """Cells that hold a day in one of the ways people write it (2020-01-31, 2020/1/31, 20200131 …) as days.

    NaT where a cell is not such a date.
    """
    encoded = pc.dictionary_encode(cells)
    spaced = pc.replace_substring_regex(encoded.dictionary, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    parts = pc.extract_regex(spaced, _WRITTEN)
    padded = [
        pc.utf8_lpad(pc.struct_field(parts, name), width, "0")
        for name, width in (("y", 4), ("m", 2), ("d", 2))
    ]
    days = as_days(pc.fill_null(pc.binary_join_element_wise(*padded, ""), ""), "%Y%m%d")
    return days[encoded.indices.to_numpy()]


def as_hours(columns: Sequence[tuple[pa.Array, str]], last_hour: int) -> NDArray[np.datetime64]:
    """Full hours put together from columns and their formats, NaT where any of them is unusable.

    A format is literal text with %Y (four digits), %m, %d, %H, %M and %S (one or two digits, or two where
    no other character parts them from their neighbour). ``last_hour`` is 23, or 24 for hours 1 to 24, of
    which the last is midnight of the next day. Minutes and seconds other than 0 are no full hour.
    """
    fields: dict[str, NDArray[np.int64]] = {}
    for cells, form in columns:
        fields.update(_read_fields(cells, form))
    count = len(columns[0][0])
    zero = np.zeros(count, dtype=np.int64)
    months = (fields["year"] - 1970) * 12 + fields["month"] - 1
    month = np.asarray(months, dtype="datetime64[M]")
    day = month.astype("datetime64[D]") + (fields["day"] - 1)
    hour = fields["hour"]
    good = (fields["year"] >= 1970) & (fields["month"] >= 1) & (fields["month"] <= 12)
    good &= (fields["day"] >= 1) & (day.astype("datetime64[M]") == month)
    good &= (hour >= last_hour - 23) & (hour <= last_hour)
    good &= (fields.get("minute", zero) == 0) & (fields.get("second", zero) == 0)
    days = _plausible(np.where(good, day, np.datetime64("NaT")))
    return np.asarray(days.astype("datetime64[us]") + hour * np.timedelta64(1, "h"), dtype="datetime64[us]")


def _plausible(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    return np.where((days >= _FIRST_DAY) & (days <= _LAST_DAY), days, np.datetime64("NaT"))


def _read_fields(cells: pa.Array, form: str) -> dict[str, NDArray[np.int64]]:
    """The numbers in cells of a format, −1 where a cell is not of it."""
    encoded = pc.dictionary_encode(cells)
    found = pc.extract_regex(encoded.dictionary, _pattern(form))
    where = encoded.indices.to_numpy()
    fields = {}
    for field in found.type:
        numbers = pc.cast(pc.struct_field(found, field.name), pa.int64())
        fields[field.name] = np.asarray(pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False))[where]
    return fields


def _pattern(form: str) -> str:
    pieces = re.findall(r"%.|[^%]+", form)
    made = []
    for k, piece in enumerate(pieces):
        alone = not any(near.startswith("%") for near in (*pieces[max(k - 1, 0) : k], *pieces[k + 1 : k + 2]))
        if piece == "%Y":
            made.append(r"(?P<year>\d{4})")
        elif piece in _FIELDS:
            made.append(rf"(?P<{_FIELDS[piece]}>\d{{{'1,2' if alone else '2'}}})")
        else:
            made.append(re.escape(piece))
    return "^" + "".join(made) + "$"
