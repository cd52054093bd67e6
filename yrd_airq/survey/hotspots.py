"""Hotspots of a mobile survey: places where a reading stands clear of its surroundings, once or oftener."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.region import distance_km
from yrd_airq.survey.peaks import label_peaks
from yrd_airq.survey.settings import HotspotSettings, Indicator, SurveySettings
from yrd_airq.survey.track import enhancement, robust_noise, to_bins, to_wide

HOTSPOT_COLUMNS = (
    "hotspot_id",
    "run_id",
    "indicator",
    "unit",
    "lon",
    "lat",
    "start",
    "end",
    "passes",
    "peak",
    "mean",
    "enhancement",
    "length_m",
    "ofp_ugm3",
    "wind_speed_ms",
    "wind_dir_deg",
    "wind_spread_deg",
)
"""Columns of every hotspot; a column ``e_<species>`` with the mean enhancement follows for each species."""

# Molar volume at 298.15 K and 1013.25 hPa, l/mol: µg/m³ = ppb · M / 24.45.
_MOLAR_VOLUME = 24.45
_WIND_AROUND = pd.Timedelta(minutes=5)


def find_hotspots(points: pd.DataFrame, settings: SurveySettings) -> pd.DataFrame:
    """Hotspots of all runs in ``points`` (canonical survey columns), strongest enhancement first in each run.

    Position is the enhancement-weighted middle (degrees), ``start`` and ``end`` the first and last time
    in it over all ``passes``, ``peak``, ``mean`` and ``enhancement`` in the unit of the indicator (median
    bins of 50 m), ``length_m`` the longest pass, ``ofp_ugm3`` the ozone formation potential of the mean
    enhancement over species of known reactivity (missing without such species), wind the vector mean around
    it (direction it comes from) and its spread. A run without a known indicator yields nothing.
    """
    found = [_hotspots_of_run(points, str(run), settings) for run in sorted(points["run_id"].unique())]
    filled = [table for table in found if not table.empty]
    if not filled:
        return pd.DataFrame(columns=list(HOTSPOT_COLUMNS))
    return pd.concat(filled, ignore_index=True)


def _hotspots_of_run(points: pd.DataFrame, run_id: str, settings: SurveySettings) -> pd.DataFrame:
    rules = settings.hotspots
    wide = to_wide(points, run_id)
    units = points[points["run_id"] == run_id].groupby("species")["unit"].first()
    indicator = next((i for i in rules.indicators if units.get(i.species) == i.unit), None)
    if indicator is None:
        return pd.DataFrame()
    species = sorted(units.index)
    bins = to_bins(wide, species, rules)
    if bins.empty:
        return pd.DataFrame()
    enhanced = pd.DataFrame({name: enhancement(bins, name, rules) for name in species})
    rise = enhanced[indicator.species].to_numpy()
    limit = max(float(rules.noise_factor) * robust_noise(rise), float(indicator.min_enhancement))
    label = label_peaks(bins, rise, limit, rules)
    rows = [
        _describe(bins[label == k], enhanced[label == k], indicator, rules) | _wind(wide, bins[label == k])
        for k in range(label.max() + 1)
    ]
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows).sort_values("enhancement", ascending=False, ignore_index=True)
    table.insert(0, "hotspot_id", [f"{run_id}-H{k:02d}" for k in range(1, len(table) + 1)])
    table.insert(1, "run_id", run_id)
    table["ofp_ugm3"] = _formation_potential(table, units, settings)
    return table[[*HOTSPOT_COLUMNS, *(f"e_{name}" for name in species)]]


def _describe(
    bins: pd.DataFrame, enhanced: pd.DataFrame, indicator: Indicator, rules: HotspotSettings
) -> dict[str, object]:
    """One hotspot's own numbers from its bins."""
    values, weight = bins[indicator.species], enhanced[indicator.species].to_numpy()
    gap = bins["time"].diff().dt.total_seconds().fillna(0).to_numpy(dtype=float) > rules.pass_gap_s
    number = np.cumsum(gap)
    stretch = bins["travelled_m"].groupby(number).agg(lambda metres: metres.max() - metres.min())
    return {
        "indicator": indicator.species,
        "unit": indicator.unit,
        "lon": float(np.average(bins["lon"], weights=weight**2)),
        "lat": float(np.average(bins["lat"], weights=weight**2)),
        "start": bins["time"].min(),
        "end": bins["time"].max(),
        "passes": int(number[-1]) + 1,
        "peak": float(values.max()),
        "mean": float(values.mean()),
        "enhancement": float(weight.mean()),
        "length_m": float(stretch.max() + rules.bin_m),
        **{f"e_{name}": float(np.maximum(enhanced[name], 0).mean()) for name in enhanced},
    }


def _wind(wide: pd.DataFrame, bins: pd.DataFrame) -> dict[str, float]:
    """Vector-mean wind at the hotspot's bins and the spread of direction (degrees) within ±5 minutes."""
    east, north = float(bins["wind_east"].mean()), float(bins["wind_north"].mean())
    mean = np.degrees(np.arctan2(-east, -north)) % 360
    times = bins["time"]
    near = wide[(wide["time"] >= times.min() - _WIND_AROUND) & (wide["time"] <= times.max() + _WIND_AROUND)]
    turn = (near["wind_dir_deg"].to_numpy(dtype=float) - mean + 180) % 360 - 180
    known = turn[np.isfinite(turn)]
    return {
        "wind_speed_ms": float(np.hypot(east, north)),
        "wind_dir_deg": float(mean),
        "wind_spread_deg": float(np.sqrt(np.mean(known**2))) if known.size else float("nan"),
    }


def _formation_potential(
    table: pd.DataFrame, units: pd.Series, settings: SurveySettings
) -> NDArray[np.float64]:
    """Σ enhancement (µg/m³) · MIR over species in ppb of known reactivity; NaN without any."""
    known = [s for s in units.index if s in settings.mir and s in settings.molar_mass and units[s] == "ppb"]
    if not known:
        return np.full(len(table), np.nan)
    factor = np.array([float(settings.mir[s]) * settings.molar_mass[s] / _MOLAR_VOLUME for s in known])
    return np.asarray(table[[f"e_{name}" for name in known]].to_numpy(dtype=float) @ factor)


def repeated_within(hotspots: pd.DataFrame, metres: float) -> NDArray[np.bool_]:
    """Hotspots that another run confirms: one of its hotspots lies within ``metres``."""
    lon, lat = (hotspots[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    run = hotspots["run_id"].to_numpy()
    near = 1000 * distance_km(lon[:, None], lat[:, None], lon, lat) <= metres
    return np.asarray((near & (run[:, None] != run)).any(axis=1))
