"""The door of the drill: writes its world as files of the same layouts as the real feeds, and nothing later
than the issue time but the weather forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.drill.archive import write_archive, write_arrivals
from yrd_airq.drill.era5 import write_weather
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.weather import FIELDS, Weather
from yrd_airq.drill.world import World, make_world, survey

_DAY = pd.Timedelta(days=1)
# A run of the weather model starts at 00 UTC.
_MORNING = pd.Timedelta(hours=8)


@dataclass(frozen=True)
class DrillFiles:
    """What was written: files by kind, the notice that labels them, and the truth behind the survey.

    ``leaking`` are the ids of the enterprises whose leaks the survey can meet; no written file tells them.
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
    """Write the world of the settings below ``folder``; the same settings give the same bytes."""
    return write_world(folder, make_world(settings))


def write_world(folder: Path, world: World) -> DrillFiles:
    """Write below ``folder`` what is known of a world at its issue time.

    Observations and analyses end at the issue time; one weather forecast reaches beyond it.
    """
    settings = world.settings
    issue = pd.Timestamp(settings.issue_time)
    track, leaking = survey(world, issue.date())
    times = world.reports.times
    begun = np.asarray((times > pd.Timestamp(settings.first_day)) & (times <= issue))
    known = {pollutant: table[begun] for pollutant, table in world.reports.known_at(issue).items()}
    return DrillFiles(
        stations_hourly=write_archive(folder / "stations_hourly", times[begun], world.network.codes, known),
        station_list=_write_csv(folder / "stations" / "station_list.csv", world.network.table),
        weather_analysis=_write_analyses(folder, world, pd.Timestamp(settings.first_day) - _DAY, issue),
        weather_forecast=_write_forecast(folder, world, issue.floor("D") + _MORNING),
        enterprises=_write_csv(folder / "enterprises" / "enterprises.csv", world.official),
        survey=_write_csv(folder / "survey" / f"drive_{issue:%Y%m%d}.csv", track),
        label_zh=settings.label_zh,
        leaking=leaking,
    )


def write_day(folder: Path, world: World, day: date) -> tuple[Path, ...]:
    """Write below ``folder`` what arrives up to the issue hour of ``day``, from that of the day before.

    New, late and corrected hours of the stations, the newest analyses, the forecast of the morning and the
    day's mobile survey; the issue hour is that of the scenario. The world goes on as it is, whatever was
    decided: what a list changes is told by ``replay``.
    """
    now = pd.Timestamp.combine(day, world.settings.issue_time.time())
    reports = world.reports
    arrived = reports.arrived_between(now - _DAY, now) & np.asarray(reports.times <= now)
    track, _ = survey(world, day)
    return (
        write_arrivals(
            folder / "stations_hourly" / f"national_yrd_{day:%Y%m%d}.csv.gz",
            reports.times,
            world.network.codes,
            reports.known_at(now),
            arrived,
        ),
        *_write_analyses(folder, world, now - _DAY + pd.Timedelta(hours=1), now, f"{day:%Y%m%d}"),
        _write_forecast(folder, world, pd.Timestamp(day) + _MORNING),
        _write_csv(folder / "survey" / f"drive_{day:%Y%m%d}.csv", track),
    )


def _write_analyses(
    folder: Path, world: World, first: pd.Timestamp, last: pd.Timestamp, stamp: str = ""
) -> tuple[Path, ...]:
    """Analyses from ``first`` to ``last``: one file a UTC month, or the one file named by ``stamp``."""
    known = _thinned(world, world.weather_between(first, last))
    utc = known.times - _MORNING
    name = np.full(len(utc), stamp) if stamp else utc.strftime("%Y%m").to_numpy()
    return tuple(
        write_weather(
            folder / "weather" / f"era5_single_levels_{each}.nc",
            known.between(known.times[name == each][0], known.times[name == each][-1]),
            world.grid,
            world.settings.label_zh,
        )
        for each in np.unique(name)
    )


def _write_forecast(folder: Path, world: World, reference: pd.Timestamp) -> Path:
    return write_weather(
        folder / "weather" / f"forecast_single_levels_{reference - _MORNING:%Y%m%d%H}.nc",
        world.forecast(reference),
        world.grid,
        world.settings.label_zh,
        reference,
    )


def _thinned(world: World, weather: Weather) -> Weather:
    """Only the steps that the weather service delivers, counted from 00 UTC."""
    step = world.weather_settings.forecast.step_hours
    keep = np.asarray((weather.times.hour - 8) % step == 0)
    return Weather(weather.times[keep], *(getattr(weather, name)[keep] for name in (*FIELDS, "u", "v")))


def _write_csv(path: Path, table: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    return path
