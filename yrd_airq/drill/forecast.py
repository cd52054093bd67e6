"""Forecasts of the drill's weather: the true systems ever more misplaced, and others that never come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.chance import normal
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.systems import Systems, hours_of, join
from yrd_airq.drill.weather import Catalogue, Weather, draw_catalogue, weather_of
from yrd_airq.drill.weather_settings import ForecastSettings, WeatherSettings

Array = NDArray[np.float64]

_HOUR = pd.Timedelta(hours=1)
_INVENTED = 31
_DRIFT_X, _DRIFT_Y, _SWELL, _PRESENCE = 101, 102, 103, 104
# References half a day apart share errors; older than this they share none.
_CYCLE_HOURS, _CYCLES = 12, 16


def make_forecast(reference: pd.Timestamp, grid: Grid, settings: WeatherSettings, seed: int) -> Weather:
    """The true weather of ``seed`` as forecast from ``reference`` (Beijing), without layers.

    At ``reference`` it is the truth. With lead, systems drift from their true places and strengths and
    fade, each family as fast as its ``skill_days`` say, while invented ones take their place, so that
    the forecast stays as lively as the truth. Forecasts of successive references share errors.
    """
    rules = settings.forecast
    times = pd.date_range(reference, reference + 24 * rules.days * _HOUR, freq=rules.step_hours * _HOUR)
    true = draw_catalogue(times, settings, seed)
    invented = draw_catalogue(times, settings, seed, _INVENTED)
    start = float(hours_of(pd.DatetimeIndex([reference]))[0])
    catalogue = Catalogue(
        join(
            [
                _misplace(true.pressure, start, rules, seed, 1),
                _invent(invented.pressure, start, rules, seed, 1),
            ]
        ),
        join([_misplace(true.cloud, start, rules, seed, 2), _invent(invented.cloud, start, rules, seed, 2)]),
        start,
    )
    return weather_of(catalogue, times, grid, settings, layers=False)


def _misplace(systems: Systems, reference: float, rules: ForecastSettings, *seed: int) -> Systems:
    drift, swell = rules.growth * rules.drift_km_day / 24, rules.growth * rules.strength_day / 24
    return replace(
        systems,
        drift_x=drift * _error(systems, reference, rules, *seed, _DRIFT_X),
        drift_y=drift * _error(systems, reference, rules, *seed, _DRIFT_Y),
        swell=swell * _error(systems, reference, rules, *seed, _SWELL),
        skill=systems.skill / max(rules.growth, 1e-9),
    )


def _invent(systems: Systems, reference: float, rules: ForecastSettings, *seed: int) -> Systems:
    # Of either strength but of the family's sign, so that the forecast keeps the climate.
    presence = 0.9 * np.abs(_error(systems, reference, rules, *seed, _PRESENCE))
    return replace(
        systems,
        strength=systems.strength * presence,
        skill=systems.skill / max(rules.growth, 1e-9),
        invented=np.ones_like(presence),
    )


def _error(systems: Systems, reference: float, rules: ForecastSettings, *address: int) -> Array:
    """A standard normal number for each system that changes slowly from one reference to the next."""
    cycle = int(reference // _CYCLE_HOURS) - np.arange(_CYCLES)
    weight = rules.kept ** (_CYCLE_HOURS / 24 * np.arange(_CYCLES))
    weight /= np.sqrt(np.sum(weight**2))
    family, number = (part.astype(np.int64)[:, None] for part in (systems.family, systems.number))
    return np.asarray((normal(*address, family, number, cycle) * weight).sum(axis=1))
