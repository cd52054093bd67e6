"""From a forecast to a control list for one event: trajectories, footprint, attribution, plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.attribution.chemistry import OzoneChemistry
from yrd_airq.attribution.diagrams import sector_rose
from yrd_airq.attribution.isopleth import Isopleth, draw_isopleth
from yrd_airq.attribution.matrix import Attribution, attribute
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.clock import lead_day
from yrd_airq.control.edits import Edits
from yrd_airq.control.plan import Plan, propose
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import InputError
from yrd_airq.jobs.issue import LEADS, IssueData
from yrd_airq.region import Region, load_region
from yrd_airq.settings import Event, load
from yrd_airq.standards.tiers import Tier
from yrd_airq.store.store import Store
from yrd_airq.survey.hotspots import find_hotspots
from yrd_airq.survey.settings import load_survey
from yrd_airq.survey.tracing import trace_sources
from yrd_airq.transport.clusters import Clusters, find_clusters
from yrd_airq.transport.footprint import Ageing, footprint
from yrd_airq.transport.nearfield import near_field
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, arrivals_of, back_trajectories
from yrd_airq.vocab import Target
from yrd_airq.weather.grid import weather_for

SURVEY_AGE = pd.Timedelta(days=30)
"""Mobile surveys older than this at the issue time are no evidence any more."""

LAGS = 4
"""Days of emission told apart: the receptor's own day, the two before it, and all older ones."""

ISOPLETH_VOC_PPBC = np.linspace(0, 1200, 25)
ISOPLETH_NOX_PPB = np.linspace(0, 120, 25)
"""Axes of the ozone diagram: from clean air to more than a polluted morning holds."""


@dataclass(frozen=True)
class Guarantee:
    """What stands behind a control list, from the air's way to the plan.

    ``winds``: the weather that was traced; ``concentrations``: the forecast medians that were shared out
    (adcode, date, target, value).
    """

    enterprises: pd.DataFrame
    winds: xr.Dataset
    concentrations: pd.DataFrame
    trajectories: Trajectories
    attribution: Attribution
    clusters: Clusters
    rose: pd.DataFrame
    isopleth: Isopleth
    plan: Plan
    hotspots: pd.DataFrame | None
    traced: pd.DataFrame | None


def check_event(event: Event, data: IssueData) -> None:
    """``InputError`` if the event cannot be served from this issue time: too early, over, or too far off."""
    issue = data.issue_time
    if event.end < data.panel.first:
        raise InputError(
            f"event {event.code} ({event.start} … {event.end}) lies before the data, which begin on "
            f"{data.panel.first}; ingest older data or check the event's dates"
        )
    if event.end <= issue.date():
        raise InputError(
            f"event {event.code} ends on {event.end}, not after the issue time {issue:%Y-%m-%d %H:%M}; "
            "issue before the event"
        )
    if lead_day(issue, event.start) > LEADS[-1]:
        raise InputError(
            f"event {event.code} starts on {event.start}, more than {LEADS[-1]} days after the issue time "
            f"{issue:%Y-%m-%d %H:%M}; issue nearer to the event"
        )


def plan_guarantee(
    store: Store,
    data: IssueData,
    forecasts: pd.DataFrame,
    event: Event,
    *,
    edits: Edits | None = None,
    previous: pd.DataFrame | None = None,
    tiers: Mapping[str, Tier] | None = None,
) -> Guarantee:
    """Trace the air of the event's days, attribute it to the listed enterprises, and choose measures.

    ``forecasts``: rows of the forecast model for the event's cities. Days that the forecast does not
    reach (the issue date and before, or beyond the last lead day) take no part. ``edits``: a forecaster's,
    in force for this plan; ``previous``: the orders of the list version before; ``tiers``: warning tiers by
    adcode.
    """
    region = load_region()
    enterprises = store.enterprises()
    if enterprises.empty:
        raise InputError("the store holds no enterprise list; ingest one (yrd-airq ingest enterprises FILE)")
    days = pd.date_range(
        max(event.start, data.issue_time.date() + timedelta(days=1)),
        min(event.end, data.issue_time.date() + timedelta(days=LEADS[-1])),
    )
    transport = load(TransportSettings, "transport")
    winds, medians = _winds(data, days, transport), _medians(forecasts, event, days)
    trajectories, attribution = attribute_event(event, enterprises, winds, medians)
    hotspots, traced = _survey(store, enterprises, data.issue_time)
    plan = propose(
        event,
        enterprises,
        attribution,
        forecasts,
        data.issue_time,
        load(ControlSettings, "control"),
        region,
        traced,
        edits=edits,
        previous=previous,
        tiers=tiers,
    )
    sources, chemistry = load(AttributionSettings, "attribution"), load(OzoneChemistry, "ozone")
    shown = _shown_target(event)
    rose = sector_rose(attribution, enterprises, region, sources, shown)
    return Guarantee(
        enterprises=enterprises,
        winds=winds,
        concentrations=medians,
        trajectories=trajectories,
        attribution=attribution,
        clusters=find_clusters(trajectories, _centre(event, _places(event, region)), transport.clusters),
        rose=rose.assign(target=shown),
        isopleth=draw_isopleth(chemistry, ISOPLETH_VOC_PPBC, ISOPLETH_NOX_PPB),
        plan=plan,
        hotspots=hotspots,
        traced=traced,
    )


