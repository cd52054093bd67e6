"""An enterprise list in the product's terms: its words translated, its gaps filled from its own columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.region import load_region
from yrd_airq.sources.enterprise_columns import ListSettings, load_list_settings
from yrd_airq.sources.text import TextTable, as_numbers
from yrd_airq.vocab import Precursor

DAYS = 365
BASIS = "list"
"""Where the emissions come from if the list does not say: the list itself."""


def fill_columns(text: TextTable, wrong_code: NDArray[np.bool_]) -> TextTable:
    """The list with an id, an adcode, a sector and grade in the product's terms, and yearly emissions.

    Without an id of its own an enterprise goes by its credit code and production line. ``wrong_code``: lines
    whose credit code is none; it is blanked. A county's code becomes that of its city, a missing one follows
    from the city's name. Daily emissions count 365 times where the yearly one is missing.
    """
    settings, region = load_list_settings(), load_region()
    code = pc.if_else(pa.array(wrong_code), "", text.optional("uscc"))
    line = text.optional("line_id")
    own = pc.if_else(pc.equal(line, ""), code, pc.binary_join_element_wise(code, line, "-"))
    own = pc.if_else(pc.equal(code, ""), "", own)
    named = _translated(text.optional("city"), lambda name: region.adcode_of_name(name) or "")
    columns = {
        "uscc": code,
        "enterprise_id": _first_filled(text.optional("enterprise_id"), own),
        "adcode": _first_filled(_translated(text.optional("adcode"), _city_of), named),
        "sector": _translated(text.column("sector"), lambda words: _sector(words, settings)),
        "grade": _translated(text.optional("grade"), lambda words: _grade(words, settings)),
        "emission_basis": _first_filled(text.optional("emission_basis"), pa.array([BASIS] * len(text.row))),
        **{f"{precursor}_tpa": _yearly(text, precursor) for precursor in Precursor},
        **_exemption(text),
    }
    return _with_columns(text, columns)


def _with_columns(text: TextTable, columns: dict[str, pa.Array]) -> TextTable:
    """The table with these columns in place of its own of that name, others added behind."""
    # Of two columns of one name the first counts, as everywhere.
    kept = dict(zip(reversed(text.names), reversed(text.columns), strict=True))
    merged = {name: kept[name] for name in dict.fromkeys(text.names)} | columns
    return replace(text, names=tuple(merged), columns=tuple(merged.values()))


def _translated(cells: pa.Array, translate: Callable[[str], str]) -> pa.Array:
    """Every cell through ``translate``, which is asked once for each distinct text."""
    encoded = pc.dictionary_encode(cells)
    words = pa.array([translate(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def _first_filled(first: pa.Array, second: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(first, ""), second, first)


def _city_of(code: str) -> str:
    """The city's code of a county's; what is no code of the region stays, to be refused."""
    region = load_region()
    if len(code) != 6 or region.canonical_adcode(code) is not None:
        return code
    city = f"{code[:4]}00"
    return city if region.canonical_adcode(city) is not None else code


def _sector(words: str, settings: ListSettings) -> str:
    """The product's code of a sector by its name or its digits; unknown words stay as they are."""
    if words in settings.sectors:
        return words
    by_word = {word: code for code, own in settings.sectors.items() for word in own}
    digits = words[: len(words) - len(words.lstrip("0123456789"))]
    name = words[len(digits) :].strip()
    if name in by_word:
        return by_word[name]
    shorter = (digits[:length] for length in range(len(digits), 1, -1))
    return next((by_word[start] for start in shorter if start in by_word), words)


def _grade(words: str, settings: ListSettings) -> str:
    return "" if words in settings.no_grade else settings.grades.get(words, words)


def _yearly(text: TextTable, precursor: Precursor) -> pa.Array:
    """Yearly emission as text, from the daily one where it is blank."""
    yearly, daily = text.optional(f"{precursor}_tpa"), text.optional(f"{precursor}_tpd")
    value, _ = as_numbers(daily)
    made = pa.array(["" if np.isnan(day) else repr(round(DAYS * day, 6)) for day in value.tolist()])
    return _first_filled(yearly, made)


def _exemption(text: TextTable) -> dict[str, pa.Array]:
    """Whether and why an enterprise is exempt: a category makes it so where the list has no column for it."""
    category, reason = text.optional("exempt_category"), text.optional("exempt_reason")
    document = text.optional("exempt_document")
    shown = pc.if_else(pc.equal(document, ""), "", pc.binary_join_element_wise("，", document, ""))
    kind = pc.if_else(pc.equal(category, ""), "保障类", category)
    told = pc.binary_join_element_wise(kind, shown, "")
    said = pc.if_else(pc.and_(pc.equal(category, ""), pc.equal(document, "")), "", told)
    exempt = {} if "exempt" in text.names else {"exempt": pc.if_else(pc.equal(category, ""), "", "是")}
    return {"exempt_reason": _first_filled(reason, said), **exempt}
