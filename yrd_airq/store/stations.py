"""Which stations there were on which day: every list ever taken in, put together to periods of validity."""

from __future__ import annotations

from datetime import date

import pandas as pd

COLUMNS = (
    "station_code",
    "name_zh",
    "city_zh",
    "adcode",
    "counted",
    "background",
    "lon",
    "lat",
    "valid_from",
    "valid_to",
)
"""Columns of the periods; ``valid_from`` and ``valid_to`` are the first and last day, NaT without limit."""

WEB_LAYOUT = "cnemc"
"""How the layouts of hourly web answers begin; they name the stations that reported and no others."""

_STATE = ["city_zh", "adcode", "counted", "background"]
_MOVED_DEG = 0.001
_DAY = pd.Timedelta(days=1)


def station_periods(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a station and period, by code and first day, from the rows of all lists.

    ``rows`` has the columns of ``core_station`` and ``layout``, that of the row's batch. What is known best
    of a code holds for it alone, in this order:

    1. the newest list that gives it dates of its own (opened, closed, moved);
    2. the lists that bear a date: a station holds from its list's date, in the first list without limit,
       until the day before the next list that omits it or has it elsewhere (another city, or moved by more
       than 0.001°). A list speaks only for provinces of which it names a station, so that the list of one
       province closes nothing in another. Of lists of one date the newest counts;
    3. the newest list without a date, without limit either way;
    4. hourly web answers, the newest, likewise.

    Background sites are never counted in a city's mean.
    """
    rows = _clean(rows)
    web = rows["layout"].str.startswith(WEB_LAYOUT)
    own = rows["valid_from"].notna() | rows["valid_to"].notna()
    dated = rows["list_from"].notna() & ~web
    ranked = [
        _newest(rows, own & ~web),
        _from_dated_lists(rows[dated & ~own]),
        _newest(rows, ~own & ~dated & ~web),
        _newest(rows, web),
    ]
    found: list[pd.DataFrame] = []
    settled: set[str] = set()
    for periods in ranked:
        found.append(periods[~periods["station_code"].isin(settled)])
        settled |= set(periods["station_code"])
    joined = pd.concat(found, ignore_index=True)[list(COLUMNS)]
    return joined.sort_values(["station_code", "valid_from"], na_position="first", ignore_index=True)


def stations_on(periods: pd.DataFrame, day: date) -> pd.DataFrame:
    """The periods of ``station_periods`` that hold on ``day``: at most one a station."""
    stamp = pd.Timestamp(day)
    begun = periods["valid_from"].isna() | (periods["valid_from"] <= stamp)
    lasting = periods["valid_to"].isna() | (periods["valid_to"] >= stamp)
    return periods[begun & lasting].reset_index(drop=True)


def _clean(rows: pd.DataFrame) -> pd.DataFrame:
    days = {name: pd.to_datetime(rows[name]).astype("datetime64[us]") for name in ("valid_from", "valid_to")}
    flags = {
        name: rows[name].astype("boolean").fillna(False).astype(bool) for name in ("counted", "background")
    }
    flags["counted"] &= ~flags["background"]
    list_from = pd.to_datetime(rows["list_from"]).astype("datetime64[us]")
    layout = rows["layout"].fillna("").astype("str")
    return rows.assign(**days, **flags, list_from=list_from, layout=layout)


def _newest(rows: pd.DataFrame, chosen: pd.Series) -> pd.DataFrame:
    """All rows that the newest list with a chosen row of a code has of that code."""
    newest = rows[chosen].groupby("station_code")["batch_id"].max()
    return rows[rows["batch_id"] == rows["station_code"].map(newest)]


def _from_dated_lists(rows: pd.DataFrame) -> pd.DataFrame:
    """Periods from a series of lists that each hold from their date."""
    rows = rows.sort_values(["station_code", "list_from", "batch_id"], kind="stable")
    rows = _latest_version(rows)
    if rows.empty:
        return rows
    province = rows["adcode"].str[:2].fillna(rows["city_zh"])
    rows = rows.assign(province=province.groupby(rows["station_code"]).transform("last"))
    lists = rows[["province", "list_from"]].drop_duplicates().sort_values(["province", "list_from"])
    grouped = lists.groupby("province")["list_from"]
    lists = lists.assign(rank=grouped.cumcount(), next_list=grouped.shift(-1))
    rows = rows.merge(lists, on=["province", "list_from"], how="left")
    runs = rows.groupby(_begins_run(rows).cumsum())
    first = runs[["list_from", "rank"]].first()
    # What the newest list of a run leaves blank, such as a position, an older one may give.
    return runs.last().assign(
        valid_from=first["list_from"].where(first["rank"] > 0),
        valid_to=runs["next_list"].last(skipna=False) - _DAY,
    )


def _latest_version(rows: pd.DataFrame) -> pd.DataFrame:
    """Of lists of one date for one province only the newest."""
    province = rows["adcode"].str[:2].fillna(rows["city_zh"])
    newest = rows.groupby([province.rename("province"), "list_from"])["batch_id"].transform("max")
    return rows[rows["batch_id"] == newest]


def _begins_run(rows: pd.DataFrame) -> pd.Series:
    """Which rows, sorted by code and list, do not carry on what the list before says of the station."""
    before = rows.groupby("station_code").shift()
    same = rows["rank"] == before["rank"] + 1
    for name in _STATE:
        same &= (rows[name] == before[name]) | (rows[name].isna() & before[name].isna())
    for name in ("lon", "lat"):
        same &= ~((rows[name] - before[name]).abs() > _MOVED_DEG)
    return ~same
