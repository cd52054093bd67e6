"""The drill's true enterprises: fictitious plants in fictitious parks, nothing of them names a real one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.grid import KM_PER_DEGREE
from yrd_airq.drill.settings import EnterpriseSettings, SectorSettings
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor

TRUTH_COLUMNS = (
    "enterprise_id",
    "name_zh",
    "adcode",
    "lon",
    "lat",
    "sector",
    "grade",
    "exempt",
    "exempt_reason",
    "cost_cny_per_day",
    "nox_tpa",
    "voc_tpa",
    "pm_tpa",
    "so2_tpa",
    "co_tpa",
    "coarse_tpa",
    "leak_gs",
    "stack_m",
    "course",
    "weekend",
    "use",
)
"""Columns of the truth: emissions in t/a (``pm_tpa`` all particles, of which ``coarse_tpa`` are larger than
2.5 µm; ``voc_tpa`` without the leak), ``leak_gs`` what leaks all day (g/s of VOC), median ``stack_m``,
the work's course through day and week, and ``use``, its output over the permitted one."""

_TRIES = 60
_PARK_KM = (7.0, 32.0)
_SPREAD_KM = 0.7
# How grades are spread in each scheme, best first.
_GRADES = {
    "letter": (("A", "B", "B-", "C", "D"), (0.06, 0.24, 0.15, 0.42, 0.13)),
    "leading": (("引领性", "非引领性"), (0.15, 0.85)),
    "none": ((None,), (1.0,)),
}


def make_enterprises(settings: EnterpriseSettings, region: Region, rng: np.random.Generator) -> pd.DataFrame:
    """The true enterprises (``TRUTH_COLUMNS``), one row each; nothing in it is unknown."""
    count = settings.count
    city, lon, lat = _places(settings, region, rng)
    share = np.array([sector.share for sector in settings.sectors])
    kind = rng.choice(len(settings.sectors), size=count, p=share / share.sum())
    size = rng.lognormal(0, settings.size_spread, size=count)
    sectors = [settings.sectors[k] for k in kind]
    number = np.arange(1, count + 1)
    table = pd.DataFrame(
        {
            "enterprise_id": [f"DRILL{k:04d}" for k in number],
            "name_zh": [f"示例企业-{k:04d}" for k in number],
            "adcode": np.array(region.adcodes, dtype=object)[city],
            "lon": lon.round(5),
            "lat": lat.round(5),
            "sector": [sector.code for sector in sectors],
            "course": [sector.course for sector in sectors],
            "weekend": [sector.weekend for sector in sectors],
        }
    )
    for precursor in Precursor:
        table[f"{precursor.value}_tpa"] = _emission(settings, precursor, kind, size)
    table["co_tpa"] = (table["nox_tpa"] * [sector.co_per_nox for sector in sectors]).round(1)
    table["coarse_tpa"] = (table["pm_tpa"] * float(settings.coarse_share)).round(2)
    table["cost_cny_per_day"] = _cost(sectors, size, rng)
    table["grade"] = _grades(sectors, size, rng)
    table["exempt"], table["exempt_reason"] = _exemptions(settings, sectors, rng)
    table["leak_gs"] = _leaks(settings, sectors, rng)
    height = np.array([sector.stack_m for sector in sectors])
    table["stack_m"] = (height * rng.lognormal(0, settings.stack_spread, size=count)).round(0)
    table["use"] = rng.uniform(*settings.use, size=count).round(3)
    return table[list(TRUTH_COLUMNS)]


