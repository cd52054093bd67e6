"""Dates written as text, checked strictly: a day that does not exist is not a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_FORMS = {"%Y%m%d": r"^\d{8}$", "%Y-%m-%d": r"^\d{4}-\d{2}-\d{2}$"}


def as_days(cells: pa.Array, form: str) -> NDArray[np.datetime64]:
    """Cells of the form ``%Y%m%d`` or ``%Y-%m-%d`` as days, NaT where they are not a date of that form."""
    encoded = pc.dictionary_encode(cells)
    texts = encoded.dictionary
    shaped = pc.if_else(pc.match_substring_regex(texts, _FORMS[form]), texts, pa.scalar(None, pa.string()))
    days = pd.to_datetime(pd.Series(shaped.to_pylist(), dtype="object"), format=form, errors="coerce")
    return np.asarray(days.to_numpy(), dtype="datetime64[D]")[encoded.indices.to_numpy()]
