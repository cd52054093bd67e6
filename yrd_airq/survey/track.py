"""A run's readings as a track: seconds joined into equal stretches of road, and what tops the background."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.region import distance_km
from yrd_airq.survey.settings import HotspotSettings

_POSITION = ("run_id", "time", "lon", "lat", "wind_speed_ms", "wind_dir_deg")
# A step longer than this is a jump of the satellite fix, not driving.
_JUMP_MS = 50.0


def to_wide(points: pd.DataFrame, run_id: str) -> pd.DataFrame:
    """One row a time of one run: position, wind east and north (m/s), travelled metres, one column a species.

    ``points`` has the canonical survey columns (a row a reading). Positions that jump faster than
    50 m/s are left out.
    """
    run = points[points["run_id"] == run_id]
    values = run.pivot_table(index="time", columns="species", values="value", aggfunc="mean", sort=True)
    where = run.drop_duplicates("time").set_index("time")[list(_POSITION[2:])].sort_index()
    wide = where.join(values)
    wide = wide[~_jumps(wide)]
    angle = np.radians(wide["wind_dir_deg"].to_numpy(dtype=float))
    speed = wide["wind_speed_ms"].to_numpy(dtype=float)
    wide = wide.assign(wind_east=-speed * np.sin(angle), wind_north=-speed * np.cos(angle))
    return wide.assign(travelled_m=_travelled(wide)).reset_index()


def to_bins(wide: pd.DataFrame, species: list[str], settings: HotspotSettings) -> pd.DataFrame:
    """Medians over stretches of ``bin_m`` travelled metres, so that standing still does not weigh more.

    Columns as in ``to_wide`` plus ``seconds`` (readings in the bin); a road driven twice gives two sets of
    bins. Bins with fewer readings than ``min_seconds_per_bin`` are left out.
    """
    columns = ["time", "lon", "lat", "wind_east", "wind_north", "travelled_m", *species]
    number = (wide["travelled_m"] // settings.bin_m).astype(int)
    groups = wide[columns].groupby(number.to_numpy())
    bins = groups.median().assign(seconds=groups.size())
    return bins[bins["seconds"] >= settings.min_seconds_per_bin].reset_index(drop=True)


def enhancement(bins: pd.DataFrame, species: str, settings: HotspotSettings) -> NDArray[np.float64]:
    """Reading of each bin above the moving low percentile of its surroundings in time."""
    values = bins.set_index("time")[species]
    window = pd.Timedelta(minutes=settings.background_minutes)
    low = values.rolling(window, center=True, min_periods=1).quantile(settings.background_percentile / 100)
    return np.asarray(values.to_numpy(dtype=float) - low.to_numpy(dtype=float))


def robust_noise(enhanced: NDArray[np.float64]) -> float:
    """Standard deviation of the calm part: 1.4826 times the median absolute deviation."""
    return float(1.4826 * np.nanmedian(np.abs(enhanced - np.nanmedian(enhanced))))


def _steps_m(track: pd.DataFrame) -> NDArray[np.float64]:
    lon, lat = (track[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    return np.concatenate([[0.0], 1000 * distance_km(lon[:-1], lat[:-1], lon[1:], lat[1:])])


def _jumps(track: pd.DataFrame) -> NDArray[np.bool_]:
    elapsed = track.index.to_series().diff().dt.total_seconds().fillna(1).clip(lower=1).to_numpy(dtype=float)
    return np.asarray(_steps_m(track) / elapsed > _JUMP_MS)


def _travelled(track: pd.DataFrame) -> NDArray[np.float64]:
    """Metres driven since the start; jitter of a standing vehicle (under 0.5 m a reading) does not count."""
    steps = _steps_m(track)
    return np.cumsum(np.where(steps > 0.5, steps, 0.0))
