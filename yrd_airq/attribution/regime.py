"""Which of VOC and NOx limits a city's ozone: from observed indicators, else from the table of cities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.chemistry import Indicator, OzoneChemistry, Threshold
from yrd_airq.attribution.response import ozone_regime
from yrd_airq.attribution.settings import OzoneSettings
from yrd_airq.errors import InputError
from yrd_airq.region import Region

INDICATOR_COLUMNS = ("adcode", "date", "indicator", "value", "source_zh")
_POSITION_RANGE = (0.2, 4.0)


def judge_regime(
    receptors: Sequence[str],
    days: Sequence[date],
    region: Region,
    settings: OzoneSettings,
    chemistry: OzoneChemistry,
    indicators: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Regime of each receptor-day with its evidence: receptor, date, regime, regime_zh, evidence, position.

    ``indicators``: see ``INDICATOR_COLUMNS``; a blank date holds for all days, a dated row before a
    dateless one. ``position`` (VOC/NOx over the ridge's) is known only where VOC/NOx was measured, else
    NaN. Receptor-days without an indicator keep the table's regime. ``InputError`` for an unknown
    indicator or a value that cannot be.
    """
    table = ozone_regime(receptors, days, region, settings).assign(position=np.nan)
    if indicators is None or indicators.empty:
        return table
    open_yet = pd.Series(True, index=table.index)
    for name in _checked(indicators, chemistry, region):
        rule = chemistry.indicators[name]
        found = _by_receptor_day(table, indicators[indicators["indicator"] == name], region)
        fresh = found["value"].notna() & open_yet
        value = found["value"][fresh]
        table.loc[fresh, "regime"] = _classify(value, rule)
        table.loc[fresh, "evidence"] = (
            rule.name_zh
            + "为"
            + value.map("{:.2f}".format).astype(object)
            + "（"
            + found["source_zh"][fresh].astype(str)
            + "）"
        )
        if name == "voc_nox_ratio":
            place = value / chemistry.surface.ridge_ratio.value
            table.loc[fresh, "position"] = place.clip(*_POSITION_RANGE)
        open_yet &= ~fresh
    table["regime_zh"] = table["regime"].map({key: rule.name_zh for key, rule in settings.regimes.items()})
    return table


def slope_indicator(
    days: pd.DataFrame, settings: OzoneSettings, chemistry: OzoneChemistry, source_zh: str
) -> pd.DataFrame:
    """Indicator rows from city-days of ozone and NO2: adcode, date, o3_ugm3, no2_ugm3.

    Slope of a straight line through the days of the warm months, per city; cities whose correlation is
    too weak, or with fewer than 20 days, are left out. A weak hint: weather moves both.
    """
    months = pd.DatetimeIndex(days["date"]).month
    warm = days[~months.isin(settings.cold_months)].dropna(subset=["o3_ugm3", "no2_ugm3"])
    group = warm.groupby("adcode", sort=True)
    o3, no2 = (warm[name] - group[name].transform("mean") for name in ("o3_ugm3", "no2_ugm3"))
    sums = pd.DataFrame({"xy": o3 * no2, "xx": no2**2, "yy": o3**2}).groupby(warm["adcode"]).sum()
    correlation: pd.Series = sums["xy"] / np.sqrt(sums["xx"] * sums["yy"])
    keep = (correlation.abs() >= chemistry.slope_least_correlation.value) & (group.size() >= 20)
    slope = (sums["xy"] / sums["xx"])[keep]
    return pd.DataFrame(
        {
            "adcode": slope.index,
            "date": pd.NaT,
            "indicator": "o3_no2_slope",
            "value": slope.to_numpy(),
            "source_zh": source_zh,
        }
    )[list(INDICATOR_COLUMNS)]


def _classify(value: pd.Series, rule: Threshold) -> NDArray[np.str_]:
    low, high = value < rule.voc_limited_below.value, value > rule.nox_limited_above.value
    return np.select([low, high], ["voc_limited", "nox_limited"], "transition")


def _by_receptor_day(table: pd.DataFrame, rows: pd.DataFrame, region: Region) -> pd.DataFrame:
    """Value and source of one indicator for every row of the table, of its day or else of its city."""
    rows = rows.assign(adcode=rows["adcode"].map(region.canonical_adcode), date=pd.to_datetime(rows["date"]))
    city = table["receptor"].map(lambda code: region.city(code).adcode)
    keys = pd.DataFrame({"adcode": city, "date": table["date"]})
    dated = rows.dropna(subset=["date"]).drop_duplicates(["adcode", "date"], keep="last")
    lasting = rows[rows["date"].isna()].drop_duplicates("adcode", keep="last")
    of_day = keys.merge(dated, on=["adcode", "date"], how="left")[["value", "source_zh"]]
    of_city = keys.merge(lasting.drop(columns="date"), on="adcode", how="left")[["value", "source_zh"]]
    of_day.index = of_city.index = table.index
    return of_day.where(of_day["value"].notna(), of_city)


def _checked(indicators: pd.DataFrame, chemistry: OzoneChemistry, region: Region) -> list[Indicator]:
    """Names of the indicators given, in the order of trust."""
    unknown = set(indicators["indicator"]) - set(chemistry.indicators)
    if unknown:
        raise InputError(
            f"unknown indicator of the ozone regime: {min(unknown)}; "
            f"use one of {', '.join(chemistry.indicators)}"
        )
    ratio = indicators["indicator"] != "o3_no2_slope"
    wrong = indicators["value"].isna() | np.isinf(indicators["value"]) | (ratio & (indicators["value"] <= 0))
    lost = indicators["adcode"].map(region.canonical_adcode).isna()
    if (wrong | lost).any():
        row = indicators[wrong | lost].iloc[0]
        raise InputError(
            f"indicator {row['indicator']} of {row['adcode']}: the value {row['value']} cannot be, or "
            "the city is unknown; ratios must be positive numbers"
        )
    return [name for name in chemistry.indicators if (indicators["indicator"] == name).any()]
