"""Control lists in the drill world: read back from their files, checked, compared, and which orders hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.drill.measures import load_measures
from yrd_airq.drill.world import World
from yrd_airq.errors import Faults, InputError
from yrd_airq.vocab import Target

NEEDED = ("enterprise_id", "measure_code", "start", "end")
BENEFITS = {Target.O3_MDA8: "benefit_o3_ugm3", Target.PM25: "benefit_pm25_ugm3"}
"""Columns in which a list predicts what each order brings: mean fall over the event's receptors and days."""


def read_control_list(path: Path, world: World) -> pd.DataFrame:
    """The rows of a ``control_list.csv`` that order something, ``start`` and ``end`` as midnights.

    Raises ``InputError`` that names every fault with its line: missing columns, enterprises that neither the
    official list nor the world knows, unknown measures, dates that cannot be read or lie outside the world,
    and two orders for one enterprise on one day.
    """
    table = _read(path)
    faults = Faults(str(path))
    for column in [column for column in NEEDED if column not in table]:
        faults.add(f"column {column} is missing; a control list has {', '.join(NEEDED)}")
    faults.raise_if_any()
    ordered = table[table["measure_code"] != ""].assign(line=lambda rows: rows.index + 2)
    _check_names(ordered, world, faults)
    ordered = _check_dates(ordered, world, faults)
    faults.raise_if_any()
    for benefit in BENEFITS.values():
        stated = ordered[benefit] if benefit in ordered else pd.Series(np.nan, index=ordered.index)
        ordered[benefit] = pd.to_numeric(stated, errors="coerce")
    return ordered.drop(columns="line").reset_index(drop=True)


def predict(ordered: pd.DataFrame) -> dict[Target, float]:
    """What a list says that it brings, by target: the sum over its orders; without a figure, no entry."""
    return {
        target: float(ordered[column].sum())
        for target, column in BENEFITS.items()
        if ordered[column].notna().any()
    }


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file; --list names the control_list.csv of a pack") from exc
    except (OSError, ValueError, pd.errors.ParserError) as exc:
        raise InputError(f"{path}: cannot be read as a CSV control list: {exc}") from exc


def _check_names(ordered: pd.DataFrame, world: World, faults: Faults) -> None:
    known = set(world.official["enterprise_id"]) | set(world.enterprises["enterprise_id"])
    codes = {measure.code for measure in load_measures().measures}
    strangers = ordered[~ordered["enterprise_id"].isin(known)]
    for line, name in _pairs(strangers, "enterprise_id"):
        faults.add(
            f"line {line}: enterprise {name!r} is unknown in this world; was the list made for another?"
        )
    for line, code in _pairs(ordered[~ordered["measure_code"].isin(codes)], "measure_code"):
        faults.add(f"line {line}: measure {code!r} is unknown; known are {', '.join(sorted(codes))}")


def _check_dates(ordered: pd.DataFrame, world: World, faults: Faults) -> pd.DataFrame:
    """The rows with midnights for ``start`` and ``end``; faulty ones are noted and left as they fall."""
    first, last = world.settings.first_day, world.settings.last_day
    table = ordered.copy()
    for column in ("start", "end"):
        table[column] = pd.to_datetime(ordered[column], errors="coerce", format="ISO8601").dt.normalize()
        for line, text in _pairs(ordered[table[column].isna()], column):
            faults.add(f"line {line}: {column} {text!r} is not a date; write it like 2026-08-20")
        outside = (table[column] < pd.Timestamp(first)) | (table[column] > pd.Timestamp(last))
        for line, text in _pairs(ordered[outside], column):
            faults.add(f"line {line}: {column} {text} lies outside the world ({first} … {last})")
    for line, name in _pairs(table[table["end"] < table["start"]], "enterprise_id"):
        faults.add(f"line {line}: the order to {name} ends before it starts")
    table = table.sort_values(["enterprise_id", "start"], kind="stable")
    before = table.groupby("enterprise_id")["end"].shift()
    for line, name in _pairs(table[table["start"] <= before], "enterprise_id"):
        faults.add(f"line {line}: {name} has two orders on one day")
    return table.sort_values("line")


def _pairs(rows: pd.DataFrame, column: str) -> Iterable[tuple[int, str]]:
    return zip(rows["line"].tolist(), rows[column].tolist(), strict=True)


@dataclass(frozen=True)
class Version:
    """A list as it was issued: its orders (``read_control_list``) and whether its plan misses a goal."""

    issued: pd.Timestamp
    orders: pd.DataFrame
    misses_goal: bool


def orders_in_force(versions: Sequence[Version]) -> pd.DataFrame:
    """What is carried out when lists follow one another: one row per enterprise, measure and run of days.

    A version rules from the day after its issue. Who stays on the list goes on with the old order until the
    new one starts. Who is no longer on it is free from then on, unless the version misses a goal: then it
    left out who could not be told in time, not who is needless, and nobody is set free. Columns: ``NEEDED``.
    """
    held = [_by_day(version.orders) for version in versions]
    ruled_from = [version.issued.normalize() + timedelta(days=1) for version in versions]
    in_force = pd.DataFrame({"enterprise_id": [], "day": [], "measure_code": []})
    found = []
    for number, days in enumerate(held):
        stays = in_force["enterprise_id"].isin(days["enterprise_id"]) | versions[number].misses_goal
        in_force = pd.concat([days, in_force[stays]]).drop_duplicates(["enterprise_id", "day"], keep="first")
        until = ruled_from[number + 1] if number + 1 < len(held) else pd.Timestamp.max
        found.append(in_force[(in_force["day"] >= ruled_from[number]) & (in_force["day"] < until)])
    return _join_days(pd.concat(found)) if found else pd.DataFrame(columns=NEEDED)


def _by_day(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every day of every order."""
    count = (table["end"] - table["start"]).dt.days.to_numpy() + 1
    row = np.repeat(np.arange(len(table)), count)
    offset = np.concatenate([np.arange(n) for n in count]) if len(count) else np.array([], dtype=int)
    rows = table.iloc[row]
    return pd.DataFrame(
        {
            "enterprise_id": rows["enterprise_id"].to_numpy(),
            "day": rows["start"].to_numpy() + pd.to_timedelta(offset, unit="D").to_numpy(),
            "measure_code": rows["measure_code"].to_numpy(),
        }
    )


def _join_days(days: pd.DataFrame) -> pd.DataFrame:
    """Runs of days with the same order as one row each."""
    table = days.sort_values(["enterprise_id", "day"]).reset_index(drop=True)
    same = (
        table[["enterprise_id", "measure_code"]]
        .eq(table[["enterprise_id", "measure_code"]].shift())
        .all(axis=1)
    )
    follows = table["day"].diff() == pd.Timedelta(days=1)
    runs = table.groupby((~(same & follows)).cumsum())
    joined = runs.agg(
        enterprise_id=("enterprise_id", "first"),
        measure_code=("measure_code", "first"),
        start=("day", "min"),
        end=("day", "max"),
    )
    return joined.reset_index(drop=True)[list(NEEDED)]
