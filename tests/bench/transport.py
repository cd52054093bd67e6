"""Speed of trajectories and footprints beside NumPy/SciPy, and the real check of the trajectories.

``python -m tests.bench.transport`` prints Markdown tables, all of one run on this machine: read the
seconds as orders of magnitude and the ratios as the result. The real check needs the folder named by
YRD_AIRQ_REAL_DATA.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, map_coordinates

from tests.conftest import ROOT
from tests.transport import real
from tests.transport.make import EDGES_H, settings_with, share_out
from tests.weather.make import dataset_of
from yrd_airq.clock import day_of_label
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.transport.footprint import footprint, weight_by_age
from yrd_airq.transport.kernel import METRES_PER_DEGREE, RK4, Parcels, trace_parcels
from yrd_airq.transport.nearfield import near_field
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, arrivals_of, back_trajectories
from yrd_airq.transport.winds import WindField, seconds_of, wind_field

LAT, LON = np.arange(18.0, 44.1, 0.25), np.arange(104.0, 130.1, 0.25)
HOURS = pd.date_range("2016-09-01", periods=24 * 8 + 2, freq="h")
RECEPTORS, ARRIVALS = 400, 50


def smooth_weather() -> Any:
    """Hourly winds of about 4 m/s on 0.25 degrees that vary smoothly in space and time."""
    rng = np.random.default_rng(1)
    shape = (len(HOURS), len(LAT), len(LON))
    u, v = (gaussian_filter(rng.normal(size=shape), (6, 8, 8)) * 90 + mean for mean in (0.8, -0.8))
    return dataset_of(HOURS, u, v, lat=LAT, lon=LON)


def timed(call: Callable[[], Any], rounds: int = 3) -> tuple[float, float, Any]:
    """Least wall and processor seconds of some rounds, and the result."""
    wall, processor, result = np.inf, np.inf, None
    for _ in range(rounds):
        start, used = time.perf_counter(), time.process_time()
        result = call()
        wall, processor = (
            min(wall, time.perf_counter() - start),
            min(processor, time.process_time() - used),
        )
    return wall, processor, result


def trace_by_scipy(
    field: WindField, lon: np.ndarray, lat: np.ndarray, start: np.ndarray, steps: int, h: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same trajectories with NumPy over the parcels and ``map_coordinates`` for the winds."""
    at, (u, v) = field.lattice, np.ascontiguousarray(np.moveaxis(field.fields[0], -1, 0))
    step_s = at.seconds[1] - at.seconds[0]

    def rate(t: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        where = np.array([(t - at.seconds[0]) / step_s, (y - at.lat0) / at.dlat, (x - at.lon0) / at.dlon])
        east, north = (map_coordinates(w, where, order=1, mode="constant", cval=np.nan) for w in (u, v))
        return east / (METRES_PER_DEGREE * np.cos(np.radians(y))), north / METRES_PER_DEGREE

    out = np.empty((2, len(lon), steps + 1))
    x, y, t = lon.copy(), lat.copy(), start.copy()
    out[:, :, 0] = x, y
    for k in range(1, steps + 1):
        a = rate(t, x, y)
        b = rate(t + h / 2, x + a[0] * h / 2, y + a[1] * h / 2)
        c = rate(t + h / 2, x + b[0] * h / 2, y + b[1] * h / 2)
        d = rate(t + h, x + c[0] * h, y + c[1] * h)
        x = x + h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
        y = y + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        t = t + h
        out[:, :, k] = x, y
    return out[0], out[1]


def bench_trajectories(weather: Any) -> Trajectories:
    """20,000 back trajectories of 72 h in steps of 15 minutes."""
    settings = settings_with(rotations_deg=(0.0,), speed_ratios=(1.0,))
    rng = np.random.default_rng(0)
    places = {
        f"{k:06d}": (float(x), float(y))
        for k, (x, y) in enumerate(rng.uniform((116, 28), (122, 34), (RECEPTORS, 2)))
    }
    arrivals = pd.date_range("2016-09-05 00:00", periods=ARRIVALS, freq="h")

    def whole() -> Trajectories:
        return back_trajectories(weather, places, arrivals, settings.hours, settings)

    whole()
    wall, processor, ways = timed(whole)
    field = wind_field(weather, settings)
    count = RECEPTORS * ARRIVALS
    parcels = _parcels(ways, arrivals)
    bare, bare_processor, found = timed(
        lambda: trace_parcels(field.fields, field.lattice, parcels, 288, -900.0, RK4)
    )
    scipy_wall, scipy_processor, other = timed(
        lambda: trace_by_scipy(field, parcels.lon, parcels.lat, parcels.seconds, 288, -900.0), 1
    )
    difference = float(np.nanmax(np.abs(other[0] - ways.lon.reshape(count, -1))))
    assert np.array_equal(found[0], ways.lon.reshape(count, -1), equal_nan=True)
    say(f"\n### {count:,} back trajectories: 72 h, 15 min, RK4, hourly winds on {LAT.size} x {LON.size}\n")
    say("| way | wall s | processor s | times the bare kernel (wall) |\n|---|---|---|---|")
    for name, seconds, used in (
        ("bare kernel", bare, bare_processor),
        ("`back_trajectories`, checks, winds and shapes included", wall, processor),
        ("NumPy + SciPy `map_coordinates`", scipy_wall, scipy_processor),
    ):
        say(f"| {name} | {seconds:.2f} | {used:.2f} | {seconds / bare:.1f} |")
    say(f"\nLargest difference to SciPy: {difference:.1e} degrees. Threads: {numba.get_num_threads()}.")
    return ways


def _parcels(ways: Trajectories, arrivals: pd.DatetimeIndex) -> Parcels:
    count = ways.lon.shape[0] * ways.lon.shape[1]
    one, zero = np.ones(count), np.zeros(count)
    start = np.tile(seconds_of(arrivals), ways.lon.shape[0])
    lon, lat = (np.ascontiguousarray(axis[:, :, 0, 0].ravel()) for axis in (ways.lon, ways.lat))
    return Parcels(lon, lat, zero, start, one, zero, zero.astype(np.int64))


def bench_footprints(weather: Any) -> None:
    """41 receptors, 5 days, 9 members: footprint, footprint of particles, plumes of 5,000 sources."""
    settings, region = settings_with(), load_region()
    places = {city.adcode: (city.lon, city.lat) for city in region.cities}
    first, last = date(2016, 9, 4), date(2016, 9, 8)
    arrivals = arrivals_of(first, last, settings)
    ways = back_trajectories(weather, places, arrivals, settings.hours, settings)
    footprint(ways, settings)
    rows = [
        ("`back_trajectories`", timed(lambda: back_trajectories(weather, places, arrivals, 72, settings))),
        ("`footprint`", timed(lambda: footprint(ways, settings))),
        (
            "the same with NumPy/SciPy (`bincount`, whole matrices)",
            timed(lambda: by_numpy(ways, settings), 1),
        ),
    ]
    rng = np.random.default_rng(3)
    sources = region.lonlat[rng.integers(0, 41, 5000)] + rng.normal(0, 0.3, (5000, 2))
    days = tuple(day.date() for day in pd.date_range(first, last))
    members = ways.members
    rows.append(
        (
            "`near_field` of 5,000 sources",
            timed(lambda: near_field(sources, places, days, members, weather, settings), 1),
        )
    )
    cells, outside = by_numpy(ways, settings)
    made = footprint(ways, settings)
    difference = max(np.abs(made.by_precursor - cells).max(), np.abs(made.outside - outside).max())
    say(
        f"\n### {len(places)} receptors, {len(days)} days, {len(members)} members, {arrivals.size} arrivals\n"
    )
    say("| part | wall s | processor s | times `footprint` (wall) |\n|---|---|---|---|")
    for name, (wall, processor, _) in rows:
        say(f"| {name} | {wall:.2f} | {processor:.2f} | {wall / rows[1][1][0]:.1f} |")
    say(f"\nLargest difference of the two footprints: {difference:.1e} of a weight.")


def by_numpy(t: Trajectories, settings: TransportSettings) -> tuple[np.ndarray, np.ndarray]:
    """The footprint with one ``bincount`` per class of age and whole matrices of the spread."""
    grid, ages = settings.grid, t.age_hours
    rows, columns = grid.shape
    stamps = day_of_label(t.arrivals)
    days = pd.DatetimeIndex(stamps.unique()).sort_values()
    day = days.get_indexer(stamps)
    loss = weight_by_age(ages, settings)
    loss = loss / loss.sum(axis=1, keepdims=True)
    share = 1 / np.bincount(day)[day]
    lon, lat = t.lon, t.lat
    i, j = np.floor((lon - grid.lon_min) / grid.step_deg), np.floor((lat - grid.lat_min) / grid.step_deg)
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    cell = np.where(inside, np.nan_to_num(j) * columns + np.nan_to_num(i), -1).astype(np.int64)
    receptors, _, members, _ = lon.shape
    shape = (len(loss), receptors, len(days), members)
    last = np.isfinite(lon).sum(axis=3, keepdims=True) - 1
    x, y = (np.take_along_axis(axis, last, axis=3) for axis in (lon, lat))
    edge = np.min([x - t.lon_edges[0], y - t.lat_edges[0], t.lat_edges[1] - y], axis=0)
    east = np.where(np.isfinite(lon), lon >= grid.lon_max, edge > t.lon_edges[1] - x)
    side = np.where(inside, -1, np.where(east, 0, 1))
    group = (np.arange(receptors)[:, None, None] * len(days) + day[None, :, None]) * members
    group = group + np.arange(members)
    count = receptors * len(days) * members

    def binned(place: np.ndarray, places: int, steps: np.ndarray) -> np.ndarray:
        part = place[..., steps]
        kept = part >= 0
        flat = (group[..., None] * places + part)[kept]
        weights = (np.broadcast_to(w[steps] * share[None, :, None, None], part.shape)[kept] for w in loss)
        sums = [np.bincount(flat, weights=w, minlength=count * places) for w in weights]
        return np.stack(sums).reshape(*shape, places)

    outside = binned(side, 2, np.arange(len(ages)))
    cells = np.zeros((*shape, rows, columns))
    km = 6371.0088 * np.pi / 180 * grid.step_deg
    wide = np.cos(np.radians((grid.lat_min + grid.lat_max) / 2))
    age_class = np.searchsorted(EDGES_H, ages, side="right") - 1
    for k in np.unique(age_class):
        steps = np.flatnonzero(age_class == k)
        sigma = settings.spread_start_km.value + settings.spread_growth_kmh.value * ages[steps].mean()
        raw = binned(cell, rows * columns, steps).reshape(*shape, rows, columns)
        cells += share_out(rows, sigma / km) @ raw @ share_out(columns, sigma / (km * wide)).T
    return cells, outside


def check_winters(folder: Path) -> None:
    """Correlation with the next day's PM2.5 over three winters, and on their ten dirtiest days."""
    settings, region = load(TransportSettings, "transport"), load_region()
    tables, _ = real.compare_winters(folder, region, settings)
    say("\n### Correlation (r) with the PM2.5 of the next day, daily archive 2015-2017, winters\n")
    say("Known the day before: cities along the way of the air (winds of the day itself: perfect prognosis);")
    say(f"all other cities; those within {real.NEAR_KM:.0f} km; the city itself.\n")
    say("| city, days | n | upwind | all neighbours | near ones | itself |\n|---|---|---|---|---|---|")
    for adcode, table in tables.items():
        name = region.city(adcode).name_en
        say(_line(f"{name}, full winters", table))
        for year, part in table.groupby(table.index.year):
            say(_line(f"{name}, winter months of {year}", part))
        say(_line(f"{name}, ten dirtiest days", table.nlargest(10, "city")))


def _line(name: str, table: pd.DataFrame) -> str:
    r = table.corr()["city"]
    return f"| {name} | {len(table)} | " + " | ".join(f"{r[k]:.2f}" for k in table.columns[1:]) + " |"


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Speed first, then the real check where there are real data."""
    os.chdir(ROOT)
    say(f"Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.")
    say(f"Load at the start: {os.getloadavg()[0]:.1f}.")
    weather = smooth_weather()
    bench_trajectories(weather)
    bench_footprints(weather)
    folder = Path(os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    if folder.is_dir():
        check_winters(folder)
    else:
        say("no real-data folder; name it in YRD_AIRQ_REAL_DATA to see the real check")


if __name__ == "__main__":
    main()
