"""How like the real air the drill's is: figures of both side by side, each with a tolerance.

``python -m tests.bench.plausibility [summer|autumn|winter …]`` prints them. Real figures come from the
real-data folder (YRD_AIRQ_REAL_DATA): hourly national stations of January to September 2019, daily weather of
Shanghai, and the city-day reanalysis of 2013 to 2017 for the seasons. Two figures agree if they differ by no
more than the tolerance: a share of the real one (``x``), or a difference (``+``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from yrd_airq.clock import day_of_label
from yrd_airq.drill.settings import load_scenario
from yrd_airq.drill.world import World, make_world
from yrd_airq.region import distance_km, load_region
from yrd_airq.vocab import Pollutant

Hourly = dict[Pollutant, pd.DataFrame]
_NAMES = {
    Pollutant.SO2: "SO2",
    Pollutant.NO2: "NO2",
    Pollutant.CO: "CO",
    Pollutant.O3: "O3",
    Pollutant.PM10: "PM10",
    Pollutant.PM25: "PM2.5",
}
BANDS_KM = ((20, 100), (100, 200), (200, 400), (400, 700))


@dataclass(frozen=True)
class Season:
    """A season of the world, and the months of the real data that it is compared with."""

    scenario: str
    first_day: date
    last_day: date
    months: tuple[int, ...]


SEASONS = {
    "summer": Season("summer_ozone", date(2026, 6, 1), date(2026, 8, 27), (6, 7, 8)),
    "autumn": Season("autumn_mixed", date(2026, 9, 1), date(2026, 9, 30), (9,)),
    "winter": Season("winter_haze", date(2026, 12, 28), date(2027, 2, 28), (1, 2)),
}


@dataclass(frozen=True)
class Figure:
    """A figure and how far world and reality may be apart: a share of the real one, or a difference."""

    name: str
    tolerance: float
    relative: bool

    def holds(self, world: float, real: float) -> bool:
        """Whether the two figures agree."""
        return abs(world - real) <= self.tolerance * (abs(real) if self.relative else 1.0)


FIGURES = (
    Figure("O3 hour of maximum", 1.5, False),
    Figure("O3 mean maximum/minimum of the day", 0.5, True),
    Figure("O3 hourly mean", 0.25, True),
    Figure("MDA8 mean", 0.2, True),
    Figure("MDA8 90th percentile", 0.2, True),
    Figure("MDA8 standard deviation in time", 0.3, True),
    Figure("MDA8 days above 160, share", 0.1, False),
    Figure("MDA8 lag 1 day", 0.15, False),
    Figure("NO2 hour of minimum", 2, False),
    Figure("NO2 mean maximum/minimum of the day", 0.4, True),
    Figure("NO2 mean", 0.3, True),
    Figure("NO2 spread between cities", 0.4, True),
    Figure("O3-NO2 hourly correlation", 0.2, False),
    Figure("PM2.5 mean", 0.25, True),
    Figure("PM2.5 90th/50th percentile of days", 0.25, True),
    Figure("PM2.5 coefficient of variation in time", 0.35, True),
    Figure("PM2.5 days above 75, share", 0.1, False),
    Figure("PM2.5 lag 1 day", 0.15, False),
    Figure("PM2.5 lag 3 days", 0.2, False),
    Figure("PM2.5/PM10", 0.2, True),
    Figure("SO2 mean", 0.4, True),
    Figure("CO mean", 0.4, True),
    *(
        Figure(f"{what} correlation of cities {a}-{b} km", 0.2, False)
        for what in ("MDA8", "PM2.5")
        for a, b in BANDS_KM
    ),
    Figure("MDA8-temperature correlation, Shanghai", 0.25, False),
    Figure("MDA8 per K of temperature, Shanghai", 0.6, True),
)


def describe(hourly: Hourly) -> dict[str, float]:
    """Figures of hourly city means (time, city; hour-ending labels), gaps allowed."""
    ozone, no2, fine = hourly[Pollutant.O3], hourly[Pollutant.NO2], hourly[Pollutant.PM25]
    mda8, daily = daily_mda8(ozone), daily_mean(fine)
    course = {
        name: table.mean(axis=1).groupby(table.index.hour).mean()
        for name, table in (("o3", ozone), ("no2", no2))
    }
    both = [ozone[city].corr(no2[city]) for city in ozone]
    figures = {
        "O3 hour of maximum": float(course["o3"].idxmax()),
        "O3 mean maximum/minimum of the day": course["o3"].max() / course["o3"].min(),
        "O3 hourly mean": ozone.stack().mean(),
        "MDA8 mean": mda8.stack().mean(),
        "MDA8 90th percentile": mda8.stack().quantile(0.9),
        "MDA8 standard deviation in time": mda8.std().mean(),
        "MDA8 days above 160, share": (mda8.stack() > 160).mean(),
        "MDA8 lag 1 day": lagged(mda8, 1),
        "NO2 hour of minimum": float(course["no2"].idxmin()),
        "NO2 mean maximum/minimum of the day": course["no2"].max() / course["no2"].min(),
        "NO2 mean": no2.stack().mean(),
        "NO2 spread between cities": no2.mean().std(),
        "O3-NO2 hourly correlation": float(np.nanmean(both)),
        "PM2.5 mean": daily.stack().mean(),
        "PM2.5 90th/50th percentile of days": daily.stack().quantile(0.9) / daily.stack().quantile(0.5),
        "PM2.5 coefficient of variation in time": (daily.std() / daily.mean()).mean(),
        "PM2.5 days above 75, share": (daily.stack() > 75).mean(),
        "PM2.5 lag 1 day": lagged(daily, 1),
        "PM2.5 lag 3 days": lagged(daily, 3),
        "PM2.5/PM10": fine.stack().mean() / hourly[Pollutant.PM10].stack().mean(),
        "SO2 mean": hourly[Pollutant.SO2].stack().mean(),
        "CO mean": hourly[Pollutant.CO].stack().mean(),
    }
    for what, table in (("MDA8", mda8), ("PM2.5", daily)):
        for (a, b), value in zip(BANDS_KM, correlation_by_distance(table), strict=True):
            figures[f"{what} correlation of cities {a}-{b} km"] = value
    return {name: float(value) for name, value in figures.items()}


def describe_warmth(ozone: pd.DataFrame, warmest: pd.Series) -> dict[str, float]:
    """How Shanghai's MDA8 follows the day's highest temperature (day; °C)."""
    both = pd.DataFrame({"o3": daily_mda8(ozone)["310000"], "t": warmest}).dropna()
    return {
        "MDA8-temperature correlation, Shanghai": both["o3"].corr(both["t"]),
        "MDA8 per K of temperature, Shanghai": float(np.polyfit(both["t"], both["o3"], 1)[0]),
    }


def daily_mean(hourly: pd.DataFrame) -> pd.DataFrame:
    """Daily means of days with at least 20 hours."""
    groups = hourly.groupby(day_of_label(pd.DatetimeIndex(hourly.index)))
    return groups.mean().where(groups.count() >= 20)


def daily_mda8(ozone: pd.DataFrame) -> pd.DataFrame:
    """Largest 8-h mean of each day with at least 14 of its 17 windows."""
    whole = ozone.reindex(pd.date_range(ozone.index[0], ozone.index[-1], freq="h"))
    running = whole.rolling(8, min_periods=6).mean()
    labels = pd.DatetimeIndex(running.index)
    inside = running[(labels.hour >= 8) | (labels.hour == 0)]
    groups = inside.groupby(day_of_label(pd.DatetimeIndex(inside.index)))
    return groups.max().where(groups.count() >= 14)


def lagged(daily: pd.DataFrame, days: int) -> float:
    """Mean over the cities of the correlation of a day with the one some days before."""
    steady = daily.asfreq("D")
    return float(np.nanmean([steady[city].corr(steady[city].shift(days)) for city in steady]))


def correlation_by_distance(daily: pd.DataFrame) -> Iterator[float]:
    """Mean correlation of city pairs in each band of distance."""
    region = load_region()
    at = np.array([[region.city(code).lon, region.city(code).lat] for code in daily.columns])
    km = distance_km(at[:, 0, None], at[:, 1, None], at[:, 0], at[:, 1])
    matrix = daily.corr().to_numpy()
    for a, b in BANDS_KM:
        yield float(np.nanmean(matrix[(km >= a) & (km < b)]))


def real_hourly(folder: Path, months: tuple[int, ...]) -> Hourly:
    """Hourly city means of the 2019 national stations in some months."""
    stations = pd.read_csv(folder / "stations/station_list.csv").drop_duplicates("监测点编码")
    region = load_region()
    city = {
        code: region.adcode_of_name(str(name))
        for code, name in zip(stations["监测点编码"], stations["城市"], strict=True)
    }
    parts = [pd.read_csv(folder / f"stations_hourly/cnemc_yrd_2019{month:02d}.csv.gz") for month in months]
    table = pd.concat(parts, ignore_index=True)
    # Labels are hour-ending: the hour that ends at midnight is hour 0 of the following day.
    stamp = pd.to_datetime(table["date"].astype(str)) + pd.to_timedelta(table["hour"], unit="h")
    out = {}
    for pollutant, name in _NAMES.items():
        rows = table["type"] == name
        wide = table[rows].drop(columns=["date", "hour", "type"]).set_index(pd.DatetimeIndex(stamp[rows]))
        known = wide.loc[:, [city.get(code) is not None for code in wide.columns]]
        out[pollutant] = known.T.groupby([city[code] for code in known.columns]).mean().T.sort_index()
    return out


def real_warmest(folder: Path) -> pd.Series:
    """Highest temperature of each day in Shanghai, °C."""
    table = pd.read_csv(folder / "weather/shanghai_daily.csv")
    return table["tempmax"].set_axis(pd.to_datetime(table["date"]))


def real_seasons(folder: Path) -> dict[str, float]:
    """Winter over summer of PM2.5, NO2 and mean O3 in the city-day reanalysis of 2013 to 2017."""
    files = [
        path
        for city in load_region().cities
        for path in folder.glob(f"city_daily_reanalysis/*/{city.name_zh}*.gz")
    ]
    table = pd.concat([pd.read_csv(path) for path in files])
    month = pd.to_datetime(table["date"].astype(str)).dt.month
    return {
        name: table[name][month.isin(SEASONS["winter"].months)].mean()
        / table[name][month.isin(SEASONS["summer"].months)].mean()
        for name in ("PM2.5", "NO2", "O3")
    }


def world_hourly(world: World) -> Hourly:
    """Hourly city means of the world's truth, without its first days."""
    truth = world.course.truth
    keep = np.asarray(truth.times > pd.Timestamp(world.settings.first_day))
    codes = np.array(world.network.adcode)
    return {
        pollutant: pd.DataFrame(values[keep][:, codes != ""], index=truth.times[keep])
        .T.groupby(codes[codes != ""])
        .mean()
        .T
        for pollutant, values in truth.values.items()
    }


