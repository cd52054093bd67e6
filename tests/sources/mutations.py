"""Damage as it happens to text files, and a count of their values that shares no code with the readers."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable

import numpy as np

from yrd_airq.sources.batch import Batch

Rng = np.random.Generator

HUGE = [
    "1e308",
    "-1e309",
    "9" * 40,
    "nan",
    "-inf",
    "0x1F",
    "1e-400",
    "１２",
    "--",
    "#N/A",
    "=1+1",
    "1,5",
    "'",
    '"',
]
GARBAGE = [
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x00",
    b'"',
    b'""',
    b",",
    b"\r",
    b"\n\n",
    b"\x85",
    b"\xc3\x28",
    b"\x1f\x8b",
]


def _lines(data: bytes) -> tuple[bytes, list[bytes]]:
    head, _, rest = data.partition(b"\n")
    return head, rest.split(b"\n")


def _join(head: bytes, lines: list[bytes]) -> bytes:
    return b"\n".join([head, *lines])


def flip_bytes(data: bytes, rng: Rng) -> bytes:
    made = bytearray(data)
    for place in rng.integers(0, len(made), rng.integers(1, 20)):
        made[place] ^= 1 << rng.integers(0, 8)
    return bytes(made)


def cut_off(data: bytes, rng: Rng) -> bytes:
    return data[: rng.integers(1, len(data))]


def repeat_lines(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for place in rng.integers(0, len(lines), 30):
        lines.insert(int(place), lines[rng.integers(0, len(lines))])
    return _join(head, lines)


def drop_lines(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    return _join(head, [line for line in lines if rng.random() > 0.3])


def shuffle_lines(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    return _join(head, [lines[k] for k in rng.permutation(len(lines))])


def move_columns(data: bytes, rng: Rng) -> bytes:
    """Columns dropped, repeated and shuffled behind the third."""
    head, lines = _lines(data)
    width = head.count(b",") + 1
    order = [*range(3), *(3 + rng.integers(0, max(width - 3, 1), max(width - 3, 1)))]
    split = [line.split(b",") for line in (head, *lines)]
    made = [b",".join(cells[k] for k in order if k < len(cells)) for cells in split]
    return b"\n".join(made)


def ragged_lines(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for k in rng.integers(0, len(lines), 10):
        lines[k] = lines[k] + b",7,," if rng.random() < 0.5 else lines[k].rpartition(b",")[0]
    return _join(head, lines)


def recode(data: bytes, rng: Rng) -> bytes:
    text = data.decode("utf-8", errors="replace")
    encoding = str(rng.choice(["gb18030", "gbk", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "big5"]))
    return text.encode(encoding, errors="replace")


def insert_garbage(data: bytes, rng: Rng) -> bytes:
    made = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(0, len(made)))
        made[place:place] = GARBAGE[rng.integers(0, len(GARBAGE))]
    return bytes(made)


def odd_cells(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for _ in range(20):
        k = rng.integers(0, len(lines))
        cells = lines[k].split(b",")
        cells[rng.integers(0, len(cells))] = HUGE[rng.integers(0, len(HUGE))].encode()
        lines[k] = b",".join(cells)
    return _join(head, lines)


def pad_cells(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for k in rng.integers(0, len(lines), 20):
        lines[k] = lines[k].replace(
            b",", str(rng.choice([" , ", ",\t", ",\u3000", ',"",', "\xa0,"])).encode()
        )
    return _join(head, lines)


def quote_cells(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for k in rng.integers(0, len(lines), 10):
        cells = lines[k].split(b",")
        place = rng.integers(0, len(cells))
        cells[place] = [b'"%b"', b'"%b\n"', b'"%b', b'%b"', b'"%b"x', b'"a""%b"'][rng.integers(0, 6)] % cells[
            place
        ]
        lines[k] = b",".join(cells)
    return _join(head, lines)


def other_delimiter(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    mark = [b";", b"\t", b"|"][rng.integers(0, 3)]
    if rng.random() < 0.5:
        head = head.replace(b",", mark)
    return _join(head, [line.replace(b",", mark) if rng.random() < 0.5 else line for line in lines])


def blank_lines(data: bytes, rng: Rng) -> bytes:
    head, lines = _lines(data)
    for place in rng.integers(0, len(lines), 20):
        lines.insert(int(place), [b"", b"  ", b",,", b"," * head.count(b","), b"\r"][rng.integers(0, 5)])
    return _join(head, lines)


def line_ends(data: bytes, rng: Rng) -> bytes:
    return data.replace(b"\n", [b"\r\n", b"\r", b"\r\r\n", b"\n\r"][rng.integers(0, 4)])


def zip_damaged(data: bytes, rng: Rng) -> bytes:
    zipped = gzip.compress(data, mtime=0)
    return [zipped, flip_bytes(zipped, rng), cut_off(zipped, rng), zipped + b"junk"][rng.integers(0, 4)]


MUTATIONS: tuple[Callable[[bytes, Rng], bytes], ...] = (
    flip_bytes,
    cut_off,
    repeat_lines,
    drop_lines,
    shuffle_lines,
    move_columns,
    ragged_lines,
    recode,
    insert_garbage,
    odd_cells,
    pad_cells,
    quote_cells,
    other_delimiter,
    blank_lines,
    line_ends,
    zip_damaged,
)


def mutate(data: bytes, rng: Rng) -> bytes:
    """One to three kinds of damage, one after the other."""
    for k in rng.integers(0, len(MUTATIONS), rng.integers(1, 4)):
        data = MUTATIONS[k](data, rng)
        if not data:
            return b"\n"
    return data


def count_rows(data: bytes, batch: Batch, delimiter: str = ",") -> int:
    """Canonical rows that the filled cells of the bytes would make in the batch's layout."""
    csv.field_size_limit(1 << 30)
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    # The header is one line, whatever quotes it holds.
    first, _, rest = text.partition("\n")
    (header,) = csv.reader([first.rstrip("\r")], delimiter=delimiter)
    lines = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter)
    names = [name.strip() for name in header]
    return sum(
        _count_line(names, [cell.strip() for cell in line], batch.layout.partition("@")[0]) for line in lines
    )


