"""The real check of the trajectories: upwind against neighbouring concentrations in real winters."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from yrd_airq.region import Region, distance_km
from yrd_airq.sources import netcdf_header
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, arrivals_of, back_trajectories
from yrd_airq.transport.upwind import upwind_concentration
from yrd_airq.weather.grid import weather_for

SHANGHAI, HANGZHOU = "310000", "330100"
NEAR_KM = 500.0
WINTERS = (
    (date(2015, 1, 1), date(2015, 2, 28)),
    (date(2015, 12, 1), date(2016, 2, 29)),
    (date(2016, 12, 1), date(2017, 2, 28)),
    (date(2017, 12, 1), date(2017, 12, 30)),
)
"""The archive ends with 2017; its last day has no wind after noon."""


def pm25_of_cities(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily PM2.5 (µg/m³) by day and city, Shanghai as the mean of its districts; positions of the cities."""
    files = sorted((folder / "city_daily_reanalysis").glob("*/*.csv.gz"))
    columns = ["province", "city", "date", "PM2.5"]
    days = pd.concat([pd.read_csv(f, usecols=columns, parse_dates=["date"]) for f in files])
    points = pd.read_csv(folder / "weather" / "capra_city_points.csv")
    for frame in (days, points):
        frame["place"] = frame["city"].where(frame["province"] != "上海市", "上海市")
    place = points.groupby("place")[["lon", "lat"]].mean()
    daily = days.groupby(["date", "place"])["PM2.5"].mean().unstack()
    known = daily.columns.intersection(place.index)
    return daily[known], place.loc[known]


def winter_trajectories(
    folder: Path, region: Region, settings: TransportSettings, first: date, last: date
) -> Trajectories:
    """Ways of the air to Shanghai and Hangzhou on the winds of the daily archive."""
    years = range((first - pd.Timedelta(days=4)).year, (last + pd.Timedelta(days=1)).year + 1)
    paths = [folder / "weather" / f"capra_daily_{year}.nc" for year in years]
    files = pd.concat([netcdf_header.read(p).rows.to_pandas() for p in paths if p.exists()])
    start = pd.Timestamp(first) - pd.Timedelta(hours=settings.hours)
    winds = weather_for(files, start, pd.Timestamp(last) + pd.Timedelta(days=1), pd.Timestamp("2020-01-01"))
    places = {code: (region.city(code).lon, region.city(code).lat) for code in (SHANGHAI, HANGZHOU)}
    return back_trajectories(winds, places, arrivals_of(first, last, settings), settings.hours, settings)


def compare(
    ways: Trajectories,
    adcode: str,
    daily: pd.DataFrame,
    place: pd.DataFrame,
    region: Region,
    settings: TransportSettings,
) -> pd.DataFrame:
    """By day of arrival: PM2.5 of the city, and what is known of the day before: ``upwind``, ``neighbours``
    (mean of all other cities), ``near`` (of those within 500 km) and ``own`` (the city itself)."""
    name = region.city(adcode).name_zh
    others = place.drop(name)
    table = daily[others.index]
    upwind = upwind_concentration(
        ways, ways.receptors.index(adcode), others["lon"], others["lat"], table, settings
    )
    before = upwind.index - pd.Timedelta(days=1)
    at = place.loc[name]
    near = others.index[distance_km(others["lon"], others["lat"], at["lon"], at["lat"]) < NEAR_KM]
    return pd.DataFrame(
        {
            "city": daily[name].reindex(upwind.index),
            "upwind": upwind,
            "neighbours": table.mean(axis=1).reindex(before).to_numpy(),
            "near": table[near].mean(axis=1).reindex(before).to_numpy(),
            "own": daily[name].reindex(before).to_numpy(),
        }
    )


def compare_winters(
    folder: Path, region: Region, settings: TransportSettings
) -> tuple[dict[str, pd.DataFrame], list[Trajectories]]:
    """The comparison of both cities over all winters, and the ways of each winter."""
    daily, place = pm25_of_cities(folder)
    winters = [winter_trajectories(folder, region, settings, *span) for span in WINTERS]
    tables = {
        adcode: pd.concat([compare(ways, adcode, daily, place, region, settings) for ways in winters])
        for adcode in (SHANGHAI, HANGZHOU)
    }
    return tables, winters
