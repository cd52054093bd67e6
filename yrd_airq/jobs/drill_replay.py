"""A control list carried out in the drill world: what truly changes, beside what the list predicts (演练)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.brief.content import Occasion, read_pack
from yrd_airq.drill.settings import DEFAULT_SCENARIO, DrillSettings, load_scenario
from yrd_airq.drill.world import World, make_world, replay
from yrd_airq.errors import InputError
from yrd_airq.jobs.drill_list import predict, read_control_list
from yrd_airq.jobs.run import drill_world
from yrd_airq.region import load_region
from yrd_airq.settings import load_event
from yrd_airq.vocab import Target

PACK_FILE = "pack.json"
SHOWN = (Target.O3_MDA8, Target.PM25)
"""Targets that are printed for every city; the others for the receptors only."""
COLUMNS = ("adcode", "city_zh", "date", "target", "base", "controlled", "change")


@dataclass(frozen=True)
class Scope:
    """Where and when an event wants clean air: what a list's predicted benefit is a mean over."""

    name_zh: str
    receptors: tuple[str, ...]
    first: date
    last: date

    def of(self, changes: pd.DataFrame) -> pd.DataFrame:
        """The rows of the receptors on the event's days."""
        days = pd.to_datetime(changes["date"]).dt.date
        return changes[changes["adcode"].isin(self.receptors) & (days >= self.first) & (days <= self.last)]


@dataclass(frozen=True)
class ReplayReport:
    """What carrying out a list truly changes.

    ``changes`` (``COLUMNS``): every city, day and target in µg/m³ (CO mg/m³), ``change`` = controlled − base.
    ``predicted`` and ``true_fall``: mean fall over the event's receptors and days, by target (µg/m³).
    ``required``: what the list's pack promised for each goal beside the true fall, empty without a pack.
    ``closed``: listed enterprises that no longer exist, whose orders do nothing.
    """

    scenario: str
    label_zh: str
    list_file: Path
    execution: float
    scope: Scope
    ordered: int
    closed: int
    changes: pd.DataFrame
    predicted: Mapping[Target, float]
    true_fall: Mapping[Target, float]
    promised: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {
            "label_zh": self.label_zh,
            "scenario": self.scenario,
            "list": str(self.list_file),
            "execution": self.execution,
            "event_zh": self.scope.name_zh,
            "receptors": list(self.scope.receptors),
            "days": [self.scope.first.isoformat(), self.scope.last.isoformat()],
            "orders": self.ordered,
            "orders_to_closed_enterprises": self.closed,
            "predicted_fall_ugm3": {target.value: round(v, 3) for target, v in self.predicted.items()},
            "true_fall_ugm3": {target.value: round(v, 3) for target, v in self.true_fall.items()},
            "promised": as_records(self.promised),
            "changes": as_records(self.changes),
        }

    def lines(self) -> list[str]:
        """Readable form: predicted beside true, then city by city and day by day."""
        head = [
            f"{self.label_zh}  {self.scenario}: {self.list_file}, {self.ordered} orders "
            f"({self.closed} to enterprises that no longer exist), {self.execution:.0%} carried out",
            f"{self.scope.name_zh}, {self.scope.first} … {self.scope.last}, mean of "
            f"{', '.join(city_names(self.scope.receptors))}: fall in µg/m³, negative where it rises",
        ]
        for target, fall in self.true_fall.items():
            said = self.predicted.get(target)
            stated = f"{said:7.2f}" if said is not None else "      -"
            head.append(f"  {target.value:8} predicted {stated}   true {fall:7.2f}")
        return [*head, *self._promises(), *_change_lines(self.changes, self.scope.receptors)]

    def _promises(self) -> list[str]:
        return [
            f"  {row.city_zh} {row.date} {row.target}: promised {row.promised:.2f}, true {row.true_fall:.2f}"
            for row in self.promised.itertuples()
        ]


def replay_list(
    list_file: Path, scenario: str | None = None, execution: float = 1.0, folder: Path | None = None
) -> ReplayReport:
    """Carry out a control list in the world of a scenario and compare with what the list predicts.

    ``execution`` (0–1): share of the enterprises that do what they are told. ``folder``: where the world is
    kept, made there if it is not yet. The event is that of the pack the list lies in, else the scenario's.
    """
    if not 0 <= execution <= 1:
        raise InputError(f"--execution {execution} is no share; give a number from 0 to 1")
    settings = load_scenario(scenario or DEFAULT_SCENARIO)
    world = open_world(settings, folder)
    orders = read_control_list(list_file, world)
    scope, promised = _scope(list_file, settings.event_file)
    changes = carry_out_orders(world, orders, execution)
    at_event = scope.of(changes)
    fall = -at_event.groupby("target")["change"].mean() if len(at_event) else pd.Series(dtype=float)
    return ReplayReport(
        scenario=settings.name,
        label_zh=settings.label_zh,
        list_file=list_file,
        execution=execution,
        scope=scope,
        ordered=len(orders),
        closed=int((~orders["enterprise_id"].isin(world.enterprises["enterprise_id"])).sum()),
        changes=changes,
        predicted=predict(orders),
        true_fall={target: float(fall[target.value]) for target in Target if target.value in fall},
        promised=_keep_promises(promised, changes),
    )


