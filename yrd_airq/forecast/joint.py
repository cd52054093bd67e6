"""The AQI of a forecast day, drawn from the joint distribution of its pollutants: rows and chances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from yrd_airq.errors import InputError
from yrd_airq.forecast.aqi_settings import DRAWN, AqiForecastSettings
from yrd_airq.forecast.exceedance import DEFAULT_THRESHOLD
from yrd_airq.forecast.intervals import HIGH, LOW, MIDDLE, Z_HIGH
from yrd_airq.forecast.rows import BASES, COLUMNS, OWN
from yrd_airq.forecast.statement import state
from yrd_airq.standards.aqi import LEVELS, daily_aqi, level_index
from yrd_airq.standards.versions import Standard, standards_of
from yrd_airq.vocab import Pollutant, Target, WeatherKind

Array = NDArray[np.float64]

AQI = "aqi"
MODEL_NAME = "joint"
EXCEEDED = 100
DAY = ["issue_time", "adcode", "valid_date", "lead_day"]
_QUANTILES = ("q10", "q50", "q90")
# The IAQI of the 8-h mean ends here (HJ 633-2012 table 1); no higher value is drawn.
_HIGHEST_OZONE = 800.0
_WARM = range(4, 10)


@dataclass(frozen=True)
class AqiForecast:
    """AQI forecasts of city-days.

    ``rows``: forecast rows of target ``aqi``; ``p_exceed`` is the probability of an AQI above 100.
    ``chances``: one row a city-day with the columns ``DAY``, the probabilities ``p_level_1`` … ``p_level_6``
    and ``p_first_<pollutant>`` (that it is a first pollutant, ties counted for each), and the statement:
    ``aqi_lo``, ``aqi_hi``, ``level_lo``, ``level_hi``, ``p_range`` (probability that the AQI lies within the
    range) and ``first`` (tuple of at most two ``Pollutant``).
    """

    rows: pd.DataFrame
    chances: pd.DataFrame


def forecast_aqi(
    rows: pd.DataFrame, settings: AqiForecastSettings, last_known: pd.DataFrame | None = None
) -> AqiForecast:
    """AQI, level and first pollutant of every city-day of ``rows``, by the HJ 633 in force on the day.

    ``rows``: forecast rows of one model a city-day and target; of the targets only ``DRAWN`` count, and
    those that are missing are left out of the AQI. Each target follows the two half-normals through its
    q10, q50 and q90; a Gaussian copula with the configured correlations ties them together. ``last_known``
    (adcode, target, value): SO2 and CO taken as they were last observed. A city-day's result depends on
    its own rows and the seed only. ``InputError`` without any such row, or with two for the same.
    """
    used = rows[rows["target"].isin([t.value for t in DRAWN])]
    if used.empty:
        raise InputError(f"no forecast of {', '.join(DRAWN)}, so no AQI can be given")
    days, quantiles = _lay_out(used)
    weather = _weather_known(used, days)
    values = _draw(quantiles, weather, pd.DatetimeIndex(days["valid_date"]), settings)
    constant = _constant(days, last_known)
    aqi, first = _index(values, constant, pd.DatetimeIndex(days["valid_date"]))
    return AqiForecast(_to_rows(used, days, weather, aqi), _to_chances(days, aqi, first, settings))


def correlate(deviates: dict[Target, Array]) -> Array:
    """Correlation matrix of ``DRAWN`` from the normal deviates of errors, arrays of one shape.

    A deviate is Φ⁻¹ of the probability that the forecast gave to at most the value observed.
    """
    table = np.stack([deviates[target].ravel() for target in DRAWN])
    return np.asarray(np.corrcoef(table[:, np.isfinite(table).all(axis=0)]))


def _lay_out(rows: pd.DataFrame) -> tuple[pd.DataFrame, Array]:
    """The city-days in order, and their quantiles (city-day, target, quantile), NaN where not forecast."""
    twice = rows[rows.duplicated([*DAY, "target"])]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"{row['target']} of {row['adcode']} on {row['valid_date']:%Y-%m-%d} is forecast twice; "
            "hand over the rows of one model"
        )
    keys = pd.MultiIndex.from_frame(rows[DAY])
    days = keys.unique().sort_values()
    quantiles = np.full((len(days), len(DRAWN), len(_QUANTILES)), np.nan)
    target = rows["target"].map({t.value: k for k, t in enumerate(DRAWN)}).to_numpy()
    middle = rows["q50"].fillna(rows["mean"])
    given = np.stack([rows[name].fillna(middle) for name in _QUANTILES], axis=1)
    quantiles[days.get_indexer(keys), target] = given
    return days.to_frame(index=False), quantiles


def _weather_known(rows: pd.DataFrame, days: pd.DataFrame) -> NDArray[np.object_]:
    """Kind of weather of each city-day: that of its rows, none as soon as one of them had none."""
    lacking = rows[rows["weather_kind"] == WeatherKind.NONE.value]
    order = pd.concat([lacking, rows]).drop_duplicates(DAY).set_index(DAY)["weather_kind"]
    return order.reindex(pd.MultiIndex.from_frame(days)).to_numpy(dtype=object)


def _draw(
    quantiles: Array, weather: NDArray[np.object_], valid: pd.DatetimeIndex, settings: AqiForecastSettings
) -> Array:
    """Concentrations (city-day, target, draw), µg/m³; the same draws serve every city-day."""
    strata = (np.arange(settings.draws) + 0.5) / settings.draws
    shuffled = np.random.default_rng(settings.seed).permuted(np.tile(strata, (len(DRAWN), 1)), axis=1)
    independent = ndtri(shuffled)
    warm, ahead = np.isin(valid.month, _WARM), weather != WeatherKind.NONE.value
    low, middle, high = (quantiles[:, :, k, None] for k in range(len(_QUANTILES)))
    values = np.empty((*quantiles.shape[:2], settings.draws))
    for some_weather, some_warm in np.unique(np.stack([ahead, warm], axis=1), axis=0):
        chosen = (ahead == some_weather) & (warm == some_warm)
        root = np.linalg.cholesky(settings.correlation.matrix(bool(some_weather), bool(some_warm)))
        z = root @ independent / Z_HIGH
        width = np.where(z > 0, (high - middle)[chosen], (middle - low)[chosen])
        values[chosen] = middle[chosen] + z * width
    values = np.maximum(values, 0.0)
    ozone = DRAWN.index(Target.O3_MDA8)
    values[:, ozone] = np.minimum(values[:, ozone], _HIGHEST_OZONE)
    return values


def _constant(days: pd.DataFrame, last_known: pd.DataFrame | None) -> dict[Target, Array]:
    """Last known SO2 and CO of each city-day's city, (city-day, 1)."""
    if last_known is None:
        return {}
    found = {}
    for target in (Target.SO2, Target.CO):
        own = last_known[last_known["target"] == target.value].set_index("adcode")["value"]
        found[target] = own.reindex(days["adcode"]).to_numpy(dtype=float)[:, None]
    return found


