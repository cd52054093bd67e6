"""A run's results into the store and into a pack folder: what is handed to the brief, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.brief.compose import Issue, Results, compose
from yrd_airq.brief.render import render
from yrd_airq.brief.review import Hindsight
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.brief.version_section import describe_version
from yrd_airq.errors import InfeasibleError
from yrd_airq.forecast.baselines import DAMPED, NORMAL, PERSISTENCE
from yrd_airq.forecast.drift import State
from yrd_airq.forecast.ozone import observed_mda8
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.details import Details
from yrd_airq.jobs.emergency import EmergencyCase
from yrd_airq.jobs.forecasting import CHECKED_ISSUES, ISSUED, Issued, facts_of, pair_observed
from yrd_airq.jobs.guarantee import Guarantee
from yrd_airq.jobs.ingest import IngestReport
from yrd_airq.jobs.issue import IssueData
from yrd_airq.jobs.lineage import describe_lineage, inputs_hash
from yrd_airq.jobs.list_version import Draft, keep_version
from yrd_airq.jobs.origin import is_drill
from yrd_airq.jobs.workspace import Workspace, code_version, name_run, settings_hash
from yrd_airq.region import load_region
from yrd_airq.settings import Event, load
from yrd_airq.sources.batch import Kind
from yrd_airq.store.records import RunRecord
from yrd_airq.store.store import Store
from yrd_airq.verify.scores import score
from yrd_airq.vocab import CityDaySource, WeatherKind


@dataclass(frozen=True)
class Occasion:
    """The version of an event's list that a pack carries, and what was planned for it."""

    draft: Draft
    guarantee: Guarantee

    @property
    def event(self) -> Event:
        """The event."""
        return self.draft.event


@dataclass(frozen=True)
class PackReport:
    """A pack that was written; ``exit_code`` 3 says that its plan misses a goal.

    ``list_zh``: which version of the event's list it carries, and what that changes.
    """

    run_id: str
    kind: str
    issue_time: datetime
    pack: Path
    conclusion_zh: str
    exit_code: int = 0
    ingest: IngestReport | None = None
    list_version: int | None = None
    list_zh: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        ingest = self.ingest.as_dict() if self.ingest is not None else None
        return {**self.__dict__, "pack": str(self.pack), "ingest": ingest}

    def lines(self) -> list[str]:
        """Readable form."""
        read = self.ingest.lines() if self.ingest is not None else []
        return [
            *read,
            f"{self.run_id}, issued {self.issue_time:%Y-%m-%d %H:%M} Beijing time",
            self.conclusion_zh,
            *([self.list_zh] if self.list_zh else []),
            f"pack: {self.pack}",
        ]


def write_pack(
    workspace: Workspace,
    store: Store,
    issued: Issued,
    details: Details,
    emergency: EmergencyCase,
    occasion: Occasion | None = None,
) -> PackReport:
    """Keep the results under a run id and render the brief: daily without an occasion, else of the event."""
    data = issued.data
    event = occasion.event if occasion else None
    guarantee = occasion.guarantee if occasion else None
    kind = "daily" if event is None else "event"
    run_id = occasion.draft.run_id if occasion else name_run(kind, *run_facts(store, issued))
    version = keep_version(store, occasion.draft, occasion.guarantee) if occasion else None
    hindsight = _hindsight(store, issued)
    brief = compose(
        Issue(
            run_id=run_id,
            issue_time=data.issue_time,
            data_cutoff=_cutoff(issued),
            event=event,
            drill=is_drill(store),
            hindcast=hindsight is not None,
        ),
        Results(
            forecasts=pd.concat([issued.rows, issued.baselines], ignore_index=True),
            observed=_observed(data),
            observed_source=data.source,
            lineage=describe_lineage(store, _kinds_used(issued, guarantee), issued.cards, _methods(issued)),
            weather=_weather_ahead(issued),
            trajectories=guarantee.trajectories if guarantee else None,
            clusters=guarantee.clusters if guarantee else None,
            rose=guarantee.rose if guarantee else None,
            isopleth=guarantee.isopleth if guarantee else None,
            attribution=guarantee.attribution if guarantee else None,
            plan=guarantee.plan if guarantee else None,
            enterprises=guarantee.enterprises if guarantee else None,
            hotspots=guarantee.hotspots if guarantee else None,
            traced=guarantee.traced if guarantee else None,
            scores=issued.scores if len(issued.scores) else None,
            scores_period_zh=f"近{CHECKED_ISSUES}期预报（同一模型逐日回算，检验日不在训练期内）",
            previous=issued.previous,
            running=details.running.rows() if details.running is not None else None,
            reasons=details.reasons,
            hindsight=hindsight,
            observed_converted=data.source is CityDaySource.REANALYSIS,
            emergency=emergency.part if emergency.worth_telling else None,
            list_version=version,
            notes_zh=_notes(issued, guarantee),
        ),
        load_region(),
        load_brief_settings(),
    )
    missed = guarantee is not None and guarantee.plan.status == "infeasible_relaxed"
    _keep(store, run_id, kind, issued, event, guarantee, "goal missed" if missed else "done")
    name = occasion.draft.pack_name if occasion else f"daily-{data.issue_time:%Y%m%dT%H%M}"
    return PackReport(
        run_id=run_id,
        kind=kind,
        issue_time=data.issue_time,
        pack=render(brief, workspace.out / name),
        conclusion_zh=brief.conclusion.text_zh,
        exit_code=InfeasibleError.exit_code if missed else 0,
        list_version=version.list_version if version else None,
        list_zh=describe_version(version) if version else "",
    )


