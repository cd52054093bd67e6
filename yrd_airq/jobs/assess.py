"""After the event: what its controls did to the air, beside what was promised and what was carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.brief.assessment import Assessment, Promise
from yrd_airq.brief.assessment_page import write_assessment
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import InputError
from yrd_airq.forecast.normalise import Expectation, expect_from_weather
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.jobs.issue import newest_days, read_weather
from yrd_airq.jobs.origin import is_drill
from yrd_airq.jobs.upkeep import require_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import Region, load_region, zone_index
from yrd_airq.settings import Event, load, load_event
from yrd_airq.store.store import Store, open_store
from yrd_airq.verify.effect import AssessSettings, Effect, assess_city
from yrd_airq.verify.execution import measure_execution, read_execution
from yrd_airq.vocab import CityDaySource, Precursor, Target

_BENEFIT = {Target.PM25: "benefit_pm25_ugm3", Target.O3_MDA8: "benefit_o3_ugm3"}


@dataclass(frozen=True)
class AssessReport:
    """What ``yrd-airq assess`` found: effects, sentences, and where the report lies."""

    assessment: Assessment
    files: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """2 where nothing can be claimed for any city and target."""
        claimed = any(effect.verdict != "no_claim" for effect in self.assessment.effects)
        return 0 if claimed else InputError.exit_code

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {
            "event": self.assessment.event.code,
            "first": self.assessment.first,
            "last": self.assessment.last,
            "effects": [asdict(effect) for effect in self.assessment.effects],
            "lessons_zh": list(self.assessment.lessons_zh),
            "files": [str(file) for file in self.files],
        }

    def lines(self) -> list[str]:
        """Readable form."""
        return [*self.assessment.lessons_zh, *(str(file) for file in self.files)]


def assess(
    workspace: Workspace,
    event_file: Path,
    execution_file: Path | None = None,
    first: date | None = None,
    last: date | None = None,
) -> AssessReport:
    """Assess the event of ``event_file`` and write the report to ``<out>/assess-<event>``.

    ``first`` … ``last``: days on which controls were really in force, by default those of the event file.
    ``execution_file``: see ``read_execution``. ``InputError`` where the store lacks the control days or
    enough other days to learn from.
    """
    event, region = load_event(event_file), load_region()
    settings = load(AssessSettings, "assess")
    begin, end = first or event.control_start, last or event.end
    if end < begin:
        raise InputError(f"the controls end ({end}) before they start ({begin})")
    reports = read_execution(execution_file) if execution_file is not None else None
    require_store(workspace)
    with open_store(workspace.store, read_only=True) as store:
        panel, source = _read_panel(store, region, begin, end)
        promise = _promise(store, event)
        drill = is_drill(store)
    control_days = np.asarray((panel.dates >= pd.Timestamp(begin)) & (panel.dates <= pd.Timestamp(end)))
    outside = zone_index(event, region.adcodes, *region.lonlat.T) < 0
    expectations = [
        expect_from_weather(panel, target, control_days, settings)
        for target in settings.targets
        if target in panel.values and np.isfinite(panel.values[target]).any()
    ]
    execution = measure_execution(reports, promise.orders) if reports is not None and promise else None
    assessment = Assessment(
        event=event,
        first=begin,
        last=end,
        source=source,
        drill=drill,
        effects=tuple(_effects(expectations, event, control_days, outside, settings)),
        expectations=tuple(expectations),
        weather=tuple(panel.weather),
        promise=promise,
        execution=execution,
        carried_out=settings.carried_out.value,
        coverage=settings.coverage.value,
    )
    files = write_assessment(assessment, region, workspace.out / f"assess-{event.code}")
    return AssessReport(assessment, files)


def _read_panel(store: Store, region: Region, first: date, last: date) -> tuple[Panel, CityDaySource]:
    """The series that covers the control days, stations before the reanalysis, with its weather."""
    spans = newest_days(store)
    for source, (begin, end) in spans.items():
        if begin <= first and last <= end:
            daily = store.city_daily(source)
            # The event lies behind us: analysed weather of every day may be used.
            issue = datetime.combine(end + timedelta(days=1), datetime.max.time())
            weather = read_weather(store, store.weather_files(), begin, end, issue)
            return build_panel(daily, None, weather, region, source=source), source
    held = "; ".join(f"{source.value} {begin} … {end}" for source, (begin, end) in spans.items())
    raise InputError(
        f"no series of city days covers the controls {first} … {last}; the store holds: {held or 'nothing'}"
    )


def _effects(
    expectations: Sequence[Expectation],
    event: Event,
    control_days: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    settings: AssessSettings,
) -> list[Effect]:
    """Every receptor and target, then every other city within the zones."""
    inside = [code for code, out in zip(load_region().adcodes, outside, strict=True) if not out]
    cities = dict.fromkeys((*event.receptors, *inside))
    return [
        assess_city(expectation, code, control_days, outside, settings)
        for code in cities
        for expectation in expectations
    ]


def _promise(store: Store, event: Event) -> Promise | None:
    """The last list that was made for the event before it began, or the last one at all; None without any."""
    runs = store.runs()
    lists = store.control_list()
    own = runs[(runs["event_code"] == event.code) & runs["run_id"].isin(lists["run_id"])]
    if own.empty:
        return None
    early = own[own["issue_time"] < pd.Timestamp(event.start)]
    run = (early if len(early) else own).sort_values("issue_time", kind="stable").iloc[-1]
    table = lists[lists["run_id"] == run["run_id"]]
    table = table[(table["list_version"] == table["list_version"].max()) & (table["status"] == "selected")]
    orders = pd.DataFrame(
        {
            "enterprise_id": table["enterprise_id"].astype(str),
            "asked_cut": _asked_cut(table["measure_code"]),
            "benefit": table[list(_BENEFIT.values())].fillna(0.0).clip(lower=0).sum(axis=1),
            "start": pd.to_datetime(table["start"]),
            "end": pd.to_datetime(table["end"]),
        }
    )
    return Promise(
        run_id=str(run["run_id"]),
        issue_time=run["issue_time"].to_pydatetime(),
        enterprises=len(table),
        benefit={target: float(table[name].sum()) for target, name in _BENEFIT.items()},
        orders=orders.drop_duplicates("enterprise_id").reset_index(drop=True),
    )


def _asked_cut(codes: pd.Series) -> pd.Series:
    """Share of the emission that a measure saves, the mean of its precursors; NaN for unknown measures."""
    cuts = {
        measure.code: sum(float(cut) for cut in measure.cut.values()) / len(Precursor)
        for measure in load(ControlSettings, "control").measures
    }
    return codes.map(cuts)
