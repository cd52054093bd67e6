"""What may be wrong in an enterprise list: faults that cost the row, and doubts that are told and kept."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import join_refused
from yrd_airq.sources.enterprise_columns import load_list_settings
from yrd_airq.sources.enterprise_identity import hide_sensitive, wrong_codes, wrong_permits
from yrd_airq.sources.refusing import refuse_cells, refuse_lines
from yrd_airq.sources.text import TextTable, as_mask, as_numbers, repeats
from yrd_airq.vocab import Precursor

YES = pa.array(["true", "1", "yes", "y", "是", "有"])
NO = pa.array(["", "false", "0", "no", "n", "否", "无"])
_LON_RANGE = (110.0, 124.0)
_LAT_RANGE = (24.0, 38.0)
_KM_PER_DEGREE = 111.2
_Mask = NDArray[np.bool_]


def usable_lines(text: TextTable, written: TextTable) -> tuple[TextTable, pa.Table]:
    """Lines with an identity, a position, a city of the region and a readable exemption; the refused ones.

    Each refused line is told by its first fault, as it is ``written`` (the same lines before they were
    filled). Of lines with one id, or with one credit code and production line, the first is kept.
    """
    shown = hide_sensitive(written)
    bad = np.zeros(len(text.row), dtype=bool)
    refused: list[pa.Table] = []
    for name, own, reason in _faults(text):
        refused.append(refuse_lines(shown, own, name, f"{reason}; the row is left out"))
        bad |= own
    for keys in (("enterprise_id",), ("uscc", "line_id")):
        again = _repeats(text, keys, ~bad)
        reason = f"{' and '.join(keys)} stand in an earlier row, which is kept; the row is left out"
        refused.append(refuse_lines(shown, again, keys[0], reason))
        bad |= again
    return text.keep(~bad), join_refused(*refused)


def _repeats(text: TextTable, keys: tuple[str, ...], among: _Mask) -> _Mask:
    """Which lines repeat filled keys of an earlier one, ``among`` the lines that count."""
    again = np.zeros(len(text.row), dtype=bool)
    among = among & ~as_mask(pc.equal(text.optional(keys[0]), ""))
    chosen = pa.array(among)
    again[np.flatnonzero(among)] = repeats(*(text.optional(key).filter(chosen) for key in keys))
    return again


def _faults(text: TextTable) -> list[tuple[str, _Mask, str]]:
    """Per check: the field, the lines at fault (each line by its first fault only), and the reason."""
    lon, lat = (as_numbers(text.column(name))[0] for name in ("lon", "lat"))
    exempt = pc.utf8_lower(text.optional("exempt"))
    known, named, off_km = _placed(text, lon, lat)
    farthest = float(load_list_settings().checks.farthest_km)
    far, elsewhere = off_km > farthest, ~named & ~(off_km <= 0)
    checks = [
        ("enterprise_id", as_mask(pc.equal(text.column("enterprise_id"), "")), "no id; give it one"),
        ("lon", np.isnan(lon), "no usable longitude; add it"),
        ("lat", np.isnan(lat), "no usable latitude; add it"),
        ("lon", _outside(lon, _LON_RANGE), "longitude not within 110–124°E; check it (lon and lat swapped?)"),
        ("lat", _outside(lat, _LAT_RANGE), "latitude not within 24–38°N; check it (lon and lat swapped?)"),
        ("adcode", ~known, "not a city of the region"),
        ("adcode", elsewhere, "the city's name is not that of the adcode, nor does the position lie there"),
        ("lon", far, f"the position lies more than {farthest:g} km outside its city; check both"),
        ("exempt", ~as_mask(pc.or_(pc.is_in(exempt, YES), pc.is_in(exempt, NO))), "write true or false"),
    ]
    seen = np.zeros(len(text.row), dtype=bool)
    faults = []
    for name, bad, reason in checks:
        faults.append((name, bad & ~seen, reason))
        seen |= bad
    return faults


def _outside(value: NDArray[np.float64], limits: tuple[float, float]) -> _Mask:
    return (value < limits[0]) | (value > limits[1])


def _placed(
    text: TextTable, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[_Mask, _Mask, NDArray[np.float64]]:
    """Whether the city is known, whether its name is that of its code, and how far off it the line lies.

    Names collide (苏州 and 宿州, 泰州 and 台州): the code counts, and a name of another city is a fault.
    """
    region = load_region()
    codes, names = text.column("adcode").to_pylist(), text.optional("city").to_pylist()
    known = {code: region.canonical_adcode(code) for code in set(codes)}
    city = np.array([known[code] for code in codes], dtype=object)
    by_name = {name: region.adcode_of_name(name) for name in set(names)}
    pairs = zip(city, names, strict=True)
    named = np.array([by_name[name] in (None, code) for code, name in pairs], dtype=bool)
    return (
        np.array([code is not None for code in city], dtype=bool),
        named,
        kilometres_off(region, city, lon, lat),
    )


def kilometres_off(
    region: Region, city: NDArray[np.object_], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of each point from the outline of its city, 0 inside, NaN without city or position; km."""
    off = np.full(len(lon), np.nan)
    outline = dict(zip(region.adcodes, region.polygons, strict=True))
    usable = np.isfinite(lon) & np.isfinite(lat)
    for code in sorted({code for code in city if code is not None}):
        own = (city == code) & usable
        off[own] = shapely.distance(outline[code], shapely.points(lon[own], lat[own])) * _KM_PER_DEGREE
    return off