def attribute_event(
    event: Event, enterprises: pd.DataFrame, winds: xr.Dataset, concentrations: pd.DataFrame
) -> tuple[Trajectories, Attribution]:
    """Trace back the air of the receptors on the days of ``concentrations`` and attribute it.

    ``concentrations``: adcode, date, target, value (µg/m³) of the event's receptors, days in a row. Particles
    go by what gases have turned into, ozone by the air of midday, everything else by what is left.
    """
    region, transport = load_region(), load(TransportSettings, "transport")
    sources, chemistry = load(AttributionSettings, "attribution"), load(OzoneChemistry, "ozone")
    places, days = _places(event, region), pd.to_datetime(concentrations["date"])
    arrivals = arrivals_of(days.min().date(), days.max().date(), transport)
    trajectories = back_trajectories(winds, places, arrivals, transport.hours, transport)
    prints = footprint(trajectories, transport, lags=LAGS)
    midday = trajectories.arriving(transport.ozone.arrival_hours)
    where = enterprises[["lon", "lat"]].to_numpy(dtype=float)
    attribution = attribute(
        prints,
        enterprises,
        concentrations,
        region,
        sources,
        chemistry=chemistry,
        indicators=chemistry.observed_table,
        near=near_field(where, places, prints.days, prints.members, winds, transport),
        particles=footprint(trajectories, transport, Ageing.PARTICLES, lags=LAGS),
        midday=footprint(midday, transport, Ageing.OZONE, lags=LAGS),
        detail=True,
    )
    return trajectories, attribution


def _winds(data: IssueData, days: pd.DatetimeIndex, settings: TransportSettings) -> xr.Dataset:
    if data.weather_files.empty:
        raise InputError(
            "no gridded weather in the store, so the air cannot be traced back; "
            "ingest NetCDF weather that covers the event (yrd-airq ingest weather FILE…)"
        )
    return weather_for(
        data.weather_files,
        days[0] - pd.Timedelta(hours=settings.hours),
        days[-1] + pd.Timedelta(days=1),
        data.issue_time,
    )


def _places(event: Event, region: Region) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the receptors; the host city's is the venue itself."""
    places = {code: (region.city(code).lon, region.city(code).lat) for code in event.receptors}
    if event.venue.adcode in places:
        places[event.venue.adcode] = (event.venue.lon, event.venue.lat)
    return places


def _centre(event: Event, places: Mapping[str, tuple[float, float]]) -> str:
    """The receptor whose diagrams are drawn: the host city, or the first one."""
    return event.venue.adcode if event.venue.adcode in places else next(iter(places))


def _shown_target(event: Event) -> Target:
    """The goal whose sources are drawn: ozone before particles, as the brief orders its budgets."""
    order = (Target.O3_MDA8, Target.O3_MEAN, *event.goals)
    return next(target for target in order if target in event.goals)


def _medians(forecasts: pd.DataFrame, event: Event, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Median forecast of the receptor-days, the concentrations that the attribution shares out.

    The targets of the goals, and the two whose benefit every list states.
    """
    targets = {Target.O3_MDA8, Target.PM25, *event.goals}
    rows = forecasts[
        forecasts["adcode"].isin(event.receptors)
        & pd.to_datetime(forecasts["valid_date"]).isin(days)
        & forecasts["target"].isin([target.value for target in targets])
    ]
    renamed = rows.rename(columns={"valid_date": "date", "q50": "value"})
    return renamed[["adcode", "date", "target", "value"]].reset_index(drop=True)


def _survey(
    store: Store, enterprises: pd.DataFrame, issue_time: datetime
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Hotspots of the mobile surveys before the issue and the enterprises they point to; None without any."""
    points = store.survey_points()
    points = points[points["time"].between(pd.Timestamp(issue_time) - SURVEY_AGE, pd.Timestamp(issue_time))]
    if points.empty:
        return None, None
    settings = load_survey()
    hotspots = find_hotspots(points, settings)
    return hotspots, trace_sources(hotspots, enterprises, settings)
