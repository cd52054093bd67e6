"""Daily forecasts for single stations: the city's forecast and the station's own departure from its city.

departure(L) = Σ w_L · recent departures of the station, damped by lead day L. The weights are the same for
all stations (ridge), the spread is each station's own. A station is forecast wherever its city is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.filling import carry, delayed, running_mean
from yrd_airq.forecast.hourly_anchor import fit_rows
from yrd_airq.forecast.hourly_panel import lay_out_leads
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import SlotSpread, fit_slot_spread
from yrd_airq.forecast.intervals import HIGH, LOW, MIDDLE
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import COLUMNS as CITY_COLUMNS
from yrd_airq.forecast.training import TooLittleHistoryError
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

STATION_MODEL = "station_departure"
COLUMNS = ("station_code", *(name for name in CITY_COLUMNS[1:] if name not in ("call_from", "basis")))
MEANS = (3, 7, 30)
_CARRY_DAYS = 7


@dataclass(frozen=True)
class StationSeries:
    """Daily values of one target at stations beside those of their cities.

    ``values`` and ``city_values`` (station, date), µg/m³ (CO mg/m³), NaN is missing; ``adcodes`` (station,).
    """

    target: Target
    codes: tuple[str, ...]
    adcodes: tuple[str, ...]
    dates: pd.DatetimeIndex
    values: Array
    city_values: Array

    def before(self, day: date) -> StationSeries:
        """The same calendar with nothing known of ``day`` and later."""
        past = np.asarray(self.dates < pd.Timestamp(day))
        values, city = (np.where(past, array, np.nan) for array in (self.values, self.city_values))
        return StationSeries(self.target, self.codes, self.adcodes, self.dates, values, city)


@dataclass(frozen=True)
class StationModel:
    """Weights (lead, term) of the recent departures and the spread by lead and station."""

    target: Target
    codes: tuple[str, ...]
    leads: tuple[int, ...]
    weights: Array
    spread: SlotSpread


def lay_out_stations(
    panel: Panel, target: Target, daily: pd.DataFrame, city_of: Mapping[str, str]
) -> StationSeries:
    """Station days on the calendar of ``panel``.

    ``daily``: natural days in the index, station codes across, as from the daily statistics of stations;
    ``city_of``: adcode of each station. Stations without a city of the panel or without any value are left
    out. ``InputError`` if none is left or the panel lacks the target.
    """
    if target not in panel.values:
        raise InputError(f"the archive has no {target}; it holds {', '.join(panel.values)}")
    wide = daily.reindex(panel.dates)
    known = set(panel.adcodes)
    codes = sorted(code for code in wide.columns if city_of.get(code) in known and wide[code].notna().any())
    if not codes:
        raise InputError(
            f"no station of the region has a daily {target}; ingest a station list and station files"
        )
    adcodes = tuple(city_of[code] for code in codes)
    city = pd.Index(panel.adcodes).get_indexer(pd.Index(adcodes))
    values = wide[codes].to_numpy(dtype=float).T
    return StationSeries(target, tuple(codes), adcodes, panel.dates, values, panel.values[target][city])


def train_stations(
    series: StationSeries,
    city_rows: pd.DataFrame,
    until: date,
    leads: Sequence[int],
    settings: HourlySettings,
) -> StationModel:
    """Weights and spread from the days up to ``until``; nothing later is looked at.

    ``city_rows``: city forecasts (adcode, issue_time, lead_day, target, mean) of past issues by models that
    had not seen the days they forecast. ``TooLittleHistoryError`` if they cover fewer days than
    ``settings.stations.min_days`` at some lead.
    """
    known = series.before(date.fromordinal(until.toordinal() + 1))
    city = _city_forecasts(city_rows, known, leads)
    weights, means, seen = [], [], []
    for k, lead in enumerate(leads):
        terms = _terms(known, city[:, :, k])
        observed, of_city = (_ahead(array, lead) for array in (known.values, known.city_values))
        days = int(np.isfinite(terms[..., -1] + observed).any(axis=0).sum())
        if days < settings.stations.min_days:
            raise TooLittleHistoryError(
                f"{series.target}: city forecasts and station values of only {days} days up to {until} for "
                f"lead day {lead}, {settings.stations.min_days} are needed; ingest more history"
            )
        weights.append(fit_rows(terms, observed - of_city))
        means.append(_mean(city[:, :, k], terms, weights[-1]))
        seen.append(observed)
    # (issue date, station, lead)
    by_issue = [np.stack(arrays, axis=-1).transpose(1, 0, 2) for arrays in (means, seen)]
    spread = fit_slot_spread(by_issue[0], by_issue[1])
    return StationModel(series.target, series.codes, tuple(leads), np.stack(weights), spread)


def forecast_stations(
    series: StationSeries,
    model: StationModel,
    city_rows: pd.DataFrame,
    issue_time: datetime,
    threshold: float | None = None,
) -> pd.DataFrame:
    """Rows of one issue in ``COLUMNS``, from the city forecasts ``city_rows`` of that issue.

    Only station days before the issue date are used. ``p_exceed`` is the probability to exceed ``threshold``.
    ``InputError`` for a model of other stations or another target, or an issue date outside the calendar.
    """
    if (model.target, model.codes) != (series.target, series.codes):
        raise InputError(
            f"the station model of {model.target} was trained for other stations or targets; train it anew"
        )
    day = pd.Timestamp(issue_time).normalize()
    issue = (day - series.dates[0]).days
    if not 0 <= issue < len(series.dates):
        raise InputError(f"issue date {day:%Y-%m-%d} is outside the calendar of the station series")
    known = series.before(day.date())
    mean = predict_stations(known, model, city_rows)[:, issue]
    spread = model.spread
    quantiles = {name: spread.quantile(mean, p) for name, p in (("q10", LOW), ("q50", MIDDLE), ("q90", HIGH))}
    exceed = np.full(mean.shape, np.nan) if threshold is None else spread.exceedance(mean, threshold)
    return _to_rows(known, model, city_rows, issue_time, mean, quantiles | {"p_exceed": exceed})


def predict_stations(series: StationSeries, model: StationModel, city_rows: pd.DataFrame) -> Array:
    """Means (station, issue date, lead) for every issue date that ``city_rows`` forecast; NaN elsewhere."""
    city = _city_forecasts(city_rows, series, model.leads)
    leads = range(len(model.leads))
    return np.stack(
        [_mean(city[:, :, k], _terms(series, city[:, :, k]), model.weights[k]) for k in leads], axis=-1
    )


def _city_forecasts(rows: pd.DataFrame, series: StationSeries, leads: Sequence[int]) -> Array:
    """City forecasts repeated for the stations, (station, issue date, lead)."""
    cities = tuple(dict.fromkeys(series.adcodes))
    means = lay_out_leads(rows, series.target, cities, series.dates, leads)
    return means[pd.Index(cities).get_indexer(pd.Index(series.adcodes))]


def _terms(series: StationSeries, city: Array) -> Array:
    """Recent departures from the city, (station, issue date, term); the last grows with the city's forecast.

    What is not known is 0, but the last term is NaN where the city has no forecast.
    """
    departure = series.values - series.city_values
    terms = [delayed(carry(departure, _CARRY_DAYS), 1)]
    terms += [delayed(running_mean(departure, days), 1) for days in MEANS]
    usual = delayed(running_mean(np.where(np.isfinite(departure), series.city_values, np.nan), MEANS[-1]), 1)
    share = np.clip(np.nan_to_num(terms[-1] / np.maximum(usual, 1e-6)), -1.0, 1.0)
    return np.stack([*(np.nan_to_num(term) for term in terms), share * city], axis=-1)


def _mean(city: Array, terms: Array, weights: Array) -> Array:
    return np.maximum(city + terms @ weights, 0.0)


def _ahead(values: Array, days: int) -> Array:
    """Element d becomes the value of date d + ``days``."""
    out = np.full(values.shape, np.nan)
    out[:, : values.shape[1] - days] = values[:, days:]
    return out


def _to_rows(
    series: StationSeries,
    model: StationModel,
    city_rows: pd.DataFrame,
    issue_time: datetime,
    mean: Array,
    more: Mapping[str, Array],
) -> pd.DataFrame:
    leads = np.asarray(model.leads)
    stations = len(series.codes)
    day = pd.Timestamp(issue_time).normalize()
    frame = pd.DataFrame(
        {
            "station_code": pd.Series(
                np.repeat(np.asarray(series.codes, dtype=object), len(leads)), dtype="str"
            ),
            "adcode": pd.Series(np.repeat(np.asarray(series.adcodes, dtype=object), len(leads)), dtype="str"),
            "issue_time": pd.Timestamp(issue_time),
            "valid_date": np.tile((day + pd.to_timedelta(leads, unit="D")).to_numpy(), stations),
            "lead_day": np.tile(leads, stations),
            "target": series.target.value,
            "model": STATION_MODEL,
            "mean": mean.ravel(),
            **{name: array.ravel() for name, array in more.items()},
        }
    )
    mine = city_rows[
        (city_rows["target"] == series.target.value) & (city_rows["issue_time"] == pd.Timestamp(issue_time))
    ]
    kinds = mine.drop_duplicates(["adcode", "lead_day"])[["adcode", "lead_day", "weather_kind"]]
    frame = frame.merge(kinds.astype({"adcode": "str"}), on=["adcode", "lead_day"], how="left")
    return frame.loc[frame["mean"].notna(), list(COLUMNS)].reset_index(drop=True)
