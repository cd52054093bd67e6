"""The drill's weather beside the real one: the same statistics of both, each with its tolerance.

``python -m tests.bench.plausibility_weather`` needs the real-data folder (YRD_AIRQ_REAL_DATA): daily
means of 41 cities 2013–2017 (CAPRA reanalysis) and the daily weather of Shanghai 2010–2019. The
reanalysis does not say the height of its wind, which is nearly twice that usual at 10 m: the drill's
wind at the centre of its second layer (130 m) is compared, and speeds relative to their mean.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from yrd_airq.drill.grid import make_grid
from yrd_airq.drill.weather import make_weather
from yrd_airq.drill.weather_settings import load_weather_settings
from yrd_airq.region import distance_km, load_region

PROVINCES = ("上海市", "江苏省", "浙江省", "安徽省")
SEASONS = {"DJF": (12, 1, 2), "MAM": (3, 4, 5), "JJA": (6, 7, 8), "SON": (9, 10, 11)}
DISTANCES_KM = (200, 400, 600)
SHANGHAI = "310000"
STAGNANT = 0.5
"""A day is called stagnant here below this share of the mean speed."""

Daily = dict[str, pd.DataFrame]
"""Daily values by quantity (u, v m/s, t °C, rh %, p hPa, speed of the mean vector): date by adcode."""


@dataclass(frozen=True)
class Check:
    """One statistic: of the real weather, of the drill's, and by how much they may differ."""

    name: str
    real: float
    twin: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return bool(abs(self.real - self.twin) <= self.tolerance)


def read_real(folder: Path) -> Daily:
    """Daily city weather of the reanalysis; the districts of Shanghai are averaged."""
    region = load_region()
    parts = []
    for path in sorted(
        p for name in PROVINCES for p in (folder / "city_daily_reanalysis" / name).glob("*.gz")
    ):
        table = pd.read_csv(path, parse_dates=["date"])
        city = "上海市" if table["province"].iloc[0] == "上海市" else table["city"].iloc[0]
        parts.append(table.assign(adcode=region.adcode_of_name(city)))
    table = pd.concat(parts).groupby(["date", "adcode"])[["U", "V", "TEMP", "RH", "PSFC"]].mean()
    wide = {name: table[name].unstack()[list(region.adcodes)] for name in table}
    daily = {
        "u": wide["U"],
        "v": wide["V"],
        "t": wide["TEMP"] - 273.15,
        "rh": wide["RH"],
        "p": wide["PSFC"] / 100,
    }
    return daily | {"speed": np.hypot(daily["u"], daily["v"])}


def read_shanghai(folder: Path) -> pd.DataFrame:
    """Daily weather of Shanghai: rain (mm), temperature range (K), sea-level pressure (hPa)."""
    table = pd.read_csv(folder / "weather" / "shanghai_daily.csv", parse_dates=["date"], index_col="date")
    return pd.DataFrame(
        {
            "rain": table["precip"],
            "range": table["tempmax"] - table["tempmin"],
            "pressure": table["pressure"],
            "dew": table["dew"],
        }
    )


def make_twin(years: tuple[tuple[int, int], ...]) -> tuple[Daily, pd.DataFrame, Daily]:
    """The same of the drill for pairs of year and seed, and what nothing real stands beside."""
    settings, region = load_weather_settings(), load_region()
    grid = make_grid(settings.grid)
    weights = grid.weights_to(region.lonlat[:, 0], region.lonlat[:, 1]).astype(np.float32)
    parts: dict[str, list[pd.DataFrame]] = {}
    for year, seed in years:
        for month in pd.date_range(f"{year}-01-01", periods=12, freq="MS"):
            last = month + pd.offsets.MonthEnd(1) + pd.Timedelta(hours=23)
            weather = make_weather(month, last, grid, settings, seed)
            fields = {
                name: getattr(weather, name).reshape(len(weather.times), -1) @ weights
                for name in ("t2m", "d2m", "sp", "tp", "u10", "v10", "blh", "tcc", "ssrd")
            }
            fields |= {
                name: getattr(weather, name)[:, 1].reshape(len(weather.times), -1) @ weights for name in "uv"
            }
            fields["rh"] = 100 * _humidity(fields["t2m"] - 273.15, fields["d2m"] - 273.15)
            fields["wind10"] = np.hypot(fields["u10"], fields["v10"])
            for name, values in fields.items():
                hourly = pd.DataFrame(values, weather.times, list(region.adcodes))
                parts.setdefault(name, []).append(hourly)
    hourly = {name: pd.concat(values) for name, values in parts.items()}
    daily = {name: values.groupby(values.index.normalize()).mean() for name, values in hourly.items()}
    twin = {
        "u": daily["u"],
        "v": daily["v"],
        "t": daily["t2m"] - 273.15,
        "rh": daily["rh"],
        "p": daily["sp"] / 100,
    }
    twin["speed"] = np.hypot(twin["u"], twin["v"])
    city = {name: values[SHANGHAI] for name, values in hourly.items()}
    by_day = {name: values.groupby(values.index.normalize()) for name, values in city.items()}
    shanghai = pd.DataFrame(
        {
            "rain": 1000 * by_day["tp"].sum(),
            "range": by_day["t2m"].max() - by_day["t2m"].min(),
            "pressure": by_day["sp"].mean() / 100,
            "dew": by_day["d2m"].mean() - 273.15,
        }
    )
    noon = {"noon_blh": hourly["blh"][hourly["blh"].index.hour == 14]}
    night = {"night_blh": hourly["blh"][hourly["blh"].index.hour == 2]}
    return (
        twin,
        shanghai,
        {"wind10": daily["wind10"], "tcc": daily["tcc"], "ssrd": daily["ssrd"]} | noon | night,
    )


