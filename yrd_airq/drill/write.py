"""The door of the drill: writes its world as files of the same layouts as the real feeds, and nothing later
than the issue time but the weather forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.drill.archive import write_archive
from yrd_airq.drill.era5 import write_weather
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.stations import observe
from yrd_airq.drill.weather import FIELDS, Weather
from yrd_airq.drill.world import FAULTS, World, make_world, stream


@dataclass(frozen=True)
class DrillFiles:
    """What was written: files by kind, the notice that labels them, and the truth behind the survey.

    ``leaking`` are the ids of the enterprises whose plumes the survey meets; no written file tells them.
    """

    stations_hourly: tuple[Path, ...]
    station_list: Path
    weather_analysis: tuple[Path, ...]
    weather_forecast: Path
    enterprises: Path
    survey: Path
    label_zh: str
    leaking: tuple[str, ...]


def write_drill(folder: Path, settings: DrillSettings) -> DrillFiles:
    """Write the drill's world below ``folder``; the same settings give the same bytes.

    Observations and analyses end at the issue time; one weather forecast reaches beyond it.
    """
    world = make_world(settings)
    return DrillFiles(
        stations_hourly=_write_stations(folder / "stations_hourly", world, settings),
        station_list=_write_csv(folder / "stations" / "station_list.csv", world.network.table),
        weather_analysis=_write_analyses(folder / "weather", world, settings),
        weather_forecast=_write_forecast(folder / "weather", world, settings),
        enterprises=_write_csv(
            folder / "enterprises" / "enterprises.csv",
            # The lists of the feeds give Shanghai the code of its urban districts.
            world.enterprises.replace({"adcode": {"310000": "310100"}}),
        ),
        survey=_write_csv(folder / "survey" / f"drive_{settings.drive.start:%Y%m%d}.csv", world.drive),
        label_zh=settings.label_zh,
        leaking=world.leaking,
    )


def _write_stations(folder: Path, world: World, settings: DrillSettings) -> tuple[Path, ...]:
    reports = observe(world.air, world.network, settings.stations, stream(settings, FAULTS))
    times = world.air.times
    known = np.asarray(
        (times > pd.Timestamp(settings.first_day)) & (times <= pd.Timestamp(settings.issue_time))
    )
    kept = {pollutant: values[known] for pollutant, values in reports.items()}
    return write_archive(folder, times[known], world.network.table["监测点编码"].tolist(), kept)


def _write_analyses(folder: Path, world: World, settings: DrillSettings) -> tuple[Path, ...]:
    """One file a UTC month, from the day before the first day up to the issue time."""
    first = pd.Timestamp(settings.first_day) - pd.Timedelta(days=1)
    known = _thinned(world.weather.between(first, pd.Timestamp(settings.issue_time)), settings)
    utc = known.times - pd.Timedelta(hours=8)
    month = np.asarray(utc.year * 100 + utc.month)
    return tuple(
        write_weather(
            folder / f"era5_single_levels_{stamp}.nc",
            known.between(known.times[month == stamp][0], known.times[month == stamp][-1]),
            world.grid,
            settings.label_zh,
        )
        for stamp in np.unique(month)
    )


def _write_forecast(folder: Path, world: World, settings: DrillSettings) -> Path:
    utc = world.reference - pd.Timedelta(hours=8)
    return write_weather(
        folder / f"forecast_single_levels_{utc:%Y%m%d%H}.nc",
        _thinned(world.forecast, settings),
        world.grid,
        settings.label_zh,
        world.reference,
    )


def _thinned(weather: Weather, settings: DrillSettings) -> Weather:
    """Only the steps that the weather service delivers, counted from 00 UTC."""
    keep = np.asarray((weather.times.hour - 8) % settings.weather_step_hours == 0)
    return Weather(weather.times[keep], **{name: getattr(weather, name)[keep] for name in FIELDS})


def _write_csv(path: Path, table: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    return path