def run_facts(store: Store, issued: Issued, event_hash: str = "") -> tuple[str, ...]:
    """All that a run depends on: the forecast's facts, the event's file, the code; it names the run."""
    return (*facts_of(store, issued), event_hash, code_version())


def _keep(
    store: Store,
    run_id: str,
    kind: str,
    issued: Issued,
    event: Event | None,
    guarantee: Guarantee | None,
    status: str,
) -> None:
    """Write what the run made, so that it can be looked up and assessed later."""
    data = issued.data
    if len(issued.scores):
        store.write_output("out_score", run_id, _long_scores(issued.scores))
    if guarantee is not None:
        store.write_output("out_attribution", run_id, guarantee.attribution.budget)
    store.write_run(
        RunRecord(
            run_id,
            kind,
            data.issue_time,
            event.code if event else None,
            inputs_hash(store),
            settings_hash(),
            code_version(),
            status,
        )
    )


def _long_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores as one row per metric, the shape in which they are stored."""
    keys = ["target", "model", "lead_day"]
    long = scores.melt(id_vars=keys, var_name="metric", value_name="value")
    return long.assign(scope="recent_issues", value=pd.to_numeric(long["value"]))


def _hindsight(store: Store, issued: Issued) -> Hindsight | None:
    """How this issue turned out, if the store knows the forecast days already: then the run is a hindcast."""
    data = issued.data
    after = store.city_daily(data.source, data.issue_time.date() + timedelta(days=1))
    own = issued.rows.assign(model=ISSUED)
    paired = pair_observed(pd.concat([own, issued.baselines], ignore_index=True), after)
    if paired.empty:
        return None
    simple = paired[paired["model"] == PERSISTENCE].rename(columns={"mean": "persistence"})
    return Hindsight(simple[["adcode", "valid_date", "target", "observed", "persistence"]], score(paired))


def _observed(data: IssueData) -> pd.DataFrame:
    """Observations up to the issue, with MDA8 from the daily mean where the archive has only that."""
    if data.source is not CityDaySource.REANALYSIS:
        return data.daily
    converted = observed_mda8(data.daily, load(ForecastSettings, "forecast"))
    return pd.concat([data.daily, converted], ignore_index=True)


def _cutoff(issued: Issued) -> datetime:
    """Time of the newest observation that was used."""
    data = issued.data
    if data.panel.today:
        return data.issue_time
    last: date = data.daily["date"].max().date() if len(data.daily) else data.panel.first
    return datetime(last.year, last.month, last.day) + timedelta(days=1)


def _weather_ahead(issued: Issued) -> pd.DataFrame | None:
    """City weather of the issue date and the days ahead, for the brief."""
    weather = issued.data.weather
    if weather.empty:
        return None
    ahead = weather[weather["date"] >= pd.Timestamp(issued.data.issue_time.date())]
    return ahead if len(ahead) else None


def _kinds_used(issued: Issued, guarantee: Guarantee | None) -> tuple[Kind, ...]:
    """Kinds of files that this run drew on; others that the store holds had no part in it."""
    kinds = [Kind.CITIES]
    if issued.data.source is CityDaySource.STATIONS:
        kinds = [Kind.STATION_LIST, Kind.STATIONS]
    if len(issued.data.weather):
        kinds.append(Kind.WEATHER)
    if guarantee is not None:
        kinds.append(Kind.ENTERPRISES)
        if guarantee.hotspots is not None:
            kinds.append(Kind.SURVEY)
    return tuple(kinds)


def _methods(issued: Issued) -> tuple[str, ...]:
    data = issued.data
    kinds = sorted(set(issued.rows["weather_kind"]))
    weather = "、".join(WeatherKind(kind).name_zh for kind in kinds)
    return (
        f"预报：LightGBM逐预报日建模，41市合并训练，资料来源为{data.source.name_zh}；"
        f"目标日气象：{weather}；发布时刻之后的观测一律不进入预报。",
        "区间：由训练期留出时段的误差分布得到10%、50%、90%分位；对照方法为持续性预报与气候态预报。",
    )


_RUNGS_ZH = {DAMPED: "衰减持续性预报", NORMAL: "气候态预报"}


def _notes(issued: Issued, guarantee: Guarantee | None) -> tuple[str, ...]:
    notes = []
    for rung, name in _RUNGS_ZH.items():
        for target, count in issued.fallbacks(rung).items():
            notes.append(f"{target.info.name_zh}有{count}个城市日无可用模型，改用{name}，可信度较低。")
    for target, choices in issued.choices.items():
        notes.extend(
            f"{target.info.name_zh}：{choice.set_aside}。"
            for choice in choices
            if choice.set_aside is not None
        )
        notes.extend(
            f"{target.info.name_zh}：模型近{choice.drift.recent.days}天误差明显大于建模检验水平，请订正时留意。"
            for choice in choices
            if choice.drift.state is State.WATCH
        )
    if len(issued.superseded):
        notes.append(f"本期有{len(issued.superseded)}个城市日预报经预报员订正，模式原值与订正值均存档备检。")
    if issued.data.source is CityDaySource.REANALYSIS:
        notes.append("实况与检验采用再分析城市日均值（全市面积平均），与国控站点均值有差异，不作考核依据。")
    if guarantee is not None:
        notes.extend(guarantee.attribution.notes)
    return tuple(notes)