def world_warmest(world: World) -> pd.Series:
    """Highest temperature of each day in Shanghai, °C."""
    place = world.region.city("310000")
    weights = world.grid.weights_to([place.lon], [place.lat])[:, 0].astype(np.float32)
    warmth = pd.Series(world.weather.t2m.reshape(len(world.weather.times), -1) @ weights, world.weather.times)
    return warmth.groupby(day_of_label(world.weather.times)).max() - 273.15


def compare(name: str, folder: Path, say: Callable[[str], None]) -> Hourly:
    """Print the figures of one season; the hourly city means of the world."""
    season = SEASONS[name]
    settings = load_scenario(season.scenario)
    world = make_world(
        settings.model_copy(update={"first_day": season.first_day, "last_day": season.last_day})
    )
    hourly, stations = world_hourly(world), real_hourly(folder, season.months)
    ours = describe(hourly) | describe_warmth(hourly[Pollutant.O3], world_warmest(world))
    real = describe(stations) | describe_warmth(stations[Pollutant.O3], real_warmest(folder))
    say(f"\n| {name}: {season.scenario} | world | real | tolerance | holds |\n|---|---|---|---|---|")
    verdicts = [say_figure(figure, ours[figure.name], real[figure.name], say) for figure in FIGURES]
    say(f"{sum(verdicts)} of {len(verdicts)} hold")
    return hourly


