"""How many injected faults hourly quality control catches in real air, and how many clean values it flags.

Faults of each kind are put at random clean places of the real months, one kind at a time, in the sizes that
``KINDS`` states. A fault counts as caught if a flag, left out or doubtful, hits one of the values it altered.
Clean values are all values of the months as received, whatever is wrong with them. The thresholds were set
on the odd months of 2019; the even months are the test. Run from the project root:
``python -m tests.bench.quality_faults`` (reads the folder named by YRD_AIRQ_REAL_DATA; about two minutes).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.conftest import ROOT
from yrd_airq.quality.hourly import Flag, check_hourly
from yrd_airq.region import load_region
from yrd_airq.vocab import Pollutant

SO2, NO2, CO, O3, PM10, PM25 = Pollutant
RELEASE_NAMES = {"SO2": SO2, "NO2": NO2, "CO": CO, "O3": O3, "PM10": PM10, "PM2.5": PM25}
SPIKE_STEP = {SO2: 150, NO2: 150, CO: 4, O3: 120, PM10: 250, PM25: 150}
ORDINARY = {SO2: 20, NO2: 20, CO: 0.6, O3: 40, PM10: 40, PM25: 25}
"""µg/m³ (CO mg/m³): a mean level at which a wrong factor or zero gas is more than a few units."""
LOWEST = {SO2: 2, NO2: 2, CO: 0.2, O3: 2, PM10: 3, PM25: 3}
"""Highest reading of an injected plateau at the detection limit."""
PPB_O3, SEPARATION_HOURS, CLEAN_MARGIN_HOURS = 1.963, 120, 12

Air = dict[Pollutant, pd.DataFrame]
Arrays = dict[Pollutant, NDArray[np.float64]]
Altered = dict[Pollutant, NDArray[np.float64]]


@dataclass(frozen=True)
class Place:
    """Where a fault is put: the values of a station over ``hours`` from ``start``, one of its pollutants.

    ``others`` are the values of the other stations of its city in those hours.
    """

    start: int
    station: int
    hours: int
    pollutant: Pollutant
    values: Mapping[Pollutant, NDArray[np.float64]]
    others: NDArray[np.float64]

    @property
    def own(self) -> NDArray[np.float64]:
        """The values of the pollutant of the place."""
        return self.values[self.pollutant]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its least and largest length, what it alters, and how; None refuses the place."""

    sizes: str
    hours: tuple[int, int]
    pollutants: tuple[Pollutant, ...]
    alter: Callable[[np.random.Generator, Place], Altered | None]
    needs: tuple[Pollutant, ...] = ()
    around: int = 0


def _rounded(values: NDArray[np.float64], pollutant: Pollutant) -> NDArray[np.float64]:
    """As instruments print: CO to 0.1 mg/m³, others to whole µg/m³, at least the lowest reading."""
    digits = 1 if pollutant is CO else 0
    return np.maximum(np.round(values, digits), 10.0**-digits)


def _out_of_range(rng: np.random.Generator, place: Place) -> Altered:
    wrong = rng.choice([0.0, -1.0, -999.0, 9999.0])
    return {place.pollutant: np.full_like(place.own, wrong)}


def _spike(rng: np.random.Generator, place: Place) -> Altered:
    values = place.own.copy()
    values[1] += max(SPIKE_STEP[place.pollutant], 5 * values[1])
    return {place.pollutant: _rounded(values, place.pollutant)}


def _stuck(rng: np.random.Generator, place: Place) -> Altered | None:
    values = np.full_like(place.own, place.own[0])
    return {place.pollutant: values} if np.mean(values != place.own) >= 0.5 else None


def _inverted(rng: np.random.Generator, place: Place) -> Altered | None:
    coarse = place.values[PM10]
    if not coarse.min() >= 20:
        return None
    return {PM25: _rounded(coarse * rng.uniform(1.5, 2, len(coarse)), PM25)}


def _isolated(rng: np.random.Generator, place: Place) -> Altered | None:
    """Only where the station agreed with its city before: what is off already cannot be put off."""
    level, beside = np.nanmean(place.own), np.nanmean(place.others)
    if not (level >= ORDINARY[place.pollutant] and 1 / 1.5 <= level / beside <= 1.5):
        return None
    factor = rng.uniform(3, 5) ** rng.choice([-1, 1])
    return {place.pollutant: _rounded(place.own * factor, place.pollutant)}


