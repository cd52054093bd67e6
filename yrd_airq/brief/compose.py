"""From the results of the rooms to the content of the brief; the only place where the two meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from yrd_airq.brief import conclusion, measures, origins, outlook, reasons, review, situation
from yrd_airq.brief.content import Brief, Header, Lineage, MapNote, Occasion, Zone
from yrd_airq.brief.content_air import Forecast, Observed, Yesterday
from yrd_airq.brief.content_emergency import Emergency
from yrd_airq.brief.content_versions import ListVersion
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.source_figures import build_clusters, build_isopleth, build_rose, describe_response
from yrd_airq.brief.yesterday import check_yesterday
from yrd_airq.region import Region, distance_km
from yrd_airq.settings import Event
from yrd_airq.vocab import CityDaySource

if TYPE_CHECKING:  # only the shapes are read here; a brief needs neither solver nor trajectory kernel
    from yrd_airq.attribution.isopleth import Isopleth
    from yrd_airq.attribution.matrix import Attribution
    from yrd_airq.control.plan import Plan
    from yrd_airq.transport.clusters import Clusters
    from yrd_airq.transport.trajectory import Trajectories


@dataclass(frozen=True)
class Issue:
    """Which brief is made: run, times and occasion.

    ``event`` None makes a daily bulletin. ``hindcast`` says that the outcome was known when the brief
    was made. ``number_zh`` defaults to the year and the issue hour.
    """

    run_id: str
    issue_time: datetime
    data_cutoff: datetime
    event: Event | None = None
    drill: bool = False
    hindcast: bool = False
    number_zh: str = ""


@dataclass(frozen=True)
class Results:
    """What the rooms hand over; None for what the run did not make.

    ``forecasts``: rows of one model beside the baselines (adcode, valid_date, lead_day, target, model, mean,
    q10, q50, q90, p_exceed, weather_kind). ``observed``: adcode, date, target, value up to the issue.
    ``weather``: a row per city-day with its kind. ``scores``: model, target, lead_day, n, rmse … over
    ``scores_period_zh``. ``previous``: forecast rows of the issue two days before, for the check of the last
    complete day. ``running``: the running 24-h AQI (adcode, valid_time, item, p_over_150 …). ``reasons``:
    adcode, valid_date, target, text_zh. ``hindsight``: the outcome, hindcasts only. ``emergency``: warning
    tiers (``emergency_section.build_emergency``). ``list_version``: which
    version of the list this is. ``observed_converted``: the MDA8 among ``observed`` is
    converted from daily means.
    """

    forecasts: pd.DataFrame
    observed: pd.DataFrame
    observed_source: CityDaySource
    lineage: Lineage
    weather: pd.DataFrame | None = None
    trajectories: Trajectories | None = None
    attribution: Attribution | None = None
    plan: Plan | None = None
    enterprises: pd.DataFrame | None = None
    clusters: Clusters | None = None
    rose: pd.DataFrame | None = None
    isopleth: Isopleth | None = None
    hotspots: pd.DataFrame | None = None
    traced: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    scores_period_zh: str = "近期回算检验"
    previous: pd.DataFrame | None = None
    running: pd.DataFrame | None = None
    reasons: pd.DataFrame | None = None
    hindsight: review.Hindsight | None = None
    observed_converted: bool = False
    emergency: Emergency | None = None
    list_version: ListVersion | None = None
    notes_zh: tuple[str, ...] = ()


def compose(issue: Issue, results: Results, region: Region, settings: BriefSettings) -> Brief:
    """The content of the brief; ``InputError`` where the forecasts do not fit the issue."""
    focus = focus_cities(issue.event, region, settings)
    period = (issue.event.control_start, issue.event.end) if issue.event is not None else None
    forecast = outlook.build_forecast(results.forecasts, issue.issue_time, focus, period, region, settings)
    forecast = forecast.model_copy(
        update={
            "reasons_zh": reasons.state_reasons(results.reasons, forecast),
            "running_zh": reasons.state_running(results.running, region, settings),
        }
    )
    observed = situation.build_observed(
        results.observed,
        results.observed_source,
        issue.issue_time,
        focus[0],
        region,
        settings,
        results.observed_converted,
    )
    event, plan = issue.event, results.plan
    control = None
    if event is not None and plan is not None:
        control = measures.build_control(plan, results.enterprises, event, region)
    if event is not None:
        summary = conclusion.conclude_event(forecast, event, control, region)
    else:
        summary = conclusion.conclude_daily(forecast, settings)
    matter = event.receptors if event is not None else focus
    check = review.build_check(
        results.scores,
        results.hindsight,
        forecast,
        matter,
        results.scores_period_zh,
        _yesterday(issue, results, observed, focus, region, settings),
    )
    boundaries = region.settings.boundaries
    return Brief(
        header=_header(issue, settings),
        occasion=_occasion(event) if event is not None else None,
        conclusion=summary,
        observed=observed,
        weather=_weather(results, forecast, region),
        forecast=forecast,
        transport=_transport(results, region, settings),
        attribution=_attribution(results, event, region, settings),
        survey=_survey(results),
        control=control,
        uncertainty_zh=review.list_uncertainties(forecast, matter, check, control is not None),
        check=check,
        lineage=results.lineage,
        map_note=MapNote(attribution_zh=boundaries.attribution_zh, approval_no=boundaries.approval_no),
        notes_zh=results.notes_zh,
        emergency=results.emergency,
        list_version=results.list_version,
    )


def _yesterday(
    issue: Issue,
    results: Results,
    observed: Observed | None,
    focus: tuple[str, ...],
    region: Region,
    settings: BriefSettings,
) -> Yesterday | None:
    if results.previous is None or results.previous.empty:
        return None
    issued = issue.issue_time - timedelta(days=2)
    earlier = outlook.build_forecast(results.previous, issued, focus, None, region, settings)
    return check_yesterday(earlier, observed, focus)


def focus_cities(event: Event | None, region: Region, settings: BriefSettings) -> tuple[str, ...]:
    """Cities printed in detail: the receptors and the cities nearest to the venue, or the configured ones."""
    if event is None:
        return settings.daily_focus
    lon, lat = region.lonlat.T
    order = np.argsort(distance_km(event.venue.lon, event.venue.lat, lon, lat), kind="stable")
    nearest = [region.adcodes[k] for k in order]
    wanted = max(settings.event_focus_cities, len(event.receptors))
    return tuple(dict.fromkeys((*event.receptors, *nearest)))[:wanted]


def _header(issue: Issue, settings: BriefSettings) -> Header:
    event = issue.event
    title = settings.daily_title_zh if event is None else settings.event_title_zh.format(event=event.name_zh)
    stamp = issue.issue_time
    return Header(
        kind="daily" if event is None else "event",
        title_zh=title,
        number_zh=issue.number_zh or f"〔{stamp.year}〕第{stamp:%m%d%H}号",
        maker_zh=settings.maker_zh,
        issue_time=stamp,
        data_cutoff=issue.data_cutoff,
        run_id=issue.run_id,
        drill=issue.drill,
        hindcast=issue.hindcast,
    )


def _occasion(event: Event) -> Occasion:
    return Occasion(
        name_zh=event.name_zh,
        venue_zh=event.venue.name_zh,
        adcode=event.venue.adcode,
        lon=event.venue.lon,
        lat=event.venue.lat,
        start=event.start,
        end=event.end,
        control_start=event.control_start,
        receptors=event.receptors,
        goals=event.goals,
        zones=tuple(Zone(code=z.code, name_zh=z.name_zh, radius_km=z.radius_km) for z in event.zones),
    )


def _weather(results: Results, forecast: Forecast, region: Region) -> situation.Weather | None:
    if results.weather is None or results.weather.empty:
        return None
    return situation.build_weather(results.weather, forecast.detail_dates, forecast.focus, region)


def _transport(results: Results, region: Region, settings: BriefSettings) -> origins.Transport | None:
    if results.trajectories is None:
        return None
    made = origins.build_transport(results.trajectories, region, settings)
    if results.clusters is None:
        return made
    return made.model_copy(update={"clusters": build_clusters(results.clusters)})


def _attribution(
    results: Results, event: Event | None, region: Region, settings: BriefSettings
) -> origins.Attribution | None:
    if results.attribution is None:
        return None
    matrix, lead = results.attribution, event.venue.adcode if event is not None else None
    made = origins.build_attribution(
        matrix, event.start if event is not None else None, lead, region, settings
    )
    if made is None:
        return None
    receptor = lead if lead in matrix.receptors else matrix.receptors[0]
    drawn: dict[str, object] = {}
    if results.rose is not None:
        drawn["rose"] = build_rose(results.rose, receptor, region)
    if results.isopleth is not None:
        drawn["isopleth"] = build_isopleth(results.isopleth, matrix.regime, region)
    if matrix.surfaces:
        drawn["response_zh"] = describe_response(next(iter(matrix.surfaces.values())), receptor, region)
    return made.model_copy(update=drawn)


def _survey(results: Results) -> origins.Survey | None:
    if results.hotspots is None:
        return None
    return origins.build_survey(results.hotspots, results.traced, results.enterprises)