def _humidity(warmth: np.ndarray, dew: np.ndarray) -> np.ndarray:
    return np.exp(17.62 * dew / (243.12 + dew) - 17.62 * warmth / (243.12 + warmth))


def compare_seasons(real: Daily, twin: Daily) -> Iterator[Check]:
    """Course of the year: how far monthly means over the cities are off, root mean square."""
    for name, unit, tolerance in (("t", "K", 1.2), ("rh", "%", 5.0), ("u", "m/s", 0.9), ("v", "m/s", 0.9)):
        means = [table.groupby(table.index.month).mean().mean(axis=1) for table in (real[name], twin[name])]
        difference = float(np.sqrt(((means[1] - means[0]) ** 2).mean()))
        yield Check(f"monthly mean {name}: rms difference, {unit}", 0.0, difference, tolerance)
    for season, months in SEASONS.items():
        means = [_of(table["rh"], months).mean().mean() for table in (real, twin)]
        yield Check(f"mean relative humidity {season}, %", *means, 6.0)
        slope = [_northward(_of(table["t"], months).mean()) for table in (real, twin)]
        yield Check(f"temperature northward {season}, K/degree", *slope, 0.3)


def compare_spread(real: Daily, twin: Daily) -> Iterator[Check]:
    """How much days differ from the season: standard deviations, relative to the real one."""
    for name in ("u", "v", "t", "rh", "p"):
        for season, months in SEASONS.items():
            spread = [float(_of(_anomaly(table[name]), months).stack().std()) for table in (real, twin)]
            yield Check(f"spread of daily {name} {season}", *spread, 0.25 * spread[0])


def compare_memory(real: Daily, twin: Daily) -> Iterator[Check]:
    """Autocorrelation of daily anomalies, lags of 1 to 3 days, mean over the cities."""
    for name in ("u", "v", "t", "rh", "p"):
        for lag in (1, 2, 3):
            yield Check(
                f"autocorrelation of {name}, lag {lag} d",
                *(_memory(_anomaly(table[name]), lag) for table in (real, twin)),
                0.12,
            )


def compare_distance(real: Daily, twin: Daily) -> Iterator[Check]:
    """Correlation of daily anomalies of pairs of cities by distance."""
    lon, lat = load_region().lonlat.T
    distance = distance_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    for name, tolerance in (("u", 0.15), ("v", 0.15), ("t", 0.12), ("p", 0.1), ("rh", 0.15)):
        matrix = [np.corrcoef(_anomaly(table[name]).to_numpy().T) for table in (real, twin)]
        for km in DISTANCES_KM:
            pairs = np.abs(distance - km) < 50
            yield Check(
                f"correlation of {name} at {km} km", *(float(m[pairs].mean()) for m in matrix), tolerance
            )


def compare_wind(real: Daily, twin: Daily) -> Iterator[Check]:
    """Speeds relative to the mean, stagnant days and spells of them."""
    relative = [table["speed"] / table["speed"].to_numpy().mean() for table in (real, twin)]
    yield Check(
        "mean speed of the daily vector, m/s", *(t["speed"].to_numpy().mean() for t in (real, twin)), 0.7
    )
    for share in (0.1, 0.5, 0.9):
        yield Check(
            f"speed over its mean, quantile {share}", *(float(np.quantile(r, share)) for r in relative), 0.12
        )
    for season, months in SEASONS.items():
        stagnant = [float((_of(r, months) < STAGNANT).to_numpy().mean()) for r in relative]
        yield Check(f"share of stagnant days {season}", *stagnant, 0.06)
    again = []
    for r in relative:
        calm = (r < STAGNANT).to_numpy()
        again.append(float((calm[1:] & calm[:-1]).sum() / calm[:-1].sum()))
    yield Check("a stagnant day follows a stagnant one", *again, 0.12)