def _restart(rng: np.random.Generator, place: Place) -> Altered | None:
    """The first four or more hours go missing; then one or two hours of span gas or of zero gas."""
    values, gases = place.own.copy(), int(rng.integers(1, 3))
    gap = int(rng.integers(3, 13))
    if np.isnan(values).any():
        return None
    values[1 : 1 + gap] = np.nan
    hours = slice(1 + gap, 1 + gap + gases)
    if rng.random() < 0.5:
        values[hours] += np.maximum(SPIKE_STEP[place.pollutant], 5 * values[hours])
    elif values[np.isfinite(values)].min() >= ORDINARY[place.pollutant]:
        values[hours] = 0.1 if place.pollutant is CO else 1
    else:
        return None
    return {place.pollutant: values}


def _co_unit(rng: np.random.Generator, place: Place) -> Altered:
    return {CO: place.own * 1000}


def _o3_unit(rng: np.random.Generator, place: Place) -> Altered | None:
    return {O3: _rounded(place.own / PPB_O3, O3)} if np.nanmean(place.own) >= 30 else None


def _swap(first: Pollutant, second: Pollutant, least: float) -> Callable[..., Altered | None]:
    def alter(rng: np.random.Generator, place: Place) -> Altered | None:
        a, b = place.values[first], place.values[second]
        return {first: b, second: a} if np.nanmean(np.abs(a - b)) >= least else None

    return alter


def _swap_particles(rng: np.random.Generator, place: Place) -> Altered | None:
    fine, coarse = place.values[PM25], place.values[PM10]
    return {PM25: coarse, PM10: fine} if np.nansum(fine) <= 0.9 * np.nansum(coarse) else None


def _plateau(rng: np.random.Generator, place: Place) -> Altered | None:
    lowest = LOWEST[place.pollutant]
    if not np.nanmean(place.own) >= 3 * lowest:
        return None
    levels = np.array([lowest / 2, lowest]) if lowest < 3 else np.array([1, 2, 3])
    return {place.pollutant: np.where(np.isnan(place.own), np.nan, rng.choice(levels, len(place.own)))}


ALL = tuple(Pollutant)
KINDS: dict[str, Kind] = {
    "out of range": Kind("0, -1, -999 or 9999 for 1-6 h", (1, 6), ALL, _out_of_range),
    "spike": Kind("one hour + max(step, 5 x the value)", (3, 3), ALL, _spike),
    "stuck": Kind("24-48 h at one value, half of the hours altered", (24, 48), ALL, _stuck),
    "PM2.5 above PM10": Kind(
        "PM2.5 = 1.5-2 x PM10 for 1-6 h, PM10 >= 20", (1, 6), (PM25,), _inverted, (PM10,)
    ),
    "isolated": Kind(
        "x or / 3-5 for 12-36 h, from an ordinary level shared by the city", (12, 36), ALL, _isolated
    ),
    "restart": Kind("after 3-12 missing hours 1-2 h of span or zero gas", (20, 20), ALL, _restart),
    "CO in ug": Kind("x 1000 for 6-24 h", (6, 24), (CO,), _co_unit),
    "O3 in ppb": Kind("/ 1.963 for 48 h, mean >= 30", (48, 48), (O3,), _o3_unit),
    "PM swapped": Kind("24 h, PM2.5 at most 0.9 x PM10", (24, 24), (PM25,), _swap_particles, (PM10,)),
    "NO2-O3 swapped": Kind("24 h, 15 apart in the mean", (24, 24), (NO2,), _swap(NO2, O3, 15), (O3,)),
    "detection limit": Kind("48 h at the lowest readings, air 3 x above", (48, 48), ALL, _plateau),
}


@dataclass(frozen=True)
class Caught:
    """Faults of a kind: how many, how many with any flag, how many with a value left out, flags elsewhere."""

    kind: str
    faults: int
    flagged: int
    left_out: int
    elsewhere: int
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Clean:
    """Values as received, and how many of them are flagged, left out or doubtful only."""

    values: int
    flagged: int
    left_out: int

    def line(self, name: str) -> str:
        """Shares in per cent."""
        flagged, left_out = (100 * n / self.values for n in (self.flagged, self.left_out))
        parts = f"left out {left_out:.3f} %, doubtful {flagged - left_out:.3f} %"
        return f"{name}: {self.values} values, flagged {flagged:.3f} %: {parts}"


