"""Tracing: which enterprises upwind of a hotspot may be its source, with a weight and a careful word.

Screening only (疑似 or 较可能): nothing found on the road is proven before somebody has been on site.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.region import distance_km
from yrd_airq.survey.hotspots import repeated_within
from yrd_airq.survey.settings import SurveySettings, TracingSettings

TRACE_COLUMNS = ("hotspot_id", "enterprise_id", "distance_m", "bearing", "similarity", "weight", "evidence")
SUSPECTED = "疑似"
LIKELY = "较可能"
_REPEAT_M = 200.0

Array = NDArray[np.float64]


def trace_sources(
    hotspots: pd.DataFrame, enterprises: pd.DataFrame, settings: SurveySettings
) -> pd.DataFrame:
    """Candidate sources of each hotspot, heaviest first (``TRACE_COLUMNS``).

    ``hotspots`` come from ``find_hotspots``, ``enterprises`` have the canonical columns. A candidate lies
    upwind within the sector and 3 km, or in calm within 500 m; without wind a hotspot has no candidates.
    ``distance_m`` and ``bearing`` (degrees from the hotspot) lead to it; ``weight`` sums to 1 over the
    candidates of a hotspot: root of VOC emission × dilution on the way × sharpened likeness of profile.
    ``evidence`` is 较可能 for the heaviest candidate of a hotspot met in several passes or runs with a
    usable wind and a like profile, else 疑似.
    """
    if hotspots.empty or enterprises.empty:
        return pd.DataFrame(columns=list(TRACE_COLUMNS))
    rules = settings.tracing
    metres, bearing = _way(hotspots, enterprises)
    turn, calm = _turn(hotspots, bearing), _column(hotspots, "wind_speed_ms") < float(rules.calm_ms)
    candidate = _upwind(hotspots, metres, turn, calm, rules)
    likeness = similarity(hotspots, enterprises["sector"], settings)
    fit = likeness ** float(rules.similarity_power)
    weight = np.where(candidate, _prior(enterprises, rules) * fit, 0.0)
    weight *= np.where(calm[:, None], 1.0, _dilution(hotspots, metres, turn, rules))
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    hotspot, enterprise = np.nonzero(weight > 0)
    firm = (weight == weight.max(axis=1, keepdims=True)) & (likeness >= rules.similar)
    firm &= (_repeated(hotspots) & ~calm)[:, None]
    table = pd.DataFrame(
        {
            "hotspot_id": hotspots["hotspot_id"].to_numpy()[hotspot],
            "enterprise_id": enterprises["enterprise_id"].to_numpy()[enterprise],
            "distance_m": metres[hotspot, enterprise].round(0),
            "bearing": bearing[hotspot, enterprise].round(1),
            "similarity": likeness[hotspot, enterprise].round(3),
            "weight": weight[hotspot, enterprise],
            "evidence": np.where(firm[hotspot, enterprise], LIKELY, SUSPECTED),
        }
    )
    order = ["hotspot_id", "weight", "enterprise_id"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)


def similarity(hotspots: pd.DataFrame, sectors: pd.Series, settings: SurveySettings) -> Array:
    """Cosine between each hotspot's enhancement profile and each sector's fingerprint, (hotspot, sector).

    A sector without a fingerprint, and a hotspot without any species of the fingerprints, get the stand-in.
    """
    species = sorted({s for print_ in settings.fingerprints.values() for s in print_.species})
    present = [name for name in species if f"e_{name}" in hotspots]
    stand_in = np.full((len(hotspots), len(sectors)), settings.tracing.unknown_similarity)
    if not present:
        return stand_in
    profile = hotspots[[f"e_{name}" for name in present]].fillna(0).to_numpy(dtype=float)
    known = sectors.isin(list(settings.fingerprints)).to_numpy()
    prints = _prints(sectors, present, settings)
    length = np.linalg.norm(profile, axis=1)[:, None] * np.linalg.norm(prints, axis=1)
    cosine = np.divide(profile @ prints.T, length, out=stand_in.copy(), where=length > 0)
    return np.asarray(np.where(known, cosine, stand_in))


def _prints(sectors: pd.Series, species: list[str], settings: SurveySettings) -> Array:
    """Fingerprint of each sector over ``species``, shape (sector, species); zeros where none is known."""
    table = pd.DataFrame({code: print_.species for code, print_ in settings.fingerprints.items()})
    return np.asarray(table.T.reindex(index=sectors, columns=species).fillna(0).to_numpy(dtype=float))


def _column(table: pd.DataFrame, name: str) -> Array:
    return table[name].to_numpy(dtype=float)


def _way(hotspots: pd.DataFrame, enterprises: pd.DataFrame) -> tuple[Array, Array]:
    """Metres and initial bearing (degrees) from each hotspot to each enterprise."""
    lon0, lat0 = _column(hotspots, "lon")[:, None], _column(hotspots, "lat")[:, None]
    lon, lat = _column(enterprises, "lon"), _column(enterprises, "lat")
    metres = 1000 * distance_km(lon0, lat0, lon, lat)
    phi0, phi, across = np.radians(lat0), np.radians(lat), np.radians(lon - lon0)
    north = np.cos(phi0) * np.sin(phi) - np.sin(phi0) * np.cos(phi) * np.cos(across)
    return metres, np.degrees(np.arctan2(np.sin(across) * np.cos(phi), north)) % 360


def _turn(hotspots: pd.DataFrame, bearing: Array) -> Array:
    """Angle between the way to the enterprise and the direction the wind comes from, −180…180."""
    return (bearing - _column(hotspots, "wind_dir_deg")[:, None] + 180) % 360 - 180


def _upwind(
    hotspots: pd.DataFrame, metres: Array, turn: Array, calm: NDArray[np.bool_], rules: TracingSettings
) -> NDArray[np.bool_]:
    spread = np.nan_to_num(_column(hotspots, "wind_spread_deg"))
    half = np.maximum(float(rules.half_sector_deg), float(rules.spread_factor) * spread)
    near = (metres >= 1000 * rules.min_distance_km) & (metres <= 1000 * rules.max_distance_km)
    in_sector = near & (np.abs(turn) <= half[:, None])
    return np.asarray(np.where(calm[:, None], metres <= 1000 * rules.calm_radius_km, in_sector))


def _dilution(hotspots: pd.DataFrame, metres: Array, turn: Array, rules: TracingSettings) -> Array:
    """Gaussian plume at the ground, s/m³ per unit rate; Briggs' urban spread of class D (Briggs 1973).

    The wind's own wandering widens the plume.
    """
    down = np.maximum(metres * np.cos(np.radians(turn)), 1.0)
    across = metres * np.sin(np.radians(turn))
    wander = np.radians(np.nan_to_num(_column(hotspots, "wind_spread_deg")))[:, None]
    sigma_y = np.hypot(0.16 * down / np.sqrt(1 + 0.0004 * down), wander * down)
    sigma_z = 0.14 * down / np.sqrt(1 + 0.0003 * down)
    speed = np.maximum(_column(hotspots, "wind_speed_ms"), 0.5)[:, None]
    height = float(rules.stack_height_m)
    spread = np.exp(-0.5 * ((across / sigma_y) ** 2 + (height / sigma_z) ** 2))
    return np.asarray(spread / (np.pi * speed * sigma_y * sigma_z))


def _prior(enterprises: pd.DataFrame, rules: TracingSettings) -> Array:
    """Root of the VOC emission (t/a), since leaks follow permits loosely; a stand-in where it is unknown."""
    known = _column(enterprises, "voc_tpa")
    return np.sqrt(np.where(np.isfinite(known), known, float(rules.unknown_voc_tpa)))


def _repeated(hotspots: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray((hotspots["passes"].to_numpy() >= 2) | repeated_within(hotspots, _REPEAT_M))