READING = re.compile(r".+_(ppb|ugm3)$|[^()]+\((ug/m3|ppb|ppm|#/cm3)\)$")
PROVINCE = re.compile(r".+\([μmu]g/m[³3]\)$")
CITY_KEYS = {"province", "city", "date", "AQI", "AQI_rank"}
MARKS = {"survey_track": {"NA"}, "province_hourly_csv": {"—", "-", "NA"}, "long_utc_csv": {"NaN", "NA"}}
NUMBERS = {"province_hourly_csv": {-99.0, -999.0}, "long_utc_csv": {-999.0}}


def _count_line(names: list[str], cells: list[str], layout: str) -> int:
    cells = ["" if _is_mark(cell, layout) else cell for cell in cells]
    filled = [k for k, cell in enumerate(cells) if cell]
    if layout in VALUES:
        return sum(k >= len(names) or VALUES[layout](names, k) for k in filled)
    if layout == "exceptional_events" and filled and len(cells) == len(names):
        return max(1, sum(bool(p.strip()) for p in re.split("[;；、]", cells[names.index("pollutant")])))
    return int(bool(filled))


def _is_reading(names: list[str], k: int) -> bool:
    merge = "date(LT)" in names and not {"run_id", "t_local"} <= set(names)
    return bool(READING.match(names[k])) and ("(" in names[k]) == merge


VALUES: dict[str, Callable[[list[str], int], bool]] = {
    "stations_wide": lambda names, k: k >= 3,
    "city_daily_reanalysis": lambda names, k: names[k] not in CITY_KEYS,
    "survey_track": _is_reading,
    "province_hourly_csv": lambda names, k: bool(PROVINCE.match(names[k])),
    "long_utc_csv": lambda names, k: names[k] == "value",
}
"""Which column of a layout holds values; the other layouts are lists, of which a line counts one."""


def _is_mark(cell: str, layout: str) -> bool:
    if cell in MARKS.get(layout, ()):
        return True
    if layout not in NUMBERS or not re.match(r"[+-]?[0-9.]+$", cell):
        return False
    try:
        return float(cell) in NUMBERS[layout]
    except ValueError:
        return False