def load_months(folder: Path, months: Sequence[int]) -> tuple[Air, pd.DataFrame]:
    """Hourly frames of the real months of 2019, and the stations with city and position."""
    parts = []
    for month in months:
        path = folder / "stations_hourly" / f"cnemc_yrd_2019{month:02d}.csv.gz"
        rows = pd.read_csv(path, dtype={"date": str})
        parts.append(rows[rows["type"].isin(list(RELEASE_NAMES))])
    rows = pd.concat(parts, ignore_index=True)
    rows.index = pd.to_datetime(rows["date"]) + pd.to_timedelta(rows["hour"], unit="h")
    hours = pd.date_range(rows.index.min(), rows.index.max(), freq="h")
    codes = [column for column in rows.columns if column not in {"date", "hour", "type"}]
    air = {
        item: rows.loc[rows["type"] == name, codes].astype(float).reindex(hours)
        for name, item in RELEASE_NAMES.items()
    }
    return {item: air[item] for item in Pollutant}, load_stations(folder, codes)


def load_stations(folder: Path, codes: Sequence[str]) -> pd.DataFrame:
    """station_code, adcode, lon, lat of the stations that have columns."""
    table = pd.read_csv(folder / "stations" / "station_list.csv", dtype=str)
    table.columns = pd.Index(["station_code", "name_zh", "city_zh", "lon", "lat"])
    table = table[table["station_code"].isin(codes)].drop_duplicates("station_code")
    region = load_region()
    county = region.settings.county_cities
    table["adcode"] = [region.adcode_of_name(name) or county.get(name) for name in table["city_zh"]]
    for name in ("lon", "lat"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table.reset_index(drop=True)


def flagged_cells(flags: pd.DataFrame, air: Air) -> dict[Pollutant, NDArray[np.int8]]:
    """0 unflagged, 1 doubtful, 2 left out, shape of the frames."""
    cells = {}
    for item, frame in air.items():
        own = flags[flags["pollutant"] == item.value]
        cell = np.zeros(frame.shape, dtype=np.int8)
        hour = frame.index.get_indexer(own["time"])
        station = frame.columns.get_indexer(own["station_code"])
        np.maximum.at(cell, (hour, station), np.where(own["flag"] == Flag.LEFT_OUT, 2, 1).astype(np.int8))
        cells[item] = cell
    return cells


def count_clean(cells: Mapping[Pollutant, NDArray[np.int8]], air: Air, hours: NDArray[np.bool_]) -> Clean:
    """Flags on the values as received in the marked hours."""
    flagged = sum(int((cells[item][hours] > 0).sum()) for item in air)
    left_out = sum(int((cells[item][hours] == 2).sum()) for item in air)
    return Clean(sum(int(frame[hours].notna().to_numpy().sum()) for frame in air.values()), flagged, left_out)


def catch(
    name: str,
    air: Air,
    stations: pd.DataFrame,
    cells: Mapping[Pollutant, NDArray[np.int8]],
    hours: NDArray[np.bool_],
    number: int,
) -> Caught:
    """Inject ``number`` faults of a kind in the marked hours and count those that the rules catch."""
    rng = np.random.default_rng([2019, list(KINDS).index(name)])
    arrays = {item: frame.to_numpy(dtype=float).copy() for item, frame in air.items()}
    altered = {item: np.zeros(frame.shape, dtype=bool) for item, frame in air.items()}
    cities = stations.set_index("station_code")["adcode"].reindex(air[PM25].columns)
    faults = _inject(KINDS[name], rng, arrays, cities, altered, cells, hours, number)
    faulty = {item: pd.DataFrame(arrays[item], frame.index, frame.columns) for item, frame in air.items()}
    after = flagged_cells(check_hourly(faulty, stations=stations).flags, faulty)
    hit = [_worst(after, fault, altered) for fault in faults]
    elsewhere = sum(int(((after[item] > 0) & (cells[item] == 0) & ~altered[item]).sum()) for item in air)
    codes, index = air[PM25].columns, air[PM25].index
    missed = tuple(
        f"{codes[f.station]} {index[f.start]:%m-%d %H} {f.pollutant.value} {f.hours} h"
        for f, worst in zip(faults, hit, strict=True)
        if worst == 0
    )
    return Caught(name, len(hit), sum(w > 0 for w in hit), sum(w == 2 for w in hit), elsewhere, missed)


def _inject(
    kind: Kind,
    rng: np.random.Generator,
    arrays: Arrays,
    cities: pd.Series,
    altered: Mapping[Pollutant, NDArray[np.bool_]],
    cells: Mapping[Pollutant, NDArray[np.int8]],
    hours: NDArray[np.bool_],
    number: int,
) -> list[Place]:
    busy = np.zeros(arrays[PM25].shape, dtype=bool)
    beside = [np.flatnonzero((cities == code) & (cities.index != own)) for own, code in cities.items()]
    faults: list[Place] = []
    for _ in range(2000 * number):
        if len(faults) == number:
            break
        place = _draw(kind, rng, arrays, beside, kind.pollutants[len(faults) % len(kind.pollutants)])
        near = slice(max(0, place.start - SEPARATION_HOURS), place.start + place.hours + SEPARATION_HOURS)
        if busy[near, place.station].any() or not _suits(place, kind, cells, hours):
            continue
        made = kind.alter(rng, place)
        if made is None:
            continue
        span = slice(place.start, place.start + place.hours)
        busy[span, place.station] = True
        for item, values in made.items():
            before = arrays[item][span, place.station].copy()
            arrays[item][span, place.station] = values
            altered[item][span, place.station] = ~np.isnan(values) & (values != before)
        faults.append(place)
    if len(faults) < number:
        raise AssertionError(f"only {len(faults)} of {number} places suit the fault {kind.sizes!r}")
    return faults


def _draw(
    kind: Kind,
    rng: np.random.Generator,
    arrays: Arrays,
    beside: Sequence[NDArray[np.int64]],
    pollutant: Pollutant,
) -> Place:
    hours = int(rng.integers(kind.hours[0], kind.hours[1] + 1))
    length, width = arrays[pollutant].shape
    start, station = int(rng.integers(length - hours)), int(rng.integers(width))
    span = slice(start, start + hours)
    needed = {pollutant, *kind.needs}
    values = {item: arrays[item][span, station].copy() for item in Pollutant if item in needed}
    others = arrays[pollutant][span][:, beside[station]]
    return Place(start, station, hours, pollutant, values, np.array([np.nan]) if others.size == 0 else others)


def _suits(
    place: Place, kind: Kind, cells: Mapping[Pollutant, NDArray[np.int8]], hours: NDArray[np.bool_]
) -> bool:
    """Inside the months, nine tenths of the values there, ends included, and nothing flagged near."""
    last = place.start + place.hours
    if not hours[place.start : last].all():
        return False
    near = slice(max(0, place.start - CLEAN_MARGIN_HOURS), last + CLEAN_MARGIN_HOURS)
    for item, values in place.values.items():
        present = ~np.isnan(values)
        if present.mean() < 0.9 or not present[[0, -1]].all() or cells[item][near, place.station].any():
            return False
    return True


def _worst(
    after: Mapping[Pollutant, NDArray[np.int8]], fault: Place, altered: Mapping[Pollutant, NDArray[np.bool_]]
) -> int:
    span = slice(fault.start, fault.start + fault.hours)
    return max(
        int((after[item][span, fault.station] * altered[item][span, fault.station]).max()) for item in after
    )


def main(number: int = 500, verbose: bool = False) -> None:
    """Print the table by kind for the months of the test, and the shares of clean values flagged."""
    folder = ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")
    air, stations = load_months(folder, range(1, 10))
    start = time.perf_counter()
    flags = check_hourly(air, stations=stations).flags
    print(f"all rules on nine months: {time.perf_counter() - start:.1f} s")  # noqa: T201
    cells = flagged_cells(flags, air)
    even = np.asarray(air[PM25].index.month % 2 == 0)
    print(count_clean(cells, air, even).line("even months (test)"))  # noqa: T201
    print(count_clean(cells, air, ~even).line("odd months (set on)"))  # noqa: T201
    print(f"{'kind':18}{'faults':>7}{'caught':>8}{'left out':>10}{'elsewhere':>11}  sizes")  # noqa: T201
    for name, kind in KINDS.items():
        made = catch(name, air, stations, cells, even, number)
        shares = f"{made.flagged / made.faults:8.1%}{made.left_out / made.faults:10.1%}{made.elsewhere:11}"
        print(f"{name:18}{made.faults:7}{shares}  {kind.sizes}")  # noqa: T201


if __name__ == "__main__":
    main()