def compare_relations(real: Daily, twin: Daily) -> Iterator[Check]:
    """Correlation of daily anomalies of two quantities."""
    for first, second in (("t", "v"), ("t", "p"), ("rh", "p"), ("t", "rh"), ("u", "rh")):
        for season in ("DJF", "JJA"):
            pairs = []
            for table in (real, twin):
                a, b = (
                    _of(_anomaly(table[name]), SEASONS[season]).to_numpy().ravel() for name in (first, second)
                )
                pairs.append(float(np.corrcoef(a, b)[0, 1]))
            yield Check(f"correlation of {first} and {second} {season}", *pairs, 0.3)


def compare_shanghai(real: pd.DataFrame, twin: pd.DataFrame) -> Iterator[Check]:
    """Rain, range of temperature and pressure at Shanghai."""
    for season, months in SEASONS.items():
        pair = [_of(table, months) for table in (real, twin)]
        yield Check(
            f"Shanghai days with rain {season}", *(float((t["rain"] >= 1).mean()) for t in pair), 0.09
        )
        rain = [float(t["rain"].mean()) for t in pair]
        yield Check(f"Shanghai rain {season}, mm/d", *rain, 0.5 * rain[0])
        yield Check(f"Shanghai daily range {season}, K", *(float(t["range"].mean()) for t in pair), 1.5)
        yield Check(f"Shanghai dew point {season}, °C", *(float(t["dew"].mean()) for t in pair), 1.5)
        yield Check(f"Shanghai pressure {season}, hPa", *(float(t["pressure"].mean()) for t in pair), 2.0)


def _of(table: pd.DataFrame, months: tuple[int, ...]) -> pd.DataFrame:
    return table[table.index.month.isin(months)]


def _anomaly(table: pd.DataFrame) -> pd.DataFrame:
    """Departures from three harmonics of the year."""
    turn = 2 * np.pi * table.index.day_of_year.to_numpy()[:, None] / 365.25 * np.arange(1, 4)
    design = np.column_stack([np.ones(len(table)), np.cos(turn), np.sin(turn)])
    return table - design @ np.linalg.lstsq(design, table.to_numpy(), rcond=None)[0]


def _memory(anomaly: pd.DataFrame, lag: int) -> float:
    follows = (anomaly.index[lag:] - anomaly.index[:-lag]) == pd.Timedelta(days=lag)
    a, b = anomaly.to_numpy()[lag:][follows], anomaly.to_numpy()[:-lag][follows]
    return float(np.mean([np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(a.shape[1])]))


def _northward(mean: pd.Series) -> float:
    """Slope of city means by latitude, K/degree, with longitude accounted for."""
    lon, lat = load_region().lonlat.T
    design = np.column_stack([np.ones(len(lat)), lat, lon])
    return float(np.linalg.lstsq(design, mean.to_numpy(), rcond=None)[0][1])


def compare_all(folder: Path, years: tuple[tuple[int, int], ...]) -> tuple[list[Check], Daily]:
    """Every check, and the drill's daily fields that nothing real stands beside."""
    real, (twin, shanghai, other) = read_real(folder), make_twin(years)
    checks = [
        *compare_seasons(real, twin),
        *compare_spread(real, twin),
        *compare_memory(real, twin),
        *compare_distance(real, twin),
        *compare_wind(real, twin),
        *compare_relations(real, twin),
        *compare_shanghai(read_shanghai(folder), shanghai),
    ]
    return checks, other


def main() -> None:
    """Print every statistic of both worlds."""
    os.environ.setdefault("YRD_AIRQ_CONFIGS", str(ROOT / "configs"))
    folder = Path(ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    checks, other = compare_all(folder, ((2015, 1), (2016, 2), (2017, 3)))
    lines = ["| statistic | real | drill | tolerance | holds |", "|---|---|---|---|---|"]
    lines += [
        f"| {c.name} | {c.real:.3g} | {c.twin:.3g} | {c.tolerance:.2g} | {'yes' if c.holds else 'NO'} |"
        for c in checks
    ]
    lines.append(f"\n{sum(c.holds for c in checks)} of {len(checks)} hold.\n")
    for name, table in other.items():
        by_month = table.groupby(table.index.month).mean().mean(axis=1)
        lines.append(f"drill, monthly mean {name}: " + " ".join(f"{value:.3g}" for value in by_month))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