def say_figure(figure: Figure, mine: float, true: float, say: Callable[[str], None]) -> bool:
    """Print one line of the table; whether the figure holds."""
    holds = figure.holds(mine, true)
    tolerance = f"{'x' if figure.relative else '+'}{figure.tolerance:g}"
    say(f"| {figure.name} | {mine:.2f} | {true:.2f} | {tolerance} | {'yes' if holds else 'NO'} |")
    return holds


def main(seasons: list[str]) -> None:
    """All seasons, or those named."""
    os.chdir(ROOT)
    folder = Path(os.environ.get("YRD_AIRQ_REAL_DATA", ""))
    if not (folder / "stations_hourly").is_dir():
        sys.stdout.write("no real-data folder; name it in YRD_AIRQ_REAL_DATA\n")
        return
    made = {name: compare(name, folder, write_line) for name in seasons or SEASONS}
    if len(made) < len(SEASONS):
        return
    write_line(
        "\n| winter over summer | world | reanalysis 2013-2017 | tolerance | holds |\n|---|---|---|---|---|"
    )
    for name, real in real_seasons(folder).items():
        pollutant = next(p for p, word in _NAMES.items() if word == name)
        mine = made["winter"][pollutant].stack().mean() / made["summer"][pollutant].stack().mean()
        say_figure(Figure(name, 0.35, relative=True), float(mine), real, write_line)


def write_line(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