def open_world(settings: DrillSettings, folder: Path | None = None) -> World:
    """The world of the settings with its kept truth; made first if no folder is given and none is kept.

    ``InputError`` if ``folder`` holds no drill world, or one of other settings.
    """
    kept = (folder or drill_world(settings)) / "truth"
    if not kept.is_dir():
        raise InputError(f"{folder}: holds no drill world; leave out --world, and the world is made")
    world = make_world(settings, kept=kept)
    times = world.course.truth.times
    if times[0] <= world.first or times[-1] != world.last:
        raise InputError(
            f"{folder}: the world kept there lives from {times[0]} to {times[-1]}, scenario {settings.name} "
            f"from {world.first} to {world.last}; name the scenario it was made for (--scenario)"
        )
    return world


def carry_out_orders(world: World, orders: pd.DataFrame, execution: float) -> pd.DataFrame:
    """What orders truly change (``COLUMNS``); empty if nothing is ordered."""
    changed = replay(world, orders, execution)
    cities = {city.adcode: city.name_zh for city in load_region().cities}
    table = changed.assign(
        city_zh=changed["adcode"].map(cities),
        date=pd.to_datetime(changed["date"]).dt.date,
        change=(changed["controlled"] - changed["base"]).astype(float),
    )
    return table[list(COLUMNS)].sort_values(["target", "adcode", "date"]).reset_index(drop=True)


def _scope(list_file: Path, event_file: Path) -> tuple[Scope, pd.DataFrame]:
    """The event of the list's pack with its promised falls, else the scenario's event without any."""
    pack = list_file.parent / PACK_FILE
    if not pack.is_file():
        event = load_event(event_file)
        return Scope(event.name_zh, event.receptors, event.start, event.end), pd.DataFrame()
    brief = read_pack(pack)
    occasion: Occasion | None = brief.occasion
    if occasion is None or brief.control is None:
        raise InputError(f"{pack}: the pack is of no event, so it holds no control list")
    rows = [
        {"adcode": r.adcode, "city_zh": r.city_zh, "date": r.date, "target": r.target, "promised": r.achieved}
        for r in brief.control.requirements
    ]
    return Scope(occasion.name_zh, occasion.receptors, occasion.start, occasion.end), pd.DataFrame(rows)


def _keep_promises(promised: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    if promised.empty:
        return promised
    seen = changes[["adcode", "date", "target", "change"]]
    both = promised.astype({"target": str}).merge(seen, on=["adcode", "date", "target"], how="inner")
    return both.assign(true_fall=-both["change"]).drop(columns="change")


def _change_lines(changes: pd.DataFrame, receptors: tuple[str, ...]) -> list[str]:
    """For each target a table of cities by days: true change, and the value without the list."""
    lines = []
    for target in dict.fromkeys([*(t.value for t in SHOWN), *changes["target"].unique()]):
        rows = changes[changes["target"] == target]
        if target not in {t.value for t in SHOWN}:
            rows = rows[rows["adcode"].isin(receptors)]
        if rows.empty:
            continue
        lines.append(f"{target}: true change (value without the list) by day, receptors marked *")
        days = sorted(rows["date"].unique())
        lines.append(" " * 10 + "".join(f"{day:%m-%d}".rjust(17) for day in days))
        for _, city in rows.groupby("adcode", sort=True):
            name = ("*" if city["adcode"].iloc[0] in receptors else " ") + city["city_zh"].iloc[0]
            cells = [f"{row.change:+8.2f} ({row.base:6.1f})" for row in city.sort_values("date").itertuples()]
            lines.append(f"{name:8}" + "".join(cells))
    return lines


def city_names(adcodes: tuple[str, ...]) -> list[str]:
    """Chinese names of cities."""
    region = load_region()
    return [region.city(code).name_zh for code in adcodes]


def as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, numbers to three digits, what is missing as None."""
    rounded = table.round(3).astype(object)
    rounded = rounded.where(rounded.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in rounded.to_dict("records")]
