"""Error of the drill's weather forecasts by lead day, beside that of real ones as the settings state it.

``python -m tests.bench.forecast_weather`` prints root mean square errors over the grid and all hours of the
Beijing day, references at 08:00 in four seasons.
"""

from __future__ import annotations

import os
import sys

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from yrd_airq.drill.forecast import make_forecast
from yrd_airq.drill.grid import make_grid
from yrd_airq.drill.weather import make_weather
from yrd_airq.drill.weather_settings import WeatherSettings, load_weather_settings
from yrd_airq.settings import Marked

SEASONS = ("2016-01-05", "2016-04-05", "2016-07-05", "2016-10-05")
REFERENCES, EVERY_DAYS = 5, 3
LEADS = range(1, 8)
TOLERANCE = 0.25
"""Share by which an error may differ from the real one."""
_DAY = pd.Timedelta(days=1)
_FIELDS = {
    "u10": 1.0,
    "v10": 1.0,
    "t2m": 1.0,
    "d2m": 1.0,
    "sp": 0.01,
    "blh": 1.0,
    "tcc": 1.0,
    "ssrd": 1 / 3600,
}


def measure_errors(settings: WeatherSettings, seasons: tuple[str, ...] = SEASONS) -> pd.DataFrame:
    """Root mean square errors: lead day by field (m/s, K, hPa, m, share, W/m²), and skill of cloud and rain.

    ``cloud_r`` is the correlation over the grid of the days' mean cloud, ``rain_r`` that of days with
    rain (1 mm).
    """
    grid = make_grid(settings.grid)
    rows = []
    for seed, season in enumerate(seasons):
        first = pd.Timestamp(season)
        last = first + (EVERY_DAYS * REFERENCES + 9) * _DAY
        truth = make_weather(first, last, grid, settings, seed)
        for k in range(REFERENCES):
            morning = first + k * EVERY_DAYS * _DAY
            forecast = make_forecast(morning + pd.Timedelta(hours=8), grid, settings, seed)
            for lead in LEADS:
                day = morning + lead * _DAY
                known = np.asarray((forecast.times > day) & (forecast.times <= day + _DAY))
                at = truth.times.get_indexer(forecast.times[known])
                row: dict[str, float] = {"lead": lead}
                for name, factor in _FIELDS.items():
                    difference = getattr(forecast, name)[known] - getattr(truth, name)[at]
                    row[name] = float(np.mean((factor * difference.astype(float)) ** 2))
                row["cloud_r"] = _alike(forecast.tcc[known].mean(axis=0), truth.tcc[at].mean(axis=0))
                wet = [(24_000 * field.mean(axis=0) >= 1) for field in (forecast.tp[known], truth.tp[at])]
                row["rain_r"] = _alike(*wet)
                rows.append(row)
    table = pd.DataFrame(rows).groupby("lead").mean()
    table[list(_FIELDS)] = np.sqrt(table[list(_FIELDS)])
    return table


def _alike(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation over the grid; blank where one of the two is the same everywhere."""
    if first.min() == first.max() or second.min() == second.max():
        return float("nan")
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def compare(measured: pd.Series, real: dict[int, Marked]) -> list[str]:
    """One line for each lead day that the settings know the real error of."""
    return [
        f"{measured.name} D+{lead}: real {float(error):.2f} ({error.mark}), drill {measured[lead]:.2f}, "
        f"{'holds' if abs(measured[lead] / float(error) - 1) <= TOLERANCE else 'DOES NOT HOLD'}"
        for lead, error in real.items()
    ]


def main() -> None:
    """Print the table and the comparison."""
    os.environ.setdefault("YRD_AIRQ_CONFIGS", str(ROOT / "configs"))
    settings = load_weather_settings()
    table = measure_errors(settings)
    lines = [table.round(2).to_string()]
    lines += compare(table["u10"], settings.forecast.wind_error_ms)
    lines += compare(table["v10"], settings.forecast.wind_error_ms)
    lines += compare(table["t2m"], settings.forecast.warmth_error_k)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
