"""Attribution of 5,000 enterprises to 41 cities x 5 days, the box model, and plain SciPy beside both.

``python -m tests.bench.attribution``. Timings are of this machine at this moment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp
from scipy.interpolate import RegularGridInterpolator

from tests.conftest import ROOT
from yrd_airq.attribution import grs
from yrd_airq.attribution.box import drive_day, run_boxes, start_boxes
from yrd_airq.attribution.chemistry import OzoneChemistry
from yrd_airq.attribution.emissions import take_inventory
from yrd_airq.attribution.isopleth import draw_isopleth
from yrd_airq.attribution.matrix import attribute
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.region import Region, load_region
from yrd_airq.settings import load
from yrd_airq.transport.footprint import Footprint
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Member
from yrd_airq.vocab import WeatherKind

ENTERPRISES, DAYS, MEMBERS = 5000, 5, 9
LIMIT_S = 10.0


def make_footprint(region: Region, rng: np.random.Generator) -> Footprint:
    """A footprint of all cities with made-up weights."""
    lat, lon = load(TransportSettings, "transport").grid.centres
    shape = (4, len(region.cities), DAYS, MEMBERS)
    cells = rng.exponential(size=(*shape, len(lat), len(lon))) ** 3
    outside = rng.exponential(size=(*shape, 2)) * 1000
    total = cells.sum(axis=(-1, -2)) + outside.sum(axis=-1)
    return Footprint(
        cells / total[..., None, None],
        outside / total[..., None],
        lat,
        lon,
        tuple(region.adcodes),
        tuple(date(2016, 9, 1) + timedelta(days=k) for k in range(DAYS)),
        tuple(Member(float(k), 1.0) for k in range(MEMBERS)),
        WeatherKind.ANALYSIS,
    )


def make_list(region: Region, rng: np.random.Generator) -> pd.DataFrame:
    """Enterprises about the cities' centres."""
    city = rng.integers(0, len(region.cities), ENTERPRISES)
    lon, lat = (np.array([getattr(c, name) for c in region.cities])[city] for name in ("lon", "lat"))
    amounts = rng.lognormal(4, 1.5, (4, ENTERPRISES))
    return pd.DataFrame(
        {
            "enterprise_id": [f"E{k:05d}" for k in range(ENTERPRISES)],
            "name_zh": "厂",
            "adcode": np.array(region.adcodes, dtype=object)[city],
            "lon": lon + rng.normal(0, 0.3, ENTERPRISES),
            "lat": lat + rng.normal(0, 0.3, ENTERPRISES),
            "sector": rng.choice(["steel", "cement", "chemical", "coating", "printing"], ENTERPRISES),
        }
        | {f"{name}_tpa": values for name, values in zip(("nox", "voc", "pm", "so2"), amounts, strict=True)}
    )


def share_plainly(footprint: Footprint, enterprises: pd.DataFrame, region: Region) -> np.ndarray:
    """Shares of the enterprises, (receptor, day, enterprise, precursor), with SciPy's own interpolation."""
    inventory = take_inventory(
        enterprises, region, footprint, load(AttributionSettings, "attribution").emissions
    )
    place = enterprises[["lat", "lon"]].to_numpy()
    edge = np.stack([inventory.sea, inventory.land])
    out = np.empty((len(footprint.receptors), DAYS, ENTERPRISES, 4))
    for p, r, d in np.ndindex(4, len(footprint.receptors), DAYS):
        mean, total = np.zeros(ENTERPRISES), 0.0
        for m in range(MEMBERS):
            weight = footprint.by_precursor[p, r, d, m]
            density = RegularGridInterpolator(
                (footprint.lat, footprint.lon),
                weight / footprint.cell_area_km2[:, None],
                fill_value=None,
                bounds_error=False,
            )
            at_plant = density(place) * inventory.listed[:, p]
            of_city = (weight * inventory.city_density).sum(axis=(1, 2)) * inventory.unlisted[:, p]
            beyond = (weight * inventory.background[p]).sum() + footprint.outside[p, r, d, m] @ edge[:, p]
            mean += at_plant
            total += at_plant.sum() + of_city.sum() + beyond
        out[r, d, :, p] = mean / total
    return out


def box_plainly(chemistry: OzoneChemistry, voc: float, nox: float) -> np.ndarray:
    """Ozone (ppb) of one box every 20 minutes, by SciPy's LSODA on the same equations."""
    drive = drive_day(chemistry.mechanism, chemistry.day)
    starts, columns = start_boxes(chemistry.day, drive, np.array([voc]), np.array([nox]))
    work = np.zeros(4)

    def rates(t: float, y: np.ndarray) -> np.ndarray:
        out = np.zeros(len(y))
        grs.derive(drive, t, y, columns[0], work, out)
        return out

    span = drive.minutes[0], drive.minutes[-1]
    times = np.arange(span[0], span[1] + 1, 20.0)
    return np.asarray(
        solve_ivp(rates, span, starts[0], "LSODA", times, rtol=1e-4, atol=1e-6, max_step=20.0).y[grs.O3]
    )


def clock(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds and result."""
    start = time.perf_counter()
    result = work()
    return round(time.perf_counter() - start, 4), result


def main() -> None:
    """Print one JSON object; exit with an error if the two ways differ."""
    os.chdir(ROOT)
    region, rng = load_region(), np.random.default_rng(7)
    settings = load(AttributionSettings, "attribution")
    chemistry = load(OzoneChemistry, "ozone")
    footprint, enterprises = make_footprint(region, rng), make_list(region, rng)
    values = pd.DataFrame(
        [
            (code, pd.Timestamp(day), target, value)
            for code in footprint.receptors
            for day in footprint.days
            for target, value in (("pm25", 60.0), ("o3_mda8", 170.0))
        ],
        columns=["adcode", "date", "target", "value"],
    )
    compile_s, _ = clock(lambda: run_boxes(chemistry.mechanism, chemistry.day, 300, 14))
    plain_s, plain = clock(lambda: share_plainly(footprint, enterprises, region))
    bare_s, _ = clock(lambda: attribute(footprint, enterprises, values, region, settings))
    full_s, full = clock(lambda: attribute(footprint, enterprises, values, region, settings, chemistry))
    axes = np.linspace(0, 600, 31), np.linspace(0, 60, 31)
    isopleth_s, _ = clock(lambda: draw_isopleth(chemistry, *axes))
    grid_s, run = clock(lambda: run_boxes(chemistry.mechanism, chemistry.day, np.full(1000, 300.0), 14.0))
    lsoda_s, ozone = clock(lambda: box_plainly(chemistry, 300.0, 14.0))
    report = {
        "attribution_5000x41x5": {
            "table_of_regimes_s": bare_s,
            "with_chemistry_and_surfaces_s": full_s,
            "limit_s": LIMIT_S,
            "plain_scipy_shares_only_s": plain_s,
            "largest_difference_of_shares": float(np.abs(full.share - plain).max()),
        },
        "box_model": {
            "first_call_s": compile_s,
            "one_box_ms": round(grid_s, 4),
            "one_box_lsoda_ms": round(1000 * lsoda_s, 1),
            "ozone_difference_part": float(np.abs(run.ozone_ppb[0] - ozone).max() / ozone.max()),
            "isopleth_31x31_with_ridge_s": isopleth_s,
        },
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    if report["attribution_5000x41x5"]["largest_difference_of_shares"] > 1e-9:
        raise SystemExit("the attribution differs from the plain way")


if __name__ == "__main__":
    main()