def doubts(text: TextTable) -> pa.Table:
    """What is odd in usable lines but kept as it stands, each with its row."""
    limits = load_list_settings().checks
    lon, lat = (as_numbers(text.column(name))[0] for name in ("lon", "lat"))
    _, named, off = _placed(text, lon, lat)
    exempt = as_mask(pc.is_in(pc.utf8_lower(text.optional("exempt")), YES))
    document = pc.binary_join_element_wise(
        text.optional("exempt_document"), text.optional("exempt_reason"), ""
    )
    nameless = ~as_mask(pc.match_substring_regex(document, r"[号〕\]]"))
    datum = text.optional("datum")
    shifted = as_mask(pc.match_substring_regex(pc.utf8_lower(datum), "gcj|bd|火星|百度|高德|腾讯"))
    checks = [
        (
            "lon",
            off > float(limits.edge_km),
            "outside its city; kept, check it (CGCS2000 and WGS84 agree within a metre; coordinates of map "
            "services, GCJ-02 or BD-09, are shifted by some hundred metres)",
        ),
        ("datum", shifted, "coordinates of a map service; kept, give them in CGCS2000 or WGS84"),
        ("city", ~named, "not the name of the adcode's city, in which the position lies; the adcode counts"),
        ("exempt", exempt & nameless, "exempt without the number of a document; kept as exempt, add it"),
        (
            "permit_id",
            wrong_permits(text.optional("permit_id"), text.optional("uscc")),
            "not the credit code of the enterprise with three digits and a letter; kept, check it",
        ),
        ("sector", _unknown_sector(text), "not a sector of configs/enterprises.yaml; kept as written"),
        *_above_permit(text, 1 + float(limits.rounding_share)),
    ]
    found = [
        refuse_cells(text, name, bad, reason, 0)
        for name, bad, reason in checks
        if name in text.names and bad.any()
    ]
    return join_refused(*found)


def _unknown_sector(text: TextTable) -> _Mask:
    codes = pa.array(list(load_list_settings().sectors))
    return ~as_mask(pc.is_in(text.column("sector"), codes))


def _above_permit(text: TextTable, slack: float) -> list[tuple[str, _Mask, str]]:
    """Yearly emissions above the permitted ones."""
    found = []
    for precursor in Precursor:
        emitted, permitted = (
            as_numbers(text.optional(name))[0] for name in (f"{precursor}_tpa", f"permit_{precursor}_tpa")
        )
        above = emitted > slack * permitted
        found.append((f"{precursor}_tpa", above, f"above permit_{precursor}_tpa; kept, check both"))
    return found


def refuse_codes(text: TextTable) -> tuple[_Mask, pa.Table]:
    """Credit codes of a wrong form or check digit: which, and their cells; they are kept as unknown."""
    if "uscc" not in text.names:
        return np.zeros(len(text.row), dtype=bool), join_refused()
    bad = wrong_codes(text.column("uscc"))
    reason = "not 18 characters with the check digit of GB 32100; kept as unknown"
    return bad, join_refused(refuse_cells(text, "uscc", bad, reason, 0))
