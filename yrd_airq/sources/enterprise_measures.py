"""What an enterprise list asks of each enterprise in each warning tier, and whether that can be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.sources.batch import ENTERPRISE_MEASURES, Refusal, join_refused, refused_table
from yrd_airq.sources.enterprise_columns import ListSettings, load_list_settings
from yrd_airq.sources.refusing import refuse_cells
from yrd_airq.sources.text import TextTable, as_numbers
from yrd_airq.vocab import Precursor

KG_PER_DAY = 1000 / 365  # of 1 t/a
_REDUCTIONS = tuple(f"reduction_{precursor}_kgd" for precursor in Precursor)
_Numbers = NDArray[np.float64]


def read_measures(text: TextTable, emission_tpa: dict[Precursor, _Numbers]) -> tuple[pa.Table, pa.Table]:
    """The measures of usable lines (``ENTERPRISE_MEASURES``), and the cells that stay unknown.

    A reduction above the day's emission cannot be and stays unknown. Where the reductions of a tier are a
    smaller share of the listed emission than the tier asks for, that is told with the figure (row 0).
    """
    settings = load_list_settings()
    parts, refused = [], []
    for tier in settings.tiers:
        if not any(name.startswith(f"{tier} ") for name in text.names):
            continue
        cut, bad = _reductions(text, tier, emission_tpa, settings)
        words = text.optional(f"{tier} measure_zh")
        codes = _codes(text.optional(f"{tier} measure_code"), words, settings)
        filled = np.array([bool(word) for word in words.to_pylist()]) | np.isfinite(cut).any(axis=1)
        columns = [
            text.column("enterprise_id"),
            pa.array([tier] * len(text.row), pa.string()),
            codes,
            pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words),
            *(pa.array(cut[:, k], pa.float64(), from_pandas=True) for k in range(len(_REDUCTIONS))),
        ]
        made = pa.Table.from_arrays(columns, schema=ENTERPRISE_MEASURES)
        parts.append(made.filter(pa.array(filled)))
        refused += [bad, _short_of_share(tier, cut, emission_tpa, settings)]
    return pa.concat_tables([ENTERPRISE_MEASURES.empty_table(), *parts]), join_refused(*refused)


def _reductions(
    text: TextTable, tier: str, emission_tpa: dict[Precursor, _Numbers], settings: ListSettings
) -> tuple[_Numbers, pa.Table]:
    """Reductions (line, precursor) in kg/d, NaN where unknown, and their unusable cells."""
    slack = 1 + float(settings.checks.rounding_share)
    cut = np.full((len(text.row), len(_REDUCTIONS)), np.nan)
    refused = []
    for k, (precursor, name) in enumerate(zip(Precursor, _REDUCTIONS, strict=True)):
        column = f"{tier} {name}"
        if column not in text.names:
            continue
        value, unusable = as_numbers(text.column(column))
        most = emission_tpa[precursor] * KG_PER_DAY
        impossible = value > slack * most
        refused += [
            refuse_cells(text, column, unusable, "not a number; kept as unknown", 0),
            refuse_cells(text, column, value < 0, "negative; kept as unknown", 0),
            refuse_cells(
                text, column, impossible, "above the day's emission; kept as unknown, check both", 0
            ),
        ]
        cut[:, k] = np.where((value < 0) | impossible, np.nan, value)
    return cut, join_refused(*refused)


def _codes(given: pa.Array, words: pa.Array, settings: ListSettings) -> pa.Array:
    """Measure codes: as given where known, else by the words of the text, null where those say none."""
    found = [
        _code(code, text, settings) for code, text in zip(given.to_pylist(), words.to_pylist(), strict=True)
    ]
    return pa.array(found, pa.string())


def _code(given: str, text: str, settings: ListSettings) -> str | None:
    if given in settings.measures:
        return given
    both = f"{given}{text}".replace(" ", "")
    return next((code for code, words in settings.measures.items() if any(w in both for w in words)), None)


def _short_of_share(
    tier: str, cut: _Numbers, emission_tpa: dict[Precursor, _Numbers], settings: ListSettings
) -> pa.Table:
    """A remark on each precursor whose reductions are less than the tier's share of the listed emission."""
    wanted = float(settings.checks.tier_share[tier])
    found = []
    for k, precursor in enumerate(Precursor):
        listed = np.nansum(emission_tpa[precursor]) * KG_PER_DAY
        reduced = np.nansum(cut[:, k])
        if np.isfinite(cut[:, k]).any() and reduced < wanted * listed:
            reason = (
                f"all reductions are {reduced:.0f} kg/d, {reduced / listed:.1%} of the listed emission "
                f"({listed:.0f} kg/d); tier {tier} asks for {wanted:.0%} of that of the whole society"
            )
            found.append(Refusal(0, f"{tier} {_REDUCTIONS[k]}", reason, "", 0))
    return refused_table(found)