def _places(
    settings: EnterpriseSettings, region: Region, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """City index and position of each enterprise; more of them in more populous cities."""
    people = np.array([city.population_10k for city in region.cities]) ** 0.7
    city = np.sort(rng.choice(len(people), size=settings.count, p=people / people.sum()))
    parks = np.stack([_parks(region, k, settings.parks_per_city, rng) for k in range(len(people))])
    park = parks[city, rng.integers(settings.parks_per_city, size=settings.count)]
    offset = np.clip(rng.normal(0, _SPREAD_KM, size=(settings.count, 2)), -2 * _SPREAD_KM, 2 * _SPREAD_KM)
    lat = park[:, 1] + offset[:, 1] / KM_PER_DEGREE
    lon = park[:, 0] + offset[:, 0] / (KM_PER_DEGREE * np.cos(np.radians(lat)))
    home = np.array(region.adcodes, dtype=object)[city]
    strays = region.locate(lon, lat) != home
    lon[strays], lat[strays] = park[strays, 0], park[strays, 1]
    return city, lon, lat


def _parks(region: Region, city: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Positions (park, 2) of industrial parks inside one city's outline; the centre if none is found."""
    centre = region.lonlat[city]
    radius, angle = rng.uniform(*_PARK_KM, size=_TRIES), rng.uniform(0, 2 * np.pi, size=_TRIES)
    lat = centre[1] + radius * np.sin(angle) / KM_PER_DEGREE
    lon = centre[0] + radius * np.cos(angle) / (KM_PER_DEGREE * np.cos(np.radians(centre[1])))
    inside = np.flatnonzero(region.locate(lon, lat) == region.adcodes[city])[:count]
    found = np.column_stack([lon[inside], lat[inside]])
    return np.vstack([found, np.tile(centre, (count - len(found), 1))])


def _emission(
    settings: EnterpriseSettings, precursor: Precursor, kind: NDArray[np.int64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Emission in t/a: the total, shared out by sector and, inside a sector, by size."""
    weight = np.array([getattr(sector, precursor.value) for sector in settings.sectors])
    in_sector = np.bincount(kind, weights=size, minlength=len(weight))
    share = (weight / weight.sum())[kind] * size / in_sector[kind]
    return (float(settings.totals[precursor]) * share).round(1)


def _cost(
    sectors: list[SectorSettings], size: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    median = np.array([sector.cost_per_day for sector in sectors])
    return (median * size**0.7 * rng.lognormal(0, 0.35, size=len(size))).round(-2)


def _grades(
    sectors: list[SectorSettings], size: NDArray[np.float64], rng: np.random.Generator
) -> list[str | None]:
    """A grade per enterprise; larger ones tend to the better grades of their scheme."""
    rank = size.argsort().argsort() / len(size)
    luck = np.clip(rng.uniform(size=len(size)) - 0.25 * (rank - 0.5), 0, 0.999)
    edges = {scheme: np.cumsum(shares) for scheme, (_, shares) in _GRADES.items()}
    return [
        _GRADES[sector.grades][0][int(np.searchsorted(edges[sector.grades], draw, side="right"))]
        for sector, draw in zip(sectors, luck, strict=True)
    ]


def _exemptions(
    settings: EnterpriseSettings, sectors: list[SectorSettings], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], list[str | None]]:
    """Which enterprises are exempt (保障类), and by which document."""
    may = np.array([sector.code in settings.exempt_sectors for sector in sectors])
    wanted = min(round(settings.exempt_share * len(sectors)), int(may.sum()))
    exempt = np.zeros(len(sectors), dtype=bool)
    exempt[rng.choice(np.flatnonzero(may), size=wanted, replace=False)] = True
    reasons: list[str | None] = [None] * len(sectors)
    for order, index in enumerate(np.flatnonzero(exempt), start=1):
        reasons[index] = f"保障类（民生保障），示例环函〔2026〕{order:03d}号"
    return exempt, reasons


def _leaks(
    settings: EnterpriseSettings, sectors: list[SectorSettings], rng: np.random.Generator
) -> NDArray[np.float64]:
    """What leaks from each enterprise, g/s of VOC; most have none, and no list tells of any."""
    can = np.array([bool(sector.species) for sector in sectors])
    leaks = can & (rng.uniform(size=len(sectors)) < settings.leak_share)
    return np.where(leaks, settings.leak_gs * rng.lognormal(0, 0.5, size=len(sectors)), 0.0).round(2)
