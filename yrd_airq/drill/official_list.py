"""The list that the drill's agencies hold of the enterprises: its errors, omissions and unknowns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from yrd_airq.drill.grid import KM_PER_DEGREE
from yrd_airq.drill.settings import OfficialSettings
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor

LIST_COLUMNS = (
    "enterprise_id",
    "name_zh",
    "province",
    "city",
    "adcode",
    "lon",
    "lat",
    "sector",
    "capacity",
    "capacity_unit",
    "nox_tpa",
    "so2_tpa",
    "pm_tpa",
    "voc_tpa",
    "emission_basis",
    "source",
    "grade",
    "exempt",
    "exempt_reason",
    "cost_cny_per_day",
)
"""Columns of the list: a plant list with emissions, then grade, exemption and cost of a full stop."""

_AMOUNTS = [f"{precursor.value}_tpa" for precursor in Precursor]


def make_official_list(
    truth: pd.DataFrame, settings: OfficialSettings, scale: float, region: Region, rng: np.random.Generator
) -> pd.DataFrame:
    """The agencies' list (``LIST_COLUMNS``) of the true enterprises; unknown values are missing.

    ``scale`` multiplies the logarithmic errors and the shares of faulty rows: 0 gives the truth of all
    enterprises without their leaks. No row tells a leak. A row whose enterprise is closed has an id that
    the truth does not know.
    """
    listed = _with_errors(truth, settings, scale, rng)
    closed = _closed(truth, listed, settings, scale, rng)
    kept = rng.uniform(size=len(listed)) >= scale * settings.omitted_share
    table = _with_unknowns(pd.concat([listed[kept], closed], ignore_index=True), settings, scale, rng)
    # The lists of the feeds give Shanghai the code of its urban districts.
    table["adcode"] = table["adcode"].replace("310000", "310100")
    return table.assign(
        province=[region.province_zh(code) for code in table["adcode"]],
        city=[region.city(code).name_zh for code in table["adcode"]],
        capacity=np.nan,
        capacity_unit="",
        source="drill",
    )[list(LIST_COLUMNS)]


def _with_errors(
    truth: pd.DataFrame, settings: OfficialSettings, scale: float, rng: np.random.Generator
) -> pd.DataFrame:
    """All true enterprises with wrong emissions, and some in a wrong place."""
    table = truth.copy()
    count = len(table)
    by_permit = rng.uniform(size=count) < scale * settings.permit_share
    over = np.where(by_permit, 1 / table["use"], 1.0)
    for precursor in Precursor:
        name = f"{precursor.value}_tpa"
        spread = scale * float(settings.error[precursor])
        # The error of the mean is none: agencies know the region's total better than each plant.
        error = np.exp(rng.normal(0, spread, size=count) - 0.5 * spread**2)
        table[name] = (table[name] * np.where(by_permit, over, error)).round(1)
    moved = rng.uniform(size=count) < scale * settings.misplaced_share
    angle = rng.uniform(0, 2 * np.pi, size=count)
    degrees = settings.misplaced_km / KM_PER_DEGREE * rng.uniform(0.3, 1.7, size=count)
    table["lon"] = (table["lon"] + moved * degrees * np.cos(angle)).round(5)
    table["lat"] = (table["lat"] + moved * degrees * np.sin(angle)).round(5)
    return table.assign(emission_basis="fictitious")


def _closed(
    truth: pd.DataFrame,
    listed: pd.DataFrame,
    settings: OfficialSettings,
    scale: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rows of enterprises that have closed: like others of the list, in the same parks."""
    count = round(scale * settings.closed_share * len(truth))
    like = listed.iloc[rng.choice(len(listed), size=count, replace=False)]
    number = np.arange(len(truth) + 1, len(truth) + 1 + count)
    return like.assign(
        enterprise_id=[f"DRILL{k:04d}" for k in number],
        name_zh=[f"示例企业-{k:04d}" for k in number],
        exempt=False,
        exempt_reason=None,
    )


def _with_unknowns(
    table: pd.DataFrame, settings: OfficialSettings, scale: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Blank some grades, costs and emissions, as real lists have them."""
    draw = rng.uniform(size=(3, len(table)))
    table.loc[draw[0] < scale * settings.unknown_grade_share, "grade"] = None
    table.loc[draw[1] < scale * settings.unknown_cost_share, "cost_cny_per_day"] = np.nan
    unknown = draw[2] < scale * settings.unknown_emission_share
    table.loc[unknown, _AMOUNTS] = np.nan
    table.loc[unknown, "emission_basis"] = "unknown"
    return table