def _index(
    values: Array, constant: dict[Target, Array], valid: pd.DatetimeIndex
) -> tuple[Array, dict[Pollutant, Array]]:
    """AQI (city-day, draw), and for each pollutant how often it is a first pollutant, (city-day,)."""
    aqi = np.empty((values.shape[0], values.shape[2]))
    first = {pollutant: np.zeros(len(values)) for pollutant in Pollutant}
    standards = standards_of(valid)
    for standard in Standard:
        chosen = np.flatnonzero(standards == standard)
        if not chosen.size:
            continue
        given = {target: values[chosen, k] for k, target in enumerate(DRAWN)}
        given |= {target: array[chosen] for target, array in constant.items()}
        result = daily_aqi(given, standard)
        aqi[chosen] = result.aqi
        for pollutant, index in result.iaqi.items():
            first[pollutant][chosen] = ((index == result.aqi) & (result.aqi > 50)).mean(axis=1)
    return aqi, first


def _weakest(rows: pd.DataFrame, days: pd.DataFrame) -> NDArray[np.object_]:
    """The weakest of what the rows of each city-day rest on."""
    if "basis" not in rows:
        return np.full(len(days), OWN, dtype=object)
    rank = rows["basis"].map({name: k for k, name in enumerate(BASES)}).fillna(0)
    worst = rank.groupby([rows[name] for name in DAY]).max().reindex(pd.MultiIndex.from_frame(days))
    return np.array(BASES, dtype=object)[worst.to_numpy(dtype=int)]


def _to_rows(
    rows: pd.DataFrame, days: pd.DataFrame, weather: NDArray[np.object_], aqi: Array
) -> pd.DataFrame:
    # An AQI is a whole number, so its quantiles are taken from the draws and not from between them.
    q10, q50, q90 = np.quantile(aqi, (LOW, MIDDLE, HIGH), axis=1, method="inverted_cdf")
    exceeded = (aqi > EXCEEDED).mean(axis=1)
    frame = days.assign(
        target=AQI, model=MODEL_NAME, mean=aqi.mean(axis=1), q10=q10, q50=q50, q90=q90, p_exceed=exceeded
    )
    frame = frame.assign(
        call_from=DEFAULT_THRESHOLD, weather_kind=weather.astype(str), basis=_weakest(rows, days)
    )
    return frame[list(COLUMNS)]


def _to_chances(
    days: pd.DataFrame, aqi: Array, first: dict[Pollutant, Array], settings: AqiForecastSettings
) -> pd.DataFrame:
    level = level_index(aqi)
    chances = {f"p_level_{k.index}": (level == k.index).mean(axis=1) for k in LEVELS}
    chances |= {f"p_first_{pollutant}": share for pollutant, share in first.items()}
    stated = state(aqi, np.stack([first[p] for p in Pollutant], axis=1), settings)
    return pd.concat([days, pd.DataFrame(chances), stated], axis=1)
